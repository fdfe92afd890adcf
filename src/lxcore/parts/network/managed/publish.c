/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.net.N.publish: ports of the host that lead to ports of a container.
 *
 * What is published stands in one file, a line each, changed under the lock of the managed network:
 *
 *     PROTO HOST-ADDRESS|* HOST-PORT ADDRESS PORT NAME LXCPATH
 *
 * and our nftables table is written anew from it (rules.c).  The journal of the container says
 * "publish N", so that a stop or a rescuer takes its lines out again.
 */
#include "base/fd.h"
#include "base/proc.h"
#include "parts/network/managed/managed.h"
#include "parts/network/managed/publish.h"
#include "parts/network/network.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

/* ---- the value ---- */

static bool read_port(const char *text, uint16_t *ret)
{
	unsigned long long n;

	if (!str_to_u64(text, &n) || n < 1 || n > 65535)
		return false;
	*ret = (uint16_t)n;
	return true;
}

/* "80" or "80-89" */
static bool read_range(char *text, uint16_t *ret_first, uint16_t *ret_count)
{
	char *dash = strchr(text, '-');
	uint16_t last;

	if (dash)
		*dash++ = '\0';
	if (!read_port(text, ret_first))
		return false;
	last = *ret_first;
	if (dash && (!read_port(dash, &last) || last < *ret_first))
		return false;
	*ret_count = (uint16_t)(last - *ret_first + 1);
	return true;
}

/* PROTO:[HOSTADDR:]HOSTPORT:PORT, cut apart from its end, for an IPv6 address has colons itself. */
static bool read_published(char *text, struct published *p)
{
	char *colon = strrchr(text, ':'), *host;
	uint16_t count;

	if (!colon || !read_range(colon + 1, &p->port, &count))
		return false;
	*colon = '\0';
	colon = strrchr(text, ':');
	if (!colon || !read_range(colon + 1, &p->host_port, &p->count) || p->count != count)
		return false;
	*colon = '\0';
	host = strchr(text, ':');
	if (host)
		*host++ = '\0';
	p->tcp = strcmp(text, "tcp") == 0;
	if (!p->tcp && strcmp(text, "udp") != 0)
		return false;
	if (!host)
		return true;
	if (*host != '[')
		return address_parse_plain(&p->host, AF_INET, host) && address_is_host(&p->host);
	if (!str_ends(host, "]"))
		return false;
	host[strlen(host) - 1] = '\0';
	return address_parse_plain(&p->host, AF_INET6, host + 1) && address_is_host(&p->host);
}

static int set_publish(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	struct publish *list = field;
	struct published p = {0}, *v;
	autofree char *copy = strdup(value);

	if (!copy || !read_published(copy, &p))
		return error_set(err, EINVAL,
				 "\"%.80s\" is not PROTO:[HOSTADDR:]HOSTPORT:PORT, such "
				 "as tcp:8080:80 or udp:192.0.2.1:53:5353",
				 value);
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return error_set(err, ENOMEM, "cannot keep the value: out of memory");
	list->v = v;
	list->v[list->n++] = p;
	return 0;
}

static void get_publish(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	const struct publish *list = field;

	for (size_t i = 0; i < list->n; i++) {
		const struct published *p = &list->v[i];
		char host[INET6_ADDRSTRLEN];

		buf_addf(out, "%s%s:", i ? "\n" : "", p->tcp ? "tcp" : "udp");
		if (p->host.family)
			buf_addf(out, p->host.family == AF_INET ? "%s:" : "[%s]:",
				 address_text(&p->host, host));
		buf_addf(out, "%u", p->host_port);
		if (p->count > 1)
			buf_addf(out, "-%u", p->host_port + p->count - 1);
		buf_addf(out, ":%u", p->port);
		if (p->count > 1)
			buf_addf(out, "-%u", p->port + p->count - 1);
	}
}

static void clear_publish(void *field, const struct conf_key *key, const char *sub)
{
	struct publish *list = field;

	free(list->v);
	*list = (struct publish){0};
}

const struct conf_type value_publish = {
	"PROTO:[HOSTADDR:]HOSTPORT:PORT", set_publish, get_publish, clear_publish, NULL,
};

/* ---- the file ---- */

struct entry {
	char proto[8], host[INET6_ADDRSTRLEN], address[INET6_ADDRSTRLEN];
	unsigned host_port, port;
	char name[256];
	const char *lxcpath; /* to the end of the line */
	size_t lxcpath_n;
};

static bool read_entry(const char *line, struct entry *e)
{
	int at = 0;

	if (sscanf(line, "%7s %45s %u %45s %u %255s %n", e->proto, e->host, &e->host_port,
		   e->address, &e->port, e->name, &at) != 6 ||
	    !at)
		return false;
	e->lxcpath = line + at;
	e->lxcpath_n = strcspn(e->lxcpath, "\n");
	return true;
}

static bool is_of(const struct entry *e, const char *lxcpath, const char *name)
{
	return strcmp(e->name, name) == 0 && strlen(lxcpath) == e->lxcpath_n &&
	       memcmp(e->lxcpath, lxcpath, e->lxcpath_n) == 0;
}

static int read_file(struct buf *text, struct error *err)
{
	if (file_read(AT_FDCWD, MANAGED_PUBLISHED, text) < 0 && errno != ENOENT)
		return error_sys(err, "cannot read \"%s\"", MANAGED_PUBLISHED);
	return 0;
}

static const char *next_line(const char *at)
{
	at += strcspn(at, "\n");
	return *at ? at + 1 : at;
}

static bool meets(const struct entry *e, const struct published *p)
{
	char host[INET6_ADDRSTRLEN];

	if (strcmp(e->proto, p->tcp ? "tcp" : "udp") != 0 || e->host_port < p->host_port ||
	    e->host_port >= (unsigned)p->host_port + p->count)
		return false;
	return !p->host.family || strcmp(e->host, "*") == 0 ||
	       strcmp(e->host, address_text(&p->host, host)) == 0;
}

/* Another container that has one of these ports. */
static int check_others(const struct boot *b, const struct nic_conf *c, const char *text,
			struct error *err)
{
	struct nic_where where;

	for (const char *at = text; at && *at; at = next_line(at)) {
		struct entry e;

		if (!read_entry(at, &e) || is_of(&e, b->lxcpath, b->name))
			continue;
		for (size_t i = 0; i < c->publish.n; i++) {
			if (!meets(&e, &c->publish.v[i]))
				continue;
			error_set(err, EADDRINUSE,
				  "%s port %u of the host leads to container %s "
				  "already (%s)",
				  e.proto, e.host_port, e.name,
				  nic_where(b->conf, c, "publish", &where));
			return error_mend(err, "choose another port, or: lxc-stop -P %.*s -n %s",
					  (int)e.lxcpath_n, e.lxcpath, e.name);
		}
	}
	return 0;
}

/* ---- check ---- */

static int check_twice(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;

	for (size_t i = 0; i < c->publish.n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct published *a = &c->publish.v[i], *b = &c->publish.v[k];

			if (a->tcp != b->tcp || a->host_port >= b->host_port + b->count ||
			    b->host_port >= a->host_port + a->count)
				continue;
			if (a->host.family && b->host.family && !address_same(&a->host, &b->host))
				continue;
			return error_set(err, EINVAL, "port %u of the host is published twice (%s)",
					 a->host_port,
					 nic_where(site->boot->conf, c, "publish", &where));
		}
	return 0;
}

static int check_listeners(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;
	struct listener l;
	char who[64];

	for (size_t i = 0; i < c->publish.n; i++) {
		const struct published *p = &c->publish.v[i];

		for (uint16_t k = 0; k < p->count; k++) {
			if (!listener_find(p->tcp, p->host.family ? &p->host : NULL,
					   (uint16_t)(p->host_port + k), NULL, &l))
				continue;
			error_set(err, EADDRINUSE, "%s port %u of the host is taken by %s (%s)",
				  p->tcp ? "tcp" : "udp", p->host_port + k, listener_text(&l, who),
				  nic_where(site->boot->conf, c, "publish", &where));
			return error_mend(err, "choose another port, or stop that program");
		}
	}
	return 0;
}

static int check_host(const struct nic_site *site, const struct nic_conf *c, bool managed,
		      struct error *err)
{
	autofree char *nft = proc_find_program("nft");
	autobuf struct buf value = BUF_INIT;
	struct nic_where where;

	nic_where(site->boot->conf, c, "publish", &where);
	if (!nft) {
		error_set(err, ENOENT, "publishing a port needs nft, which this host has not (%s)",
			  where.text);
		return error_mend(err,
				  "apt install nftables      (or your distribution's package)");
	}
	if (managed || (file_read(AT_FDCWD, "/proc/sys/net/ipv4/ip_forward", &value) == 0 &&
			value.s && value.s[0] == '1'))
		return 0;
	error_set(err, ENETUNREACH,
		  "publishing a port needs forwarding, which is off on this host (%s)", where.text);
	return error_mend(err, "sysctl -w net.ipv4.ip_forward=1");
}

int publish_check(const struct nic_site *site, const struct nic_conf *c, bool managed,
		  struct error *err)
{
	bool v4 = c->ipv4.n || c->ipv4.automatic || managed, v6 = c->ipv6.n || c->ipv6.automatic;
	autobuf struct buf text = BUF_INIT;
	struct nic_where where;

	if (!c->publish.n)
		return 0;
	nic_where(site->boot->conf, c, "publish", &where);
	for (size_t i = 0; i < c->publish.n; i++) {
		bool wants6 = c->publish.v[i].host.family == AF_INET6;

		if (wants6 ? v6 : v4)
			continue;
		error_set(err, EDESTADDRREQ,
			  "a published port leads to an address, and the "
			  "container's is not known here (%s)",
			  where.text);
		return error_mend(
			err,
			"lxc.net.%u.ipv%d.address = ADDRESS      (or auto, on the managed "
			"network)",
			c->index, wants6 ? 6 : 4);
	}
	if (check_twice(site, c, err) < 0 || check_host(site, c, managed, err) < 0 ||
	    read_file(&text, err) < 0 || check_others(site->boot, c, text.s, err) < 0)
		return -1;
	return check_listeners(site, c, err);
}

/* ---- connect and release ---- */

static void add_lines(struct buf *out, const struct boot *b, const struct published *p,
		      const struct address *to)
{
	char host[INET6_ADDRSTRLEN] = "*", address[INET6_ADDRSTRLEN];

	if (!to->family || (p->host.family && p->host.family != to->family))
		return;
	if (p->host.family)
		address_text(&p->host, host);
	for (uint16_t i = 0; i < p->count; i++)
		buf_addf(out, "%s %s %u %s %u %s %s\n", p->tcp ? "tcp" : "udp", host,
			 p->host_port + i, address_text(to, address), p->port + i, b->name,
			 b->lxcpath);
}

static int write_and_apply(const struct buf *text, struct error *err)
{
	automanaged struct managed m = MANAGED_INIT;
	int up = managed_current(&m, err);

	if (up < 0)
		return -1;
	if (text->failed)
		return error_set(err, ENOMEM, "out of memory");
	if (file_replace(AT_FDCWD, MANAGED_PUBLISHED, text->s ? text->s : "", 0644) < 0)
		return error_sys(err, "cannot write \"%s\"", MANAGED_PUBLISHED);
	return rules_apply(up ? &m : NULL, err);
}

int publish_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		    struct error *err)
{
	const struct address *v4 = c->ipv4.n ? &c->ipv4.v[0] : &nic->lease4;
	const struct address *v6 = c->ipv6.n ? &c->ipv6.v[0] : &nic->lease6;
	autobuf struct buf text = BUF_INIT;
	autoclose int lock = -1;
	char index[16];

	if (!c->publish.n)
		return 0;
	lock = managed_lock(err);
	if (lock < 0 || read_file(&text, err) < 0 || check_others(b, c, text.s, err) < 0)
		return -1;
	snprintf(index, sizeof(index), "%u", c->index);
	if (journal_record(&b->journal, "publish", index, err) < 0)
		return -1;
	for (size_t i = 0; i < c->publish.n; i++) {
		add_lines(&text, b, &c->publish.v[i], v4);
		add_lines(&text, b, &c->publish.v[i], v6);
	}
	return write_and_apply(&text, err);
}

void publish_release(const struct release *r)
{
	autobuf struct buf text = BUF_INIT, rest = BUF_INIT;
	autoclose int lock = -1;

	if (!journal_previous(r->journal, "publish", NULL))
		return;
	lock = managed_lock(NULL);
	if (lock < 0 || read_file(&text, NULL) < 0)
		return;
	for (const char *at = text.s; at && *at; at = next_line(at)) {
		struct entry e;

		if (read_entry(at, &e) && !is_of(&e, r->lxcpath, r->name))
			buf_add(&rest, at, (size_t)(next_line(at) - at));
	}
	if (rest.len != text.len)
		write_and_apply(&rest, NULL);
}

int network_published(const char *lxcpath, const char *name, struct strv *ret)
{
	autobuf struct buf text = BUF_INIT;

	if (read_file(&text, NULL) < 0)
		return -1;
	for (const char *at = text.s; at && *at; at = next_line(at)) {
		struct entry e;
		bool v6;

		if (!read_entry(at, &e) || !is_of(&e, lxcpath, name))
			continue;
		v6 = strchr(e.address, ':') != NULL;
		if (strv_take(ret, str_printf(v6 ? "%s:%s:%u -> [%s]:%u" : "%s:%s:%u -> %s:%u",
					      e.proto, e.host, e.host_port, e.address, e.port)) < 0)
			return -1;
	}
	return 0;
}

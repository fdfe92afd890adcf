/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The managed network as programs see it: lxcore_net_*(). */
#include "base/error.h"
#include "lxcore.h"
#include "base/fd.h"
#include "parts/network/managed/managed.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

static int hand_out(struct strv *list, char ***ret, struct error *err)
{
	if (!list->v) {
		list->v = calloc(1, sizeof(char *));
		if (!list->v)
			return error_set(err, ENOMEM, "out of memory");
	}
	*ret = list->v;
	*list = (struct strv){0};
	return 0;
}

int lxcore_net_start(char ***ret_notes, lxcore_error *err)
{
	automanaged struct managed m = MANAGED_INIT;
	autostrv struct strv notes = {0};

	if (managed_read(&m, err) < 0)
		return -1;
	if (!m.enabled) {
		strv_take(&notes, str_printf("nothing to start: USE_LXC_BRIDGE=false (%s)",
					     m.enabled_where ? m.enabled_where : ""));
		return hand_out(&notes, ret_notes, err);
	}
	if (managed_up(&m, &notes, err) < 0) {
		error_within(err, "cannot start the managed network");
		return error_mend(err, "lxc-net check      (tells all that stands in the way)");
	}
	return hand_out(&notes, ret_notes, err) < 0 ? -1 : 1;
}

int lxcore_net_stop(char ***ret_notes, lxcore_error *err)
{
	autostrv struct strv notes = {0};
	int was_up = managed_down(&notes, err);

	if (was_up < 0)
		return error_within(err, "cannot stop the managed network");
	return hand_out(&notes, ret_notes, err) < 0 ? -1 : was_up;
}

/* ---- status ---- */

static char *with_prefix(const struct address *a)
{
	char text[INET6_ADDRSTRLEN];

	return a->family ? str_printf("%s/%u", address_text(a, text), a->prefix) : NULL;
}

static char *range_of(const struct managed *m)
{
	char first[INET6_ADDRSTRLEN], last[INET6_ADDRSTRLEN];

	return str_printf("%s,%s", address_text(&m->first, first), address_text(&m->last, last));
}

static int count_ports(const char *bridge)
{
	autonetlink struct netlink nl = NETLINK_CLOSED;
	int index;

	if (netlink_open(&nl, NULL) < 0)
		return -1;
	index = link_index(&nl, bridge);
	return index ? link_ports(&nl, index) : -1;
}

static int add_lease(void *data, const struct lease *l)
{
	struct lxcore_net_status *s = data;
	struct lxcore_net_lease *list =
		realloc(s->leases, (size_t)(s->n_leases + 1) * sizeof(*list));

	if (!list)
		return -1;
	s->leases = list;
	list[s->n_leases++] = (struct lxcore_net_lease){
		.address = strdup(l->address),
		.hwaddr = strdup(l->hwaddr),
		.name = strdup(l->name),
		.lxcpath = strdup(l->lxcpath),
		.index = l->index,
	};
	return 0;
}

static uint32_t number(const char *address)
{
	struct in_addr a = {0};

	inet_pton(AF_INET, address, &a);
	return ntohl(a.s_addr);
}

static int by_address(const void *a, const void *b)
{
	uint32_t x = number(((const struct lxcore_net_lease *)a)->address);
	uint32_t y = number(((const struct lxcore_net_lease *)b)->address);

	return x < y ? -1 : x > y;
}

static int read_published(struct lxcore_net_status *s, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv list = {0};

	if (file_read(AT_FDCWD, MANAGED_PUBLISHED, &text) < 0 && errno != ENOENT)
		return error_sys(err, "cannot read \"%s\"", MANAGED_PUBLISHED);
	for (char *rest = text.s, *line; rest && (line = strsep(&rest, "\n"));) {
		char proto[8], host[48], address[48], name[256];
		unsigned port, to;

		if (sscanf(line, "%7s %47s %u %47s %u %255s", proto, host, &port, address, &to,
			   name) == 6)
			strv_take(&list,
				  str_printf(strchr(address, ':') ? "%s:%s:%u -> [%s]:%u (%s)"
								  : "%s:%s:%u -> %s:%u (%s)",
					     proto, host, port, address, to, name));
	}
	return hand_out(&list, &s->published, err);
}

int lxcore_net_status(struct lxcore_net_status *ret, lxcore_error *err)
{
	automanaged struct managed m = MANAGED_INIT;
	struct lxcore_net_status s = {0};
	int current = managed_current(&m, err);
	autoclose int dnsmasq = -1;

	if (current < 0 || (current == 0 && managed_read(&m, err) < 0))
		return -1;
	s.enabled = m.enabled;
	s.up = current == 1;
	s.bridge = strdup(m.bridge);
	s.ports = count_ports(m.bridge);
	s.ipv4 = with_prefix(&m.address);
	s.ipv6 = with_prefix(&m.address6);
	s.dhcp_range = range_of(&m);
	s.domain = m.domain && *m.domain ? strdup(m.domain) : NULL;
	s.rules = rules_exist();
	dnsmasq = dnsmasq_find(&s.dnsmasq);
	lease_each(add_lease, &s);
	if (s.n_leases)
		qsort(s.leases, (size_t)s.n_leases, sizeof(*s.leases), by_address);
	if (read_published(&s, err) < 0) {
		lxcore_net_status_free(&s);
		return -1;
	}
	*ret = s;
	return 0;
}

void lxcore_net_status_free(struct lxcore_net_status *s)
{
	for (int i = 0; i < s->n_leases; i++) {
		free(s->leases[i].address);
		free(s->leases[i].hwaddr);
		free(s->leases[i].name);
		free(s->leases[i].lxcpath);
	}
	for (char **p = s->published; p && *p; p++)
		free(*p);
	free(s->leases);
	free(s->published);
	free(s->bridge);
	free(s->ipv4);
	free(s->ipv6);
	free(s->dhcp_range);
	free(s->domain);
	*s = (struct lxcore_net_status){0};
}

int lxcore_net_check(void (*say)(void *data, const char *subject, const lxcore_error *objection),
		     void *data)
{
	return managed_check(say, data);
}

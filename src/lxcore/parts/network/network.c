/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The network of a container: its doors in a boot.
 *
 * Everything is decided on the host before the container exists (names, hardware addresses, what
 * 'auto' means), so that the first process, which is a copy of the supervisor, knows it too.  Then
 * the supervisor makes the interfaces in that process's namespace, and the process sets addresses
 * and routes.  What a type of interface does for itself stands behind struct nic_type.
 */
#include "parts/network/network.h"
#include "base/fd.h"
#include "parts/network/nic.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#define HWADDR_TEMPLATE "02:xx:xx:xx:xx:xx" /* locally administered (IEEE 802) */
#define MTU_IPV6 1280                       /* below it there is no IPv6 (RFC 8200) */

static const struct network_conf *conf_network(const struct conf *conf)
{
	return conf_of(conf, &network_section);
}

bool network_wants_namespace(const struct conf *conf)
{
	const struct network_conf *net = conf_network(conf);

	for (size_t i = 0; i < net->n; i++)
		if (net->v[i]->type != &nic_none)
			return true;
	return net->n == 0;
}

/* ---- check ---- */

/* The network is another container's, or the host's: then nothing is made of lxc.net. */
static bool is_foreign(const struct conf *conf)
{
	static const char *const keys[] = {"lxc.namespace.share.net", "lxc.namespace.keep",
					   "lxc.namespace.clone"};

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		autobuf struct buf value = BUF_INIT;
		autostrv struct strv words = {0};

		conf_get(conf, keys[i], &value, NULL);
		if (!value.s || strv_split(&words, value.s, " \t\n") < 0 || !words.n)
			continue;
		if (i == 0 || (i == 1 && strv_has(&words, "net")) ||
		    (i == 2 && !strv_has(&words, "net")))
			return true;
	}
	return false;
}

static int check_type(const struct conf *conf, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;

	if (!c->type) {
		error_set(err, EINVAL, "lxc.net.%u has no type", c->index);
		return error_mend(err, "lxc.net.%u.type = veth", c->index);
	}
	if (user_makes() && !c->type->plain && c->type != &nic_veth) {
		error_set(err, EPERM, "an ordinary user can have interfaces of type veth, empty and "
			  "none, not %s (%s)", c->type->word, nic_where(conf, c, "type", &where));
		return error_mend(err, "lxc.net.%u.type = veth", c->index);
	}
	if (c->type == &nic_none && network_wants_namespace(conf))
		return error_set(err, EINVAL,
				 "type none, the host's network, does not go together with "
				 "other interfaces (%s)",
				 nic_where(conf, c, "type", &where));
	return 0;
}

static int check_routes(const struct conf *conf, const struct nic_conf *c, struct error *err)
{
	const struct {
		const char *sub;
		const struct gateway *gateway;
		size_t n_addresses;
	} ways[] = {
		{"ipv4.gateway", &c->ipv4_gateway, c->ipv4.n + c->ipv4.automatic},
		{"ipv6.gateway", &c->ipv6_gateway, c->ipv6.n + c->ipv6.automatic},
	};
	struct nic_where where;

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct gateway *g = ways[i].gateway;

		if (g->how == GATEWAY_NONE)
			continue;
		nic_where(conf, c, ways[i].sub, &where);
		if (!c->up) {
			error_set(err, EINVAL, "a gateway needs an interface that is up (%s)",
				  where.text);
			return error_mend(err, "lxc.net.%u.flags = up", c->index);
		}
		if (!ways[i].n_addresses &&
		    !(i == 1 && g->how == GATEWAY_ADDRESS && address_is_link_local(&g->address)))
			return error_set(err, EINVAL,
					 "a gateway needs an address of its family on the "
					 "interface (%s)",
					 where.text);
	}
	if (c->mtu && c->mtu < MTU_IPV6 && c->ipv6.n)
		return error_set(err, EINVAL,
				 "an MTU of %u is too small for IPv6, which needs %d (%s)", c->mtu,
				 MTU_IPV6, nic_where(conf, c, "mtu", &where));
	return 0;
}

/* What must not be there twice. */
static int check_twice(const struct conf *conf, const struct nic_conf *c, struct error *err)
{
	const struct network_conf *net = conf_network(conf);
	struct nic_where where;

	if (strcmp(c->name, "lo") == 0)
		return error_set(err, EINVAL, "\"lo\" is the name of the loopback (%s)",
				 nic_where(conf, c, "name", &where));
	for (size_t i = 0; i < net->n && net->v[i] != c; i++) {
		if (c->name[0] && strcmp(net->v[i]->name, c->name) == 0)
			return error_set(err, EINVAL, "two interfaces are to be named \"%s\" (%s)",
					 c->name, nic_where(conf, c, "name", &where));
		if (c->veth.pair[0] && strcmp(net->v[i]->veth.pair, c->veth.pair) == 0)
			return error_set(err, EINVAL,
					 "two interfaces are to be named \"%s\" on the host "
					 "(%s)",
					 c->veth.pair, nic_where(conf, c, "veth.pair", &where));
		if ((c->ipv4_gateway.how && net->v[i]->ipv4_gateway.how) ||
		    (c->ipv6_gateway.how && net->v[i]->ipv6_gateway.how))
			return error_set(err, EINVAL,
					 "lxc.net.%u and lxc.net.%u both have a gateway for "
					 "IPv%d, but there is one default route",
					 net->v[i]->index, c->index,
					 c->ipv4_gateway.how && net->v[i]->ipv4_gateway.how ? 4
											    : 6);
		if (c->hwaddr[0] && !strpbrk(c->hwaddr, "xX") &&
		    strcasecmp(net->v[i]->hwaddr, c->hwaddr) == 0)
			return error_set(err, EINVAL,
					 "two interfaces are to have the address %s (%s)",
					 c->hwaddr, nic_where(conf, c, "hwaddr", &where));
	}
	return 0;
}

/* Others never come by the bridge of the managed network. */
static int check_automatic(const struct conf *conf, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;

	if ((!c->ipv4.automatic && !c->ipv6.automatic) || c->type == &nic_veth)
		return 0;
	return error_set(
		err, EINVAL, "an address 'auto' is for interfaces of type veth, not %s (%s)",
		c->type->word,
		nic_where(conf, c, c->ipv4.automatic ? "ipv4.address" : "ipv6.address", &where));
}

static int network_check(const struct boot *b, struct error *err)
{
	struct network_conf *net = conf_of(b->conf, &network_section);
	autonetlink struct netlink nl = NETLINK_CLOSED;
	struct nic_site site = {b, &nl};
	bool foreign = net->n && is_foreign(b->conf);

	if (!foreign && wildcards_expand(&site, net, err) < 0)
		return -1;
	for (size_t i = 0; i < net->n; i++) {
		const struct nic_conf *c = net->v[i];

		if (check_type(b->conf, c, err) < 0)
			return -1;
		if (c->type->plain)
			continue;
		if (check_routes(b->conf, c, err) < 0 || check_twice(b->conf, c, err) < 0)
			return -1;
		if (foreign)
			continue;
		if (nl.fd < 0 && netlink_open(&nl, err) < 0)
			return -1;
		if (check_automatic(b->conf, c, err) < 0 || c->type->check(&site, c, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- prepare ---- */

static bool name_is_taken(const struct network_conf *net, const struct network_boot *n,
			  const char *name)
{
	for (size_t i = 0; i < net->n; i++)
		if (strcmp(net->v[i]->name, name) == 0 || strcmp(n->v[i].name, name) == 0)
			return true;
	return false;
}

static void choose_name(const struct network_conf *net, const struct network_boot *n,
			const struct nic_conf *c, struct nic *nic)
{
	if (c->name[0]) {
		strcpy(nic->name, c->name);
		return;
	}
	for (unsigned i = 0; !nic->name[0]; i++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "eth%u", i);
		if (!name_is_taken(net, n, name))
			strcpy(nic->name, name);
	}
}

static void choose_address(const struct boot *b, const struct nic_conf *c, struct nic *nic)
{
	const char *text = c->hwaddr[0] ? c->hwaddr : HWADDR_TEMPLATE;
	char word[24];

	snprintf(word, sizeof(word), "lxc.net.%u", c->index);
	hwaddr_resolve(text, strpbrk(text, "xX") ? network_hash(b->lxcpath, b->name, word) : 0,
		       nic->mac);
}

static int network_prepare(struct boot *b, struct error *err)
{
	const struct network_conf *net = conf_network(b->conf);
	struct network_boot *n = calloc(1, sizeof(*n) + net->n * sizeof(struct nic));

	if (!n)
		return error_sys(err, "cannot prepare the network");
	n->nl = NETLINK_CLOSED;
	n->ns = -1;
	n->own = b->clone_flags & CLONE_NEWNET && network_wants_namespace(b->conf);
	n->n = n->own ? net->n : 0;
	b->network = n;
	for (size_t i = 0; i < n->n; i++) {
		const struct nic_conf *c = net->v[i];

		n->v[i].index = c->index;
		n->v[i].type = c->type;
		if (c->type->plain)
			continue;
		if (n->nl.fd < 0 && netlink_open(&n->nl, err) < 0)
			return -1;
		choose_name(net, n, c, &n->v[i]);
		choose_address(b, c, &n->v[i]);
		if (c->type->prepare(b, c, &n->v[i], err) < 0)
			return -1;
	}
	return 0;
}

/* ---- of a running container ---- */

void network_running_value(const struct journal *j, const char *key, struct buf *out)
{
	const char *line = NULL;
	unsigned wanted, index;
	char name[IFNAMSIZ];
	int end = 0;

	if (sscanf(key, "lxc.net.%u.veth.pair%n", &wanted, &end) != 1 || !end || key[end])
		return;
	/* The last of its records is the name that was free. */
	while ((line = journal_previous(j, "netdev", line)))
		if (sscanf(line, "%15s %u", name, &index) == 2 && index == wanted) {
			buf_puts(out, name);
			return;
		}
}

/* ---- connect, enter, seal ---- */

static int network_connect(struct boot *b, struct error *err)
{
	const struct network_conf *net = conf_network(b->conf);

	for (size_t i = 0; i < b->network->n; i++) {
		const struct nic_conf *c = net->v[i];
		struct nic *nic = &b->network->v[i];

		if (c->type->connect && c->type->connect(b, c, nic, err) < 0)
			return -1;
		if ((script_wanted(b->conf, c, false) || c->script_down) &&
		    script_up(b, c, nic, err) < 0)
			return -1;
	}
	netlink_close(&b->network->nl);
	return 0;
}

static int network_enter(struct boot *b, struct error *err)
{
	netlink_close(&b->network->nl);
	return b->network->own ? inside_configure(b, err) : 0;
}

static int network_offer(struct boot *b, struct error *err)
{
	for (size_t i = 0; i < b->network->n; i++) {
		struct nic *nic = &b->network->v[i];

		if (nic->type->offer && nic->type->offer(b, nic, err) < 0)
			return -1;
	}
	return 0;
}

/* Once init has ended only a descriptor holds the namespace for script.down. */
static int network_seal(struct boot *b, struct error *err)
{
	const struct network_conf *net = conf_network(b->conf);
	bool wanted = false;
	char path[32];

	for (size_t i = 0; i < b->network->n; i++)
		wanted = wanted || script_wanted(b->conf, net->v[i], true);
	if (wanted) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", b->init.pid);
		b->network->ns = open(path, O_RDONLY | O_CLOEXEC);
		if (b->network->ns < 0)
			return error_sys(err, "cannot keep the network namespace for script.down");
	}
	b->network->built = true;
	return 0;
}

const struct part part_network = {
	.name = "network",
	.section = &network_section,
	.check = network_check,
	.prepare = network_prepare,
	.connect = network_connect,
	.enter = network_enter,
	.offer = network_offer,
	.adopt = network_connect,
	.seal = network_seal,
	.release = network_release,
};

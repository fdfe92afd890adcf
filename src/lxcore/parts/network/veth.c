/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * veth: a cable with one end inside and the other on the host, where it joins a bridge (mode
 * 'bridge') or is a link of its own that the host routes over (mode 'router').
 *
 * One request makes both ends: the inner one is born in the container's namespace under its final
 * name, so nothing has to be moved or renamed.  The host's end has a hardware address that follows
 * from the container and the end's own name.  By it a device is known to be this container's, even
 * when an older one of the same fixed name is still on its way out, or after a crash.
 */
#include "base/fd.h"
#include "parts/network/managed/join.h"
#include "parts/network/nic.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NAME_TEMPLATE "vethXXXXXX"
#define ATTEMPTS 10

static bool is_router(const struct nic_conf *c)
{
	return c->veth.mode == VETH_ROUTER;
}

static bool has_vlans(const struct nic_conf *c)
{
	return c->veth.vlan.given || c->veth.tagged.n;
}

static void host_address(const struct boot *b, const char *host, uint8_t ret[HWADDR_BYTES])
{
	hwaddr_host(network_hash(b->lxcpath, b->name, host), ret);
}

/* ---- check ---- */

static int check_bridge(const struct nic_site *site, const struct nic_conf *c, enum joins *ret,
			struct error *err)
{
	struct nic_where where;
	struct link link = {0};
	int found = link_find(site->nl, c->link, &link, err);

	if (found < 0)
		return -1;
	nic_where(site->boot->conf, c, "link", &where);
	if (!found && is_router(c))
		return error_set(err, ENODEV, "interface \"%s\" does not exist (%s)", c->link,
				 where.text);
	if (join_check(site, c, found, ret, err) < 0)
		return -1;
	if (is_router(c))
		return 0;
	if (!found) /* it is the managed one, and will be there */
		strcpy(link.kind, "bridge");
	if (strcmp(link.kind, "bridge") != 0) {
		found = ovs_find(&link, where.text, err);
		if (found != 0)
			return found < 0 ? -1 : ovs_check(site->boot, c, err);
		error_set(err, EINVAL, "interface \"%s\" is no bridge (%s)", c->link, where.text);
		return error_mend(err, "name a bridge, or set lxc.net.%u.veth.mode = router",
				  c->index);
	}
	if (!has_vlans(c) || link.vlan_filtering)
		return 0;
	error_set(err, EINVAL, "bridge \"%s\" does not filter VLANs (lxc.net.%u.veth.vlan)",
		  c->link, c->index);
	return error_mend(err, "ip link set %s type bridge vlan_filtering 1", c->link);
}

static int check_vlans(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	const char *sub = c->veth.vlan.given ? "veth.vlan.id" : "veth.vlan.tagged.id";
	struct nic_where where;

	if (!has_vlans(c))
		return 0;
	nic_where(site->boot->conf, c, sub, &where);
	if (is_router(c) || !c->link[0])
		return error_set(err, EINVAL, "VLAN ids need a bridge to join (%s)", where.text);
	for (size_t i = 0; c->veth.vlan.given && i < c->veth.tagged.n; i++)
		if (c->veth.tagged.v[i] == c->veth.vlan.id)
			return error_set(err, EINVAL, "VLAN %d is to be tagged and untagged (%s)",
					 c->veth.vlan.id, where.text);
	return 0;
}

static int check_pair(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	uint8_t mine[HWADDR_BYTES];
	struct nic_where where;
	struct link link;
	int found;

	if (!c->veth.pair[0])
		return 0;
	found = link_find(site->nl, c->veth.pair, &link, err);
	if (found <= 0)
		return found;
	host_address(site->boot, c->veth.pair, mine);
	if (memcmp(link.mac, mine, sizeof(mine)) == 0) /* left from its last run, and going */
		return 0;
	error_set(err, EEXIST, "an interface \"%s\" exists already (%s)", c->veth.pair,
		  nic_where(site->boot->conf, c, "veth.pair", &where));
	return error_mend(err, "clear lxc.net.%u.veth.pair to have a free name chosen", c->index);
}

static int veth_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	enum joins joins = JOINS_NOT;

	if (user_makes())
		return user_check(site, c, err);
	if (c->link[0] ? check_bridge(site, c, &joins, err) < 0
		       : join_check(site, c, true, &joins, err) < 0)
		return -1;
	if (check_vlans(site, c, err) < 0 || check_pair(site, c, err) < 0)
		return -1;
	if (c->l2proxy && proxy_check(site, c, is_router(c), err) < 0)
		return -1;
	if (publish_check(site, c, joins != JOINS_NOT, err) < 0)
		return -1;
	return joins == JOINS_ONCE_UP ? 0
				      : gateway_check(site, c, !is_router(c) && c->link[0], err);
}

/* ---- prepare ---- */

/* Which name the host's end is given is known, and written down, before there is one. */
static int record(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	char line[IFNAMSIZ + 16];

	if (!c->veth.pair[0]) {
		strcpy(nic->host, NAME_TEMPLATE);
		link_random_name(nic->host);
	}
	host_address(b, nic->host, nic->host_mac);
	snprintf(line, sizeof(line), "%s %u", nic->host, nic->index);
	return journal_record(&b->journal, "netdev", line, err);
}

/* Our own device of a fixed name, left from the last run, is on its way out: help it. */
static bool removed_old(struct boot *b, const struct nic *nic)
{
	struct netlink *nl = &b->network->nl;
	struct link link;

	if (link_find(nl, nic->host, &link, NULL) <= 0)
		return true; /* it went by itself */
	if (memcmp(link.mac, nic->host_mac, HWADDR_BYTES) != 0)
		return false;
	return link_delete(nl, link.index) == 0 || errno == ENODEV;
}

static int prepare_for_criu(struct boot *b, const struct nic_conf *c, struct nic *nic,
			    struct error *err)
{
	if (record(b, c, nic, err) < 0)
		return -1;
	if (!c->veth.pair[0] || removed_old(b, nic))
		return 0;
	return error_set(err, EEXIST, "an interface \"%s\" exists already (lxc.net.%u.veth.pair)",
			 nic->host, c->index);
}

static int veth_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	struct netlink *nl = &b->network->nl;
	struct link link = {.mtu = 1500};

	if (user_makes())
		return user_prepare(b, c, nic, err);
	if (c->link[0]) {
		int found = link_find(nl, c->link, &link, err);

		if (found < 0)
			return -1;
		if (found == 0)
			return error_set(err, ENODEV, "interface \"%s\" is gone (lxc.net.%u.link)",
					 c->link, c->index);
	}
	nic->link_index = link.index;
	/* What the check let through and is no bridge is a switch. */
	nic->on_switch = link.index && !is_router(c) && strcmp(link.kind, "bridge") != 0;
	nic->mtu = c->mtu ? c->mtu : link.mtu;
	strcpy(nic->host, c->veth.pair[0] ? c->veth.pair : NAME_TEMPLATE);
	if (gateway_prepare(nl, c, nic, err) < 0 || join_prepare(b, c, nic, err) < 0)
		return -1;
	return b->revival ? prepare_for_criu(b, c, nic, err) : 0;
}

/* ---- connect ---- */

/*
 * A veth has room for as many queues as there are processors unless it is told, but uses one; and
 * going back to one costs a grace period of RCU.  So one is asked for.
 */
static void put_queues(struct netlink_message *m, unsigned rx, unsigned tx)
{
	netlink_put_u32(m, IFLA_NUM_RX_QUEUES, rx ? rx : 1);
	netlink_put_u32(m, IFLA_NUM_TX_QUEUES, tx ? tx : 1);
}

static int make_pair(struct boot *b, const struct nic_conf *c, const struct nic *nic)
{
	struct ifinfomsg host = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP}, inner = {0};
	struct netlink_message m;
	size_t info, data, peer;

	netlink_begin(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &host, sizeof(host));
	netlink_put_text(&m, IFLA_IFNAME, nic->host);
	netlink_put(&m, IFLA_ADDRESS, nic->host_mac, sizeof(nic->host_mac));
	netlink_put_u32(&m, IFLA_MTU, nic->mtu);
	put_queues(&m, c->veth.n_rxqueues, c->veth.n_txqueues);
	if (nic->link_index && !is_router(c) && !nic->on_switch)
		netlink_put_u32(&m, IFLA_MASTER, (uint32_t)nic->link_index);
	info = netlink_nest(&m, IFLA_LINKINFO);
	netlink_put_text(&m, IFLA_INFO_KIND, "veth");
	data = netlink_nest(&m, IFLA_INFO_DATA);
	peer = netlink_nest(&m, VETH_INFO_PEER);
	netlink_put_bytes(&m, &inner, sizeof(inner));
	netlink_put_text(&m, IFLA_IFNAME, nic->name);
	netlink_put(&m, IFLA_ADDRESS, nic->mac, sizeof(nic->mac));
	netlink_put_u32(&m, IFLA_MTU, nic->mtu);
	put_queues(&m, c->veth.n_rxqueues, c->veth.n_txqueues);
	netlink_put_u32(&m, IFLA_NET_NS_PID, (uint32_t)b->init.pid);
	netlink_nest_end(&m, peer);
	netlink_nest_end(&m, data);
	netlink_nest_end(&m, info);
	return netlink_ask(&b->network->nl, &m);
}

/* A port of a bridge carries the packets of others; the host must have no address of its own there.
 */
static int no_ipv6(struct netlink *nl, int index)
{
	struct ifinfomsg info = {.ifi_index = index};
	struct netlink_message m;
	size_t spec, inet6;

	netlink_begin(&m, RTM_NEWLINK, 0, &info, sizeof(info));
	spec = netlink_nest(&m, IFLA_AF_SPEC);
	inet6 = netlink_nest(&m, AF_INET6);
	netlink_put_u8(&m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	netlink_nest_end(&m, inet6);
	netlink_nest_end(&m, spec);
	/* EAFNOSUPPORT: a kernel, or a host, without IPv6. */
	return netlink_ask(nl, &m) < 0 && errno != EAFNOSUPPORT ? -1 : 0;
}

static int make(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	for (int attempt = 0;; attempt++) {
		bool fixed = c->veth.pair[0] != '\0';

		if (record(b, c, nic, err) < 0)
			return -1;
		if (make_pair(b, c, nic) == 0)
			return 0;
		if (errno != EEXIST || attempt == ATTEMPTS || (fixed && !removed_old(b, nic)))
			return error_set(err, errno,
					 "cannot make interface \"%s\" with \"%s\" on the "
					 "host: %s (lxc.net.%u)",
					 nic->name, nic->host, b->network->nl.reason, nic->index);
	}
}

/* ---- offer, and connect after that ---- */

/* criu makes the pair, and inside all that it had; what the host does with its end is ours. */
static int veth_offer(struct boot *b, const struct nic *nic, struct error *err)
{
	if (strv_add(&b->revival->words, "--external") < 0 ||
	    strv_take(&b->revival->words, str_printf("veth[%s]:%s", nic->name, nic->host)) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return 0;
}

static int take(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	struct ifinfomsg host = {
		.ifi_index = link_index(&b->network->nl, nic->host),
		.ifi_flags = IFF_UP, .ifi_change = IFF_UP,
	};
	struct netlink_message m;

	if (!host.ifi_index)
		return error_set(err, ENODEV, "criu did not make \"%s\" for \"%s\" (lxc.net.%u)",
				 nic->host, nic->name, nic->index);
	netlink_begin(&m, RTM_NEWLINK, 0, &host, sizeof(host));
	netlink_put(&m, IFLA_ADDRESS, nic->host_mac, sizeof(nic->host_mac));
	netlink_put_u32(&m, IFLA_MTU, nic->mtu);
	if (nic->link_index && !is_router(c) && !nic->on_switch)
		netlink_put_u32(&m, IFLA_MASTER, (uint32_t)nic->link_index);
	if (netlink_ask(&b->network->nl, &m) == 0)
		return 0;
	return error_set(err, errno, "cannot set \"%s\" up on the host: %s (lxc.net.%u)", nic->host,
			 b->network->nl.reason, nic->index);
}

static int bridge_vlan(struct netlink *nl, int type, int index, int id, uint16_t flags)
{
	struct ifinfomsg info = {.ifi_family = AF_BRIDGE, .ifi_index = index};
	struct bridge_vlan_info vlan = {.flags = flags, .vid = (uint16_t)id};
	struct netlink_message m;
	size_t spec;

	netlink_begin(&m, type, 0, &info, sizeof(info));
	spec = netlink_nest(&m, IFLA_AF_SPEC);
	netlink_put(&m, IFLA_BRIDGE_VLAN_INFO, &vlan, sizeof(vlan));
	netlink_nest_end(&m, spec);
	return netlink_ask(nl, &m);
}

static int join_vlans(struct netlink *nl, const struct nic_conf *c, const struct nic *nic,
		      struct error *err)
{
	const struct vlan *own = &c->veth.vlan;
	int id = own->id, result = 0;
	struct link link = {0};

	/* The port was born a member of the bridge's default VLAN. */
	if (own->given && link_find(nl, c->link, &link, err) < 0)
		return -1;
	if (own->given && link.default_pvid && link.default_pvid != id)
		result = bridge_vlan(nl, RTM_DELLINK, nic->host_index, link.default_pvid, 0);
	if (result == 0 && own->given && id > 0)
		result = bridge_vlan(nl, RTM_SETLINK, nic->host_index, id,
				     BRIDGE_VLAN_INFO_PVID | BRIDGE_VLAN_INFO_UNTAGGED);
	for (size_t i = 0; result == 0 && i < c->veth.tagged.n; i++) {
		id = c->veth.tagged.v[i];
		result = bridge_vlan(nl, RTM_SETLINK, nic->host_index, id, 0);
	}
	if (result == 0)
		return 0;
	return error_set(err, errno,
			 "cannot put \"%s\" into VLAN %d of bridge \"%s\": %s "
			 "(lxc.net.%u.veth.vlan)",
			 nic->host, id, c->link, nl->reason, nic->index);
}

/*
 * A container that asks for its own published port gets its packets back by the port of the bridge by
 * which they came; where the host's firewall sees bridged packets (br_netfilter) the bridge itself
 * sends them there, and only does so when it is told (bridge(8), hairpin).
 */
static int allow_hairpin(struct netlink *nl, const struct nic *nic, struct error *err)
{
	struct ifinfomsg info = {.ifi_family = AF_BRIDGE, .ifi_index = nic->host_index};
	struct netlink_message m;
	size_t port;

	netlink_begin(&m, RTM_SETLINK, 0, &info, sizeof(info));
	port = netlink_nest(&m, IFLA_PROTINFO);
	netlink_put_u8(&m, IFLA_BRPORT_MODE, 1);
	netlink_nest_end(&m, port);
	if (netlink_ask(nl, &m) == 0)
		return 0;
	return error_set(err, errno, "cannot let \"%s\" send packets back: %s (lxc.net.%u.publish)",
			 nic->host, nl->reason, nic->index);
}

static int host_route(struct netlink *nl, const struct nic *nic, const struct address *to,
		      struct error *err)
{
	char text[INET6_ADDRSTRLEN];

	if (link_add_route(nl, nic->host_index, to, to->family, NULL) == 0)
		return 0;
	return error_set(err, errno, "cannot route %s/%u to \"%s\" on the host: %s (lxc.net.%u)",
			 address_text(to, text), to->prefix, nic->host, nl->reason, nic->index);
}

static int host_routes(struct netlink *nl, const struct nic *nic, const struct addresses *list,
		       bool hosts, struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct address to = list->v[i];

		if (hosts) /* the address alone, whatever network it is of */
			to.prefix = to.family == AF_INET ? 32 : 128;
		if (host_route(nl, nic, &to, err) < 0)
			return -1;
	}
	return 0;
}

/* A setting below /proc/sys/net; the interface's name goes between 'dir' and 'file'. */
static int set_host(const struct nic *nic, const char *dir, const char *file, const char *value,
		    struct error *err)
{
	autofree char *path = str_printf("/proc/sys/net/%s/%s/%s", dir, nic->host, file);

	if (!path || file_write(AT_FDCWD, path, value) < 0)
		return error_sys(err, "cannot write %s to %s", value, path ? path : file);
	return 0;
}

/* Answer on the host's end when the container asks who its gateway is (arp(7), ip-neighbour(8)). */
static int be_gateway(struct netlink *nl, const struct nic *nic, const struct gateway *g,
		      struct error *err)
{
	bool v6 = g->address.family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	if (g->how != GATEWAY_ADDRESS)
		return 0;
	if (set_host(nic, v6 ? "ipv6/conf" : "ipv4/conf", "forwarding", "1", err) < 0 ||
	    (v6 && set_host(nic, "ipv6/conf", "proxy_ndp", "1", err) < 0))
		return -1;
	/* It answers from its link-local address, which must be usable at once. */
	if (v6 && set_host(nic, "ipv6/conf", "accept_dad", "0", err) < 0)
		return -1;
	/* A proxy waits for up to 0.8 s in case someone else answers; here nobody else is. */
	if (set_host(nic, v6 ? "ipv6/neigh" : "ipv4/neigh", "proxy_delay", "0", err) < 0)
		return -1;
	if (link_proxy(nl, RTM_NEWNEIGH, nic->host_index, &g->address) == 0)
		return 0;
	return error_set(
		err, errno, "cannot answer for gateway %s on \"%s\": %s (lxc.net.%u.ipv%d.gateway)",
		address_text(&g->address, text), nic->host, nl->reason, nic->index, v6 ? 6 : 4);
}

static int route_to_container(struct netlink *nl, const struct nic_conf *c, const struct nic *nic,
			      struct error *err)
{
	if (is_router(c)) {
		if (be_gateway(nl, nic, &c->ipv4_gateway, err) < 0 ||
		    be_gateway(nl, nic, &c->ipv6_gateway, err) < 0)
			return -1;
		if (host_routes(nl, nic, &c->ipv4, true, err) < 0 ||
		    host_routes(nl, nic, &c->ipv6, true, err) < 0)
			return -1;
	}
	if (host_routes(nl, nic, &c->veth.ipv4_route, false, err) < 0)
		return -1;
	return host_routes(nl, nic, &c->veth.ipv6_route, false, err);
}

static int veth_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	struct netlink *nl = &b->network->nl;

	if (nic->by_helper)
		return user_connect(b, c, nic, err);
	if ((b->revival ? take(b, c, nic, err) : make(b, c, nic, err)) < 0)
		return -1;
	nic->host_index = link_index(nl, nic->host);
	if (nic->link_index && !is_router(c) && no_ipv6(nl, nic->host_index) < 0)
		return error_set(err, errno, "cannot keep IPv6 off \"%s\": %s", nic->host,
				 nl->reason);
	if (nic->on_switch && ovs_connect(b, c, nic, err) < 0)
		return -1;
	if (!nic->on_switch && has_vlans(c) && join_vlans(nl, c, nic, err) < 0)
		return -1;
	if (c->publish.n && nic->link_index && !is_router(c) && !nic->on_switch &&
	    allow_hairpin(nl, nic, err) < 0)
		return -1;
	if (route_to_container(nl, c, nic, err) < 0)
		return -1;
	if (c->l2proxy && proxy_connect(b, c, nic, err) < 0)
		return -1;
	return publish_connect(b, c, nic, err);
}

static void veth_release(const struct release *r)
{
	publish_release(r);
	join_release(r);
	proxy_release(r);
	ovs_release(r);
}

const struct nic_type nic_veth = {
	.word = "veth",
	.check = veth_check,
	.prepare = veth_prepare,
	.offer = veth_offer,
	.connect = veth_connect,
	.release = veth_release,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of the network: loopback, addresses, routes, set by the container's first process in
 * its own namespace before anything else of the container runs.
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

#define LOOPBACK 1 /* the first interface of every network namespace */

static int cannot(struct netlink *nl, const struct nic *nic, const char *what, struct error *err)
{
	return error_set(err, errno, "cannot %s of interface \"%s\": %s (lxc.net.%u)", what,
			 nic->name, nl->reason, nic->index);
}

static int add_address(struct netlink *nl, const struct nic *nic, int index,
		       const struct address *a, struct error *err)
{
	char text[INET6_ADDRSTRLEN];
	int pauses = 0, result;

	do
		result = link_add_address(nl, index, a);
	while (result < 0 && errno == EADDRINUSE && nic_try_again(&pauses, 0));
	if (result == 0)
		return 0;
	return error_set(
		err, errno,
		"cannot add address %s/%u to interface \"%s\": %s (lxc.net.%u.ipv%d.address)",
		address_text(a, text), a->prefix, nic->name, nl->reason, nic->index,
		a->family == AF_INET ? 4 : 6);
}

static int add_addresses(struct netlink *nl, const struct nic *nic, int index,
			 const struct addresses *list, const struct address *lease,
			 struct error *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (add_address(nl, nic, index, &list->v[i], err) < 0)
			return -1;
	return list->automatic ? add_address(nl, nic, index, lease, err) : 0;
}

/*
 * The link-local address, too, would stay unusable for a second or two while the kernel asks
 * whether someone else has it, and router discovery waits for that.  Nobody has: it follows from
 * the hardware address.
 */
static void skip_detection(const struct nic *nic)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_dad", nic->name);
	file_write(AT_FDCWD, path, "0"); /* without IPv6 there is no such file */
}

static int switch_on(struct netlink *nl, const struct nic *nic, int index, struct error *err)
{
	int pauses = 0;

	skip_detection(nic);
	do {
		if (link_up(nl, index) == 0)
			return 0;
	} while (nic_try_again(&pauses, 0));
	return cannot(nl, nic, "switch on the link", err);
}

static bool reachable(const struct address *gateway, const struct addresses *own,
		      const struct address *lease)
{
	if (own->automatic && address_covers(lease, gateway))
		return true;
	if (gateway->family == AF_INET6 && address_is_link_local(gateway))
		return true;
	for (size_t i = 0; i < own->n; i++)
		if (address_covers(&own->v[i], gateway))
			return true;
	return false;
}

struct way_out { /* a default route to be */
	int family;
	const struct gateway *gateway;
	const struct address *found; /* what 'auto' turned out to be */
	const struct addresses *own;
	const struct address *lease; /* of the managed network */
};

static int add_gateway(struct netlink *nl, const struct nic *nic, int index,
		       const struct way_out *way, struct error *err)
{
	const struct gateway *g = way->gateway;
	const struct address *via = g->how == GATEWAY_AUTO ? way->found : &g->address;
	char text[INET6_ADDRSTRLEN];
	struct address host;

	if (g->how == GATEWAY_NONE)
		return 0;
	if (g->how == GATEWAY_DEV)
		return link_add_route(nl, index, NULL, way->family, NULL) < 0
			       ? cannot(nl, nic, "make the default route", err)
			       : 0;
	/* A gateway outside of all networks of the interface needs a route of its own first. */
	host = *via;
	host.prefix = host.family == AF_INET ? 32 : 128;
	if (!reachable(via, way->own, way->lease) &&
	    link_add_route(nl, index, &host, host.family, NULL) < 0 && errno != EEXIST)
		return cannot(nl, nic, "make the route to the gateway", err);
	if (link_add_route(nl, index, NULL, via->family, via) == 0)
		return 0;
	return error_set(err, errno,
			 "cannot route by gateway %s over interface \"%s\": %s "
			 "(lxc.net.%u)",
			 address_text(via, text), nic->name, nl->reason, nic->index);
}

static int configure(struct netlink *nl, const struct nic_conf *c, const struct nic *nic,
		     struct error *err)
{
	static const struct gateway automatic = {.how = GATEWAY_AUTO};
	const struct way_out ways[] = {
		{AF_INET, nic->own_gateway4 ? &automatic : &c->ipv4_gateway, &nic->gateway4,
		 &c->ipv4, &nic->lease4},
		{AF_INET6, nic->own_gateway6 ? &automatic : &c->ipv6_gateway, &nic->gateway6,
		 &c->ipv6, &nic->lease6},
	};
	int index = link_index(nl, nic->name);

	if (!index)
		return error_sys(err, "cannot find interface \"%s\" inside (lxc.net.%u)", nic->name,
				 nic->index);
	if (nic->by_helper && link_set_address(nl, index, nic->mac) < 0)
		return cannot(nl, nic, "set the hardware address", err);
	if (add_addresses(nl, nic, index, &c->ipv4, &nic->lease4, err) < 0)
		return -1;
	if (c->up && switch_on(nl, nic, index, err) < 0)
		return -1;
	if (add_addresses(nl, nic, index, &c->ipv6, &nic->lease6, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		if (add_gateway(nl, nic, index, &ways[i], err) < 0)
			return -1;
	return 0;
}

int inside_configure(struct boot *b, struct error *err)
{
	const struct network_conf *net = conf_of(b->conf, &network_section);
	autonetlink struct netlink nl = NETLINK_CLOSED;

	if (netlink_open(&nl, err) < 0)
		return -1;
	/* Always: there is hardly a program that does without the loopback, and none that minds it.
	 */
	if (link_up(&nl, LOOPBACK) < 0)
		return error_set(err, errno, "cannot switch on the loopback: %s", nl.reason);
	for (size_t i = 0; i < b->network->n; i++)
		if (!net->v[i]->type->plain &&
		    configure(&nl, net->v[i], &b->network->v[i], err) < 0)
			return -1;
	return 0;
}

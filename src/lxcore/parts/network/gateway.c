/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A gateway 'auto': the address that the host has on the link, as the container's way out. */
#include "parts/network/nic.h"

static int check_one(const struct nic_site *site, const struct nic_conf *c, int family, bool can,
		     struct error *err)
{
	const struct gateway *g = family == AF_INET ? &c->ipv4_gateway : &c->ipv6_gateway;
	const char *sub = family == AF_INET ? "ipv4.gateway" : "ipv6.gateway";
	struct nic_where where;
	struct address a;
	int found;

	if (g->how != GATEWAY_AUTO)
		return 0;
	nic_where(site->boot->conf, c, sub, &where);
	if (!can)
		return error_set(err, EINVAL,
				 "a gateway 'auto' needs a link on which the host has an "
				 "address (%s)",
				 where.text);
	found = link_address(site->nl, link_index(site->nl, c->link), family, &a, err);
	if (found != 0)
		return found < 0 ? -1 : 0;
	return error_set(err, EADDRNOTAVAIL, "\"%s\" has no IPv%d address to be the gateway (%s)",
			 c->link, family == AF_INET ? 4 : 6, where.text);
}

int gateway_check(const struct nic_site *site, const struct nic_conf *c, bool can,
		  struct error *err)
{
	if (check_one(site, c, AF_INET, can, err) < 0)
		return -1;
	return check_one(site, c, AF_INET6, can, err);
}

static int prepare_one(struct netlink *nl, const struct nic *nic, const struct gateway *g,
		       struct address *ret, struct error *err)
{
	int family = ret == &nic->gateway4 ? AF_INET : AF_INET6, found;

	if (g->how != GATEWAY_AUTO)
		return 0;
	found = link_address(nl, nic->link_index, family, ret, err);
	if (found == 0)
		return error_set(err, EADDRNOTAVAIL,
				 "the link has no IPv%d address to be the gateway "
				 "(lxc.net.%u)",
				 family == AF_INET ? 4 : 6, nic->index);
	return found < 0 ? -1 : 0;
}

int gateway_prepare(struct netlink *nl, const struct nic_conf *c, struct nic *nic,
		    struct error *err)
{
	if (prepare_one(nl, nic, &c->ipv4_gateway, &nic->gateway4, err) < 0)
		return -1;
	return prepare_one(nl, nic, &c->ipv6_gateway, &nic->gateway6, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * l2proxy: on the link's network the host answers for the container's addresses, and routes what
 * comes for them.  The entries stand on the host's link, so unlike all else of the interface they do
 * not go with the container.
 *
 * The host answers only for what it would not reach over that same link (ip-sysctl, proxy_arp).  To a
 * veth it has a route.  An ipvlan in mode l3s is reached through the link, so the route is one to the
 * loopback: such packets come up as the host's own, where ipvlan takes them out.
 *
 * Journal: "netproxy LINK ADDRESS", "netlocal ADDRESS" (that route).
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

#define LOOPBACK 1 /* the first interface of every network namespace */

static int check_setting(const struct nic_conf *c, const char *dir, const char *link,
			 const char *what, struct error *err)
{
	autofree char *path = str_printf("/proc/sys/net/%s/conf/%s/%s", dir, link, what);
	autobuf struct buf value = BUF_INIT;

	if (path && file_read(AT_FDCWD, path, &value) == 0 && value.s && value.s[0] != '0')
		return 0;
	error_set(err, EINVAL, "l2proxy needs %s of %s switched on for \"%s\" (lxc.net.%u.l2proxy)",
		  what, dir, link, c->index);
	return error_mend(err, "sysctl -w net/%s/conf/%s/%s=1", dir, link, what);
}

int proxy_check(const struct nic_site *site, const struct nic_conf *c, bool routed,
		struct error *err)
{
	struct nic_where where;

	if (!routed || !c->link[0])
		return error_set(err, EINVAL, "l2proxy needs %s and a link (%s)",
				 c->type == &nic_veth ? "veth.mode = router" : "ipvlan.mode = l3s",
				 nic_where(site->boot->conf, c, "l2proxy", &where));
	if (c->ipv4.n && check_setting(c, "ipv4", c->link, "forwarding", err) < 0)
		return -1;
	if (!c->ipv6.n)
		return 0;
	/* IPv6 is forwarded on all interfaces or on none (Documentation/networking/ip-sysctl). */
	if (check_setting(c, "ipv6", "all", "forwarding", err) < 0)
		return -1;
	return check_setting(c, "ipv6", c->link, "proxy_ndp", err);
}

static int be_local(struct boot *b, const struct nic *nic, const struct address *a,
		    struct error *err)
{
	struct netlink *nl = &b->network->nl;
	struct address host = *a;
	char text[INET6_ADDRSTRLEN];

	host.prefix = a->family == AF_INET ? 32 : 128;
	if (journal_record(&b->journal, "netlocal", address_text(a, text), err) < 0)
		return -1;
	if (link_add_route(nl, LOOPBACK, &host, a->family, NULL) == 0)
		return 0;
	return error_set(err, errno, "cannot route %s to the host itself: %s (lxc.net.%u.l2proxy)",
			 text, nl->reason, nic->index);
}

static int answer_for(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		      const struct addresses *list, struct error *err)
{
	struct netlink *nl = &b->network->nl;
	char text[INET6_ADDRSTRLEN], line[IFNAMSIZ + INET6_ADDRSTRLEN];

	for (size_t i = 0; i < list->n; i++) {
		if (c->type == &nic_ipvlan && be_local(b, nic, &list->v[i], err) < 0)
			return -1;
		snprintf(line, sizeof(line), "%s %s", c->link, address_text(&list->v[i], text));
		if (journal_record(&b->journal, "netproxy", line, err) < 0)
			return -1;
		if (link_proxy(nl, RTM_NEWNEIGH, nic->link_index, &list->v[i]) < 0)
			return error_set(err, errno,
					 "cannot answer for %s on \"%s\": %s "
					 "(lxc.net.%u.l2proxy)",
					 text, c->link, nl->reason, nic->index);
	}
	return 0;
}

int proxy_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		  struct error *err)
{
	if (answer_for(b, c, nic, &c->ipv4, err) < 0)
		return -1;
	return answer_for(b, c, nic, &c->ipv6, err);
}

static bool read_recorded(const char *text, struct address *ret)
{
	return address_parse_plain(ret, strchr(text, ':') ? AF_INET6 : AF_INET, text);
}

static void release_local(const struct release *r, struct netlink *nl)
{
	const char *text = NULL;
	struct address a;

	while ((text = journal_previous(r->journal, "netlocal", text)))
		if (read_recorded(text, &a) && (nl->fd >= 0 || netlink_open(nl, NULL) == 0))
			link_remove_route(nl, LOOPBACK, &a);
}

void proxy_release(const struct release *r)
{
	autonetlink struct netlink nl = NETLINK_CLOSED;
	const char *line = NULL;

	release_local(r, &nl);
	while ((line = journal_previous(r->journal, "netproxy", line))) {
		char link[IFNAMSIZ];
		const char *text = strchr(line, ' ');
		struct address a;
		int index;

		if (sscanf(line, "%15s", link) != 1 || !text || !read_recorded(text + 1, &a))
			continue;
		if (nl.fd < 0 && netlink_open(&nl, NULL) < 0)
			return;
		index = link_index(&nl, link);
		if (index)
			link_proxy(&nl, RTM_DELNEIGH, index, &a);
	}
}

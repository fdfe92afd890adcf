/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * l2proxy: on the link's network the host answers for the container's addresses, and routes what
 * comes for them.  The entries stand on the host's link, so unlike all else of a veth they do not
 * go with the container.
 *
 * Journal: "netproxy LINK ADDRESS".
 */
#include "base/fd.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

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
		return error_set(err, EINVAL, "l2proxy needs veth.mode = router and a link (%s)",
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

static int answer_for(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		      const struct addresses *list, struct error *err)
{
	struct netlink *nl = &b->network->nl;
	char text[INET6_ADDRSTRLEN], line[IFNAMSIZ + INET6_ADDRSTRLEN];

	for (size_t i = 0; i < list->n; i++) {
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

void proxy_release(const struct release *r)
{
	autonetlink struct netlink nl = NETLINK_CLOSED;
	const char *line = NULL;

	while ((line = journal_previous(r->journal, "netproxy", line))) {
		char link[IFNAMSIZ];
		const char *text = strchr(line, ' ');
		struct address a;
		int index;

		if (sscanf(line, "%15s", link) != 1 || !text ||
		    !address_parse_plain(&a, strchr(text, ':') ? AF_INET6 : AF_INET, text + 1))
			continue;
		if (nl.fd < 0 && netlink_open(&nl, NULL) < 0)
			return;
		index = link_index(&nl, link);
		if (index)
			link_proxy(&nl, RTM_DELNEIGH, index, &a);
	}
}

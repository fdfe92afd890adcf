/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces that stand on a link of the host: macvlan, ipvlan, vlan.  They are born in the
 * container's namespace under their final name and end with it, so nothing of them is ever on the
 * host, and nothing has to be recorded.
 *
 * What such an interface occupies on the link (a hardware address, a VLAN, the link as a whole) is
 * free again only when the kernel has taken the last container's namespace apart, some ten
 * milliseconds after its end.  A start that comes before that tries again for a while.
 */
#include "parts/network/upper.h"

#include <string.h>
#include <time.h>

#define PAUSE_MS 10
#define PATIENCE_MS 2000

bool nic_try_again(int *pauses, int also)
{
	struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
	int code = errno;

	if (++*pauses > PATIENCE_MS / PAUSE_MS ||
	    (code != EBUSY && code != EEXIST && code != EADDRINUSE && code != also))
		return false;
	nanosleep(&pause, NULL);
	errno = code;
	return true;
}

int upper_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	struct nic_where where;
	struct link link;
	int found;

	if (!c->link[0]) {
		error_set(err, EINVAL,
			  "an interface of type %s stands on one of the host, and none is "
			  "named (lxc.net.%u.link)",
			  c->type->word, c->index);
		return error_mend(err, "lxc.net.%u.link = eth0", c->index);
	}
	found = link_find(site->nl, c->link, &link, err);
	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ENODEV, "interface \"%s\" does not exist (%s)", c->link,
				 nic_where(site->boot->conf, c, "link", &where));
	if (c->mtu > link.mtu)
		return error_set(err, EINVAL, "an MTU of %u is larger than the %u of \"%s\" (%s)",
				 c->mtu, link.mtu, c->link,
				 nic_where(site->boot->conf, c, "mtu", &where));
	return 0;
}

int upper_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err)
{
	struct netlink *nl = &b->network->nl;

	nic->link_index = link_index(nl, c->link);
	if (!nic->link_index)
		return error_set(err, ENODEV, "interface \"%s\" is gone (lxc.net.%u.link)", c->link,
				 c->index);
	nic->mtu = c->mtu;
	return gateway_prepare(nl, c, nic, err);
}

void upper_begin(struct upper *u, const struct boot *b, const struct nic *nic, bool address)
{
	struct netlink_message *m = &u->message;
	struct ifinfomsg info = {0};

	u->busy = 0;
	netlink_begin(m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
	netlink_put_text(m, IFLA_IFNAME, nic->name);
	netlink_put_u32(m, IFLA_LINK, (uint32_t)nic->link_index);
	netlink_put_u32(m, IFLA_NET_NS_PID, (uint32_t)b->init.pid);
	if (address)
		netlink_put(m, IFLA_ADDRESS, nic->mac, sizeof(nic->mac));
	if (nic->mtu)
		netlink_put_u32(m, IFLA_MTU, nic->mtu);
	u->info = netlink_nest(m, IFLA_LINKINFO);
	netlink_put_text(m, IFLA_INFO_KIND, nic->type->word);
	u->data = netlink_nest(m, IFLA_INFO_DATA);
}

int upper_make(struct upper *u, struct boot *b, const struct nic_conf *c, const struct nic *nic,
	       struct error *err)
{
	struct netlink *nl = &b->network->nl;
	int pauses = 0;

	netlink_nest_end(&u->message, u->data);
	netlink_nest_end(&u->message, u->info);
	do {
		if (netlink_ask(nl, &u->message) == 0)
			return 0;
	} while (nic_try_again(&pauses, u->busy));
	if (errno == EOPNOTSUPP)
		return error_set(err, errno,
				 "this kernel has no interfaces of type %s (lxc.net.%u)",
				 nic->type->word, nic->index);
	return error_set(err, errno, "cannot make %s interface \"%s\" on \"%s\": %s (lxc.net.%u)",
			 nic->type->word, nic->name, c->link, nl->reason, nic->index);
}

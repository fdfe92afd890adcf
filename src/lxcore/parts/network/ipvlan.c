/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ipvlan: an interface that shares the hardware address of its link; the IP address decides. */
#include "parts/network/upper.h"

static int ipvlan_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	if (upper_check(site, c, err) < 0)
		return -1;
	if (c->l2proxy && proxy_check(site, c, c->ipvlan_mode == IPVLAN_IS_L3S, err) < 0)
		return -1;
	return gateway_check(site, c, false, err);
}

static int ipvlan_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			  struct error *err)
{
	static const uint16_t modes[] = {
		[IPVLAN_IS_L3] = IPVLAN_MODE_L3,
		[IPVLAN_IS_L3S] = IPVLAN_MODE_L3S,
		[IPVLAN_IS_L2] = IPVLAN_MODE_L2,
	};
	static const uint16_t flags[] = {
		[IPVLAN_MAY_MEET] = 0,
		[IPVLAN_IS_PRIVATE] = IPVLAN_F_PRIVATE,
		[IPVLAN_IS_VEPA] = IPVLAN_F_VEPA,
	};
	struct upper u;

	upper_begin(&u, b, nic, false);
	netlink_put_u16(&u.message, IFLA_IPVLAN_MODE, modes[c->ipvlan_mode]);
	netlink_put_u16(&u.message, IFLA_IPVLAN_FLAGS, flags[c->ipvlan_isolation]);
	if (upper_make(&u, b, c, nic, err) < 0)
		return -1;
	return c->l2proxy ? proxy_connect(b, c, nic, err) : 0;
}

const struct nic_type nic_ipvlan = {
	.word = "ipvlan",
	.check = ipvlan_check,
	.prepare = upper_prepare,
	.connect = ipvlan_connect,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* macvlan: an interface with a hardware address of its own on a link of the host. */
#include "parts/network/upper.h"

#include <errno.h>

static int macvlan_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	if (upper_check(site, c, err) < 0)
		return -1;
	return gateway_check(site, c, true, err);
}

static int macvlan_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			   struct error *err)
{
	static const uint32_t modes[] = {
		[MACVLAN_IS_PRIVATE] = MACVLAN_MODE_PRIVATE,
		[MACVLAN_IS_VEPA] = MACVLAN_MODE_VEPA,
		[MACVLAN_IS_BRIDGE] = MACVLAN_MODE_BRIDGE,
		[MACVLAN_IS_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
	};
	struct upper u;

	/* In this mode the link itself takes the address; without a wish it keeps the one it has.
	 */
	upper_begin(&u, b, nic, c->macvlan_mode != MACVLAN_IS_PASSTHRU || c->hwaddr[0]);
	if (c->macvlan_mode == MACVLAN_IS_PASSTHRU)
		u.busy = EINVAL; /* another one stands on the link, which this mode wants for itself
				  */
	netlink_put_u32(&u.message, IFLA_MACVLAN_MODE, modes[c->macvlan_mode]);
	return upper_make(&u, b, c, nic, err);
}

const struct nic_type nic_macvlan = {
	.word = "macvlan",
	.check = macvlan_check,
	.prepare = upper_prepare,
	.connect = macvlan_connect,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vlan: an interface for the packets of one VLAN (IEEE 802.1Q) on a link of the host. */
#include "parts/network/upper.h"

static int vlan_check(const struct nic_site *site, const struct nic_conf *c, struct error *err)
{
	if (!c->vlan_id) {
		error_set(err, EINVAL, "an interface of type vlan needs an id (lxc.net.%u.vlan.id)",
			  c->index);
		return error_mend(err, "lxc.net.%u.vlan.id = NUMBER", c->index);
	}
	if (upper_check(site, c, err) < 0)
		return -1;
	return gateway_check(site, c, false, err);
}

static int vlan_connect(struct boot *b, const struct nic_conf *c, struct nic *nic,
			struct error *err)
{
	struct upper u;

	/* Without a wish it has the address of its link, as such interfaces do. */
	upper_begin(&u, b, nic, c->hwaddr[0] != '\0');
	netlink_put_u16(&u.message, IFLA_VLAN_ID, (uint16_t)c->vlan_id);
	return upper_make(&u, b, c, nic, err);
}

const struct nic_type nic_vlan = {
	.word = "vlan",
	.check = vlan_check,
	.prepare = upper_prepare,
	.connect = vlan_connect,
};

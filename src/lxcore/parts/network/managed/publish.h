/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Published ports: the value of lxc.net.N.publish, and their doors.  See publish.c. */
#ifndef LXCORE_PARTS_NETWORK_MANAGED_PUBLISH_H
#define LXCORE_PARTS_NETWORK_MANAGED_PUBLISH_H

#include "parts/network/address.h"
#include "parts/part.h"

struct published {
	bool tcp;
	struct address host; /* family 0: any address of the host */
	uint16_t host_port, port, count;
};
struct publish {
	struct published *v;
	size_t n;
};
extern const struct conf_type value_publish; /* struct publish */

struct nic;
struct nic_conf;
struct nic_site;

/* 'managed': the interface has an address of the managed network. */
int publish_check(const struct nic_site *site, const struct nic_conf *c, bool managed,
		  struct error *err);
int publish_connect(struct boot *b, const struct nic_conf *c, const struct nic *nic,
		    struct error *err);
void publish_release(const struct release *r);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What types of interfaces that stand on a link of the host have in common.  See upper.c. */
#ifndef LXCORE_PARTS_NETWORK_UPPER_H
#define LXCORE_PARTS_NETWORK_UPPER_H

#include "parts/network/nic.h"

#include <linux/if_link.h>

int upper_check(const struct nic_site *site, const struct nic_conf *c, struct error *err);
int upper_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err);

/* The request: begin it, put what is the type's own, make it. */
struct upper {
	struct netlink_message message;
	size_t info, data;
	int busy; /* one more errno that says 'taken' for this type; 0: none */
};
void upper_begin(struct upper *u, const struct boot *b, const struct nic *nic, bool address);
int upper_make(struct upper *u, struct boot *b, const struct nic_conf *c, const struct nic *nic,
	       struct error *err);

#endif

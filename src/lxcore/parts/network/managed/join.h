/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container's interface on the managed network.  See join.c. */
#ifndef LXCORE_PARTS_NETWORK_MANAGED_JOIN_H
#define LXCORE_PARTS_NETWORK_MANAGED_JOIN_H

#include "parts/part.h"

struct nic;
struct nic_conf;
struct nic_site;

enum joins {
	JOINS_NOT, /* as far as anyone needs to know: another network */
	JOINS_NOW,
	JOINS_ONCE_UP, /* the start brings it up */
};
/* May this interface be on its link?  Nobody looks closer than what is configured asks for. */
int join_check(const struct nic_site *site, const struct nic_conf *c, bool link_exists,
	       enum joins *ret, struct error *err);
int join_prepare(struct boot *b, const struct nic_conf *c, struct nic *nic, struct error *err);
void join_release(const struct release *r);

#endif

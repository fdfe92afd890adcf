/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces of running containers, as listings show them. */
#ifndef LXCORE_PARTS_NETWORK_STATUS_H
#define LXCORE_PARTS_NETWORK_STATUS_H

#include "base/error.h"
#include "lxcore.h"

#include <stddef.h>
#include <sys/types.h>

struct network_of {
	pid_t init; /* in: verified to be the container's */
	struct lxcore_interface
		*interfaces; /* out: for lxcore_interfaces_free(); NULL when n is 0 */
	int n;
};

/*
 * Fill in the interfaces of many containers, without the loopback.  A container that ended
 * meanwhile, or whose network the caller may not see, has none.  -1 only when nothing can be asked
 * at all.
 */
int network_interfaces(struct network_of *of, size_t n, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Interfaces of running containers, as listings show them, and their traffic. */
#ifndef LXCORE_PARTS_NETWORK_STATUS_H
#define LXCORE_PARTS_NETWORK_STATUS_H

#include "base/error.h"
#include "base/reread.h"
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

/*
 * The traffic of one container, for those who look again and again (traffic.c): by files that may stay
 * open (base/reread.h).
 */
struct network_meter {
	pid_t init;
	size_t n_files;
	struct reread *files; /* what the host's ends of its interfaces received, and sent */
	bool inside;          /* not all have one: the container's own numbers are asked for */
};
int network_meter_open(pid_t init, struct network_meter *ret, struct error *err);
/*
 * Bytes, seen from inside; -1: it has no network.  'text' is working memory.  -1 with EMFILE or ENFILE:
 * there are no descriptors left to look with.
 */
int network_meter_read(struct network_meter *m, bool keep, struct buf *text, int64_t *ret_received,
		       int64_t *ret_sent);
void network_meter_close(struct network_meter *m);

#endif

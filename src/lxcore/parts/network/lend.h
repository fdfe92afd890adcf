/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces of the host that are lent to a container: by its configuration (type phys), or while
 * it runs (lxc-device).  Whoever releases the container gives them back.
 */
#ifndef LXCORE_PARTS_NETWORK_LEND_H
#define LXCORE_PARTS_NETWORK_LEND_H

#include "base/netlink.h"
#include "parts/part.h"

#include <net/if.h>

struct link;

struct lender {
	struct journal *journal; /* to write in */
	int rundir;
	const char *dir;    /* the same as a path, for messages */
	int ns;             /* the container's network namespace */
	struct netlink *nl; /* in the host's */
};

struct lending {
	const char *link;       /* its name on the host */
	const char *inside;     /* and in the container */
	const uint8_t *address; /* NULL: as it is */
	unsigned mtu;           /* 0: as it is */
};

/* May it be given away? */
int lend_check(const struct link *link, struct error *err);
int lend(const struct lender *l, const struct lending *what, struct error *err);
/*
 * The other way.  'past' is the journal as it was read.  To the host it is 'home' (NULL: its name
 * there, if it was lent, or its name inside).
 */
int lend_take_back(const struct lender *l, const struct journal *past, const char *inside,
		   const char *home, struct error *err);
/* All that the journal names, at the container's end. */
void lend_release(const struct release *r);

/* ---- altname.c: the further names of an interface ---- */

int altnames_record(const struct lender *l, int index, const char *name, struct error *err);
/* Take from it those that 'keep' (NULL: nothing) does not name. */
void altnames_forget(struct netlink *nl, int index, const struct journal *keep, const char *name);
void altnames_restore(struct netlink *nl, int index, const struct journal *j, const char *name);

/* Where in the journal interface 'name' was last given back; NULL: never.  What was written before
 * that counts no more. */
const char *lend_ended(const struct journal *j, const char *name);

#endif

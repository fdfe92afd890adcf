/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that others shall leave alone while something is done with them: a lock on the directory,
 * shared by those who only need it to stay (clones on their way), held alone by those who change or
 * remove it.  Who wants it in vain waits for a limited time.
 *
 * Starting a container takes another lock, that of its run directory; hold_stopped() takes that too.
 */
#ifndef LXCORE_STORE_HOLD_H
#define LXCORE_STORE_HOLD_H

#include "store/store.h"

enum hold_kind { HOLD_SHARED, HOLD_ALONE };

struct hold {
	struct lxcore_container *c;
	int dir;          /* descriptor of the container's directory, with the lock */
	int lock, rundir; /* -1 until hold_stopped() */
};
#define HOLD_INIT {.dir = -1, .lock = -1, .rundir = -1}
#define autohold __attribute__((cleanup(hold_release)))

/* EBUSY: others have it; ENOENT: there is no such container. */
int hold_take(struct lxcore_container *c, enum hold_kind kind, struct hold *ret, struct error *err);
/* Shared becomes alone, or the other way.  In between others may have had it. */
int hold_change(struct hold *h, enum hold_kind kind, struct error *err);
/* It does not run and cannot be started, until hold_started() or the end.  EBUSY: it runs. */
int hold_stopped(struct hold *h, struct error *err);
void hold_started(struct hold *h);
void hold_release(struct hold *h);

#endif

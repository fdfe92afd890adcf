/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running container stands still while something is read from it, and goes on whatever happens to
 * us. */
#ifndef LXCORE_STORE_STILL_H
#define LXCORE_STORE_STILL_H

#include "life/container.h"

/*
 * Do it, with the container frozen meanwhile when it runs; one that is frozen stays so.
 * 'ret_pause_us': for how long it stood still for us, 0: it did not.
 */
int still_do(struct lxcore_container *c, int (*work)(void *data, struct error *err), void *data,
	     unsigned *ret_pause_us, struct error *err);

#endif

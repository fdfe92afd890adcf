/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Again: whether a container that ended is started anew (lxc.start.restart), and when.  The supervisor
 * asks for each end; what it does in the meantime is its own affair.
 */
#ifndef LXCORE_LIFE_AGAIN_H
#define LXCORE_LIFE_AGAIN_H

#include "base/error.h"
#include "life/rundir.h"
#include "parts/start.h"

#include <signal.h>

/* Tells a supervisor that no try shall follow the end to come, or that it waits for no further one. */
#define AGAIN_NO_MORE SIGUSR1
/* Takes that back: the end that was to come does not. */
#define AGAIN_AS_SET SIGUSR2

#define AGAIN_FIRST_MS 100
#define AGAIN_SLOWEST_MS 60000
#define AGAIN_WELL_MS 10000 /* who ran so long ran well: what was before is forgotten */

struct again {
	unsigned in_a_row; /* tries since it last ran well */
	long long running; /* clock_ms() since when it runs; 0: it does not */
	bool asked;        /* its end was asked for from outside */
};

/* How it ended: of init, as of wait(2). */
bool again_is_failure(int status);
/* Milliseconds after which it is tried again, counted as a try; -1: it is not. */
int again_after(struct again *a, const struct restart_policy *p, bool failed, long long now);
/* It waits for its next try: true, with an error that says so. */
bool again_is_waiting(const struct run_state *s, const char *name, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Going on from a checkpoint: a boot whose processes criu makes.  A child of the supervisor, the
 * restorer, mounts in a namespace of its own what criu is to find (the parts' offer doors) and becomes
 * criu, which makes the container's init a child of the supervisor.  Then the parts adopt what it made.
 */
#ifndef LXCORE_LIFE_REVIVE_H
#define LXCORE_LIFE_REVIVE_H

#include "life/boot.h"

struct lxcore_checkpoint;

/* In the caller: is there a checkpoint, and does it fit?  'rundir' is the container's run directory. */
int revival_prepare(struct revival *r, const struct lxcore_checkpoint *how, const struct conf *conf,
		    const char *rundir, struct error *err);
void revival_free(struct revival *r);

/* In the supervisor, after prepare: sets the boot's init. */
int revive(struct boot *b, struct boot_timings *timings, struct error *err);
/* Take back what was lent to criu when its supervisor was killed meanwhile. */
void revive_release(const struct release *r);

#endif

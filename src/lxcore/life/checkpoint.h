/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Checkpoints: what stands in the way of one (checkpoint_check.c), the dump (checkpoint.c), and what is
 * written down of the container beside criu's images, in a file of its own (checkpoint_facts.c):
 *
 *     lxcore-checkpoint 1
 *     devpts 2e                the device of the devpts that it has; 0: none of ours
 *     lxc.tty.max = 4          settings that the images are made for, as they were, one a line
 *
 * Going on from one is a start: life/revive.h.
 */
#ifndef LXCORE_LIFE_CHECKPOINT_H
#define LXCORE_LIFE_CHECKPOINT_H

#include "life/container.h"

/* What is mounted from the container's own devpts, as init sees it. */
struct pts_mounts {
	unsigned long long device; /* st_dev; 0: there is none */
	size_t n;
	struct {
		char at[256];
		int number; /* of the terminal; -1: the whole */
	} v[64];
};
int checkpoint_find_pts(pid_t init, struct pts_mounts *ret, struct error *err);

int checkpoint_write_facts(const char *dir, const struct conf *conf, unsigned long long devpts,
			   struct error *err);
/* The device of the devpts that it had; -1 when 'dir' is no checkpoint, or one that was made with
 * settings other than 'conf' has. */
int checkpoint_read_facts(const char *dir, const struct conf *conf, unsigned long long *ret_devpts,
			  struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A copy of a container and what is done with it, as lxc-copy, lxc-clone, lxc-start-ephemeral and
 * lxc-execute have in common: make it, start it, wait until it has come up, run a command in it.
 */
#ifndef LXC_TOOLS_CLONING_H
#define LXC_TOOLS_CLONING_H

#include "cli.h"
#include "fleet.h"

struct clone {
	const char *name;  /* of the new one; NULL: NAME_XXXXXX of the old one's name */
	struct lxcore_copy how; /* what is set here is kept; the rest is filled in from below */
	const struct words *mounts; /* of -m, or NULL */
	bool ephemeral;    /* it is started, and is no more when it has stopped */
	bool keep;         /* ... but it stays */
	bool start, foreground;
	int up, up_seconds;/* enum lxcore_up and its limit; -1: nothing to wait for */
	lxcore_job *job;   /* that it is for, one of many; or NULL */
	const char *const *command; /* for an ephemeral one, or NULL */
};

/* NAME_XXXXXX; free(3) it. */
char *cloning_choose_name(const char *of);
/* What was made, as an object (--json). */
void cloning_print(const struct cli *cli, const struct lxcore_copied *made);
/*
 * Make it of the container that cli->name names, and go on.  0, or the exit code: of the command, of a
 * failure that has been said.  'answer' may be NULL.
 */
int cloning_make(struct cli *cli, const struct clone *k, struct fleet_answer *answer);

#endif

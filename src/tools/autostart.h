/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lxc-autostart does, as data before it is done: which containers, in which order, and which of
 * them side by side.
 */
#ifndef LXC_TOOLS_AUTOSTART_H
#define LXC_TOOLS_AUTOSTART_H

#include "cli.h"

enum autostart_action { AUTOSTART_START, AUTOSTART_REBOOT, AUTOSTART_SHUTDOWN, AUTOSTART_KILL };

struct autostart_member {
	char *name;
	int order;
	unsigned delay;        /* seconds */
	char **groups;         /* ended by NULL */
	char **requires;       /* "NAME[:WHAT]", ended by NULL */
	bool automatic, running;
	bool planned, visiting;
	unsigned pass;         /* of the groups in which it was met */
	unsigned wave;         /* those of one wave go side by side */
	bool failed;
};

struct autostart_plan {
	struct autostart_member *all; /* sorted by order and name */
	size_t n_all;
	struct autostart_member **v;  /* those that are to be worked on, in this order */
	size_t n;
	unsigned unreadable;          /* whose configuration cannot be read; that was said */
};

struct autostart_choice {
	enum autostart_action action;
	bool ignore_auto, ignore_groups;
	const struct words *groups; /* "A,B" each; none: those without a group */
};

/* 0, or 1 after a message. */
int autostart_make_plan(const struct cli *cli, const struct autostart_choice *choice,
			struct autostart_plan *ret);
void autostart_free_plan(struct autostart_plan *p);
struct autostart_member *autostart_find(const struct autostart_plan *p, const char *name);
/* Takes "NAME[:WHAT]" apart; 'name' is to be freed. */
enum lxcore_up autostart_requirement(const char *text, char **ret_name);

#endif

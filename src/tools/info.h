/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-info in three rooms: what is asked for (info.c), shown as lines, and as JSON. */
#ifndef LXC_TOOLS_INFO_H
#define LXC_TOOLS_INFO_H

#include "cli.h"

struct info_options {
	struct words keys;
	bool ips, pid, stats, raw, state;
};

/* What is asked for, and what was found out; one is printed as lines or as JSON. */
struct info {
	const struct cli *cli;
	lxcore_container *c;
	struct info_options want;
	bool all;      /* nothing was chosen */
	bool bare;     /* a single value without its label */
	enum lxcore_state state; /* looked at once, so that all that is said fits together */
	bool running;
	struct lxcore_interface *interfaces;
	int n_interfaces;
	struct lxcore_stats stats;
	struct lxcore_restart restart; /* policy "": not asked for, or not known */
	struct lxcore_limit *limits; /* those that are set */
	int n_limits;
	char **published; /* ports of the host that lead here */
};

/* Both return the exit code. */
int info_lines(struct info *i);
int info_json(const struct info *i);

#endif

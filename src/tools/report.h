/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lxc-start --explain and --timing show. */
#ifndef LXC_TOOLS_REPORT_H
#define LXC_TOOLS_REPORT_H

#include "cli.h"

/* A table of the parts that act on this container; returns the exit code. */
int report_explain(const struct cli *cli, lxcore_container *c);

struct timings {
	struct timing {
		char part[24], door[12];
		unsigned microseconds;
	} *v;
	size_t n;
};
/* For lxcore_start.timing; data is a struct timings. */
void report_take(void *data, const struct lxcore_timing *t);
/* Print, and free what was taken. */
void report_timing(const struct cli *cli, struct timings *t);

#endif

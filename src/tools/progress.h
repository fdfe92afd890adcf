/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line on a terminal that says how far something is, and is gone when it is done. */
#ifndef LXC_TOOLS_PROGRESS_H
#define LXC_TOOLS_PROGRESS_H

#include "cli.h"

struct progress {
	bool on;    /* there is a terminal, and somebody who wants to know */
	bool shown;
};

struct progress progress_begin(const struct cli *cli);
void progress_show(struct progress *p, const struct cli *cli, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void progress_end(struct progress *p);

#endif

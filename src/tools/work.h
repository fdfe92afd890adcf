/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A long piece of work of the library's: a line on the terminal says how far it is ('45 % of 304 MiB,
 * 120 MiB/s, 2 s left'), and Ctrl+C and its like end the work, not the program, so that nothing is
 * left half done.
 */
#ifndef LXC_TOOLS_WORK_H
#define LXC_TOOLS_WORK_H

#include "progress.h"

struct work {
	const struct cli *cli;
	struct progress line;
	int signals; /* readable when the user wants an end */
	int signal;  /* which one it was; 0: none */
};
void work_begin(struct work *w, const struct cli *cli);
/* For the library's 'progress'; 'data' is the struct work. */
bool work_show(const struct lxcore_progress *at, void *data);
void work_end(struct work *w);
/* Says the failure; the exit code: 128 and the signal when one ended it. */
int work_fail(const struct work *w);

/* "304 MiB" */
const char *work_size(uint64_t bytes, char text[32]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-ls --nesting: rows of containers in containers, among those that they are in. */
#ifndef LXC_TOOLS_NESTED_H
#define LXC_TOOLS_NESTED_H

#include "choice.h"
#include "cli.h"

/* How deep, of what the user said; 0: not at all, -1: that is no depth (and said so). */
int nested_depth(const struct cli *cli, const char *text);
/*
 * Put behind each row that is chosen and runs those in it; the list becomes another one.  The number of
 * containers that could not be looked into, which was said.
 */
int nested_add(struct cli *cli, const struct choice *choice, unsigned want,
	       struct lxcore_summary **list, int *n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for many: 'node-%02d' and its like. */
#ifndef LXC_TOOLS_NUMBERED_H
#define LXC_TOOLS_NUMBERED_H

#include <stdbool.h>

struct numbered { /* what a pattern of names asks for */
	bool number, source;
};

/* What is in it: %d or %03d (once), %s (any number of times), %%.  NULL, or what is wrong with it. */
const char *numbered_check(const char *pattern, struct numbered *ret);
/* The name of number 'n' made of 'source'; free(3) it. */
char *numbered_name(const char *pattern, unsigned n, const char *source);

#endif

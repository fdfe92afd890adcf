/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A text and what becomes of its lines, shown as 'diff -u' does. */
#ifndef LXC_TOOLS_LINEDIFF_H
#define LXC_TOOLS_LINEDIFF_H

#include <stddef.h>
#include <stdio.h>

struct line_change {
	unsigned line;   /* of the old text, from 1; ascending */
	const char *now; /* without newline; NULL: it goes */
};
/* Nothing is printed when nothing changes.  patch(1) can apply it. */
void line_diff(FILE *out, const char *file, const char *old, const struct line_change *changes,
	       size_t n);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A moment as people write it, for --since. */
#ifndef LXC_TOOLS_WHEN_H
#define LXC_TOOLS_WHEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WHEN_SYNTAX "TIME is so long ago (90s, 10m, 2h, 7d), or a moment: 14:03, 2026-11-27, " \
	"`2026-11-27 14:03:11`, or @ and seconds since 1970."

/* Milliseconds since 1970; false: it is none. */
bool when_parse(const char *text, int64_t *ret_ms);
/* "2026-11-27T14:03:11+01:00", local time. */
const char *when_text(int64_t ms, char text[40]);

#endif

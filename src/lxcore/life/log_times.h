/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a console's log was written.  A log holds what the container printed and nothing else; the
 * times stand beside it, in FILE.times: a line 'MILLISECONDS-SINCE-1970 OFFSET' at most once a second,
 * which says that what follows from OFFSET on was printed then, or less than a second later.
 */
#ifndef LXCORE_LIFE_LOG_TIMES_H
#define LXCORE_LIFE_LOG_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOG_TIMES_GRAIN_MS 1000

/* ---- the supervisor's side ---- */

/* Something will be added to the log 'fd' at 'path' now; 'noted_ms' is when that was written down
 * last, 0: never.  A log that is no file has no times. */
void log_times_note(const char *path, int fd, int64_t *noted_ms);
/* The log was renamed, or emptied ('to' NULL). */
void log_times_turn(const char *path, const char *to);

/* ---- the reader's ---- */

struct log_times {
	int fd; /* -1: there is no such file */
	off_t read;
	struct log_time {
		int64_t when;
		uint64_t offset;
	} *v;
	size_t n, room;
};
#define LOG_TIMES_NONE ((struct log_times){.fd = -1})

void log_times_open(struct log_times *t, const char *path);
/* Read what was added. */
void log_times_refresh(struct log_times *t);
/* Has another file its name now? */
bool log_times_anew(const struct log_times *t, const char *path);
void log_times_close(struct log_times *t);
/* When the byte at 'offset' was printed, -1: not known; *ret_until: that holds up to there. */
int64_t log_times_at(const struct log_times *t, uint64_t offset, uint64_t *ret_until);
/*
 * Where in a log of 'size' bytes begins what was printed since then.  *ret_whole: all of it was.
 * false: not known, for some of it has no time.
 */
bool log_times_since(const struct log_times *t, int64_t since, uint64_t size, uint64_t *ret_offset,
		     bool *ret_whole);

#endif

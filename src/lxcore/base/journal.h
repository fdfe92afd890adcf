/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The journal: what one container's boot made on this host that outlives a process.
 *
 * Each thing is written down *before* it is made, one line 'KIND VALUE', by a single append; so
 * whoever finds the journal after a crash knows all that may be there.  Giving a thing back must be
 * safe to repeat and must not mind that it was never made.
 */
#ifndef LXCORE_BASE_JOURNAL_H
#define LXCORE_BASE_JOURNAL_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

/* The one kind that is not a part's: a pid file for others, which life/ writes and removes. */
#define JOURNAL_PIDFILE "pidfile"

struct journal {
	int fd; /* of the file, O_APPEND; -1: none */
	char *text;  /* what journal_load read: lines with NUL instead of newline */
	size_t size;
};

/* Open (make when absent) the journal of a run directory; 0 or -1. */
int journal_open(struct journal *j, int rundir, struct error *err);
/* Write down a thing that is about to be made.  'value' must not contain a newline. */
int journal_record(struct journal *j, const char *kind, const char *value, struct error *err);
/* Read what was recorded, to walk it; false when there is no journal. */
bool journal_load(struct journal *j, int rundir);
/* Walk the recorded values of one kind, newest first: pass NULL first, then what was returned. */
const char *journal_previous(const struct journal *j, const char *kind, const char *after);
void journal_close(struct journal *j);
/* Everything was given back: the journal itself goes. */
void journal_remove(int rundir);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tools that work on many containers at once: a shell pattern in place of the name, options for how
 * many at a time, a progress line on a terminal, and a summary of what failed and why.
 */
#ifndef LXC_TOOLS_FLEET_H
#define LXC_TOOLS_FLEET_H

#include "cli.h"

#define FLEET_UNSET (-1)
#define FLEET_LIMIT 600

struct fleet_options {
	int jobs, limit;
};
#define FLEET_PRESETS {.jobs = FLEET_UNSET, .limit = FLEET_UNSET}

#define FLEET_ROWS(type) \
	{'j', "jobs", "N", \
	 "With a pattern: work on so many containers at a time; default: two for each processor", \
	 OPT_INT, offsetof(type, fleet.jobs)}, \
	{0, "limit", "SECONDS", \
	 "With a pattern: give a container up that takes longer; default 600, 0: never", \
	 OPT_INT, offsetof(type, fleet.limit)}

/* For manuals, behind what the tool does with one. */
#define FLEET_MANUAL \
	"\n\nA NAME with one of the characters `*`, `?` and `[` is a pattern, as of glob(7), for all " \
	"containers that match it (quote it, so that the shell leaves it alone). They are worked on " \
	"side by side, each in a process of its own, so that one that fails or hangs does not " \
	"touch the others. A terminal shows how far it is; at the end comes a summary, with the " \
	"failed ones grouped by reason. `--json` writes what came of each. A pattern that matches " \
	"nothing is an error."

/* What the caller is told of one that worked. */
struct fleet_answer {
	bool already;   /* it was so before */
	char name[256]; /* of what was made, or empty */
	char way[64];   /* how, or empty */
	unsigned pause_us; /* how long it stood still */
	lxcore_job *job; /* while it is worked on: for signs of life */
};

struct fleet_row { /* one container and what came of it */
	const char *name;
	const lxcore_error *error; /* NULL: it worked */
	const struct fleet_answer *answer; /* of one that worked; else NULL */
	unsigned milliseconds;
};

/* An operation on many. */
struct fleet {
	const char *done;    /* "started": the word for one that worked */
	const char *already; /* "running already": how one is that needs nothing done */
	/*
	 * A failure with this code of a container that is in one of these states (bits) is none, for it
	 * is as it should be.  0: there is no such thing.
	 */
	int already_code;
	unsigned already_states;
	bool again; /* what others stand in the way of is tried again when these are done */
	const char *subject; /* the pattern, or whatever it is that there are many of */
	const char *const *names;
	/* As run() for one: 0, or a code of failure with cli->err filled; it is quiet. */
	int (*one)(struct cli *cli, const char *name, const void *data, struct fleet_answer *answer);
	const void *data;
};

/* Does the name stand for many?  Options for many are refused elsewhere: 0, or 1 after a message. */
bool fleet_is_meant(const struct cli *cli);
int fleet_check(const struct cli *cli, const struct fleet_options *o, bool meant);
/* For all that match cli->name.  The exit code: 0 if all worked. */
int fleet_run(struct cli *cli, struct fleet *f, const struct fleet_options *o);
/* For f->names, which may not exist yet. */
int fleet_run_names(struct cli *cli, const struct fleet *f, const struct fleet_options *o);

/* fleet_report.c: the summary. */
void fleet_report(const struct cli *cli, const struct fleet *f, const struct fleet_row *rows,
		  size_t n, unsigned milliseconds);

#endif

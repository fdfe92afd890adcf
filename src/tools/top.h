/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-top: what running containers use, again and again.
 *
 *     top.c         options, the terminal, keys
 *     top_sample.c  the numbers, and what became of them since the last time
 *     top_show.c    a table, lines for scripts, JSON
 */
#ifndef LXC_TOOLS_TOP_H
#define LXC_TOOLS_TOP_H

#include "cli.h"

struct top_row {
	char *name;
	struct lxcore_sample now; /* its 'name' is this row's */
	int64_t net;              /* bytes, both ways; -1: it has no network */
	/* Per second, since the last time; -1: not known yet. */
	double cpu, io, traffic;  /* cpu: 1 is a whole processor */
};

struct top {
	const struct cli *cli;
	lxcore_sampler *sampler;
	struct top_row *rows;  /* by name */
	struct top_row **v;    /* as they are shown */
	size_t n;
	int64_t time_ms; /* of this round, since 1970 */
	char sort;       /* n c b m s k p t */
	bool reverse;
};

/* 0, or 1 after a message. */
int top_open(struct top *t);
/* One more round: 0, or 1 after a message. */
int top_sample(struct top *t);
void top_free(struct top *t);
void top_sort(struct top *t);

/* What an interactive round shows fits into that many lines and columns. */
void top_show_table(const struct top *t, unsigned lines, unsigned columns, bool colours);
void top_show_lines(const struct top *t, bool heading);
void top_show_json(const struct top *t);

#endif

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
	lxcore_container *c;
	char **links;            /* its interfaces' other ends on the host, ended by NULL */
	bool ask_inside;         /* not all have one: the container's own numbers are asked for */
	struct lxcore_stats now;
	int64_t rx, tx;          /* bytes, seen from inside; -1: it has no network */
	/* Per second, since the last time; -1: not known yet. */
	double cpu, io, net;     /* cpu: 1 is a whole processor */
	int64_t last_cpu, last_io, last_net, last_us;
	bool alive;
};

struct top {
	const struct cli *cli;
	struct top_row *v;
	size_t n;
	int64_t time_ms; /* of this round, since 1970 */
	char sort;       /* n c b m s k p t */
	bool reverse;
};

/* One more round: 0, or 1 after a message. */
int top_sample(struct top *t);
void top_free(struct top *t);
void top_sort(struct top *t);

/* What an interactive round shows fits into that many lines and columns. */
void top_show_table(const struct top *t, unsigned lines, unsigned columns, bool colours);
void top_show_lines(const struct top *t, bool heading);
void top_show_json(const struct top *t);

#endif

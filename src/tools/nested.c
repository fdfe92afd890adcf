/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-ls --nesting: rows of containers in containers; see nested.h. */
#include "nested.h"

#include <stdlib.h>
#include <string.h>

#define DEPTH 5 /* when none is given */
#define MOST_DEPTH 32

int nested_depth(const struct cli *cli, const char *text)
{
	char *end;
	long depth;

	if (!text)
		return 0;
	if (!*text)
		return DEPTH;
	depth = strtol(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && depth <= MOST_DEPTH)
		return (int)depth;
	cli_error(cli, "cannot look \"%s\" deep into containers: it is no number from 0 to %d "
		  "(--nesting)", text, MOST_DEPTH);
	return -1;
}

struct rows {
	struct lxcore_summary *v;
	int n;
};

static void add(struct rows *rows, const struct lxcore_summary *more, int n)
{
	if (n <= 0)
		return;
	rows->v = must_have(realloc(rows->v, (size_t)(rows->n + n) * sizeof(*more)));
	memcpy(rows->v + rows->n, more, (size_t)n * sizeof(*more));
	rows->n += n;
}

static bool can_have_some(const struct lxcore_summary *s)
{
	return s->init_pid > 0 && (s->state == LXCORE_RUNNING || s->state == LXCORE_FROZEN);
}

/* What of it could be told is shown, with what could not be. */
static int add_those_in(struct cli *cli, const struct lxcore_nesting *how, const char *name,
			struct rows *rows)
{
	autocontainer lxcore_container *c = lxcore_open(cli_path(cli), name, cli->err);
	struct lxcore_summary *list = NULL;
	int n = 0, result = c ? lxcore_nested(c, how, &list, &n, cli->err) : -1;

	if (result < 0)
		cli_fail(cli);
	add(rows, list, n);
	free(list);
	return result < 0;
}

int nested_add(struct cli *cli, const struct choice *choice, unsigned want,
	       struct lxcore_summary **list, int *n)
{
	struct lxcore_nesting how = LXCORE_NESTING_INIT;
	struct rows rows = {0};
	int failed = 0;

	how.depth = (unsigned)choice->depth;
	how.want = want;
	for (int i = 0; i < *n; i++) {
		const struct lxcore_summary *s = &(*list)[i];

		add(&rows, s, 1);
		if (can_have_some(s) && (!choice->name || strcmp(choice->name, s->name) == 0))
			failed += add_those_in(cli, &how, s->name, &rows);
	}
	free(*list);
	*list = rows.v;
	*n = rows.n;
	return failed;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Snapshots of a container as a tree: each stands below the one that it was taken on top of, and the
 * containers that need it below it.
 *
 *	web
 *	|-- snap0  2026:11:27 14:03:11
 *	|   |-- snap1  2026:11:27 14:10:02
 *	|   `-- other (container)
 *	`-- node (container)
 */
#include "snaptree.h"
#include "text.h"

#include <string.h>

#define DEEPEST 40

struct tree {
	const struct lxcore_snapshot *list;
	int n;
	bool comments;
	char before[4 * DEEPEST + 1]; /* what stands in front of a line: "|   " for each level */
};

/* Those whose parent was removed stand at the top. */
static bool is_below(const struct tree *t, const struct lxcore_snapshot *s, const char *parent)
{
	if (parent)
		return s->parent && strcmp(s->parent, parent) == 0;
	for (int i = 0; s->parent && i < t->n; i++)
		if (strcmp(t->list[i].name, s->parent) == 0)
			return false;
	return true;
}

static void print_comment(const struct tree *t, const char *comment, bool last)
{
	for (size_t n; *comment; comment += n + (comment[n] == '\n')) {
		autofree char *line = NULL;

		n = strcspn(comment, "\n");
		line = must_have(strndup(comment, n));
		printf("%s%s    ", t->before, last ? "    " : "|   ");
		text_print(stdout, line);
		putchar('\n');
	}
}

static char **dependants_of(lxcore_container *c)
{
	char **names = NULL;

	return c && lxcore_dependants(c, &names, NULL) >= 0 ? names : NULL;
}

/* A container that is none of the snapshots. */
static bool is_other(const struct tree *t, const char *path)
{
	for (int i = 0; i < t->n; i++) {
		size_t n = strlen(t->list[i].dir);

		if (strncmp(path, t->list[i].dir, n) == 0 && path[n] == '/')
			return false;
	}
	return true;
}

static size_t count_others(const struct tree *t, char *const *names)
{
	size_t n = 0;

	for (; names && *names; names++)
		n += is_other(t, *names);
	return n;
}

static void print_others(const struct tree *t, char *const *names)
{
	size_t left = count_others(t, names);

	for (; names && *names; names++) {
		const char *slash = strrchr(*names, '/');

		if (!is_other(t, *names))
			continue;
		printf("%s%s-- ", t->before, --left ? "|" : "`");
		text_print(stdout, slash ? slash + 1 : *names);
		puts(" (container)");
	}
}

static void print_below(struct tree *t, const char *parent, char *const *others, int depth);

static void print_snapshot(struct tree *t, const struct lxcore_snapshot *s, bool last, int depth)
{
	lxcore_container *c = lxcore_open(s->dir, s->name, NULL);
	char **others = dependants_of(c);
	size_t n = strlen(t->before);

	printf("%s%s-- ", t->before, last ? "`" : "|");
	text_print(stdout, s->name);
	printf("  %s\n", s->created);
	if (t->comments && s->comment)
		print_comment(t, s->comment, last);
	if (depth < DEEPEST) {
		strcat(t->before, last ? "    " : "|   ");
		print_below(t, s->name, others, depth + 1);
		t->before[n] = '\0';
	}
	lxcore_names_free(others);
	lxcore_close(c);
}

static void print_below(struct tree *t, const char *parent, char *const *others, int depth)
{
	int left = 0;

	for (int i = 0; i < t->n; i++)
		left += is_below(t, &t->list[i], parent);
	for (int i = 0; i < t->n; i++)
		if (is_below(t, &t->list[i], parent))
			print_snapshot(t, &t->list[i], --left == 0 && !count_others(t, others),
				       depth);
	print_others(t, others);
}

void snaptree_print(lxcore_container *c, const struct lxcore_snapshot *list, int n, bool comments)
{
	struct tree t = {.list = list, .n = n, .comments = comments};
	char **others = dependants_of(c);

	text_print(stdout, lxcore_name(c));
	putchar('\n');
	print_below(&t, NULL, others, 0);
	lxcore_names_free(others);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A unified diff of changes that are known line by line.  linediff.h says what for. */
#include "linediff.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

#define CONTEXT 3

struct diff {
	FILE *out;
	const char **lines; /* where each begins, and where the last one ends */
	size_t n;
	const struct line_change *changes;
	size_t n_changes;
};

/* As it is into a pipe, for patch(1); escaped where a person looks. */
static void put(const struct diff *d, char mark, const char *bytes, size_t n)
{
	fputc(mark, d->out);
	if (isatty(fileno(d->out))) {
		autofree char *one = must_have(strndup(bytes, n));

		text_print(d->out, one);
	} else {
		fwrite(bytes, 1, n, d->out);
	}
	fputc('\n', d->out);
}

static bool lacks_newline(const struct diff *d, size_t line)
{
	return line + 1 == d->n && d->lines[d->n][-1] != '\n';
}

static void put_old(const struct diff *d, char mark, size_t line)
{
	size_t n = (size_t)(d->lines[line + 1] - d->lines[line]);

	put(d, mark, d->lines[line], n - !lacks_newline(d, line));
	if (lacks_newline(d, line))
		fputs("\\ No newline at end of file\n", d->out);
}

static void put_new(const struct diff *d, const struct line_change *c)
{
	if (!c->now)
		return;
	put(d, '+', c->now, strlen(c->now));
	if (lacks_newline(d, c->line - 1))
		fputs("\\ No newline at end of file\n", d->out);
}

static void put_range(const struct diff *d, char mark, size_t start, size_t n)
{
	/* Of no lines the one before is named. */
	if (n == 1)
		fprintf(d->out, "%c%zu", mark, start);
	else
		fprintf(d->out, "%c%zu,%zu", mark, n ? start : start - 1, n);
}

/* Changes 'from' up to but not 'to', with the lines around them; 'moved': lines that went before. */
static void put_hunk(const struct diff *d, size_t from, size_t to, size_t moved)
{
	const struct line_change *c = d->changes;
	size_t start = c[from].line - 1 > CONTEXT ? c[from].line - 1 - CONTEXT : 0;
	size_t end = c[to - 1].line + CONTEXT < d->n ? c[to - 1].line + CONTEXT : d->n, gone = 0;

	for (size_t i = from; i < to; i++)
		gone += !c[i].now;
	fputs("@@ ", d->out);
	put_range(d, '-', start + 1, end - start);
	fputc(' ', d->out);
	put_range(d, '+', start + 1 - moved, end - start - gone);
	fputs(" @@\n", d->out);
	for (size_t line = start; line < end;) {
		size_t first = from;

		if (from == to || c[from].line - 1 != line) {
			put_old(d, ' ', line++);
			continue;
		}
		/* All that goes, then all that comes. */
		for (; from < to && c[from].line - 1 == line; from++)
			put_old(d, '-', line++);
		for (; first < from; first++)
			put_new(d, &c[first]);
	}
}

static void cut_lines(struct diff *d, const char *text)
{
	size_t most = 1;

	for (const char *at = text; (at = strchr(at, '\n')); at++)
		most++;
	d->lines = must_have(calloc(most + 1, sizeof(*d->lines)));
	while (*text) {
		d->lines[d->n++] = text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	d->lines[d->n] = text;
}

void line_diff(FILE *out, const char *file, const char *old, const struct line_change *changes,
	       size_t n)
{
	struct diff d = {.out = out, .changes = changes, .n_changes = n};
	size_t from = 0, moved = 0;

	if (!n)
		return;
	cut_lines(&d, old);
	fprintf(out, "--- %s\n+++ %s\n", file, file);
	while (from < n) {
		size_t to = from + 1;

		while (to < n && changes[to].line - changes[to - 1].line - 1 <= 2 * CONTEXT)
			to++;
		put_hunk(&d, from, to, moved);
		for (; from < to; from++)
			moved += !changes[from].now;
	}
	free(d.lines);
}

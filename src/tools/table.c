/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tables of text.  table.h says what they promise. */
#include "table.h"
#include "text.h"

#include <stdarg.h>
#include <stdbool.h>

static void take(struct table *t, char *cell)
{
	if ((t->n & (t->n - 1)) == 0)
		t->cells = must_have(realloc(t->cells, (t->n ? t->n * 2 : 1) * sizeof(char *)));
	t->cells[t->n++] = cell;
}

void table_add(struct table *t, const char *text)
{
	take(t, text_escape(text));
}

void table_addf(struct table *t, const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	table_add(t, must_have(text));
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = 0;

	for (size_t i = column; i < t->n; i += t->columns) {
		size_t w = text_width(t->cells[i]);
		width = w > width ? w : width;
	}
	return width;
}

/* '*owed' are blanks that are printed only when something follows them on the line. */
static void print_cell(const struct table *t, size_t i, size_t width, FILE *out, size_t *owed)
{
	size_t column = i % t->columns, pad = width - text_width(t->cells[i]);
	bool right = t->right >> column & 1;

	if (*t->cells[i]) {
		fprintf(out, "%*s%s", (int)(*owed + (right ? pad : 0)), "", t->cells[i]);
		*owed = right ? 0 : pad;
	} else {
		*owed += pad;
	}
	*owed += t->gap;
	if (column + 1 == t->columns) {
		fputc('\n', out);
		*owed = 0;
	}
}

void table_print(struct table *t, FILE *out)
{
	size_t *widths = must_have(calloc(t->columns, sizeof(*widths))), owed = 0;

	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	for (size_t i = 0; i < t->n; i++)
		print_cell(t, i, widths[i % t->columns], out, &owed);
	free(widths);
	table_free(t);
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	t->cells = NULL;
	t->n = 0;
}

void table_print_words(char *const *words, size_t n, size_t width, FILE *out)
{
	struct table t = {.columns = n, .gap = 1};
	size_t widest = 0, across;

	for (size_t i = 0; i < n; i++)
		table_add(&t, words[i]);
	for (size_t i = 0; i < n; i++) {
		size_t w = text_width(t.cells[i]);
		widest = w > widest ? w : widest;
	}
	across = width / (widest + 1);
	across = across ? across : 1;
	for (size_t i = 0; i < n; i++) {
		bool last = (i + 1) % across == 0 || i + 1 == n;
		size_t pad = last ? 0 : widest + 1 - text_width(t.cells[i]);

		fprintf(out, "%s%*s%s", t.cells[i], (int)pad, "", last ? "\n" : "");
	}
	table_free(&t);
}

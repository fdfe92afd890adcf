/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Tables of text: cells are added row by row, then printed in columns as wide as their widest cell.
 * The first row is the heading.  No blanks are printed at the end of a line.
 */
#ifndef LXC_TOOLS_TABLE_H
#define LXC_TOOLS_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table {
	size_t columns;     /* set by the user, with the two below; the rest starts as zero */
	unsigned right;     /* bits: these columns are aligned to the right */
	size_t gap;         /* blanks between columns */
	char **cells;       /* escaped texts, owned */
	size_t n;
};

/* Add the next cell; what comes from outside is escaped here. */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print and empty it. */
void table_print(struct table *t, FILE *out);
void table_free(struct table *t);

/* Words in as many columns as fit into 'width', filled row by row as lxc-ls does; 0: one a line. */
void table_print_words(char *const *words, size_t n, size_t width, FILE *out);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for people: what comes from outside (names, values, words of a template) is shown with its
 * control characters visible, so that nobody's container name can move a cursor, forge a line or
 * retitle a terminal.
 */
#ifndef LXC_TOOLS_TEXT_H
#define LXC_TOOLS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* A process of ours that has no memory left for its words says so and ends with 1. */
void *must_have(void *allocated);

/*
 * The text with everything that is no printable UTF-8 written as \xNN: C0 and C1 controls, DEL, bad
 * bytes, and the characters that turn the direction of writing round.  free(3) the result.
 */
char *text_escape(const char *text);
void text_print(FILE *out, const char *text);
/* The same, but lines and tabs stay as they are (values of lists). */
void text_print_lines(FILE *out, const char *text);

/* Columns that an escaped text takes. */
size_t text_width(const char *text);

/*
 * Words broken into lines of at most 'width' columns; later ones begin after 'indent'.  What stands in
 * square brackets stays together.
 */
void text_wrap(FILE *out, const char *text, size_t indent, size_t width);

/* Bytes of the character at 'text': 1..4, or 0: it is no UTF-8.  *ret: the character. */
size_t text_decode(const char *text, unsigned *ret);

static inline void text_free_(void *p)
{
	free(*(void **)p);
}
#define autofree __attribute__((cleanup(text_free_)))

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names for many: numbered.h.  Not printf(3)'s: what comes from a user is never its format. */
#include "numbered.h"
#include "text.h"

#include <string.h>

#define WIDEST 9

/* What stands behind a '%': its letter, its length, its width. */
static char take(const char *at, size_t *ret_length, int *ret_width)
{
	size_t n = 0;

	*ret_width = 0;
	if (at[0] == '0' && at[1] >= '1' && at[1] <= '0' + WIDEST) {
		*ret_width = at[1] - '0';
		n = 2;
	}
	*ret_length = n + 1;
	if (at[n] == 'd' || (n == 0 && (at[n] == 's' || at[n] == '%')))
		return at[n];
	return 0;
}

const char *numbered_check(const char *pattern, struct numbered *ret)
{
	size_t length;
	int width;

	*ret = (struct numbered){0};
	for (const char *at = pattern; (at = strchr(at, '%')); at += length) {
		char letter = take(++at, &length, &width);

		if (!letter)
			return "after % stands d, 02d (or another width), s, or another %";
		if (letter == 'd' && ret->number)
			return "it has more than one number";
		ret->number |= letter == 'd';
		ret->source |= letter == 's';
	}
	return NULL;
}

char *numbered_name(const char *pattern, unsigned n, const char *source)
{
	char *name = NULL;
	size_t size, length;
	FILE *out = must_have(open_memstream(&name, &size));
	int width;

	for (const char *at = pattern; *at; at += length) {
		char letter = 0;

		length = 1;
		if (*at == '%')
			letter = take(++at, &length, &width);
		if (letter == 'd')
			fprintf(out, "%0*u", width, n);
		else if (letter == 's')
			fputs(source, out);
		else
			fputc(*at, out);
	}
	fclose(out);
	return must_have(name);
}

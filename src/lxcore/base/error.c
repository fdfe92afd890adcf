/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Errors: see error.h for what they are; here is only how words are put together. */
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Names and values in an error come from files that anyone may have written, and end at a terminal:
 * no control character of theirs gets there.
 */
static void tame(char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f)
			*text = '?';
		/* C1 controls: in UTF-8 c2 80 to c2 9f */
		else if (c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0)
			text[0] = text[1] = '?';
	}
}

int error_set(struct error *err, int code, const char *format, ...)
{
	va_list ap;

	if (!err)
		return -1;
	err->code = code;
	err->mend[0] = '\0';
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	tame(err->text);
	return -1;
}

int error_sys(struct error *err, const char *format, ...)
{
	int code = errno;
	size_t used;
	va_list ap;

	if (!err)
		return -1;
	err->code = code;
	err->mend[0] = '\0';
	va_start(ap, format);
	vsnprintf(err->text, sizeof(err->text), format, ap);
	va_end(ap);
	tame(err->text);
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, ": %s", strerror(code));
	errno = code;
	return -1;
}

int error_within(struct error *err, const char *format, ...)
{
	char prefix[sizeof(err->text)];
	size_t before, kept;
	va_list ap;

	if (!err)
		return -1;
	va_start(ap, format);
	vsnprintf(prefix, sizeof(prefix) - 2, format, ap);
	va_end(ap);
	tame(prefix);
	strcat(prefix, ": ");
	before = strlen(prefix);
	kept = strnlen(err->text, sizeof(err->text) - before - 1);
	memmove(err->text + before, err->text, kept);
	memcpy(err->text, prefix, before);
	err->text[before + kept] = '\0';
	return -1;
}

int error_mend(struct error *err, const char *format, ...)
{
	va_list ap;

	if (!err || err->mend[0])
		return -1;
	va_start(ap, format);
	vsnprintf(err->mend, sizeof(err->mend), format, ap);
	va_end(ap);
	return -1;
}

void error_clear(struct error *err)
{
	if (!err)
		return;
	err->code = 0;
	err->text[0] = err->mend[0] = '\0';
}

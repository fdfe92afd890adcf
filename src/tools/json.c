/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writing JSON (RFC 8259).  json.h says how it is used. */
#include "json.h"
#include "text.h"

#include <inttypes.h>

static void quoted(FILE *out, const char *text)
{
	unsigned c = 0;

	fputc('"', out);
	for (size_t n; *text; text += n) {
		n = text_decode(text, &c);
		if (n == 0) {
			fputs("\\ufffd", out);
			n = 1;
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else if (c == '\n') {
			fputs("\\n", out);
		} else if (c < 0x20 || (c >= 0x7f && c < 0xa0)) {
			fprintf(out, "\\u%04x", c);
		} else {
			fwrite(text, 1, n, out);
		}
	}
	fputc('"', out);
}

static void begin(struct json *j, const char *name)
{
	if (j->more)
		fputc(',', j->out);
	if (j->rows >> j->depth & 1)
		fputs("\n  ", j->out);
	else if (j->more)
		fputc(' ', j->out);
	if (name) {
		quoted(j->out, name);
		fputs(": ", j->out);
	}
	j->more = true;
}

static void open_with(struct json *j, const char *name, char opening)
{
	begin(j, name);
	fputc(opening, j->out);
	j->more = false;
	j->depth++;
	j->rows &= ~(1u << j->depth);
}

void json_object(struct json *j, const char *name)
{
	open_with(j, name, '{');
}

void json_list(struct json *j, const char *name)
{
	open_with(j, name, '[');
}

void json_rows(struct json *j, const char *name)
{
	open_with(j, name, '[');
	j->rows |= 1u << j->depth;
}

void json_end(struct json *j, char closing)
{
	if (j->more && j->rows >> j->depth & 1)
		fputc('\n', j->out);
	fputc(closing, j->out);
	j->more = true;
	if (--j->depth == 0) {
		fputc('\n', j->out);
		j->more = false;
	}
}

void json_text(struct json *j, const char *name, const char *value)
{
	begin(j, name);
	if (value)
		quoted(j->out, value);
	else
		fputs("null", j->out);
}

void json_number(struct json *j, const char *name, int64_t value)
{
	begin(j, name);
	fprintf(j->out, "%" PRId64, value);
}

void json_known(struct json *j, const char *name, int64_t value)
{
	if (value < 0)
		json_text(j, name, NULL);
	else
		json_number(j, name, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
	begin(j, name);
	fputs(value ? "true" : "false", j->out);
}

void json_texts(struct json *j, const char *name, const char *const *values)
{
	json_list(j, name);
	for (; values && *values; values++)
		json_text(j, NULL, *values);
	json_end(j, ']');
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Editing the text of a configuration.  It stays as its author wrote it, with its comments, blank
 * lines and old names, but for the lines that a change concerns.
 */
#include "config/inner.h"

#include <string.h>

#define BLANKS " \t\r\f\v"

struct walk {
	size_t start, end; /* of the line; 'end' is behind its newline */
	size_t value;      /* where the text behind '=' starts; 0: this line sets nothing */
	struct buf name;   /* the present name of its key */
	unsigned nics;     /* for old names of networks: legacy.h */
};

static void read_key(struct walk *w, const char *line, size_t n)
{
	const char *equals = memchr(line, '=', n), *start = line, *end;
	autofree char *name = NULL;

	w->value = 0;
	w->name.len = 0;
	while (start < line + n && strchr(BLANKS, *start))
		start++;
	if (!equals || (size_t)(equals - start) < 4 || memcmp(start, "lxc.", 4) != 0)
		return;
	for (end = equals; end > start && strchr(BLANKS, end[-1]); end--)
		;
	name = strndup(start, (size_t)(end - start));
	if (!name)
		return;
	if (!legacy_rename(&w->nics, name, &w->name))
		buf_puts(&w->name, name);
	else
		buf_add(&w->name, "", 0);
	w->value = w->start + (size_t)(equals + 1 - line);
}

static bool next_line(const struct buf *text, struct walk *w)
{
	const char *newline;

	if (w->end >= text->len)
		return false;
	w->start = w->end;
	newline = memchr(text->s + w->start, '\n', text->len - w->start);
	w->end = newline ? (size_t)(newline + 1 - text->s) : text->len;
	read_key(w, text->s + w->start, w->end - w->start);
	return true;
}

static bool sets(const struct walk *w, const char *name, bool below)
{
	if (!w->value || !w->name.s)
		return false;
	return below ? keys_below(w->name.s, name) : strcmp(w->name.s, name) == 0;
}

/* Put 'n' bytes in the place of a part of the text. */
static void splice(struct buf *text, size_t start, size_t end, const char *bytes, size_t n)
{
	size_t removed = end - start;

	if (n > removed) {
		size_t more = n - removed, behind = text->len - end;

		for (size_t i = 0; i < more; i++)
			buf_add(text, "", 1);
		if (text->failed)
			return;
		memmove(text->s + end + more, text->s + end, behind);
	} else {
		memmove(text->s + start + n, text->s + end, text->len - end);
		text->len -= removed - n;
	}
	memcpy(text->s + start, bytes, n);
	text->s[text->len] = '\0';
}

void text_end_line(struct buf *text)
{
	if (text->len && text->s[text->len - 1] != '\n')
		buf_puts(text, "\n");
}

void text_remove(struct buf *text, const char *name, bool below)
{
	struct walk w = {0};

	while (next_line(text, &w)) {
		if (!sets(&w, name, below))
			continue;
		splice(text, w.start, w.end, "", 0);
		w.end = w.start;
	}
	buf_free(&w.name);
}

/*
 * The last line that sets a scalar gives way to the new one where it stands; unless something is
 * included behind it, which might set the key again: then the new line must come last.
 */
void text_set(struct buf *text, const char *name, const char *value, bool replace)
{
	autobuf struct buf line = BUF_INIT;
	struct walk w = {0};
	size_t start = 0, end = 0;

	grammar_write(&line, name, value);
	while (replace && next_line(text, &w)) {
		if (sets(&w, name, false)) {
			start = w.start;
			end = w.end;
		} else if (end && sets(&w, CONF_INCLUDE, false)) {
			splice(text, start, end, "", 0);
			w.end -= end - start;
			end = 0;
		}
	}
	buf_free(&w.name);
	if (line.failed) {
		text->failed = true;
	} else if (end) {
		splice(text, start, end, line.s, line.len);
	} else {
		text_end_line(text);
		buf_add(text, line.s, line.len);
	}
}

void text_values(const struct buf *text, const char *name, struct buf *out)
{
	struct walk w = {0};

	while (next_line(text, &w)) {
		autofree char *copy = NULL;

		if (!sets(&w, name, false))
			continue;
		copy = strndup(text->s + w.value, w.end - w.value - (text->s[w.end - 1] == '\n'));
		if (copy)
			buf_addf(out, "%s\n", grammar_value(copy));
	}
	buf_free(&w.name);
}

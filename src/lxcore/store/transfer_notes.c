/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What an archive tells of a snapshot beside its configuration and its tree: lines 'WORD VALUE', and
 * behind the line 'comment' its comment as it is.  Who reads it does not trust it.
 */
#include "base/error.h"
#include "store/transfer.h"
#include "base/path.h"

#include <string.h>

#define COMMENT "comment\n"
#define LONGEST_COMMENT 65536
#define LONGEST_TIME 32

int transfer_notes_write(const struct lxcore_snapshot *s, bool current, struct buf *out)
{
	buf_addf(out, "name %s\n", s->name);
	if (*s->created)
		buf_addf(out, "created %s\n", s->created);
	if (s->parent)
		buf_addf(out, "parent %s\n", s->parent);
	if (current)
		buf_puts(out, "current yes\n");
	if (s->comment)
		buf_addf(out, COMMENT "%s", s->comment);
	return out->failed ? -1 : 0;
}

static int damaged(const char *what, struct error *err)
{
	return error_set(err, EINVAL, "the archive is damaged: a snapshot has %s", what);
}

static bool is_time(const char *text)
{
	return strlen(text) < LONGEST_TIME && !text[strspn(text, "0123456789:- ")];
}

static int read_line(const char *line, struct lxcore_snapshot *s, bool *current, struct error *err)
{
	char **field = NULL;
	const char *value = strchr(line, ' ');

	if (!value++)
		return 0;
	if (str_starts(line, "name "))
		field = &s->name;
	else if (str_starts(line, "parent "))
		field = &s->parent;
	else if (str_starts(line, "created "))
		field = &s->created;
	else if (str_starts(line, "current "))
		*current = true;
	if (!field)
		return 0;
	if (field == &s->created ? !is_time(value) : path_check_name(value, err) < 0)
		return field == &s->created ? damaged("a time that is none", err) : -1;
	if (*field)
		return damaged("two names, parents or times", err);
	*field = strdup(value);
	return *field ? 0 : error_set(err, ENOMEM, "out of memory");
}

int transfer_notes_read(const char *text, struct lxcore_snapshot *ret, bool *ret_current,
			struct error *err)
{
	const char *comment = str_starts(text, COMMENT) ? text : strstr(text, "\n" COMMENT);
	size_t n = comment ? (size_t)(comment - text) : strlen(text);
	autofree char *head = strndup(text, n);
	autostrv struct strv lines = {0};

	*ret = (struct lxcore_snapshot){0};
	*ret_current = false;
	if (!head || strv_split(&lines, head, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.n; i++)
		if (read_line(lines.v[i], ret, ret_current, err) < 0)
			return -1;
	if (comment) {
		comment += strlen(COMMENT) + (*comment == '\n');
		if (strlen(comment) > LONGEST_COMMENT)
			return damaged("too long a comment", err);
		ret->comment = strdup(comment);
	}
	if (!ret->created)
		ret->created = strdup("");
	if (!ret->created || (comment && !ret->comment))
		return error_set(err, ENOMEM, "out of memory");
	return ret->name ? 0 : damaged("no name", err);
}

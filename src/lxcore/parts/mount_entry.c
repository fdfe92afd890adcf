/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mount entries: a line of fstab(5) taken apart, once, when it is set; so what is wrong with it is
 * said with file and line, and nothing is parsed any more while a container boots.
 */
#include "parts/mount_entry.h"
#include "base/auto.h"
#include "base/fd.h"

#include <string.h>

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "cannot keep the mount entry: out of memory");
}

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* fstab(5) writes blanks in names as \040; any byte may be written so. */
static void decode(char *field)
{
	char *to = field;

	for (const char *at = field; *at; at++) {
		if (at[0] == '\\' && is_octal(at[1]) && is_octal(at[2]) && is_octal(at[3])) {
			*to++ = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 3;
		} else {
			*to++ = *at;
		}
	}
	*to = '\0';
}

/* Take the options that are ours out of those meant for the filesystem. */
static int take_own_options(struct mount_entry *e, struct error *err)
{
	struct strv *data = &e->options.data;

	for (size_t i = 0; i < data->n;) {
		const char *word = data->v[i];

		if (strcmp(word, "create=dir") == 0)
			e->create = CREATE_DIR;
		else if (strcmp(word, "create=file") == 0)
			e->create = CREATE_FILE;
		else if (strcmp(word, "optional") == 0)
			e->optional = true;
		else if (strcmp(word, "relative") == 0)
			e->relative = true;
		else if (str_starts(word, "create="))
			return error_set(err, EINVAL,
					 "option \"%s\" is neither create=dir nor "
					 "create=file",
					 word);
		else {
			i++;
			continue;
		}
		strv_remove(data, i);
	}
	return 0;
}

/* Settings that contradict each other or mean nothing. */
static int check_sense(const struct mount_entry *e, struct error *err)
{
	const struct mount_options *o = &e->options;
	bool bind = o->bind && !o->remount;

	if (o->bind + o->move > 1 || o->move + o->remount > 1)
		return error_set(err, EINVAL, "options \"move\" and \"%s\" exclude each other",
				 o->bind ? "bind" : "remount");
	if ((o->bind || o->move || o->remount) && o->data.n)
		return error_set(err, EINVAL, "option \"%s\" has no meaning for a %s", o->data.v[0],
				 o->bind   ? "bind mount"
				 : o->move ? "moved mount"
					   : "remount");
	if (!o->bind && !o->move && !o->remount && strcmp(e->fstype, "none") == 0)
		return error_set(err, EINVAL, "type \"none\" needs option \"bind\"");
	if ((bind || o->move) && *e->source != '/' && !e->relative)
		return error_set(err, EINVAL,
				 "source \"%s\" is not an absolute path; inside the root "
				 "filesystem it needs option \"relative\"",
				 e->source);
	if (o->idmap && !bind)
		return error_set(err, EINVAL, "option \"idmap=%s\" is for bind mounts alone",
				 o->idmap);
	if (o->idmap && strcmp(o->idmap, "container") != 0 && *o->idmap != '/')
		return error_set(err, EINVAL, "option \"idmap=%s\" is neither idmap=container nor the "
				 "absolute path of a user namespace", o->idmap);
	if (!*e->target)
		return error_set(err, EINVAL, "there is no target");
	return 0;
}

static int fill(struct mount_entry *e, char **fields, size_t n, struct error *err)
{
	if (n < 3)
		return error_set(err, EINVAL,
				 "\"%s\" is not a mount entry: it needs SOURCE TARGET "
				 "TYPE OPTIONS, as in \"/srv srv none bind,create=dir\"",
				 e->text);
	if (n > 6)
		return error_set(err, EINVAL,
				 "\"%s\" is not a mount entry: it has more than six "
				 "fields; a blank within one is written \\040",
				 e->text);
	for (size_t i = 0; i < n; i++)
		decode(fields[i]);
	e->source = strdup(fields[0]);
	e->target = strdup(fields[1]);
	e->fstype = strdup(fields[2]);
	if (!e->source || !e->target || !e->fstype ||
	    mount_options_parse(n > 3 ? fields[3] : "defaults", &e->options) < 0)
		return no_memory(err);
	if (take_own_options(e, err) < 0)
		return -1;
	return check_sense(e, err);
}

static void entry_free(struct mount_entry *e)
{
	free(e->text);
	free(e->origin);
	free(e->source);
	free(e->target);
	free(e->fstype);
	mount_options_free(&e->options);
}

int mount_entry_parse(const char *line, struct mount_entry *ret, struct error *err)
{
	autostrv struct strv fields = {0};
	struct mount_entry e = {.text = strdup(line), .opened = -1};

	if (!e.text || strv_split(&fields, line, " \t") < 0) {
		entry_free(&e);
		return no_memory(err);
	}
	if (fill(&e, fields.v, fields.n, err) < 0) {
		entry_free(&e);
		return -1;
	}
	*ret = e;
	return 0;
}

int mount_entries_add(struct mount_entries *list, const char *line, const char *origin,
		      struct error *err)
{
	struct mount_entry e, *v;

	if (mount_entry_parse(line, &e, err) < 0)
		return -1;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (v)
		list->v = v;
	if (!v || (origin && !(e.origin = strdup(origin)))) {
		entry_free(&e);
		return no_memory(err);
	}
	v[list->n++] = e;
	return 0;
}

int mount_entries_read(struct mount_entries *list, const char *file, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	unsigned line_number = 0;
	char *rest, *line;

	if (file_read(AT_FDCWD, file, &text) < 0)
		return error_sys(err, "cannot read \"%s\" (lxc.mount.fstab)", file);
	for (rest = text.s; (line = strsep(&rest, "\n"));) {
		autofree char *origin = str_printf("%s:%u", file, ++line_number);
		size_t n = strlen(line);

		line[n - (n && line[n - 1] == '\r')] = '\0';
		line += strspn(line, " \t");
		if (!*line || *line == '#')
			continue;
		if (!origin)
			return no_memory(err);
		if (mount_entries_add(list, line, origin, err) < 0)
			return error_within(err, "%s", origin);
	}
	return 0;
}

void mount_entries_free(struct mount_entries *list)
{
	for (size_t i = 0; i < list->n; i++)
		entry_free(&list->v[i]);
	free(list->v);
	*list = (struct mount_entries){0};
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing the text of a configuration up to date: the names that keys had before LXC 3 give way to
 * those of today.  Everything else stays as it was written, byte by byte: values, comments, blanks,
 * order.  A setting that was commented out ('#lxc.') is renamed as well, so that it works when it comes
 * back.
 */
#include "config/inner.h"

#include <string.h>
#include <sys/stat.h>

#define BLANKS " \t\r\f\v"

/* A line and the parts of it that matter; its bytes stand in the text. */
struct line {
	const char *start, *end;   /* 'end' is before its newline */
	const char *name, *name_end;
	const char *value, *value_end; /* behind '=' and blanks, before blanks */
	bool comment;
};

struct update {
	const struct conf *keys; /* knows the keys of today */
	struct buf *out;
	struct conf_changes *changes;
	unsigned line, nics;
	unsigned comment_nics; /* of blocks of networks that are commented out, behind the real ones */
	char *backend; /* the last lxc.rootfs.backend, or NULL */
};

/* False: it is no setting. */
static bool cut_line(struct line *l, bool first)
{
	const char *at = l->start, *equals;

	if (first && l->end - at >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
		at += 3;
	while (at < l->end && strchr(BLANKS, *at))
		at++;
	l->comment = at < l->end && *at == '#';
	at += l->comment;
	if (l->end - at < 4 || memcmp(at, "lxc.", 4) != 0)
		return false;
	equals = memchr(at, '=', (size_t)(l->end - at));
	if (!equals)
		return false;
	l->name = at;
	for (l->name_end = equals; strchr(BLANKS, l->name_end[-1]);)
		l->name_end--;
	for (l->value = equals + 1; l->value < l->end && strchr(BLANKS, *l->value);)
		l->value++;
	for (l->value_end = l->end; l->value_end > l->value && strchr(BLANKS, l->value_end[-1]);)
		l->value_end--;
	/* A comment that merely speaks of a key is none of a setting. */
	return !l->comment || !memchr(l->name, ' ', (size_t)(l->name_end - l->name));
}

static bool next_line(const char *text, size_t n, struct line *l)
{
	const char *from = l->end ? l->end + 1 : text, *newline;

	if (from >= text + n)
		return false;
	newline = memchr(from, '\n', (size_t)(text + n - from));
	*l = (struct line){.start = from, .end = newline ? newline : text + n};
	return true;
}

static char *cut(const char *start, const char *end)
{
	return strndup(start, (size_t)(end - start));
}

static int remember(struct update *u, const struct line *l, char *now, const char *why)
{
	struct conf_changes *c = u->changes;
	struct conf_change *grown = realloc(c->v, (c->n + 1) * sizeof(*grown));

	if (!grown) {
		free(now);
		return -1;
	}
	c->v = grown;
	c->v[c->n] = (struct conf_change){
		.line = u->line, .was = cut(l->start, l->end), .now = now,
		.why = why ? strdup(why) : NULL,
	};
	c->n++;
	return c->v[c->n - 1].was && (!why || c->v[c->n - 1].why) ? 0 : -1;
}

/*
 * What lxc.rootfs named became a directory unless lxc.rootfs.backend said something else.  A device or
 * an image is still found out when it is used; and a value may name its storage itself.
 */
static void add_storage(const struct update *u, const struct line *l, struct buf *now)
{
	autofree char *copy = cut(l->value, l->value_end);
	struct stat st;

	if (!copy || *copy != '/')
		return;
	if (u->backend && *u->backend)
		buf_addf(now, "%s:", u->backend);
	else if (stat(copy, &st) < 0 || S_ISDIR(st.st_mode))
		buf_puts(now, "dir:");
}

/* The line under its present name. */
static char *renamed(const struct update *u, const struct line *l, const char *old, const char *name)
{
	struct line inner = *l;
	struct buf now = BUF_INIT;

	buf_add(&now, l->start, (size_t)(l->name - l->start));
	buf_puts(&now, name);
	buf_add(&now, l->name_end, (size_t)(l->value - l->name_end));
	if (strcmp(old, "lxc.rootfs") == 0) {
		/* Within the quotes, where there are some. */
		if (l->value_end - l->value > 1 && strchr("\"'", *l->value) &&
		    l->value_end[-1] == *l->value) {
			inner.value++;
			inner.value_end--;
		}
		buf_add(&now, l->value, (size_t)(inner.value - l->value));
		add_storage(u, &inner, &now);
	}
	buf_add(&now, inner.value, (size_t)(l->end - inner.value));
	return buf_steal(&now);
}

/* 1: it has an old name, and what is to be done was done; 0: it has not; -1: no memory. */
static int rename_line(struct update *u, const struct line *l, const char *name)
{
	autobuf struct buf now = BUF_INIT;
	char *line;

	if (!legacy_rename(l->comment ? &u->comment_nics : &u->nics, name, &now))
		return 0;
	if (now.failed)
		return -1;
	if (!l->comment)
		u->comment_nics = u->nics;
	if (!now.len) {
		/* It means nothing; a comment about it may stay. */
		if (l->comment)
			return 0;
		return remember(u, l, NULL, NULL) < 0 ? -1 : 1;
	}
	line = renamed(u, l, name, now.s);
	if (!line)
		return -1;
	buf_puts(u->out, line);
	return remember(u, l, line, NULL) < 0 ? -1 : 1;
}

/* Who has a key that nobody knows is told; what it meant is his to say. */
static int check_known(struct update *u, const struct line *l, const char *name)
{
	struct error why = {0};
	const char *sub;

	if (l->comment || strcmp(name, CONF_INCLUDE) == 0 || keys_find(u->keys, name, &sub) ||
	    (l->value == l->value_end && keys_is_group(u->keys, name)))
		return 0;
	keys_unknown(u->keys, name, &why);
	return remember(u, l, NULL, why.text);
}

static int update_line(struct update *u, const struct line *l, bool is_setting)
{
	autofree char *name = is_setting ? cut(l->name, l->name_end) : NULL;
	const struct known *k;
	const char *sub;
	int done = 0;

	if (is_setting && !name)
		return -1;
	/* Old names also stand below a family of today (conf.c). */
	k = is_setting ? keys_find(u->keys, name, &sub) : NULL;
	if (is_setting && (!k || *sub))
		done = rename_line(u, l, name);
	if (done == 0) {
		buf_add(u->out, l->start, (size_t)(l->end - l->start));
		if (is_setting && check_known(u, l, name) < 0)
			return -1;
	}
	return done;
}

static int find_backend(struct update *u, const char *text, size_t n)
{
	static const char key[] = "lxc.rootfs.backend";
	struct line l = {0};

	for (bool first = true; next_line(text, n, &l); first = false) {
		if (!cut_line(&l, first) || l.comment ||
		    (size_t)(l.name_end - l.name) != sizeof(key) - 1 ||
		    memcmp(l.name, key, sizeof(key) - 1) != 0)
			continue;
		free(u->backend);
		u->backend = cut(l.value, l.value_end);
		if (!u->backend)
			return -1;
	}
	return 0;
}

static int update_lines(struct update *u, const char *text, size_t n)
{
	struct line l = {0};

	while (next_line(text, n, &l)) {
		bool is_setting = cut_line(&l, u->line++ == 0);
		size_t changes = u->changes->n;

		if (update_line(u, &l, is_setting) < 0)
			return -1;
		/* The newline goes with a line that goes. */
		if (u->changes->n > changes && !u->changes->v[changes].now &&
		    !u->changes->v[changes].why)
			continue;
		if (l.end < text + n)
			buf_puts(u->out, "\n");
	}
	return 0;
}

int conf_update(const struct conf *keys, const char *text, size_t n, struct buf *out,
		struct conf_changes *changes, struct error *err)
{
	struct update u = {.keys = keys, .out = out, .changes = changes};
	int result;

	if (memchr(text, '\0', n))
		return error_set(err, EINVAL, "there is a NUL byte; this is no text file");
	buf_add(out, "", 0);
	result = find_backend(&u, text, n) < 0 || update_lines(&u, text, n) < 0 || out->failed ? -1 : 0;
	free(u.backend);
	return result < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

void conf_changes_free(struct conf_changes *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].was);
		free(c->v[i].now);
		free(c->v[i].why);
	}
	free(c->v);
	*c = (struct conf_changes){0};
}

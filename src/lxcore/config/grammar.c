/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The grammar: lines 'lxc.key = value', quotes, comments, templates of hardware addresses, and
 * files that include others.  What a file holds is not trusted to be text at all.
 *
 * A line whose first word does not begin with 'lxc.' means nothing and is kept as it is.  There are
 * no continued lines and no comments behind a value.
 */
#include "base/fd.h"
#include "config/inner.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define BLANKS " \t\r\f\v"
#define LONGEST_LINE 65536
#define LARGEST_FILE (4 << 20)
#define DEEPEST_INCLUDE 16
#define MOST_FILES 1000 /* against files that include each other twice, and those again ... */

/* ---- words of a line ---- */

static void cut_end(char *text)
{
	size_t n = strlen(text);

	while (n && strchr(BLANKS, text[n - 1]))
		n--;
	text[n] = '\0';
}

char *grammar_value(char *text)
{
	size_t n;

	text += strspn(text, BLANKS);
	cut_end(text);
	n = strlen(text);
	if (n > 1 && (*text == '"' || *text == '\'') && text[n - 1] == *text) {
		text[n - 1] = '\0';
		text++;
	}
	return text;
}

void grammar_write(struct buf *out, const char *name, const char *value)
{
	size_t n = strlen(value);
	bool quotes = n && (strchr(BLANKS, value[0]) || strchr(BLANKS, value[n - 1]) ||
			    (n > 1 && (*value == '"' || *value == '\'') && value[n - 1] == *value));

	if (!n)
		buf_addf(out, "%s =\n", name);
	else
		buf_addf(out, quotes ? "%s = \"%s\"\n" : "%s = %s\n", name, value);
}

/* A template becomes an address once, where it is read, so that saving keeps the address. */
int grammar_fill(const char *name, size_t name_len, char *value, size_t value_len)
{
	static const char start[] = "lxc.net", end[] = ".hwaddr";
	size_t digits = 0;

	if (name_len < sizeof(start) + sizeof(end) - 2 ||
	    memcmp(name, start, sizeof(start) - 1) != 0 ||
	    memcmp(name + name_len - (sizeof(end) - 1), end, sizeof(end) - 1) != 0)
		return 0;
	for (size_t i = 0; i < value_len; i++) {
		unsigned char random;

		if (value[i] == 'x' || value[i] == 'X') {
			if (getrandom(&random, 1, 0) != 1)
				return -1;
			/* The lowest bit of the first byte would make it a multicast address. */
			value[i] = "0123456789abcdef"[digits == 1 ? random & 0xe : random & 0xf];
			digits++;
		} else if (isxdigit((unsigned char)value[i])) {
			digits++;
		}
	}
	return 0;
}

/* ---- lines ---- */

/* 'line' is a copy that may be cut. */
static int read_setting(struct conf *c, char *line, struct source *from, struct error *err)
{
	char *equals = strchr(line, '=');

	cut_end(line);
	if (!equals)
		return error_set(err, EINVAL,
				 "\"%.80s\" has no '='; a setting is written "
				 "\"lxc.key = value\"",
				 line);
	*equals = '\0';
	cut_end(line);
	return conf_apply(c, from, line, grammar_value(equals + 1), err);
}

static int read_line(struct conf *c, char *line, size_t n, struct source *from, struct error *err)
{
	autofree char *copy = NULL;
	char *equals;

	if (n > LONGEST_LINE)
		return error_set(err, EINVAL, "the line is longer than %d bytes", LONGEST_LINE);
	if (memchr(line, '\0', n))
		return error_set(err, EINVAL, "there is a NUL byte; this is no text file");
	while (n && strchr(BLANKS, line[n - 1]))
		n--;
	while (n && strchr(BLANKS, *line)) {
		line++;
		n--;
	}
	if (n < 4 || memcmp(line, "lxc.", 4) != 0)
		return 0;
	if (memchr(line, '\r', n))
		return error_set(err, EINVAL, "there is a carriage return inside the line");
	equals = memchr(line, '=', n);
	if (equals) {
		const char *end = equals;

		while (end > line && strchr(BLANKS, end[-1]))
			end--;
		n -= (size_t)(equals - line);
		if (grammar_fill(line, (size_t)(end - line), equals, n) < 0)
			return error_sys(err, "cannot make a random hardware address");
		n += (size_t)(equals - line);
	}
	copy = strndup(line, n);
	if (!copy)
		return error_set(err, ENOMEM, "out of memory");
	return read_setting(c, copy, from, err);
}

/* The faulty line comes first, behind it the lines that led there. */
static int say_where(struct conf *c, const struct source *from, struct error *err)
{
	size_t used = err ? strlen(err->text) : 0;

	if (err && c->placed)
		snprintf(err->text + used, sizeof(err->text) - used, " (included by %s:%u)",
			 from->name, from->line);
	else
		error_within(err, "%s:%u", from->name, from->line);
	c->placed = true;
	return -1;
}

int grammar_lines(struct conf *c, struct buf *text, struct source *from, struct error *err)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	size_t at = 0;

	while (text->len >= 3 && memcmp(text->s, byte_order_mark, 3) == 0) {
		text->len -= 3;
		memmove(text->s, text->s + 3, text->len + 1);
	}
	while (at < text->len) {
		char *start = text->s + at, *end = memchr(start, '\n', text->len - at);
		size_t n = end ? (size_t)(end - start) : text->len - at;

		from->line++;
		if (read_line(c, start, n, from, err) < 0)
			return say_where(c, from, err);
		at += n + 1;
	}
	return 0;
}

/* ---- files ---- */

/* A fifo or a terminal in the place of a file must not make anyone wait. */
static int read_file(struct source *from, struct buf *text, struct error *err)
{
	autoclose int fd = open(from->name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	size_t n = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot read configuration \"%s\"", from->name);
	from->dev = st.st_dev;
	from->ino = st.st_ino;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0; /* /dev/null: a configuration without settings */
	if (!S_ISREG(st.st_mode)) {
		error_set(err, S_ISDIR(st.st_mode) ? EISDIR : EINVAL,
			  "cannot read configuration \"%s\": it is %s", from->name,
			  S_ISDIR(st.st_mode) ? "a directory" : "no regular file");
		return S_ISDIR(st.st_mode) ? -1 : error_mend(err, "write the settings to a file");
	}
	if (st.st_size > LARGEST_FILE)
		return error_set(err, EFBIG,
				 "cannot read configuration \"%s\": it is larger than "
				 "%d MiB",
				 from->name, LARGEST_FILE >> 20);
	/* One allocation of the right size; a file of /proc says that it is empty. */
	text->s = malloc((size_t)st.st_size + 2);
	if (!text->s)
		return error_set(err, ENOMEM, "cannot read configuration \"%s\": out of memory",
				 from->name);
	text->cap = (size_t)st.st_size + 2;
	while (n < text->cap - 1 && (!n || n != (size_t)st.st_size)) {
		ssize_t got = read(fd, text->s + n, text->cap - 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_sys(err, "cannot read configuration \"%s\"", from->name);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	text->len = n;
	text->s[n] = '\0';
	if (n > (size_t)st.st_size && fd_read_all(fd, text, LARGEST_FILE) < 0)
		return error_sys(err, "cannot read configuration \"%s\"", from->name);
	return 0;
}

/* "a -> b -> a" for a file that comes back to itself. */
static int refuse_loop(const struct source *from, struct error *err)
{
	autobuf struct buf chain = BUF_INIT;
	const struct source *names[DEEPEST_INCLUDE + 2];
	size_t n = 0;

	for (const struct source *s = from; s && n < ARRAY_SIZE(names); s = s->by) {
		names[n++] = s;
		if (s != from && s->dev == from->dev && s->ino == from->ino)
			break;
	}
	while (n--)
		buf_addf(&chain, "%s%s", names[n]->name ? names[n]->name : "", n ? " -> " : "");
	return error_set(err, ELOOP, "cannot include \"%s\": it includes itself (%s)", from->name,
			 chain.s ? chain.s : "");
}

static int check_source(struct conf *c, const struct source *from, struct error *err)
{
	for (const struct source *s = from->by; s; s = s->by)
		if (s->ino == from->ino && s->dev == from->dev && s->ino)
			return refuse_loop(from, err);
	if (from->depth > DEEPEST_INCLUDE)
		return error_set(err, ELOOP,
				 "cannot include \"%s\": more than %d files include one "
				 "another",
				 from->name, DEEPEST_INCLUDE);
	if (++c->n_files > MOST_FILES)
		return error_set(err, E2BIG,
				 "cannot include \"%s\": more than %d files are included",
				 from->name, MOST_FILES);
	return 0;
}

int grammar_load(struct conf *c, const char *file, const struct source *by, struct error *err)
{
	struct source from = {.name = file, .by = by, .depth = by ? by->depth + 1 : 0};
	autobuf struct buf text = BUF_INIT;
	int origin = conf_origin(c, file);

	if (origin < 0)
		return error_set(err, ENOMEM, "cannot read configuration \"%s\": out of memory",
				 file);
	from.origin = (uint16_t)origin;
	if (read_file(&from, &text, err) < 0 || check_source(c, &from, err) < 0)
		return -1;
	if (grammar_lines(c, &text, &from, err) < 0)
		return -1;
	if (by)
		return 0;
	text_end_line(&c->text);
	if (c->text.len)
		buf_add(&c->text, text.s, text.len);
	else {
		buf_free(&c->text);
		c->text = text;
		text = BUF_INIT;
	}
	return c->text.failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

static int is_conf_file(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".conf") == 0;
}

static int load_dir(struct conf *c, const char *dir, const struct source *by, struct error *err)
{
	autodir DIR *d = opendir(dir);
	autostrv struct strv names = {0};
	struct dirent *entry;

	if (!d && errno == ENOENT)
		return 0; /* nothing was dropped there */
	if (!d)
		return error_sys(err, "cannot include directory \"%s\"", dir);
	while ((entry = readdir(d)))
		if (is_conf_file(entry) && strv_add(&names, entry->d_name) < 0)
			return error_set(err, ENOMEM, "out of memory");
	strv_sort(&names);
	for (size_t i = 0; i < names.n; i++) {
		autofree char *path =
			str_printf("%s%s%s", dir, str_ends(dir, "/") ? "" : "/", names.v[i]);

		if (!path)
			return error_set(err, ENOMEM, "out of memory");
		if (grammar_load(c, path, by, err) < 0)
			return -1;
	}
	return 0;
}

int grammar_include(struct conf *c, const char *value, const struct source *by, struct error *err)
{
	const char *beside = by->name ? by->name : c->file, *slash;
	autofree char *path = NULL;
	struct stat st;

	slash = beside && *value != '/' ? strrchr(beside, '/') : NULL;
	path = str_printf("%.*s%s", slash ? (int)(slash + 1 - beside) : 0, slash ? beside : "",
			  value);
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (str_ends(path, "/"))
		return load_dir(c, path, by, err);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return load_dir(c, path, by, err);
	return grammar_load(c, path, by, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two trees compared, by descriptors alone; see diff.h.  Both are sorted, directory by directory, and
 * gone through side by side; a record of what was has the same order, and is read along.  They may
 * belong to an enemy and change meanwhile: no link is followed, no device opened, and what vanishes is
 * gone.
 */
#include "store/diff.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PART 65536

enum { WAS, IS };

struct walk {
	const struct diff_side *side[2];
	struct first *first; /* what was, if that was recorded: at the name that is compared */
	bool contents;
	int out;
	struct buf path;
	struct buf text; /* to be written */
	unsigned depth;
	struct error *err;
};

/* ---- what is found ---- */

static int flush(struct walk *w)
{
	if (w->text.failed || w->path.failed)
		return error_set(w->err, ENOMEM, "out of memory");
	if (w->text.len && fd_write_all(w->out, w->text.s, w->text.len) < 0)
		return error_sys(w->err, "cannot keep what differs");
	w->text.len = 0;
	return 0;
}

static int tell(struct walk *w, char kind)
{
	buf_add(&w->text, &kind, 1);
	buf_add(&w->text, w->path.len ? w->path.s : "/", (w->path.len ? w->path.len : 1) + 1);
	return w->text.len >= PART ? flush(w) : 0;
}

static void go_down(struct walk *w, const char *name)
{
	buf_addf(&w->path, "/%s", name);
}

static void go_up(struct walk *w, size_t len)
{
	if (w->path.s) {
		w->path.len = len;
		w->path.s[len] = '\0';
	}
}

static int fail(struct walk *w, const char *what)
{
	return error_sys(w->err, "cannot %s \"%s\"", what, w->path.len ? w->path.s : "/");
}

/* ---- one name, on both sides ---- */

static bool same_link(const int dir[2], const struct listing_entry e[2])
{
	char text[2][PATH_MAX];
	ssize_t n[2];

	for (int i = 0; i < 2; i++)
		n[i] = e[i].link ? (ssize_t)strlen(e[i].link) :
				   readlinkat(dir[i], e[i].name, text[i], PATH_MAX);
	return n[WAS] == n[IS] && n[WAS] >= 0 &&
	       memcmp(e[WAS].link ? e[WAS].link : text[WAS], text[IS], (size_t)n[WAS]) == 0;
}

/* Only what is a file is opened. */
static int open_file(int dir, const char *name)
{
	autoclose int pinned = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[32];
	struct stat st;

	if (pinned < 0 || fstat(pinned, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pinned);
	return open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool same_bytes(const int dir[2], const char *name)
{
	autoclose int a = open_file(dir[WAS], name), b = open_file(dir[IS], name);
	autofree char *part = malloc(2 * PART);
	ssize_t n = 1;

	if (a < 0 || b < 0 || !part)
		return false;
	for (off_t at = 0; n > 0; at += n) {
		n = pread(a, part, PART, at);
		if (n < 0 || pread(b, part + PART, PART, at) != n ||
		    memcmp(part, part + PART, (size_t)n) != 0)
			return false;
	}
	return true;
}

static bool same_time(const struct listing_entry e[2])
{
	return e[WAS].mtime.tv_sec == e[IS].mtime.tv_sec &&
	       e[WAS].mtime.tv_nsec == e[IS].mtime.tv_nsec;
}

/* A directory's time changes with what is in it, which is looked at. */
static bool same(const struct walk *w, const int dir[2], const struct listing_entry e[2])
{
	if (e[WAS].type != e[IS].type || e[WAS].mode != e[IS].mode || e[WAS].uid != e[IS].uid ||
	    e[WAS].gid != e[IS].gid || e[WAS].device != e[IS].device || e[WAS].size != e[IS].size)
		return false;
	if (e[IS].type == 'l')
		return same_link(dir, e);
	if (e[IS].type != 'f')
		return true;
	return w->contents ? same_bytes(dir, e[IS].name) : same_time(e);
}

/* ---- directories ---- */

static int compare_dirs(struct walk *w, const int dir[2], bool *ret_differs);
static int all_added(struct walk *w, int dir, const char *name);

static int add_names(struct walk *w, int dir)
{
	autostrv struct strv names = {0};

	if (listing_names(dir, &names) < 0)
		return fail(w, "read");
	for (size_t i = 0; i < names.n; i++) {
		size_t len = w->path.len;
		int result;

		go_down(w, names.v[i]);
		result = all_added(w, dir, names.v[i]);
		go_up(w, len);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int too_deep(struct walk *w)
{
	return error_set(w->err, ENAMETOOLONG, "cannot compare directories that lie more than %d deep",
			 LISTING_MOST_DEPTH);
}

static int all_added(struct walk *w, int dir, const char *name)
{
	autoclose int sub = -1;
	struct stat st;
	int opened, result;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(w, "look at");
	if (tell(w, 'A') < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return 0;
	opened = listing_open_dir(dir, name, &sub);
	if (opened <= 0)
		return opened < 0 ? fail(w, "open") : 0;
	if (w->depth++ >= LISTING_MOST_DEPTH)
		return too_deep(w);
	result = add_names(w, sub);
	w->depth--;
	return result;
}

/* The directory's own line comes first, so what is in it is kept until that is known. */
static int compare_subdirs(struct walk *w, const int dir[2], const char *name, bool *ret_differs)
{
	autoclose int was = -1, is = -1;
	struct buf before = w->text;
	bool differs = *ret_differs;
	int a = w->first ? 1 : listing_open_dir(dir[WAS], name, &was);
	int b = listing_open_dir(dir[IS], name, &is), result;

	if (a < 0 || b < 0)
		return fail(w, "open");
	if (!a || !b) {
		*ret_differs = false;
		return 0;
	}
	if (w->depth++ >= LISTING_MOST_DEPTH)
		return too_deep(w);
	w->text = BUF_INIT;
	result = w->first ? first_enter(w->first, w->err) : 0;
	if (result == 0)
		result = compare_dirs(w, (const int[]){was, is}, &differs);
	if (result == 0 && w->first)
		result = first_leave(w->first, name, w->err);
	w->depth--;
	{
		autobuf struct buf within = w->text;

		w->text = before;
		if (result == 0 && differs)
			result = tell(w, 'C');
		buf_add(&w->text, within.s ? within.s : "", within.len);
		w->text.failed |= within.failed;
	}
	*ret_differs = differs;
	return result;
}

/* 1, or 0: it is gone. */
static int look(struct walk *w, int side, int dir, const char *name, struct listing_entry *ret)
{
	if (side == WAS && w->first)
		*ret = w->first->now;
	else if (listing_look(dir, name, &w->side[side]->maps, ret) < 0)
		return errno == ENOENT ? 0 : fail(w, "look at");
	return 1;
}

static int compare_both(struct walk *w, const int dir[2], const char *name, bool *ret_differs)
{
	struct listing_entry e[2];
	bool differs;
	int result;

	for (int i = 0; i < 2; i++) {
		result = look(w, i, dir[i], name, &e[i]);
		if (result <= 0)
			return result;
	}
	/* What something was mounted on is not known. */
	if (e[WAS].type == 'm')
		return 0;
	differs = !same(w, dir, e) && !listing_is_mount(dir[IS], name);
	if (e[WAS].type == 'd' && e[IS].type == 'd')
		result = compare_subdirs(w, dir, name, &differs);
	else if (differs && e[IS].type == 'd')
		/* Something else became a directory: all in it is new. */
		result = tell(w, 'D') < 0 ? -1 : all_added(w, dir[IS], name);
	else
		result = differs ? tell(w, 'C') : 0;
	*ret_differs |= differs;
	return result;
}

/* 'order': below 0, it was there; above, it is there; 0, both. */
static int compare_name(struct walk *w, const int dir[2], const char *name, int order,
			bool *ret_differs)
{
	size_t len = w->path.len;
	int result;

	go_down(w, name);
	if (order == 0)
		result = compare_both(w, dir, name, ret_differs);
	else
		result = order < 0 ? tell(w, 'D') : all_added(w, dir[IS], name);
	go_up(w, len);
	*ret_differs |= order != 0;
	return result;
}

/* The names that were in a directory, one after the other; a record has the next one at hand. */
struct former {
	struct strv names;
	size_t at;
};

static const char *former_name(const struct walk *w, const struct former *f)
{
	if (w->first)
		return w->first->now.name;
	return f->at < f->names.n ? f->names.v[f->at] : NULL;
}

/* Behind 'name', which is recorded with all that was in it, whether that was looked at or not. */
static int former_next(struct walk *w, struct former *f, const char *name)
{
	f->at++;
	return w->first && w->first->now.name == name ? first_skip(w->first, w->err) : 0;
}

static int compare_names(struct walk *w, const int dir[2], struct former *was,
			 const struct strv *is, bool *ret_differs)
{
	const char *a, *b;

	for (size_t k = 0; a = former_name(w, was), b = k < is->n ? is->v[k] : NULL, a || b;) {
		int order = !a ? 1 : !b ? -1 : strcmp(a, b);

		if (compare_name(w, dir, order < 0 ? a : b, order, ret_differs) < 0 ||
		    (order <= 0 && former_next(w, was, a) < 0))
			return -1;
		k += order >= 0;
	}
	return 0;
}

static int compare_dirs(struct walk *w, const int dir[2], bool *ret_differs)
{
	autostrv struct strv is = {0};
	struct former was = {0};
	int result;

	if ((!w->first && listing_names(dir[WAS], &was.names) < 0) ||
	    listing_names(dir[IS], &is) < 0)
		result = fail(w, "read");
	else
		result = compare_names(w, dir, &was, &is, ret_differs);
	strv_free(&was.names);
	return result;
}

int diff_walk(const struct diff_side *was, const struct diff_side *is, bool contents, int out,
	      struct error *err)
{
	struct walk w = {.side = {was, is}, .first = was->first, .contents = contents, .out = out,
			 .err = err};
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	autoclose int a = was->first ? -1 : openat(was->root, ".", flags),
		      b = openat(is->root, ".", flags);
	bool differs = false;
	int result;

	if ((a < 0 && !was->first) || b < 0)
		return error_sys(err, "cannot open the root filesystem");
	result = compare_dirs(&w, (const int[]){a, b}, &differs);
	if (result == 0)
		result = flush(&w);
	buf_free(&w.text);
	buf_free(&w.path);
	return result;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two trees compared, by descriptors alone; see diff.h.  Both are sorted, directory by directory, and
 * gone through side by side.  They may belong to an enemy and change meanwhile: no link is followed, no
 * device opened, and what vanishes is gone.
 */
#include "store/diff.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_DEPTH 300 /* each level holds two descriptors open */
#define PART 65536

enum { WAS, IS };

struct walk {
	const struct diff_side *side[2];
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

static uint32_t inside(const struct copy_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->n; i++)
		if (id >= map->v[i].outside && id - map->v[i].outside < map->v[i].count)
			return map->v[i].inside + (id - map->v[i].outside);
	return map->n ? (uint32_t)-1 : id;
}

static bool same_owner(const struct walk *w, const struct stat st[2])
{
	return inside(&w->side[WAS]->uid, st[WAS].st_uid) == inside(&w->side[IS]->uid, st[IS].st_uid) &&
	       inside(&w->side[WAS]->gid, st[WAS].st_gid) == inside(&w->side[IS]->gid, st[IS].st_gid);
}

static bool same_link(const int dir[2], const char *name)
{
	char text[2][PATH_MAX];
	ssize_t n[2];

	for (int i = 0; i < 2; i++)
		n[i] = readlinkat(dir[i], name, text[i], PATH_MAX);
	return n[WAS] == n[IS] && n[WAS] >= 0 && memcmp(text[WAS], text[IS], (size_t)n[WAS]) == 0;
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

static bool same_time(const struct stat st[2])
{
	return st[WAS].st_mtim.tv_sec == st[IS].st_mtim.tv_sec &&
	       st[WAS].st_mtim.tv_nsec == st[IS].st_mtim.tv_nsec;
}

/* A directory's time changes with what is in it, which is looked at. */
static bool same(const struct walk *w, const int dir[2], const char *name, const struct stat st[2])
{
	mode_t mode = st[IS].st_mode;

	if (st[WAS].st_mode != mode || !same_owner(w, st))
		return false;
	if (S_ISLNK(mode))
		return same_link(dir, name);
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return st[WAS].st_rdev == st[IS].st_rdev;
	if (!S_ISREG(mode))
		return true;
	if (st[WAS].st_size != st[IS].st_size)
		return false;
	return w->contents ? same_bytes(dir, name) : same_time(st);
}

/* ---- directories ---- */

/* Does another mount begin there?  name "": at fd itself. */
static bool is_mount(int fd, const char *name)
{
	const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx sx;

	return statx(fd, name, flags, 0, &sx) == 0 &&
	       sx.stx_attributes_mask & sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

static int read_names(int dir, struct strv *ret)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	if (!list)
		return -1;
	while ((entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strv_add(ret, entry->d_name) < 0)
			return -1;
	strv_sort(ret);
	return 0;
}

static int compare_dirs(struct walk *w, const int dir[2], bool *ret_differs);

/* 1: a directory that was opened; 0: it is a mount, or gone. */
static int open_dir(int dir, const char *name, int *ret)
{
	*ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	return !is_mount(*ret, "");
}

static int all_added(struct walk *w, int dir, const char *name);

static int add_names(struct walk *w, int dir)
{
	autostrv struct strv names = {0};

	if (read_names(dir, &names) < 0)
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
			 MOST_DEPTH);
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
	opened = open_dir(dir, name, &sub);
	if (opened <= 0)
		return opened < 0 ? fail(w, "open") : 0;
	if (w->depth++ >= MOST_DEPTH)
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
	int a = open_dir(dir[WAS], name, &was), b = open_dir(dir[IS], name, &is), result = 0;

	if (a < 0 || b < 0)
		return fail(w, "open");
	if (!a || !b) {
		*ret_differs = false;
		return 0;
	}
	if (w->depth++ >= MOST_DEPTH)
		return too_deep(w);
	w->text = BUF_INIT;
	result = compare_dirs(w, (const int[]){was, is}, &differs);
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

static int compare_both(struct walk *w, const int dir[2], const char *name, bool *ret_differs)
{
	struct stat st[2];
	bool differs;
	int result;

	for (int i = 0; i < 2; i++)
		if (fstatat(dir[i], name, &st[i], AT_SYMLINK_NOFOLLOW) < 0)
			return errno == ENOENT ? 0 : fail(w, "look at");
	differs = !same(w, dir, name, st) && !is_mount(dir[IS], name);
	if (S_ISDIR(st[WAS].st_mode) && S_ISDIR(st[IS].st_mode))
		result = compare_subdirs(w, dir, name, &differs);
	else if (differs && S_ISDIR(st[IS].st_mode))
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

static int compare_dirs(struct walk *w, const int dir[2], bool *ret_differs)
{
	autostrv struct strv was = {0}, is = {0};

	if (read_names(dir[WAS], &was) < 0 || read_names(dir[IS], &is) < 0)
		return fail(w, "read");
	for (size_t i = 0, k = 0; i < was.n || k < is.n;) {
		const char *a = i < was.n ? was.v[i] : NULL, *b = k < is.n ? is.v[k] : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a, b);

		if (compare_name(w, dir, order < 0 ? a : b, order, ret_differs) < 0)
			return -1;
		i += order <= 0;
		k += order >= 0;
	}
	return 0;
}

int diff_walk(const struct diff_side *was, const struct diff_side *is, bool contents, int out,
	      struct error *err)
{
	struct walk w = {.side = {was, is}, .contents = contents, .out = out, .err = err};
	autoclose int a = openat(was->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		      b = openat(is->root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool differs = false;
	int result;

	if (a < 0 || b < 0)
		return error_sys(err, "cannot open the root filesystem");
	result = compare_dirs(&w, (const int[]){a, b}, &differs);
	if (result == 0)
		result = flush(&w);
	buf_free(&w.text);
	buf_free(&w.path);
	return result;
}

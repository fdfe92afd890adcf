/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Removing whole directory trees; see tree.h. */
#include "tree.h"
#include "auto.h"
#include "subvolume.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_DEPTH 100 /* each level holds a descriptor open */

struct removal {
	int top;
	unsigned moved; /* directories that lay too deep and were moved up to 'top' */
	struct error *err;
	bool failed;
};

static int empty(struct removal *r, int dir, int depth);

/* The first failure is told, the others come of it or are like it.  Returns -1. */
static int fail(struct removal *r, const char *name, int code)
{
	if (!r->failed)
		error_set(r->err, code, "cannot remove \"%s\": %s", name,
			  code == EXDEV ? "it is a mount point" : strerror(code));
	r->failed = true;
	errno = code;
	return -1;
}

/* Not by st_dev: a bind mount can show another directory of the same filesystem. */
static bool is_mount(int fd)
{
	struct statx sx;

	return statx(fd, "", AT_EMPTY_PATH, 0, &sx) == 0 &&
	       sx.stx_attributes & sx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT;
}

/* At once, and even when it is read-only. */
static bool removed_as_subvolume(int dir, int sub)
{
	return subvolume_is(sub) && subvolume_remove(dir, sub) == 0;
}

static int remove_directory(struct removal *r, int dir, const char *name, int depth)
{
	autoclose int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (sub < 0 && errno == ENOENT)
		return 0;
	/* A file that must not be unlinked: immutable. */
	if (sub < 0)
		return fail(r, name, errno == ENOTDIR || errno == ELOOP ? EPERM : errno);
	if (is_mount(sub))
		return fail(r, name, EXDEV);
	if (removed_as_subvolume(dir, sub))
		return 0;
	if (empty(r, steal_fd(&sub), depth + 1) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? fail(r, name, errno) : 0;
}

/* Its turn comes when 'top' is read once more. */
static int move_up(struct removal *r, int dir, const char *name)
{
	char up[32];

	do {
		snprintf(up, sizeof(up), ".removed-%u", r->moved++);
		if (renameat2(dir, name, r->top, up, RENAME_NOREPLACE) == 0)
			return 0;
	} while (errno == EEXIST);
	return fail(r, name, errno);
}

static int remove_entry(struct removal *r, int dir, const char *name, int depth)
{
	/* Most entries are files: try that first.  Linux says EISDIR for a directory. */
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fail(r, name, errno);
	return depth < MOST_DEPTH ? remove_directory(r, dir, name, depth) : move_up(r, dir, name);
}

/* Takes 'dir'. */
static int empty(struct removal *r, int dir, int depth)
{
	autodir DIR *d = fdopendir(dir);
	struct dirent *e;
	int result = 0;

	if (!d) {
		close(dir);
		return fail(r, ".", errno);
	}
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_entry(r, dir, e->d_name, depth) < 0)
			result = -1;
	}
	return result;
}

int tree_empty(int dir, struct error *err)
{
	struct removal r = {.top = dir, .err = err};
	unsigned before;

	do {
		int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		before = r.moved;
		if (again < 0)
			return fail(&r, ".", errno);
		if (empty(&r, again, 0) < 0)
			return -1;
	} while (r.moved != before);
	return 0;
}

int tree_remove(int dir, const char *name, struct error *err)
{
	autoclose int top = -1;
	struct removal r = {.err = err};

	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fail(&r, name, errno);
	top = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (top < 0)
		return fail(&r, name, errno == ENOTDIR || errno == ELOOP ? EPERM : errno);
	if (is_mount(top))
		return fail(&r, name, EXDEV);
	if (removed_as_subvolume(dir, top))
		return 0;
	if (tree_empty(top, err) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? fail(&r, name, errno) : 0;
}

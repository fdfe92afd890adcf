/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root filesystems that are a plain directory of the host: mounted by a copy of what it shows. */
#include "storage/storage.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int cannot_find(const char *source, struct error *err)
{
	if (errno != ENOENT && errno != ENOTDIR)
		return error_sys(err, "cannot open the root filesystem \"%s\"", source);
	if (errno == ENOTDIR && access(source, F_OK) == 0)
		return error_set(err, ENOTDIR, "cannot use \"%s\" as root filesystem: "
				 "it is not a directory", source);
	return error_set(err, ENOENT, "cannot find the root filesystem \"%s\"", source);
}

static int dir_look(const char *source, struct error *err)
{
	int fd = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? cannot_find(source, err) : fd;
}

static int dir_check(const char *source, struct error *err)
{
	autoclose int fd = -1;

	if (*source != '/')
		return error_set(err, EINVAL, "cannot use \"%s\" as root filesystem: "
				 "it is not an absolute path", source);
	fd = dir_look(source, err);
	return fd < 0 ? -1 : 0;
}

static int dir_mount(const char *source, struct error *err)
{
	/* Recursive: what the host mounted below the directory belongs to the tree. */
	int tree = mount_copy(AT_FDCWD, source, true);

	return tree < 0 ? cannot_find(source, err) : tree;
}

static int dir_create(const char *source, uid_t uid, gid_t gid, struct error *err)
{
	if (path_make_dirs(source, 0755) < 0)
		return error_sys(err, "cannot make the root filesystem's directory \"%s\"", source);
	if ((uid || gid) && chown(source, uid, gid) < 0)
		return error_sys(err, "cannot give \"%s\" to user %u", source, uid);
	return 0;
}

/* ---- removal ---- */

#define MAX_DEPTH 200 /* each level holds a descriptor open */

struct removal {
	int top;
	dev_t device;
	unsigned moved; /* directories that lay too deep and were moved up to 'top' */
};

static int empty_dir(struct removal *r, int dir, int depth);

/* Its own descriptor closes with empty_dir's stream. */
static int remove_dir(struct removal *r, int dir, const char *name, int depth)
{
	int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (sub < 0) {
		/* A file that must not be unlinked: immutable. */
		errno = errno == ENOTDIR ? EPERM : errno;
		return -1;
	}
	if (fstat(sub, &st) < 0 || st.st_dev != r->device) {
		close(sub);
		errno = EXDEV;
		return -1;
	}
	if (empty_dir(r, sub, depth + 1) < 0)
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR);
}

static int remove_entry(struct removal *r, int dir, const char *name, int depth)
{
	char up[32];

	/* Most entries are files: try that first.  Linux says EISDIR for a directory. */
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -1;
	if (depth < MAX_DEPTH)
		return remove_dir(r, dir, name, depth);
	snprintf(up, sizeof(up), ".lxc-removed-%u", r->moved++);
	return renameat(dir, name, r->top, up);
}

/* By descriptors alone, so that no link in the tree can turn this against the host.  Takes 'dir'. */
static int empty_dir(struct removal *r, int dir, int depth)
{
	autodir DIR *d = fdopendir(dir);
	struct dirent *e;
	int result = 0, code = 0;

	if (!d) {
		close(dir);
		return -1;
	}
	/* Go on after a failure: what can be removed goes. */
	while ((e = readdir(d))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (remove_entry(r, dir, e->d_name, depth) < 0) {
			code = errno;
			result = -1;
		}
	}
	errno = code;
	return result;
}

static int empty_tree(int top, dev_t device)
{
	struct removal r = {.top = top, .device = device};
	unsigned before;

	do {
		int again = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		before = r.moved;
		if (again < 0 || empty_dir(&r, again, 0) < 0)
			return -1;
	} while (r.moved != before);
	return 0;
}

static int dir_destroy(const char *source, struct error *err)
{
	autoclose int top = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (top < 0 && errno == ENOENT)
		return 0;
	if (top < 0 || fstat(top, &st) < 0)
		return cannot_find(source, err);
	if (empty_tree(top, st.st_dev) < 0 && errno == EXDEV)
		return error_set(err, EXDEV, "cannot remove the root filesystem \"%s\": "
				 "another filesystem is mounted in it", source);
	if (rmdir(source) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove the root filesystem \"%s\"", source);
	return 0;
}

const struct storage_driver storage_dir = {
	.name = "dir", .check = dir_check, .look = dir_look, .mount = dir_mount,
	.create = dir_create, .destroy = dir_destroy,
};

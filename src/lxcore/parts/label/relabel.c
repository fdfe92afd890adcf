/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving the files of a root filesystem an SELinux context (lxc.selinux.context.rootfs).  The tree is
 * its owner's, so it is walked by descriptors, no link is followed, and other mounts are left alone.
 * It is done once: a root directory that has the context is a tree that has it.
 */
#include "base/auto.h"
#include "parts/label/lsm.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define ATTRIBUTE "security.selinux"
#define DEEPEST 1000 /* directories in each other, each of which holds a descriptor */

struct relabel {
	const char *context;
	dev_t dev;
};

/* Of what an O_PATH descriptor shows, be it a link. */
static int set_context(int fd, const char *context)
{
	char path[32], now[512];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = getxattr(path, ATTRIBUTE, now, sizeof(now) - 1);
	if (n >= 0) {
		now[n] = '\0';
		if (strcmp(now, context) == 0)
			return 0;
	}
	return setxattr(path, ATTRIBUTE, context, strlen(context) + 1, 0);
}

static int relabel_below(const struct relabel *r, int dir, int depth, struct error *err);

static int relabel_one(const struct relabel *r, int dir, const char *name, int depth,
		       struct error *err)
{
	autoclose int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot open \"%s\"", name);
	if (st.st_dev != r->dev)
		return 0;
	/* The directory itself last: what has the context is done. */
	if (S_ISDIR(st.st_mode) && relabel_below(r, fd, depth + 1, err) < 0)
		return error_within(err, "%s", name);
	if (set_context(fd, r->context) < 0)
		return error_sys(err, "cannot give \"%s\" the SELinux context \"%s\"", name,
				 r->context);
	return 0;
}

static int relabel_below(const struct relabel *r, int dir, int depth, struct error *err)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d || depth > DEEPEST)
		return error_set(err, d ? ELOOP : errno, "cannot read a directory: %s",
				 strerror(d ? ELOOP : errno));
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    relabel_one(r, dirfd(d), e->d_name, depth, err) < 0)
			return -1;
	return 0;
}

static bool has_context(const char *path, const char *context)
{
	char now[512];
	ssize_t n = lgetxattr(path, ATTRIBUTE, now, sizeof(now) - 1);

	if (n < 0)
		return false;
	now[n] = '\0';
	return strcmp(now, context) == 0;
}

int selinux_relabel(const char *path, const char *context, struct error *err)
{
	struct relabel r = {.context = context};
	autoclose int root = -1;
	struct stat st;

	if (has_context(path, context))
		return 0;
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || fstat(root, &st) < 0)
		return error_sys(err, "cannot open \"%s\"", path);
	r.dev = st.st_dev;
	if (relabel_below(&r, root, 0, err) < 0)
		return error_within(err, "%s", path);
	if (set_context(root, context) == 0)
		return 0;
	error_sys(err, "cannot give \"%s\" the SELinux context \"%s\" (lxc.selinux.context.rootfs)",
		  path, context);
	if (errno != EINVAL)
		return -1;
	return error_mend(err, "semodule -i %s/selinux/lxcore.cil      (if the policy does not "
			       "know the context)", LXCORE_CONFIGDIR);
}

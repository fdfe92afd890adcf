/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts that show other owners than the disk has (MOUNT_ATTR_IDMAP); see mount.h. */
#include "base/mount.h"
#include "base/auto.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>

int userns_open(const char *path, struct error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statfs fs;

	if (fd < 0)
		return error_sys(err, "cannot open the user namespace \"%s\"", path);
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC ||
	    ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWUSER)
		return error_set(err, EINVAL, "\"%s\" is no user namespace", path);
	return steal_fd(&fd);
}

static int explain(int code, struct error *err)
{
	switch (code) {
	case ENOSYS:
		return error_set(err, code, "cannot map the owners of its files: this kernel has no "
				 "id-mapped mounts (Linux 5.12)");
	case EINVAL:
		error_set(err, code, "cannot map the owners of its files: its filesystem, or one "
			  "mounted below it, has no id-mapped mounts in this kernel");
		return error_mend(err, "leave the option out and give the files to the mapped ids, or "
				       "move them to a filesystem that has them (ext4, xfs, btrfs)");
	case EPERM:
		return error_set(err, code, "cannot map the owners of its files: the filesystem is not "
				 "ours, or the mount has a map already");
	default:
		return error_set(err, code, "cannot map the owners of its files: %s", strerror(code));
	}
}

int mount_idmap(int tree, int users, bool recursive, struct error *err)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)users};

	if (mount_setattr(tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr,
			  sizeof(attr)) == 0)
		return 0;
	return explain(errno, err);
}

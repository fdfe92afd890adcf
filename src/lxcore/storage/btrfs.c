/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems that are a subvolume of btrfs, SOURCE: a directory in every way but two.  A copy
 * of it is made at once, and so is its end, with all subvolumes that its container made in it.
 */
#include "base/auto.h"
#include "base/path.h"
#include "base/subvolume.h"
#include "storage/storage.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

/* ---- subvolumes ---- */

/* Open the directory that 'source' lies in; its last name. */
static int open_parent(const char *source, const char **ret_name, bool make, struct error *err)
{
	autofree char *parent = strdup(source);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	int fd;

	if (!slash || !slash[1] || strlen(slash + 1) > BTRFS_SUBVOL_NAME_MAX)
		return error_set(err, EINVAL, "cannot use \"%s\" as a subvolume: it is no absolute "
				 "path", source);
	*ret_name = source + (slash + 1 - parent);
	slash[slash == parent] = '\0';
	if (make && path_make_dirs(parent, 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", parent);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_sys(err, "cannot open \"%s\"", parent) : fd;
}

static int not_btrfs(const char *path, struct error *err)
{
	error_set(err, ENOTSUP, "cannot make a subvolume in \"%s\": it is not on a btrfs filesystem",
		  path);
	return error_mend(err, "use a path on btrfs (-P), or another type of storage (-B dir)");
}

/* ---- the driver ---- */

static int btrfs_look(const char *source, struct error *err)
{
	return storage_dir.look(source, err);
}

static int btrfs_mount(const char *source, const char *const *options, struct error *err)
{
	return storage_dir.mount(source, options, err);
}

static int btrfs_check(const char *source, struct error *err)
{
	autoclose int fd = -1;

	if (storage_dir.check(source, err) < 0)
		return -1;
	fd = storage_dir.look(source, err);
	if (fd < 0)
		return -1;
	if (subvolume_is(fd))
		return 0;
	error_set(err, EINVAL, "cannot use \"%s\" as a subvolume of btrfs: it is none", source);
	return error_mend(err, "use it as a directory: lxc.rootfs.path = dir:%s", source);
}

/* The container's directory, or what there is already of the path to it. */
static int open_nearest(const struct storage_new *new, struct error *err)
{
	autofree char *path = strdup(new->dir);
	autoclose int fd = -1;
	char *slash;

	while (path && access(path, F_OK) < 0 && (slash = strrchr(path, '/')) && slash != path)
		*slash = '\0';
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_sys(err, "cannot open \"%s\"", path);
	return subvolume_possible(fd) ? steal_fd(&fd) : not_btrfs(path, err);
}

static bool same_filesystem(int a, int b)
{
	struct btrfs_ioctl_fs_info_args x = {0}, y = {0};

	return ioctl(a, BTRFS_IOC_FS_INFO, &x) == 0 && ioctl(b, BTRFS_IOC_FS_INFO, &y) == 0 &&
	       memcmp(x.fsid, y.fsid, sizeof(x.fsid)) == 0;
}

/* A snapshot would have empty directories where there are others in it. */
static int check_origin(const char *source, int near, struct error *err)
{
	autoclose int top = open(source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int others = top < 0 ? -1 : subvolume_has_others(top);

	if (top < 0 || (others < 0 && errno != EPERM))
		return error_sys(err, "cannot look at the subvolume \"%s\"", source);
	if (others > 0)
		return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\": there are other "
				 "subvolumes in it", source);
	if (same_filesystem(top, near))
		return 0;
	return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\" on another filesystem",
			 source);
}

static int btrfs_usable(const struct storage_new *new, struct error *err)
{
	autoclose int near = open_nearest(new, err);

	if (near < 0)
		return -1;
	if (new->from && new->from->driver == &storage_btrfs)
		return check_origin(new->from->source, near, err);
	return 0;
}

static int btrfs_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	return storage_dir.place(new, ret_source, err);
}

static int give(int parent, const char *name, const struct storage_new *new)
{
	if (fchownat(parent, name, new->uid, new->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return fchmodat(parent, name, 0755, 0);
}

static int btrfs_create(const char *source, const struct storage_new *new, struct error *err)
{
	struct btrfs_ioctl_vol_args args = {0};
	const char *name;
	autoclose int parent = open_parent(source, &name, true, err);

	if (parent < 0)
		return -1;
	if (!subvolume_possible(parent))
		return not_btrfs(source, err);
	memcpy(args.name, name, strlen(name));
	if (ioctl(parent, BTRFS_IOC_SUBVOL_CREATE, &args) < 0)
		return error_sys(err, "cannot make the subvolume \"%s\"", source);
	if (give(parent, name, new) < 0)
		return error_sys(err, "cannot give \"%s\" to user %u", source, new->uid);
	return 0;
}

static int btrfs_snapshot(const struct storage *from, const char *source,
			  const struct storage_new *new, struct error *err)
{
	struct btrfs_ioctl_vol_args_v2 args = {0};
	const char *name;
	autoclose int parent = open_parent(source, &name, true, err), old = -1;

	if (parent < 0)
		return -1;
	old = open(from->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old < 0)
		return error_sys(err, "cannot open \"%s\"", from->source);
	if (from->driver != &storage_btrfs || !subvolume_is(old))
		return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\": it is no subvolume "
				 "of btrfs", from->source);
	args.fd = old;
	memcpy(args.name, name, strlen(name));
	if (ioctl(parent, BTRFS_IOC_SNAP_CREATE_V2, &args) == 0)
		return 0;
	error_sys(err, "cannot make \"%s\" a snapshot of \"%s\"", source, from->source);
	if (err && (err->code == EXDEV || err->code == ENOTTY))
		err->code = ENOTSUP;
	return -1;
}

/* A subvolume of ours may have been replaced by a plain directory: that goes as directories go. */
static int btrfs_destroy(const char *source, struct error *err)
{
	const char *name;
	autoclose int top = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int parent = -1;

	if (top < 0 && errno == ENOENT)
		return 0;
	if (top < 0)
		return error_sys(err, "cannot open the root filesystem \"%s\"", source);
	if (!subvolume_is(top))
		return storage_dir.destroy(source, err);
	parent = open_parent(source, &name, false, err);
	if (parent < 0)
		return -1;
	if (subvolume_remove(parent, top) == 0)
		return 0;
	return error_sys(err, "cannot remove the subvolume \"%s\"", source);
}

/* Counting costs the whole filesystem something, so whoever rules it decides on that. */
static int btrfs_limit(const char *source, uint64_t bytes, bool only_try, struct error *err)
{
	autoclose int top = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int counts = top < 0 ? -1 : subvolume_counts(top);

	if (counts < 0)
		return error_sys(err, "cannot limit the subvolume \"%s\"", source);
	if (!counts && !bytes)
		return 0;
	if (!counts) {
		error_set(err, ENOTSUP, "cannot limit the subvolume \"%s\": quotas are not enabled on "
			  "its filesystem (btrfs)", source);
		return error_mend(err, "btrfs quota enable %s", source);
	}
	if (only_try || subvolume_limit(top, bytes) == 0)
		return 0;
	return error_sys(err, "cannot limit the subvolume \"%s\" to %llu bytes", source,
			 (unsigned long long)bytes);
}

const struct storage_driver storage_btrfs = {
	.name = "btrfs",
	.usable = btrfs_usable,
	.check = btrfs_check,
	.look = btrfs_look,
	.mount = btrfs_mount,
	.place = btrfs_place,
	.create = btrfs_create,
	.snapshot = btrfs_snapshot,
	.destroy = btrfs_destroy,
	.limit = btrfs_limit,
};

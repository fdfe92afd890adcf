/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems in a file, SOURCE: mounted through a loop device that the kernel clears by itself
 * when the last mount of it goes (autoclear), so nothing outlives the container.
 *
 * Two devices of one file would be two caches over one filesystem, which destroys it.  So a device
 * that the file has already is used again, and the file is locked while we look for one.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "storage/block.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#define TRIES 100 /* others take free devices too, and hold the lock for moments */
#define PAUSE_US 20000

/* ---- loop devices ---- */

static int open_image(const char *source, struct error *err)
{
	autoclose int fd = open(source, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return error_set(err, ENOENT, "cannot find the file \"%s\" with the root filesystem",
				 source);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot open the file \"%s\" with the root filesystem",
				 source);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "cannot use \"%s\" as a file with a root filesystem: "
				 "it is no regular file", source);
	return steal_fd(&fd);
}

static int lock_image(int image, const char *source, struct error *err)
{
	for (int i = 0; i < TRIES; i++) {
		if (flock(image, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			break;
		usleep(PAUSE_US);
	}
	return error_sys(err, "cannot lock the file \"%s\"", source);
}

/* That device, if this file is behind it; while it is open it cannot lose the file. */
static int open_if_same(int number, const struct stat *image)
{
	autofree char *path = str_printf("/dev/loop%d", number);
	autofree char *bound = str_printf("/sys/block/loop%d/loop/backing_file", number);
	autoclose int fd = -1;
	struct loop_info64 info;

	if (!path || !bound || access(bound, F_OK) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, LOOP_GET_STATUS64, &info) < 0)
		return -1;
	if (info.lo_device != image->st_dev || info.lo_inode != image->st_ino || info.lo_offset)
		return -1;
	return steal_fd(&fd);
}

static int find_device(int image, int *ret_number)
{
	autodir DIR *dir = opendir("/sys/block");
	struct dirent *entry;
	struct stat st;

	while (dir && fstat(image, &st) == 0 && (entry = readdir(dir))) {
		int number, fd;
		char more;

		if (sscanf(entry->d_name, "loop%d%c", &number, &more) != 1)
			continue;
		fd = open_if_same(number, &st);
		if (fd < 0)
			continue;
		*ret_number = number;
		return fd;
	}
	return -1;
}

static int no_device(struct error *err)
{
	error_sys(err, "cannot get a loop device");
	return error_mend(err, "modprobe loop");
}

static int new_device(int image, const char *source, int *ret_number, struct error *err)
{
	autoclose int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {.fd = (unsigned)image, .info.lo_flags = LO_FLAGS_AUTOCLEAR};

	if (control < 0)
		return no_device(err);
	snprintf((char *)config.info.lo_file_name, LO_NAME_SIZE, "%s", source);
	for (int i = 0; i < TRIES; i++) {
		int number = ioctl(control, LOOP_CTL_GET_FREE);
		autofree char *path = str_printf("/dev/loop%d", number);
		autoclose int fd = -1;

		if (number < 0 || !path)
			break;
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0) {
			*ret_number = number;
			return steal_fd(&fd);
		}
		if (fd < 0 ? errno != ENXIO : errno != EBUSY)
			break;
	}
	return no_device(err);
}

/* Open the device of a file; its number. */
static int loop_open(const char *source, int *ret_number, struct error *err)
{
	autoclose int image = open_image(source, err);
	int fd;

	if (image < 0 || lock_image(image, source, err) < 0)
		return -1;
	fd = find_device(image, ret_number);
	if (fd < 0)
		fd = new_device(image, source, ret_number, err);
	/* The device has the file open from now on, as we have it, and would keep the lock. */
	flock(image, LOCK_UN);
	return fd;
}

/* ---- the driver ---- */

static int loop_mount(const char *source, const char *const *options, struct error *err)
{
	int number, tree;
	autoclose int device = loop_open(source, &number, err);
	char path[40];

	if (device < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	tree = block_mount(path, options, err);
	return tree < 0 ? error_within(err, "cannot use the file \"%s\"", source) : tree;
}

static int loop_look(const char *source, struct error *err)
{
	return loop_mount(source, NULL, err);
}

static int loop_check(const char *source, struct error *err)
{
	autoclose int fd = -1;

	if (*source != '/')
		return error_set(err, EINVAL, "cannot use the file \"%s\" for a root filesystem: "
				 "it is not an absolute path", source);
	fd = open_image(source, err);
	return fd < 0 ? -1 : 0;
}

static int cannot_share(const char *from, const char *where, struct error *err)
{
	error_sys(err, "cannot share the contents of \"%s\" with \"%s\"", from, where);
	if (err && (err->code == EOPNOTSUPP || err->code == EXDEV || err->code == EINVAL ||
		    err->code == ENOTTY || err->code == EISDIR))
		err->code = ENOTSUP;
	return -1;
}

/* Tried with a file that has no name, where the container's directory is or will be. */
static int check_sharing(const char *from, const char *dir, struct error *err)
{
	autoclose int image = open_image(from, err), probe = -1;
	autofree char *path = strdup(dir);
	char *slash;

	if (image < 0)
		return -1;
	while (path && access(path, F_OK) < 0 && (slash = strrchr(path, '/')) && slash != path)
		*slash = '\0';
	probe = path ? open(path, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600) : -1;
	return probe < 0 || ioctl(probe, FICLONE, image) < 0 ? cannot_share(from, dir, err) : 0;
}

static int loop_usable(const struct storage_new *new, struct error *err)
{
	if (new->from && new->from->driver == &storage_loop)
		return check_sharing(new->from->source, new->dir, err);
	if (access("/dev/loop-control", R_OK | W_OK) < 0)
		return no_device(err);
	return block_need_mkfs(new, err);
}

static int loop_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	*ret_source = str_printf("%s/rootdev%s", new->dir, new->variant ? new->variant : "");
	return *ret_source ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int make_file(const char *source, uint64_t size, struct error *err)
{
	autoclose int fd = open(source, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return error_sys(err, "cannot make the file \"%s\"", source);
	if (fchmod(fd, 0600) < 0 || ftruncate(fd, (off_t)size) < 0)
		return error_sys(err, "cannot make the file \"%s\" of %llu bytes", source,
				 (unsigned long long)size);
	return 0;
}

static int loop_create(const char *source, const struct storage_new *new, struct error *err)
{
	autoclose int root = -1;

	if (make_file(source, block_wanted_size(new), err) < 0 ||
	    block_make_fs(source, new, err) < 0)
		return -1;
	root = loop_look(source, err);
	return root < 0 ? -1 : block_give(root, source, new, err);
}

/* What a running container wrote is in the file only when its filesystem was asked for it. */
static int sync_mounted(int image, const char *source, struct error *err)
{
	int number;
	autoclose int device = find_device(image, &number), root = -1;

	if (device >= 0) {
		root = loop_look(source, err);
		if (root < 0 || block_sync(root, source, err) < 0)
			return -1;
	}
	return fsync(image) < 0 ? error_sys(err, "cannot write \"%s\"", source) : 0;
}

static int share_contents(const char *from, int image, const char *source, int copy,
			  struct error *err)
{
	if (ioctl(copy, FICLONE, image) == 0)
		return 0;
	cannot_share(from, source, err);
	unlink(source);
	return -1;
}

/* Where the filesystem around the file can share blocks the whole file is copied at once. */
static int loop_snapshot(const struct storage *from, const char *source,
			 const struct storage_new *new, struct error *err)
{
	autoclose int image = -1, copy = -1;

	if (from->driver != &storage_loop)
		return error_set(err, ENOTSUP, "cannot make a snapshot of %s storage in a file",
				 from->driver->name);
	image = open_image(from->source, err);
	if (image < 0 || sync_mounted(image, from->source, err) < 0)
		return -1;
	copy = open(source, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (copy < 0)
		return error_sys(err, "cannot make the file \"%s\"", source);
	if (share_contents(from->source, image, source, copy, err) < 0)
		return -1;
	close_fd(&copy);
	return block_new_identity(source, err);
}

static int loop_destroy(const char *source, struct error *err)
{
	struct stat st;

	if (lstat(source, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "cannot remove the root filesystem \"%s\": it is no "
				 "regular file", source);
	if (unlink(source) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove the root filesystem \"%s\"", source);
	return 0;
}

static uint64_t loop_size(const char *source)
{
	struct stat st;

	return stat(source, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int loop_grow(const char *source, uint64_t size, struct error *err)
{
	autoclose int device = -1, root = -1;
	int number;

	if (size < loop_size(source))
		return error_set(err, EINVAL, "cannot make \"%s\" smaller", source);
	if (truncate(source, (off_t)size) < 0)
		return error_sys(err, "cannot make the file \"%s\" larger", source);
	device = loop_open(source, &number, err);
	if (device < 0)
		return -1;
	if (ioctl(device, LOOP_SET_CAPACITY) < 0)
		return error_sys(err, "cannot make the loop device of \"%s\" larger", source);
	root = loop_look(source, err);
	return root < 0 ? -1 : block_grow_fs(root, source, size, err);
}

const struct storage_driver storage_loop = {
	.name = "loop",
	.mounted_outside = true,
	.alone = true,
	.usable = loop_usable,
	.check = loop_check,
	.look = loop_look,
	.mount = loop_mount,
	.place = loop_place,
	.create = loop_create,
	.snapshot = loop_snapshot,
	.destroy = loop_destroy,
	.grow = loop_grow,
	.size = loop_size,
};

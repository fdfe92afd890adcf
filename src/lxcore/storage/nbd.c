/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems in a disk image of qemu, SOURCE: FILE[:PARTITION].  qemu-nbd serves it as one of
 * the devices /dev/nbdN.  Which one is no secret to be kept: the kernel tells for each device which
 * process serves it, and that one's command line ends in FILE.
 */
#include "base/auto.h"
#include "base/fd.h"
#include "storage/block.h"
#include "storage/qcow2.h"
#include "storage/tool.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PATIENCE_MS 5000
#define PAUSE_US 50000
#define MOST_DEVICES 256

struct image {
	char *file;
	int partition; /* 0: the disk as a whole */
};

static void free_image(struct image *image)
{
	free(image->file);
}
#define autoimage __attribute__((cleanup(free_image)))

static int parse_image(const char *source, struct image *ret, struct error *err)
{
	size_t n = strlen(source);

	ret->partition = 0;
	if (n > 2 && source[n - 2] == ':' && source[n - 1] >= '1' && source[n - 1] <= '9') {
		ret->partition = source[n - 1] - '0';
		n -= 2;
	}
	ret->file = strndup(source, n);
	if (!ret->file)
		return error_set(err, ENOMEM, "out of memory");
	if (*source == '/')
		return 0;
	return error_set(err, EINVAL, "cannot use the image \"%s\" for a root filesystem: it is not an "
			 "absolute path", source);
}

/* ---- devices ---- */

/* Does the process that serves this device serve that file? */
static bool serves(const char *pid, const char *file)
{
	autofree char *path = str_printf("/proc/%.*s/cmdline", (int)strcspn(pid, "\n"), pid);
	autobuf struct buf line = BUF_INIT;
	size_t n = strlen(file);

	if (!path || file_read(AT_FDCWD, path, &line) < 0 || line.len < n + 2)
		return false;
	return memcmp(line.s + line.len - n - 1, file, n) == 0 && line.s[line.len - n - 2] == '\0';
}

/* Number of the device that has the file; -1: none. */
static int find_device(const char *file)
{
	for (int i = 0; i < MOST_DEVICES; i++) {
		autofree char *path = str_printf("/sys/block/nbd%d/pid", i);
		autobuf struct buf pid = BUF_INIT;

		if (path && file_read(AT_FDCWD, path, &pid) == 0 && pid.s && serves(pid.s, file))
			return i;
	}
	return -1;
}

static int no_devices(struct error *err)
{
	error_set(err, ENODEV, "there are no devices /dev/nbdN");
	return error_mend(err, "modprobe nbd");
}

static bool is_free(int number)
{
	autofree char *block = str_printf("/sys/block/nbd%d", number);
	autofree char *pid = str_printf("/sys/block/nbd%d/pid", number);

	return block && pid && access(block, F_OK) == 0 && access(pid, F_OK) < 0;
}

/* Another one may take a free device before we do: then the next is tried. */
static int connect_free(const char *file, struct error *err)
{
	const char *format = qcow2_format(file);

	if (!format)
		return error_sys(err, "cannot read \"%s\"", file);
	if (access("/sys/block/nbd0", F_OK) < 0)
		return no_devices(err);
	error_set(err, EBUSY, "all devices /dev/nbdN are in use");
	for (int i = 0; i < MOST_DEVICES; i++) {
		autofree char *device = str_printf("/dev/nbd%d", i);
		const char *const argv[] = {"qemu-nbd", "-c", device, "-f", format, file, NULL};

		if (!device)
			return error_set(err, ENOMEM, "out of memory");
		if (!is_free(i))
			continue;
		error_clear(err);
		if (tool_run(argv, 0, NULL, err) == 0)
			return i;
		if (is_free(i))
			return -1;
	}
	return -1;
}

/* Can its first sector be read? */
static bool can_read(const char *device)
{
	autoclose int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char sector[512];

	return fd >= 0 && pread(fd, sector, sizeof(sector), 0) == (ssize_t)sizeof(sector);
}

/* qemu-nbd returns before the kernel has taken the image's size, and until then the device is empty. */
static int wait_until_ready(int number, struct error *err)
{
	autofree char *device = str_printf("/dev/nbd%d", number);
	long long end = clock_ms() + PATIENCE_MS;

	if (!device)
		return error_set(err, ENOMEM, "out of memory");
	while (block_size(device) == 0 || !can_read(device)) {
		if (clock_ms() > end)
			return error_set(err, ETIMEDOUT, "\"%s\" could not be read within %d seconds",
					 device, PATIENCE_MS / 1000);
		usleep(PAUSE_US);
	}
	return 0;
}

/* The device with the file, connected now if it was not. */
static int connect_image(const char *source, char ret_device[32], struct error *err)
{
	autoimage struct image image = {0};
	int number;

	if (parse_image(source, &image, err) < 0)
		return -1;
	number = find_device(image.file);
	if (number < 0)
		number = connect_free(image.file, err);
	if (number < 0 || wait_until_ready(number, err) < 0)
		return error_within(err, "cannot connect the image \"%s\" to a device", image.file);
	snprintf(ret_device, 32, image.partition ? "/dev/nbd%dp%d" : "/dev/nbd%d", number,
		 image.partition);
	if (tool_wait_for(ret_device, err) == 0)
		return 0;
	return error_within(err, "cannot find partition %d in the image \"%s\"", image.partition,
			    image.file);
}

/* Whoever opens it exclusively knows that nothing is mounted from it, nor from a partition. */
static bool is_unused(const char *device)
{
	autoclose int fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC | O_NONBLOCK);

	return fd >= 0 || errno != EBUSY;
}

static int nbd_disconnect(const char *source, struct error *err)
{
	long long end = clock_ms() + PATIENCE_MS;
	autoimage struct image image = {0};
	char device[32];
	int number;

	if (parse_image(source, &image, err) < 0)
		return -1;
	number = find_device(image.file);
	if (number < 0)
		return 0;
	snprintf(device, sizeof(device), "/dev/nbd%d", number);
	while (!is_unused(device)) {
		/* What is mounted would lose what it has not written yet. */
		if (clock_ms() > end)
			return error_set(err, EBUSY, "cannot disconnect \"%s\" from \"%s\": it "
					 "is still mounted", image.file, device);
		usleep(PAUSE_US);
	}

	const char *const argv[] = {"qemu-nbd", "-d", device, NULL};

	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot disconnect \"%s\" from \"%s\"", image.file, device);
	/* The process ends a moment later, and has the file until then. */
	while (find_device(image.file) >= 0 && clock_ms() < end)
		usleep(PAUSE_US);
	return 0;
}

/* ---- the driver ---- */

static int nbd_check(const char *source, struct error *err)
{
	autoimage struct image image = {0};
	struct stat st;

	if (parse_image(source, &image, err) < 0)
		return -1;
	if (stat(image.file, &st) < 0)
		return error_sys(err, "cannot find the image \"%s\"", image.file);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, EINVAL, "cannot use \"%s\" as a disk image: it is no file",
				 image.file);
	return tool_need("qemu-nbd", err);
}

static int nbd_mount(const char *source, const char *const *options, struct error *err)
{
	char device[32];

	return connect_image(source, device, err) < 0 ? -1 : block_mount(device, options, err);
}

static int nbd_look(const char *source, struct error *err)
{
	return nbd_mount(source, NULL, err);
}

/* Who serves an image writes to its present file, which a snapshot makes nobody's. */
static int check_unused(const char *source, struct error *err)
{
	autoimage struct image image = {0};
	char device[32];
	int number;

	if (parse_image(source, &image, err) < 0)
		return -1;
	number = find_device(image.file);
	snprintf(device, sizeof(device), "/dev/nbd%d", number);
	if (number < 0 || is_unused(device))
		return 0;
	return error_set(err, ENOTSUP, "cannot make a snapshot of the image \"%s\" while it is mounted",
			 image.file);
}

static int nbd_usable(const struct storage_new *new, struct error *err)
{
	if (tool_need("qemu-nbd", err) < 0 || tool_need("qemu-img", err) < 0)
		return -1;
	if (new->from && new->from->driver == &storage_nbd)
		return check_unused(new->from->source, err);
	return access("/sys/block/nbd0", F_OK) < 0 ? no_devices(err) : block_need_mkfs(new, err);
}

static int nbd_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	*ret_source = str_printf("%s/rootdev%s.qcow2", new->dir, new->variant ? new->variant : "");
	return *ret_source ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int nbd_create(const char *source, const struct storage_new *new, struct error *err)
{
	autoclose int root = -1;
	char device[32];

	if (qcow2_create(source, block_wanted_size(new), err) < 0 ||
	    connect_image(source, device, err) < 0 || block_make_fs(device, new, err) < 0)
		return -1;
	root = block_mount(device, NULL, err);
	return root < 0 ? -1 : block_give(root, source, new, err);
}

static int nbd_snapshot(const struct storage *from, const char *source,
			const struct storage_new *new, struct error *err)
{
	autoimage struct image old = {0}, image = {0};

	if (parse_image(source, &image, err) < 0)
		return -1;
	if (from->driver != &storage_nbd)
		return error_set(err, ENOTSUP, "cannot make a snapshot of %s storage in an image",
				 from->driver->name);
	if (parse_image(from->source, &old, err) < 0)
		return -1;
	if (nbd_disconnect(from->source, err) < 0)
		return error_mend(err, "stop the container that uses it");
	return qcow2_snapshot(old.file, image.file, err);
}

static int nbd_destroy(const char *source, struct error *err)
{
	autoimage struct image image = {0};

	if (parse_image(source, &image, err) < 0 || nbd_disconnect(source, err) < 0)
		return -1;
	return qcow2_remove(image.file, err);
}

static uint64_t nbd_size(const char *source)
{
	autoimage struct image image = {0};

	return parse_image(source, &image, NULL) < 0 ? 0 : qcow2_size(image.file);
}

static int nbd_grow(const char *source, uint64_t size, struct error *err)
{
	autofree char *bytes = str_printf("%llu", (unsigned long long)size);
	autoclose int root = -1;
	autoimage struct image image = {0};
	char device[32];

	if (!bytes)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_image(source, &image, err) < 0)
		return -1;
	if (image.partition)
		return error_set(err, ENOTSUP, "cannot make \"%s\" larger: it is a partition of a disk",
				 source);

	const char *format = qcow2_format(image.file);
	const char *const argv[] = {"qemu-img", "resize", "-q", "-f", format ? format : "raw",
				    image.file, bytes, NULL};

	if (nbd_disconnect(source, err) < 0)
		return -1;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make the image \"%s\" larger", image.file);
	if (connect_image(source, device, err) < 0)
		return -1;
	root = block_mount(device, NULL, err);
	return root < 0 ? -1 : block_grow_fs(root, source, block_size(device), err);
}

const struct storage_driver storage_nbd = {
	.name = "nbd",
	.mounted_outside = true,
	.usable = nbd_usable,
	.check = nbd_check,
	.look = nbd_look,
	.mount = nbd_mount,
	.disconnect = nbd_disconnect,
	.place = nbd_place,
	.create = nbd_create,
	.snapshot = nbd_snapshot,
	.destroy = nbd_destroy,
	.grow = nbd_grow,
	.size = nbd_size,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * /dev: a small filesystem of the container's own (part_dev, before the mounts, which may go below
 * it) and the few devices that every system needs (part_devices, after the hooks, which may have
 * made some themselves).  With lxc.autodev = 0 the root filesystem's own /dev is used as it is.
 */
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"
#include "base/fd.h"
#include "parts/parts.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

struct devices_conf {
	bool autodev;
	unsigned tmpfs_size;
};

static const struct conf_key keys[] = {
	{"lxc.autodev", &conf_bool, offsetof(struct devices_conf, autodev), .preset = "1",
	 .summary = "1: a small /dev of the container's own with the basic devices; 0: the root "
		    "filesystem's."},
	{"lxc.autodev.tmpfs.size", &conf_uint, offsetof(struct devices_conf, tmpfs_size),
	 .preset = "500000", .syntax = "BYTES", .summary = "Size of that /dev."},
	{NULL},
};

static const struct conf_section section = {"devices", sizeof(struct devices_conf), keys};

/* ---- dev ---- */

/* A link called 'dev' could lead the mount to any other place of the tree: not followed. */
static int open_dev(struct boot *b, bool make, struct error *err)
{
	b->dev = path_open_in(b->root, "dev", O_PATH | O_NOFOLLOW | O_DIRECTORY, 0);
	if (b->dev < 0 && errno == ENOENT && make)
		b->dev = path_make_dir_in(b->root, "dev", 0755);
	if (b->dev >= 0)
		return 0;
	if (errno == ENOTDIR || errno == ELOOP)
		return error_set(err, ENOTDIR,
				 "cannot use \"/dev\" of the root filesystem: "
				 "it is a link or a file, not a directory");
	return error_sys(err, "cannot open \"/dev\" of the root filesystem");
}

static int dev_enter(struct boot *b, struct error *err)
{
	const struct devices_conf *dc = conf_of(b->conf, &section);
	autoclose int tree = -1;
	char size[32];
	const char *const options[] = {"mode=0755", size, "source=none", NULL};

	if (!b->has_rootfs || !dc->autodev)
		return 0;
	snprintf(size, sizeof(size), "size=%u", dc->tmpfs_size ? dc->tmpfs_size : 500000);
	if (open_dev(b, true, err) < 0)
		return -1;
	tree = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID, err);
	if (tree < 0)
		return error_within(err, "/dev");
	if (mount_place(tree, b->dev, "", NULL) < 0)
		return error_sys(err, "cannot mount \"/dev\"");
	close_fd(&b->dev);
	b->dev = steal_fd(&tree);
	if (mkdirat(b->dev, "pts", 0755) < 0)
		return error_sys(err, "cannot make \"/dev/pts\"");
	return 0;
}

const struct part part_dev = {.name = "dev", .section = &section, .enter = dev_enter};

/* ---- devices ---- */

static const struct {
	const char *name;
	unsigned minor, major;
} nodes[] = {
	{"null", 3, 1},   {"zero", 5, 1},    {"full", 7, 1},
	{"random", 8, 1}, {"urandom", 9, 1}, {"tty", 0, 5},
};

static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

/* The host's device, where the container may make none that opens. */
static int bind_node(struct boot *b, const char *name, struct error *err)
{
	static const struct mount_change change = {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC};
	char path[32];
	autoclose int tree = -1;

	snprintf(path, sizeof(path), "/dev/%s", name);
	tree = mount_copy(AT_FDCWD, path, false);
	if (tree < 0)
		return error_sys(err, "cannot take the host's device \"%s\"", path);
	if ((mknodat(b->dev, name, S_IFREG, 0) < 0 && errno != EEXIST) ||
	    mount_place(tree, b->dev, name, &change) < 0)
		return error_sys(err, "cannot put the host's device \"%s\" into the container",
				 path);
	return 0;
}

/*
 * A node can be made but not opened where the filesystem belongs to a user namespace (mknod(2) is
 * allowed there, the devices behind are not), or where a device rule forbids it.
 */
static bool may_make_nodes(const struct boot *b)
{
	const char *first = nodes[0].name;
	autoclose int fd = -1;
	bool made;

	if (b->userns)
		return false;
	made = mknodat(b->dev, first, S_IFCHR | 0666, makedev(nodes[0].major, nodes[0].minor)) == 0;
	if (!made && errno != EEXIST)
		return false;
	fd = openat(b->dev, first, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && made)
		unlinkat(b->dev, first, 0);
	return fd >= 0;
}

static int make_nodes(struct boot *b, struct error *err)
{
	bool make = may_make_nodes(b);

	/* The first was made to see whether it can be. */
	for (size_t i = make ? 1 : 0; i < ARRAY_SIZE(nodes); i++) {
		const char *name = nodes[i].name;
		struct stat st;

		if (make && (mknodat(b->dev, name, S_IFCHR | 0666,
				     makedev(nodes[i].major, nodes[i].minor)) == 0 ||
			     errno == EEXIST))
			continue;
		/* Put there by a hook or by a mount entry: theirs to know. */
		if (!make && fstatat(b->dev, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		if (bind_node(b, name, err) < 0)
			return -1;
	}
	return 0;
}

static int make_links(const struct boot *b, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, b->dev, links[i].name) < 0 && errno != EEXIST)
			return error_sys(err, "cannot make the link \"/dev/%s\"", links[i].name);
	return 0;
}

/* A random UUID as uuid(7) has them, version 4. */
static int make_boot_id(char text[38])
{
	unsigned char r[16];

	if (getrandom(r, sizeof(r), 0) != sizeof(r))
		return -1;
	r[6] = (r[6] & 0x0f) | 0x40;
	r[8] = (r[8] & 0x3f) | 0x80;
	snprintf(text, 38,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x\n",
		 r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12],
		 r[13], r[14], r[15]);
	return 0;
}

/*
 * Each start of a container is a boot: with the host's boot id, journald and others would take two
 * of them for one.
 */
static int mount_boot_id(struct boot *b, struct error *err)
{
	static const struct mount_change change = {
		.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
	};
	autoclose int at =
		path_open_in(b->root, "proc/sys/kernel/random/boot_id", O_PATH | O_NOFOLLOW, 0);
	autoclose int file = -1, tree = -1;
	struct statfs fs;
	char id[38];

	/* Only over procfs; the container may have been given none, or something of its own. */
	if (at < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (at < 0 || fstatfs(at, &fs) < 0)
		return error_sys(err, "cannot look at the boot id in the container's /proc");
	if (fs.f_type != PROC_SUPER_MAGIC)
		return 0;
	file = openat(b->dev, ".lxc-boot-id", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		      0444);
	if (file < 0 || make_boot_id(id) < 0 || fd_write_all(file, id, strlen(id)) < 0)
		return error_sys(err, "cannot write \"/dev/.lxc-boot-id\"");
	tree = mount_copy(b->dev, ".lxc-boot-id", false);
	if (tree < 0 || mount_place(tree, at, "", &change) < 0)
		return error_sys(err, "cannot give the container a boot id of its own");
	return 0;
}

static int fill_dev(struct boot *b, struct error *err)
{
	if (make_nodes(b, err) < 0 || make_links(b, err) < 0)
		return -1;
	return mount_boot_id(b, err);
}

/*
 * systemd mounts the host's devtmpfs over a /dev that is no mount, which would hide the terminals.
 * A root filesystem that brings its devices keeps them: its /dev becomes a mount, of itself.
 */
static int keep_own_dev(struct boot *b, struct error *err)
{
	autoclose int tree = -1;
	struct stat st;

	if (fstatat(b->dev, "null", &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISCHR(st.st_mode))
		return 0;
	tree = mount_copy(b->dev, "", true);
	if (tree < 0 || mount_place(tree, b->dev, "", NULL) < 0)
		return error_sys(err, "cannot mount the root filesystem's own \"/dev\"");
	close_fd(&b->dev);
	b->dev = steal_fd(&tree);
	return 0;
}

static int devices_enter(struct boot *b, struct error *err)
{
	const struct devices_conf *dc = conf_of(b->conf, &section);
	mode_t mask;
	int result;

	if (!b->has_rootfs)
		return 0;
	/* Opened again: an entry or a hook may have mounted another /dev since. */
	close_fd(&b->dev);
	if (open_dev(b, !dc->autodev, err) < 0)
		return -1;
	if (!dc->autodev)
		return keep_own_dev(b, err);
	mask = umask(0);
	result = fill_dev(b, err);
	umask(mask);
	return result;
}

const struct part part_devices = {.name = "devices", .enter = devices_enter};

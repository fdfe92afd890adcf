/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filesystems on block devices: see block.h. */
#include "storage/block.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/mount.h"
#include "storage/tool.h"

#include <linux/fs.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* ---- making ---- */

uint64_t block_wanted_size(const struct storage_new *new)
{
	return new->spec.size ? new->spec.size : BLOCK_DEFAULT_SIZE;
}

const char *block_wanted_fstype(const struct storage_new *new)
{
	return new->spec.fstype ? new->spec.fstype : BLOCK_DEFAULT_FSTYPE;
}

/* What lets each of them work without a question, quietly, over what was there before. */
static const struct {
	const char *fstype, *options[3];
} makers[] = {
	{"ext2", {"-q", "-F"}}, {"ext3", {"-q", "-F"}},  {"ext4", {"-q", "-F"}},
	{"xfs", {"-q", "-f"}},  {"btrfs", {"-q", "-f"}}, {"f2fs", {"-q", "-f"}},
};

/* The type goes into the name of a program. */
static bool is_plain(const char *fstype)
{
	return *fstype && !fstype[strspn(fstype, "abcdefghijklmnopqrstuvwxyz0123456789_")];
}

int block_need_mkfs(const struct storage_new *new, struct error *err)
{
	const char *fstype = block_wanted_fstype(new);
	autofree char *program = str_printf("mkfs.%s", fstype);

	if (!program)
		return error_set(err, ENOMEM, "out of memory");
	if (!is_plain(fstype))
		return error_set(err, EINVAL, "cannot make a filesystem of type \"%s\": that is no "
				 "name of one", fstype);
	if (tool_need(program, err) == 0)
		return 0;
	return error_within(err, "cannot make a filesystem of type \"%s\"", fstype);
}

int block_make_fs(const char *device, const struct storage_new *new, struct error *err)
{
	const char *fstype = block_wanted_fstype(new);
	autofree char *program = str_printf("mkfs.%s", fstype);
	const char *argv[6];
	size_t n = 0;

	if (!program)
		return error_set(err, ENOMEM, "out of memory");
	argv[n++] = program;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++)
		for (size_t k = 0; strcmp(makers[i].fstype, fstype) == 0 && makers[i].options[k]; k++)
			argv[n++] = makers[i].options[k];
	argv[n++] = device;
	argv[n] = NULL;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make a filesystem of type \"%s\" on \"%s\"", fstype,
				    device);
	return 0;
}

int block_give(int root, const char *source, const struct storage_new *new, struct error *err)
{
	if (fchownat(root, "", new->uid, new->gid, AT_EMPTY_PATH) < 0 ||
	    fchmodat(root, ".", 0755, 0) < 0)
		return error_sys(err, "cannot give \"%s\" to user %u", source, new->uid);
	/* Its owner shall be able to use what the filesystem finds again. */
	if (fchownat(root, "lost+found", new->uid, new->gid, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno != ENOENT)
		return error_sys(err, "cannot give \"%s/lost+found\" to user %u", source, new->uid);
	return 0;
}

/* ---- recognising ---- */

static const struct {
	const char *fstype;
	off_t at;
	size_t n;
	const char *bytes;
} signatures[] = {
	{"ext4", 1024 + 56, 2, "\x53\xef"}, /* ext2 and ext3 too: its driver is theirs */
	{"xfs", 0, 4, "XFSB"},
	{"btrfs", 65536 + 64, 8, "_BHRfS_M"},
	{"squashfs", 0, 4, "hsqs"},
	{"erofs", 1024, 4, "\xe2\xe1\xf5\xe0"},
	{"f2fs", 1024, 4, "\x10\x20\xf5\xf2"},
};

const char *block_fstype(const char *device)
{
	autoclose int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char found[8];

	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(signatures); i++)
		if (pread(fd, found, signatures[i].n, signatures[i].at) ==
			    (ssize_t)signatures[i].n &&
		    memcmp(found, signatures[i].bytes, signatures[i].n) == 0)
			return signatures[i].fstype;
	return NULL;
}

static int device_errors(const char *device, const char *what, struct error *err)
{
	if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO)
		return error_set(err, ENOENT, "cannot find the %s \"%s\"", what, device);
	return error_sys(err, "cannot open the %s \"%s\"", what, device);
}

int block_check(const char *device, const char *what, struct error *err)
{
	struct stat st;

	if (stat(device, &st) < 0)
		return device_errors(device, what, err);
	if (!S_ISBLK(st.st_mode))
		return error_set(err, ENOTBLK, "cannot use \"%s\" as a %s: it is no block device",
				 device, what);
	return 0;
}

uint64_t block_size(const char *device)
{
	autoclose int fd = open(device, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	uint64_t size = 0;

	return fd >= 0 && ioctl(fd, BLKGETSIZE64, &size) == 0 ? size : 0;
}

/* ---- mounting ---- */

static int mount_as(const char *fstype, const char *device, const char *const *options,
		    struct error *err)
{
	autofree char *source = str_printf("source=%s", device);
	autostrv struct strv all = {0};

	if (!source || strv_take(&all, steal_ptr(&source)) < 0)
		return error_set(err, ENOMEM, "out of memory");
	/* A snapshot has the identity of its origin, which may be mounted too. */
	if (strcmp(fstype, "xfs") == 0 && strv_add(&all, "nouuid") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (; options && *options; options++)
		if (strv_add(&all, *options) < 0)
			return error_set(err, ENOMEM, "out of memory");
	return mount_new(fstype, (const char *const *)all.v, 0, err);
}

/* One line of a list of types, '[nodev] TYPE': the type when a device can hold it. */
static char *type_in(char *line)
{
	line += strspn(line, " \t");
	line[strcspn(line, " \t#")] = '\0';
	return *line && strcmp(line, "nodev") != 0 && strcmp(line, "*") != 0 ? line : NULL;
}

/* A type that we do not know by its signature: what the host says it has is tried in its order. */
static int mount_any(const char *device, const char *const *options, struct error *err)
{
	static const char *const lists[] = {"/etc/filesystems", "/proc/filesystems"};

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		autobuf struct buf text = BUF_INIT;
		char *rest, *line, *type;

		if (file_read(AT_FDCWD, lists[i], &text) < 0)
			continue;
		for (rest = text.s; rest && (line = strsep(&rest, "\n"));) {
			int tree;

			if (!(type = type_in(line)))
				continue;
			tree = mount_as(type, device, options, NULL);
			if (tree >= 0)
				return tree;
		}
	}
	error_set(err, EINVAL, "cannot mount \"%s\": no filesystem that this kernel knows lies there",
		  device);
	return error_mend(err, "blkid %s      (shows what lies there)", device);
}

int block_mount(const char *device, const char *const *options, struct error *err)
{
	const char *fstype = block_fstype(device);
	int tree;

	if (!fstype && access(device, F_OK) < 0)
		return device_errors(device, "block device", err);
	if (!fstype)
		return mount_any(device, options, err);
	tree = mount_as(fstype, device, options, err);
	return tree < 0 ? error_within(err, "cannot mount \"%s\"", device) : tree;
}

/* ---- copies of devices ---- */

/* xfs is mounted with 'nouuid', ext4 does not mind, btrfs before Linux 6.7 refuses the second. */
int block_new_identity(const char *device, struct error *err)
{
	const char *fstype = block_fstype(device);
	const char *const argv[] = {"btrfstune", "-f", "-m", device, NULL};

	if (!fstype || strcmp(fstype, "btrfs") != 0)
		return 0;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot give the filesystem on \"%s\" an identity of its own",
				    device);
	return 0;
}

int block_sync(int root, const char *source, struct error *err)
{
	autoclose int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || syncfs(fd) < 0)
		return error_sys(err, "cannot write what is mounted to \"%s\"", source);
	return 0;
}

/* ---- growing ---- */

/* Of the filesystems' own interfaces, which have no public header: EXT4_IOC_RESIZE_FS (blocks),
 * XFS_IOC_FSGEOMETRY_V1, XFS_IOC_FSGROWFSDATA (blocks, most per cent for inodes), BTRFS_IOC_RESIZE
 * (device and size as text). */
struct xfs_geometry {
	uint32_t sizes[7], inode_percent;
	uint64_t more[10];
};
struct xfs_grow {
	uint64_t blocks;
	uint32_t inode_percent, unused;
};
struct btrfs_resize {
	int64_t fd;
	char name[4088];
};
#define EXT4_RESIZE _IOW('f', 16, uint64_t)
#define XFS_GEOMETRY _IOR('X', 100, struct xfs_geometry)
#define XFS_GROW _IOW('X', 110, struct xfs_grow)
#define BTRFS_RESIZE _IOW(0x94, 3, struct btrfs_resize)

static int grow_xfs(int fd, uint64_t blocks)
{
	struct xfs_geometry now;
	struct xfs_grow grow = {.blocks = blocks};

	if (ioctl(fd, XFS_GEOMETRY, &now) < 0)
		return -1;
	grow.inode_percent = now.inode_percent;
	return ioctl(fd, XFS_GROW, &grow);
}

static int grow_by_magic(int fd, const struct statfs *fs, uint64_t size)
{
	uint64_t blocks = size / (uint64_t)fs->f_bsize;
	struct btrfs_resize all = {.name = "max"};

	switch (fs->f_type) {
	case EXT4_SUPER_MAGIC:
		return ioctl(fd, EXT4_RESIZE, &blocks);
	case XFS_SUPER_MAGIC:
		return grow_xfs(fd, blocks);
	case BTRFS_SUPER_MAGIC:
		return ioctl(fd, BTRFS_RESIZE, &all);
	}
	errno = ENOTSUP;
	return -1;
}

int block_grow_fs(int root, const char *source, uint64_t size, struct error *err)
{
	autoclose int fd = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd >= 0 && fstatfs(fd, &fs) == 0 && grow_by_magic(fd, &fs, size) == 0)
		return 0;
	return error_sys(err, "cannot make the filesystem on \"%s\" larger", source);
}

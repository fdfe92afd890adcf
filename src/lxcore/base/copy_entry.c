/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The copier, one name of a directory: a file, a symbolic link, a device, a fifo, a socket. */
#include "copy_inner.h"
#include "auto.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* In a mount of our own there is no other. */
bool copy_is_mount(const struct copier *c, int fd, const char *name)
{
	const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx sx;

	if (c->tree >= 0)
		return false;
	return statx(fd, name, flags, 0, &sx) == 0 &&
	       sx.stx_attributes_mask & sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* Filesystems without a disk behind them, whose files say or do something. */
bool copy_is_made_up(int fd)
{
	static const unsigned long types[] = {
		PROC_SUPER_MAGIC, SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
		DEVPTS_SUPER_MAGIC, DEBUGFS_MAGIC, TRACEFS_MAGIC, SECURITYFS_MAGIC, SELINUX_MAGIC,
		BPF_FS_MAGIC, NSFS_MAGIC, BINFMTFS_MAGIC, PSTOREFS_MAGIC, EFIVARFS_MAGIC,
		AUTOFS_SUPER_MAGIC, 0x62656570 /* configfs */, 0x19800202 /* mqueue */,
		0x67596969 /* rpc_pipefs */, 0x65735543 /* fuse's control files */,
		0x5a3c69f0 /* apparmor */,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((unsigned long)fs.f_type == types[i])
			return true;
	return false;
}

bool copy_is_foreign(const struct copier *c, int fd)
{
	return c->o->follow_mounts ? copy_is_made_up(fd) : copy_is_mount(c, fd, "");
}

static int gone(struct copier *c)
{
	c->count.vanished++;
	return 0;
}

/* ---- regular files ---- */

/*
 * Opening a device may do something, and a fifo may wait: only what is a file is opened.  In a
 * mount without devices it is enough to try; elsewhere the name is pinned and looked at first.
 */
static int open_file(const struct copier *c, int dir, const char *name)
{
	const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	autoclose int pinned = -1;
	char path[32];
	struct stat st;
	int fd;

	if (c->tree >= 0)
		return openat(dir, name, flags | O_NOFOLLOW);
	pinned = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (pinned < 0 || fstat(pinned, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = ESTALE;
		return -1;
	}
	/* Opening some of these does something, and what they say is not the file's. */
	if (c->o->follow_mounts && copy_is_made_up(pinned)) {
		errno = ENOTSUP;
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", pinned);
	fd = open(path, flags | O_NOATIME);
	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

static int make_file(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	m->fd = openat(dir->fd[TO], m->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		       m->st->st_mode & 0777);
	return m->fd < 0 ? copy_fail(w->c, dir, m->name, "make the file") : 0;
}

static int fill_file(struct copy_worker *w, struct copy_node *dir, const char *name,
		     const int fd[2], const struct stat *st)
{
	/* What is mounted over a file is not copied. */
	if (!copy_is_foreign(w->c, fd[FROM]) && copy_data(w, dir, name, fd, st) < 0)
		return -1;
	w->c->count.files++;
	return copy_attributes(w, dir, name, fd, st, st->st_mode & 0777);
}

/* 0, -1 after copy_fail(), or 1: it is no file, or no longer. */
static int copy_file(struct copy_worker *w, struct copy_node *dir, const char *name)
{
	autoclose int in = open_file(w->c, dir->fd[FROM], name);
	autoclose int out = -1;
	struct copy_make m = {.make = make_file, .name = name, .fd = -1};
	struct stat st;
	int linked;

	if (in < 0 && errno == ENOENT)
		return gone(w->c);
	/* A symbolic link; a socket; a device where there are none. */
	if (in < 0 && (errno == ELOOP || errno == ENXIO || errno == EACCES || errno == ESTALE))
		return 1;
	if (in < 0 || fstat(in, &st) < 0)
		return copy_fail(w->c, dir, name, "open");
	if (!S_ISREG(st.st_mode))
		return 1;
	m.st = &st;
	linked = copy_link(w, dir, &m);
	out = m.fd;
	if (linked)
		return linked < 0 ? -1 : 0;
	return fill_file(w, dir, name, (const int[2]){in, out}, &st);
}

/* ---- all others ---- */

static int make_symlink(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir->fd[FROM], m->name, target, sizeof(target) - 1);

	if (n < 0 && errno == EINVAL)
		errno = ESTALE;
	if (n < 0)
		return copy_fail(w->c, dir, m->name, "read the symbolic link");
	target[n] = '\0';
	if (symlinkat(target, dir->fd[TO], m->name) < 0)
		return copy_fail(w->c, dir, m->name, "make the symbolic link");
	return 0;
}

static int make_node(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	mode_t mode = (m->st->st_mode & S_IFMT) | (m->st->st_mode & 0777);

	if (mknodat(dir->fd[TO], m->name, mode, m->st->st_rdev) == 0)
		return 0;
	if (S_ISFIFO(mode) || S_ISSOCK(mode))
		return copy_fail(w->c, dir, m->name, "make the fifo or socket");
	return copy_fail(w->c, dir, m->name, "make the device");
}

/* 0, -1 after copy_fail(), or 1: it is a file. */
static int copy_other(struct copy_worker *w, struct copy_node *dir, const char *name)
{
	struct copier *c = w->c;
	struct stat st;
	struct copy_make m = {.make = make_node, .name = name, .st = &st, .fd = -1};
	int linked;

	if (fstatat(dir->fd[FROM], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? gone(c) : copy_fail(c, dir, name, "look at");
	if (S_ISREG(st.st_mode))
		return 1;
	if (S_ISDIR(st.st_mode)) {
		errno = ESTALE;
		return copy_fail(c, dir, name, "copy");
	}
	if (c->o->no_devices && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode))) {
		c->count.left_out++;
		return 0;
	}
	if (S_ISLNK(st.st_mode))
		m.make = make_symlink;
	linked = copy_link(w, dir, &m);
	if (linked)
		return linked < 0 ? -1 : 0;
	if (S_ISLNK(st.st_mode))
		c->count.symlinks++;
	else
		c->count.others++;
	return copy_attributes_named(w, dir, name, &st);
}

/* ---- only counting ---- */

static int count_nothing(struct copy_worker *w, struct copy_node *dir, struct copy_make *m)
{
	return 0;
}

static int count_entry(struct copy_worker *w, struct copy_node *dir, const char *name)
{
	struct copy_count *count = &w->c->count;
	struct stat st;
	struct copy_make m = {.make = count_nothing, .name = name, .st = &st};
	int linked;

	if (fstatat(dir->fd[FROM], name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? gone(w->c) : copy_fail(w->c, dir, name, "look at");
	linked = copy_link(w, dir, &m);
	if (linked)
		return linked < 0 ? -1 : 0;
	if (S_ISREG(st.st_mode))
		count->bytes += (uint64_t)st.st_size;
	count->files += S_ISREG(st.st_mode) ? 1 : 0;
	count->symlinks += S_ISLNK(st.st_mode) ? 1 : 0;
	count->others += S_ISREG(st.st_mode) || S_ISLNK(st.st_mode) ? 0 : 1;
	return 0;
}

int copy_entry(struct copy_worker *w, struct copy_node *dir, const struct copy_entry *e)
{
	bool file = e->type == DT_REG || e->type == DT_UNKNOWN;
	int result = 1, code = 0;

	if (w->c->measuring)
		return count_entry(w, dir, e->name);
	/* Who changes it all the time does not keep us. */
	for (int tries = 0; tries < 8 && result > 0; tries++, file = !file) {
		result = file ? copy_file(w, dir, e->name) : copy_other(w, dir, e->name);
		if (file)
			code = errno;
	}
	if (result <= 0)
		return result;
	/* What may not be read; in a mount without devices these look the same. */
	errno = code == EACCES ? EACCES : ESTALE;
	return copy_fail(w->c, dir, e->name, "open");
}

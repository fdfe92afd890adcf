/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Trees to copy; see copy_trees.h. */
#include "copy_trees.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/tree.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

int trees_make_dir(int dir, const char *name)
{
	int fd = -1;

	if (mkdirat(dir, name, 0755) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		CU_FAIL_FATAL("cannot make a directory");
	return fd;
}

struct trees trees(void)
{
	struct trees t = {.top = unit_dir()};

	t.from = trees_make_dir(t.top.fd, "from");
	t.to = trees_make_dir(t.top.fd, "to");
	return t;
}

void trees_done(struct trees *t)
{
	struct error err = {0};

	close(t->from);
	close(t->to);
	tree_empty(t->top.fd, &err);
	SAME(err.text, "");
	unit_remove(&t->top);
}

int trees_copy(struct trees *t, const struct copy_options *o)
{
	error_clear(&t->err);
	return copy_tree(t->from, t->to, o, &t->result, &t->err);
}

/* Once more, from the beginning. */
void trees_again(struct trees *t)
{
	struct error err = {0};

	tree_empty(t->to, &err);
	SAME(err.text, "");
}

void trees_copy_equal(struct trees *t, const struct copy_options *o, const struct compare_ids *ids)
{
	autobuf struct buf difference = BUF_INIT;

	SAME_NUMBER(trees_copy(t, o), 0);
	SAME(t->err.text, "");
	compare_trees(t->from, t->to, ids, &difference);
	SAME(difference.s, NULL);
}

void trees_put(int dir, const char *name, const char *text, mode_t mode)
{
	autoclose int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || fchmod(fd, mode) < 0)
		CU_FAIL_FATAL("cannot write a file");
}

static void set_times(int dir, const char *name, long ns)
{
	const struct timespec t[2] = {{1000000000 + ns, ns}, {1234567890, 999999999 - ns}};

	CU_ASSERT_EQUAL(utimensat(dir, name, t, AT_SYMLINK_NOFOLLOW), 0);
}

static void set_attribute(int dir, const char *file, const char *attribute, const void *value,
			  size_t n)
{
	char path[600];

	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, file);
	if (lsetxattr(path, attribute, value, n, 0) < 0) {
		fprintf(stderr, "%s of %s: %s\n", attribute, file, strerror(errno));
		CU_FAIL("cannot set an extended attribute");
	}
}

/* user::rwx, user:ID:r-x, group::r-x, group:ID:rw-, mask::rwx, other::--- */
void trees_set_acl(int dir, const char *file, const char *attribute, uint32_t id)
{
	struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} e[6];
	} acl = {2, {{1, 7, -1u}, {2, 5, id}, {4, 5, -1u}, {8, 6, id}, {16, 7, -1u}, {32, 0, -1u}}};

	set_attribute(dir, file, attribute, &acl, sizeof(acl));
}

static void set_capability(int dir, const char *file, uint32_t root)
{
	struct vfs_ns_cap_data cap = {
		.magic_etc =
			(root ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2) | VFS_CAP_FLAGS_EFFECTIVE,
		.data[0].permitted = 1 << CAP_NET_RAW,
		.rootid = root,
	};

	set_attribute(dir, file, "security.capability", &cap,
		      root ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2);
}

static void put_nodes(int dir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	autoclose int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CU_ASSERT_EQUAL(mknodat(dir, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
	CU_ASSERT_EQUAL(mknodat(dir, "loop", S_IFBLK | 0660, makedev(7, 0)), 0);
	CU_ASSERT_EQUAL(fchownat(dir, "loop", 0, 6, 0), 0);
	CU_ASSERT_EQUAL(mknodat(dir, "whiteout", S_IFCHR, makedev(0, 0)), 0);
	CU_ASSERT_EQUAL(mkfifoat(dir, "fifo", 0600), 0);
	CU_ASSERT_EQUAL(fchmodat(dir, "fifo", 04644, 0), 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/socket", dir);
	CU_ASSERT_EQUAL(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
	set_times(dir, "null", 7);
	set_times(dir, "socket", 8);
}

static void put_links(int dir, int sub)
{
	char target[1024]; /* no longer on XFS */

	CU_ASSERT_EQUAL(symlinkat("/etc/passwd", dir, "absolute"), 0);
	CU_ASSERT_EQUAL(symlinkat("../../../..", dir, "outside"), 0);
	CU_ASSERT_EQUAL(symlinkat("nowhere\n\033[31m", dir, "dangling"), 0);
	CU_ASSERT_EQUAL(fchownat(dir, "dangling", 12, 34, AT_SYMLINK_NOFOLLOW), 0);
	set_times(dir, "dangling", 3);
	set_attribute(dir, "dangling", "trusted.overlay.redirect", "x", 1);
	memset(target, 'x', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	CU_ASSERT_EQUAL(symlinkat(target, dir, "longest"), 0);
	/* Hard links: of a file in two directories, of a link and of a fifo. */
	CU_ASSERT_EQUAL(linkat(dir, "suid", sub, "suid", 0), 0);
	CU_ASSERT_EQUAL(linkat(dir, "suid", sub, "suid too", 0), 0);
	CU_ASSERT_EQUAL(linkat(dir, "dangling", sub, "dangling", 0), 0);
	CU_ASSERT_EQUAL(linkat(dir, "fifo", sub, "fifo", 0), 0);
}

static void put_sparse(int dir)
{
	autoclose int fd = openat(dir, "sparse", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	autoclose int only = openat(dir, "hole", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	CU_ASSERT_EQUAL(pwrite(fd, "data", 4, 10 << 20), 4);
	CU_ASSERT_EQUAL(pwrite(fd, "more", 4, (20 << 20) - 2), 4);
	CU_ASSERT_EQUAL(ftruncate(fd, (64 << 20) + 17), 0);
	CU_ASSERT_EQUAL(ftruncate(only, 1 << 26), 0);
}

void trees_put_large(int dir)
{
	autoclose int fd = openat(dir, "large", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	char block[4096];

	for (unsigned i = 0; i < 5000; i++) {
		memset(block, (int)(i * 37 % 251), sizeof(block));
		CU_ASSERT_EQUAL(write(fd, block, sizeof(block)), sizeof(block));
	}
	CU_ASSERT_EQUAL(write(fd, "tail", 4), 4);
}

static void put_names(int dir)
{
	char longest[256];

	memset(longest, 'n', 255);
	longest[255] = '\0';
	trees_put(dir, longest, "long", 0644);
	longest[0] = 'd';
	close(trees_make_dir(dir, longest));
	trees_put(dir, "new\nline \"and\" \033[0m\xff", "odd", 0);
	trees_put(dir, "-rf", "", 07777);
	trees_put(dir, "...", "dots", 0444);
}

/* Everything that a filesystem of a container may have. */
void trees_put_all(int dir)
{
	autoclose int sub = trees_make_dir(dir, "sub"), sticky = trees_make_dir(dir, "sticky");
	autoclose int closed = trees_make_dir(dir, "closed");

	close(trees_make_dir(sub, "empty"));
	trees_put(dir, "suid", "#!/bin/sh\n", 0755);
	CU_ASSERT_EQUAL(fchownat(dir, "suid", 1000, 2000, 0), 0);
	CU_ASSERT_EQUAL(fchmodat(dir, "suid", 06755, 0), 0);
	trees_put(dir, "ping", "ping", 0755);
	set_capability(dir, "ping", 0);
	trees_put(dir, "ping3", "ping", 0755);
	set_capability(dir, "ping3", 100000);
	trees_put(dir, "acl", "acl", 0640);
	trees_set_acl(dir, "acl", "system.posix_acl_access", 1234);
	trees_set_acl(dir, "sub", "system.posix_acl_access", 77);
	trees_set_acl(dir, "sub", "system.posix_acl_default", 78);
	trees_put(sub, "with acl of its directory", "x", 0600);
	set_attribute(dir, "acl", "user.empty", "", 0);
	set_attribute(dir, "acl", "user.note", "a\0b", 3);
	set_attribute(dir, "sub", "trusted.overlay.opaque", "y", 1);
	put_nodes(dir);
	put_links(dir, sub);
	put_sparse(dir);
	trees_put_large(dir);
	put_names(dir);
	CU_ASSERT_EQUAL(fchmod(sticky, 01777), 0);
	CU_ASSERT_EQUAL(fchown(sub, 5, 50), 0);
	CU_ASSERT_EQUAL(fchmod(sub, 02775), 0);
	trees_put(closed, "inside", "x", 0);
	CU_ASSERT_EQUAL(fchmod(closed, 0), 0);
	set_times(dir, "ping", 123456789);
	set_times(sub, "empty", 999);
	set_times(dir, "sub", 1);
	set_times(dir, "closed", 2);
	CU_ASSERT_EQUAL(fchmod(dir, 0751), 0);
	CU_ASSERT_EQUAL(fchown(dir, 3, 4), 0);
	set_times(dir, ".", 5);
}

/*
 * Whatever the order in which they are visited: of the three directories of a level the long one is
 * not the last one, or not always.
 */
void trees_put_deep(int top, unsigned depth, bool comb)
{
	int dir = dup(top);

	for (unsigned i = 0; i < depth; i++) {
		int first = comb ? trees_make_dir(dir, "a") : -1;
		int next = trees_make_dir(dir, "b");
		int last = comb ? trees_make_dir(dir, "c") : -1;

		trees_put(dir, "file", "x", 0600);
		if (comb) {
			linkat(dir, "file", first, "link", 0);
			linkat(dir, "file", last, "link", 0);
			close(first);
			close(last);
		}
		close(dir);
		dir = next;
	}
	close(dir);
}

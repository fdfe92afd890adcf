/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of trees: what is compared is every byte and attribute, by means of this file's own
 * (copy_compare.c knows nothing of the copier); what is refused, is refused by name.
 */
#include "unit.h"
#include "copy_compare.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/copy.h"
#include "base/fd.h"
#include "base/tree.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>

/* A directory with 'from', to be filled, and 'to', to be copied to. */
struct trees {
	struct unit_dir top;
	int from, to;
	struct error err;
	struct copy_result result;
};

static int make_dir(int dir, const char *name)
{
	int fd = -1;

	if (mkdirat(dir, name, 0755) == 0)
		fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		CU_FAIL_FATAL("cannot make a directory");
	return fd;
}

static struct trees trees(void)
{
	struct trees t = {.top = unit_dir()};

	t.from = make_dir(t.top.fd, "from");
	t.to = make_dir(t.top.fd, "to");
	return t;
}

static void done(struct trees *t)
{
	struct error err = {0};

	close(t->from);
	close(t->to);
	tree_empty(t->top.fd, &err);
	SAME(err.text, "");
	unit_remove(&t->top);
}

static int copy(struct trees *t, const struct copy_options *o)
{
	error_clear(&t->err);
	return copy_tree(t->from, t->to, o, &t->result, &t->err);
}

/* Once more, from the beginning. */
static void again(struct trees *t)
{
	struct error err = {0};

	tree_empty(t->to, &err);
	SAME(err.text, "");
}

static void copies_with(struct trees *t, const struct copy_options *o,
			const struct compare_ids *ids)
{
	autobuf struct buf difference = BUF_INIT;

	SAME_NUMBER(copy(t, o), 0);
	SAME(t->err.text, "");
	compare_trees(t->from, t->to, ids, &difference);
	SAME(difference.s, NULL);
}

static void put(int dir, const char *name, const char *text, mode_t mode)
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
static void set_acl(int dir, const char *file, const char *attribute, uint32_t id)
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

static void put_large(int dir)
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
	put(dir, longest, "long", 0644);
	longest[0] = 'd';
	close(make_dir(dir, longest));
	put(dir, "new\nline \"and\" \033[0m\xff", "odd", 0);
	put(dir, "-rf", "", 07777);
	put(dir, "...", "dots", 0444);
}

/* Everything that a filesystem of a container may have. */
static void put_all(int dir)
{
	autoclose int sub = make_dir(dir, "sub"), sticky = make_dir(dir, "sticky");
	autoclose int closed = make_dir(dir, "closed");

	close(make_dir(sub, "empty"));
	put(dir, "suid", "#!/bin/sh\n", 0755);
	CU_ASSERT_EQUAL(fchownat(dir, "suid", 1000, 2000, 0), 0);
	CU_ASSERT_EQUAL(fchmodat(dir, "suid", 06755, 0), 0);
	put(dir, "ping", "ping", 0755);
	set_capability(dir, "ping", 0);
	put(dir, "ping3", "ping", 0755);
	set_capability(dir, "ping3", 100000);
	put(dir, "acl", "acl", 0640);
	set_acl(dir, "acl", "system.posix_acl_access", 1234);
	set_acl(dir, "sub", "system.posix_acl_access", 77);
	set_acl(dir, "sub", "system.posix_acl_default", 78);
	put(sub, "with acl of its directory", "x", 0600);
	set_attribute(dir, "acl", "user.empty", "", 0);
	set_attribute(dir, "acl", "user.note", "a\0b", 3);
	set_attribute(dir, "sub", "trusted.overlay.opaque", "y", 1);
	put_nodes(dir);
	put_links(dir, sub);
	put_sparse(dir);
	put_large(dir);
	put_names(dir);
	CU_ASSERT_EQUAL(fchmod(sticky, 01777), 0);
	CU_ASSERT_EQUAL(fchown(sub, 5, 50), 0);
	CU_ASSERT_EQUAL(fchmod(sub, 02775), 0);
	put(closed, "inside", "x", 0);
	CU_ASSERT_EQUAL(fchmod(closed, 0), 0);
	set_times(dir, "ping", 123456789);
	set_times(sub, "empty", 999);
	set_times(dir, "sub", 1);
	set_times(dir, "closed", 2);
	CU_ASSERT_EQUAL(fchmod(dir, 0751), 0);
	CU_ASSERT_EQUAL(fchown(dir, 3, 4), 0);
	set_times(dir, ".", 5);
}

/* ---- what is equal ---- */

static void everything(void)
{
	struct trees t = trees();

	put_all(t.from);
	for (unsigned workers = 0; workers < 5; workers++) {
		copies_with(&t, &(struct copy_options){.workers = workers}, NULL);
		SAME_NUMBER(t.result.files, 13);
		SAME_NUMBER(t.result.directories, 6);
		SAME_NUMBER(t.result.symlinks, 4);
		SAME_NUMBER(t.result.others, 5);
		SAME_NUMBER(t.result.links, 4);
		SAME_NUMBER(t.result.vanished, 0);
		again(&t);
	}
	done(&t);
}

/* The umask and the target's own attributes do not show, and those of the caller stay. */
static void the_callers_own_things(void)
{
	struct trees t = trees();
	mode_t before = umask(077);
	char cwd[2][256];

	put_all(t.from);
	set_acl(t.to, ".", "system.posix_acl_default", 4321);
	CU_ASSERT_EQUAL(fchmod(t.to, 02777), 0);
	CU_ASSERT_PTR_NOT_NULL(getcwd(cwd[0], sizeof(cwd[0])));
	copies_with(&t, NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(getcwd(cwd[1], sizeof(cwd[1])));
	SAME(cwd[1], cwd[0]);
	SAME_NUMBER(umask(before), 077);
	done(&t);
}

static void a_wide_directory(void)
{
	struct trees t = trees();
	char name[32];

	for (unsigned i = 0; i < 6000; i++) {
		snprintf(name, sizeof(name), "entry %u", i);
		if (i % 4 == 0)
			mkdirat(t.from, name, 0700);
		else if (i % 4 == 1)
			symlinkat(name, t.from, name);
		else
			put(t.from, name, i % 4 == 2 ? name : "", 0600);
	}
	copies_with(&t, NULL, NULL);
	SAME_NUMBER(t.result.files, 3000);
	SAME_NUMBER(t.result.directories, 1501);
	SAME_NUMBER(t.result.symlinks, 1500);
	done(&t);
}

/* A chain, with a file and (where 'comb') a second directory with a link to it on each level. */
static void put_deep(int top, unsigned depth, bool comb)
{
	int dir = dup(top);

	for (unsigned i = 0; i < depth; i++) {
		int next = make_dir(dir, "b");

		put(dir, "file", "x", 0600);
		if (comb) {
			autoclose int tooth = make_dir(dir, i % 2 ? "a" : "c");

			linkat(dir, "file", tooth, "link", 0);
		}
		close(dir);
		dir = next;
	}
	close(dir);
}

static unsigned open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* More levels than descriptors: none is left open, all is there. */
static void a_deep_tree(void)
{
	static const struct {
		unsigned depth;
		bool comb;
	} rows[] = {{10000, false}, {2000, true}};
	struct rlimit before, few = {48, 0};

	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trees t = trees();
		unsigned levels = 0, open = open_descriptors();

		put_deep(t.from, rows[i].depth, rows[i].comb);
		setrlimit(RLIMIT_NOFILE, &few);
		SAME_NUMBER(copy(&t, NULL), 0);
		setrlimit(RLIMIT_NOFILE, &before);
		SAME(t.err.text, "");
		SAME_NUMBER(open_descriptors(), open);
		SAME_NUMBER(t.result.directories, rows[i].depth * (rows[i].comb ? 2 : 1) + 1);
		SAME_NUMBER(t.result.links, rows[i].comb ? rows[i].depth : 0);
		for (int dir = dup(t.to), next; dir >= 0; dir = next, levels++) {
			struct stat st = {0};

			if (fstatat(dir, "file", &st, 0) == 0)
				CU_ASSERT_EQUAL(st.st_nlink, rows[i].comb ? 2 : 1);
			next = openat(dir, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			close(dir);
		}
		SAME_NUMBER(levels, rows[i].depth + 1);
		done(&t);
	}
}

/* ---- whose files they become ---- */

static const struct copy_ids host_to_100000[] = {{0, 100000, 65536}};
static const struct copy_ids host_to_500000[] = {{0, 500000, 1000}, {1000, 700000, 64536}};
/* clang-format off */
#define MAP(ids) {(ids), ARRAY_SIZE(ids)}
/* clang-format on */

static void owners_shift(void)
{
	struct trees t = trees(), back = trees();
	const struct copy_options into = {.to_uid = MAP(host_to_100000),
					  .to_gid = MAP(host_to_500000)};
	const struct copy_options out = {.from_uid = MAP(host_to_100000),
					 .from_gid = MAP(host_to_500000)};
	const struct compare_ids shifted = {
		.uid = 100000, .gid = 500000, .gid_from_1000 = 699000, .capability_root = 100000};
	struct stat st;

	put_all(t.from);
	unlinkat(t.from, "ping3", 0);
	copies_with(&t, &into, &shifted);
	fstatat(t.to, "suid", &st, 0);
	SAME_NUMBER(st.st_uid, 101000);
	SAME_NUMBER(st.st_gid, 701000);
	SAME_NUMBER(st.st_mode, S_IFREG | 06755);
	/* And back again: nothing is lost. */
	close(back.from);
	back.from = dup(t.to);
	SAME_NUMBER(copy(&back, &out), 0);
	SAME(back.err.text, "");
	close(back.from);
	back.from = dup(t.from);
	{
		autobuf struct buf difference = BUF_INIT;

		compare_trees(t.from, back.to, NULL, &difference);
		SAME(difference.s, NULL);
	}
	done(&back);
	done(&t);
}

/* Between containers of the same map the host's ids are the same, whatever they are. */
static void equal_maps(void)
{
	const struct copy_options o = {
		.from_uid = MAP(host_to_100000),
		.from_gid = MAP(host_to_500000),
		.to_uid = MAP(host_to_100000),
		.to_gid = MAP(host_to_500000),
	};
	struct trees t = trees();

	put_all(t.from);
	copies_with(&t, &o, NULL);
	done(&t);
}

static void ids_outside_the_map(void)
{
	static const struct copy_ids small[] = {{0, 100000, 1000}};
	struct copy_options o = {.to_uid = MAP(small), .to_gid = MAP(small)};
	struct trees t = trees();
	struct stat st;

	put(t.from, "stranger", "x", 0600);
	fchownat(t.from, "stranger", 1000, 5, 0);
	SAME_NUMBER(copy(&t, &o), -1);
	SAME_NUMBER(t.err.code, EOVERFLOW);
	SAME(t.err.text, "cannot map user id 1000, the owner of \"stranger\": "
			 "the id map does not have it");
	fstat(t.to, &st);
	SAME_NUMBER(st.st_mode & 07777, 0700);
	again(&t);
	o.keep_unmapped = true;
	SAME_NUMBER(copy(&t, &o), 0);
	fstatat(t.to, "stranger", &st, 0);
	SAME_NUMBER(st.st_uid, 1000);
	SAME_NUMBER(st.st_gid, 100005);
	again(&t);
	o.keep_unmapped = false;
	fchownat(t.from, "stranger", 0, 0, 0);
	set_acl(t.from, "stranger", "system.posix_acl_access", 5000);
	SAME_NUMBER(copy(&t, &o), -1);
	HAS(t.err.text, "cannot map the ids in system.posix_acl_access of \"stranger\"");
	done(&t);
}

/* ---- refusals ---- */

static void what_is_there_already(void)
{
	struct trees t = trees();
	struct stat st;

	put(t.from, "name", "new", 0600);
	put(t.to, "name", "old", 0600);
	SAME_NUMBER(copy(&t, NULL), -1);
	SAME_NUMBER(t.err.code, EEXIST);
	SAME(t.err.text, "cannot make the file \"name\": File exists");
	fstatat(t.to, "name", &st, 0);
	SAME_NUMBER(st.st_size, 3);
	again(&t);
	/* But what mkfs makes does not matter. */
	close(make_dir(t.to, "lost+found"));
	close(make_dir(t.from, "lost+found"));
	copies_with(&t, NULL, NULL);
	done(&t);
}

static void into_itself(void)
{
	struct trees t = trees();

	close(t.to);
	t.to = make_dir(t.from, "to");
	SAME_NUMBER(copy(&t, NULL), -1);
	SAME_NUMBER(t.err.code, ELOOP);
	SAME(t.err.text, "cannot copy into itself the directory \"to\": "
			 "the copy would lie within its source");
	done(&t);
}

struct seen {
	unsigned calls;
	bool go_on;
	struct copy_progress last;
};

static bool see(const struct copy_progress *p, void *data)
{
	struct seen *s = data;

	s->calls++;
	CU_ASSERT(p->files >= s->last.files && p->bytes >= s->last.bytes);
	s->last = *p;
	return s->go_on;
}

static void progress_and_cancel(void)
{
	volatile sig_atomic_t stop = 1;
	struct seen seen = {.go_on = true};
	struct copy_options o = {.progress = see, .data = &seen, .measure = true};
	struct trees t = trees();
	struct copy_result size;

	put_all(t.from);
	SAME_NUMBER(copy_measure(t.from, NULL, &size, &t.err), 0);
	SAME_NUMBER(size.files, 13);
	SAME_NUMBER(copy(&t, &o), 0);
	CU_ASSERT(seen.calls >= 1);
	SAME_NUMBER(seen.last.bytes, seen.last.total_bytes);
	SAME_NUMBER(seen.last.files, seen.last.total_files);
	SAME_NUMBER(t.result.bytes, (long long)size.bytes);
	again(&t);
	SAME_NUMBER(copy(&t, &(struct copy_options){.cancel = &stop}), -1);
	SAME_NUMBER(t.err.code, ECANCELED);
	done(&t);
}

/* ---- hostile sources; in a mount namespace of their own ---- */

/* Runs in a child: what fails there fails here. */
static void in_private_mounts(void (*run)(struct trees *), struct trees *t)
{
	unsigned failures = CU_get_number_of_failures();
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		if (unshare(CLONE_NEWNS) < 0 ||
		    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			_exit(99);
		run(t);
		_exit(CU_get_number_of_failures() > failures);
	}
	waitpid(child, &status, 0);
	SAME_NUMBER(status, 0);
}

/* Descriptors show the mounts of the namespace in which they were opened. */
static int reopen(const struct trees *t, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", t->top.path, name);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void mount_at(const char *what, const struct unit_dir *top, const char *name,
		     const char *options)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", top->path, name);
	SAME_NUMBER(mount(what, path, options ? "tmpfs" : NULL, options ? 0 : MS_BIND, options), 0);
}

static void copy_below_mounts(struct trees *t)
{
	struct error err = {0};

	mount_at("none", &t->top, "from/mounted", "size=1m");
	mount_at("/etc", &t->top, "from/bound", NULL);
	mount_at("/etc/passwd", &t->top, "from/file", NULL);
	t->from = reopen(t, "from");
	SAME_NUMBER(faccessat(t->from, "bound/passwd", F_OK, 0), 0);
	SAME_NUMBER(copy(t, NULL), 0);
	SAME(t->err.text, "");
	SAME_NUMBER(t->result.files, 2);
	SAME_NUMBER(t->result.directories, 3);
	/* Removal does not go there either. */
	SAME_NUMBER(tree_empty(t->from, &err), -1);
	HAS(err.text, "cannot remove \"");
	SAME_NUMBER(access("/etc/passwd", F_OK), 0);
	CU_ASSERT(err.code == EXDEV || err.code == EBUSY);
}

/* Without CAP_SYS_ADMIN the kernel does not show what a mount hides. */
static void copy_around_mounts(struct trees *t)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	struct stat st = {0};

	mount_at("none", &t->top, "from/mounted", "size=1m");
	mount_at("/etc", &t->top, "from/bound", NULL);
	mount_at("/etc/passwd", &t->top, "from/file", NULL);
	t->from = reopen(t, "from");
	SAME_NUMBER(syscall(SYS_capget, &head, caps), 0);
	caps[0].effective &= ~(1u << CAP_SYS_ADMIN);
	SAME_NUMBER(syscall(SYS_capset, &head, caps), 0);
	SAME_NUMBER(copy(t, NULL), 0);
	SAME(t->err.text, "");
	SAME_NUMBER(t->result.files, 1);
	SAME_NUMBER(t->result.directories, 3);
	SAME_NUMBER(fstatat(t->to, "file", &st, 0), 0);
	SAME_NUMBER(st.st_size, 0);
	SAME_NUMBER(faccessat(t->to, "mounted", F_OK, 0), 0);
	SAME_NUMBER(faccessat(t->to, "bound/passwd", F_OK, 0), -1);
}

static void other_mounts(void)
{
	struct trees t = trees();
	int sub = make_dir(t.from, "mounted");

	put(sub, "below", "hidden", 0600);
	close(sub);
	close(make_dir(t.from, "bound"));
	put(t.from, "file", "own", 0600);
	in_private_mounts(copy_below_mounts, &t);
	SAME_NUMBER(faccessat(t.to, "mounted/below", F_OK, 0), 0);
	SAME_NUMBER(faccessat(t.to, "bound/passwd", F_OK, 0), -1);
	again(&t);
	in_private_mounts(copy_around_mounts, &t);
	done(&t);
}

static void copy_to_full(struct trees *t)
{
	mount_at("none", &t->top, "to", "size=1m");
	t->to = reopen(t, "to");
	SAME_NUMBER(copy(t, NULL), -1);
	SAME_NUMBER(t->err.code, ENOSPC);
	HAS(t->err.text, "\"large\": No space left on device (free: 0 of 1 MiB, ");
}

static void a_full_disk(void)
{
	struct trees t = trees();

	put_large(t.from);
	in_private_mounts(copy_to_full, &t);
	done(&t);
}

struct swapper {
	int dir;
	atomic_bool stop;
};

/* 'victim' is in turn a directory, and a link to another one. */
static void *swap(void *data)
{
	struct swapper *s = data;

	while (!s->stop) {
		renameat2(s->dir, "victim", s->dir, "link", RENAME_EXCHANGE);
		sched_yield();
	}
	return NULL;
}

static bool has_secret(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && faccessat(fd, "secret", F_OK, 0) == 0;
}

/* It may fail, or leave it out; it never shows what is outside. */
static void a_directory_becomes_a_link(void)
{
	struct trees t = trees();
	struct swapper s = {.dir = t.from};
	int outside = make_dir(t.top.fd, "outside"), sub = make_dir(t.from, "victim");
	unsigned equal = 0;
	pthread_t thread;

	put(outside, "secret", "s", 0600);
	put(sub, "harmless", "h", 0600);
	close(sub);
	close(outside);
	symlinkat("../outside", t.from, "link");
	pthread_create(&thread, NULL, swap, &s);
	for (unsigned i = 0; i < 100; i++) {
		if (copy(&t, NULL) == 0)
			equal++;
		else
			CU_ASSERT(t.err.code == ESTALE || t.err.code == EEXIST);
		CU_ASSERT_FALSE(has_secret(t.to, "victim") || has_secret(t.to, "link"));
		again(&t);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	CU_ASSERT(equal > 0);
	done(&t);
}

/* A file becomes a device, whose opening would do something, or a fifo, which would wait. */
static void a_file_becomes_a_device(void)
{
	struct trees t = trees();
	struct swapper s = {.dir = t.from};
	pthread_t thread;

	put(t.from, "victim", "file", 0600);
	mkfifoat(t.from, "link", 0600);
	pthread_create(&thread, NULL, swap, &s);
	for (unsigned i = 0; i < 100; i++) {
		if (copy(&t, NULL) < 0)
			CU_ASSERT(t.err.code == ESTALE || t.err.code == EACCES ||
				  t.err.code == EEXIST);
		again(&t);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	done(&t);
}

/* ---- removal ---- */

static void removal(void)
{
	struct trees t = trees();
	struct error err = {0};

	put_deep(t.from, 1000, true);
	close(make_dir(t.from, ".removed-0"));
	SAME_NUMBER(tree_remove(t.top.fd, "from", &err), 0);
	SAME_NUMBER(tree_remove(t.top.fd, "from", &err), 0);
	SAME_NUMBER(faccessat(t.top.fd, "from", F_OK, 0), -1);
	symlinkat("/etc", t.to, "link");
	SAME_NUMBER(tree_remove(t.top.fd, "to", &err), 0);
	SAME_NUMBER(access("/etc/passwd", F_OK), 0);
	SAME(err.text, "");
	done(&t);
}

void suite_copy(void)
{
	static const struct unit_test tests[] = {
		{"a copy is equal in everything", everything},
		{"umask, directory and lists of the caller do not matter", the_callers_own_things},
		{"a wide directory", a_wide_directory},
		{"deep trees with few descriptors", a_deep_tree},
		{"owners shift with the id maps, and back", owners_shift},
		{"equal maps shift nothing", equal_maps},
		{"refuses ids outside the map, or keeps them", ids_outside_the_map},
		{"refuses a directory that is not empty", what_is_there_already},
		{"refuses to copy into itself", into_itself},
		{"tells progress, can be cancelled", progress_and_cancel},
		{"other mounts are not entered", other_mounts},
		{"a full disk is told", a_full_disk},
		{"a directory that becomes a link leads nowhere", a_directory_becomes_a_link},
		{"a file that becomes a fifo is no trap", a_file_becomes_a_device},
		{"trees are removed", removal},
		{NULL, NULL},
	};

	unit_suite("copy", tests);
}

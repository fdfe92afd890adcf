/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copying and removing trees that somebody else made and changes meanwhile, with mounts in them, to
 * disks that are full.  Mounts are made in a child with a mount namespace of its own.
 */
#include "copy_trees.h"
#include "base/auto.h"
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

/* Another filesystem, and a directory and a file of this one: those are of the same device. */
static void put_mounts(struct trees *t)
{
	char path[256];

	mount_at("none", &t->top, "from/mounted", "size=1m");
	snprintf(path, sizeof(path), "%s/outside", t->top.path);
	mount_at(path, &t->top, "from/bound", NULL);
	snprintf(path, sizeof(path), "%s/outside/precious", t->top.path);
	mount_at(path, &t->top, "from/file", NULL);
}

static void copy_below_mounts(struct trees *t)
{
	struct error err = {0};

	put_mounts(t);
	t->from = reopen(t, "from");
	SAME_NUMBER(faccessat(t->from, "bound/precious", F_OK, 0), 0);
	SAME_NUMBER(trees_copy(t, NULL), 0);
	SAME(t->err.text, "");
	SAME_NUMBER(t->result.files, 2);
	SAME_NUMBER(t->result.directories, 3);
	/* Removal does not go there either. */
	SAME_NUMBER(tree_empty(t->from, &err), -1);
	HAS(err.text, "cannot remove \"");
	SAME_NUMBER(faccessat(t->top.fd, "outside/precious", F_OK, 0), 0);
	CU_ASSERT(err.code == EXDEV || err.code == EBUSY);
}

/* Without CAP_SYS_ADMIN the kernel does not show what a mount hides. */
static void copy_around_mounts(struct trees *t)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2] = {0};
	struct stat st = {0};

	put_mounts(t);
	t->from = reopen(t, "from");
	SAME_NUMBER(syscall(SYS_capget, &head, caps), 0);
	caps[0].effective &= ~(1u << CAP_SYS_ADMIN);
	SAME_NUMBER(syscall(SYS_capset, &head, caps), 0);
	SAME_NUMBER(trees_copy(t, NULL), 0);
	SAME(t->err.text, "");
	SAME_NUMBER(t->result.files, 1);
	SAME_NUMBER(t->result.directories, 3);
	SAME_NUMBER(fstatat(t->to, "file", &st, 0), 0);
	SAME_NUMBER(st.st_size, 0);
	SAME_NUMBER(faccessat(t->to, "mounted", F_OK, 0), 0);
	SAME_NUMBER(faccessat(t->to, "bound/precious", F_OK, 0), -1);
}

static void other_mounts(void)
{
	struct trees t = trees();
	int sub = trees_make_dir(t.from, "mounted");
	int outside = trees_make_dir(t.top.fd, "outside");

	trees_put(sub, "below", "hidden", 0600);
	close(sub);
	trees_put(outside, "precious", "not to be touched", 0600);
	close(outside);
	close(trees_make_dir(t.from, "bound"));
	trees_put(t.from, "file", "own", 0600);
	in_private_mounts(copy_below_mounts, &t);
	SAME_NUMBER(faccessat(t.to, "mounted/below", F_OK, 0), 0);
	SAME_NUMBER(faccessat(t.to, "bound/precious", F_OK, 0), -1);
	trees_again(&t);
	in_private_mounts(copy_around_mounts, &t);
	trees_done(&t);
}

static void copy_to_full(struct trees *t)
{
	mount_at("none", &t->top, "to", "size=1m");
	t->to = reopen(t, "to");
	SAME_NUMBER(trees_copy(t, NULL), -1);
	SAME_NUMBER(t->err.code, ENOSPC);
	HAS(t->err.text, "\"large\": No space left on device (free: 0 of 1 MiB, ");
}

static void a_full_disk(void)
{
	struct trees t = trees();

	trees_put_large(t.from);
	in_private_mounts(copy_to_full, &t);
	trees_done(&t);
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

/* 'name', without following it, is the secret or holds it. */
static bool has_secret(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = {0};

	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	return (S_ISREG(st.st_mode) && st.st_size == 6) ||
	       (S_ISDIR(st.st_mode) && faccessat(fd, "secret", F_OK, 0) == 0);
}

/* A copy may fail, or leave it out; it never shows what is outside. */
static void copy_while_it_swaps(struct trees *t)
{
	struct swapper s = {.dir = t->from};
	unsigned good = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, swap, &s);
	for (unsigned i = 0; i < 100; i++) {
		if (trees_copy(t, NULL) == 0)
			good++;
		else
			CU_ASSERT(t->err.code == ESTALE || t->err.code == EEXIST);
		CU_ASSERT_FALSE(has_secret(t->to, "victim") || has_secret(t->to, "link"));
		trees_again(t);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	CU_ASSERT(good > 0);
}

static void what_becomes_a_link(void)
{
	for (int directory = 0; directory < 2; directory++) {
		struct trees t = trees();
		int outside = trees_make_dir(t.top.fd, "outside");
		char target[256];

		trees_put(outside, "secret", "secret", 0600);
		snprintf(target, sizeof(target), "%s/outside%s", t.top.path,
			 directory ? "" : "/secret");
		symlinkat(target, t.from, "link");
		if (directory)
			close(trees_make_dir(t.from, "victim"));
		else
			trees_put(t.from, "victim", "harmless", 0600);
		copy_while_it_swaps(&t);
		close(outside);
		trees_done(&t);
	}
}

/* A file becomes a device, whose opening would do something, or a fifo, which would wait. */
static void a_file_becomes_a_device(void)
{
	struct trees t = trees();
	struct swapper s = {.dir = t.from};
	pthread_t thread;

	trees_put(t.from, "victim", "file", 0600);
	mkfifoat(t.from, "link", 0600);
	pthread_create(&thread, NULL, swap, &s);
	for (unsigned i = 0; i < 50; i++) {
		if (trees_copy(&t, NULL) < 0)
			CU_ASSERT(t.err.code == ESTALE || t.err.code == EACCES ||
				  t.err.code == EEXIST);
		trees_again(&t);
	}
	s.stop = true;
	pthread_join(thread, NULL);
	trees_done(&t);
}

/* ---- removal ---- */

static void removal(void)
{
	struct rlimit before, few = {160, 0};
	struct trees t = trees();
	struct error err = {0};

	trees_put_deep(t.from, 1000, true);
	close(trees_make_dir(t.from, ".removed-0"));
	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &few);
	SAME_NUMBER(tree_remove(t.top.fd, "from", &err), 0);
	setrlimit(RLIMIT_NOFILE, &before);
	SAME_NUMBER(tree_remove(t.top.fd, "from", &err), 0);
	SAME_NUMBER(faccessat(t.top.fd, "from", F_OK, 0), -1);
	close(trees_make_dir(t.top.fd, "outside"));
	symlinkat("../outside", t.to, "link");
	SAME_NUMBER(tree_remove(t.top.fd, "to", &err), 0);
	SAME_NUMBER(faccessat(t.top.fd, "outside", F_OK, 0), 0);
	SAME(err.text, "");
	trees_done(&t);
}

void suite_hostile(void)
{
	static const struct unit_test tests[] = {
		{"other mounts are not entered", other_mounts},
		{"a full disk is told", a_full_disk},
		{"what becomes a link leads nowhere", what_becomes_a_link},
		{"a file that becomes a fifo is no trap", a_file_becomes_a_device},
		{"trees are removed", removal},
		{NULL, NULL},
	};

	unit_suite("hostile", tests);
}

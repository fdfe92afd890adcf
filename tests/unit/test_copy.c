/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of trees: what is compared is every byte and attribute, by means of the tests' own
 * (copy_compare.c knows nothing of the copier); what is refused, is refused by name.
 */
#include "copy_trees.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/tree.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

/* ---- what is equal ---- */

static void everything(void)
{
	struct trees t = trees();

	trees_put_all(t.from);
	for (unsigned workers = 0; workers < 4; workers++) {
		trees_copy_equal(&t, &(struct copy_options){.workers = workers}, NULL);
		SAME_NUMBER(t.result.files, 13);
		SAME_NUMBER(t.result.directories, 6);
		SAME_NUMBER(t.result.symlinks, 4);
		SAME_NUMBER(t.result.others, 5);
		SAME_NUMBER(t.result.links, 4);
		SAME_NUMBER(t.result.vanished, 0);
		trees_again(&t);
	}
	trees_done(&t);
}

/* The umask and the target's own attributes do not show, and those of the caller stay. */
static void the_callers_own_things(void)
{
	struct trees t = trees();
	mode_t before = umask(077);
	char cwd[2][256];

	trees_put_all(t.from);
	trees_set_acl(t.to, ".", "system.posix_acl_default", 4321);
	CU_ASSERT_EQUAL(fchmod(t.to, 02777), 0);
	CU_ASSERT_PTR_NOT_NULL(getcwd(cwd[0], sizeof(cwd[0])));
	trees_copy_equal(&t, NULL, NULL);
	CU_ASSERT_PTR_NOT_NULL(getcwd(cwd[1], sizeof(cwd[1])));
	SAME(cwd[1], cwd[0]);
	SAME_NUMBER(umask(before), 077);
	trees_done(&t);
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
			trees_put(t.from, name, i % 4 == 2 ? name : "", 0600);
	}
	/* However long it takes to read it: reading does not change this time (relatime). */
	futimens(t.from, (const struct timespec[]){{.tv_sec = time(NULL) + 100}, {.tv_nsec = UTIME_NOW}});
	trees_copy_equal(&t, NULL, NULL);
	SAME_NUMBER(t.result.files, 3000);
	SAME_NUMBER(t.result.directories, 1501);
	SAME_NUMBER(t.result.symlinks, 1500);
	trees_done(&t);
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
	} rows[] = {{10000, false}, {1000, true}};
	struct rlimit before, few = {48, 0};

	getrlimit(RLIMIT_NOFILE, &before);
	few.rlim_max = before.rlim_max;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct trees t = trees();
		unsigned levels = 0, open = open_descriptors();

		trees_put_deep(t.from, rows[i].depth, rows[i].comb);
		setrlimit(RLIMIT_NOFILE, &few);
		SAME_NUMBER(trees_copy(&t, NULL), 0);
		setrlimit(RLIMIT_NOFILE, &before);
		SAME(t.err.text, "");
		SAME_NUMBER(open_descriptors(), open);
		SAME_NUMBER(t.result.directories, rows[i].depth * (rows[i].comb ? 3 : 1) + 1);
		SAME_NUMBER(t.result.links, rows[i].comb ? rows[i].depth * 2 : 0);
		for (int dir = dup(t.to), next; dir >= 0; dir = next, levels++) {
			struct stat st = {0};

			if (fstatat(dir, "file", &st, 0) == 0)
				CU_ASSERT_EQUAL(st.st_nlink, rows[i].comb ? 3 : 1);
			next = openat(dir, "b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
			close(dir);
		}
		SAME_NUMBER(levels, rows[i].depth + 1);
		trees_done(&t);
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

	trees_put_all(t.from);
	unlinkat(t.from, "ping3", 0);
	trees_copy_equal(&t, &into, &shifted);
	fstatat(t.to, "suid", &st, 0);
	SAME_NUMBER(st.st_uid, 101000);
	SAME_NUMBER(st.st_gid, 701000);
	SAME_NUMBER(st.st_mode, S_IFREG | 06755);
	/* And back again: nothing is lost. */
	close(back.from);
	back.from = dup(t.to);
	SAME_NUMBER(trees_copy(&back, &out), 0);
	SAME(back.err.text, "");
	close(back.from);
	back.from = dup(t.from);
	{
		autobuf struct buf difference = BUF_INIT;

		compare_trees(t.from, back.to, NULL, &difference);
		SAME(difference.s, NULL);
	}
	trees_done(&back);
	trees_done(&t);
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

	trees_put_all(t.from);
	trees_copy_equal(&t, &o, NULL);
	trees_done(&t);
}

static void ids_outside_the_map(void)
{
	static const struct copy_ids small[] = {{0, 100000, 1000}};
	struct copy_options o = {.to_uid = MAP(small), .to_gid = MAP(small)};
	struct trees t = trees();
	struct stat st;

	trees_put(t.from, "stranger", "x", 0600);
	fchownat(t.from, "stranger", 1000, 5, 0);
	SAME_NUMBER(trees_copy(&t, &o), -1);
	SAME_NUMBER(t.err.code, EOVERFLOW);
	SAME(t.err.text, "cannot map user id 1000, the owner of \"stranger\": "
			 "the id map does not have it");
	fstat(t.to, &st);
	SAME_NUMBER(st.st_mode & 07777, 0700);
	trees_again(&t);
	o.keep_unmapped = true;
	SAME_NUMBER(trees_copy(&t, &o), 0);
	fstatat(t.to, "stranger", &st, 0);
	SAME_NUMBER(st.st_uid, 1000);
	SAME_NUMBER(st.st_gid, 100005);
	trees_again(&t);
	o.keep_unmapped = false;
	fchownat(t.from, "stranger", 0, 0, 0);
	trees_set_acl(t.from, "stranger", "system.posix_acl_access", 5000);
	SAME_NUMBER(trees_copy(&t, &o), -1);
	HAS(t.err.text, "cannot map the ids in system.posix_acl_access of \"stranger\"");
	trees_done(&t);
}

/* ---- refusals ---- */

static void what_is_there_already(void)
{
	struct trees t = trees();
	struct stat st;

	trees_put(t.from, "name", "new", 0600);
	trees_put(t.to, "name", "old", 0600);
	SAME_NUMBER(trees_copy(&t, NULL), -1);
	SAME_NUMBER(t.err.code, EEXIST);
	SAME(t.err.text, "cannot make the file \"name\": File exists");
	fstatat(t.to, "name", &st, 0);
	SAME_NUMBER(st.st_size, 3);
	trees_again(&t);
	/* But what mkfs makes does not matter. */
	close(trees_make_dir(t.to, "lost+found"));
	close(trees_make_dir(t.from, "lost+found"));
	trees_copy_equal(&t, NULL, NULL);
	trees_done(&t);
}

static void into_itself(void)
{
	struct trees t = trees();

	close(t.to);
	t.to = trees_make_dir(t.from, "to");
	SAME_NUMBER(trees_copy(&t, NULL), -1);
	SAME_NUMBER(t.err.code, ELOOP);
	SAME(t.err.text, "cannot copy into itself the directory \"to\": "
			 "the copy would lie within its source");
	trees_done(&t);
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

	trees_put_all(t.from);
	SAME_NUMBER(copy_measure(t.from, NULL, &size, &t.err), 0);
	SAME_NUMBER(size.files, 13);
	SAME_NUMBER(trees_copy(&t, &o), 0);
	CU_ASSERT(seen.calls >= 1);
	SAME_NUMBER(seen.last.bytes, seen.last.total_bytes);
	SAME_NUMBER(seen.last.files, seen.last.total_files);
	SAME_NUMBER(t.result.bytes, (long long)size.bytes);
	trees_again(&t);
	SAME_NUMBER(trees_copy(&t, &(struct copy_options){.cancel = &stop}), -1);
	SAME_NUMBER(t.err.code, ECANCELED);
	trees_done(&t);
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
		{NULL, NULL},
	};

	unit_suite("copy", tests);
}

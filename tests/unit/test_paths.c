/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths: names of containers, simplification, and roots that try to lead outside. */
#include "unit.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void test_simplify(void)
{
	static const char *const table[][2] = {
		{"/", "/"},
		{"//", "/"},
		{"///a//b/", "/a/b"},
		{"a", "a"},
		{"./a", "a"},
		{".//a", "a"},
		{"././a", "a"},
		{"/a/./b", "/a/b"},
		{"/a/.", "/a"},
		{"/./", "/"},
		{"/.", "/"},
		{"a/../b", "a/../b"},
		{"/a/.b/..c", "/a/.b/..c"},
		{"", ""},
		{"../x", "../x"},
		{"/a/././/./b", "/a/b"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		autofree char *simple = path_simplify(table[i][0]);

		SAME(simple, table[i][1]);
	}
}

static void test_names(void)
{
	static const struct {
		const char *name, *error;
	} table[] = {
		{"web", NULL},
		{"a.b_c-d:e@f+g~h", NULL},
		{"1", NULL},
		{"_x", NULL},
		{"", "cannot use an empty container name"},
		{".", "it begins with '.'"},
		{"..", "it begins with '.'"},
		{".hidden", "it begins with '.'"},
		{"-dash", "it begins with '-'"},
		{"../esc", "it begins with '.'"},
		{"a/b", "it contains '/'"},
		{"a/../b", "it contains '/'"},
		{"sp ace", "it contains a blank"},
		{"new\nline", "it contains '?'"},
		{"esc\x1b[0m", "it contains '?'"},
		{"\xc3\xa9", "it contains"},
		{"a%n", "it contains '%'"},
		{"a*", "it contains '*'"},
	};
	char longest[201];

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct error err = {0};

		SAME_NUMBER(path_check_name(table[i].name, &err), table[i].error ? -1 : 0);
		if (!table[i].error) {
			SAME(err.text, "");
			continue;
		}
		HAS(err.text, table[i].error);
		CU_ASSERT(err.code != 0);
		CU_ASSERT(!*table[i].name || err.mend[0]);
	}
	memset(longest, 'a', 200);
	longest[200] = '\0';
	SAME_NUMBER(path_check_name(longest, NULL), -1);
	longest[199] = '\0';
	SAME_NUMBER(path_check_name(longest, NULL), 0);
}

/* A root, 'root', beside things that must stay out of reach. */
static struct unit_dir make_root(int *ret_root)
{
	struct unit_dir dir = unit_dir();
	autofree char *absolute = str_printf("%s/secret", dir.path);

	free(unit_file(&dir, "secret", "outside"));
	CU_ASSERT(mkdirat(dir.fd, "root", 0755) == 0 && mkdirat(dir.fd, "outside", 0755) == 0);
	*ret_root = openat(dir.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CU_ASSERT(mkdirat(*ret_root, "etc", 0755) == 0);
	free(unit_file(&dir, "root/etc/passwd", "inside"));
	CU_ASSERT(symlinkat("/etc", *ret_root, "abs-etc") == 0);
	CU_ASSERT(symlinkat("../../../../../../etc", *ret_root, "dots-etc") == 0);
	CU_ASSERT(symlinkat(absolute, *ret_root, "abs-secret") == 0);
	CU_ASSERT(symlinkat("../secret", *ret_root, "dots-secret") == 0);
	CU_ASSERT(symlinkat("../outside", *ret_root, "dots-outside") == 0);
	CU_ASSERT(symlinkat("/", *ret_root, "top") == 0);
	CU_ASSERT(symlinkat("/proc/self/root/etc/passwd", *ret_root, "magic") == 0);
	CU_ASSERT(symlinkat("loop", *ret_root, "loop") == 0);
	return dir;
}

/* What is read there: the file's text, or the error's name. */
static void reads(int root, const char *path, const char *expected, unsigned line)
{
	autoclose int fd = path_open_in(root, path, O_RDONLY, 0);
	autobuf struct buf text = BUF_INIT;

	if (fd < 0)
		buf_puts(&text, strerrorname_np(errno));
	else
		fd_read_all(fd, &text, 4096);
	same_text(text.s, expected, __FILE__, line);
}

static void test_open_in(void)
{
	static const char *const table[][2] = {
		{"etc/passwd", "inside"},
		{"/etc/passwd", "inside"},
		{"abs-etc/passwd", "inside"},
		{"dots-etc/passwd", "inside"},
		{"../../../etc/passwd", "inside"},
		{"/../../etc/../etc/passwd", "inside"},
		{"top/etc/passwd", "inside"},
		{"top/top/abs-etc/passwd", "inside"},
		{"../secret", "ENOENT"},
		{"etc/../../secret", "ENOENT"},
		{"abs-secret", "ENOENT"},
		{"dots-secret", "ENOENT"},
		{"dots-outside/../secret", "ENOENT"},
		{"magic", "ENOENT"},
		{"loop", "ELOOP"},
	};
	int root;
	struct unit_dir dir = make_root(&root);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		reads(root, table[i][0], table[i][1], __LINE__);
	close(root);
	unit_remove(&dir);
}

static bool exists(const struct unit_dir *dir, const char *path)
{
	struct stat st;

	return fstatat(dir->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_make_in(void)
{
	int root;
	struct unit_dir dir = make_root(&root);
	static const struct {
		const char *path, *made; /* made: NULL when it is refused */
	} dirs[] = {
		{"a/b/c", "root/a/b/c"},
		{"/a/b/d", "root/a/b/d"},
		{"abs-etc/new", "root/etc/new"},
		{"dots-etc/deep/er", "root/etc/deep/er"},
		{"dots-outside/x/y", NULL},
		{"etc/passwd/x", NULL},
		{"loop/x", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autoclose int fd = path_make_dir_in(root, dirs[i].path, 0755);

		SAME_NUMBER(fd >= 0, dirs[i].made != NULL);
		CU_ASSERT(!dirs[i].made || exists(&dir, dirs[i].made));
	}
	CU_ASSERT(!exists(&dir, "outside/x"));
	SAME_NUMBER(path_make_dir_in(root, "etc/passwd", 0755), -1);
	SAME_NUMBER(errno, ENOTDIR);

	autoclose int file = path_make_file_in(root, "/dev/deep/console", 0600);
	CU_ASSERT(file >= 0 && exists(&dir, "root/dev/deep/console"));
	autoclose int again = path_make_file_in(root, "dev/deep/console", 0600);
	CU_ASSERT(again >= 0);
	autoclose int kept = path_make_file_in(root, "abs-etc/passwd", 0600);
	CU_ASSERT(kept >= 0);
	reads(root, "etc/passwd", "inside", __LINE__);
	SAME_NUMBER(path_make_file_in(root, "dots-outside/file", 0600), -1);
	CU_ASSERT(!exists(&dir, "outside/file"));
	/* A link to nowhere: the file may be made inside, but never where the link says. */
	CU_ASSERT(symlinkat("../outside/planted", root, "dangling") == 0);
	autoclose int dangling = path_make_file_in(root, "dangling", 0600);
	CU_ASSERT(dangling < 0 || exists(&dir, "root/outside/planted"));
	CU_ASSERT(!exists(&dir, "outside/planted"));
	close(root);
	unit_remove(&dir);
}

static void test_parent_in(void)
{
	int root;
	struct unit_dir dir = make_root(&root);
	static const struct {
		const char *path, *name;
		int code;
	} table[] = {
		{"etc/passwd", "passwd", 0}, {"/etc/new/", "new", 0},
		{"top", "top", 0},           {"x", "x", 0},
		{"none/x", NULL, ENOENT},    {"dots-outside/x", NULL, ENOENT},
		{"etc/..", NULL, EINVAL},    {"etc/.", NULL, EINVAL},
		{"..", NULL, EINVAL},        {"/", NULL, EINVAL},
		{"", NULL, EINVAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		char name[256] = "";
		autoclose int fd = path_parent_in(root, table[i].path, name);

		SAME_NUMBER(fd >= 0 ? 0 : errno, table[i].code);
		if (table[i].name)
			SAME(name, table[i].name);
	}
	close(root);
	unit_remove(&dir);
}

static void test_make_dirs(void)
{
	struct unit_dir dir = unit_dir();
	autofree char *path = str_printf("%s/a//b/c", dir.path);
	autofree char *below_file = str_printf("%s/f/x", dir.path);
	struct stat st;

	SAME_NUMBER(path_make_dirs(path, 0700), 0);
	SAME_NUMBER(stat(path, &st), 0);
	SAME_NUMBER(st.st_mode & 07777, 0700);
	SAME_NUMBER(path_make_dirs(path, 0700), 0);
	free(unit_file(&dir, "f", ""));
	SAME_NUMBER(path_make_dirs(below_file, 0700), -1);
	SAME_NUMBER(errno, ENOTDIR);
	unit_remove(&dir);
}

/* Links of procfs lead anywhere, and to descriptors that only the caller has. */
static void test_magic_links(void)
{
	static const struct {
		const char *path;
		int flags, code;
	} table[] = {
		{"proc/self/root/etc", O_PATH, ELOOP},
		{"proc/self/root", O_PATH, ELOOP},
		{"proc/self/cwd/", O_PATH | O_NOFOLLOW, ELOOP},
		{"proc/self/exe", O_RDONLY, ELOOP},
		{"proc/self/fd/0", O_RDONLY, ELOOP},
		{"proc/self/ns/mnt", O_RDONLY, ELOOP},
		{"proc/self/root", O_PATH | O_NOFOLLOW, 0},
		{"proc/mounts", O_RDONLY, 0},
		{"proc/self/../self/status", O_RDONLY, 0},
		{"etc/passwd", O_RDONLY | O_DIRECTORY, ENOTDIR},
		{"etc/passwd/", O_PATH, ENOTDIR},
		{"etc/", O_PATH | O_NOFOLLOW, 0},
		{".", O_PATH, 0},
		{"/", O_RDONLY | O_DIRECTORY, 0},
		{"..//../etc/..", O_PATH, 0},
		{"etc", O_RDWR, EISDIR},
		{"etc", O_RDWR | O_CREAT, EISDIR},
		{"etc/passwd", O_RDWR | O_CREAT | O_EXCL, EEXIST},
		{"nowhere/x", O_PATH, ENOENT},
	};
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		autoclose int fd = path_open_in(root, table[i].path, table[i].flags, 0600);

		if ((fd >= 0 ? 0 : errno) != table[i].code)
			printf("\n  \"%s\": %s\n", table[i].path,
			       fd >= 0 ? "opened" : strerrorname_np(errno));
		SAME_NUMBER(fd >= 0 ? 0 : errno, table[i].code);
	}
}

/* Exchanges a directory with a link to the outside, as fast as it can. */
static pid_t swap_for_ever(int root)
{
	pid_t child = fork();

	while (child == 0)
		syscall(SYS_renameat2, root, "turn", root, "trap", RENAME_EXCHANGE);
	return child;
}

static void test_races(void)
{
	int root;
	struct unit_dir dir = make_root(&root);
	pid_t swapper;

	free(unit_file(&dir, "outside/file", "outside"));
	CU_ASSERT(mkdirat(root, "turn", 0755) == 0);
	free(unit_file(&dir, "root/turn/file", "inside"));
	CU_ASSERT(symlinkat("../outside", root, "trap") == 0);
	swapper = swap_for_ever(root);
	for (int i = 0; i < 3000; i++) {
		autoclose int made = path_make_file_in(root, "turn/made", 0600);
		autoclose int fd = path_open_in(root, "turn/../turn/file", O_RDONLY, 0);
		autobuf struct buf text = BUF_INIT;

		if (fd >= 0 && fd_read_all(fd, &text, 4096) == 0)
			SAME(text.s, "inside");
	}
	kill(swapper, SIGKILL);
	waitpid(swapper, NULL, 0);
	CU_ASSERT(!exists(&dir, "outside/made"));
	close(root);
	unit_remove(&dir);
}

/* A filter that does not know openat2(2). */
static void forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {ARRAY_SIZE(code), code};
	struct open_how how = {.flags = O_PATH};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	SAME_NUMBER(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	SAME_NUMBER(syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof(how)), -1);
	SAME_NUMBER(errno, ENOSYS);
}

/* The same cases, all of them, by the second implementation. */
static void test_without_openat2(void)
{
	unsigned failures = CU_get_number_of_failures();
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		forbid_openat2();
		test_open_in();
		test_make_in();
		test_parent_in();
		test_magic_links();
		test_races();
		_exit(CU_get_number_of_failures() > failures);
	}
	waitpid(child, &status, 0);
	SAME_NUMBER(status, 0);
}

void suite_paths(void)
{
	static const struct unit_test tests[] = {
		{"simplification", test_simplify},
		{"names of containers", test_names},
		{"opening below a root does not lead outside", test_open_in},
		{"making below a root does not lead outside", test_make_in},
		{"the parent of a path below a root", test_parent_in},
		{"directories of our own", test_make_dirs},
		{"links of procfs are not followed", test_magic_links},
		{"a directory that changes with a link does not lead outside", test_races},
		{"all the same without openat2", test_without_openat2},
		{NULL, NULL},
	};

	unit_suite("paths", tests);
}

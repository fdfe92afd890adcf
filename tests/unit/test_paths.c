/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths: names of containers, simplification, and roots that try to lead outside. */
#include "unit.h"
#include "base/fd.h"
#include "base/path.h"

#include <string.h>
#include <sys/stat.h>

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

void suite_paths(void)
{
	static const struct unit_test tests[] = {
		{"simplification", test_simplify},
		{"names of containers", test_names},
		{"opening below a root does not lead outside", test_open_in},
		{"making below a root does not lead outside", test_make_in},
		{"the parent of a path below a root", test_parent_in},
		{"directories of our own", test_make_dirs},
		{NULL, NULL},
	};

	unit_suite("paths", tests);
}

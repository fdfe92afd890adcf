/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Runs the suites of all rooms; 'unit SUITE' runs one.  Exit: 0 when nothing failed. */
#include "unit.h"
#include "base/fd.h"

#include <CUnit/Basic.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define REGISTER(name) suite_##name,
static void (*const suites[])(void) = {UNIT_SUITES(REGISTER)};

void same_text(const char *got, const char *expected, const char *file, unsigned line)
{
	bool same = got && expected ? strcmp(got, expected) == 0 : got == expected;

	if (!same)
		fprintf(stderr, "\n%s:%u:\n  got      [%s]\n  expected [%s]\n", file, line,
			got ? got : "(null)", expected ? expected : "(null)");
	CU_assertImplementation(same, line, "same text", file, "", CU_FALSE);
}

void same_number(long long got, long long expected, const char *file, unsigned line)
{
	if (got != expected)
		fprintf(stderr, "\n%s:%u: got %lld, expected %lld\n", file, line, got, expected);
	CU_assertImplementation(got == expected, line, "same number", file, "", CU_FALSE);
}

void has_text(const char *text, const char *part, const char *file, unsigned line)
{
	bool has = text && strstr(text, part);

	if (!has)
		fprintf(stderr, "\n%s:%u:\n  got      [%s]\n  lacks    [%s]\n", file, line,
			text ? text : "(null)", part);
	CU_assertImplementation(has, line, "has text", file, "", CU_FALSE);
}

void unit_suite(const char *name, const struct unit_test *tests)
{
	CU_pSuite suite = CU_add_suite(name, NULL, NULL);

	for (; tests->name; tests++)
		CU_add_test(suite, tests->name, tests->run);
}

struct unit_dir unit_dir(void)
{
	struct unit_dir dir = {.path = "/tmp/lxt-unit.XXXXXX"};

	if (!mkdtemp(dir.path))
		CU_FAIL_FATAL("cannot make a directory");
	dir.fd = open(dir.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return type == FTW_DP ? rmdir(path) : unlink(path);
}

void unit_remove(struct unit_dir *dir)
{
	close(dir->fd);
	nftw(dir->path, remove_one, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

char *unit_file(const struct unit_dir *dir, const char *name, const char *text)
{
	char *path = str_printf("%s/%s", dir->path, name);

	if (!path || file_replace(AT_FDCWD, path, text, 0600) < 0)
		CU_FAIL_FATAL("cannot write a file");
	return path;
}

int main(int argc, char **argv)
{
	CU_ErrorCode failed;

	if (CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		suites[i]();
	CU_basic_set_mode(CU_BRM_VERBOSE);
	if (argc > 1) {
		CU_pSuite one = CU_get_suite(argv[1]);

		failed = one ? CU_basic_run_suite(one) : CUE_NOSUITE;
	} else {
		failed = CU_basic_run_tests();
	}
	if (failed == CUE_SUCCESS && CU_get_number_of_tests_run() == 0)
		failed = CUE_NOTEST;
	failed = failed != CUE_SUCCESS || CU_get_number_of_tests_failed() > 0;
	CU_cleanup_registry();
	return failed ? 1 : 0;
}

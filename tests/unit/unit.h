/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What unit tests share: comparisons that show both sides when they differ, and a directory of
 * their own for files.  A test is a table of input and expected output; a refusal stands beside
 * each acceptance.
 */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>

/* Every suite, one a line: 'void suite_NAME(void)' in test_NAME.c registers it. */
/* clang-format off */
#define UNIT_SUITES(suite) \
	suite(cgroup) \
	suite(base) \
	suite(netlink) \
	suite(bus) \
	suite(cli) \
	suite(paths) \
	suite(types) \
	suite(config) \
	suite(changes) \
	suite(fuzz) \
	suite(usernic) \
	suite(global) \
	suite(mounts) \
	suite(network) \
	suite(managed) \
	suite(parts) \
	suite(seccomp) \
	suite(storage) \
	suite(drivers) \
	suite(keys) \
	suite(copy) \
	suite(hostile) \
	suite(again)
/* clang-format on */

#define UNIT_DECLARE(name) void suite_##name(void);
UNIT_SUITES(UNIT_DECLARE)

#define SAME(got, expected) same_text(got, expected, __FILE__, __LINE__)
#define SAME_NUMBER(got, expected) same_number((long long)(got), expected, __FILE__, __LINE__)
/* 'text' contains 'part'. */
#define HAS(text, part) has_text(text, part, __FILE__, __LINE__)
void same_text(const char *got, const char *expected, const char *file, unsigned line);
void same_number(long long got, long long expected, const char *file, unsigned line);
void has_text(const char *text, const char *part, const char *file, unsigned line);

/* A suite: its tests by name, ended by NULL. */
struct unit_test {
	const char *name;
	void (*run)(void);
};
void unit_suite(const char *name, const struct unit_test *tests);

/* A fresh directory; unit_remove takes it away again with all that is in it. */
struct unit_dir {
	char path[64];
	int fd;
};
struct unit_dir unit_dir(void);
void unit_remove(struct unit_dir *dir);
/* Write a file in there; its whole path, to be freed. */
char *unit_file(const struct unit_dir *dir, const char *name, const char *text);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.conf(5).  Root's file has a fixed place, so it is read here by a child that is another user,
 * with a home of its own.
 */
#include "unit.h"
#include "base/fd.h"
#include "base/path.h"
#include "config/global.h"

#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void test_items(void)
{
	struct error err = {0};
	char *value = NULL;
	size_t n = 0;

	while (global_items()[n])
		n++;
	SAME_NUMBER(n, 9);
	SAME(global_items()[0], "lxc.default_config");
	SAME_NUMBER(global_get("lxc.nope", &value, &err), -1);
	SAME_NUMBER(err.code, EINVAL);
	HAS(err.text, "unknown configuration item \"lxc.nope\"; there are lxc.default_config, ");
	CU_ASSERT_PTR_NULL(value);
}

static const struct {
	const char *text, *item, *value;
} cases[] = {
	{"", "lxc.lxcpath", "HOME/.local/share/lxc"},
	{"", "lxc.default_config", "HOME/.config/lxc/default.conf"},
	{"", "lxc.bdev.lvm.vg", "lxc"},
	{"", "lxc.bdev.rbd.rbduser", "(null)"},
	{"", "lxc.cgroup.use", "(null)"},
	{"lxc.lxcpath = /srv/lxc//\n", "lxc.lxcpath", "/srv/lxc"},
	{"  lxc.lxcpath=/a b \n", "lxc.lxcpath", "/a b"},
	{"#lxc.lxcpath = /no\nlxc.lxcpath =\nlxc.lxcpath = /1\nlxc.lxcpath = /2", "lxc.lxcpath",
	 "/1"},
	{"lxc.lxcpathx = /no\n", "lxc.lxcpath", "HOME/.local/share/lxc"},
	{"lxc.cgroup.pattern = lxc/%n\r\n", "lxc.cgroup.pattern", "lxc/%n"},
};

static int as_user(const struct unit_dir *home, const char *item, int out)
{
	autobuf struct buf line = BUF_INIT;
	autofree char *value = NULL;

	if (setenv("HOME", home->path, 1) < 0)
		return 2;
	if (geteuid() == 0 && setresuid(12345, 12345, 12345) < 0)
		return 3;
	if (global_get(item, &value, NULL) < 0)
		return 4;
	if (value && str_starts(value, home->path))
		buf_addf(&line, "HOME%s", value + strlen(home->path));
	else
		buf_puts(&line, value ? value : "(null)");
	return fd_write_all(out, line.s, line.len) < 0 ? 5 : 0;
}

static void ask(const char *text, const char *item, const char *expected)
{
	struct unit_dir home = unit_dir();
	autofree char *dir = str_printf("%s/.config/lxc", home.path), *file = NULL;
	autobuf struct buf got = BUF_INIT;
	int out[2], status;
	pid_t pid;

	SAME_NUMBER(path_make_dirs(dir, 0755), 0);
	file = unit_file(&home, ".config/lxc/lxc.conf", text);
	CU_ASSERT(chmod(home.path, 0755) == 0 && chmod(file, 0644) == 0);
	SAME_NUMBER(pipe(out), 0);
	pid = fork();
	if (pid == 0)
		_exit(as_user(&home, item, out[1]));
	close(out[1]);
	SAME_NUMBER(fd_read_all(out[0], &got, 4096), 0);
	close(out[0]);
	SAME_NUMBER(waitpid(pid, &status, 0), pid);
	SAME_NUMBER(status, 0);
	SAME(got.s, expected);
	unit_remove(&home);
}

static void test_file(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		ask(cases[i].text, cases[i].item, cases[i].value);
}

void suite_global(void)
{
	static const struct unit_test tests[] = {
		{"unknown items are refused", test_items},
		{"the first line with a value counts, else the default", test_file},
		{NULL, NULL},
	};

	unit_suite("global", tests);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Programs that drivers need: see tool.h. */
#include "storage/tool.h"
#include "base/fd.h"
#include "base/proc.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* Making a filesystem of some terabytes, or removing a dataset, may take its time; a hung device
 * server must not hold us for ever. */
#define LIMIT_MS (15 * 60 * 1000)
#define PATIENCE_MS 5000
#define PAUSE_US 50000

static const struct {
	const char *start; /* of the program's name */
	const char *package;
} packages[] = {
	{"lv", "lvm2"},
	{"vgs", "lvm2"},
	{"zfs", "zfsutils-linux"},
	{"rbd", "ceph-common"},
	{"qemu-", "qemu-utils"},
	{"mkfs.ext", "e2fsprogs"},
	{"mkfs.xfs", "xfsprogs"},
	{"xfs_", "xfsprogs"},
	{"mkfs.btrfs", "btrfs-progs"},
	{"btrfs", "btrfs-progs"},
	{"mkfs.f2fs", "f2fs-tools"},
	{"modprobe", "kmod"},
};

static int missing(const char *program, struct error *err)
{
	error_set(err, ENOENT, "cannot run %s: there is no such program in PATH", program);
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		if (str_starts(program, packages[i].start))
			return error_mend(err, "apt-get install %s", packages[i].package);
	return -1;
}

static char *find_program(const char *program, struct error *err)
{
	char *path = proc_find_program(program);

	if (!path)
		missing(program, err);
	return path;
}

int tool_need(const char *program, struct error *err)
{
	autofree char *path = find_program(program, err);

	return path ? 0 : -1;
}

/* Its last line that is not empty, fit for a message. */
static const char *last_words(const struct buf *output, char text[400])
{
	const char *end, *start;
	size_t n = output->len;

	while (n && isspace((unsigned char)output->s[n - 1]))
		n--;
	if (!n)
		return "";
	end = start = output->s + n;
	while (start > output->s && start[-1] != '\n' && end - start < 397)
		start--;
	while (start < end && isspace((unsigned char)*start))
		start++;
	snprintf(text, 400, ": %.*s", (int)(end - start), start);
	for (char *at = text; *at; at++)
		if (iscntrl((unsigned char)*at))
			*at = '?';
	return text;
}

int tool_run(const char *const *argv, int fine, struct buf *output, struct error *err)
{
	autobuf struct buf own = BUF_INIT;
	autostrv struct strv env = {0};
	struct buf *said = output ? output : &own;
	autofree char *path = find_program(argv[0], err);
	autostrv struct strv all = {0};
	struct proc_run run = {.set_env = &env, .timeout_ms = LIMIT_MS, .umask = 077};
	char text[400], state[64];
	int status;

	if (!path)
		return -1;
	for (const char *const *word = argv; *word; word++)
		if (strv_add(&all, word == argv ? path : *word) < 0)
			return error_set(err, ENOMEM, "out of memory");
	run.argv = (const char *const *)all.v;
	/* lvm2 complains about descriptors that its caller's caller left open. */
	if (strv_add(&env, "LC_ALL=C") < 0 || strv_add(&env, "LVM_SUPPRESS_FD_WARNINGS=1") < 0)
		return error_set(err, ENOMEM, "out of memory");
	status = proc_run(&run, said, err);
	if (status < 0)
		return -1;
	if (WIFEXITED(status) && WEXITSTATUS(status) <= fine)
		return WEXITSTATUS(status);
	return error_set(err, EIO, "%s ended with %s%s", argv[0], proc_status_text(status, state),
			 last_words(said, text));
}

bool tool_said(const struct buf *output, const char *words)
{
	autostrv struct strv list = {0};

	strv_split(&list, words, "|");
	for (size_t i = 0; output->s && i < list.n; i++)
		if (strstr(output->s, list.v[i]))
			return true;
	return false;
}

int tool_run_patiently(const char *const *argv, const char *words, struct error *err)
{
	long long end = clock_ms() + PATIENCE_MS;

	for (;;) {
		autobuf struct buf said = BUF_INIT;

		if (tool_run(argv, 0, &said, err) == 0)
			return 0;
		if (!tool_said(&said, words) || clock_ms() > end)
			return -1;
		error_clear(err);
		usleep(PAUSE_US);
	}
}

int tool_wait_for(const char *path, struct error *err)
{
	long long end = clock_ms() + PATIENCE_MS;

	while (access(path, F_OK) < 0) {
		if (clock_ms() > end)
			return error_set(err, ETIMEDOUT, "\"%s\" did not appear within %d seconds",
					 path, PATIENCE_MS / 1000);
		usleep(PAUSE_US);
	}
	return 0;
}

char *tool_line(const struct buf *output)
{
	const char *text = output->s ? output->s : "";

	text += strspn(text, " \t\n");
	return strndup(text, strcspn(text, "\n"));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which processes are the first of a pid namespace: their numbers, namespaces and cgroups are what the
 * kernel says of them.  See nested.h.
 */
#include "store/nested.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/reread.h"

#include <ctype.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define MOST_TEXT 65536
#define PAYLOAD "/lxc.payload."
#define SPARE 40 /* descriptors that looking needs: a root for each depth, a directory, a file */

static ino_t inode_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int read_text(int proc, const char *name, struct buf *text)
{
	autoclose int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 || fd_read_all(fd, text, MOST_TEXT) < 0 || !text->s ? -1 : 0;
}

/* Its numbers, from our namespace down to its own; is the last one 1, and not the only one? */
static bool read_pids(int proc, struct nested_init *ret)
{
	autobuf struct buf text = BUF_INIT;
	const char *at = read_text(proc, "status", &text) == 0 ? strstr(text.s, "\nNSpid:") : NULL;
	long number = 0, before = 0;
	char *end;

	if (!at)
		return false;
	for (at += strlen("\nNSpid:"); *at && *at != '\n'; at = end) {
		before = number;
		number = strtol(at, &end, 10);
		if (end == at)
			return false;
	}
	ret->outer_pid = (pid_t)before;
	return number == 1 && before > 0;
}

static bool read_namespaces(int proc, struct nested_init *ret)
{
	autoclose int own = openat(proc, "ns/pid", O_RDONLY | O_CLOEXEC);
	autoclose int outer = own < 0 ? -1 : ioctl(own, NS_GET_PARENT);

	ret->ns = inode_of(own);
	ret->outer_ns = inode_of(outer);
	return ret->ns && ret->outer_ns;
}

/* The innermost payload that it is in, by any of its cgroups. */
static void read_payload(int proc, struct nested_init *ret)
{
	autobuf struct buf text = BUF_INIT;
	const char *at = read_text(proc, "cgroup", &text) == 0 ? text.s : NULL;

	while (at && (at = strstr(at, PAYLOAD))) {
		at += strlen(PAYLOAD);
		snprintf(ret->payload, sizeof(ret->payload), "%.*s", (int)strcspn(at, "/\n"), at);
		at += strcspn(at, "/\n");
		if (*at == '\n' && *ret->payload)
			return;
	}
}

static int take(struct nested_inits *all, const char *pid, int proc)
{
	struct nested_init i = {.proc = proc, .pid = atoi(pid)};
	struct nested_init *more;

	errno = 0;
	if (!read_pids(proc, &i) || !read_namespaces(proc, &i))
		return reread_lacked_descriptors(errno) ? -1 : 0;
	read_payload(proc, &i);
	more = realloc(all->v, (all->n + 1) * sizeof(*more));
	if (!more)
		return -1;
	all->v = more;
	all->v[all->n++] = i;
	return 1;
}

/* One that is held for each pid namespace may be more than a program usually has. */
static rlim_t all_descriptors(void)
{
	struct rlimit limit = {0};

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_cur;
}

/* Who were left out for want of descriptors would be taken for stopped.  Those are given from the
 * lowest on: the number of one says how many there are. */
static int open_proc(int dir, const char *pid, rlim_t most)
{
	autoclose int proc = openat(dir, pid, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (proc >= 0 && (rlim_t)proc + SPARE > most) {
		errno = EMFILE;
		return -1;
	}
	return steal_fd(&proc);
}

int nested_find_inits(struct nested_inits *ret)
{
	const rlim_t most = all_descriptors();
	autodir DIR *dir = opendir("/proc");
	struct dirent *entry;

	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		autoclose int proc = -1;
		int taken;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		proc = open_proc(dirfd(dir), entry->d_name, most);
		taken = proc >= 0 ? take(ret, entry->d_name, proc) :
			reread_lacked_descriptors(errno) ? -1 : 0;
		if (taken < 0)
			return -1;
		if (taken > 0)
			steal_fd(&proc);
	}
	return 0;
}

ino_t nested_pid_namespace(pid_t pid)
{
	char path[40];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

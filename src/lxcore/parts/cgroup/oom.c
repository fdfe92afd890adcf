/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes that the kernel killed for want of memory: how many, and a descriptor that tells of the
 * next one.
 *
 * v2 counts them in memory.events, those of nested cgroups included, and wakes who polls that.  v1
 * counts them where the killed one was, so all cgroups below are added up, and tells an eventfd that
 * memory has run out, which is a moment before somebody is killed.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define DEEPEST 32

static int64_t kills_at(int dir)
{
	autobuf struct buf text = BUF_INIT;

	return file_read(dir, "memory.oom_control", &text) < 0 ? -1 : cgroup_word(text.s, "oom_kill");
}

/* What is made below is the container's: nothing is followed, and not without end. */
static int64_t kills_below(int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int64_t sum = dir ? kills_at(fd) : -1;
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (sum >= 0 && depth < DEEPEST && (entry = readdir(dir))) {
		int64_t more;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		more = kills_below(fd, entry->d_name, depth + 1);
		sum += more > 0 ? more : 0;
	}
	return sum;
}

int64_t cgroup_oom_kills(const struct cgroup_running *at)
{
	const char *v1 = cgroup_v1_dir(at, "memory.oom_control");
	autofree char *text = v1 || !at->v2 ? NULL : cgroup_read(at->v2, "memory.events");

	return v1 ? kills_below(AT_FDCWD, v1, 0) : cgroup_word(text, "oom_kill");
}

static int watch_v1(const char *dir)
{
	autofree char *file = str_printf("%s/memory.oom_control", dir);
	autoclose int control = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	autoclose int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char text[32];

	if (control < 0 || event < 0)
		return -1;
	snprintf(text, sizeof(text), "%d %d", event, control);
	return cgroup_write(dir, "cgroup.event_control", text) < 0 ? -1 : steal_fd(&event);
}

int cgroup_oom_watch(const struct cgroup_running *at, unsigned *ret_events)
{
	const char *v1 = cgroup_v1_dir(at, "memory.oom_control");
	autofree char *file = v1 || !at->v2 ? NULL : str_printf("%s/memory.events", at->v2);
	int fd;

	*ret_events = v1 ? EPOLLIN : EPOLLPRI;
	if (v1)
		return watch_v1(v1);
	fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
	cgroup_oom_heard(fd);
	return fd;
}

void cgroup_oom_heard(int fd)
{
	char bytes[256];

	/* An eventfd is emptied by one read; a control file counts as seen once it is read again. */
	if (fd >= 0 && pread(fd, bytes, sizeof(bytes), 0) < 0 && errno == ESPIPE &&
	    read(fd, bytes, sizeof(bytes)) < 0)
		return;
}

char *cgroup_memory_dir(const struct cgroup_running *at)
{
	const char *v1 = cgroup_v1_dir(at, "memory.oom_control");

	return v1 || at->v2 ? strdup(v1 ? v1 : at->v2) : NULL;
}

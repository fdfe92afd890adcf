/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* When a console's log was written; see log_times.h. */
#include "life/log_times.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LONGEST_LINE 48

static bool times_path(const char *path, char ret[PATH_MAX])
{
	return snprintf(ret, PATH_MAX, "%s.times", path) < PATH_MAX;
}

/* ---- the supervisor's side: it allocates nothing, and keeps no descriptor for this ---- */

void log_times_note(const char *path, int fd, int64_t *noted_ms)
{
	char name[PATH_MAX], line[LONGEST_LINE];
	autoclose int times = -1;
	struct timespec now;
	struct stat st;
	int64_t ms;
	int n;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	if (*noted_ms && ms >= *noted_ms && ms - *noted_ms < LOG_TIMES_GRAIN_MS)
		return;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !times_path(path, name))
		return;
	times = open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0640);
	n = snprintf(line, sizeof(line), "%" PRId64 " %lld\n", ms, (long long)st.st_size);
	if (times >= 0 && fd_write_all(times, line, (size_t)n) == 0)
		*noted_ms = ms;
}

void log_times_turn(const char *path, const char *to)
{
	char name[PATH_MAX], other[PATH_MAX];

	if (!times_path(path, name))
		return;
	if (!to || !times_path(to, other) || rename(name, other) < 0)
		unlink(name);
}

/* ---- the reader's ---- */

void log_times_open(struct log_times *t, const char *path)
{
	char name[PATH_MAX];

	*t = LOG_TIMES_NONE;
	if (times_path(path, name))
		t->fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	log_times_refresh(t);
}

bool log_times_anew(const struct log_times *t, const char *path)
{
	struct stat mine, now;
	char name[PATH_MAX];

	return t->fd >= 0 && times_path(path, name) && fstat(t->fd, &mine) == 0 &&
	       lstat(name, &now) == 0 && mine.st_ino != now.st_ino;
}

void log_times_close(struct log_times *t)
{
	close_fd(&t->fd);
	free(t->v);
	*t = LOG_TIMES_NONE;
}

static void add(struct log_times *t, int64_t when, uint64_t offset)
{
	/* Who emptied the log by hand did not think of its times. */
	while (t->n && t->v[t->n - 1].offset > offset)
		t->n--;
	if (t->n == t->room) {
		size_t room = t->room ? t->room * 2 : 256;
		struct log_time *v = reallocarray(t->v, room, sizeof(*v));

		if (!v)
			return;
		t->v = v;
		t->room = room;
	}
	t->v[t->n++] = (struct log_time){when, offset};
}

/* Whole lines of a part; how many bytes these are. */
static size_t take_lines(struct log_times *t, char *text)
{
	char *line = text, *end;

	for (; (end = strchr(line, '\n')); line = end + 1) {
		int64_t when;
		uint64_t offset;

		*end = '\0';
		if (sscanf(line, "%" SCNd64 " %" SCNu64, &when, &offset) == 2 && when > 0)
			add(t, when, offset);
	}
	return (size_t)(line - text);
}

void log_times_refresh(struct log_times *t)
{
	char part[16384 + 1];
	ssize_t n;

	while (t->fd >= 0 && (n = pread(t->fd, part, sizeof(part) - 1, t->read)) > 0) {
		size_t taken;

		part[n] = '\0';
		taken = take_lines(t, part);
		if (!taken)
			return;
		t->read += (off_t)taken;
	}
}

int64_t log_times_at(const struct log_times *t, uint64_t offset, uint64_t *ret_until)
{
	size_t low = 0, high = t->n;

	/* The first that begins behind it. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->v[middle].offset > offset)
			high = middle;
		else
			low = middle + 1;
	}
	*ret_until = low < t->n ? t->v[low].offset : UINT64_MAX;
	return low ? t->v[low - 1].when : -1;
}

bool log_times_since(const struct log_times *t, int64_t since, uint64_t size, uint64_t *ret_offset,
		     bool *ret_whole)
{
	size_t i = 0;

	*ret_whole = size == 0;
	*ret_offset = 0;
	if (size == 0)
		return true;
	while (i < t->n && t->v[i].when + LOG_TIMES_GRAIN_MS <= since)
		i++;
	if (t->n == 0 || (i == 0 && t->v[0].offset > 0 && t->v[0].when > since))
		return false;
	*ret_offset = i < t->n && t->v[i].offset < size ? t->v[i].offset : size;
	*ret_whole = *ret_offset == 0;
	return true;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events that are over: a line each in '.events' beside the run directories of an lxcpath, for whoever
 * asks later.  It is bounded, and gone with the run directory when the machine is started anew.
 */
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "life/events.h"
#include "life/rundir.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define KEPT ".events"
#define KEPT_BEFORE ".events.1"
#define KEPT_MOST (128 * 1024) /* of each of the two; about two thousand events */

void events_keep(int parent, const struct event_word *w)
{
	autoclose int fd = openat(parent, KEPT, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				  0600);
	char line[640];
	struct stat st;
	int n = snprintf(line, sizeof(line), "%lld %d %d %s %s\n", (long long)w->when_us, w->type,
			 w->value, w->name, *w->detail ? w->detail : "-");

	if (fd < 0 || n >= (int)sizeof(line) || fd_write_all(fd, line, (size_t)n) < 0)
		return;
	if (fstat(fd, &st) == 0 && st.st_size > KEPT_MOST)
		renameat(parent, KEPT, parent, KEPT_BEFORE);
}

static bool parse(const char *line, struct event_word *ret)
{
	long long when;

	if (sscanf(line, "%lld %d %d %255s %255s", &when, &ret->type, &ret->value, ret->name,
		   ret->detail) != 5)
		return false;
	ret->when_us = when;
	if (strcmp(ret->detail, "-") == 0)
		*ret->detail = '\0';
	return true;
}

static int add_file(int parent, const char *file, int64_t since_us, struct events_past *ret)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (file_read(parent, file, &text) < 0)
		return errno == ENOENT ? 0 : -1;
	if (text.s && strv_split(&lines, text.s, "\n") < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++) {
		struct event_word w, *v;

		if (!parse(lines.v[i], &w) || w.when_us < since_us)
			continue;
		v = reallocarray(ret->v, ret->n + 1, sizeof(*v));
		if (!v)
			return -1;
		ret->v = v;
		ret->v[ret->n++] = w;
	}
	return 0;
}

int events_read_kept(const char *lxcpath, int64_t since_us, struct events_past *ret)
{
	autoclose int parent = rundir_open_parent(lxcpath, false);

	if (parent < 0)
		return errno == ENOENT ? 0 : -1;
	return add_file(parent, KEPT_BEFORE, since_us, ret) < 0 ? -1 :
	       add_file(parent, KEPT, since_us, ret);
}

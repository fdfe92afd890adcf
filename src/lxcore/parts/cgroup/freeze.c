/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Freezing and thawing: by the v1 freezer where the host has that hierarchy, else by v2.
 *
 * v2 tells when it is done: cgroup.events becomes readable (POLLPRI) as 'frozen' changes.  v1 tells
 * only who asks freezer.state, so it is asked at growing intervals.  A process in uninterruptible
 * sleep can keep either from ending; after the time limit the container is thawed again, since half
 * frozen is worse than not at all.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"

#include <poll.h>
#include <string.h>
#include <time.h>

static const char *freezer_dir(const struct cgroup_running *at)
{
	return cgroup_v1_dir(at, "freezer.state");
}

static int set_state(const char *dir, bool v2, bool frozen, struct error *err)
{
	int r = v2 ? cgroup_write(dir, "cgroup.freeze", frozen ? "1" : "0")
		   : cgroup_write(dir, "freezer.state", frozen ? "FROZEN" : "THAWED");

	return r < 0 ? error_sys(err, "cannot %s the processes of \"%s\"",
				 frozen ? "freeze" : "thaw", dir) : 0;
}

static int not_in_time(const char *dir, bool v2, bool frozen, int timeout_ms, struct error *err)
{
	if (frozen)
		set_state(dir, v2, false, NULL);
	return error_set(err, ETIMEDOUT, "cannot %s the processes of \"%s\": not all of them stopped "
			 "within %d.%d s%s", frozen ? "freeze" : "thaw", dir, timeout_ms / 1000,
			 timeout_ms / 100 % 10, frozen ? "; it was thawed again" : "");
}

static int reach_v1(const char *dir, bool frozen, int timeout_ms, struct error *err)
{
	const char *wanted = frozen ? "FROZEN" : "THAWED";
	long long end = clock_ms() + timeout_ms;

	if (set_state(dir, false, frozen, err) < 0)
		return -1;
	for (long us = 20;; us = us < 10000 ? us * 2 : us) {
		autofree char *now = cgroup_read(dir, "freezer.state");

		if (!now)
			return error_sys(err, "cannot read freezer.state of \"%s\"", dir);
		if (strcmp(now, wanted) == 0)
			return 0;
		if (timeout_ms >= 0 && clock_ms() >= end)
			return not_in_time(dir, false, frozen, timeout_ms, err);
		nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
	}
}

static bool says_frozen(int events)
{
	char text[256];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	if (n < 0)
		return false;
	text[n] = '\0';
	return strstr(text, "frozen 1") != NULL;
}

static int reach_v2(const char *dir, bool frozen, int timeout_ms, struct error *err)
{
	autofree char *path = str_printf("%s/cgroup.events", dir);
	autoclose int events = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	struct pollfd p = {.fd = events, .events = POLLPRI};
	long long end = clock_ms() + timeout_ms;

	if (events < 0)
		return error_sys(err, "cannot open cgroup.events of \"%s\"", dir);
	if (set_state(dir, true, frozen, err) < 0)
		return -1;
	while (says_frozen(events) != frozen) {
		long long left = timeout_ms < 0 ? -1 : end - clock_ms();

		if (timeout_ms >= 0 && left <= 0)
			return not_in_time(dir, true, frozen, timeout_ms, err);
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return error_sys(err, "cannot wait for \"%s\"", dir);
	}
	return 0;
}

static int reach(const struct cgroup_running *at, bool frozen, int timeout_ms, struct error *err)
{
	const char *v1 = freezer_dir(at);

	if (v1)
		return reach_v1(v1, frozen, timeout_ms, err);
	if (at->v2)
		return reach_v2(at->v2, frozen, timeout_ms, err);
	error_set(err, ENOTSUP, "cannot %s it: this host has neither the v1 controller \"freezer\" "
		  "nor a v2 hierarchy", frozen ? "freeze" : "thaw");
	return error_mend(err, "mount a v2 hierarchy (mount -t cgroup2 none " CGROUP_ROOT
			       "/unified), and start the container again");
}

int cgroup_freeze(const struct cgroup_running *at, int timeout_ms, struct error *err)
{
	return reach(at, true, timeout_ms, err);
}

int cgroup_thaw(const struct cgroup_running *at, int timeout_ms, struct error *err)
{
	return reach(at, false, timeout_ms, err);
}

bool cgroup_is_frozen(const struct cgroup_running *at)
{
	const char *v1 = freezer_dir(at);
	autofree char *now = v1 ? cgroup_read(v1, "freezer.state") : NULL;
	autofree char *path = NULL;
	autoclose int events = -1;

	if (now)
		return strcmp(now, "FROZEN") == 0;
	path = at->v2 ? str_printf("%s/cgroup.events", at->v2) : NULL;
	events = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	return events >= 0 && says_frozen(events);
}

bool cgroup_is_frozen_at(int rundir)
{
	struct cgroup_running at;
	struct journal j;
	bool frozen;

	if (!journal_load(&j, rundir))
		return false;
	frozen = cgroup_of_running(&j, &at, NULL) == 0 && cgroup_is_frozen(&at);
	journal_close(&j);
	return frozen;
}

bool cgroup_is_frozen_process(pid_t pid)
{
	autolayout struct cgroup_layout l = {0};
	autostrv struct strv paths = {0};
	struct cgroup_running at = {0};

	if (cgroup_layout_read_process(&l, pid, NULL) < 0)
		return false;
	for (size_t i = 0; i < l.n; i++) {
		char *path = cgroup_path(&l.v[i], "");

		if (strv_take(&paths, path) < 0)
			return false;
		if (l.v[i].v2)
			at.v2 = path;
		else if (at.n_v1 < CGROUP_MAX_V1)
			at.v1[at.n_v1++] = path;
	}
	return cgroup_is_frozen(&at);
}

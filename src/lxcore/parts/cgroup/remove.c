/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Giving the cgroups back, from the journal alone: at the stop, or after a supervisor was killed.
 *
 * When the first process of a pid namespace has ended, everything in it has, so as a rule each
 * directory goes by one rmdir.  What a system made inside (systemd: dozens of nested cgroups) is
 * removed depth first through descriptors; what still lives (it was attached from outside) is
 * killed.  Only directories that the journal names, and those below them, are ever touched.
 */
#include "parts/cgroup/resources.h"
#include "parts/cgroup/room.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MAX_DEPTH 64
#define PATIENCE_MS 2000 /* for processes that were killed to be gone */

static int remove_children(int dir, int depth);

/* 0: gone; -1 with errno. */
static int remove_tree(int parent, const char *name, int depth)
{
	autoclose int dir = -1;

	if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if ((errno != EBUSY && errno != ENOTEMPTY) || depth >= MAX_DEPTH)
		return -1;
	dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return -1;
	if (remove_children(dir, depth) == 0) {
		errno = EBUSY;
		return -1;
	}
	return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

static bool is_child(const struct dirent *e)
{
	return e->d_type == DT_DIR && strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
}

/* How many were there. */
static int remove_children(int dir, int depth)
{
	autodir DIR *d = fdopendir(dup(dir));
	struct dirent *e;
	int n = 0;

	while (d && (e = readdir(d))) {
		if (!is_child(e))
			continue;
		n++;
		remove_tree(dir, e->d_name, depth + 1);
	}
	return n;
}

static void kill_listed(int dir)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv pids = {0};
	unsigned long long pid;

	/* EOPNOTSUPP: a threaded v2 cgroup lists its processes above. */
	if (file_read(dir, "cgroup.procs", &text) < 0 ||
	    strv_split(&pids, text.s ? text.s : "", "\n") < 0)
		return;
	for (size_t i = 0; i < pids.n; i++)
		/* 0 is one of another pid namespace; and never ourselves. */
		if (str_to_u64(pids.v[i], &pid) && pid > 1 && (pid_t)pid != getpid())
			kill((pid_t)pid, SIGKILL);
}

static int kill_tree(int parent, const char *name, int depth)
{
	autoclose int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autodir DIR *d = NULL;
	struct dirent *e;

	/* cgroup.kill (Linux 5.14) reaches everything below, and no fork escapes it. */
	if (dir < 0 || file_write(dir, "cgroup.kill", "1") == 0)
		return 0;
	kill_listed(dir);
	/* A frozen process of v1 takes its SIGKILL when it is thawed. */
	file_write(dir, "freezer.state", "THAWED");
	d = depth < MAX_DEPTH ? fdopendir(dup(dir)) : NULL;
	while (d && (e = readdir(d)))
		if (is_child(e))
			kill_tree(dir, e->d_name, depth + 1);
	return 0;
}

void cgroup_kill_all(const struct cgroup_running *at)
{
	if (at->v2)
		kill_tree(AT_FDCWD, at->v2, 0);
	for (size_t i = 0; i < at->n_v1; i++)
		kill_tree(AT_FDCWD, at->v1[i], 0);
}

/* Did a later line take the word back? */
static bool is_foreign(const struct journal *j, const char *path)
{
	const char *value = NULL;

	while ((value = journal_previous(j, "cgroup-not", value)))
		if (strcmp(value, path) == 0 && value > path)
			return true;
	return false;
}

/* A journal is ours alone, yet what it says is about to be killed: believe only this much. */
static bool is_plausible(const char *path)
{
	return str_starts(path, CGROUP_ROOT "/") &&
	       cgroup_stays_inside(path + strlen(CGROUP_ROOT "/"));
}

static void pause_for(int us)
{
	nanosleep(&(struct timespec){.tv_nsec = us * 1000L}, NULL);
}

/* Do something with each directory of a kind; how many it did not succeed with. */
static int for_each(const struct journal *j, const char *kind,
		    int (*act)(int parent, const char *path, int depth))
{
	const char *path = NULL;
	int failed = 0;

	while ((path = journal_previous(j, kind, path)))
		if (is_plausible(path) && !is_foreign(j, path))
			/* What is denied stays denied; anything else may pass. */
			failed += act(AT_FDCWD, path, 0) < 0 && errno != EACCES &&
				  errno != EPERM && errno != EROFS;
	return failed;
}

/*
 * All hierarchies in one round: a process that is killed through one may have to be thawed in
 * another.  Those that are dying get a little time.
 */
static void give_back_payload(const struct journal *j)
{
	long long until = clock_ms() + PATIENCE_MS;

	for (int us = 50; for_each(j, "cgroup2", remove_tree) + for_each(j, "cgroup", remove_tree);
	     us = us < 10000 ? us * 2 : us) {
		for_each(j, "cgroup2", kill_tree);
		for_each(j, "cgroup", kill_tree);
		if (clock_ms() >= until)
			return;
		pause_for(us);
	}
}

static int has_children(int parent, const char *path, int depth)
{
	struct stat st;

	errno = EBUSY;
	return fstatat(parent, path, &st, 0) == 0 && st.st_nlink > 2 ? -1 : 0;
}

static int give_back_inner(void *data, struct error *err)
{
	give_back_payload(data);
	return 0;
}

/* What an ordinary user's container made in its cgroup is its root's, and so is the right to remove
 * it. */
static void give_back_as_root(const struct release *r)
{
	if (geteuid() != 0 && r->as_root &&
	    for_each(r->journal, "cgroup2", has_children) +
	    for_each(r->journal, "cgroup", has_children))
		r->as_root(r->conf, give_back_inner, (void *)r->journal, NULL);
}

/* Nobody is killed here: a supervisor that found no other place is in there itself. */
static void give_back_monitor(const struct journal *j)
{
	for (int us = 50; us < 50000 && for_each(j, "cgroup-monitor", remove_tree); us *= 2)
		pause_for(us);
}

/* Shared with other containers: one that is in use is busy, one that is not ours stays. */
static void remove_unused(const struct journal *j, const char *kind)
{
	const char *path = NULL;

	/* Newest first is deepest first. */
	while ((path = journal_previous(j, kind, path)))
		if (is_plausible(path) && cgroup_is_our_parent(path))
			rmdir(path);
}

void cgroup_release(const struct release *r)
{
	/* The one thing in the live state that release ends; the supervisor owns it. */
	if (r->boot)
		cgroup_boot_end((struct boot *)r->boot);
	give_back_as_root(r);
	give_back_payload(r->journal);
	if (!r->stays && journal_previous(r->journal, POOL_JOURNAL, NULL))
		pool_leave(r->rundir, r->name);
	if (!r->rescue)
		cgroup_monitor_leave(r->journal);
	give_back_monitor(r->journal);
	remove_unused(r->journal, "cgroup-pivot");
	remove_unused(r->journal, "cgroup-parent");
}

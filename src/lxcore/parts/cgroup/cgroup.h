/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroups of a container, for those outside the boot: the launcher, the supervisor's life, and
 * clients (attach, freeze, info, lxc-cgroup), which know the container by its run directory alone.
 *
 * Three layouts of hosts are served: v2 alone (unified), v1 hierarchies with a v2 one beside them
 * (hybrid), v1 alone (legacy).  Nothing here speaks with the supervisor.
 *
 * Journal kinds:
 *     cgroup PATH           payload directory in a v1 hierarchy
 *     cgroup2 PATH          payload directory in the v2 hierarchy
 *     cgroup-inner NAME     the container lives in this child of each payload directory
 *     cgroup-parent PATH    directory above a payload; removed when empty and marked as ours
 *     cgroup-monitor PATH   the supervisor's own directory (lxc.cgroup.dir.monitor)
 *     cgroup-origin PATH    where the supervisor was before it entered that
 *     cgroup-pivot PATH     where it may go at the stop when it cannot go back
 *     memory-pool NAME      it shares a pool of memory with others (pool.c)
 *     cgroup-not PATH       turned out to be someone else's: an earlier line does not count
 */
#ifndef LXCORE_PARTS_CGROUP_CGROUP_H
#define LXCORE_PARTS_CGROUP_CGROUP_H

#include "base/error.h"
#include "base/journal.h"
#include "base/reread.h"
#include "parts/part.h"

#include <stdint.h>

/* ---- the supervisor's own cgroup (monitor.c says why) ---- */

/*
 * In the launcher: the v2 directory that the supervisor should be born in (CLONE_INTO_CGROUP), or
 * -1: where the launcher is.  It is a wish: when clone3 refuses, go without.
 */
int cgroup_monitor_birthplace(const struct boot *b);
/* What remains to be joined, the part's own prepare door does. */

/*
 * A scope of an ordinary user's systemd (scope.c).  Is one to be asked for?  NULL as above.  The
 * caller asks, for the launcher, which then enters its own corner of it.
 */
bool cgroup_scope_is_wanted(const struct conf *conf, bool foreground);
int cgroup_scope_make(const char *name, pid_t pid, struct error *err);
/* Does the user's systemd answer? */
bool cgroup_scope_is_possible(struct error *err);
int cgroup_scope_enter_leaf(struct error *err);

/* ---- oom.c: processes that the kernel killed for want of memory ---- */

struct cgroup_running;
/* How many since it was started; -1: this host does not count. */
int64_t cgroup_oom_kills(const struct cgroup_running *at);
/* A descriptor that epoll finds ready by *ret_events when there may be another; -1. */
int cgroup_oom_watch(const struct cgroup_running *at, unsigned *ret_events);
/* It was: ready again with the next one. */
void cgroup_oom_heard(int fd);
/* The directory that they are counted in, to be freed; NULL: none. */
char *cgroup_memory_dir(const struct cgroup_running *at);
/* Supervisor, while it builds: did the kernel kill a process of it for want of memory? */
bool cgroup_ran_out_of_memory(const struct boot *b);

/* ---- where a running container's processes are ---- */

#define CGROUP_MAX_V1 20

struct cgroup_running {
	const char *v2;    /* payload directory, absolute; NULL: none */
	const char *inner; /* the container's processes live in this child of each, or NULL */
	size_t n_v1;
	const char *v1[CGROUP_MAX_V1]; /* payload directories, absolute */
};

/* The strings are the journal's, which must stay.  -1: it has no cgroup (ENOENT). */
int cgroup_of_running(const struct journal *j, struct cgroup_running *ret, struct error *err);

/* ---- attach ---- */

struct cgroup_attach {
	int v2;  /* directory for CLONE_INTO_CGROUP, -1: none */
	int n_v1;
	int v1[CGROUP_MAX_V1]; /* 'tasks' files */
};
int cgroup_attach_open(const struct cgroup_running *at, struct cgroup_attach *ret,
		       struct error *err);
/*
 * clone3 said EBUSY: the container distributes v2 controllers to children of its cgroup, which then
 * must not hold processes itself.  Puts a leaf cgroup below it in the place of ret->v2.
 */
int cgroup_attach_leaf(const struct cgroup_running *at, struct cgroup_attach *a, struct error *err);
/* Does it distribute controllers, so that clone3 would say EBUSY? */
bool cgroup_attach_needs_leaf(const struct cgroup_running *at);
/*
 * clone3 said EACCES: an ordinary user may not take processes from his session to where the
 * container is. Has the user's systemd put this one there (scope.c).
 */
int cgroup_attach_by_manager(const struct cgroup_attach *a, pid_t pid, struct error *err);
/* The new process, single-threaded, joins the v1 cgroups; before it enters any namespace. */
int cgroup_attach_enter(const struct cgroup_attach *a, struct error *err);
void cgroup_attach_close(struct cgroup_attach *a);

/* ---- freeze ---- */

/* Returns when all its processes stand still; what cannot be frozen in time is thawed again. */
int cgroup_freeze(const struct cgroup_running *at, int timeout_ms, struct error *err);
int cgroup_thaw(const struct cgroup_running *at, int timeout_ms, struct error *err);
bool cgroup_is_frozen(const struct cgroup_running *at);
/* The same from a run directory. */
bool cgroup_is_frozen_at(int rundir);
/* Is a process frozen with its cgroup, or with one around that?  By the kernel's word alone. */
bool cgroup_is_frozen_process(pid_t pid);

/* ---- control files ---- */

/* 'file' may be a v1 or a v2 name ("memory.max"); what has the same meaning here is used. */
int cgroup_get(const struct cgroup_running *at, int rundir, const char *file, char **ret,
	       struct error *err);
int cgroup_set(const struct cgroup_running *at, int rundir, const char *file, const char *value,
	       struct error *err);

/* ---- resources_change.c: lxc.limit.* of a running container ---- */

/* How control files are put back to what they said before. */
struct cgroup_undo {
	int rundir;       /* of the container */
	const char *name;
	struct cgroup_undo_step {
		int version; /* whose name and words these are; 0: a place in a pool of memory */
		char file[64], value[160];
	} *v;
	size_t n;
};
void cgroup_undo_free(struct cgroup_undo *u);
/* Set one in a configuration; "": no limit.  What is said of one device leaves others alone. */
int cgroup_put_limit(struct conf *conf, const char *key, const char *value, struct error *err);
/* Can this host keep those of a configuration?  'name': of the container. */
int cgroup_check_limits(const struct conf *conf, const char *name, struct error *err);
/* Those that differ are changed; 'undo' says whose they are.  -1: all is as it was, or the error says
 * that it is not. */
int cgroup_change_limits(const struct cgroup_running *at, const struct conf *from,
			 const struct conf *to, struct cgroup_undo *undo, struct error *err);
int cgroup_undo_limits(const struct cgroup_running *at, struct cgroup_undo *u, struct error *err);

/* ---- resources_now.c: which limits it has ---- */

struct lxcore_limit;
/* Those that are set in a configuration, or are in force at 'at' (NULL: it does not run); the count. */
int cgroup_list_limits(const struct conf *conf, const struct cgroup_running *at,
		       struct lxcore_limit **ret, struct error *err);
void cgroup_free_limits(struct lxcore_limit *list, int n);

/* ---- stats.c: what it uses ---- */

struct cgroup_stats { /* -1: this host does not tell */
	int64_t cpu_ns, memory, swap, kernel_memory, block_io; /* bytes but for cpu_ns */
	int64_t pids;
	int64_t cpu_user_ns, cpu_system_ns, block_ops;
	int64_t oom_kills;
};
#define CGROUP_STATS_UNKNOWN \
	((struct cgroup_stats){-1, -1, -1, -1, -1, -1, -1, -1, -1, -1})
void cgroup_stats(const struct cgroup_running *at, struct cgroup_stats *ret);
/* Only memory and swap, for lists of many containers. */
void cgroup_memory(const struct cgroup_running *at, int64_t *ret_memory, int64_t *ret_swap);

/*
 * The same for those who look again and again: files that may stay open (base/reread.h).  It needs
 * 'at' no longer once it is open.  'oom_kills' is left out: v1 has them scattered below.
 */
#define CGROUP_GAUGES 9
struct cgroup_meter {
	size_t n_files, n_readings;
	struct reread files[CGROUP_GAUGES];
	struct cgroup_reading {
		int gauge, file; /* which number, in which of the files */
		bool v1;
	} readings[CGROUP_GAUGES];
};
int cgroup_meter_open(const struct cgroup_running *at, struct cgroup_meter *ret);
/*
 * 'text' is working memory.  -1 with ENODEV: the cgroup is gone, and another one may have its name;
 * EMFILE, ENFILE: there are no descriptors left to look with.
 */
int cgroup_meter_read(struct cgroup_meter *m, bool keep, struct buf *text,
		      struct cgroup_stats *ret);
void cgroup_meter_close(struct cgroup_meter *m);

/* SIGKILL to every process in its cgroups, nested ones included; thaws what is frozen. */
void cgroup_kill_all(const struct cgroup_running *at);

/* An ordinary user may make a cgroup in none of the hierarchies: its container does without.  NULL:
 * one that configures nothing. */
bool cgroup_is_out_of_reach(const struct conf *conf);
/* What gives an ordinary user's containers cgroups, where systemd manages them. */
#define CGROUP_HELP "loginctl enable-linger"
#define CGROUP_HELP_WHY "      (then the user's systemd gives each container its cgroup)"

#endif

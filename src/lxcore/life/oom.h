/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Noticing, in the supervisor, that the kernel killed processes of the container for want of memory:
 * those who watch are told, the count is kept in the run directory ('oom', life/rundir.h), and at the
 * end it is known whether init itself was one of them.
 */
#ifndef LXCORE_LIFE_OOM_H
#define LXCORE_LIFE_OOM_H

#include "life/container.h"
#include "parts/cgroup/cgroup.h"

struct oom {
	struct cgroup_running at; /* the one directory that counts */
	char *dir;        /* its path; NULL: nothing is watched */
	int fd;           /* readable by 'events' when there may be news; -1 */
	unsigned events;
	int64_t last, total; /* as counted; of this boot */
	long long when;   /* clock_ms() of the last one; 0: none */
	long long look;   /* clock_ms() when to look again; 0: no need */
	int pause;        /* ms until the look after that */
};

/* The container runs: begin to watch. */
void oom_begin(struct oom *o, int rundir);
/* Each of these returns how many were killed since the last look. */
int64_t oom_on_event(struct oom *o);
int64_t oom_on_time(struct oom *o);
/* Milliseconds until oom_on_time() has to be called; -1: no need. */
int oom_timeout(const struct oom *o);
/*
 * Init is dead and was not asked to die: did the kernel kill it so?  *ret_more: how many were killed
 * since the last look.  Ends the watch, before the cgroups go.
 */
bool oom_end(struct oom *o, int status, bool asked, int64_t *ret_more);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that were killed for want of memory; see oom.h. */
#include "life/oom.h"
#include "base/fd.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define FIRST_MS 10
#define PATIENCE_MS 2000 /* v1 tells a moment before it kills */
#define RECENT_MS 1000   /* init dies within this time of its kill being counted */

void oom_begin(struct oom *o, int rundir)
{
	struct running r = {.rundir = rundir, .init_pidfd = -1};
	struct cgroup_running at;
	struct journal j;

	*o = (struct oom){.fd = -1};
	unlinkat(rundir, RUNDIR_OOM, 0); /* an earlier boot's */
	if (running_cgroups(&r, &j, &at, NULL) == 0)
		o->dir = cgroup_memory_dir(&at);
	if (o->dir) {
		/* As the journal's text goes, only what is needed is kept. */
		if (at.v2 && strcmp(o->dir, at.v2) == 0)
			o->at.v2 = o->dir;
		else
			o->at.v1[o->at.n_v1++] = o->dir;
		o->fd = cgroup_oom_watch(&o->at, &o->events);
	}
	journal_close(&j);
	if (o->fd < 0)
		free(steal_ptr(&o->dir));
	else
		o->look = clock_ms(); /* what happened before is seen at once */
}

static int64_t look(struct oom *o)
{
	int64_t now = o->dir ? cgroup_oom_kills(&o->at) : -1;
	int64_t more = now > o->last ? now - o->last : 0;

	/* A nested cgroup of v1 takes its count along when it goes. */
	if (now >= 0)
		o->last = now;
	o->total += more;
	if (more)
		o->when = clock_ms();
	return more;
}

int64_t oom_on_event(struct oom *o)
{
	int64_t more;

	cgroup_oom_heard(o->fd);
	more = look(o);
	o->pause = FIRST_MS;
	o->look = more ? 0 : clock_ms() + FIRST_MS;
	return more;
}

int64_t oom_on_time(struct oom *o)
{
	int64_t more;

	if (!o->look || clock_ms() < o->look)
		return 0;
	more = look(o);
	o->pause *= 2;
	o->look = more || !o->pause || o->pause > PATIENCE_MS ? 0 : clock_ms() + o->pause;
	return more;
}

int oom_timeout(const struct oom *o)
{
	long long left = o->look ? o->look - clock_ms() : -1;

	return !o->look ? -1 : left < 0 ? 0 : (int)left;
}

bool oom_end(struct oom *o, int status, bool asked, int64_t *ret_more)
{
	*ret_more = look(o);
	close_fd(&o->fd);
	free(steal_ptr(&o->dir));
	o->look = 0;
	return !asked && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL && o->when &&
	       clock_ms() - o->when <= RECENT_MS;
}

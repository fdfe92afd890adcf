/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rescue of what a killed supervisor left: see rescue.h. */
#include "base/error.h"
#include "life/rescue.h"
#include "base/fd.h"
#include "life/events.h"

#include <signal.h>
#include <string.h>

#define KILL_TIMEOUT_MS 5000

/* Its supervisor's death killed init (PR_SET_PDEATHSIG), but with another setting it may live. */
static void end_init(const struct run_state *state)
{
	autoclose int pidfd = proc_open(state->init);

	if (pidfd < 0)
		return;
	proc_signal(pidfd, SIGKILL);
	proc_wait_end(pidfd, KILL_TIMEOUT_MS);
}

static void release_leftovers(struct lxcore_container *c, int rundir, const struct run_state *state)
{
	autofree char *dir = rundir_path(c->lxcpath, c->name);
	/* One that waited to be started again had said good-bye to its hooks. */
	struct conf *conf = state->next ? NULL : container_running_conf(c, rundir, NULL);
	struct journal j;
	struct release r = {
		.name = c->name, .lxcpath = c->lxcpath, .dir = dir, .rundir = rundir, .journal = &j,
		.conf = conf, .target = "stop", .rescue = true, .init = state->init,
	};

	if (journal_load(&j, rundir)) {
		const char *pidfile = journal_previous(&j, JOURNAL_PIDFILE, NULL);

		boot_release(&r);
		if (pidfile)
			unlink(pidfile);
		journal_close(&j);
	}
	conf_free(conf);
}

int rescue(struct lxcore_container *c, struct error *err)
{
	struct run_state state = {0};
	autoclose int there = rundir_open(c->lxcpath, c->name), rundir = -1, lock = -1;

	if (there < 0 || rundir_is_locked(there))
		return 0;
	rundir = rundir_lock(c->lxcpath, c->name, 0, &lock, err);
	if (rundir < 0)
		return err && err->code != EBUSY ? -1 : 0;
	if (rundir_read_state(rundir, &state))
		end_init(&state);
	release_leftovers(c, rundir, &state);
	rundir_remove(c->lxcpath, c->name, rundir);
	events_send(c->lxcpath, c->name, LXCORE_EVENT_STATE, LXCORE_STOPPED);
	return 1;
}

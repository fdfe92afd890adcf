/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Ending and rebooting a container, from outside: init is signalled by its pidfd directly and the
 * supervisor is only watched; one that hangs is killed and its work done by the rescuer.
 */
#include "base/error.h"
#include "life/again.h"
#include "life/container.h"
#include "life/rescue.h"
#include "base/fd.h"
#include "parts/cgroup/cgroup.h"
#include "parts/init.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

/* How long a supervisor may take to give everything back once init is dead. */
#define RELEASE_TIMEOUT_MS 10000
/* How long a dead init may go unnoticed before its supervisor counts as hung. */
#define NOTICE_TIMEOUT_MS 2000

/* Is the process stopped (SIGSTOP, a tracer)?  Then waiting for it is pointless. */
static bool is_stopped(pid_t pid)
{
	char state = proc_state(pid);

	return state == 'T' || state == 't';
}

/* Who is asked to end shall not be started again.  A supervisor that hangs hears it later. */
static void forbid_restart(const struct running *r)
{
	autoclose int supervisor = proc_open(r->state.supervisor);

	if (supervisor >= 0)
		proc_signal(supervisor, AGAIN_NO_MORE);
}

/* Init is dead or was told to die: see that everything is given back. */
static int finish(struct lxcore_container *c, struct running *r, struct error *err)
{
	autoclose int supervisor = proc_open(r->state.supervisor);
	int limit = is_stopped(r->state.supervisor.pid) ? 0 : RELEASE_TIMEOUT_MS;

	if (supervisor >= 0 && proc_wait_end(supervisor, limit) != 1) {
		proc_signal(supervisor, SIGKILL);
		if (proc_wait_end(supervisor, NOTICE_TIMEOUT_MS) != 1)
			return error_set(err, ETIMEDOUT, "its supervisor (pid %d) cannot be killed",
					 r->state.supervisor.pid);
	}
	return rescue(c, err) < 0 ? -1 : 0;
}

static int hard_signal(struct lxcore_container *c, int rundir)
{
	struct conf *conf = container_running_conf(c, rundir, NULL);
	int number = conf ? init_stop_signal(conf) : SIGKILL;

	conf_free(conf);
	return number;
}

static void thaw(const struct running *r)
{
	struct cgroup_running at;
	struct journal j;

	if (cgroup_is_frozen_at(r->rundir) && running_cgroups(r, &j, &at, NULL) == 0) {
		cgroup_thaw(&at, NOTICE_TIMEOUT_MS, NULL);
		journal_close(&j);
	}
}

int lxcore_stop(lxcore_container *c, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	int number;

	if (running_find(c, &r, err) < 0)
		return -1;
	forbid_restart(&r);
	number = hard_signal(c, r.rundir);
	/* No init (yet): its start hangs, in a hook perhaps; or it waits for another one, which was
	 * just forbidden. */
	if (r.init_pidfd < 0 && !r.state.next) {
		autoclose int supervisor = proc_open(r.state.supervisor);

		if (supervisor >= 0)
			proc_signal(supervisor, SIGKILL);
	} else if (r.init_pidfd >= 0) {
		if (proc_signal(r.init_pidfd, number) < 0 && errno != ESRCH) {
			error_sys(err, "cannot signal its init (pid %d)", r.state.init.pid);
			return error_within(err, "%s", c->name);
		}
		/* A frozen process of a v1 freezer dies only once it is thawed. */
		thaw(&r);
		if (number != SIGKILL && proc_wait_end(r.init_pidfd, RELEASE_TIMEOUT_MS) == 0)
			proc_signal(r.init_pidfd, SIGKILL);
	}
	return finish(c, &r, err) < 0 ? error_within(err, "%s", c->name) : 0;
}

/* Find the signal, with the words for why it was chosen. */
static int choose_signal(struct lxcore_container *c, const struct running *r, bool reboot,
			 const char **ret_why)
{
	struct conf *conf = container_running_conf(c, r->rundir, NULL);
	int number = reboot ? init_reboot_signal(conf, r->state.init, ret_why) :
			      init_halt_signal(conf, r->state.init, ret_why);

	conf_free(conf);
	return number;
}

static int ask_init(struct lxcore_container *c, struct running *r, bool reboot, struct error *err)
{
	const char *why = "";
	int number;

	if (r->init_pidfd < 0)
		return again_is_waiting(&r->state, c->name, err) ? -1 :
		       error_set(err, EAGAIN, "its init does not run yet");
	if (cgroup_is_frozen_at(r->rundir)) {
		error_set(err, EBUSY, "it is frozen and cannot hear the request to %s",
			  reboot ? "reboot" : "shut down");
		return error_mend(err, "lxc-unfreeze -n %s", c->name);
	}
	number = choose_signal(c, r, reboot, &why);
	if (number <= 0) {
		error_set(err, ENOTSUP, "its init understands no request to %s: %s",
			  reboot ? "reboot" : "shut down", why);
		return error_mend(err, "lxc-stop -k -n %s      (or set lxc.signal.%s)", c->name,
				  reboot ? "reboot" : "halt");
	}
	if (!reboot)
		forbid_restart(r);
	if (proc_signal(r->init_pidfd, number) < 0 && errno != ESRCH)
		return error_sys(err, "cannot signal its init (pid %d)", r->state.init.pid);
	return 0;
}

/* Find it; who is just being started again is waited for, for it may be so most of the time. */
static int find_settled(struct lxcore_container *c, struct running *r, struct error *err)
{
	long long end = clock_ms() + NOTICE_TIMEOUT_MS;

	while (running_find(c, r, err) == 0) {
		if (r->init_pidfd >= 0 || r->state.next || r->state.state != LXCORE_STARTING ||
		    r->state.boot < 2 || clock_ms() >= end)
			return 0;
		running_close(r);
		usleep(2000);
	}
	return -1;
}

int lxcore_shutdown(lxcore_container *c, int timeout, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	if (find_settled(c, &r, err) < 0)
		return -1;
	/* It ended by itself already, or waits to be started again. */
	if (r.init_pidfd < 0 && (r.state.next || r.state.state != LXCORE_STARTING)) {
		forbid_restart(&r);
		return timeout && finish(c, &r, err) < 0 ? error_within(err, "%s", c->name) : 0;
	}
	if (ask_init(c, &r, false, err) < 0)
		return error_within(err, "%s", c->name);
	if (timeout == 0)
		return 0;
	if (proc_wait_end(r.init_pidfd, timeout < 0 ? -1 : timeout * 1000) != 1) {
		error_set(err, ETIMEDOUT, "it did not shut down within %d seconds", timeout);
		return error_within(err, "%s", c->name);
	}
	return finish(c, &r, err) < 0 ? error_within(err, "%s", c->name) : 0;
}

static int wait_for_next_boot(struct lxcore_container *c, unsigned boot, int timeout,
			      struct error *err)
{
	long long end = clock_ms() + timeout * 1000LL;

	while (timeout < 0 || clock_ms() < end) {
		autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

		if (running_find(c, &r, err) < 0)
			return error_set(err, ECHILD, "it stopped instead of rebooting");
		if (r.state.boot > boot && r.state.state == LXCORE_RUNNING)
			return 0;
		usleep(5000);
	}
	return error_set(err, ETIMEDOUT, "it did not reboot within %d seconds", timeout);
}

int lxcore_reboot(lxcore_container *c, int timeout, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	if (running_find(c, &r, err) < 0)
		return -1;
	if (ask_init(c, &r, true, err) < 0)
		return error_within(err, "%s", c->name);
	if (timeout && wait_for_next_boot(c, r.state.boot, timeout, err) < 0)
		return error_within(err, "%s", c->name);
	return 0;
}

int lxcore_halt_signal(lxcore_container *c, char **ret_reason, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	const char *why = "";
	int number;

	if (running_find(c, &r, err) < 0)
		return -1;
	number = choose_signal(c, &r, false, &why);
	if (ret_reason)
		*ret_reason = strdup(why);
	return number;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a container that ended is started again.  What fails at once would fail at once again, many
 * times a second: each try waits twice as long as the one before it.
 */
#include "life/again.h"
#include "base/fd.h"
#include "life/container.h"
#include "parts/start.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/* A halt or poweroff by reboot(2) inside shows as SIGINT (pid_namespaces(7)): nothing failed. */
bool again_is_failure(int status)
{
	return status != 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

static int back_off(unsigned in_a_row)
{
	long long ms = AGAIN_FIRST_MS;

	while (in_a_row-- && ms < AGAIN_SLOWEST_MS)
		ms *= 2;
	return (int)(ms < AGAIN_SLOWEST_MS ? ms : AGAIN_SLOWEST_MS);
}

int again_after(struct again *a, const struct restart_policy *p, bool failed, long long now)
{
	bool well = a->running && now - a->running >= AGAIN_WELL_MS;

	a->running = 0;
	if (well)
		a->in_a_row = 0;
	if (a->asked || p->when == RESTART_NO || (p->when == RESTART_ON_FAILURE && !failed) ||
	    (p->tries && a->in_a_row >= p->tries))
		return -1;
	return back_off(a->in_a_row++);
}

bool again_is_waiting(const struct run_state *s, const char *name, struct error *err)
{
	long long left = s->next - clock_ms();

	if (!s->next)
		return false;
	error_set(err, EBUSY, "it ended, and is started again in %.1f s (lxc.start.restart)",
		  left > 0 ? (double)left / 1000 : 0.0);
	error_mend(err, "lxc-restart -n %s      (at once)\nlxc-stop -n %s      (not at all)", name,
		   name);
	return true;
}

int lxcore_restart_info(lxcore_container *c, struct lxcore_restart *ret, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	bool runs = running_find(c, &r, NULL) == 0;
	struct conf *conf = runs ? container_running_conf(c, r.rundir, err) : container_conf(c, err);
	autobuf struct buf policy = BUF_INIT;

	*ret = (struct lxcore_restart){.next_ms = -1};
	if (!conf)
		return error_within(err, "%s", c->name);
	start_restart_text(&((const struct start_conf *)conf_of(conf, &start_section))->restart,
			   &policy);
	if (runs)
		conf_free(conf);
	if (policy.failed)
		return error_set(err, ENOMEM, "%s: out of memory", c->name);
	snprintf(ret->policy, sizeof(ret->policy), "%s", policy.s);
	if (!runs)
		return 0;
	ret->restarts = r.state.restarts;
	if (r.state.next) {
		long long left = r.state.next - clock_ms();

		ret->next_ms = left > 0 ? left : 0;
	}
	return 0;
}

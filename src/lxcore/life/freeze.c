/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Freezing and thawing, and waiting for states. */
#include "base/error.h"
#include "life/container.h"
#include "life/control.h"
#include "base/fd.h"
#include "parts/cgroup/cgroup.h"

#include <string.h>
#include <sys/socket.h>

/* The supervisor tells those who watch; nothing depends on it. */
static void note(int rundir, enum lxcore_state state)
{
	struct control_request rq = {.what = CONTROL_NOTE_STATE, .a = (int)state};
	autoclose int sock = fd_connect_at(rundir, CONTROL_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);

	if (sock >= 0)
		fd_send(sock, &rq, sizeof(rq), NULL, 0);
}

static int change_cgroup(const struct running *r, bool freeze, int timeout_ms, struct error *err)
{
	struct cgroup_running at;
	struct journal j;
	int result = running_cgroups(r, &j, &at, err);

	if (result == 0)
		result = freeze ? cgroup_freeze(&at, timeout_ms, err) :
				  cgroup_thaw(&at, timeout_ms, err);
	journal_close(&j);
	return result;
}

static int change(lxcore_container *c, bool freeze, int timeout, struct error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	if (running_find(c, &r, err) < 0)
		return -1;
	if (cgroup_is_frozen_at(r.rundir) == freeze)
		return 0;
	note(r.rundir, freeze ? LXCORE_FREEZING : LXCORE_THAWED);
	if (change_cgroup(&r, freeze, timeout < 0 ? -1 : timeout * 1000, err) < 0) {
		note(r.rundir, freeze ? LXCORE_THAWED : LXCORE_FROZEN);
		return error_within(err, "%s", c->name);
	}
	note(r.rundir, freeze ? LXCORE_FROZEN : LXCORE_RUNNING);
	return 0;
}

int lxcore_freeze(lxcore_container *c, int timeout, lxcore_error *err)
{
	return change(c, true, timeout, err);
}

int lxcore_unfreeze(lxcore_container *c, int timeout, lxcore_error *err)
{
	return change(c, false, timeout, err);
}

static bool is_among(enum lxcore_state state, unsigned states)
{
	/* A thawed container is a running one. */
	if (states & 1U << LXCORE_THAWED)
		states |= 1U << LXCORE_RUNNING;
	return states & 1U << state;
}

/* Wait for the next event of the container, or its supervisor's death, until 'end' (-1: for ever). */
static int wait_for_event(struct lxcore_container *c, lxcore_monitor *m, long long end,
			  unsigned states)
{
	struct lxcore_event event;
	/* A supervisor that is killed sends nothing: look for ourselves once a second. */
	long long left = end < 0 ? 1000 : end - clock_ms();

	if (left < 0)
		left = 0;
	if (lxcore_monitor_next(m, (int)(left > 1000 ? 1000 : left), &event, NULL) == 1 &&
	    event.type == LXCORE_EVENT_STATE && strcmp(event.name, c->name) == 0)
		return is_among(event.state, states);
	return is_among(lxcore_state(c), states);
}

int lxcore_wait(lxcore_container *c, unsigned states, int timeout, lxcore_error *err)
{
	long long end = timeout < 0 ? -1 : clock_ms() + timeout * 1000LL;
	lxcore_monitor *m = NULL;
	bool reached = is_among(lxcore_state(c), states);

	if (!reached && timeout != 0) {
		/* Listen first, then look again: nothing is missed in between. */
		m = lxcore_monitor_open((const char *const[]){c->lxcpath, NULL}, err);
		if (!m)
			return -1;
		reached = is_among(lxcore_state(c), states);
		while (!reached && (end < 0 || clock_ms() < end))
			reached = wait_for_event(c, m, end, states);
		lxcore_monitor_close(m);
	}
	if (!reached)
		return error_set(err, ETIMEDOUT, "%s is %s", c->name,
				 lxcore_state_name(lxcore_state(c)));
	return 0;
}

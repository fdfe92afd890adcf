/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Waiting until a container has come up: it runs, it has an address, its init has started what it was
 * to start.  The first is the supervisor's word; for the last its ready hooks or systemd are asked, and
 * others are looked at (parts/init_ready.c): from outside, in a rhythm that gets slower, for nobody
 * sends news of it.
 */
#include "base/error.h"
#include "base/fd.h"
#include "base/proc.h"
#include "life/container.h"
#include "lxcore.h"
#include "parts/hooks.h"
#include "parts/init.h"
#include "parts/init_facts.h"
#include "parts/network/status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define FIRST_MS 5
#define SLOWEST_MS 100
#define ANSWER_MS 10000 /* for systemctl to say something */

static const char *const names[] = {"running", "network", "ready"};

int lxcore_up_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return (int)i;
	return -1;
}

/* ---- an address ------------------------------------------------------------------------------ */

/* 1: it has one; 0: not yet; -1: it never will. */
static int has_address(struct lxcore_container *c, struct error *err)
{
	struct network_of of = {.init = lxcore_init_pid(c)};
	int found = 0, interfaces;

	if (!of.init)
		return error_set(err, ESRCH, "it ended");
	if (network_interfaces(&of, 1, err) < 0)
		return -1;
	interfaces = of.n;
	for (int i = 0; i < of.n; i++)
		found |= (of.interfaces[i].ipv4 && of.interfaces[i].ipv4[0]) ||
			 (of.interfaces[i].ipv6 && of.interfaces[i].ipv6[0]);
	lxcore_interfaces_free(of.interfaces, of.n);
	if (interfaces)
		return found;
	error_set(err, ENOTSUP, "it has no network interface, so it never has an address");
	return error_mend(err, "wait for \"running\", or give it one (lxc.net.0.type)");
}

/* ---- its init -------------------------------------------------------------------------------- */

static bool init_is_systemd(struct proc_id init)
{
	struct init_facts facts;

	return init_look(init, &facts) && init_is_program(&facts, "systemd");
}

static int look_at_init(void *data, struct error *err)
{
	return init_is_ready(*(struct proc_id *)data, err);
}

/*
 * What does not tell when it is asked may show it: 1: it is ready, 0: not yet, -1.  In a child, for a
 * filesystem that the container mounted itself may make its reader wait for ever.
 */
static int see_init(struct proc_id init, struct error *err)
{
	struct error why = {0};

	if (proc_call_within(ANSWER_MS, look_at_init, &init, &why) == 0)
		return 1;
	if (why.code == ENOTSUP) {
		error_set(err, ENOTSUP, "%s, and it has no ready hook", why.text);
		return error_mend(err, "lxc.hook.ready = PROGRAM      (ends with 0 when it is ready, "
				  "see lxc.container.conf(5))\n"
				  "or wait for \"network\" or \"running\"");
	}
	if (err)
		*err = why;
	return why.code == EAGAIN ? 0 : -1;
}

static void read_answer(int fd, pid_t child, struct buf *answer)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, child, 0);

	if (pidfd < 0 || proc_wait_end(pidfd, ANSWER_MS) != 1)
		kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	if (fd_wait(fd, 0) > 0)
		fd_read_all(fd, answer, 256);
}

/* What 'systemctl is-system-running' says of it: "starting\n"; empty when it says nothing yet. */
static int ask_systemd(struct lxcore_container *c, struct buf *answer, struct error *err)
{
	static const char *const command[] = {"systemctl", "is-system-running", NULL};
	struct lxcore_attach how = LXCORE_ATTACH_INIT;
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int ends[2], result;
	pid_t child;

	if (null < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, "cannot ask its systemd");
	how.command = command;
	how.cwd = "/";
	how.std_fds[0] = how.std_fds[2] = null;
	how.std_fds[1] = ends[1];
	result = lxcore_attach_nowait(c, &how, &child, err);
	close(ends[1]);
	if (result == 0)
		read_answer(ends[0], child, answer);
	close(ends[0]);
	return result;
}

/*
 * The hooks of the moment 'ready' know better than its init: 1: they say that it is; 0: not yet; 2:
 * there are none; -1: they failed.  None may take longer than we would wait.
 */
static int ask_hooks(struct lxcore_container *c, long long left_ms, struct error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct error why = {0};
	char seconds[24];
	bool ran = false;
	struct hook_call call = {
		.name = c->name, .lxcpath = c->lxcpath, .pid = lxcore_init_pid(c), .ret_ran = &ran,
	};
	struct conf *conf;
	int result;

	if (running_find(c, &r, err) < 0 || !(conf = container_running_conf(c, r.rundir, err)))
		return -1;
	call.conf = conf;
	snprintf(seconds, sizeof(seconds), "%lld", left_ms / 1000 + 1);
	result = !hooks_any(conf, HOOK_READY) ? 0 :
		 left_ms >= 0 && conf_define(conf, "lxc.hook.timeout", seconds, NULL, err) < 0 ? -1 :
		 hooks_run(HOOK_READY, &call, &why);
	conf_free(conf);
	if (result == 0)
		return ran ? 1 : 2;
	if (why.code == EAGAIN)
		return 0;
	if (why.code && err)
		*err = why;
	return -1;
}

/* A boot of which a unit failed is over, too. */
static int is_ready(struct lxcore_container *c, long long left_ms, struct error *err)
{
	autobuf struct buf answer = BUF_INIT;
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	int asked;

	if (running_find(c, &r, NULL) < 0 || r.init_pidfd < 0)
		return error_set(err, ESRCH, "it ended");
	asked = ask_hooks(c, left_ms, err);
	if (asked != 2)
		return asked;
	if (!init_is_systemd(r.state.init))
		return see_init(r.state.init, err);
	if (ask_systemd(c, &answer, err) < 0)
		return -1;
	if (answer.s && (strcmp(answer.s, "running\n") == 0 || strcmp(answer.s, "degraded\n") == 0))
		return 1;
	if (answer.s)
		answer.s[strcspn(answer.s, "\n")] = '\0';
	error_set(err, EAGAIN, "its systemd is \"%.40s\"", answer.s ? answer.s : "");
	return 0;
}

/* ---- waiting --------------------------------------------------------------------------------- */

static int not_in_time(enum lxcore_up what, int timeout, const struct error *why, struct error *err)
{
	return error_set(err, ETIMEDOUT, "it runs, but %s after %d seconds%s%s",
			 what == LXCORE_UP_NETWORK ? "has no address" : "is not ready", timeout,
			 *why->text ? ": " : "", why->text);
}

static int await(struct lxcore_container *c, enum lxcore_up what, int timeout, struct error *err)
{
	long long end = clock_ms() + timeout * 1000LL;
	int ms = FIRST_MS, is;
	long long left;

	if (lxcore_state(c) == LXCORE_STOPPED)
		return error_set(err, ESRCH, "it does not run");
	if (lxcore_wait(c, 1u << LXCORE_RUNNING, timeout, err) < 0)
		return -1;
	while (what != LXCORE_UP_RUNNING) {
		left = timeout < 0 ? -1 : end > clock_ms() ? end - clock_ms() : 0;
		struct error why = {0};

		is = what == LXCORE_UP_NETWORK ? has_address(c, &why) : is_ready(c, left, &why);
		/* Whatever could not be asked: what has ended cannot be. */
		if (is < 0 && !lxcore_init_pid(c))
			return error_set(err, ESRCH, "it ended");
		if (is < 0 && err)
			*err = why;
		if (is)
			return is < 0 ? -1 : 0;
		if (timeout >= 0 && clock_ms() >= end)
			return not_in_time(what, timeout, &why, err);
		usleep((useconds_t)ms * 1000);
		ms = 2 * ms < SLOWEST_MS ? 2 * ms : SLOWEST_MS;
	}
	return 0;
}

int lxcore_wait_up(lxcore_container *c, enum lxcore_up what, int timeout, lxcore_error *err)
{
	return await(c, what, timeout, err) < 0 ? error_within(err, "%s", c->name) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which signal makes an init shut down or reboot.  There is no common one, and the first process of a
 * pid namespace never even gets a signal that it has not asked for (pid_namespaces(7)): sent blindly,
 * most requests would be waited for in vain.  So init is looked at: its name, its program, and which
 * signals it blocks (to fetch them by signalfd or sigwait) or catches.
 */
#include "parts/init.h"
#include "parts/init_facts.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YOUNG_WAIT_MS 300

static bool hears(const struct init_facts *f, int signal)
{
	return f->waits || (((f->blocked | f->caught) >> (signal - 1)) & 1);
}

/* ---- who it is ---- */

static bool is_own(const struct init_facts *f)
{
	return strstr(f->path, "memfd:init.lxc") || str_starts(f->program, "init.lxc");
}

/* systemd blocks its real-time signals but not, as those do that block just everything, SIGQUIT. */
static bool is_systemd(const struct init_facts *f)
{
	return !f->waits && hears(f, SIGRTMIN + 3) && !((f->blocked >> (SIGQUIT - 1)) & 1);
}

static bool is_s6(const struct init_facts *f)
{
	return init_is_program(f, "s6-svscan");
}

static bool is_dinit(const struct init_facts *f)
{
	return init_is_program(f, "dinit");
}

static bool is_finit(const struct init_facts *f)
{
	return init_is_program(f, "finit");
}

/* Those that wait for just any signal mostly pass it on to their child (tini, dumb-init). */
static bool is_waiter(const struct init_facts *f)
{
	return f->first && f->waits;
}

static bool is_ordinary(const struct init_facts *f)
{
	return !f->first;
}

static bool is_any(const struct init_facts *f)
{
	return f->first;
}

/* The first line that fits, and whose signal it hears, decides. */
static const struct request {
	bool (*is)(const struct init_facts *f);
	int signal; /* 0: there is none; counted from SIGRTMIN when negative */
	const char *why;
} halt_requests[] = {
	{is_own, SIGTERM, "SIGTERM, our small init"},
	{is_systemd, -3, "SIGRTMIN+3, systemd"},
	{init_is_busybox, SIGUSR2, "SIGUSR2, busybox"},
	{init_is_openrc, SIGPWR, "SIGPWR, openrc-init"},
	{init_is_openrc, SIGTERM, "SIGTERM, openrc-init"},
	{is_s6, SIGUSR1, "SIGUSR1, s6"},
	{is_dinit, SIGTERM, "SIGTERM, dinit"},
	{is_finit, SIGUSR2, "SIGUSR2, finit"},
	{init_is_runit, 0, "runit is stopped from inside (lxc-attach -- poweroff)"},
	{is_waiter, SIGTERM, "SIGTERM, init waits for signals"},
	{is_any, SIGPWR, "SIGPWR, which init handles"},
	{is_any, SIGTERM, "SIGTERM, which init handles (and not SIGPWR)"},
	{is_any, SIGINT, "SIGINT, which init handles (and neither SIGPWR nor SIGTERM)"},
	{is_ordinary, SIGTERM, "SIGTERM, init is an ordinary process of a shared pid namespace"},
}, reboot_requests[] = {
	{is_own, 0, "a command run by lxc-execute cannot reboot"},
	{is_systemd, SIGINT, "SIGINT, systemd"},
	{init_is_busybox, SIGTERM, "SIGTERM, busybox"},
	{init_is_runit, 0, "runit is rebooted from inside (lxc-attach -- reboot)"},
	{is_any, SIGINT, "SIGINT, which init handles"},
};

static int choose(const struct request *requests, size_t n, const struct init_facts *f,
		  const char **ret_why)
{
	for (size_t i = 0; i < n; i++) {
		const struct request *r = &requests[i];
		int signal = r->signal < 0 ? SIGRTMIN - r->signal : r->signal;

		/* Whoever is not the first of its namespace gets every signal. */
		if (!r->is(f) || (signal && f->first && !hears(f, signal)))
			continue;
		*ret_why = r->why;
		return signal;
	}
	return 0;
}

static int choose_now(struct proc_id init, bool reboot, const char **ret_why)
{
	struct init_facts f;

	if (!init_look(init, &f)) {
		*ret_why = "init is gone";
		return 0;
	}
	*ret_why = reboot ? "init does not handle SIGINT" :
			    "init handles none of SIGPWR, SIGTERM and SIGINT";
	return reboot ? choose(reboot_requests, ARRAY_SIZE(reboot_requests), &f, ret_why) :
			choose(halt_requests, ARRAY_SIZE(halt_requests), &f, ret_why);
}

static int choose_for(const struct conf *c, struct proc_id init, bool reboot, const char **ret_why)
{
	int signal = c ? init_configured_signal(c, reboot) : 0;

	if (signal) {
		*ret_why = reboot ? "lxc.signal.reboot" : "lxc.signal.halt";
		return signal;
	}
	signal = choose_now(init, reboot, ret_why);
	/* One that was started just now may not have come to saying what it handles. */
	for (int waited = 0; !signal && waited < YOUNG_WAIT_MS && init_is_young(init); waited += 5) {
		usleep(5000);
		signal = choose_now(init, reboot, ret_why);
	}
	return signal;
}

int init_halt_signal(const struct conf *c, struct proc_id init, const char **ret_why)
{
	return choose_for(c, init, false, ret_why);
}

int init_reboot_signal(const struct conf *c, struct proc_id init, const char **ret_why)
{
	return choose_for(c, init, true, ret_why);
}

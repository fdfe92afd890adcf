/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which signal makes an init shut down or reboot.  There is no common one, and the first process of a
 * pid namespace never even gets a signal that it has not asked for (pid_namespaces(7)): sent blindly,
 * most requests would be waited for in vain.  So init is looked at: its name, its program, and which
 * signals it blocks (to fetch them by signalfd or sigwait) or catches.
 */
#include "parts/init.h"
#include "base/auto.h"
#include "base/fd.h"

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define YOUNG_WAIT_MS 300

struct init_facts {
	char name[32];          /* comm */
	const char *program;    /* last component of its executable's path */
	char path[PATH_MAX];
	uint64_t blocked, caught;
	char called[64];        /* last component of its first argument: a script's is its shell */
	bool waits;             /* in sigwait(3), during which what it waits for shows as not blocked */
	bool first;             /* pid 1 of its own pid namespace */
};

static bool hex_line(const char *text, const char *name, uint64_t *ret)
{
	const char *line = strstr(text, name);
	unsigned long long value;

	if (!line || sscanf(line + strlen(name), "%llx", &value) != 1)
		return false;
	*ret = value;
	return true;
}

static bool is_in_sigwait(pid_t pid)
{
	autofree char *path = str_printf("/proc/%d/wchan", pid);
	autobuf struct buf where = BUF_INIT;

	return path && file_read(AT_FDCWD, path, &where) == 0 &&
	       str_starts(where.s, "do_sigtimedwait");
}

/* "NSpid:  4711  1": the last number is the pid in the innermost namespace. */
static bool is_first(const char *text)
{
	const char *line = strstr(text, "\nNSpid:"), *end;

	if (!line)
		return true;
	end = strchr(line + 1, '\n');
	return end && end[-1] == '1' && end[-2] == '\t';
}

static void read_called(pid_t pid, char called[64])
{
	autofree char *path = str_printf("/proc/%d/cmdline", pid);
	autobuf struct buf words = BUF_INIT;
	const char *slash;

	if (!path || file_read(AT_FDCWD, path, &words) < 0)
		return;
	slash = strrchr(words.s, '/');
	snprintf(called, 64, "%s", slash ? slash + 1 : words.s);
	/* busybox overwrites its arguments with blanks. */
	called[strcspn(called, " ")] = '\0';
}

static bool look_at(struct proc_id init, struct init_facts *f)
{
	autofree char *status = str_printf("/proc/%d/status", init.pid);
	autofree char *exe = str_printf("/proc/%d/exe", init.pid);
	autobuf struct buf text = BUF_INIT;
	autoclose int pidfd = proc_open(init);
	const char *slash;
	ssize_t n;

	*f = (struct init_facts){0};
	if (pidfd < 0 || !status || !exe || file_read(AT_FDCWD, status, &text) < 0)
		return false;
	n = readlink(exe, f->path, sizeof(f->path) - 1);
	f->path[n > 0 ? n : 0] = '\0';
	slash = strrchr(f->path, '/');
	f->program = slash ? slash + 1 : f->path;
	f->first = is_first(text.s);
	read_called(init.pid, f->called);
	f->waits = is_in_sigwait(init.pid);
	/* Still the one that was meant when its pid was looked up? */
	return sscanf(text.s, "Name:\t%31[^\n]", f->name) == 1 &&
	       hex_line(text.s, "\nSigBlk:", &f->blocked) &&
	       hex_line(text.s, "\nSigCgt:", &f->caught) && proc_signal(pidfd, 0) == 0;
}

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

static bool is_busybox(const struct init_facts *f)
{
	return str_starts(f->program, "busybox") &&
	       (strcmp(f->called, "init") == 0 || strcmp(f->called, "linuxrc") == 0);
}

static bool is_program(const struct init_facts *f, const char *name)
{
	return strcmp(f->program, name) == 0 || strcmp(f->name, name) == 0;
}

static bool is_openrc(const struct init_facts *f)
{
	return is_program(f, "openrc-init");
}

static bool is_s6(const struct init_facts *f)
{
	return is_program(f, "s6-svscan");
}

static bool is_dinit(const struct init_facts *f)
{
	return is_program(f, "dinit");
}

static bool is_finit(const struct init_facts *f)
{
	return is_program(f, "finit");
}

static bool is_runit(const struct init_facts *f)
{
	return is_program(f, "runit") || is_program(f, "runit-init");
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
	{is_busybox, SIGUSR2, "SIGUSR2, busybox"},
	{is_openrc, SIGPWR, "SIGPWR, openrc-init"},
	{is_openrc, SIGTERM, "SIGTERM, openrc-init"},
	{is_s6, SIGUSR1, "SIGUSR1, s6"},
	{is_dinit, SIGTERM, "SIGTERM, dinit"},
	{is_finit, SIGUSR2, "SIGUSR2, finit"},
	{is_runit, 0, "runit is stopped from inside (lxc-attach -- poweroff)"},
	{is_waiter, SIGTERM, "SIGTERM, init waits for signals"},
	{is_any, SIGPWR, "SIGPWR, which init handles"},
	{is_any, SIGTERM, "SIGTERM, which init handles (and not SIGPWR)"},
	{is_any, SIGINT, "SIGINT, which init handles (and neither SIGPWR nor SIGTERM)"},
	{is_ordinary, SIGTERM, "SIGTERM, init is an ordinary process of a shared pid namespace"},
}, reboot_requests[] = {
	{is_own, 0, "a command run by lxc-execute cannot reboot"},
	{is_systemd, SIGINT, "SIGINT, systemd"},
	{is_busybox, SIGTERM, "SIGTERM, busybox"},
	{is_runit, 0, "runit is rebooted from inside (lxc-attach -- reboot)"},
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

	if (!look_at(init, &f)) {
		*ret_why = "init is gone";
		return 0;
	}
	*ret_why = reboot ? "init does not handle SIGINT" :
			    "init handles none of SIGPWR, SIGTERM and SIGINT";
	return reboot ? choose(reboot_requests, ARRAY_SIZE(reboot_requests), &f, ret_why) :
			choose(halt_requests, ARRAY_SIZE(halt_requests), &f, ret_why);
}

static bool is_young(struct proc_id init)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (unsigned long long)now.tv_sec < init.start / (unsigned long)sysconf(_SC_CLK_TCK) + 2;
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
	for (int waited = 0; !signal && waited < YOUNG_WAIT_MS && is_young(init); waited += 5) {
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

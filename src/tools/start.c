/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-start: run a container's init, detached or on this terminal. */
#include "cli.h"
#include "fleet.h"
#include "launch.h"
#include "report.h"
#include "tools.h"

#include <errno.h>
#include <unistd.h>

#define GRACE 10 /* seconds for giving back what a start took that has reached its limit */

struct start_options {
	bool daemon, foreground, close_all_fds, explain, timing;
	const char *pidfile, *console, *console_log, *wait;
	int wait_seconds;
	struct launch launch;
	struct fleet_options fleet;
	int timeout; /* of one among many */
};
#define UNSET (-1)
static const struct start_options presets = {.wait_seconds = UNSET, .fleet = FLEET_PRESETS};

#define AT(field) offsetof(struct start_options, field)
static const struct option_row rows[] = {
	{'d', "daemon", NULL,
	 "Return when the container is running (default)", OPT_FLAG, AT(daemon)},
	{'F', "foreground", NULL, "Show its console here, and return when it has ended", OPT_FLAG,
	 AT(foreground)},
	{'p', "pidfile", "FILE",
	 "Write the process id of the container's supervisor to FILE", OPT_TEXT,
	 AT(pidfile)},
	{'c', "console", "FILE",
	 "Use the terminal or file FILE as console (lxc.console.path)", OPT_TEXT,
	 AT(console)},
	{'L', "console-log", "FILE", "Append what the console shows to FILE (lxc.console.logfile)",
	 OPT_TEXT, AT(console_log)},
	{'C', "close-all-fds", NULL,
	 "Close inherited descriptors (a detached start always does)", OPT_FLAG,
	 AT(close_all_fds)},
	LAUNCH_ROWS(struct start_options),
	{0, "explain", NULL,
	 "Start nothing; show which parts would act, with which settings", OPT_FLAG,
	 AT(explain)},
	{0, "timing", NULL, "Show what each part of the start took", OPT_FLAG, AT(timing)},
	{0, "wait", "STATE",
	 "Wait until it is running (which is always done), has a network address, or is ready (its "
	 "init has started all)", OPT_TEXT, AT(wait)},
	{0, "timeout", "SECONDS", "With --wait: no longer than this; default 60", OPT_INT,
	 AT(wait_seconds)},
	FLEET_ROWS(struct start_options),
	{0}
};

static int start(struct cli *cli, const struct start_options *o, lxcore_container *c)
{
	struct lxcore_start how = LXCORE_START_INIT;
	struct timings timings = {0};
	int status = 0, result;

	how.command = cli_command(cli);
	how.pidfile = o->pidfile;
	how.timeout = o->timeout;
	if (o->timing) {
		how.timing = report_take;
		how.timing_data = &timings;
	}
	if (o->foreground)
		launch_foreground(&how);
	result = lxcore_start(c, &how, &status, cli->err);
	if (o->timing)
		report_timing(cli, &timings);
	cli_notices(cli, c);
	/* Among many nobody looks after one that hangs: it goes. */
	if (result < 0 && o->timeout && lxcore_error_code(cli->err) == ETIMEDOUT)
		lxcore_stop(c, NULL);
	if (result < 0)
		return cli_fail(cli);
	if (o->foreground)
		launch_tell_end(cli, status);
	if (!o->wait)
		return 0;
	return lxcore_wait_up(c, (enum lxcore_up)lxcore_up_parse(o->wait),
			      o->wait_seconds == UNSET ? LAUNCH_UP_SECONDS : o->wait_seconds,
			      cli->err) < 0 ? cli_fail(cli) : 0;
}

static int one(struct cli *cli, const struct start_options *o)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c || launch_define(cli, c, &o->launch) ||
	    launch_set(cli, c, "--console", "lxc.console.path", o->console) ||
	    launch_set(cli, c, "--console-log", "lxc.console.logfile", o->console_log))
		return 1;
	return o->explain ? report_explain(cli, c) : start(cli, o, c);
}

/* ---- many ------------------------------------------------------------------------------------ */

static int one_of_many(struct cli *cli, const char *name, const void *data,
		       struct fleet_answer *answer)
{
	(void)answer;
	cli->name = name;
	return one(cli, data);
}

static int many(struct cli *cli, const struct start_options *o)
{
	const char *single = o->foreground ? "-F" : o->pidfile ? "-p" : o->console ? "-c" :
		o->console_log ? "-L" : o->explain ? "--explain" : o->timing ? "--timing" : NULL;
	struct start_options each = *o;
	struct fleet f = {
		.done = "started", .already = "running already", .already_code = EBUSY,
		.already_states = ~(1u << LXCORE_STOPPED), .one = one_of_many, .data = &each,
	};

	if (single)
		return cli_error(cli, "%s is for one container, not for all that match \"%s\"",
				 single, cli->name);
	each.timeout = o->fleet.limit == FLEET_UNSET ? FLEET_LIMIT : o->fleet.limit;
	if (each.timeout)
		each.fleet.limit = each.timeout + GRACE;
	return fleet_run(cli, &f, &each.fleet);
}

static int check_wait(const struct cli *cli, const struct start_options *o)
{
	if (o->wait && o->foreground)
		return cli_error(cli, "--wait and -F exclude each other");
	if (o->wait_seconds != UNSET && (!o->wait || o->wait_seconds < 0))
		return cli_error(cli, o->wait ? "Invalid timeout: it is negative" :
				 "--timeout has a meaning with --wait only");
	return o->wait && launch_parse_up(cli, o->wait) < 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct start_options *o = options;
	bool is_many = fleet_is_meant(cli);

	if (o->daemon && o->foreground)
		return cli_error(cli, "cannot start %s: -d and -F exclude each other", cli->name);
	if (check_wait(cli, o) || fleet_check(cli, &o->fleet, is_many))
		return 1;
	if (o->close_all_fds)
		close_range(3, ~0u, 0);
	return is_many ? many(cli, o) : one(cli, o);
}

static const struct manual manual = {
	.description =
	"Starts the container NAME: checks its configuration against this host, makes what "
	"it needs and runs its init. Everything wrong that can be known is told before a "
	"process is born.\n\n"
	"COMMAND replaces `lxc.init.cmd` for this run. Words after the container's name "
	"belong to it from its first one on; `--` before it makes this plain." FLEET_MANUAL " Those "
	"that run already are counted, and are no failure.",
	.notes =
	"With `lxc.start.restart` the container's supervisor starts it again after it ended: "
	"`on-failure` after an exit status of its init other than 0, after a signal that ended it, and "
	"after a try that failed (`on-failure:N`: N tries in a row at most); `always` after any end, "
	"a poweroff inside included. A reboot inside is a reboot with any policy, and a first start "
	"that fails is told and not tried again. What was asked for from outside is final: lxc-stop, "
	"lxc-autostart -s, a signal to the supervisor.\n\n"
	"The first try comes 0.1 seconds after the end, each further one after twice the time of the "
	"one before, up to 60 seconds; who ran for 10 seconds begins from 0.1 again. Meanwhile the "
	"container is STARTING and has no process but its supervisor: lxc-info shows when the next "
	"try is, lxc-restart tries at once, lxc-stop ends it at once. Each try has the "
	"configuration that the container was started with, as a reboot has, and runs all hooks.",
	.exits = (const struct meaning[]){
		{"0", "it was started; with `-F`: and it has ended, however it ended"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-start -n web", "Start the container web."},
		{"lxc-start -F web", "Watch it boot; it ends when the container is halted."},
		{"lxc-start -n web --wait=network", "Start it, and go on when it has an address."},
		{"lxc-start -n 'node-*' -j 8", "Start all nodes, eight at a time."},
		{"lxc-start --explain web", "See what a start would do."},
		{"lxc-start web -- /bin/sh -c 'echo hello'", "Run a command in place of init."},
		{0}},
	.differences =
	"A container that is running already is an error with exit code 1; LXC prints an "
	"error and returns 0.\n\n"
	"In the foreground the exit code is 0 whatever init returned, as with LXC; an end that is "
	"no orderly halt is told on the standard error. A detached start whose init fails at "
	"once is told, with exit code 1.\n\n"
	"In the foreground without a terminal the command has the descriptors of lxc-start "
	"itself, so pipes work.\n\n"
	"lxc-unpriv-start, which other packages have for ordinary users, is a second name of it: "
	"lxc-start itself asks the user's systemd for a cgroup.",
	.see_also = "lxc-stop lxc-console lxc-attach lxc-info lxc-checkconfig",
};

const struct tool tool_start = {
	.name = "lxc-start",
	.purpose = "start a container",
	.synopsis = "[-n] NAME [OPTION...] [-- COMMAND [ARGUMENT...]]",
	.traits = TOOL_READS | TOOL_COMMAND | TOOL_RCFILE_F,
	.choose = "--stopped",
	.options = rows,
	.options_size = sizeof(struct start_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

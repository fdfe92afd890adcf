/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-stop: ask a container to shut down, and end it by force when it does not. */
#include "cli.h"
#include "fleet.h"
#include "tools.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT 60
#define THAW_TIMEOUT 10
#define PATIENCE 5 /* seconds after which a person wants to know what goes on */
#define UNSET -1000

struct stop_options {
	bool reboot, nowait, kill, nolock, nokill;
	int timeout;
	struct fleet_options fleet;
};
static const struct stop_options presets = {.timeout = UNSET, .fleet = FLEET_PRESETS};

#define AT(field) offsetof(struct stop_options, field)
static const struct option_row rows[] = {
	{'r', "reboot", NULL, "Ask it to reboot instead", OPT_FLAG, AT(reboot)},
	{'W', "nowait", NULL, "Ask, and do not wait for what comes of it", OPT_FLAG, AT(nowait)},
	{'t', "timeout", "SECONDS",
	 "Wait so long before it is ended by force; default 60, -1: for ever",
	 OPT_INT, AT(timeout)},
	{'k', "kill", NULL, "End it at once, without asking", OPT_FLAG, AT(kill)},
	{0, "nokill", NULL,
	 "Only ask: do not end it by force after the timeout", OPT_FLAG, AT(nokill)},
	{0, "nolock", NULL, "Accepted with -k, which waits for no lock", OPT_FLAG, AT(nolock)},
	FLEET_ROWS(struct stop_options),
	{0}
};

static int check_options(const struct cli *cli, const struct stop_options *o)
{
	bool timed = o->timeout != UNSET;

	if (o->kill && (o->nokill || o->reboot || timed))
		return cli_error(cli, "-k excludes %s",
				 o->nokill ? "--nokill" : o->reboot ? "-r" : "-t");
	if (o->nolock && !o->kill)
		return cli_error(cli, "--nolock has a meaning with -k only");
	if (timed && o->timeout < -1)
		return cli_error(cli, "Invalid timeout: %d (-1 means for ever)", o->timeout);
	return 0;
}

/* What exists and does not run: 2, as scripts know it. */
static int failed(const struct cli *cli)
{
	cli_fail(cli);
	return lxcore_error_code(cli->err) == ESRCH ? 2 : 1;
}

static int end_by_force(const struct cli *cli, lxcore_container *c)
{
	return lxcore_stop(c, cli->err) < 0 ? failed(cli) : 0;
}

/* "SIGRTMIN+3, systemd", or "SIGINT, lxc.signal.halt". */
static char *describe_signal(lxcore_container *c)
{
	autofree char *why = NULL;
	char *text = NULL;
	int number = lxcore_halt_signal(c, &why, NULL), n;
	const char *name = number > 0 ? sigabbrev_np(number) : NULL;

	if (!why || strncmp(why, "lxc.", 4) != 0)
		return why ? must_have(strdup(why)) : must_have(strdup("its shutdown signal"));
	n = name ? asprintf(&text, "SIG%s, %s", name, why) : asprintf(&text, "%d, %s", number, why);
	return must_have(n < 0 ? NULL : text);
}

static void tell_patience(const struct cli *cli, lxcore_container *c, int left, bool nokill)
{
	autofree char *signal = describe_signal(c);

	if (left < 0) {
		cli_say(cli, "waiting for %s to shut down (it got %s), without a limit", cli->name,
			signal);
		return;
	}
	cli_say(cli, "waiting for %s to shut down (it got %s); %s in %d s", cli->name, signal,
		nokill ? "giving up" : "ending it by force", left);
	if (!nokill)
		cli_say(cli, "to end it at once: lxc-stop -k -P %s -n %s", lxcore_path(c),
			cli->name);
}

/* Ask once, and say after a while what is waited for: 0, or -1 with cli->err as lxcore_shutdown. */
static int shut_down(const struct cli *cli, const struct stop_options *o, lxcore_container *c,
		     int timeout)
{
	int first = timeout < 0 || timeout > PATIENCE ? PATIENCE : timeout, left;

	if (!isatty(STDERR_FILENO) || timeout == 0 || first == timeout)
		return lxcore_shutdown(c, timeout, cli->err);
	if (lxcore_shutdown(c, first, cli->err) == 0)
		return 0;
	if (lxcore_error_code(cli->err) != ETIMEDOUT)
		return -1;
	left = timeout < 0 ? -1 : timeout - first;
	tell_patience(cli, c, left, o->nokill);
	return lxcore_wait(c, 1u << LXCORE_STOPPED, left, cli->err);
}

static int ask(const struct cli *cli, const struct stop_options *o, lxcore_container *c,
	       int timeout)
{
	if (o->reboot)
		return lxcore_reboot(c, timeout, cli->err);
	return shut_down(cli, o, c, timeout);
}

/* The frozen hear nothing; whoever wants them to end wants them thawed. */
static bool was_frozen(const struct cli *cli, lxcore_container *c)
{
	if (lxcore_error_code(cli->err) != EBUSY || lxcore_state(c) != LXCORE_FROZEN)
		return false;
	if (lxcore_unfreeze(c, THAW_TIMEOUT, cli->err) < 0)
		return false;
	cli_say(cli, "%s was frozen: thawed it, so that it can hear", cli->name);
	return true;
}

/* It was asked in vain: for too long, or it is deaf. */
static int after_asking(const struct cli *cli, const struct stop_options *o, lxcore_container *c,
			int timeout)
{
	int code = lxcore_error_code(cli->err);

	if (code == ETIMEDOUT && !o->reboot && o->nokill)
		return cli_error(cli, "%s: it did not shut down within %d seconds", cli->name,
				 timeout);
	if (o->reboot || o->nokill || (code != ETIMEDOUT && code != ENOTSUP))
		return failed(cli);
	if (code == ETIMEDOUT)
		cli_say(cli, "%s did not shut down within %d s: ending it by force", cli->name,
			timeout);
	else
		cli_say(cli, "%s; ending it by force", lxcore_error_text(cli->err));
	/* It may have ended in between, which is as good. */
	if (lxcore_stop(c, cli->err) == 0 || lxcore_error_code(cli->err) == ESRCH)
		return 0;
	return cli_fail(cli);
}

static int one(struct cli *cli, const struct stop_options *o)
{
	int timeout = o->nowait ? 0 : o->timeout == UNSET ? TIMEOUT : o->timeout;
	autocontainer lxcore_container *c = NULL;

	c = cli_open(cli);
	if (!c)
		return 1;
	if (o->kill)
		return end_by_force(cli, c);
	if (ask(cli, o, c, timeout) == 0)
		return 0;
	if (was_frozen(cli, c) && ask(cli, o, c, timeout) == 0)
		return 0;
	return after_asking(cli, o, c, timeout);
}

/* ---- many ------------------------------------------------------------------------------------ */

static int one_of_many(struct cli *cli, const char *name, const void *data,
		       struct fleet_answer *answer)
{
	(void)answer;
	cli->name = name;
	return one(cli, data);
}

/* What may take its time must not be given up before. */
static int usual_limit(const struct stop_options *o)
{
	if (o->timeout == -1)
		return 0;
	return o->timeout > FLEET_LIMIT / 2 ? 2 * o->timeout : FLEET_LIMIT;
}

static int many(struct cli *cli, const struct stop_options *o)
{
	struct fleet_options options = o->fleet;
	struct fleet f = {
		.done = o->reboot ? "rebooted" : o->nowait ? "asked" : "stopped",
		.already = "not running", .already_code = o->reboot ? 0 : ESRCH,
		.already_states = 1u << LXCORE_STOPPED, .one = one_of_many, .data = o,
	};

	if (options.limit == FLEET_UNSET)
		options.limit = usual_limit(o);
	return fleet_run(cli, &f, &options);
}

static int run(struct cli *cli, const void *options)
{
	const struct stop_options *o = options;
	bool is_many = fleet_is_meant(cli);

	if (check_options(cli, o) || fleet_check(cli, &o->fleet, is_many))
		return 1;
	return is_many ? many(cli, o) : one(cli, o);
}

static const struct manual manual = {
	.description =
	"Asks the init of the container NAME to shut down, with the signal that fits the "
	"init that really runs (`lxc.signal.halt` overrides it), waits, and ends it by "
	"force when the time is over. It works, too, when the configuration does not parse "
	"or the supervisor hangs.\n\n"
	"On a terminal it says after five seconds what it is waiting for." FLEET_MANUAL " Those that "
	"do not run are counted, and are no failure, but for `-r`.",
	.exits = (const struct meaning[]){
		{"1", "it does not exist or could not be stopped; with `--nokill`: not in time"},
		{"2", "the container exists, but is not running"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-stop -n web", "Shut it down; by force after 60 seconds."},
		{"lxc-stop -k web", "End it at once."},
		{"lxc-stop -n 'node-*'", "Shut all nodes down, side by side."},
		{"lxc-stop -r -t 30 web", "Reboot it, and wait until it runs again."},
		{0}},
	.differences =
	"A container that does not exist is told from one that does not run: exit codes 1 "
	"and 2. LXC says of both that they are not running.\n\n"
	"A frozen container is thawed, so that it can shut down; LXC waits in vain. An init "
	"that understands no request to shut down is ended by force at once; LXC waits for "
	"60 seconds.",
	.see_also = "lxc-start lxc-wait lxc-freeze",
};

const struct tool tool_stop = {
	.name = "lxc-stop",
	.purpose = "stop or reboot a container",
	.synopsis = "[-n] NAME [-W] [-r] [-t SECONDS] [--nokill]\n[-n] NAME -k",
	.traits = TOOL_READS | TOOL_RCFILE,
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct stop_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

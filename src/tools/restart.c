/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-restart: end a container and start it with what its configuration says now. */
#include "cli.h"
#include "launch.h"
#include "tools.h"

#include <errno.h>

struct restart_options {
	bool kill;
	int timeout;
	const char *wait;
};
static const struct restart_options presets = {.timeout = 60};

#define AT(field) offsetof(struct restart_options, field)
static const struct option_row rows[] = {
	{'k', "kill", NULL, "End it at once rather than shut it down", OPT_FLAG, AT(kill)},
	{'t', "timeout", "SECONDS", "End it when it has not shut down by then; default 60", OPT_INT,
	 AT(timeout)},
	{0, "wait", "STATE", "Wait until it is running, has a network address, or is ready", OPT_TEXT,
	 AT(wait)},
	{0}
};

static int end(struct cli *cli, const struct restart_options *o, lxcore_container *c)
{
	int code;

	if (!o->kill) {
		if (lxcore_shutdown(c, o->timeout, cli->err) == 0)
			return 0;
		code = lxcore_error_code(cli->err);
		if (code == ESRCH)
			return 0; /* it had ended already */
		if (code != ETIMEDOUT)
			return cli_fail(cli);
	}
	if (lxcore_stop(c, cli->err) == 0 || lxcore_error_code(cli->err) == ESRCH)
		return 0;
	return cli_fail(cli);
}

static int run(struct cli *cli, const void *options)
{
	const struct restart_options *o = options;
	struct lxcore_start how = LXCORE_START_INIT;
	autocontainer lxcore_container *c = NULL;
	autofree char *command = NULL;
	int up = o->wait ? launch_parse_up(cli, o->wait) : 0;

	if (o->timeout < 1)
		return cli_error(cli, "Invalid timeout: %d", o->timeout);
	c = up < 0 ? NULL : cli_open(cli);
	if (!c)
		return 1;
	if (!lxcore_is_defined(c))
		return cli_no_such(cli, c);
	/* With a configuration that cannot be read it would not start again: it is not ended. */
	if (lxcore_get(c, "lxc.init.cmd", false, &command, cli->err) < 0)
		return cli_fail(cli);
	if (lxcore_state(c) != LXCORE_STOPPED && end(cli, o, c))
		return 1;
	if (lxcore_start(c, &how, NULL, cli->err) < 0)
		return cli_fail(cli);
	cli_notices(cli, c);
	if (!o->wait)
		return 0;
	return lxcore_wait_up(c, (enum lxcore_up)up, LAUNCH_UP_SECONDS, cli->err) < 0 ?
		       cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Shuts the container NAME down and starts it again, with what its configuration says now; a "
	"reboot (`lxc-stop -r`) keeps the one that it was started with. What does not shut down "
	"in time is ended. One that is stopped is started.",
	.examples = (const struct meaning[]){
		{"lxc-restart web", "Let changes of its configuration take effect."},
		{"lxc-restart -k -n web --wait=network", "At once, and wait for its address."},
		{0}},
	.see_also = "lxc-start lxc-stop lxc.container.conf",
};

const struct tool tool_restart = {
	.name = "lxc-restart",
	.purpose = "end a container and start it again",
	.synopsis = "[-n] NAME [-k] [-t SECONDS] [--wait STATE]",
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct restart_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-freeze and lxc-unfreeze: suspend all processes of a container, and let them go on. */
#include "cli.h"
#include "tools.h"

#define TIMEOUT 10

struct freeze_options {
	int timeout;
};
static const struct freeze_options presets = {.timeout = TIMEOUT};

static const struct option_row rows[] = {
	{'t', "timeout", "SECONDS",
	 "Wait so long until it is done; default 10, -1: for ever", OPT_INT,
	 offsetof(struct freeze_options, timeout)},
	{0}
};

static int change(struct cli *cli, const void *options,
		  int (*to)(lxcore_container *, int, lxcore_error *))
{
	const struct freeze_options *o = options;
	autocontainer lxcore_container *c = NULL;

	if (o->timeout < -1)
		return cli_error(cli, "Invalid timeout: %d (-1 means for ever)", o->timeout);
	c = cli_open(cli);
	if (!c)
		return 1;
	return to(c, o->timeout, cli->err) < 0 ? cli_fail(cli) : 0;
}

static int freeze(struct cli *cli, const void *options)
{
	return change(cli, options, lxcore_freeze);
}

static int unfreeze(struct cli *cli, const void *options)
{
	return change(cli, options, lxcore_unfreeze);
}

static const struct manual freeze_manual = {
	.description =
	"Suspends all processes of the container NAME. They keep their memory and get no processor "
	"time until lxc-unfreeze. The state is `FROZEN` when it returns.",
	.examples = (const struct meaning[]){
		{"lxc-freeze web; tar -cf web.tar /srv/web; lxc-unfreeze web",
		 "Copy what holds still."},
		{0}},
	.differences = "The option `-t` is new; LXC waits without a limit.",
	.see_also = "lxc-unfreeze lxc-stop",
};

static const struct manual unfreeze_manual = {
	.description = "Lets the processes of the container NAME go on after lxc-freeze.",
	.differences = "The option `-t` is new; LXC waits without a limit.",
	.see_also = "lxc-freeze",
};

const struct tool tool_freeze = {
	.name = "lxc-freeze",
	.purpose = "suspend all processes of a container",
	.synopsis = "[-n] NAME [-t SECONDS]",
	.traits = TOOL_RCFILE,
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct freeze_options),
	.presets = &presets,
	.run = freeze,
	.manual = &freeze_manual,
};

const struct tool tool_unfreeze = {
	.name = "lxc-unfreeze",
	.purpose = "let the processes of a frozen container go on",
	.synopsis = "[-n] NAME [-t SECONDS]",
	.traits = TOOL_RCFILE,
	.choose = "--frozen",
	.options = rows,
	.options_size = sizeof(struct freeze_options),
	.presets = &presets,
	.run = unfreeze,
	.manual = &unfreeze_manual,
};

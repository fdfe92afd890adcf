/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-freeze and lxc-unfreeze: suspend all processes of a container, and let them go on. */
#include "cli.h"
#include "fleet.h"
#include "tools.h"

#include <errno.h>

#define TIMEOUT 10

struct freeze_options {
	int timeout;
	struct fleet_options fleet;
};
static const struct freeze_options presets = {.timeout = TIMEOUT, .fleet = FLEET_PRESETS};

static const struct option_row rows[] = {
	{'t', "timeout", "SECONDS",
	 "Wait so long until it is done; default 10, -1: for ever", OPT_INT,
	 offsetof(struct freeze_options, timeout)},
	FLEET_ROWS(struct freeze_options),
	{0}
};

/* One of the two directions. */
typedef int (*change_fn)(lxcore_container *, int, lxcore_error *);

static int change_one(struct cli *cli, const struct freeze_options *o, change_fn to)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	return to(c, o->timeout, cli->err) < 0 ? cli_fail(cli) : 0;
}

static int freeze_one(struct cli *cli, const char *name, const void *data,
		      struct fleet_answer *answer)
{
	(void)answer;
	cli->name = name;
	return change_one(cli, data, lxcore_freeze);
}

static int unfreeze_one(struct cli *cli, const char *name, const void *data,
			struct fleet_answer *answer)
{
	(void)answer;
	cli->name = name;
	return change_one(cli, data, lxcore_unfreeze);
}

static int change(struct cli *cli, const struct freeze_options *o, struct fleet *f)
{
	bool is_many = fleet_is_meant(cli);
	struct fleet_options many = o->fleet;

	if (o->timeout < -1)
		return cli_error(cli, "Invalid timeout: %d (-1 means for ever)", o->timeout);
	if (fleet_check(cli, &o->fleet, is_many))
		return 1;
	f->data = o;
	if (!is_many)
		return f->one(cli, cli->name, o, NULL);
	if (o->timeout < 0 && many.limit == FLEET_UNSET)
		many.limit = 0;
	return fleet_run(cli, f, &many);
}

static int freeze(struct cli *cli, const void *options)
{
	struct fleet f = {.done = "frozen", .one = freeze_one};

	return change(cli, options, &f);
}

/* What does not run is not frozen, which is what was wanted. */
static int unfreeze(struct cli *cli, const void *options)
{
	struct fleet f = {
		.done = "thawed", .already = "not running", .already_code = ESRCH,
		.already_states = 1u << LXCORE_STOPPED, .one = unfreeze_one,
	};

	return change(cli, options, &f);
}

static const struct manual freeze_manual = {
	.description =
	"Suspends all processes of the container NAME. They keep their memory and get no processor "
	"time until lxc-unfreeze. The state is `FROZEN` when it returns." FLEET_MANUAL,
	.examples = (const struct meaning[]){
		{"lxc-freeze web; tar -cf web.tar /srv/web; lxc-unfreeze web",
		 "Copy what holds still."},
		{0}},
	.differences = "The option `-t` is new; LXC waits without a limit.",
	.see_also = "lxc-unfreeze lxc-stop",
};

static const struct manual unfreeze_manual = {
	.description =
	"Lets the processes of the container NAME go on after lxc-freeze." FLEET_MANUAL " Those that "
	"do not run are counted, and are no failure.",
	.differences = "The option `-t` is new; LXC waits without a limit.",
	.see_also = "lxc-freeze",
};

const struct tool tool_freeze = {
	.name = "lxc-freeze",
	.purpose = "suspend all processes of a container",
	.synopsis = "[-n] NAME [-t SECONDS]",
	.traits = TOOL_READS | TOOL_RCFILE,
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
	.traits = TOOL_READS | TOOL_RCFILE,
	.choose = "--frozen",
	.options = rows,
	.options_size = sizeof(struct freeze_options),
	.presets = &presets,
	.run = unfreeze,
	.manual = &unfreeze_manual,
};

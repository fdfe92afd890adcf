/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-destroy: remove a container and its root filesystem. */
#include "cli.h"
#include "fleet.h"
#include "tools.h"

#include <errno.h>

struct destroy_options {
	bool force, snapshots;
	struct fleet_options fleet;
};
static const struct destroy_options presets = {.fleet = FLEET_PRESETS};

#define AT(field) offsetof(struct destroy_options, field)
static const struct option_row rows[] = {
	{'f', "force", NULL, "Stop it first when it is running", OPT_FLAG, AT(force)},
	{'s', "snapshots", NULL,
	 "Remove its snapshots and the clones that depend on it, too", OPT_FLAG,
	 AT(snapshots)},
	FLEET_ROWS(struct destroy_options),
	{0}
};

static int one(struct cli *cli, const struct destroy_options *o)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	if (o->force && lxcore_state(c) != LXCORE_STOPPED) {
		if (lxcore_stop(c, cli->err) < 0 && lxcore_error_code(cli->err) != ESRCH)
			return cli_fail(cli);
		/* An ephemeral container went with its last process. */
		if (!lxcore_is_defined(c))
			return 0;
	}
	return lxcore_destroy(c, o->snapshots, cli->err) < 0 ? cli_fail(cli) : 0;
}

static int one_of_many(struct cli *cli, const char *name, const void *data,
		       struct fleet_answer *answer)
{
	(void)answer;
	cli->name = name;
	return one(cli, data);
}

/* With -s one may have gone with another; without it, what is needed goes after what needs it. */
static int run(struct cli *cli, const void *options)
{
	const struct destroy_options *o = options;
	bool is_many = fleet_is_meant(cli);
	struct fleet f = {
		.done = "destroyed", .already = "gone before", .already_code = ENOENT,
		.already_states = 1u << LXCORE_STOPPED, .again = true, .one = one_of_many,
		.data = o,
	};

	if (fleet_check(cli, &o->fleet, is_many))
		return 1;
	return is_many ? fleet_run(cli, &f, &o->fleet) : one(cli, o);
}

static const struct manual manual = {
	.description =
	"Removes the container NAME: its configuration, its root filesystem (unless "
	"`lxc.rootfs.managed` is 0) and its directory. What it ran is gone for good. A "
	"running container is refused without `-f`, one with snapshots or dependent clones "
	"without `-s`." FLEET_MANUAL " Clones that match go before what they depend on.",
	.examples = (const struct meaning[]){
		{"lxc-destroy -n web", "Remove a stopped container."},
		{"lxc-destroy -f -n 'node-*'", "Stop and remove all nodes."},
		{"lxc-destroy -f -s web", "Remove it whatever state it is in, and its snapshots."},
		{0}},
	.see_also = "lxc-create lxc-stop",
};

const struct tool tool_destroy = {
	.name = "lxc-destroy",
	.purpose = "remove a container",
	.synopsis = "[-n] NAME [-f] [-s]",
	.traits = TOOL_READS | TOOL_RCFILE,
	.choose = "--stopped",
	.options = rows,
	.options_size = sizeof(struct destroy_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-execute: run one command in a container, under a small init of ours. */
#include "cli.h"
#include "launch.h"
#include "tools.h"

struct execute_options {
	bool daemon;
	const char *uid, *gid;
	struct launch launch;
};

#define AT(field) offsetof(struct execute_options, field)
static const struct option_row rows[] = {
	{'d', "daemon", NULL, "Return when the command runs", OPT_FLAG, AT(daemon)},
	{'u', "uid", "UID", "User of the command inside (lxc.init.uid)", OPT_TEXT, AT(uid)},
	{'g', "gid", "GID", "Group of the command inside (lxc.init.gid)", OPT_TEXT, AT(gid)},
	LAUNCH_ROWS(struct execute_options),
	{0}
};

static int run(struct cli *cli, const void *options)
{
	const struct execute_options *o = options;
	struct lxcore_start how = LXCORE_START_INIT;
	autocontainer lxcore_container *c = cli_open(cli);
	int status = 0, result;

	if (!c || launch_define(cli, c, &o->launch) ||
	    launch_set(cli, c, "--uid", "lxc.init.uid", o->uid) ||
	    launch_set(cli, c, "--gid", "lxc.init.gid", o->gid))
		return 1;
	how.command = cli_command(cli);
	how.execute = true;
	if (!o->daemon)
		launch_foreground(&how);
	result = lxcore_start(c, &how, &status, cli->err);
	cli_notices(cli, c);
	if (result < 0)
		return cli_fail(cli);
	return o->daemon ? 0 : cli_status(status);
}

static const struct manual manual = {
	.description =
	"Starts the container NAME with a small init that runs COMMAND (or "
	"`lxc.execute.cmd`), passes signals on to it and reaps orphans; when the command "
	"has ended, so does the container. Nothing is needed in the root filesystem but "
	"the command. With `-f` the container need not exist.",
	.exits = (const struct meaning[]){
		{"N", "the command ended with N"},
		{"128+N", "signal N killed the command"},
		{"1", "the container could not be started, or has no such command"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-execute -n web -- /bin/ls -l /", "Run one command in its root filesystem."},
		{"lxc-execute -n job -f job.conf -s lxc.uts.name=job -- make",
		 "Without a stored container."},
		{0}},
	.differences =
	"A command that does not exist is told before anything is started; LXC ends with 1 or "
	"255 and says nothing. A command that a signal killed gives 128+N in every case.",
	.see_also = "lxc-start lxc-attach",
};

const struct tool tool_execute = {
	.name = "lxc-execute",
	.purpose = "run one command in a container of its own",
	.synopsis = "[-n] NAME [OPTION...] [-- COMMAND [ARGUMENT...]]",
	.traits = TOOL_COMMAND | TOOL_RCFILE_F,
	.choose = "--stopped",
	.options = rows,
	.options_size = sizeof(struct execute_options),
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-execute: run one command in a container, under a small init of ours. */
#include "cli.h"
#include "cloning.h"
#include "launch.h"
#include "tools.h"

#include <errno.h>

struct execute_options {
	bool daemon, ephemeral;
	const char *uid, *gid;
	struct launch launch;
};

#define AT(field) offsetof(struct execute_options, field)
static const struct option_row rows[] = {
	{'d', "daemon", NULL, "Return when the command runs", OPT_FLAG, AT(daemon)},
	{0, "ephemeral", NULL,
	 "Run it in a clone of the container, of which nothing is left afterwards", OPT_FLAG,
	 AT(ephemeral)},
	{'u', "uid", "UID", "User of the command inside (lxc.init.uid)", OPT_TEXT, AT(uid)},
	{'g', "gid", "GID", "Group of the command inside (lxc.init.gid)", OPT_TEXT, AT(gid)},
	LAUNCH_ROWS(struct execute_options),
	{0}
};

static int execute(struct cli *cli, const struct execute_options *o, lxcore_container *c)
{
	struct lxcore_start how = LXCORE_START_INIT;
	int status = 0, result;

	if (launch_define(cli, c, &o->launch) ||
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

/* ---- in a clone ------------------------------------------------------------------------------ */

/* One that shares the contents where that can be; *ret is a handle of it, which 'made' keeps. */
static int make_clone(struct cli *cli, lxcore_container *golden, struct lxcore_copied *made,
		      lxcore_container **ret)
{
	struct lxcore_copy how = LXCORE_COPY_INIT;
	autofree char *name = cloning_choose_name(cli->name);
	int result;

	how.name = name;
	how.snapshot = how.ephemeral = true;
	result = lxcore_copy(golden, &how, made, cli->err);
	if (result < 0 && lxcore_error_code(cli->err) == ENOTSUP) {
		how.snapshot = false;
		result = lxcore_copy(golden, &how, made, cli->err);
	}
	*ret = result < 0 ? NULL : lxcore_open(cli_path(cli), name, cli->err);
	return *ret ? 0 : -1;
}

static int execute_in_clone(struct cli *cli, const struct execute_options *o)
{
	autocontainer lxcore_container *golden = cli_open(cli);
	autocontainer lxcore_container *c = NULL;
	struct lxcore_copied made = {0};
	int code;

	if (!golden)
		return 1;
	if (make_clone(cli, golden, &made, &c) < 0)
		return cli_fail(cli);
	code = execute(cli, o, c);
	/* Its end removes it; one that did not even begin is ours to remove. */
	if (lxcore_state(c) == LXCORE_STOPPED && lxcore_is_defined(c))
		lxcore_destroy(c, false, NULL);
	lxcore_copied_free(&made);
	return code;
}

static int run(struct cli *cli, const void *options)
{
	const struct execute_options *o = options;
	autocontainer lxcore_container *c = NULL;

	if (o->ephemeral && cli->rcfile)
		return cli_error(cli, "--ephemeral and -f exclude each other: a clone has the "
				 "configuration of its origin");
	if (o->ephemeral)
		return execute_in_clone(cli, o);
	c = cli_open(cli);
	return c ? execute(cli, o, c) : 1;
}

static const struct manual manual = {
	.description =
	"Starts the container NAME with a small init that runs COMMAND (or "
	"`lxc.execute.cmd`), passes signals on to it and reaps orphans; when the command "
	"has ended, so does the container. Nothing is needed in the root filesystem but "
	"the command. With `-f` the container need not exist.\n\n"
	"With `--ephemeral` the container stays as it is: a clone of it is made, which shares its "
	"contents where that can be, the command runs in that, and nothing of it is left when the "
	"command has ended.",
	.exits = (const struct meaning[]){
		{"N", "the command ended with N"},
		{"128+N", "signal N killed the command"},
		{"1", "the container could not be started, or has no such command"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-execute -n web -- /bin/ls -l /", "Run one command in its root filesystem."},
		{"lxc-execute --ephemeral -n golden -- make check",
		 "Run a job in a clone that is gone afterwards."},
		{"lxc-execute -n job -f job.conf -s lxc.uts.name=job -- make",
		 "Without a stored container."},
		{0}},
	.differences =
	"A command that does not exist is told before anything is started; LXC ends with 1 or "
	"255 and says nothing. A command that a signal killed gives 128+N in every case.",
	.see_also = "lxc-start lxc-attach lxc-copy init.lxc",
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-destroy: remove a container and its root filesystem. */
#include "cli.h"
#include "tools.h"

#include <errno.h>

struct destroy_options {
	bool force, snapshots;
};

#define AT(field) offsetof(struct destroy_options, field)
static const struct option_row rows[] = {
	{'f', "force", NULL, "Stop it first when it is running", OPT_FLAG, AT(force)},
	{'s', "snapshots", NULL,
	 "Remove its snapshots and the clones that depend on it, too", OPT_FLAG,
	 AT(snapshots)},
	{0}
};

static int run(struct cli *cli, const void *options)
{
	const struct destroy_options *o = options;
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

static const struct manual manual = {
	.description =
	"Removes the container NAME: its configuration, its root filesystem (unless "
	"`lxc.rootfs.managed` is 0) and its directory. What it ran is gone for good. A "
	"running container is refused without `-f`, one with snapshots or dependent clones "
	"without `-s`.",
	.examples = (const struct meaning[]){
		{"lxc-destroy -n web", "Remove a stopped container."},
		{"lxc-destroy -f -s web", "Remove it whatever state it is in, and its snapshots."},
		{0}},
	.see_also = "lxc-create lxc-stop",
};

const struct tool tool_destroy = {
	.name = "lxc-destroy",
	.purpose = "remove a container",
	.synopsis = "[-n] NAME [-f] [-s]",
	.traits = TOOL_RCFILE,
	.choose = "--stopped",
	.options = rows,
	.options_size = sizeof(struct destroy_options),
	.run = run,
	.manual = &manual,
};

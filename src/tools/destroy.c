/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-destroy: remove a container and its root filesystem. */
#include "cli.h"
#include "fleet.h"
#include "tools.h"

#include <errno.h>
#include <string.h>

struct destroy_options {
	bool force, snapshots;
	struct fleet_options fleet;
};
static const struct destroy_options presets = {.fleet = FLEET_PRESETS};

#define AT(field) offsetof(struct destroy_options, field)
static const struct option_row rows[] = {
	{'f', "force", NULL,
	 "Stop it first when it is running; with -s: also the clones that go with it", OPT_FLAG,
	 AT(force)},
	{'s', "snapshots", NULL,
	 "Remove its snapshots and the clones that depend on it, too", OPT_FLAG,
	 AT(snapshots)},
	FLEET_ROWS(struct destroy_options),
	{0}
};

static int stop(struct cli *cli, lxcore_container *c)
{
	if (lxcore_state(c) == LXCORE_STOPPED || lxcore_stop(c, cli->err) == 0)
		return 0;
	return lxcore_error_code(cli->err) == ESRCH ? 0 : -1;
}

/* Whatever depends on it, and on that: "LXCPATH/NAME" each.  The graph has no circles. */
static int stop_dependants(struct cli *cli, lxcore_container *c)
{
	char **names = NULL;
	int n = lxcore_dependants(c, &names, cli->err), result = n < 0 ? -1 : 0;

	for (int i = 0; i < n && result == 0; i++) {
		char *slash = strrchr(names[i], '/');
		autocontainer lxcore_container *other = NULL;

		*slash = '\0';
		other = lxcore_open(names[i], slash + 1, cli->err);
		result = !other || stop(cli, other) < 0 ? -1 : stop_dependants(cli, other);
	}
	lxcore_names_free(names);
	return result;
}

static int one(struct cli *cli, const struct destroy_options *o)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	if (o->force && o->snapshots && lxcore_is_defined(c) && stop_dependants(cli, c) < 0)
		return cli_fail(cli);
	if (o->force && lxcore_state(c) != LXCORE_STOPPED) {
		if (stop(cli, c) < 0)
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
	"without `-s`; the error names them. `-f` never removes what others need: for that, too, "
	"`-s` must be given, and `-f -s` stops and removes the container and all that depends on "
	"it." FLEET_MANUAL " Clones that match go before what they depend on.",
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

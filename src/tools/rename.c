/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-rename: give a stopped container another name. */
#include "cli.h"
#include "tools.h"

static const struct option_row rows[] = {{0}};

static int run(struct cli *cli, const void *options)
{
	autocontainer lxcore_container *c = NULL;

	(void)options;
	if (cli->words.n != 1)
		return cli_error_mend(cli, "lxc-rename NAME NEW", "the new name is missing");
	c = cli_open(cli);
	if (!c)
		return 1;
	return lxcore_rename(c, cli->words.v[0], cli->err) < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"The stopped container NAME is called NEW from now on: its directory, its host name, and "
	"the paths in its configuration that led to it. One that runs is refused, and one that has "
	"snapshots or clones.",
	.examples = (const struct meaning[]){{"lxc-rename web web-old", "Make room for another."}, {0}},
	.see_also = "lxc-copy lxc-stop",
};

const struct tool tool_rename = {
	.name = "lxc-rename",
	.purpose = "give a container another name",
	.synopsis = "[-n] NAME NEW",
	.max_words = 1,
	.choose = "--stopped",
	.options = rows,
	.run = run,
	.manual = &manual,
};

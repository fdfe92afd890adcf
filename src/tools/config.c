/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-config: show the items of lxc.conf(5), which hold for all containers. */
#include "cli.h"
#include "help.h"
#include "json.h"
#include "tools.h"

#include <string.h>

struct config_options {
	bool list;
};

static const struct option_row rows[] = {
	{'l', "list", NULL,
	 "Show the names of all items", OPT_FLAG, offsetof(struct config_options, list)},
	{0}
};

static int list(const struct cli *cli)
{
	const char *const *items = lxcore_global_items();
	struct json j = {.out = stdout};

	if (!cli->json) {
		for (; *items; items++)
			puts(*items);
		return 0;
	}
	json_rows(&j, NULL);
	for (; *items; items++)
		json_text(&j, NULL, *items);
	json_end(&j, ']');
	return 0;
}

static bool is_item(const char *name)
{
	for (const char *const *items = lxcore_global_items(); *items; items++)
		if (strcmp(*items, name) == 0)
			return true;
	return false;
}

static int show(const struct cli *cli, const char *item)
{
	autofree char *value = NULL;
	struct json j = {.out = stdout};

	if (lxcore_global(item, &value, cli->err) < 0)
		return cli_fail(cli);
	if (cli->json) {
		json_object(&j, NULL);
		json_text(&j, "item", item);
		json_text(&j, "value", value);
		json_end(&j, '}');
	} else if (value) {
		cli_value(value);
	} else {
		printf("%s is not set.\n", item);
	}
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct config_options *o = options;
	const char *item = cli->words.n ? cli->words.v[0] : NULL;

	if (o->list)
		return list(cli);
	if (!item || !*item) {
		usage_print(cli->tool, stdout);
		return 0;
	}
	if (is_item(item))
		return show(cli, item);
	if (cli->json)
		return cli_error_mend(cli, "lxc-config -l      (shows the items)",
				      "Unknown configuration item: %s", item);
	fputs("Unknown configuration item: ", stdout);
	text_print(stdout, item);
	putchar('\n');
	return 1;
}

static const struct manual manual = {
	.description =
	"Prints the value of ITEM, one of the settings that hold for all containers: from the file "
	"lxc.conf(5), or its default. `ITEM is not set.` is printed when it has none.",
	.examples = (const struct meaning[]){
		{"lxc-config lxc.lxcpath", "Show where containers live."},
		{0}},
	.notes = "Help and messages go to standard output, where scripts look for them.",
	.differences =
	"An item must be written in full; LXC takes the first item that begins with the "
	"given text. `--version` and `--json` are new.",
	.see_also = "lxc.conf lxc.system.conf",
};

const struct tool tool_config = {
	.name = "lxc-config",
	.purpose = "show settings that hold for all containers",
	.synopsis = "-l\nITEM",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_OWN_OPTIONS | TOOL_HELP_STDOUT,
	.max_words = 1,
	.options = rows,
	.options_size = sizeof(struct config_options),
	.run = run,
	.manual = &manual,
};

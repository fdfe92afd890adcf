/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-checkconfig: can this kernel hold containers; and would this container start? */
#include "cli.h"
#include "json.h"
#include "kernel.h"
#include "tools.h"

#include <string.h>

static const struct option_row rows[] = {{0}};

static void say_part(void *data, const char *part, const lxcore_error *objection)
{
	const char *mend = objection ? lxcore_error_mend(objection) : "";

	(void)data;
	printf("%-18s ", part);
	text_print(stdout, objection ? lxcore_error_text(objection) : "ok");
	putchar('\n');
	for (const char *line = mend; *line;) {
		size_t n = strcspn(line, "\n");

		printf("%-18s to mend it: %.*s\n", "", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void say_part_json(void *data, const char *part, const lxcore_error *objection)
{
	json_object(data, NULL);
	json_text(data, "part", part);
	json_text(data, "objection", objection ? lxcore_error_text(objection) : NULL);
	json_text(data, "mend", objection ? lxcore_error_mend(objection) : NULL);
	json_end(data, '}');
}

static int check_container(struct cli *cli)
{
	autocontainer lxcore_container *c = cli_open(cli);
	autofree char *text = NULL;
	size_t size;
	struct json j = {.out = must_have(open_memstream(&text, &size))};
	int objections;

	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_rows(&j, "parts");
	objections = !c ? -1 : lxcore_check(c, cli->json ? say_part_json : say_part, &j, cli->err);
	json_end(&j, ']');
	json_end(&j, '}');
	fclose(j.out);
	if (!c)
		return 1;
	if (objections < 0)
		return cli_fail(cli);
	if (cli->json)
		fputs(must_have(text), stdout);
	cli_notices(cli, c);
	return objections > 0;
}

static int run(struct cli *cli, const void *options)
{
	(void)options;
	return cli->name ? check_container(cli) : kernel_check(cli);
}

static const struct manual manual = {
	.description =
	"Without a name: tells which of the things that containers need this kernel and "
	"host have. A feature is `enabled`, `missing`, or `required` when it is missing "
	"and nothing works without it. Then, for whoever asks, root or an ordinary user, what else "
	"containers stand on: cgroups, subordinate ids and the programs that map them, paths, the "
	"network and its firewall, security modules. Each is `fine`, or comes with the command that "
	"mends it: `advice` where something will not work, `wrong` where nothing will. With the "
	"environment variable CONFIG set to a kernel configuration in plain text, that is examined "
	"instead of the running kernel and the host.\n\n"
	"With `-n NAME`: checks the configuration of a container against itself and this "
	"host, part by part, exactly as a start would do before it does anything.",
	.exits = (const struct meaning[]){
		{"0", "the kernel and the host were examined, whatever is missing; with `-n`: it would "
		      "start"},
		{"1", "CONFIG cannot be read; with `-n`: some part objects"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-checkconfig", "Examine the running kernel and this host."},
		{"lxc-checkconfig -n web", "Would web start?"},
		{0}},
	.differences =
	"The running kernel is asked itself, not the file that describes it; so whether a "
	"module is loaded is not shown, and MODNAME has no meaning. The host and `-n` are new.",
	.see_also = "lxc-start lxc.container.conf",
};

const struct tool tool_checkconfig = {
	.name = "lxc-checkconfig",
	.purpose = "check the kernel and the host, or a container's configuration",
	.synopsis = "\n-n NAME",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_RCFILE,
	.choose = "--defined",
	.options = rows,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-cgroup: read or write a control file of a running container's cgroup. */
#include "cli.h"
#include "json.h"
#include "tools.h"

#include <string.h>

static int show(const struct cli *cli, const char *file, char *value)
{
	struct json j = {.out = stdout};
	size_t n = strlen(value);

	if (!cli->json) {
		cli_value(value);
		return 0;
	}
	if (n && value[n - 1] == '\n')
		value[n - 1] = '\0';
	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_text(&j, "object", file);
	json_text(&j, "value", value);
	json_end(&j, '}');
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	autocontainer lxcore_container *c = NULL;
	autofree char *value = NULL;
	const char *file = cli->words.n ? cli->words.v[0] : NULL;

	(void)options;
	if (!file)
		return cli_error_mend(cli, "lxc-cgroup NAME memory.max      (for example)",
				      "no state object named");
	c = cli_open(cli);
	if (!c)
		return 1;
	if (cli->words.n == 2 && lxcore_cgroup_set(c, file, cli->words.v[1], cli->err) == 0)
		return 0;
	if (cli->words.n == 2 || lxcore_cgroup_get(c, file, &value, cli->err) < 0)
		return cli_fail(cli);
	return show(cli, file, value);
}

static const struct manual manual = {
	.description =
	"Without VALUE prints the content of the control file OBJECT of the running "
	"container's cgroup; with VALUE writes it there. The controller is found by the "
	"beginning of the name, on cgroup v1 and v2.\n\n"
	"The change lasts until the container stops. `lxc.cgroup.OBJECT` and "
	"`lxc.cgroup2.OBJECT` in its configuration set a value at every start.",
	.examples = (const struct meaning[]){
		{"lxc-cgroup -n web memory.max", "Show the memory limit (cgroup v2)."},
		{"lxc-cgroup -n web cpuset.cpus 0,1", "Let it use two processors."},
		{"lxc-cgroup -n web devices.allow 'c 10:229 rwm'", "Allow it /dev/fuse."},
		{0}},
	.see_also = "lxc-info lxc.container.conf",
};

const struct tool tool_cgroup = {
	.name = "lxc-cgroup",
	.purpose = "read or change a control group setting of a running container",
	.synopsis = "[-n] NAME OBJECT [VALUE]",
	.traits = TOOL_READS | TOOL_RCFILE,
	.max_words = 2,
	.choose = "--running",
	.run = run,
	.manual = &manual,
};

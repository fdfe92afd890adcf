/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-info: state, process, addresses, use of resources and configuration of one container.  It
 * works when the configuration does not parse and when the supervisor hangs.
 */
#include "info.h"
#include "tools.h"

#define AT(field) offsetof(struct info_options, field)
static const struct option_row rows[] = {
	{'c', "config", "KEY",
	 "Show this configuration key, of the running container if it runs; may be "
	 "repeated", OPT_LIST, AT(keys)},
	{'i', "ips", NULL, "Show its addresses", OPT_FLAG, AT(ips)},
	{'p', "pid", NULL, "Show the process id of its init", OPT_FLAG, AT(pid)},
	{'S', "stats", NULL, "Show what it uses, and the limits of that", OPT_FLAG, AT(stats)},
	{'H', "no-humanize", NULL,
	 "Show raw numbers (bytes, nanoseconds); a single value without label",
	 OPT_FLAG, AT(raw)},
	{'s', "state", NULL, "Show its state", OPT_FLAG, AT(state)},
	{0}
};

static const struct lxcore_stats unknown = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1};

static int look(struct info *i, lxcore_error *err)
{
	i->stats = unknown;
	/* Of one that is stopped they are told where its configuration can be read. */
	if (i->want.stats)
		i->n_limits = lxcore_limits(i->c, &i->limits, i->running ? err : NULL);
	/* Of one whose configuration does not parse it is not known. */
	if (i->all && lxcore_restart_info(i->c, &i->restart, NULL) < 0)
		i->restart.policy[0] = '\0';
	if (!i->running)
		return 0;
	if (i->n_limits < 0)
		return -1;
	if (i->all && lxcore_published(i->c, &i->published, err) < 0)
		return -1;
	if (i->want.ips || i->want.stats)
		i->n_interfaces = lxcore_interfaces(i->c, &i->interfaces, err);
	if (i->n_interfaces < 0)
		return -1;
	return i->want.stats ? lxcore_stats(i->c, &i->stats, err) : 0;
}

static int absent(const struct cli *cli, const lxcore_container *c)
{
	autofree char *mend = NULL;

	if (asprintf(&mend, "lxc-ls -P %s      (shows those that there are)", lxcore_path(c)) < 0)
		mend = NULL;
	return cli_error_mend(cli, must_have(mend), "%s doesn't exist", cli->name);
}

static int run(struct cli *cli, const void *options)
{
	const struct info_options *o = options;
	autocontainer lxcore_container *c = cli_open(cli);
	struct info i = {.cli = cli, .c = c, .want = *o};
	int code;

	if (!c)
		return 1;
	i.state = lxcore_state(c);
	i.running = i.state != LXCORE_STOPPED;
	if (!i.running && !lxcore_is_defined(c))
		return absent(cli, c);
	i.all = !(o->state || o->pid || o->ips || o->stats || o->keys.n);
	i.bare = o->raw && o->state + o->pid + o->ips + o->stats == 1;
	if (i.all)
		i.want.state = i.want.pid = i.want.ips = i.want.stats = true;
	/* What cannot be found out is left out of the whole picture; asked for, it is an error. */
	if (look(&i, cli->err) < 0 && !i.all)
		code = cli_fail(cli);
	else
		code = cli->json ? info_json(&i) : info_lines(&i);
	lxcore_names_free(i.published);
	lxcore_limits_free(i.limits, i.n_limits);
	lxcore_interfaces_free(i.interfaces, i.n_interfaces < 0 ? 0 : i.n_interfaces);
	return code;
}

static const struct manual manual = {
	.description =
	"Shows the container NAME: its state and, when it runs, the process id of its "
	"init, its addresses and what it uses. With options only what they name. Sizes of "
	"traffic are seen from inside.\n\n"
	"A limit that is set (`lxc.limit.*`) has a line behind what it limits. Of a container that "
	"runs it is the one that the kernel keeps, whoever set it; where the configuration says "
	"something else, that stands behind it in parentheses. Of one that is stopped it is the "
	"configured one. "
	"With `--json` each has its `configured` text and what that is, or what is in force, as "
	"`bytes`, `bytes_per_second`, `permille` of a processor, `count`, or `list` of processors; "
	"null is no limit.",
	.examples = (const struct meaning[]){
		{"lxc-info -n web", "Show everything."},
		{"lxc-info -sH web", "Only the word RUNNING or STOPPED, for scripts."},
		{"lxc-info -n web -c lxc.net.0.type -c lxc.uts.name", "Two configuration keys."},
		{0}},
	.differences =
	"An unknown key gives exit code 1; LXC prints `KEY invalid` and returns 0.\n\n"
	"A stopped container whose init did not end well has a line `Last exit:`, one with "
	"`lxc.start.restart` a line `Restart:`, one with limits a line for each of them, and for the "
	"processes and the swap that are limited.",
	.see_also = "lxc-ls lxc-monitor lxc.container.conf",
};

const struct tool tool_info = {
	.name = "lxc-info",
	.purpose = "show a container",
	.synopsis = "[-n] NAME [-s] [-p] [-i] [-S] [-H] [-c KEY]...",
	.traits = TOOL_READS | TOOL_RCFILE,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct info_options),
	.run = run,
	.manual = &manual,
};

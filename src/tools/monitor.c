/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-monitor: print what happens to containers. */
#include "cli.h"
#include "json.h"
#include "tools.h"

#include <regex.h>

struct monitor_options {
	bool quit;
};

static const struct option_row rows[] = {
	{'Q', "quit", NULL, "Do nothing: there is no lxc-monitord to be ended", OPT_FLAG,
	 offsetof(struct monitor_options, quit)},
	{0}
};

static void show_json(const struct lxcore_event *e)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "lxcpath", e->lxcpath);
	json_text(&j, "name", e->name);
	if (e->type == LXCORE_EVENT_STATE)
		json_text(&j, "state", lxcore_state_name(e->state));
	else if (e->type == LXCORE_EVENT_RESTART)
		json_number(&j, "restart_in_ms", e->delay_ms);
	else if (e->type == LXCORE_EVENT_OOM)
		json_number(&j, "oom_kills", e->oom_kills);
	else
		json_number(&j, "exit_status", cli_status(e->status));
	json_end(&j, '}');
}

static void show_line(const struct lxcore_event *e)
{
	autofree char *name = text_escape(e->name);

	if (e->type == LXCORE_EVENT_STATE)
		printf("'%s' changed state to [%s]\n", name, lxcore_state_name(e->state));
	else if (e->type == LXCORE_EVENT_RESTART)
		printf("'%s' restarts in [%.1f] seconds\n", name, e->delay_ms / 1000.0);
	else if (e->type == LXCORE_EVENT_OOM)
		printf("'%s' ran out of memory, [%d] killed since its start\n", name, e->oom_kills);
	else
		printf("'%s' exited with status [%d]\n", name, cli_status(e->status));
}

static int watch(struct cli *cli, const regex_t *names)
{
	lxcore_monitor *m = lxcore_monitor_open(cli->paths.v, cli->err);
	struct lxcore_event e;
	int n = m ? 0 : -1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (n >= 0 && !ferror(stdout)) {
		n = lxcore_monitor_next(m, -1, &e, cli->err);
		/* Of those that run alone: lxc-events shows all. */
		if (n <= 0 || (e.type > LXCORE_EVENT_RESTART && e.type != LXCORE_EVENT_OOM) ||
		    regexec(names, e.name, 0, NULL, 0) != 0)
			continue;
		if (cli->json)
			show_json(&e);
		else
			show_line(&e);
	}
	lxcore_monitor_close(m);
	return n < 0 ? cli_fail(cli) : 1;
}

static int run(struct cli *cli, const void *options)
{
	const struct monitor_options *o = options;
	const char *pattern = cli->name ? cli->name : cli->words.n ? cli->words.v[0] : ".*";
	autofree char *whole = NULL;
	regex_t names;
	char why[128];
	int wrong, code;

	if (o->quit)
		return 0;
	if (asprintf(&whole, "^(%s)$", pattern) < 0)
		whole = NULL;
	wrong = regcomp(&names, must_have(whole), REG_EXTENDED | REG_NOSUB);
	if (wrong) {
		regerror(wrong, NULL, why, sizeof(why));
		return cli_error(cli, "cannot use \"%s\" as regular expression: %s", pattern, why);
	}
	code = watch(cli, &names);
	regfree(&names);
	return code;
}

static const struct manual manual = {
	.description =
	"Prints a line for each change of state and each end of a container below the "
	"lxcpath, until it is interrupted. REGEX, an extended regular expression that must "
	"fit the whole name, chooses containers. The lines are\n\n"
	"    'NAME' changed state to [STATE]\n"
	"    'NAME' exited with status [N]\n"
	"    'NAME' restarts in [SECONDS] seconds\n"
	"    'NAME' ran out of memory, [N] killed since its start\n\n"
	"and with `--json` an object each.",
	.examples = (const struct meaning[]){
		{"lxc-monitor", "Watch all containers."},
		{"lxc-monitor -n 'web|db[0-9]' -P /srv/lxc -P /var/lib/lxc", "Some of two places."},
		{0}},
	.differences =
	"There is no lxc-monitord: nothing runs when nobody watches, and `-Q` has nothing "
	"to end.\n\n"
	"LXC does not restart, and has no such line.\n\n"
	"A container that a signal N killed is shown with status 128+N; LXC shows 0.",
	.see_also = "lxc-events lxc-wait lxc-info",
};

const struct tool tool_monitor = {
	.name = "lxc-monitor",
	.purpose = "watch the states of containers",
	.synopsis = "[[-n] REGEX] [-P PATH]...",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_MANY_PATHS,
	.max_words = 1,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct monitor_options),
	.run = run,
	.manual = &manual,
};

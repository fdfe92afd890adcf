/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-events: what happens to containers, and what happened. */
#include "cli.h"
#include "json.h"
#include "tools.h"
#include "when.h"

#include <fnmatch.h>
#include <string.h>

struct events_options {
	struct words types;
	const char *since;
	bool one;
	int count;
};
#define UNSET (-1)
static const struct events_options presets = {.count = UNSET};

#define AT(field) offsetof(struct events_options, field)
static const struct option_row rows[] = {
	{'t', "type", "TYPE[,TYPE]",
	 "Only these: state, exit, restart, oom, create, destroy, rename, snapshot, restore, forget; "
	 "may be repeated", OPT_LIST, AT(types)},
	{0, "since", "TIME", "Begin with what happened since then (10m, 2h, 14:03, 2026-11-27)",
	 OPT_TEXT, AT(since)},
	{'c', "count", "NUMBER", "End after so many; 0: after those of --since", OPT_INT, AT(count)},
	{'1', "one", NULL, "End after the next one, as --count=1", OPT_FLAG, AT(one)},
	{0}
};

struct choice_of_events {
	const char *pattern;
	unsigned types; /* bits; 0: all */
	long left;      /* so many more, -1: no end */
};

static void show_json(const struct lxcore_event *e)
{
	struct json j = {.out = stdout};
	char text[40];

	json_object(&j, NULL);
	json_text(&j, "time", when_text(e->when_ms, text));
	json_number(&j, "ms", e->when_ms);
	json_text(&j, "lxcpath", e->lxcpath);
	json_text(&j, "name", e->name);
	json_text(&j, "type", lxcore_event_name(e->type));
	if (e->type == LXCORE_EVENT_STATE)
		json_text(&j, "state", lxcore_state_name(e->state));
	else if (e->type == LXCORE_EVENT_RESTART)
		json_number(&j, "restart_in_ms", e->delay_ms);
	else if (e->type == LXCORE_EVENT_OOM)
		json_number(&j, "oom_kills", e->oom_kills);
	else if (e->type == LXCORE_EVENT_EXIT)
		json_number(&j, "exit_status", cli_status(e->status));
	else if (e->type == LXCORE_EVENT_CREATE)
		json_text(&j, "from", e->detail);
	else if (e->type == LXCORE_EVENT_RENAME)
		json_text(&j, "to", e->detail);
	else if (e->type != LXCORE_EVENT_DESTROY)
		json_text(&j, "snapshot", e->detail);
	json_end(&j, '}');
}

static void show_line(const struct lxcore_event *e)
{
	autofree char *name = text_escape(e->name), *detail = text_escape(e->detail ? e->detail : "");
	char text[40];

	printf("%s %s %s", when_text(e->when_ms, text), name, lxcore_event_name(e->type));
	if (e->type == LXCORE_EVENT_STATE)
		printf(" %s", lxcore_state_name(e->state));
	else if (e->type == LXCORE_EVENT_RESTART)
		printf(" in %.1f s", e->delay_ms / 1000.0);
	else if (e->type == LXCORE_EVENT_OOM)
		printf(" %d", e->oom_kills);
	else if (e->type == LXCORE_EVENT_EXIT)
		printf(" %d", cli_status(e->status));
	else if (e->detail)
		printf(" %s", detail);
	putchar('\n');
}

static bool fits(const struct choice_of_events *c, const struct lxcore_event *e)
{
	return (!c->types || c->types & 1u << e->type) &&
	       (!c->pattern || fnmatch(c->pattern, e->name, 0) == 0);
}

static int watch(struct cli *cli, lxcore_monitor *m, struct choice_of_events *c, bool past_only)
{
	struct lxcore_event e;
	int n = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (c->left != 0 && n >= 0 && !ferror(stdout)) {
		n = lxcore_monitor_next(m, past_only ? 0 : -1, &e, cli->err);
		if (n == 0 && past_only)
			return 0;
		if (n <= 0 || !fits(c, &e))
			continue;
		if (cli->json)
			show_json(&e);
		else
			show_line(&e);
		c->left -= c->left > 0;
	}
	return n < 0 ? cli_fail(cli) : ferror(stdout) ? 1 : 0;
}

static int parse_types(const struct cli *cli, const struct words *list, unsigned *ret)
{
	for (size_t i = 0; i < list->n; i++) {
		autofree char *words = must_have(strdup(list->v[i]));
		char *rest = words, *word;

		while ((word = strsep(&rest, ","))) {
			int type = lxcore_event_parse(word);

			if (type < 0)
				return cli_error_mend(cli, "use state, exit, restart, oom, create, "
						      "destroy, rename, snapshot, restore, forget",
						      "there is no type of events \"%s\"", word);
			*ret |= 1u << type;
		}
	}
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct events_options *o = options;
	struct choice_of_events c = {
		.pattern = cli->name ? cli->name : cli->words.n ? cli->words.v[0] : NULL,
		.left = o->one ? 1 : o->count > 0 ? o->count : -1,
	};
	lxcore_monitor *m;
	int64_t since;
	int code;

	if (o->count < UNSET || (o->one && o->count != UNSET))
		return cli_error(cli, o->one ? "-1 and --count exclude each other" :
				 "a count of events is a number from 0 on");
	if (o->count == 0 && !o->since)
		return cli_error(cli, "--count=0 has a meaning with --since only");
	if (o->since && !when_parse(o->since, &since))
		return cli_error_mend(cli, "lxc-events --since=10m      (or 2h, 14:03, 2026-11-27, "
				      "'2026-11-27 14:03', @SECONDS)", "cannot use \"%s\" as a time",
				      o->since);
	if (parse_types(cli, &o->types, &c.types))
		return 1;
	m = lxcore_monitor_open(cli->paths.v, cli->err);
	if (!m || (o->since && lxcore_monitor_since(m, since, cli->err) < 0)) {
		code = cli_fail(cli);
		lxcore_monitor_close(m);
		return code;
	}
	code = watch(cli, m, &c, o->count == 0);
	lxcore_monitor_close(m);
	return code;
}

static const struct manual manual = {
	.description =
	"Shows what happens to the containers below the lxcpath, a line each, until it is "
	"interrupted:\n\n"
	"    TIME NAME state STATE\n"
	"    TIME NAME exit STATUS\n"
	"    TIME NAME restart in SECONDS s\n"
	"    TIME NAME oom N\n"
	"    TIME NAME create [SOURCE]\n"
	"    TIME NAME destroy\n"
	"    TIME NAME rename NEWNAME\n"
	"    TIME NAME snapshot SNAPSHOT\n"
	"    TIME NAME restore SNAPSHOT\n"
	"    TIME NAME forget [SNAPSHOT]\n\n"
	"A container that was created out of another one is shown with that. A snapshot that is "
	"removed is forgotten; without a name all are. PATTERN, as of glob(7), chooses containers. "
	"With `--json` each line is an object.\n\n"
	"`--since` begins with what happened before: each lxcpath keeps its last two thousand events "
	"or so until the machine is started anew. " WHEN_SYNTAX,
	.notes =
	"There is no daemon. Who causes an event writes it down and tells those who listen, as they "
	"are shown by lxc-monitor(1) too, which knows states, ends, restarts and kills for want of "
	"memory alone.",
	.examples = (const struct meaning[]){
		{"lxc-events", "Watch all containers."},
		{"lxc-events 'web*' -t exit,restart --json", "Who of these ends, for a program."},
		{"lxc-events --since=1d --count=0", "What happened since yesterday, and no more."},
		{"lxc-events -1 -t create", "Wait for the next container."},
		{0}},
	.see_also = "lxc-monitor lxc-wait lxc-logs",
};

const struct tool tool_events = {
	.name = "lxc-events",
	.purpose = "show what happens to containers",
	.synopsis = "[[-n] PATTERN] [-t TYPE[,TYPE]]... [--since=TIME] [-c NUMBER] [-1] [-P PATH]...",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_MANY_PATHS,
	.max_words = 1,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct events_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-logs: what a container printed on its console. */
#include "cli.h"
#include "json.h"
#include "tools.h"
#include "when.h"

#include <string.h>
#include <unistd.h>

struct logs_options {
	bool follow, times, raw;
	int tail;
	const char *since;
};
static const struct logs_options presets = {.tail = -1};

#define AT(field) offsetof(struct logs_options, field)
static const struct option_row rows[] = {
	{'f', "follow", NULL, "Go on with what it prints from now on, until interrupted", OPT_FLAG,
	 AT(follow)},
	{0, "tail", "LINES", "Show the last lines alone", OPT_INT, AT(tail)},
	{0, "since", "TIME", "Show what was printed since then (10m, 2h, 14:03, 2026-11-27)", OPT_TEXT,
	 AT(since)},
	{'t', "timestamps", NULL, "Write in front of each line when it was printed", OPT_FLAG,
	 AT(times)},
	{0, "raw", NULL, "Show control characters to a terminal as they are, colours too", OPT_FLAG,
	 AT(raw)},
	{0}
};

/* Lines are put together where they are looked at one by one; else bytes pass as they come. */
struct shower {
	const struct cli *cli;
	bool lines, times, escape;
	bool begun; /* the line's beginning stands there already: a prompt */
	char *line;
	size_t n, room;
	int64_t when; /* of the line's first byte */
};

static void show_line_json(const struct shower *s)
{
	struct json j = {.out = stdout};
	char text[40];

	json_object(&j, NULL);
	json_text(&j, "time", s->when < 0 ? NULL : when_text(s->when, text));
	json_text(&j, "text", s->line);
	json_end(&j, '}');
}

static void show_line_text(const struct shower *s, bool ended)
{
	char text[40];

	if (s->times && !s->begun)
		printf("%s ", s->when < 0 ? "-" : when_text(s->when, text));
	if (s->escape)
		text_print(stdout, s->line);
	else
		fwrite(s->line, 1, s->n, stdout);
	if (ended)
		putchar('\n');
}

/* A terminal has CR LF at the end of its lines. */
static void show_line(struct shower *s, bool ended)
{
	bool cr = (s->lines || s->escape) && s->n && s->line[s->n - 1] == '\r';

	if (!s->n && !ended)
		return;
	s->n -= cr && ended;
	if (s->line)
		s->line[s->n] = '\0';
	if (s->cli->json)
		show_line_json(s);
	else
		show_line_text(s, ended);
	s->begun = !ended;
	s->n = 0;
}

static void add(struct shower *s, const char *bytes, size_t n, int64_t when)
{
	if (!s->n)
		s->when = when;
	if (s->n + n + 1 > s->room) {
		s->room = (s->n + n + 1) * 2;
		s->line = must_have(realloc(s->line, s->room));
	}
	memcpy(s->line + s->n, bytes, n);
	s->n += n;
	/* A NUL would end the line for those who print it. */
	for (size_t i = s->n - n; s->lines && i < s->n; i++)
		if (!s->line[i])
			s->line[i] = ' ';
}

static bool show(void *data, const char *bytes, size_t n, int64_t when)
{
	struct shower *s = data;

	if (!s->lines) {
		fwrite(bytes, 1, n, stdout);
	} else if (!n && !s->cli->json) {
		show_line(s, false);
	} else {
		while (n) {
			const char *end = memchr(bytes, '\n', n);
			size_t part = end ? (size_t)(end - bytes) : n;

			add(s, bytes, part, when);
			if (end)
				show_line(s, true);
			bytes += part + (end != NULL);
			n -= part + (end != NULL);
		}
	}
	return fflush(stdout) == 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct logs_options *o = options;
	struct lxcore_logs how = LXCORE_LOGS_INIT;
	bool escape = isatty(STDOUT_FILENO) && !o->raw;
	struct shower s = {
		.cli = cli, .times = o->times, .escape = escape,
		.lines = o->times || escape || cli->json,
	};
	autocontainer lxcore_container *c = NULL;
	int result;

	if (o->tail < -1)
		return cli_error(cli, "cannot show the last %d lines", o->tail);
	if (o->since && !when_parse(o->since, &how.since_ms))
		return cli_error_mend(cli, "lxc-logs --since=10m      (or 2h, 14:03, 2026-11-27, "
				      "'2026-11-27 14:03', @SECONDS)", "cannot use \"%s\" as a time",
				      o->since);
	c = cli_open(cli);
	if (!c)
		return 1;
	how.tail = o->tail;
	how.follow = o->follow;
	how.show = show;
	how.data = &s;
	result = lxcore_logs(c, &how, cli->err);
	if (s.n)
		show_line(&s, cli->json);
	free(s.line);
	return result < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Shows what the container NAME printed on its console: messages of its init and services, and "
	"the output of a container that is one command. It need not run, where that is kept in a "
	"file.\n\n"
	"Two keys of its configuration keep it. `lxc.console.logfile` adds it to a file, which "
	"`lxc.console.size` and `lxc.console.rotate` keep from growing; the file that it is renamed to "
	"at that limit is shown, too. `lxc.console.buffer.size` keeps the last of it in memory, as "
	"long as the container runs. With neither there is nothing to show, and that is said.\n\n"
	"`-f` goes on across the end and the next start of the container, and when the file is "
	"renamed or emptied. " WHEN_SYNTAX,
	.notes =
	"A log file has no times in it. The supervisor writes them beside it, to the second, in "
	"FILE.times, so `--since` and `-t` cost nothing while nobody asks. What was logged before "
	"there was such a file, by another program or version, has no times: `-t` shows a dash, and "
	"`--since` is refused where it would have to guess. A buffer has none at all.\n\n"
	"To a terminal control characters are shown escaped, for they are the container's; `--raw` "
	"lets them act. Into a file or pipe bytes go as they are.",
	.examples = (const struct meaning[]){
		{"lxc-logs -n web -f", "Watch it."},
		{"lxc-logs -n web --tail=20 -t", "The last lines, with times."},
		{"lxc-logs -n web --since=10m", "The last ten minutes."},
		{0}},
	.see_also = "lxc-console lxc-events lxc-start lxc.container.conf",
};

const struct tool tool_logs = {
	.name = "lxc-logs",
	.purpose = "show what a container printed on its console",
	.synopsis = "[-n] NAME [-f] [-t] [--tail=LINES] [--since=TIME]",
	.traits = TOOL_READS,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct logs_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-console: talk to a terminal of a container. */
#include "cli.h"
#include "tools.h"

#include <ctype.h>
#include <string.h>

struct console_options {
	int tty;
	const char *escape;
};
static const struct console_options presets = {.tty = -1, .escape = "^a"};

#define AT(field) offsetof(struct console_options, field)
static const struct option_row rows[] = {
	{'t', "tty", "NUMBER",
	 "The terminal: 0 is the console, N is /dev/ttyN; default: the first free one",
	 OPT_INT, AT(tty)},
	{'e', "escape", "PREFIX",
	 "Ctrl with this letter begins a command; default ^a, -1: none", OPT_TEXT,
	 AT(escape)},
	{0}
};

struct greeting {
	const struct cli *cli;
	int escape;
};

/* The documented lines; they go to stderr, for stdout carries the terminal's bytes. */
static void greet(void *data, int tty)
{
	const struct greeting *g = data;
	char key = (char)('a' + g->escape - 1);

	if (g->cli->quiet)
		return;
	fprintf(stderr, "\nConnected to tty %d\n", tty);
	if (g->escape > 0)
		fprintf(stderr, "Type <Ctrl+%c q> to exit the console, <Ctrl+%c Ctrl+%c> to enter "
			"Ctrl+%c itself\n", key, key, key, key);
}

/* 1..26 for 'a', '^a', 'A'; -1 for none; 0: no such key. */
static int parse_escape(const char *text)
{
	if (strcmp(text, "-1") == 0 || strcmp(text, "0") == 0)
		return -1;
	text += *text == '^' && text[1];
	if (!isalpha((unsigned char)*text) || text[1])
		return 0;
	return tolower((unsigned char)*text) - 'a' + 1;
}

static int run(struct cli *cli, const void *options)
{
	const struct console_options *o = options;
	struct greeting greeting = {cli, parse_escape(o->escape)};
	struct lxcore_console how = LXCORE_CONSOLE_INIT;
	autocontainer lxcore_container *c = NULL;

	if (greeting.escape == 0)
		return cli_error(cli, "cannot use \"%s\" as escape prefix: it must be one letter, "
				 "with or without ^", o->escape);
	if (o->tty < -1)
		return cli_error(cli, "there is no tty %d", o->tty);
	c = cli_open(cli);
	if (!c)
		return 1;
	how.tty = o->tty;
	how.escape = greeting.escape;
	how.connected = greet;
	how.data = &greeting;
	return lxcore_console(c, &how, cli->err) < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Connects this terminal with one of the running container NAME, where a login "
	"waits if the container runs one there. Each /dev/ttyN serves one client; the "
	"console (`-t 0`) is shared by all who are connected.\n\n"
	"`Ctrl+a q` leaves. A container that ends, ends the connection, too. Standard "
	"input need not be a terminal; then bytes are passed as they come.",
	.exits = (const struct meaning[]){
		{"0", "the user left, or the container ended"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-console -n web", "Log in at the first free terminal."},
		{"lxc-console -n web -t 0", "Watch and use the console."},
		{"lxc-console -n web -e ^b", "Leave with Ctrl+b q, where Ctrl+a is taken."},
		{0}},
	.see_also = "lxc-attach lxc-start",
};

const struct tool tool_console = {
	.name = "lxc-console",
	.purpose = "connect to a terminal of a container",
	.synopsis = "[-n] NAME [-t NUMBER] [-e PREFIX]",
	.traits = TOOL_RCFILE,
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct console_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

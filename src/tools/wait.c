/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-wait: return when a container has reached one of some states. */
#include "cli.h"
#include "tools.h"

#include <errno.h>
#include <string.h>

struct wait_options {
	const char *states;
	int timeout;
};
static const struct wait_options presets = {.timeout = -1};

#define AT(field) offsetof(struct wait_options, field)
static const struct option_row rows[] = {
	{'s', "state", "STATE",
	 "States to wait for, joined by '|': STOPPED STARTING RUNNING STOPPING "
	 "ABORTING FREEZING FROZEN THAWED", OPT_TEXT, AT(states)},
	{'t', "timeout", "SECONDS", "Wait no longer than this; default -1: for ever, 0: look only",
	 OPT_INT, AT(timeout)},
	{0}
};

/* Bits of the states, 0 after a message.  THAWED is another word for RUNNING. */
static unsigned parse_states(const struct cli *cli, const char *text)
{
	unsigned states = 0;

	while (true) {
		size_t n = strcspn(text, "|");
		autofree char *word = must_have(strndup(text, n));
		int state = lxcore_state_parse(word);

		if (state < 0) {
			cli_error(cli, "\"%s\" is no state (STOPPED STARTING RUNNING STOPPING "
				  "ABORTING FREEZING FROZEN THAWED)", word);
			return 0;
		}
		states |= 1u << (state == LXCORE_THAWED ? LXCORE_RUNNING : state);
		if (!text[n])
			return states;
		text += n + 1;
	}
}

static int run(struct cli *cli, const void *options)
{
	const struct wait_options *o = options;
	autocontainer lxcore_container *c = NULL;
	unsigned states;

	if (!o->states)
		return cli_error(cli, "no state to wait for: -s STATE is missing");
	if (o->timeout < -1)
		return cli_error(cli, "Invalid timeout: %d (-1 means for ever)", o->timeout);
	states = parse_states(cli, o->states);
	if (!states)
		return 1;
	c = cli_open(cli);
	if (!c)
		return 1;
	return lxcore_wait(c, states, o->timeout, cli->err) < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Waits until the container NAME is in one of the given states, and returns at once "
	"when it is in one already. The container need not exist: what does not exist is "
	"STOPPED.",
	.exits = (const struct meaning[]){
		{"1", "the time is over, or it could not be waited for"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-wait -n web -s RUNNING -t 30", "Wait until it runs, half a minute at most."},
		{"lxc-wait -n web -s 'STOPPED|FROZEN'", "Wait for one of two states."},
		{0}},
	.differences = "A timeout is told on standard error; `-q` keeps silent as LXC does.",
	.see_also = "lxc-monitor lxc-info",
};

const struct tool tool_wait = {
	.name = "lxc-wait",
	.purpose = "wait for a state of a container",
	.synopsis = "[-n] NAME -s STATE[|STATE...] [-t SECONDS]",
	.traits = TOOL_RCFILE,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct wait_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

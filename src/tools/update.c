/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-update: change the limits of a container while it runs, and keep them.  Its options are the
 * library's keys lxc.limit.*, as they are.
 */
#include "cli.h"
#include "fleet.h"
#include "tools.h"

#include <string.h>

#define MOST_LIMITS 24
#define FAMILY "lxc.limit."

struct update_options {
	bool runtime;
	struct fleet_options fleet;
	struct words values[MOST_LIMITS]; /* of the options, in the order of the keys */
};
static const struct update_options presets = {.fleet = FLEET_PRESETS};

static const struct option_row rows[] = {
	{0, "runtime", NULL,
	 "Change the running container alone: its configuration stays as it is, and counts again at "
	 "the next start", OPT_FLAG, offsetof(struct update_options, runtime)},
	FLEET_ROWS(struct update_options),
	{0}
};

/* ---- options from keys ----------------------------------------------------------------------- */

struct limit_option {
	struct option_row row;
	const char *key;
	char name[40], summary[512];
};

/* "lxc.limit.memory.soft" is --memory-soft. */
static void make_option(struct limit_option *o, const struct lxcore_key *key, size_t i)
{
	size_t n = strlen(key->summary);

	snprintf(o->name, sizeof(o->name), "%s", key->name + strlen(FAMILY));
	for (char *p = o->name; *p; p++)
		*p = *p == '.' ? '-' : *p;
	n -= n && key->summary[n - 1] == '.';
	snprintf(o->summary, sizeof(o->summary), "%.*s", (int)n, key->summary);
	o->key = key->name;
	o->row = (struct option_row){
		.name = o->name, .arg = key->syntax, .summary = o->summary, .kind = OPT_LIST,
		.offset = offsetof(struct update_options, values) + i * sizeof(struct words),
	};
}

static const struct limit_option *limit_option(size_t i)
{
	static struct limit_option options[MOST_LIMITS];
	static size_t n;
	struct lxcore_key key;

	if (!n)
		for (size_t state = 0; n < MOST_LIMITS && lxcore_next_key(&state, &key);)
			if (strncmp(key.name, FAMILY, strlen(FAMILY)) == 0) {
				make_option(&options[n], &key, n);
				n++;
			}
	return i < n ? &options[i] : NULL;
}

static const struct option_row *limit_row(size_t i)
{
	const struct limit_option *o = limit_option(i);

	return o ? &o->row : NULL;
}

/* ---- what was asked for ---------------------------------------------------------------------- */

struct wish {
	struct words settings; /* KEY=VALUE; those of options are ours to free */
	size_t n_made;
	bool runtime;
};

static void take_options(const struct update_options *o, struct wish *w)
{
	const struct limit_option *l;

	for (size_t i = 0; (l = limit_option(i)); i++)
		for (size_t k = 0; k < o->values[i].n; k++) {
			char *setting = NULL;

			if (asprintf(&setting, "%s=%s", l->key, o->values[i].v[k]) < 0)
				setting = NULL;
			words_add(&w->settings, must_have(setting));
			w->n_made++;
		}
}

static void wish_free(struct wish *w)
{
	for (size_t i = 0; i < w->n_made; i++)
		free((char *)w->settings.v[i]);
	free(w->settings.v);
}

static int update_one(struct cli *cli, const char *name, const void *data,
		      struct fleet_answer *answer)
{
	const struct wish *w = data;
	struct lxcore_update how = LXCORE_UPDATE_INIT;
	autocontainer lxcore_container *c = NULL;

	(void)answer;
	cli->name = name;
	c = cli_open(cli);
	if (!c)
		return 1;
	how.settings = w->settings.v;
	how.runtime = w->runtime;
	return lxcore_update(c, &how, cli->err) < 0 ? cli_fail(cli) : 0;
}

static int update(struct cli *cli, const struct update_options *o, const struct wish *w)
{
	struct fleet f = {.done = "updated", .one = update_one, .data = w};
	bool is_many = fleet_is_meant(cli);

	if (!w->settings.n)
		return cli_error_mend(cli, "lxc-update -n NAME --memory 1G      (for example)",
				      "no limit named");
	if (fleet_check(cli, &o->fleet, is_many))
		return 1;
	return is_many ? fleet_run(cli, &f, &o->fleet) : update_one(cli, cli->name, w, NULL);
}

static int run(struct cli *cli, const void *options)
{
	const struct update_options *o = options;
	struct wish w = {.runtime = o->runtime};
	int code;

	take_options(o, &w);
	for (size_t i = 0; i < cli->words.n; i++)
		words_add(&w.settings, cli->words.v[i]);
	code = update(cli, o, &w);
	wish_free(&w);
	return code;
}

static const struct manual manual = {
	.description =
	"Changes limits of the container NAME, `lxc.limit.*` of lxc.container.conf(5): each has an "
	"option, and may also be given as KEY=VALUE. An empty value takes the limit away. They are in "
	"force at once when it runs, and kept in its configuration; of one that is stopped they are "
	"kept alone. A later setting of the same thing counts.\n\n"
	"All of it is done or nothing: when a limit cannot be put into force, those that were are as "
	"before, and nothing is kept. Memory that is in use and cannot be taken away is not taken by "
	"killing: a limit below it is refused." FLEET_MANUAL,
	.notes =
	"What is limited for one device stays for the others; the rate `unlimited` takes a "
	"device's limit back.\n\n"
	"A reboot of the container from inside keeps what `--runtime` changed.",
	.examples = (const struct meaning[]){
		{"lxc-update -n web --memory 1G --cpu 2", "More memory, two processors."},
		{"lxc-update -n web --runtime --cpu-weight 1000", "Ten times the usual share, until "
		 "it stops."},
		{"lxc-update web lxc.limit.pids=500 lxc.limit.swap=", "By the names of the keys; no "
		 "limit for swap."},
		{"lxc-update -n 'pupil*' --memory 512M", "For a class at once."},
		{0}},
	.see_also = "lxc-cgroup lxc-info lxc.container.conf",
};

const struct tool tool_update = {
	.name = "lxc-update",
	.purpose = "change the limits of a container",
	.synopsis = "[-n] NAME [--runtime] [--LIMIT VALUE]... [KEY=VALUE]...",
	.traits = TOOL_READS | TOOL_WORDS,
	.choose = "--defined",
	.options = rows,
	.more = limit_row,
	.options_size = sizeof(struct update_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

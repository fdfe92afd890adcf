/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-update-config: give the keys of a configuration file the names that they have today. */
#include "cli.h"
#include "help.h"
#include "json.h"
#include "linediff.h"
#include "tools.h"

#include <string.h>

struct update_options {
	const char *file;
	bool all, dry_run;
};

#define AT(field) offsetof(struct update_options, field)
static const struct option_row rows[] = {
	{'c', "config", "FILE", "Update this file", OPT_TEXT, AT(file)},
	{'a', "all", NULL, "Update the configurations of all containers below the lxcpath", OPT_FLAG,
	 AT(all)},
	{0, "dry-run", NULL, "Change nothing: print what would be changed, as diff -u does", OPT_FLAG,
	 AT(dry_run)},
	{0}
};

/* ---- one file -------------------------------------------------------------------------------- */

static void say_unknown(const struct cli *cli, const struct lxcore_config_update *u)
{
	for (const struct lxcore_config_change *c = u->changes; c->line; c++)
		if (c->unknown)
			cli_say(cli, "%s:%u: %s; the line stays", u->file, c->line, c->unknown);
}

static void show_diff(const struct lxcore_config_update *u)
{
	size_t n = 0, kept = 0;
	struct line_change *changes;

	while (u->changes[n].line)
		n++;
	changes = must_have(calloc(n + 1, sizeof(*changes)));
	for (size_t i = 0; i < n; i++)
		if (!u->changes[i].unknown)
			changes[kept++] = (struct line_change){u->changes[i].line, u->changes[i].now};
	line_diff(stdout, u->file, u->old_text, changes, kept);
	free(changes);
}

static void show_json(const struct lxcore_config_update *u, struct json *j)
{
	json_object(j, NULL);
	json_text(j, "file", u->file);
	json_text(j, "backup", u->backup);
	json_list(j, "changes");
	for (const struct lxcore_config_change *c = u->changes; c->line; c++) {
		if (c->unknown)
			continue;
		json_object(j, NULL);
		json_number(j, "line", c->line);
		json_text(j, "was", c->was);
		json_text(j, "now", c->now);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_list(j, "unknown");
	for (const struct lxcore_config_change *c = u->changes; c->line; c++) {
		if (!c->unknown)
			continue;
		json_object(j, NULL);
		json_number(j, "line", c->line);
		json_text(j, "text", c->was);
		json_text(j, "why", c->unknown);
		json_end(j, '}');
	}
	json_end(j, ']');
	json_end(j, '}');
}

static int update(const struct cli *cli, const struct update_options *o, const char *file,
		  struct json *j)
{
	struct lxcore_config_update u;
	int changed = lxcore_update_config(file, o->dry_run, &u, cli->err);

	if (changed < 0)
		return cli_fail(cli);
	if (cli->json)
		show_json(&u, j);
	else if (o->dry_run && changed)
		show_diff(&u);
	else if (changed)
		cli_say(cli, "%s: %d line%s updated; as it was: %s", u.file, changed,
			changed == 1 ? "" : "s", u.backup);
	else
		cli_say(cli, "%s: no old names", u.file);
	if (!cli->json)
		say_unknown(cli, &u);
	lxcore_config_update_free(&u);
	return 0;
}

/* ---- containers ------------------------------------------------------------------------------ */

static char *config_of(const char *path, const char *name)
{
	char *file = NULL;

	return must_have(asprintf(&file, "%s/%s/config", path, name) < 0 ? NULL : file);
}

/* Each on its own: what is wrong with one keeps none of the others from it. */
static int update_all(const struct cli *cli, const struct update_options *o, char **names,
		      struct json *j)
{
	autofree char *path = NULL;
	int code = 0;

	if (!cli_path(cli) && lxcore_global("lxc.lxcpath", &path, cli->err) < 0)
		return cli_fail(cli);
	for (; *names; names++) {
		autofree char *file = config_of(path ? path : cli_path(cli), *names);

		code |= update(cli, o, file, j);
	}
	return code;
}

static int update_one(struct cli *cli, const struct update_options *o, struct json *j)
{
	autocontainer lxcore_container *c = cli_open(cli);
	autofree char *file = c ? config_of(lxcore_path(c), lxcore_name(c)) : NULL;

	if (!c)
		return 1;
	if (!lxcore_is_defined(c))
		return cli_no_such(cli, c);
	return update(cli, o, file, j);
}

static int update_many(struct cli *cli, const struct update_options *o, struct json *j)
{
	char **names = NULL;
	int n = o->all ? lxcore_list_defined(cli_path(cli), &names, cli->err) :
			 lxcore_list_matching(cli_path(cli), cli->name, &names, cli->err);
	int code = n < 0 ? cli_fail(cli) : update_all(cli, o, names, j);

	lxcore_names_free(names);
	return code;
}

static int run_on(struct cli *cli, const struct update_options *o, struct json *j)
{
	if (o->file)
		return update(cli, o, o->file, j);
	if (o->all || lxcore_is_pattern(cli->name))
		return update_many(cli, o, j);
	return update_one(cli, o, j);
}

static int run(struct cli *cli, const void *options)
{
	const struct update_options *o = options;
	struct json j = {.out = stdout};
	int code, chosen = !!o->file + o->all + !!cli->name;

	if (!chosen) {
		usage_print(cli->tool, stderr);
		return 0;
	}
	if (chosen > 1)
		return cli_error(cli, "-c, -n and -a exclude each other");
	if (cli->json)
		json_rows(&j, NULL);
	code = run_on(cli, o, &j);
	if (cli->json)
		json_end(&j, ']');
	return code;
}

static const struct manual manual = {
	.description =
	"Keys of a container's configuration had other names before LXC 3: `lxc.utsname` is "
	"`lxc.uts.name` by now, `lxc.network.type` is `lxc.net.0.type`. They are understood wherever "
	"a configuration is read; this gives them their names of today, in FILE, in the configuration "
	"of the container NAME (a pattern as of glob(7): of all that match), or with `-a` in all of "
	"the lxcpath. Values, comments, blanks and the order of lines stay as they are. Settings that "
	"are commented out (`#lxc.`) are renamed as well. Lines without a meaning any more "
	"(`lxc.kmsg`, `lxc.pivotdir`) go.\n\n"
	"The file as it was is kept as FILE.backup (FILE.backup.1 where that is there already), and "
	"the new one takes its place in one step, with the same owner and mode. What is up to date "
	"stays untouched.\n\n"
	"A key that nobody knows is named with its line, and stays.",
	.notes =
	"`lxc.rootfs` becomes `lxc.rootfs.path` with the storage of `lxc.rootfs.backend` in front, "
	"`dir:` where there is none; a device or an image stays without, for it is found out when it "
	"is used. Networks without a number get one, counted from each `lxc.network.type`. Files that "
	"are included are updated by commands of their own.",
	.examples = (const struct meaning[]){
		{"lxc-update-config -c /etc/lxc/default.conf", "Update a file."},
		{"lxc-update-config -n web --dry-run", "See what would change in web's configuration."},
		{"lxc-update-config -a -P /srv/lxc", "Update all containers of /srv/lxc."},
		{0}},
	.differences =
	"`-n`, `-a`, `--dry-run` and `--json` are new. A second run changes nothing and keeps the "
	"first backup.",
	.see_also = "lxc.container.conf lxc-checkconfig",
};

const struct tool tool_update_config = {
	.name = "lxc-update-config",
	.purpose = "bring old configurations up to date",
	.synopsis = "-c FILE [--dry-run]\n-n NAME [--dry-run]\n-a [--dry-run]",
	.traits = TOOL_READS | TOOL_NAMELESS,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct update_options),
	.run = run,
	.manual = &manual,
};

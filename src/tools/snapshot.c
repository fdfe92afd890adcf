/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-snapshot: keep what a container is now, list what was kept, put it back, remove it. */
#include "cli.h"
#include "cloning.h"
#include "fleet.h"
#include "json.h"
#include "progress.h"
#include "snaptree.h"
#include "tools.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct snapshot_options {
	const char *comment_file, *restore, *destroy, *newname;
	bool list, comments, tree, full;
	struct fleet_options fleet;
};
static const struct snapshot_options presets = {.fleet = FLEET_PRESETS};

#define AT(field) offsetof(struct snapshot_options, field)
static const struct option_row rows[] = {
	{'c', "comment", "FILE", "Keep the text of FILE with the new snapshot", OPT_TEXT,
	 AT(comment_file)},
	{0, "full", NULL, "Copy everything: the snapshot shares nothing with the container", OPT_FLAG,
	 AT(full)},
	{'L', "list", NULL, "List the snapshots", OPT_FLAG, AT(list)},
	{'C', "showcomments", NULL, "With -L: show their comments", OPT_FLAG, AT(comments)},
	{0, "tree", NULL, "With -L: show which was taken on top of which", OPT_FLAG, AT(tree)},
	{'r', "restore", "SNAPSHOT", "Make the container what it was then; with NEW: make a new one",
	 OPT_TEXT, AT(restore)},
	{'N', "newname", "NEW", "With -r: name of the new container; also the last word", OPT_TEXT,
	 AT(newname)},
	{'d', "destroy", "SNAPSHOT", "Remove a snapshot; ALL: all of them", OPT_TEXT, AT(destroy)},
	FLEET_ROWS(struct snapshot_options),
	{0}
};

/* ---- create ---------------------------------------------------------------------------------- */

struct watch {
	const struct cli *cli;
	struct progress line;
	lxcore_job *job;
};

static bool show(const struct lxcore_progress *p, void *data)
{
	struct watch *w = data;

	if (w->job)
		lxcore_job_alive(w->job);
	progress_show(&w->line, w->cli, "%.1f MB, %llu files", (double)p->bytes / 1e6,
		      (unsigned long long)p->files);
	return true;
}

static void tell(const struct cli *cli, const char *what, const struct lxcore_copied *made)
{
	if (cli->json) {
		cloning_print(cli, made);
	} else if (made->pause_us) {
		cli_say(cli, "%s %s (%s), which stood still for %u.%03u ms", what, made->name,
			made->way, made->pause_us / 1000, made->pause_us % 1000);
	} else {
		cli_say(cli, "%s %s (%s)", what, made->name, made->way);
	}
}

static int create(struct cli *cli, const struct snapshot_options *o, struct fleet_answer *answer)
{
	struct watch watch = {
		.cli = cli, .line = progress_begin(cli), .job = answer ? answer->job : NULL,
	};
	struct lxcore_snap how = LXCORE_SNAP_INIT;
	struct lxcore_copied made = {0};
	autocontainer lxcore_container *c = cli_open(cli);
	int result;

	if (!c)
		return 1;
	how.comment_file = o->comment_file;
	how.full = o->full;
	how.progress = show;
	how.data = &watch;
	result = lxcore_snapshot(c, &how, &made, cli->err);
	progress_end(&watch.line);
	if (result < 0)
		return cli_fail(cli);
	if (answer) {
		snprintf(answer->name, sizeof(answer->name), "%s", made.name);
		snprintf(answer->way, sizeof(answer->way), "%s", made.way);
		answer->pause_us = made.pause_us;
	} else {
		tell(cli, "made", &made);
	}
	lxcore_copied_free(&made);
	return 0;
}

/* ---- restore and destroy --------------------------------------------------------------------- */

static int restore(struct cli *cli, const struct snapshot_options *o)
{
	const char *newname = o->newname ? o->newname : cli->words.n ? cli->words.v[0] : NULL;
	autocontainer lxcore_container *c = cli_open(cli);
	struct lxcore_copied made = {0};

	if (!c)
		return 1;
	if (newname && strcmp(newname, cli->name) == 0)
		newname = NULL;
	if (lxcore_snapshot_restore(c, o->restore, newname, &made, cli->err) < 0)
		return cli_fail(cli);
	if (cli->json)
		tell(cli, "made", &made);
	lxcore_copied_free(&made);
	return 0;
}

static int destroy(struct cli *cli, const struct snapshot_options *o)
{
	bool all = strcmp(o->destroy, "ALL") == 0;
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	return lxcore_snapshot_destroy(c, all ? NULL : o->destroy, cli->err) < 0 ? cli_fail(cli) : 0;
}

/* ---- list ------------------------------------------------------------------------------------ */

static void list_lines(const struct lxcore_snapshot *list, int n, bool comments)
{
	for (int i = 0; i < n; i++) {
		text_print(stdout, list[i].name);
		fputs(" (", stdout);
		text_print(stdout, list[i].dir);
		printf(") %s\n", list[i].created);
		if (comments && list[i].comment)
			cli_value(list[i].comment);
	}
	if (n == 0)
		puts("No snapshots");
}

static void list_json(const struct cli *cli, const struct lxcore_snapshot *list, int n)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_rows(&j, "snapshots");
	for (int i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_text(&j, "name", list[i].name);
		json_text(&j, "path", list[i].dir);
		json_text(&j, "created", list[i].created);
		json_text(&j, "comment", list[i].comment);
		json_text(&j, "parent", list[i].parent);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static int list(struct cli *cli, const struct snapshot_options *o)
{
	autocontainer lxcore_container *c = cli_open(cli);
	struct lxcore_snapshot *snapshots = NULL;
	int n;

	if (!c)
		return 1;
	n = lxcore_snapshots(c, &snapshots, cli->err);
	if (n < 0)
		return cli_fail(cli);
	if (cli->json)
		list_json(cli, snapshots, n);
	else if (o->tree)
		snaptree_print(c, snapshots, n, o->comments);
	else
		list_lines(snapshots, n, o->comments);
	lxcore_snapshots_free(snapshots, n);
	return 0;
}

/* ---- the tool -------------------------------------------------------------------------------- */

static int one_of_many(struct cli *cli, const char *name, const void *data,
		       struct fleet_answer *answer)
{
	const struct snapshot_options *o = data;

	cli->name = name;
	return o->restore ? restore(cli, o) : o->destroy ? destroy(cli, o) :
		create(cli, o, answer);
}

static int many(struct cli *cli, const struct snapshot_options *o)
{
	struct fleet f = {
		.done = o->restore ? "restored" : o->destroy ? "freed of snapshots" : "kept",
		.one = one_of_many, .data = o,
	};

	if (o->list)
		return cli_error_mend(cli, "lxc-ls --json      (shows those of all)",
				      "-L is for one container, not for all that match \"%s\"",
				      cli->name);
	if (o->restore && (o->newname || cli->words.n))
		return cli_error(cli, "a new name is for one container, not for all that match \"%s\"",
				 cli->name);
	return fleet_run(cli, &f, &o->fleet);
}

static int check_options(const struct cli *cli, const struct snapshot_options *o)
{
	int forms = o->list + (o->restore != NULL) + (o->destroy != NULL);

	if (forms > 1)
		return cli_error(cli, "-L, -r and -d exclude each other");
	if (forms && (o->comment_file || o->full))
		return cli_error(cli, "%s belongs to a new snapshot", o->full ? "--full" : "-c");
	if ((o->comments || o->tree) && !o->list)
		return cli_error(cli, "%s has a meaning with -L only", o->tree ? "--tree" : "-C");
	if (o->newname && cli->words.n)
		return cli_error(cli, "Too many arguments: a new name, and another one");
	if ((o->newname || cli->words.n) && !o->restore)
		return cli_error(cli, "a new name has a meaning with -r only");
	if ((o->restore && !*o->restore) || (o->destroy && !*o->destroy))
		return cli_error(cli, "the name of the snapshot is empty");
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct snapshot_options *o = options;
	bool is_many = fleet_is_meant(cli);

	if (check_options(cli, o) || fleet_check(cli, &o->fleet, is_many))
		return 1;
	if (is_many)
		return many(cli, o);
	return o->list ? list(cli, o) : o->restore ? restore(cli, o) :
		o->destroy ? destroy(cli, o) : create(cli, o, NULL);
}

static const struct manual manual = {
	.description =
	"Keeps what the container NAME is now as its snapshot snap0, snap1 and so on. Contents are "
	"shared where that is safe, so that it takes neither time nor space: the words in "
	"parentheses say which way was taken, \"copy\" being the one that takes its time. A running "
	"container stands still meanwhile; how long is told.\n\n"
	"`-r` makes a stopped container what it was then; what it was until now is gone. With NEW "
	"another container is made of the snapshot instead." FLEET_MANUAL,
	.examples = (const struct meaning[]){
		{"lxc-snapshot -n web -c reason.txt", "Keep it, with a comment."},
		{"lxc-snapshot -n web -L --tree", "See what was kept, and what depends on it."},
		{"lxc-snapshot -n web -r snap0", "Put it back."},
		{"lxc-snapshot -n web -r snap0 -N other", "Make another container of it."},
		{"lxc-snapshot -n 'node-*'", "Keep all nodes."},
		{0}},
	.differences =
	"A running container can be kept, too. `-d ALL` must be written in full: LXC takes `-d A` "
	"and an empty name for it. Forms that exclude each other are an error; with LXC the last one "
	"wins. Restoring a snapshot that does not exist changes nothing.\n\n"
	"`--full`, `--tree`, `--json` and patterns are new.",
	.see_also = "lxc-copy lxc-destroy lxc-ls",
};

const struct tool tool_snapshot = {
	.name = "lxc-snapshot",
	.purpose = "keep, list and restore states of a container",
	.synopsis = "[-n] NAME [-c FILE] [--full]\n[-n] NAME -L [-C] [--tree]\n"
		    "[-n] NAME -r SNAPSHOT [[-N] NEW]\n[-n] NAME -d SNAPSHOT|ALL",
	.traits = TOOL_READS | TOOL_RCFILE,
	.max_words = 1,
	.options = rows,
	.options_size = sizeof(struct snapshot_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

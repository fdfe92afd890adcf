/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-diff: what changed in a container's tree of files. */
#include "cli.h"
#include "json.h"
#include "tools.h"

#include <string.h>
#include <unistd.h>

struct diff_options {
	const char *snapshot;
	bool since_create, contents;
};

#define AT(field) offsetof(struct diff_options, field)
static const struct option_row rows[] = {
	{'s', "snapshot", "SNAPSHOT", "Show what changed since this snapshot of it", OPT_TEXT,
	 AT(snapshot)},
	{0, "since-create", NULL, "Show what changed since it was created, for a clone too", OPT_FLAG,
	 AT(since_create)},
	{'c', "contents", NULL, "Compare the bytes of files rather than their times", OPT_FLAG,
	 AT(contents)},
	{0}
};

struct change {
	char kind;
	char *path;
};
struct changes {
	struct change *v;
	size_t n, room;
};

/* Nothing is shown before all is known: a comparison that failed has found nothing. */
static void add(void *data, char kind, const char *path)
{
	struct changes *all = data;

	if (all->n == all->room) {
		all->room = all->room ? all->room * 2 : 256;
		all->v = must_have(realloc(all->v, all->room * sizeof(*all->v)));
	}
	all->v[all->n++] = (struct change){kind, must_have(strdup(path))};
}

static void show_lines(const struct changes *all)
{
	bool terminal = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < all->n; i++) {
		printf("%c ", all->v[i].kind);
		if (terminal)
			text_print(stdout, all->v[i].path);
		else
			fputs(all->v[i].path, stdout);
		putchar('\n');
	}
}

static void show_json(const struct cli *cli, const struct changes *all, const char *against)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_text(&j, "against", against);
	json_rows(&j, "changes");
	for (size_t i = 0; i < all->n; i++) {
		const char kind = all->v[i].kind;

		json_object(&j, NULL);
		json_text(&j, "kind", kind == 'A' ? "added" : kind == 'D' ? "deleted" : "changed");
		json_text(&j, "path", all->v[i].path);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

static int run(struct cli *cli, const void *options)
{
	const struct diff_options *o = options;
	autocontainer lxcore_container *c = NULL;
	struct changes all = {0};
	struct lxcore_diff how = LXCORE_DIFF_INIT;
	autofree char *against = NULL;
	int result;

	if (o->snapshot && !*o->snapshot)
		return cli_error(cli, "the name of the snapshot is empty");
	if (o->snapshot && o->since_create)
		return cli_error(cli, "it is compared with a snapshot (-s) or with its creation "
				 "(--since-create), not with both");
	c = cli_open(cli);
	if (!c)
		return 1;
	how.snapshot = o->snapshot;
	how.since_create = o->since_create;
	how.contents = o->contents;
	how.say = add;
	how.data = &all;
	result = lxcore_diff(c, &how, &against, cli->err);
	if (result == 0 && cli->json)
		show_json(cli, &all, against);
	else if (result == 0)
		show_lines(&all);
	for (size_t i = 0; i < all.n; i++)
		free(all.v[i].path);
	free(all.v);
	return result < 0 ? cli_fail(cli) : 0;
}

static const struct manual manual = {
	.description =
	"Shows what changed in the root filesystem of the container NAME, running or not: a line for "
	"each path, with `A` for what is new, `C` for what is changed and `D` for what is gone. A "
	"directory is changed when something in it is; what was in one that is gone is not listed.\n\n"
	"With `-s` it is compared with a snapshot. Without, a clone that shares its contents "
	"(lxc-copy -s) is compared with what it was when it was cloned, and any other container with "
	"what it was when lxc-create had made it. `--since-create` compares a clone with that, too: "
	"copies, and what was restored or imported, have the record of what they were made of.",
	.notes =
	"Files are taken for unchanged when type, owner, mode, size and time of modification are as "
	"they were; with `-c` their bytes are read instead, and times do not matter. Owners are ids "
	"inside, so an id map that changed is no change.\n\n"
	"What a container was when it was created is known from a list that lxc-create writes beside "
	"its configuration (created.tree): names, types, modes, owners, link targets, device "
	"numbers, and sizes and times of files, but no contents. So a file whose bytes changed while "
	"its size and its time of modification (to the nanosecond) are as they were is not seen to "
	"have changed, extended attributes are not compared, and `-c` is refused. There is no list of "
	"what was made without a template or before lxc-create wrote lists, nor of a tree more than "
	"299 directories deep: there a snapshot is what to compare with.\n\n"
	"What is mounted in a running container (/proc, /dev, mount entries) is no part of its root "
	"filesystem and is left out, with the directory that it hides.\n\n"
	"Paths are escaped on a terminal, and written as they are into a pipe.",
	.examples = (const struct meaning[]){
		{"lxc-diff -n web", "What changed since it was created."},
		{"lxc-diff -n web -s snap0", "What changed since that snapshot."},
		{"lxc-diff -n clone", "What a clone does not share any more."},
		{"lxc-diff -n web -s snap0 | grep '^A'", "What is new."},
		{0}},
	.see_also = "lxc-create lxc-snapshot lxc-copy lxc-cp",
};

const struct tool tool_diff = {
	.name = "lxc-diff",
	.purpose = "show what changed in a container",
	.synopsis = "[-n] NAME [-s SNAPSHOT|--since-create] [-c]",
	.traits = TOOL_READS,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct diff_options),
	.run = run,
	.manual = &manual,
};

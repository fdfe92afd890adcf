/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-copy: copy, clone, rename a container; run a clone that goes when it stops; many at once. */
#include "cloning.h"
#include "cli.h"
#include "fleet.h"
#include "launch.h"
#include "numbered.h"
#include "size.h"
#include "tools.h"

#include <string.h>

#define MOST 10000

struct copy_options {
	const char *newname, *newpath, *storage, *fssize, *wait;
	bool rename, snapshot, allow_running, keep_name, keep_mac, ssh_keys;
	bool ephemeral, keep_data, tmpfs, daemon, foreground, start;
	struct words mounts;
	int count, timeout;
	struct fleet_options fleet;
};
#define UNSET (-1)
static const struct copy_options presets = {
	.count = UNSET, .timeout = UNSET, .fleet = FLEET_PRESETS,
};

#define AT(field) offsetof(struct copy_options, field)
static const struct option_row rows[] = {
	{'N', "newname", "NEW",
	 "Name of the new container; for many: a pattern such as node-%02d or %s-copy", OPT_TEXT,
	 AT(newname)},
	{'p', "newpath", "PATH", "Its lxcpath; default: that of the old one", OPT_TEXT, AT(newpath)},
	{'R', "rename", NULL, "Give the container the name NEW instead", OPT_FLAG, AT(rename)},
	{'s', "snapshot", NULL, "Share the contents with the old one, copying what is written",
	 OPT_FLAG, AT(snapshot)},
	{'a', "allowrunning", NULL, "Copy a running container: it stands still meanwhile", OPT_FLAG,
	 AT(allow_running)},
	{'K', "keepname", NULL, "Keep the hostname", OPT_FLAG, AT(keep_name)},
	{'M', "keepmac", NULL, "Keep the MAC addresses", OPT_FLAG, AT(keep_mac)},
	{0, "newkeys", NULL, "Let it make new host keys for its sshd", OPT_FLAG, AT(ssh_keys)},
	{'B', "backingstorage", "TYPE",
	 "Where its root filesystem lives: dir, overlay, btrfs, loop, lvm, zfs, rbd; default: as that "
	 "of the old one", OPT_TEXT, AT(storage)},
	{'L', "fssize", "SIZE",
	 "Size of its filesystem, with B, K, M (default), G or T, for storage that has one",
	 OPT_TEXT, AT(fssize)},
	{'e', "ephemeral", NULL, "Clone it, start the clone, and remove that when it stops",
	 OPT_FLAG, AT(ephemeral)},
	{'D', "keepdata", NULL, "With -e: keep the clone when it stops", OPT_FLAG, AT(keep_data)},
	{'t', "tmpfs", NULL, "With -e: what the clone writes stays in memory", OPT_FLAG, AT(tmpfs)},
	{'m', "mount", "TYPE=SRC[:DST[:MODE]]",
	 "With -e: mount a directory of the host in the clone, as bind or as overlay, which keeps "
	 "what is written away from the host; may be repeated", OPT_LIST, AT(mounts)},
	{'d', "daemon", NULL, "With -e: return when the clone runs (default)", OPT_FLAG, AT(daemon)},
	{'F', "foreground", NULL, "With -e: show its console, and return when it has ended",
	 OPT_FLAG, AT(foreground)},
	{0, "count", "N", "Make N of them at once, with numbers in their names", OPT_INT, AT(count)},
	{0, "start", NULL, "Start what was made", OPT_FLAG, AT(start)},
	{0, "wait", "STATE",
	 "Start it and wait until it is running, has a network address, or is ready (its init has "
	 "started all)", OPT_TEXT, AT(wait)},
	{0, "timeout", "SECONDS", "With --wait: no longer than this; default 60", OPT_INT,
	 AT(timeout)},
	FLEET_ROWS(struct copy_options),
	{0}
};

/* ---- what was asked for ---------------------------------------------------------------------- */

static int check_ephemeral(const struct cli *cli, const struct copy_options *o)
{
	const char *alone = o->keep_data ? "-D" : o->tmpfs ? "-t" : o->mounts.n ? "-m" :
		o->daemon ? "-d" : o->foreground ? "-F" : NULL;

	if (!o->ephemeral)
		return alone ? cli_error(cli, "%s has a meaning with -e only", alone) : 0;
	if (o->tmpfs && o->keep_data)
		return cli_error(cli, "-t and -D exclude each other: what is in memory is not kept");
	if (o->tmpfs && o->storage && strncmp(o->storage, "overlay", 7) != 0)
		return cli_error(cli, "-t needs overlay, not -B %s", o->storage);
	if (o->daemon && o->foreground)
		return cli_error(cli, "-d and -F exclude each other");
	return 0;
}

static int check_rename(const struct cli *cli, const struct copy_options *o)
{
	const char *odd = o->newpath ? "-p" : o->snapshot ? "-s" : o->storage ? "-B" :
		o->ephemeral ? "-e" : o->fssize ? "-L" : o->start || o->wait ? "--start" :
		o->count != UNSET ? "--count" : o->allow_running ? "-a" : o->keep_name ? "-K" :
		o->keep_mac ? "-M" : o->ssh_keys ? "--newkeys" : cli->words.n ? "a word behind --" :
		NULL;

	return o->rename && odd ? cli_error(cli, "-R excludes %s", odd) : 0;
}

static int check_options(const struct cli *cli, const struct copy_options *o)
{
	if (!o->newname && !o->ephemeral)
		return cli_error_mend(cli, "lxc-copy -n NAME -N NEW",
				      "You must provide a NEWNAME for the clone (-N)");
	if (o->timeout != UNSET && (!o->wait || o->timeout < 0))
		return cli_error(cli, o->wait ? "Invalid timeout: it is negative" :
				 "--timeout has a meaning with --wait only");
	if (o->count != UNSET && (o->count < 1 || o->count > MOST))
		return cli_error(cli, "Invalid count: %d (1 to %d)", o->count, MOST);
	if (o->wait && o->foreground)
		return cli_error(cli, "--wait and -F exclude each other");
	return check_rename(cli, o) || check_ephemeral(cli, o);
}

/* 0, or 1 after a message. */
static int plan(const struct cli *cli, const struct copy_options *o, struct clone *ret)
{
	*ret = (struct clone){
		.name = o->newname, .how = LXCORE_COPY_INIT, .mounts = &o->mounts,
		.ephemeral = o->ephemeral, .keep = o->keep_data, .start = o->start || o->wait,
		.foreground = o->foreground, .up = -1,
		.up_seconds = o->timeout == UNSET ? LAUNCH_UP_SECONDS : o->timeout,
		.command = o->ephemeral ? cli_command(cli) : NULL,
	};
	ret->how.path = o->newpath;
	ret->how.snapshot = o->snapshot || o->ephemeral;
	ret->how.allow_running = o->allow_running;
	ret->how.keep_name = o->keep_name;
	ret->how.keep_mac = o->keep_mac;
	ret->how.new_ssh_keys = o->ssh_keys;
	ret->how.storage = o->storage;
	ret->how.ephemeral = o->ephemeral && !o->keep_data;
	ret->how.tmpfs = o->tmpfs;
	ret->how.hook_args = cli_command(cli);
	if (o->wait && (ret->up = launch_parse_up(cli, o->wait)) < 0)
		return 1;
	if (o->fssize && !size_parse(o->fssize, &ret->how.fssize))
		return cli_error(cli, "-L should be a number of MiB, or one with B, K, M, G or T "
				 "behind it, not \"%s\"", o->fssize);
	return 0;
}

static int rename_it(struct cli *cli, const char *newname)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	return lxcore_rename(c, newname, cli->err) < 0 ? cli_fail(cli) : 0;
}

/* ---- many ------------------------------------------------------------------------------------ */

struct many {
	const struct clone *plan;
	const char *source;  /* of all; NULL: each has its own, and 'names' are those */
	char *const *names, *const *new_names;
};

static int one_of_many(struct cli *cli, const char *name, const void *data,
		       struct fleet_answer *answer)
{
	const struct many *m = data;
	struct clone k = *m->plan;
	size_t i = 0;

	while (strcmp(m->names[i], name) != 0)
		i++;
	k.name = m->new_names[i];
	k.job = answer->job;
	cli->name = m->source ? m->source : name;
	return cloning_make(cli, &k, answer);
}

static char **make_names(const struct copy_options *o, char *const *sources, const char *source,
			 size_t n)
{
	char **names = must_have(calloc(n + 1, sizeof(*names)));

	for (size_t i = 0; i < n; i++) {
		const char *of = sources ? sources[i] : source;

		names[i] = o->newname ? numbered_name(o->newname, (unsigned)i + 1, of) :
			cloning_choose_name(of);
	}
	return names;
}

static void free_names(char **names)
{
	for (size_t i = 0; names[i]; i++)
		free(names[i]);
	free(names);
}

static int check_many(const struct cli *cli, const struct copy_options *o, bool matching)
{
	struct numbered has = {.number = true};
	const char *wrong = o->newname ? numbered_check(o->newname, &has) : NULL;

	if (matching && o->count != UNSET)
		return cli_error(cli, "--count is for copies of one container, not of all that match "
				 "\"%s\"", cli->name);
	if (o->rename || o->foreground || (o->ephemeral && cli->words.n))
		return cli_error(cli, "%s is for one container, not for many", o->rename ? "-R" :
				 o->foreground ? "-F" : "a command");
	if (wrong)
		return cli_error(cli, "cannot make names of \"%s\": %s", o->newname, wrong);
	if (!has.number && !(matching && has.source))
		return cli_error_mend(cli, matching ? "-N %s-copy" : "-N node-%02d",
				      "cannot make many names of \"%s\": they would all be the same",
				      o->newname);
	return 0;
}

static int run_many(struct cli *cli, const struct copy_options *o, const struct clone *plan,
		    char **sources, size_t n)
{
	char **names = make_names(o, sources, cli->name, n);
	struct many m = {
		.plan = plan, .source = sources ? NULL : cli->name,
		.names = sources ? sources : names, .new_names = names,
	};
	struct fleet f = {
		.done = plan->start || plan->ephemeral ? "made and started" : "made",
		.subject = cli->name, .names = (const char *const *)m.names, .one = one_of_many,
		.data = &m,
	};
	int code = fleet_run_names(cli, &f, &o->fleet);

	free_names(names);
	return code;
}

static int many(struct cli *cli, const struct copy_options *o, const struct clone *plan)
{
	bool matching = fleet_is_meant(cli);
	char **sources = NULL;
	int n = o->count, code;

	if (check_many(cli, o, matching))
		return 1;
	if (matching)
		n = lxcore_list_matching(cli_path(cli), cli->name, &sources, cli->err);
	if (n < 0)
		return cli_fail(cli);
	code = run_many(cli, o, plan, sources, (size_t)n);
	lxcore_names_free(sources);
	return code;
}

/* ---- the tool -------------------------------------------------------------------------------- */

static int run(struct cli *cli, const void *options)
{
	const struct copy_options *o = options;
	bool is_many = fleet_is_meant(cli) || o->count != UNSET;
	struct clone k;

	if (check_options(cli, o) || fleet_check(cli, &o->fleet, is_many) || plan(cli, o, &k))
		return 1;
	if (is_many)
		return many(cli, o, &k);
	return o->rename ? rename_it(cli, o->newname) : cloning_make(cli, &k, NULL);
}

static const struct manual manual = {
	.description =
	"Makes the container NEW of the container NAME, which is stopped. The new one has a "
	"hostname, a machine id and MAC addresses of its own, and appears whole or not at all. The "
	"words behind `--` go to its hooks (`lxc.hook.clone`).\n\n"
	"A plain copy has contents of its own; where the filesystem can share blocks it takes "
	"neither time nor space. With `-s` the new one shares the contents of the old one, and what "
	"it writes is kept beside them: it is made at once, and the old one cannot be destroyed "
	"while it exists. `lxc-ls --json` shows who needs whom.\n\n"
	"With `-e` the clone is started, too, and removed when it stops, whatever ends it. The words "
	"behind `--` are then the command that is run inside; when it has ended so does the "
	"clone.\n\n"
	"With `-R` the container gets the name NEW itself.\n\n"
	"With `--count` many are made side by side, each in a process of its own; NEW has the place "
	"for the number: `%d`, or `%02d` for two digits. If NAME is a pattern as of glob(7) all that "
	"match are copied; `%s` in NEW is the old name. At the end comes a summary, with what failed "
	"grouped by reason; `--json` writes what came of each.",
	.exits = (const struct meaning[]){
		{"N", "with `-e` and a command: that of the command"},
		{"1", "it could not be copied, or one of many could not"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-copy -n golden -N node", "A copy that shares nothing."},
		{"lxc-copy -n golden -N node -s", "A clone, at once."},
		{"lxc-copy -n golden --count 50 -N 'node-%02d' -s --start",
		 "Fifty of them, running."},
		{"lxc-copy -n golden -e -m bind=/srv/src:/src:ro -- make -C /src check",
		 "Run one command in a clone that is gone when it has ended."},
		{"lxc-copy -n old -N new -R", "Rename a container."},
		{0}},
	.notes =
	"A mount is `bind=SRC[:DST][:rw|ro]` or `overlay=SRC[:DST]`; DST is SRC where it is left out. "
	"Both are absolute paths, and SRC must be there.",
	.differences =
	"With `-e` and a command the exit code is that of the command; LXC forgets it. Options that "
	"exclude each other are an error before anything is made.\n\n"
	"`--count`, `--start`, `--wait`, `--newkeys`, `--json` and patterns are new.",
	.see_also = "lxc-snapshot lxc-create lxc-destroy lxc-ls",
};

const struct tool tool_copy = {
	.name = "lxc-copy",
	.purpose = "copy, clone or rename containers",
	.synopsis = "[-n] NAME -N NEW [-s] [-a] [-K] [-M] [-p PATH] [-B TYPE] [-L SIZE] "
		    "[-- HOOK-ARGUMENT...]\n"
		    "[-n] NAME -N PATTERN --count N [-s] [--start] [--wait STATE] [-j N]\n"
		    "[-n] NAME [-N NEW] -e [-t|-D] [-F] [-m MOUNT]... [-- COMMAND...]\n"
		    "[-n] NAME -N NEW -R",
	.traits = TOOL_READS | TOOL_COMMAND | TOOL_RCFILE,
	.choose = "--stopped",
	.options = rows,
	.options_size = sizeof(struct copy_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-clone: lxc-copy as it was called before, for those who have it in their fingers and scripts. */
#include "cloning.h"
#include "cli.h"
#include "size.h"
#include "tools.h"

struct clone_options {
	const char *orig, *newname, *path, *newpath, *storage, *fssize;
	bool snapshot, keep_name, keep_mac, copy_hooks, rename;
};

#define AT(field) offsetof(struct clone_options, field)
static const struct option_row rows[] = {
	{'o', "orig", "ORIG", "The container to copy; also the first word", OPT_TEXT, AT(orig)},
	{'n', "new", "NEW", "Name of the new one; also the second word", OPT_TEXT, AT(newname)},
	{'s', "snapshot", NULL, "Share the contents with the old one, copying what is written",
	 OPT_FLAG, AT(snapshot)},
	{'R', "rename", NULL, "Give ORIG the name NEW instead", OPT_FLAG, AT(rename)},
	{'B', "backingstore", "TYPE",
	 "Where its root filesystem lives; default: as that of the old one", OPT_TEXT, AT(storage)},
	{'L', "fssize", "SIZE", "Size of its filesystem, with B, K, M (default), G or T", OPT_TEXT,
	 AT(fssize)},
	{'K', "keepname", NULL, "Keep the hostname", OPT_FLAG, AT(keep_name)},
	{'M', "keepmac", NULL, "Keep the MAC addresses", OPT_FLAG, AT(keep_mac)},
	{'H', "copyhooks", NULL, "Copy its hooks, too (which is always done)", OPT_FLAG,
	 AT(copy_hooks)},
	{'p', "lxcpath", "PATH", "The lxcpath of ORIG", OPT_TEXT, AT(path)},
	{'P', "newpath", "PATH", "The lxcpath of NEW; default: that of ORIG", OPT_TEXT, AT(newpath)},
	{0}
};

/* What -o and -n do not name, the first words do; the others are for hooks. */
static const char *take(const char *option, const char *const **words)
{
	return option || !**words ? option : *(*words)++;
}

static int rename_it(struct cli *cli, const char *newname)
{
	autocontainer lxcore_container *c = cli_open(cli);

	if (!c)
		return 1;
	return lxcore_rename(c, newname, cli->err) < 0 ? cli_fail(cli) : 0;
}

static int copy(struct cli *cli, const struct clone_options *o, const char *newname,
		const char *const *hook_args)
{
	struct clone k = {.name = newname, .how = LXCORE_COPY_INIT, .up = -1};
	struct fleet_answer made = {0};

	k.how.path = o->newpath;
	k.how.snapshot = o->snapshot;
	k.how.keep_name = o->keep_name;
	k.how.keep_mac = o->keep_mac;
	k.how.storage = o->storage;
	k.how.hook_args = hook_args;
	if (o->fssize && !size_parse(o->fssize, &k.how.fssize))
		return cli_error(cli, "-L should be a number of MiB, or one with B, K, M, G or T "
				 "behind it, not \"%s\"", o->fssize);
	if (cloning_make(cli, &k, &made))
		return 1;
	printf("Created container %s as copy of %s\n", newname, cli->name);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	static const char *const none[] = {NULL};
	const struct clone_options *o = options;
	const char *const *words = cli->words.n ? cli->words.v : none;
	const char *newname;

	cli->name = take(o->orig, &words);
	newname = take(o->newname, &words);
	if (!cli->name || !newname)
		return cli_error_mend(cli, "lxc-clone ORIG NEW      (or -o ORIG -n NEW)",
				      "cannot clone: %s is missing", cli->name ? "the new name" :
				      "the container's name");
	if (o->path)
		words_add(&cli->paths, o->path);
	if (!o->rename)
		return copy(cli, o, newname, words);
	if (o->snapshot || o->newpath || o->storage || o->fssize)
		return cli_error(cli, "-R excludes %s", o->snapshot ? "-s" : o->newpath ? "-P" :
				 o->storage ? "-B" : "-L");
	return rename_it(cli, newname);
}

static const struct manual manual = {
	.description =
	"The old form of lxc-copy(1): makes the container NEW of the container ORIG, or gives it "
	"another name. It does what that does; words behind `--` go to hooks.",
	.examples = (const struct meaning[]){
		{"lxc-clone -s golden node", "A clone that shares the contents of golden."},
		{"lxc-clone -o golden -n copy", "A copy of its own."},
		{0}},
	.differences =
	"The options that all other tools have stand for something else here: `-o`, `-n` and `-P`.",
	.see_also = "lxc-copy lxc-snapshot",
};

const struct tool tool_clone = {
	.name = "lxc-clone",
	.purpose = "copy a container (old form of lxc-copy)",
	.synopsis = "[-s] [-B TYPE] [-L SIZE] [-K] [-M] [-p PATH] [-P PATH] ORIG NEW\n"
		    "[OPTION...] -o ORIG -n NEW [-- HOOK-ARGUMENT...]",
	.traits = TOOL_NAMELESS | TOOL_OWN_OPTIONS | TOOL_WORDS,
	.options = rows,
	.options_size = sizeof(struct clone_options),
	.run = run,
	.manual = &manual,
};

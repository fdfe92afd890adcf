/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-start-ephemeral: 'lxc-copy -e' as it was called before. */
#include "cloning.h"
#include "cli.h"
#include "mountspec.h"
#include "tools.h"

#include <string.h>

struct ephemeral_options {
	const char *orig, *newname, *path, *user, *union_type, *storage;
	struct words binds, overlays;
	bool daemon, keep_data;
};

#define AT(field) offsetof(struct ephemeral_options, field)
static const struct option_row rows[] = {
	{'o', "orig", "ORIG", "The container to clone; also the first word", OPT_TEXT, AT(orig)},
	{'n', "name", "NEW", "Name of the clone; default: ORIG_XXXXXX", OPT_TEXT, AT(newname)},
	{'P', "lxcpath", "PATH", "Their lxcpath", OPT_TEXT, AT(path)},
	{'d', "daemon", NULL, "Return when it runs", OPT_FLAG, AT(daemon)},
	{'b', "bdir", "DIR", "Mount a directory of the host in it; may be repeated", OPT_LIST,
	 AT(binds)},
	{0, "cdir", "DIR",
	 "Mount one so that what is written stays in the clone; may be repeated", OPT_LIST,
	 AT(overlays)},
	{'u', "user", "USER", "Run the command as this user of the container", OPT_TEXT, AT(user)},
	{'S', "key", "FILE", "Key for ssh, which is not used (run a command instead)", OPT_LATER, 0},
	{'U', "union-type", "TYPE", "overlayfs (default) or overlay", OPT_TEXT, AT(union_type)},
	{'s', "storage-type", "TYPE", "Where it keeps what it writes: dir (default) or tmpfs",
	 OPT_TEXT, AT(storage)},
	{'k', "keep-data", NULL, "Keep the clone when it stops", OPT_FLAG, AT(keep_data)},
	{0}
};

static int check_options(const struct cli *cli, const struct ephemeral_options *o)
{
	if (o->union_type && strcmp(o->union_type, "overlayfs") != 0 &&
	    strcmp(o->union_type, "overlay") != 0)
		return cli_error(cli, "cannot use -U %s: Linux has overlayfs alone", o->union_type);
	if (o->storage && strcmp(o->storage, "dir") != 0 && strcmp(o->storage, "tmpfs") != 0)
		return cli_error(cli, "-s is dir or tmpfs, not \"%s\"", o->storage);
	if (o->storage && strcmp(o->storage, "tmpfs") == 0 && o->keep_data)
		return cli_error(cli, "-s tmpfs and -k exclude each other: what is in memory is not "
				 "kept");
	return 0;
}

static void add_mounts(struct words *mounts, const char *type, const struct words *dirs)
{
	for (size_t i = 0; i < dirs->n; i++) {
		char *spec = NULL;

		must_have(asprintf(&spec, "%s=%s", type, dirs->v[i]) < 0 ? NULL : spec);
		words_add(mounts, spec);
	}
}

/* As su(1) wants it: one text for a shell. */
static char *join_for_shell(const char *const *command)
{
	char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));

	for (; *command; command++) {
		fputs("'", out);
		for (const char *at = *command; *at; at++)
			fputs(*at == '\'' ? "'\\''" : (char[]){*at, '\0'}, out);
		fputs(command[1] ? "' " : "'", out);
	}
	fclose(out);
	return must_have(text);
}

static int make(struct cli *cli, const struct ephemeral_options *o, const char *const *command)
{
	autofree char *line = o->user && command ? join_for_shell(command) : NULL;
	const char *const as_user[] = {"su", "-", o->user, "-c", line, NULL};
	struct words mounts = {0};
	struct clone k = {
		.name = o->newname, .how = LXCORE_COPY_INIT, .mounts = &mounts, .ephemeral = true,
		.keep = o->keep_data, .foreground = !o->daemon, .up = -1,
		.command = line ? as_user : command,
	};
	int code;

	k.how.snapshot = true;
	k.how.ephemeral = !o->keep_data;
	k.how.tmpfs = o->storage && strcmp(o->storage, "tmpfs") == 0;
	add_mounts(&mounts, "bind", &o->binds);
	add_mounts(&mounts, "overlay", &o->overlays);
	code = cloning_make(cli, &k, NULL);
	for (size_t i = 0; i < mounts.n; i++)
		free((char *)mounts.v[i]);
	free(mounts.v);
	return code;
}

static int run(struct cli *cli, const void *options)
{
	const struct ephemeral_options *o = options;
	const char *const *words = cli_command(cli);

	cli->name = o->orig;
	if (!cli->name && words)
		cli->name = *words++;
	if (!cli->name)
		return cli_error_mend(cli, "lxc-start-ephemeral -o ORIG",
				      "cannot start a clone: the container's name is missing");
	if (words && !*words)
		words = NULL;
	if (o->user && !words)
		return cli_error(cli, "-u has a meaning with a command only");
	if (o->path)
		words_add(&cli->paths, o->path);
	return check_options(cli, o) ? 1 : make(cli, o, words);
}

static const struct manual manual = {
	.description =
	"The old form of `lxc-copy -e`, see lxc-copy(1): clones the container ORIG, starts the clone, "
	"and removes it when it stops. With a command that is run inside, and the clone ends with "
	"it; without one its console is shown here, unless `-d` is given.",
	.exits = (const struct meaning[]){{"N", "with a command: that of the command"}, {0}},
	.examples = (const struct meaning[]){
		{"lxc-start-ephemeral -o golden -d", "A clone that is gone when it stops."},
		{"lxc-start-ephemeral -o golden -b /srv/src -- make -C /srv/src check",
		 "Run a command in one."},
		{0}},
	.differences =
	"`-U aufs` is refused, for Linux has no such filesystem; so is `-S`, for nothing is run "
	"through ssh.",
	.see_also = "lxc-copy lxc-execute",
};

const struct tool tool_start_ephemeral = {
	.name = "lxc-start-ephemeral",
	.purpose = "run a clone that goes when it stops (as lxc-copy -e does)",
	.synopsis = "-o ORIG [-n NEW] [-d] [-b DIR]... [--cdir DIR]... [-k] [-- COMMAND...]",
	.traits = TOOL_NAMELESS | TOOL_OWN_OPTIONS | TOOL_COMMAND,
	.options = rows,
	.options_size = sizeof(struct ephemeral_options),
	.run = run,
	.manual = &manual,
};

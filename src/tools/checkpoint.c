/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-checkpoint: write a running container to files and have it go on from them, with criu; and tell
 * what stands in the way. */
#include "cli.h"
#include "json.h"
#include "launch.h"
#include "tools.h"

#include <string.h>
#include <unistd.h>

struct checkpoint_options {
	const char *dir, *action_script, *predump_dir;
	bool check, stop, pre_dump, verbose, restore, daemon, foreground;
};

#define AT(field) offsetof(struct checkpoint_options, field)
static const struct option_row rows[] = {
	{'D', "checkpoint-dir", "DIR", "Write the checkpoint into this directory, which is made",
	 OPT_TEXT, AT(dir)},
	{'s', "stop", NULL, "End the container once it is written; default: it goes on", OPT_FLAG,
	 AT(stop)},
	{'p', "pre-dump", NULL,
	 "Write memory alone, while the container goes on, so that the checkpoint takes less time "
	 "later", OPT_FLAG, AT(pre_dump)},
	{0, "predump-dir", "DIR",
	 "Write only what changed since what lies in this directory, relative to that of -D",
	 OPT_TEXT, AT(predump_dir)},
	{'v', "verbose", NULL, "Let criu tell all that it does in its log", OPT_FLAG, AT(verbose)},
	{'A', "action-script", "PATH", "Program that criu runs at each of its steps", OPT_TEXT,
	 AT(action_script)},
	{0, "check", NULL,
	 "Write nothing: tell what of this host, and with a name of that container, stands in the way",
	 OPT_FLAG, AT(check)},
	{'r', "restore", NULL, "Have the stopped container go on from the checkpoint", OPT_FLAG,
	 AT(restore)},
	{'d', "daemon", NULL, "With -r: return when it runs (the default)", OPT_FLAG, AT(daemon)},
	{'F', "foreground", NULL, "With -r: show its console, and return when it has ended", OPT_FLAG,
	 AT(foreground)},
	{0}
};

/* ---- what stands in the way ------------------------------------------------------------------- */

static const char *const verdicts[] = {"fine", "advice", "wrong"};

static void say_line(void *data, const struct lxcore_diagnosis *d)
{
	(void)data;
	printf("%-12s %-8s ", d->subject, verdicts[d->verdict]);
	text_print(stdout, d->found);
	putchar('\n');
	for (const char *line = d->mend; *line;) {
		size_t n = strcspn(line, "\n");

		printf("%-12s %-8s to mend it: %.*s\n", "", "", (int)n, line);
		line += n + (line[n] == '\n');
	}
}

static void say_json(void *data, const struct lxcore_diagnosis *d)
{
	json_object(data, NULL);
	json_text(data, "subject", d->subject);
	json_text(data, "verdict", verdicts[d->verdict]);
	json_text(data, "found", d->found);
	json_text(data, "mend", *d->mend ? d->mend : NULL);
	json_end(data, '}');
}

static int check(struct cli *cli, lxcore_container *c)
{
	autofree char *text = NULL;
	size_t size;
	struct json j = {.out = must_have(open_memstream(&text, &size))};
	int wrong;

	json_rows(&j, NULL);
	wrong = lxcore_checkpoint_check(c, cli->json ? say_json : say_line, &j, cli->err);
	json_end(&j, ']');
	fclose(j.out);
	if (wrong < 0)
		return cli_fail(cli);
	if (cli->json)
		fputs(must_have(text), stdout);
	return wrong > 0;
}

/* ---- the checkpoint ---------------------------------------------------------------------------- */

static int check_options(const struct cli *cli, const struct checkpoint_options *o)
{
	if (o->check && (o->dir || o->stop || o->pre_dump || o->predump_dir || o->action_script ||
			 o->restore))
		return cli_error(cli, "--check writes nothing: it excludes -D, -s, -p, -r, -A and "
				 "--predump-dir");
	if (o->check)
		return 0;
	if (!o->dir)
		return cli_error(cli, "-D is required.");
	if (o->restore && (o->stop || o->pre_dump || o->predump_dir))
		return cli_error(cli, "-r excludes -s, -p and --predump-dir: they are about writing");
	if ((o->daemon || o->foreground) && !o->restore)
		return cli_error(cli, "-d and -F have a meaning with -r only");
	if (o->daemon && o->foreground)
		return cli_error(cli, "-d and -F exclude each other");
	if (o->pre_dump && o->stop)
		return cli_error(cli, "-p and -s exclude each other: a container goes on after a "
				 "pre-dump");
	return 0;
}

static int dump(struct cli *cli, const struct checkpoint_options *o, lxcore_container *c)
{
	const struct lxcore_checkpoint how = {
		.size = sizeof(how), .dir = o->dir, .stop = o->stop, .pre_dump = o->pre_dump,
		.predump_dir = o->predump_dir, .verbose = o->verbose,
		.action_script = o->action_script,
	};

	return lxcore_checkpoint(c, &how, cli->err) < 0 ? cli_fail(cli) : 0;
}

/* Without a terminal nothing is shown: the processes have their old descriptors, not ours. */
static int restore(struct cli *cli, const struct checkpoint_options *o, lxcore_container *c)
{
	const struct lxcore_checkpoint from = {
		.size = sizeof(from), .dir = o->dir, .verbose = o->verbose,
		.action_script = o->action_script,
	};
	struct lxcore_start how = LXCORE_START_INIT;
	int status = 0, result;

	how.checkpoint = &from;
	how.foreground = o->foreground;
	if (o->foreground && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		how.terminal = STDIN_FILENO;
	result = lxcore_start(c, &how, &status, cli->err);
	cli_notices(cli, c);
	if (result < 0)
		return cli_fail(cli);
	if (o->foreground)
		launch_tell_end(cli, status);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct checkpoint_options *o = options;
	autocontainer lxcore_container *c = NULL;

	if (check_options(cli, o))
		return 1;
	if (!cli->name && !o->check)
		return cli_error(cli, "No container name specified");
	if (cli->name && !(c = cli_open(cli)))
		return 1;
	return o->check ? check(cli, c) : o->restore ? restore(cli, o, c) : dump(cli, o, c);
}

static const struct manual manual = {
	.description =
	"Writes the processes of the running container NAME, their memory and their connections into "
	"the directory DIR, with criu(8), which must be installed. The container goes on afterwards, "
	"or with `-s` ends. `-p` writes its memory beforehand, while it runs; a checkpoint with "
	"`--predump-dir` then only has to write what has changed since.\n\n"
	"`-r` starts the stopped container NAME where the checkpoint in DIR has left it: the same "
	"processes with the same memory, open files and addresses. Its files must be what they were; a "
	"snapshot made after `-s` keeps them (lxc-snapshot(1)). A checkpoint serves as often as one "
	"likes, and for any container with the same files.\n\n"
	"Whether criu can work with this kernel and this container is found out before anything is "
	"written, and what cannot be is refused with what mends it. `--check` does that alone, for "
	"this host or, with a name, for that container as well.",
	.notes =
	"DIR holds the memory of all processes, with all secrets in it: it is made for its owner "
	"alone, and a restore trusts what is in it. Its files dump.log, pre-dump.log and restore.log "
	"are criu's own account, lxcore.facts says which settings the checkpoint is made for: "
	"terminals, interfaces, id maps and namespaces must be the same when it is restored.\n\n"
	"criu must be about as new as the kernel. Interfaces may be of the types none, empty and veth; "
	"namespaces must be the container's own; no lxc-attach may be at work. On the console and the "
	"terminals everything goes on, with new ones in their place.\n\n"
	"What a restored container has is taken from its configuration as at any start: cgroup and "
	"limits, the host's end of its interfaces, published ports, pre-start, start-host, stop and "
	"post-stop hooks. What is inside comes from the checkpoint, so the hooks in between do not "
	"run. A reboot of it is an ordinary boot.\n\n"
	"Clients of the container keep their connections when it is restored within their patience, "
	"under the same addresses. With `-s` none of them is told that it ended.",
	.exits = (const struct meaning[]){
		{"0", "it was written; with `-r`: it runs, with `-F`: and has ended"},
		{"1", "it was not; with `--check`: something stands in the way"}, {0}},
	.examples = (const struct meaning[]){
		{"lxc-checkpoint --check -n web", "Can web be written to files?"},
		{"lxc-checkpoint -n web -D /srv/web-1 -s", "Write web to files, and end it."},
		{"lxc-checkpoint -n web -D /srv/web-1 -r", "Let it go on."},
		{0}},
	.differences =
	"`--check` is new, and what it says is looked at by every dump. A directory that has a "
	"checkpoint is not written over. The container need not be defined to be written, as long as "
	"it runs. Macvlan and phys are refused.",
	.see_also = "lxc-freeze lxc-snapshot lxc-start lxc-checkconfig",
};

const struct tool tool_checkpoint = {
	.name = "lxc-checkpoint",
	.purpose = "write a running container to files, and have it go on from them",
	.synopsis = "[-n] NAME -D DIR [-s] [-v] [-A PATH] [--predump-dir DIR]\n"
		    "[-n] NAME -D DIR -p [-v]\n[-n] NAME -D DIR -r [-d|-F] [-v] [-A PATH]\n"
		    "--check [[-n] NAME]",
	.traits = TOOL_READS | TOOL_NAME_LATER,
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct checkpoint_options),
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-export: write a container as one stream, for another machine or for later. */
#include "cli.h"
#include "json.h"
#include "tools.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct export_options {
	const char *output;
	int level, threads;
	bool no_snapshots;
};
static const struct export_options presets = {.level = 3, .threads = 1};

#define AT(field) offsetof(struct export_options, field)
static const struct option_row rows[] = {
	{'o', "output", "FILE",
	 "Write to FILE; default -: standard output, when that is no terminal", OPT_TEXT, AT(output)},
	{'z', "level", "LEVEL", "How well it is compressed: 1 (quick) to 19 (small); default 3",
	 OPT_INT, AT(level)},
	{0, "no-snapshots", NULL, "Leave its snapshots out", OPT_FLAG, AT(no_snapshots)},
	{'T', "threads", "NUMBER", "Threads that compress; default 1", OPT_INT, AT(threads)},
	{0}
};

/* Where it goes: the place is taken when all of it is there. */
struct output {
	const char *file; /* NULL: standard output */
	char *fresh;      /* its name until then */
	int fd;
};

static int open_output(const struct cli *cli, const char *file, struct output *out)
{
	struct stat st;

	*out = (struct output){.fd = STDOUT_FILENO};
	if (!file || strcmp(file, "-") == 0) {
		if (isatty(STDOUT_FILENO))
			return cli_error_mend(cli, "lxc-export -n NAME -o FILE      (or pipe it into "
					      "lxc-import)", "no archive is written to a terminal");
		return 0;
	}
	/* A device, or a pipe that was made for it, is written as it is. */
	if (stat(file, &st) == 0 && !S_ISREG(st.st_mode)) {
		out->fd = open(file, O_WRONLY | O_CLOEXEC);
		return out->fd < 0 ? cli_error(cli, "cannot write \"%s\": %m", file) : 0;
	}
	out->file = file;
	if (asprintf(&out->fresh, "%s.XXXXXX", file) < 0)
		out->fresh = NULL;
	out->fd = mkostemp(must_have(out->fresh), O_CLOEXEC);
	return out->fd < 0 ? cli_error(cli, "cannot make \"%s\": %m", file) : 0;
}

static int close_output(const struct cli *cli, struct output *out, bool good)
{
	int result = 0;
	mode_t mask;

	if (!out->file)
		return 0;
	mask = umask(0);
	umask(mask);
	/* Passwords are in it: nobody else's business. */
	if (good && (fsync(out->fd) < 0 || fchmod(out->fd, 0600 & ~mask) < 0 ||
		     rename(out->fresh, out->file) < 0))
		result = cli_error(cli, "cannot write \"%s\": %m", out->file);
	if (!good || result)
		unlink(out->fresh);
	close(out->fd);
	return result;
}

static void print_json(const struct lxcore_exported *done, const char *name, FILE *to)
{
	struct json j = {.out = to};

	json_object(&j, NULL);
	json_text(&j, "name", name);
	json_number(&j, "bytes", (int64_t)done->bytes);
	json_number(&j, "files", (int64_t)done->files);
	json_number(&j, "archive_bytes", (int64_t)done->archive_bytes);
	json_number(&j, "snapshots", done->snapshots);
	json_number(&j, "sockets_left_out", (int64_t)done->sockets);
	json_number(&j, "pause_us", done->pause_us);
	json_end(&j, '}');
}

/* On standard error: the archive may be standard output. */
static void say_done(const struct cli *cli, const struct lxcore_exported *done, const char *name)
{
	char bytes[32], size[32];

	if (cli->json && !cli->quiet)
		return print_json(done, name, stderr);
	cli_say(cli, "%s: %llu files with %s in %s", name, (unsigned long long)done->files,
		work_size(done->bytes, bytes), work_size(done->archive_bytes, size));
	if (done->snapshots)
		cli_say(cli, "with %u snapshot%s (--no-snapshots leaves them out)", done->snapshots,
			done->snapshots == 1 ? "" : "s");
	if (done->sockets)
		cli_say(cli, "%llu socket%s left out: who listens there makes %s anew",
			(unsigned long long)done->sockets, done->sockets == 1 ? " was" : "s were",
			done->sockets == 1 ? "it" : "them");
	if (done->pause_us)
		cli_say(cli, "it stood still for %.3f s", done->pause_us / 1e6);
}

static int export(struct cli *cli, const struct export_options *o, lxcore_container *c, int fd)
{
	struct lxcore_export how = LXCORE_EXPORT_INIT;
	struct lxcore_exported done;
	struct work work;
	int result;

	work_begin(&work, cli);
	how.fd = fd;
	how.level = o->level;
	how.threads = (unsigned)o->threads;
	how.no_snapshots = o->no_snapshots;
	how.progress = work_show;
	how.data = &work;
	result = lxcore_export(c, &how, &done, cli->err);
	work_end(&work);
	if (result < 0)
		return work_fail(&work);
	say_done(cli, &done, lxcore_name(c));
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct export_options *o = options;
	autocontainer lxcore_container *c = NULL;
	struct output out;
	int code;

	if (o->level < 1 || o->level > 19)
		return cli_error(cli, "cannot compress at level %d: levels are 1 to 19 (-z)",
				 o->level);
	if (o->threads < 1 || o->threads > 256)
		return cli_error(cli, "cannot use %d threads: 1 to 256 are possible (-T)",
				 o->threads);
	c = cli_open(cli);
	if (!c)
		return 1;
	code = open_output(cli, o->output, &out);
	if (code == 0) {
		code = export(cli, o, c, out.fd);
		if (close_output(cli, &out, code == 0))
			code = 1;
	}
	free(out.fresh);
	return code;
}

static const struct manual manual = {
	.description =
	"Writes the container NAME as one stream: its configuration, the files beside it, and its "
	"root filesystem with everything that files have (hard links, holes, access control lists, "
	"extended attributes, file capabilities, times to the nanosecond, devices). Wherever that "
	"lives, in a directory, in layers or on a device, the archive has the tree that the "
	"container sees; so it becomes a container with any storage. Owners are those that the "
	"container sees, whatever its id map is.\n\n"
	"The stream is tar in zstd, with sums and an end mark, so that `lxc-import` notices what "
	"was damaged or cut off. A FILE takes its place only when all of it is there, and is "
	"readable for its owner alone, since the container's secrets are in it.\n\n"
	"Its snapshots come along, each as a whole tree: what they share here is in the archive once "
	"for each.\n\n"
	"A running container is frozen while its own files are read, and then goes on, also if "
	"this program is killed; how long it stood still is said. What is said goes to standard "
	"error, with `--json` as an object.",
	.notes =
	"Left out: sockets (programs make them anew), labels of security modules, and what is mounted "
	"below the root filesystem.",
	.exits = (const struct meaning[]){{"128+N", "Ended by the signal N."}, {0}},
	.examples = (const struct meaning[]){
		{"lxc-export -n web -o web.tar.zst", "Into a file."},
		{"lxc-export -n web | ssh other lxc-import", "To another machine."},
		{"lxc-export -n web | lxc-import -n web2", "A copy that shares nothing."},
		{0}},
	.see_also = "lxc-import lxc-create lxc-freeze",
};

const struct tool tool_export = {
	.name = "lxc-export",
	.purpose = "write a container as one stream",
	.synopsis = "[-n] NAME [-o FILE] [-z LEVEL]",
	.traits = TOOL_READS | TOOL_OUTPUT,
	.choose = "",
	.options = rows,
	.options_size = sizeof(struct export_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

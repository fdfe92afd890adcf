/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-import: make a container of what lxc-export wrote. */
#include "cli.h"
#include "json.h"
#include "tools.h"
#include "work.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

struct import_options {
	const char *config, *storage, *max_size, *max_files;
	struct words settings;
	bool devices, trust;
};

#define AT(field) offsetof(struct import_options, field)
static const struct option_row rows[] = {
	{'f', "config", "FILE", "Its configuration, instead of the one in the archive", OPT_TEXT,
	 AT(config)},
	{'s', "set", "KEY=VALUE", "Set in its configuration; can be repeated", OPT_LIST,
	 AT(settings)},
	{'B', "bdev", "TYPE", "Where its root filesystem lives, as lxc-create(1) has it; default dir",
	 OPT_TEXT, AT(storage)},
	{0, "devices", NULL, "Make the device nodes of the archive, too", OPT_FLAG, AT(devices)},
	{0, "trust", NULL,
	 "The archive is as good as one's own: take its whole configuration, devices and all "
	 "attributes", OPT_FLAG, AT(trust)},
	{0, "max-size", "SIZE", "Most bytes of all files together; default 256G", OPT_TEXT,
	 AT(max_size)},
	{0, "max-files", "NUMBER", "Most names; default 4000000", OPT_TEXT, AT(max_files)},
	{0}
};

/* A number, with K, M, G or T behind it. */
static int read_number(const struct cli *cli, const char *text, const char *option, uint64_t *ret)
{
	static const char units[] = "KMGT";
	unsigned long long n;
	const char *unit;
	char *end;

	if (!text)
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || end == text || *text == '-' || (*end && (!unit || end[1])) || n == 0)
		return cli_error(cli, "\"%s\" is no number (%s): it is written as 500, 20M or 4G",
				 text, option);
	for (const char *u = units; unit && u <= unit; u++) {
		if (n > ULLONG_MAX / 1024)
			return cli_error(cli, "\"%s\" is too large (%s)", text, option);
		n *= 1024;
	}
	*ret = n;
	return 0;
}

static int open_input(const struct cli *cli)
{
	const char *file = cli->words.n ? cli->words.v[0] : "-";
	int fd;

	if (strcmp(file, "-") != 0) {
		fd = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			cli_error(cli, "cannot open \"%s\": %m", file);
		return fd;
	}
	if (!isatty(STDIN_FILENO))
		return STDIN_FILENO;
	cli_error_mend(cli, "lxc-import FILE      (or pipe lxc-export into it)",
		       "no archive is read from a terminal");
	return -1;
}

static void print_json(const struct lxcore_imported *done)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", done->name);
	json_number(&j, "bytes", (int64_t)done->bytes);
	json_number(&j, "files", (int64_t)done->files);
	json_number(&j, "archive_bytes", (int64_t)done->archive_bytes);
	json_number(&j, "snapshots", done->snapshots);
	json_number(&j, "devices_left_out", (int64_t)done->devices);
	json_end(&j, '}');
}

static void say_done(const struct cli *cli, const struct lxcore_imported *done)
{
	char bytes[32];

	if (cli->json)
		return print_json(done);
	cli_say(cli, "%s: %llu files with %s", done->name, (unsigned long long)done->files,
		work_size(done->bytes, bytes));
	if (done->snapshots)
		cli_say(cli, "with %u snapshot%s", done->snapshots, done->snapshots == 1 ? "" : "s");
	if (done->devices)
		cli_say(cli, "%llu device node%s left out (--devices makes %s)",
			(unsigned long long)done->devices, done->devices == 1 ? " was" : "s were",
			done->devices == 1 ? "it" : "them");
}

static int import(struct cli *cli, struct lxcore_import *how)
{
	struct lxcore_imported done;
	struct work work;
	int result;

	work_begin(&work, cli);
	how->progress = work_show;
	how->data = &work;
	result = lxcore_import(cli_path(cli), how, &done, cli->err);
	work_end(&work);
	if (result < 0)
		return work_fail(&work);
	say_done(cli, &done);
	lxcore_imported_free(&done);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct import_options *o = options;
	struct lxcore_import how = LXCORE_IMPORT_INIT;
	int code;

	if (read_number(cli, o->max_size, "--max-size", &how.max_bytes) ||
	    read_number(cli, o->max_files, "--max-files", &how.max_files))
		return 1;
	how.fd = open_input(cli);
	if (how.fd < 0)
		return 1;
	how.name = cli->name;
	how.config = o->config;
	how.settings = o->settings.v;
	how.storage = o->storage;
	how.devices = o->devices;
	how.trust = o->trust;
	code = import(cli, &how);
	if (how.fd != STDIN_FILENO)
		close(how.fd);
	return code;
}

static const struct manual manual = {
	.description =
	"Makes a container of FILE, or of standard input, as `lxc-export` wrote it. It is called "
	"as it was, or NAME. Nothing is a container before the last byte was there and everything "
	"was found as the archive's manifest says; what fails, or is killed, leaves nothing "
	"behind.\n\n"
	"Owners are shifted to the id map of the new container (`lxc.idmap`): that of the archive's "
	"configuration, or of FILE with `-f`. Paths in the configuration that led to the old "
	"container's directory or to the old installation's files lead to the new ones.\n\n"
	"An archive is not trusted. It is read by a process that sees no file but those that it "
	"makes; no path leaves the root filesystem, no device node is made (they are counted), and "
	"attributes other than user.*, access control lists and file capabilities are left out. "
	"A configuration, also of a snapshot, that would run programs on the host, show its files to "
	"the container or give it devices is refused, unless this host's `lxc.default_config` says "
	"the same; the error names the line. Look at it with `tar -xOf FILE "
	"config`, then bring your own with `-f`, or say `--trust`.",
	.notes =
	"A privileged container, one without `lxc.idmap`, is never a safe place for the programs of "
	"strangers, whatever its configuration says. Give it a map: `-f` with a configuration that "
	"has one.",
	.exits = (const struct meaning[]){{"128+N", "Ended by the signal N."}, {0}},
	.examples = (const struct meaning[]){
		{"lxc-import web.tar.zst", "The container as it was called."},
		{"ssh other lxc-export -n web | lxc-import -n web2", "From another machine."},
		{"lxc-import -f /etc/lxc/unprivileged.conf stranger.tar.zst",
		 "With a configuration of one's own."},
		{0}},
	.see_also = "lxc-export lxc-create lxc-destroy lxc.container.conf",
};

const struct tool tool_import = {
	.name = "lxc-import",
	.purpose = "make a container of a stream that lxc-export wrote",
	.synopsis = "[-n NAME] [-f FILE] [-s KEY=VALUE]... [FILE]",
	.traits = TOOL_READS | TOOL_NAMELESS,
	.max_words = 1,
	.options = rows,
	.options_size = sizeof(struct import_options),
	.run = run,
	.manual = &manual,
};

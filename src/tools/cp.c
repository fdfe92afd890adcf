/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-cp: copy files and trees into a container and out of it. */
#include "cli.h"
#include "json.h"
#include "tools.h"
#include "work.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct cp_options {
	bool recursive, archive, special;
	const char *owner;
};

#define AT(field) offsetof(struct cp_options, field)
static const struct option_row rows[] = {
	{'r', "recursive", NULL, "Copy directories, too, and symbolic links as links", OPT_FLAG,
	 AT(recursive)},
	{'a', "archive", NULL,
	 "As -r, and keep owners, modes, times and extended attributes as they are", OPT_FLAG,
	 AT(archive)},
	{0, "owner", "UID:GID",
	 "Whose the copy becomes: ids inside the container on the way in, else of the host", OPT_TEXT,
	 AT(owner)},
	{0, "special", NULL,
	 "Copy devices, too; with -a on the way out: keep setuid, setgid and file capabilities",
	 OPT_FLAG, AT(special)},
	{0}
};

/* A word of the command line: a path of the host, or one of a container. */
struct side {
	char *name;       /* NULL: of the host */
	const char *path;
	bool stream;      /* "-" */
};

/* NAME:/PATH; where the path does not begin with a slash, the last colon before its first one. */
static const char *find_colon(const char *word)
{
	const char *slash = strchr(word, '/'), *colon = NULL;
	size_t n = slash ? (size_t)(slash - word) : strlen(word);

	for (size_t i = 0; i < n; i++)
		if (word[i] == ':')
			colon = word + i;
	return colon;
}

static struct side parse_side(const struct cli *cli, const char *word)
{
	const char *colon = find_colon(word);
	struct side s = {.path = word, .stream = strcmp(word, "-") == 0};

	if (!colon)
		return s;
	s.path = colon + 1;
	s.name = must_have(colon == word && cli->name ? strdup(cli->name) :
			   strndup(word, (size_t)(colon - word)));
	return s;
}

/* What was asked for, put together. */
struct task {
	struct lxcore_files how;
	const char *name;
	const char **from;
	struct side *sides;
	size_t n;
};

static void task_free(struct task *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->sides[i].name);
	free(t->sides);
	free(t->from);
}

static int check_sources(const struct cli *cli, const struct task *t)
{
	const struct side *last = &t->sides[t->n - 1];

	for (size_t i = 0; i + 1 < t->n; i++) {
		const struct side *s = &t->sides[i];

		if (s->name && last->name)
			return cli_error_mend(cli, "lxc-cp NAME:FILE - | lxc-cp - NAME:FILE",
					      "cannot copy from a container to a container at once");
		if (!s->name && !last->name)
			return cli_error_mend(cli, "write NAME:PATH for a path of the container NAME",
					      "cannot copy from \"%s\" to \"%s\": neither is in a "
					      "container", s->path, last->path);
		if (s->name && strcmp(s->name, t->sides[0].name) != 0)
			return cli_error(cli, "cannot copy from two containers at once, %s and %s",
					 t->sides[0].name, s->name);
		if (s->stream && t->n > 2)
			return cli_error(cli, "\"-\" stands for one file, and nothing beside it");
	}
	return 0;
}

static int sort_out(const struct cli *cli, struct task *t)
{
	const struct side *last;

	t->n = cli->words.n;
	if (t->n < 2)
		return cli_error_mend(cli, "lxc-cp FILE NAME:/PATH      (or NAME:/FILE PATH)",
				      "it wants something to copy, and a place to copy it to");
	t->sides = must_have(calloc(t->n, sizeof(*t->sides)));
	t->from = must_have(calloc(t->n, sizeof(*t->from)));
	for (size_t i = 0; i < t->n; i++)
		t->sides[i] = parse_side(cli, cli->words.v[i]);
	for (size_t i = 0; i + 1 < t->n; i++)
		t->from[i] = t->sides[i].path;
	if (check_sources(cli, t))
		return 1;
	last = &t->sides[t->n - 1];
	t->how.into = last->name;
	t->how.to = last->path;
	t->how.from = t->from;
	t->name = last->name ? last->name : t->sides[0].name;
	if (!*t->name)
		return cli_error_mend(cli, "lxc-cp -n NAME ...      (or write NAME:PATH)",
				      "\":PATH\" does not say which container is meant");
	if (t->how.into && t->sides[0].stream)
		t->how.fd = STDIN_FILENO;
	if (!t->how.into && last->stream)
		t->how.fd = STDOUT_FILENO;
	return t->how.fd == STDOUT_FILENO && t->n > 2 ?
		       cli_error(cli, "\"-\" takes one file, not %zu", t->n - 1) : 0;
}

static int parse_owner(const struct cli *cli, const char *text, struct lxcore_files *how)
{
	unsigned uid, gid;
	char rest;

	if (strspn(text, "0123456789:") != strlen(text) || strlen(text) > 21 ||
	    sscanf(text, "%u:%u%c", &uid, &gid, &rest) != 2 || uid == (unsigned)-1 ||
	    gid == (unsigned)-1)
		return cli_error(cli, "cannot use \"%s\" as owner: it is written UID:GID, two numbers",
				 text);
	how->uid = uid;
	how->gid = gid;
	return 0;
}

static void show_json(const struct cli *cli, const struct task *t, const struct lxcore_filed *done)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", t->name);
	json_number(&j, "files", (int64_t)done->files);
	json_number(&j, "bytes", (int64_t)done->bytes);
	json_number(&j, "devices_left_out", (int64_t)done->devices);
	json_end(&j, '}');
}

static int copy(struct cli *cli, struct task *t)
{
	autocontainer lxcore_container *c = NULL;
	struct lxcore_filed done;
	struct work work;
	int result;

	cli->name = t->name;
	c = cli_open(cli);
	if (!c)
		return 1;
	work_begin(&work, cli);
	t->how.progress = work_show;
	t->how.data = &work;
	result = lxcore_files_copy(c, &t->how, &done, cli->err);
	work_end(&work);
	if (result < 0)
		return work_fail(&work);
	if (cli->json)
		show_json(cli, t, &done);
	else if (done.devices)
		cli_say(cli, "%" PRIu64 " device%s left out (--special copies them)", done.devices,
			done.devices == 1 ? " was" : "s were");
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct cp_options *o = options;
	struct task t = {.how = LXCORE_FILES_INIT};
	int code = sort_out(cli, &t);
	mode_t mask = umask(0);

	umask(mask);
	t.how.mask = mask;
	t.how.recursive = o->recursive || o->archive;
	t.how.archive = o->archive;
	t.how.special = o->special;
	if (!code && cli->json && t.how.fd == STDOUT_FILENO)
		code = cli_error(cli, "--json and \"-\" both want standard output");
	if (!code && t.how.fd >= 0 && t.how.recursive)
		code = cli_error_mend(cli, "lxc-attach -n NAME -- tar -c PATH      (is a stream of "
				      "many)", "\"-\" is for one file, without -r and -a");
	if (!code && o->owner)
		code = parse_owner(cli, o->owner, &t.how);
	if (!code)
		code = copy(cli, &t);
	task_free(&t);
	return code;
}

static const struct manual manual = {
	.description =
	"Copies files into the container NAME, or out of it. `NAME:PATH` is a path of the container, "
	"and `:PATH` one of the container that `-n` names; all others are paths of the host. The "
	"container may run or not. Of one that runs everything is there that its processes see, what "
	"is mounted in it too; of a stopped one its root filesystem.\n\n"
	"If DEST is a directory the copy goes into it, under its own name; else DEST is the copy's "
	"name. A source that ends in `/.` is what the directory has in it. Directories that are there "
	"are kept and added to. A file appears, or is replaced, when all of the new one is there. `-` "
	"is the contents of one file, from standard input or to standard output.\n\n"
	"A copy in the container belongs to its root, and one on the host to the caller, with the "
	"modes of the source less the umask; a file that is replaced hands down its owner and mode. "
	"With `-a` ids are those inside: what belongs to user 1000 in the container belongs to user "
	"1000 on the host.",
	.notes =
	"Every path of a container is resolved within it, so neither a link nor `..` leads out, "
	"whoever changes them meanwhile. Without `-r` a symbolic link is followed, within the "
	"container.\n\n"
	"What the kernel makes up (/proc, /sys, /dev/pts) is not copied, nor written to. Into a "
	"directory that the host shares with a container in a user namespace and in which that may "
	"not write, nothing is copied either.\n\n"
	"Devices are left out without `--special`. Setuid and setgid bits and file capabilities do not "
	"come out of a container without it: who made them is not known here.",
	.exits = (const struct meaning[]){
		{"128+N", "signal N ended it; what was copied in part is removed"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-cp nginx.conf web:/etc/nginx/", "Put a file into a container."},
		{"lxc-cp web:/var/log/syslog .", "Get one out of it."},
		{"lxc-cp -a web:/srv/www backup", "A tree, as it is."},
		{"lxc-cp -r site/. web:/srv/www", "What a directory has in it."},
		{"lxc-cp -n web one two :/tmp", "Several."},
		{"lxc-cp db:/etc/hosts - | lxc-cp - web:/etc/hosts", "From one container to another."},
		{0}},
	.see_also = "lxc-attach lxc-diff lxc-export",
};

const struct tool tool_cp = {
	.name = "lxc-cp",
	.purpose = "copy files into a container and out of it",
	.synopsis = "[-r] [-a] [--owner=UID:GID] SRC... NAME:DEST\n[-r] [-a] NAME:SRC... DEST",
	.traits = TOOL_READS | TOOL_NAMELESS | TOOL_WORDS | TOOL_PATHS,
	.choose = "--defined",
	.options = rows,
	.options_size = sizeof(struct cp_options),
	.run = run,
	.manual = &manual,
};

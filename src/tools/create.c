/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-create: make a container with a template. */
#include "cli.h"
#include "json.h"
#include "size.h"
#include "table.h"
#include "tools.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct create_options {
	const char *config, *template, *storage, *dir;
	const char *lvname, *vgname, *thinpool, *rbdname, *rbdpool, *rbduser, *zfsroot;
	const char *fstype, *fssize;
	bool list;
};

#define AT(field) offsetof(struct create_options, field)
static const struct option_row rows[] = {
	{'t', "template", "TEMPLATE", "What fills it: a template's name, an absolute path, or none",
	 OPT_TEXT, AT(template)},
	{'f', "config", "FILE", "First configuration, instead of lxc.default_config of lxc.conf(5)",
	 OPT_TEXT, AT(config)},
	{'B', "bdev", "TYPE,...",
	 "Where its root filesystem lives: dir (default), btrfs, loop, lvm, nbd, overlay, rbd, zfs; "
	 "of several the first that this host can make; best; none means dir",
	 OPT_TEXT, AT(storage)},
	{0, "dir", "DIR", "With -B dir: absolute path of the root filesystem", OPT_TEXT, AT(dir)},
	{0, "lvname", "NAME", "With -B lvm: name of the logical volume (default: the container's)",
	 OPT_TEXT, AT(lvname)},
	{0, "vgname", "GROUP", "With -B lvm: volume group (default: lxc)", OPT_TEXT, AT(vgname)},
	{0, "thinpool", "POOL", "With -B lvm: thin pool (default: lxc, if there is one)", OPT_TEXT,
	 AT(thinpool)},
	{0, "rbdname", "NAME", "With -B rbd: name of the image (default: the container's)", OPT_TEXT,
	 AT(rbdname)},
	{0, "rbdpool", "POOL", "With -B rbd: pool (default: lxc)", OPT_TEXT, AT(rbdpool)},
	{0, "rbduser", "USER", "With -B rbd: user of the cluster", OPT_TEXT, AT(rbduser)},
	{0, "zfsroot", "DATASET", "With -B zfs: dataset that holds containers (default: lxc)", OPT_TEXT,
	 AT(zfsroot)},
	{0, "fstype", "TYPE", "With -B loop, lvm, nbd or rbd: filesystem (default: ext4)", OPT_TEXT,
	 AT(fstype)},
	{0, "fssize", "SIZE",
	 "With -B loop, lvm, nbd or rbd: size, in MiB or with one of B K M G T (default: 1G)",
	 OPT_TEXT, AT(fssize)},
	{0, "list", NULL, "List the templates, what each needs and whether this host has it", OPT_FLAG,
	 AT(list)},
	{0}
};

/* ---- options that belong to a kind of storage ---- */

static const struct {
	size_t at;
	const char *option, *types;
} belongs[] = {
	{AT(dir), "--dir", "dir"},
	{AT(lvname), "--lvname", "lvm"},
	{AT(vgname), "--vgname", "lvm"},
	{AT(thinpool), "--thinpool", "lvm"},
	{AT(rbdname), "--rbdname", "rbd"},
	{AT(rbdpool), "--rbdpool", "rbd"},
	{AT(rbduser), "--rbduser", "rbd"},
	{AT(zfsroot), "--zfsroot", "zfs"},
	{AT(fstype), "--fstype", "loop, lvm, nbd, rbd"},
	{AT(fssize), "--fssize", "loop, lvm, nbd, rbd"},
};

/* Have two lists of words, separated by commas and blanks, one in common? */
static bool share_word(const char *a, const char *b)
{
	static const char separators[] = ", ";

	while (*(a += strspn(a, separators))) {
		size_t n = strcspn(a, separators);

		for (const char *at = b; *(at += strspn(at, separators));
		     at += strcspn(at, separators))
			if (strcspn(at, separators) == n && memcmp(a, at, n) == 0)
				return true;
		a += n;
	}
	return false;
}

static const char *value_of(const struct create_options *o, size_t at)
{
	return *(const char *const *)(const void *)((const char *)o + at);
}

/* An option that asks for a kind of storage; NULL: none does. */
static const char *wanted_of(const struct create_options *o)
{
	for (size_t i = 0; i < sizeof(belongs) / sizeof(belongs[0]); i++)
		if (value_of(o, belongs[i].at))
			return belongs[i].option;
	return o->storage && !share_word(o->storage, "dir, best, none") ? "-B" : NULL;
}

static int check_storage(const struct cli *cli, const struct create_options *o)
{
	const char *storage = o->storage && strcmp(o->storage, "none") != 0 ? o->storage : "dir";

	if (strcmp(storage, "best") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(belongs) / sizeof(belongs[0]); i++)
		if (value_of(o, belongs[i].at) && !share_word(storage, belongs[i].types))
			return cli_error(cli, "%s belongs to -B %s, not to -B %s", belongs[i].option,
					 belongs[i].types, storage);
	return 0;
}

/* 'lxc-create -t TEMPLATE -h' goes on with the template's own help. */
static int template_help(struct cli *cli, const void *options)
{
	const struct create_options *o = options;
	autofree char *path = NULL;
	int n;

	if (!o->template || strcmp(o->template, "none") == 0)
		return 0;
	if (*o->template == '/')
		n = asprintf(&path, "%s", o->template);
	else
		n = asprintf(&path, "%s/lxc-%s", lxcore_install_dir("templates"), o->template);
	if (n < 0)
		path = NULL;
	fprintf(stderr, "\nOptions of the template %s (after --):\n\n", o->template);
	execl(must_have(path), path, "-h", (char *)NULL);
	return cli_error(cli, "cannot run the template \"%s\": %m", path);
}

/* ---- the list -------------------------------------------------------------------------------- */

static void list_json(const struct lxcore_template *list, int n)
{
	struct json j = {.out = stdout};

	json_rows(&j, NULL);
	for (int i = 0; i < n; i++) {
		json_object(&j, NULL);
		json_text(&j, "name", list[i].name);
		json_text(&j, "path", list[i].path);
		json_text(&j, "about", list[i].about);
		json_texts(&j, "needs", (const char *const *)list[i].needs);
		json_texts(&j, "missing", (const char *const *)list[i].missing);
		/* Of one that does not say what it needs nobody knows. */
		if (list[i].needs)
			json_bool(&j, "ready", !*list[i].missing);
		json_end(&j, '}');
	}
	json_end(&j, ']');
}

/* "dnf" or "debootstrap or mmdebstrap, gpg" */
static char *needs_text(char *const *needs)
{
	char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));

	for (size_t i = 0; needs && needs[i]; i++) {
		if (i)
			fputs(", ", out);
		for (const char *c = needs[i]; *c; c++)
			if (*c == '|')
				fputs(" or ", out);
			else
				fputc(*c, out);
	}
	fclose(out);
	return must_have(text);
}

static void list_table(const struct lxcore_template *list, int n)
{
	struct table t = {.columns = 4, .gap = 2};

	table_add(&t, "TEMPLATE");
	table_add(&t, "READY");
	table_add(&t, "MISSING");
	table_add(&t, "WHAT IT MAKES");
	for (int i = 0; i < n; i++) {
		autofree char *missing = needs_text(list[i].missing);

		table_add(&t, list[i].name);
		table_add(&t, !list[i].needs ? "?" : *list[i].missing ? "no" : "yes");
		table_add(&t, *missing ? missing : "-");
		table_add(&t, list[i].about ? list[i].about : "");
	}
	table_print(&t, stdout);
}

static int list_templates(struct cli *cli)
{
	struct lxcore_template *list = NULL;
	int n = lxcore_templates(&list, cli->err);

	if (n < 0)
		return cli_fail(cli);
	if (cli->json)
		list_json(list, n);
	else
		list_table(list, n);
	lxcore_templates_free(list, n);
	return 0;
}

/* ---- secrets --------------------------------------------------------------------------------- */

/* Copies of the template's arguments, ended by NULL; of the originals, which everybody can read in
 * /proc, what is secret is overwritten. */
static char **take_words(const struct cli *cli, const char *template)
{
	char **copies = must_have(calloc(cli->words.n + 1, sizeof(*copies)));

	for (size_t i = 0; i < cli->words.n; i++) {
		const char *word = cli->words.v[i];
		const char *secret = template ? lxcore_template_secret(template, word) : NULL;

		copies[i] = must_have(strdup(word));
		if (secret)	/* it is ours: the kernel gave it to this process */
			memset((char *)(uintptr_t)secret, '.', strlen(secret));
	}
	return copies;
}

static void free_words(char ***words)
{
	for (size_t i = 0; *words && (*words)[i]; i++) {
		explicit_bzero((*words)[i], strlen((*words)[i]));
		free((*words)[i]);
	}
	free(*words);
}

/* ---- the tool -------------------------------------------------------------------------------- */

static int check_options(const struct cli *cli, const struct create_options *o)
{
	if (!o->template || !*o->template)
		return cli_error_mend(cli, "lxc-create -n NAME -t busybox   (or debian, or none)",
				      "A template must be specified");
	if (strcmp(o->template, "none") == 0 && wanted_of(o))
		return cli_error_mend(cli, "lxc.rootfs.path = DIR      (in the configuration)",
				      "%s has no meaning with -t none: no root filesystem is made",
				      wanted_of(o));
	if (o->dir && *o->dir != '/')
		return cli_error(cli, "--dir should use absolute path, not \"%s\"", o->dir);
	return check_storage(cli, o);
}

static int run(struct cli *cli, const void *options)
{
	const struct create_options *o = options;
	struct lxcore_create how = LXCORE_CREATE_INIT;
	autocontainer lxcore_container *c = NULL;
	__attribute__((cleanup(free_words))) char **args = NULL;

	if (o->list)
		return list_templates(cli);
	if (!cli->name)
		return cli_error(cli, "No container name specified");
	if (check_options(cli, o))
		return 1;
	how.template = strcmp(o->template, "none") == 0 ? NULL : o->template;
	args = take_words(cli, how.template);
	how.args = (const char *const *)args;
	c = cli_open(cli);
	if (!c)
		return 1;
	how.config = o->config;
	how.storage = o->storage && strcmp(o->storage, "none") == 0 ? "dir" : o->storage;
	how.dir = o->dir;
	how.fstype = o->fstype;
	how.lvname = o->lvname;
	how.vgname = o->vgname;
	how.thinpool = o->thinpool;
	how.rbdname = o->rbdname;
	how.rbdpool = o->rbdpool;
	how.rbduser = o->rbduser;
	how.zfsroot = o->zfsroot;
	if (o->fssize && !size_parse(o->fssize, &how.fssize))
		return cli_error(cli, "--fssize should be a number of MiB, or one with B, K, M, G or T "
				 "behind it, not \"%s\"", o->fssize);
	how.quiet = cli->quiet;
	if (lxcore_create(c, &how, cli->err) < 0)
		return cli_fail(cli);
	cli_notices(cli, c);
	return 0;
}

static const struct manual manual = {
	.description =
	"Makes the container NAME: a directory below the lxcpath with a configuration (a "
	"copy of `lxc.default_config`, or of FILE) and a root filesystem, which the "
	"template fills. What stands behind `--` goes to the template; `lxc-create -t "
	"TEMPLATE -h` shows what it understands. Templates live in the directory templates "
	"of the installation, as lxc-NAME.\n\n"
	"With the template `none` no root filesystem is made. What fails leaves nothing "
	"behind; what the template said last is in the error.\n\n"
	"Templates that install a distribution keep what they made in /var/cache/lxc, or below "
	"LXC_CACHE_PATH, and copy it the next time; who may not write there has a cache in "
	"~/.cache/lxc. Ordinary users, and root with `lxc.idmap`, create Debian and its relatives, the "
	"RPM family, Alpine, Void, Gentoo, ALT Linux, images and archives; templates that need more "
	"than a user namespace gives say so.\n\n"
	"A password in an option is seen by whoever looks at the list of processes. `--password` "
	"alone asks for one, and `--password-file FILE` reads it (`-`: from standard input). Where a "
	"template says which of its options are secret, as those of this installation do, lxc-create "
	"overwrites them in its own arguments before anything else and hands them to the template "
	"through a pipe; between its start and that moment they can be seen.\n\n"
	"With `-q` the template's output is thrown away, and it finds LXC_CREATE_QUIET in "
	"its environment.",
	.notes =
	"-B says where the root filesystem lives: lxc.container.conf(5) tells about each type. "
	"Volumes, datasets and images are called as the container is; one of that name that is there "
	"already is never touched. Types other than dir, btrfs and overlay are mounted for the "
	"template alone while it fills them.\n\n"
	"lvm needs the programs of lvm2, zfs those of ZFS, rbd Ceph's rbd(8), nbd qemu-nbd(8) and "
	"qemu-img(1), and each filesystem its mkfs. `-B best` takes the first of btrfs, zfs, lvm and "
	"dir that this host can make.",
	.examples = (const struct meaning[]){
		{"lxc-create -n web -t debian -- -r bookworm", "A Debian system."},
		{"lxc-create -n little -t busybox", "A small system without the network's help."},
		{"lxc-create -n web -t debian -B lvm --vgname pool --fssize 8G",
		 "On a logical volume of 8 GiB."},
		{"lxc-create -n web -t debian -B zfs,btrfs,dir", "On the first of these that can be."},
		{"lxc-create -t debian -h", "Show the options of the template debian."},
		{"lxc-create --list", "Show the templates, and which of them can work here."},
		{0}},
	.differences =
	"Names of templates and of storage must be written in full; LXC takes `-t n` or an "
	"empty name for none. A configuration that cannot be read stops the creation; LXC "
	"goes on with what it got.\n\n"
	"-B takes a list of types, which LXC's manual promises and its tool refuses. A thin pool that "
	"was asked for must be there; LXC goes on without.",
	.see_also = "lxc-destroy lxc-start lxc.container.conf lxc.mirrors.conf",
};

const struct tool tool_create = {
	.name = "lxc-create",
	.purpose = "create a container",
	.synopsis = "[-n] NAME -t TEMPLATE [OPTION...] [-- TEMPLATE-OPTION...]\n"
		    "-t TEMPLATE -h\n--list [--json]",
	.traits = TOOL_WORDS | TOOL_READS | TOOL_NAME_LATER,
	.choose = NULL,
	.options = rows,
	.options_size = sizeof(struct create_options),
	.run = run,
	.after_help = template_help,
	.manual = &manual,
};

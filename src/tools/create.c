/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-create: make a container with a template. */
#include "cli.h"
#include "tools.h"

#include <string.h>
#include <unistd.h>

struct create_options {
	const char *config, *template, *storage, *dir;
};

#define AT(field) offsetof(struct create_options, field)
#define LATER(name, arg, what) {0, name, arg, what " (not supported yet)", OPT_LATER, 0}
static const struct option_row rows[] = {
	{'t', "template", "TEMPLATE", "What fills it: a template's name, an absolute path, or none",
	 OPT_TEXT, AT(template)},
	{'f', "config", "FILE", "First configuration, instead of lxc.default_config of lxc.conf(5)",
	 OPT_TEXT, AT(config)},
	{'B', "bdev", "TYPE",
	 "Where its root filesystem lives: dir (default), best; none means dir",
	 OPT_TEXT, AT(storage)},
	{0, "dir", "DIR", "With -B dir: absolute path of the root filesystem", OPT_TEXT, AT(dir)},
	LATER("lvname", "NAME", "With -B lvm: name of the logical volume"),
	LATER("vgname", "NAME", "With -B lvm: volume group"),
	LATER("thinpool", "NAME", "With -B lvm: thin pool"),
	LATER("rbdname", "NAME", "With -B rbd: name of the image"),
	LATER("rbdpool", "NAME", "With -B rbd: pool"),
	LATER("rbduser", "NAME", "With -B rbd: user"),
	LATER("zfsroot", "DATASET", "With -B zfs: dataset that holds containers"),
	LATER("fstype", "TYPE", "With -B lvm, loop or rbd: filesystem"),
	LATER("fssize", "SIZE", "With -B lvm, loop or rbd: size"),
	{0}
};

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

static int check_options(const struct cli *cli, const struct create_options *o)
{
	if (!o->template || !*o->template)
		return cli_error_mend(cli, "lxc-create -n NAME -t busybox   (or debian, or none)",
				      "A template must be specified");
	if (o->dir && strcmp(o->template, "none") == 0)
		return cli_error_mend(cli, "lxc.rootfs.path = DIR      (in the configuration)",
				      "--dir has no meaning with -t none: no root "
				      "filesystem is made");
	if (o->dir && *o->dir != '/')
		return cli_error(cli, "--dir should use absolute path, not \"%s\"", o->dir);
	if (o->dir && o->storage && strcmp(o->storage, "dir") != 0 &&
	    strcmp(o->storage, "none") != 0 && strcmp(o->storage, "best") != 0)
		return cli_error(cli, "--dir belongs to -B dir, not to -B %s", o->storage);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct create_options *o = options;
	struct lxcore_create how = LXCORE_CREATE_INIT;
	autocontainer lxcore_container *c = NULL;

	if (check_options(cli, o))
		return 1;
	c = cli_open(cli);
	if (!c)
		return 1;
	how.template = strcmp(o->template, "none") == 0 ? NULL : o->template;
	how.args = cli->words.v;
	how.config = o->config;
	how.storage = o->storage && strcmp(o->storage, "none") == 0 ? "dir" : o->storage;
	how.dir = o->dir;
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
	"behind.\n\n"
	"With `-q` the template's output is thrown away, and it finds LXC_CREATE_QUIET in "
	"its environment.",
	.examples = (const struct meaning[]){
		{"lxc-create -n web -t debian -- -r bookworm", "A Debian system."},
		{"lxc-create -n little -t busybox", "A small system without the network's help."},
		{"lxc-create -t debian -h", "Show the options of the template debian."},
		{0}},
	.differences =
	"Names of templates and of storage must be written in full; LXC takes `-t n` or an "
	"empty name for none. A configuration that cannot be read stops the creation; LXC "
	"goes on with what it got.\n\n"
	"Storage in lvm, loop, btrfs, overlay, zfs, nbd and rbd is not supported yet.",
	.see_also = "lxc-destroy lxc-start lxc.container.conf",
};

const struct tool tool_create = {
	.name = "lxc-create",
	.purpose = "create a container",
	.synopsis = "[-n] NAME -t TEMPLATE [OPTION...] [-- TEMPLATE-OPTION...]\n-t TEMPLATE -h",
	.traits = TOOL_WORDS,
	.choose = NULL,
	.options = rows,
	.options_size = sizeof(struct create_options),
	.run = run,
	.after_help = template_help,
	.manual = &manual,
};

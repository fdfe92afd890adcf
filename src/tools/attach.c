/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-attach: run a command inside a running container. */
#include "bits.h"
#include "cli.h"
#include "tools.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

struct attach_options {
	const char *elevate, *arch, *namespaces, *pty_log, *context;
	bool remount, clear_env, keep_env;
	struct words keep_var, set_var;
	int uid, gid;
};
#define UNSET INT_MIN /* of uid and gid: -1 is what somebody may write */
static const struct attach_options presets = {.uid = UNSET, .gid = UNSET};

#define AT(field) offsetof(struct attach_options, field)
static const struct option_row rows[] = {
	{'e', "elevated-privileges", "[CAP|CGROUP|LSM]",
	 "Keep the host's capabilities, cgroup, security "
	 "label: some of these, joined by '|'; all when none is named", OPT_TEXT, AT(elevate)},
	{'a', "arch", "ARCH",
	 "Architecture that the command sees, as for lxc.arch", OPT_TEXT, AT(arch)},
	{'s', "namespaces", "LIST",
	 "Join only these, joined by '|': MOUNT PID UTSNAME IPC USER NETWORK "
	 "CGROUP TIME; means -e, too", OPT_TEXT, AT(namespaces)},
	{'R', "remount-sys-proc", NULL,
	 "With -s without MOUNT: give the command a /proc and /sys that fit",
	 OPT_FLAG, AT(remount)},
	{0, "clear-env", NULL,
	 "Begin with PATH and container=lxc as only variables", OPT_FLAG, AT(clear_env)},
	{0, "keep-env", NULL, "Keep the caller's environment (default)", OPT_FLAG, AT(keep_env)},
	{0, "keep-var", "VARIABLE", "With --clear-env: keep this variable; may be repeated",
	 OPT_LIST, AT(keep_var)},
	{'v', "set-var", "VARIABLE=VALUE", "Set a variable; may be repeated", OPT_LIST,
	 AT(set_var)},
	{'L', "pty-log", "FILE",
	 "Append what the command's terminal shows to FILE", OPT_TEXT, AT(pty_log)},
	{'u', "uid", "UID", "User of the command inside", OPT_INT, AT(uid)},
	{'g', "gid", "GID", "Group of the command inside", OPT_INT, AT(gid)},
	{'c', "context", "CONTEXT", "Security label of the command", OPT_TEXT, AT(context)},
	{0}
};

static const struct bit_word elevate_words[] = {
	{"CAP", LXCORE_ELEVATE_CAP}, {"CGROUP", LXCORE_ELEVATE_CGROUP},
	{"LSM", LXCORE_ELEVATE_LSM}, {0}
};
#define ELEVATE_ALL (LXCORE_ELEVATE_CAP | LXCORE_ELEVATE_CGROUP | LXCORE_ELEVATE_LSM)

static int take_words(const struct cli *cli, const struct attach_options *o,
		      struct lxcore_attach *how)
{
	if (o->elevate) {
		how->elevate = *o->elevate ? bits_parse(elevate_words, o->elevate) : ELEVATE_ALL;
		if (!how->elevate)
			return cli_error(cli, "invalid privilege argument: \"%s\" (CAP, "
					 "CGROUP, LSM, joined by '|')", o->elevate);
	}
	if (o->namespaces) {
		how->namespaces = bits_parse(namespace_words, o->namespaces);
		how->elevate = ELEVATE_ALL;
		if (!how->namespaces)
			return cli_error(cli, "invalid namespaces: \"%s\" (MOUNT, PID, UTSNAME, "
					 "IPC, USER, NETWORK, CGROUP, TIME, joined by '|')",
					 o->namespaces);
	}
	return 0;
}

static int check_options(const struct cli *cli, const struct attach_options *o,
			 const struct lxcore_attach *how)
{
	if (o->context && how->elevate & LXCORE_ELEVATE_LSM)
		return cli_error(cli, "-c and elevated privileges (LSM) exclude each other");
	if (o->clear_env && o->keep_env)
		return cli_error(cli, "--clear-env and --keep-env exclude each other");
	if (o->keep_var.n && !o->clear_env)
		return cli_error(cli, "--keep-var has a meaning with --clear-env only");
	if ((o->uid < 0 && o->uid != UNSET) || (o->gid < 0 && o->gid != UNSET))
		return cli_error(cli, "a user or group id is not negative");
	if (o->pty_log && !how->terminal)
		return cli_error(cli, "--pty-log needs a terminal as standard input and output");
	for (size_t i = 0; i < o->set_var.n; i++)
		if (strcspn(o->set_var.v[i], "=") == 0 || !strchr(o->set_var.v[i], '='))
			return cli_error(cli, "cannot use --set-var %s: it must be VARIABLE=VALUE",
					 o->set_var.v[i]);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	const struct attach_options *o = options;
	struct lxcore_attach how = LXCORE_ATTACH_INIT;
	autocontainer lxcore_container *c = NULL;
	int status = 0;

	how.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (take_words(cli, o, &how) || check_options(cli, o, &how))
		return 1;
	how.command = cli_command(cli);
	how.remount_sys_proc = o->remount;
	how.arch = o->arch;
	how.uid = o->uid == UNSET ? (uid_t)-1 : (uid_t)o->uid;
	how.gid = o->gid == UNSET ? (gid_t)-1 : (gid_t)o->gid;
	how.clear_env = o->clear_env;
	how.keep_env = o->keep_var.v;
	how.set_env = o->set_var.v;
	how.context = o->context;
	how.pty_log = o->pty_log;
	c = cli_open(cli);
	if (!c)
		return 1;
	if (lxcore_attach(c, &how, &status, cli->err) == 0)
		return cli_status(status);
	cli_fail(cli);
	return status ? cli_status(status) : 1; /* 126 and 127 come with their reason */
}

static const struct manual manual = {
	.description =
	"Runs COMMAND, or the login shell of the user, inside the running container NAME, "
	"and waits for it. Words after the container's name belong to the command from its "
	"first one on; `--` before it makes this plain.\n\n"
	"When standard input and output are a terminal the command gets one of its own "
	"from the container. Otherwise it has the three descriptors of lxc-attach itself, "
	"and every byte passes unchanged.",
	.exits = (const struct meaning[]){
		{"N", "the command ended with N"},
		{"128+N", "signal N killed the command"},
		{"126, 127", "the command cannot be executed; there is no such command"},
		{"1", "the container could not be entered"},
		{0}},
	.notes =
	"A command with elevated privileges (`-e`, `-s`) is a door out of the container "
	"for whoever controls its processes.",
	.examples = (const struct meaning[]){
		{"lxc-attach -n web", "A shell inside."},
		{"lxc-attach -n web -- systemctl is-system-running --wait", "Run one command."},
		{"lxc-attach -n web -s NETWORK -- ip addr", "The host's ip(8) in its network."},
		{0}},
	.differences =
	"Options end at the first word of the command, so `lxc-attach -n web ls -l` works. "
	"A frozen container is told after ten seconds; LXC waits for ever.\n\n"
	"lxc-unpriv-attach, which other packages have for ordinary users, is a second name of it.",
	.see_also = "lxc-console lxc-execute",
};

const struct tool tool_attach = {
	.name = "lxc-attach",
	.purpose = "run a command inside a running container",
	.synopsis = "[-n] NAME [OPTION...] [-- COMMAND [ARGUMENT...]]",
	.traits = TOOL_COMMAND | TOOL_RCFILE_F,
	.choose = "--running",
	.options = rows,
	.options_size = sizeof(struct attach_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

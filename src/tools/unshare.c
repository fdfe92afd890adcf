/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-unshare: run a command in new namespaces. */
#include "bits.h"
#include "cli.h"
#include "tools.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

struct unshare_options {
	const char *namespaces, *user, *hostname;
	struct words interfaces;
	bool daemon, mount;
};

#define AT(field) offsetof(struct unshare_options, field)
static const struct option_row rows[] = {
	{'s', "namespaces", "LIST",
	 "New ones of these, joined by '|': MOUNT PID UTSNAME IPC USER NETWORK CGROUP TIME", OPT_TEXT,
	 AT(namespaces)},
	{'u', "user", "USER", "With USER: who the command is inside, a name or a number", OPT_TEXT,
	 AT(user)},
	{'H', "hostname", "NAME", "With UTSNAME: its host name", OPT_TEXT, AT(hostname)},
	{'i', "ifname", "INTERFACE", "With NETWORK: move this interface there; may be repeated",
	 OPT_LIST, AT(interfaces)},
	{'d', "daemon", NULL, "Return when the command runs", OPT_FLAG, AT(daemon)},
	{'M', "remount", NULL, "With MOUNT: its own /proc, /dev/shm and /dev/mqueue", OPT_FLAG,
	 AT(mount)},
	{0}
};

static bool find_user(const char *name, uid_t *ret)
{
	const struct passwd *pw;
	char *end;
	unsigned long n = strtoul(name, &end, 10);

	if (*name >= '0' && *name <= '9' && !*end && n < UINT32_MAX) {
		*ret = (uid_t)n;
		return true;
	}
	pw = getpwnam(name);
	*ret = pw ? pw->pw_uid : (uid_t)-1;
	return pw;
}

static int take_options(const struct cli *cli, const struct unshare_options *o,
			struct lxcore_unshare *how)
{
	if (!cli->words.n)
		return cli_error(cli, "no command is given");
	if (!o->namespaces)
		return cli_error_mend(cli, "lxc-unshare -s 'MOUNT|PID' -- COMMAND      (for example)",
				      "no namespaces are given (-s)");
	how->namespaces = bits_parse(namespace_words, o->namespaces);
	if (!how->namespaces)
		return cli_error(cli, "invalid namespaces: \"%s\" (MOUNT, PID, UTSNAME, IPC, USER, "
				 "NETWORK, CGROUP, TIME)", o->namespaces);
	if (o->user && !find_user(o->user, &how->uid))
		return cli_error(cli, "this host has no user \"%s\"", o->user);
	how->hostname = o->hostname;
	how->interfaces = o->interfaces.v;
	how->mount_usual = o->mount;
	how->nowait = o->daemon;
	how->command = cli_command(cli);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	struct lxcore_unshare how = LXCORE_UNSHARE_INIT;
	int status = 0;

	if (take_options(cli, options, &how))
		return 1;
	return lxcore_unshare(&how, &status, cli->err) < 0 ? cli_fail(cli) : cli_status(status);
}

static const struct manual manual = {
	.description =
	"Runs COMMAND in new namespaces of the kinds that `-s` lists; everything else it shares with "
	"its caller. With a new PID namespace it is process 1 there.\n\n"
	"With USER and `-u` one user is mapped: the caller, under the number of USER.",
	.exits = (const struct meaning[]){
		{"N", "the command ended with N"},
		{"128+N", "signal N killed the command"},
		{"1", "the namespaces could not be made, or there is no such command"},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-unshare -s MOUNT -- sh", "What is mounted in that shell is seen by it alone."},
		{"lxc-unshare -s 'PID|MOUNT' -M -- ps ax", "See no other process."},
		{"lxc-unshare -s 'USER|UTSNAME' -u 0 -H test -- sh", "As an ordinary user."},
		{"lxc-unshare -s NETWORK -i eth1 -- ip addr", "With an interface of this host."},
		{0}},
	.differences =
	"The command's exit status is handed on; LXC ends with 1 whatever it was. An interface that "
	"cannot be moved is a failure; LXC only logs it. The options end at the first word of the "
	"command.",
	.see_also = "lxc-usernsexec lxc-attach",
};

const struct tool tool_unshare = {
	.name = "lxc-unshare",
	.purpose = "run a command in new namespaces",
	.synopsis = "-s LIST [OPTION...] -- COMMAND [ARGUMENT...]",
	.traits = TOOL_NAMELESS | TOOL_COMMAND | TOOL_OWN_OPTIONS,
	.options = rows,
	.options_size = sizeof(struct unshare_options),
	.run = run,
	.manual = &manual,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lxc-start and lxc-execute have in common.  launch.h says what. */
#include "launch.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char *cut(const char *from, const char *end)
{
	while (from < end && strchr(" \t", *from))
		from++;
	while (end > from && strchr(" \t", end[-1]))
		end--;
	return must_have(strndup(from, (size_t)(end - from)));
}

int launch_set(const struct cli *cli, lxcore_container *c, const char *option, const char *key,
	       const char *value)
{
	if (value && lxcore_define(c, key, value, option, cli->err) < 0)
		return cli_fail(cli);
	return 0;
}

static int define_one(const struct cli *cli, lxcore_container *c, const char *setting)
{
	autofree char *key = NULL, *value = NULL;
	const char *is = strchr(setting, '=');

	if (!is)
		return cli_error(cli, "cannot use --define %s: it has no '=' (KEY=VALUE)", setting);
	key = cut(setting, is);
	value = cut(is + 1, is + 1 + strlen(is + 1));
	return launch_set(cli, c, "--define", key, value);
}

int launch_define(const struct cli *cli, lxcore_container *c, const struct launch *l)
{
	const struct {
		const char *option, *key, *value;
	} shares[] = {
		{"--share-net", "lxc.namespace.share.net", l->share_net},
		{"--share-ipc", "lxc.namespace.share.ipc", l->share_ipc},
		{"--share-uts", "lxc.namespace.share.uts", l->share_uts},
		{"--share-pid", "lxc.namespace.share.pid", l->share_pid},
	};

	for (size_t i = 0; i < l->define.n; i++)
		if (define_one(cli, c, l->define.v[i]))
			return 1;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		if (launch_set(cli, c, shares[i].option, shares[i].key, shares[i].value))
			return 1;
	return 0;
}

void launch_foreground(struct lxcore_start *how)
{
	how->foreground = true;
	if (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) {
		how->terminal = STDIN_FILENO;
		return;
	}
	for (int fd = 0; fd < 3; fd++)
		how->std_fds[fd] = fd;
}

int launch_parse_up(const struct cli *cli, const char *text)
{
	int up = lxcore_up_parse(text);

	if (up < 0)
		cli_error(cli, "cannot wait for \"%s\": it is none of running, network, ready", text);
	return up;
}

void launch_tell_end(const struct cli *cli, int wait_status)
{
	if (WIFEXITED(wait_status) && WEXITSTATUS(wait_status))
		cli_say(cli, "%s: its init ended with exit status %d", cli->name,
			WEXITSTATUS(wait_status));
	else if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) != SIGINT)
		cli_say(cli, "%s: its init was killed by signal %d (%s)", cli->name,
			WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
}

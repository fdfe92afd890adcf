/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lxc-start and lxc-execute have in common: settings on the command line, and the terminal. */
#ifndef LXC_TOOLS_LAUNCH_H
#define LXC_TOOLS_LAUNCH_H

#include "cli.h"

struct launch {
	struct words define;
	const char *share_net, *share_ipc, *share_uts, *share_pid;
};

#define LAUNCH_ROWS(type) \
	{'s', "define", "KEY=VALUE", "Set a configuration key for this run; may be repeated", \
	 OPT_LIST, offsetof(type, launch.define)}, \
	{0, "share-net", "NAME|PID", "Share the network namespace of a container or process", \
	 OPT_TEXT, offsetof(type, launch.share_net)}, \
	{0, "share-ipc", "NAME|PID", "Share the IPC namespace of a container or process", \
	 OPT_TEXT, offsetof(type, launch.share_ipc)}, \
	{0, "share-uts", "NAME|PID", "Share the UTS namespace of a container or process", \
	 OPT_TEXT, offsetof(type, launch.share_uts)}, \
	{0, "share-pid", "NAME|PID", "Share the PID namespace of a container or process", \
	 OPT_TEXT, offsetof(type, launch.share_pid)}

/* 0, or the exit code after a message. */
int launch_define(const struct cli *cli, lxcore_container *c, const struct launch *l);
/* The same for one option that stands for a key; nothing when value is NULL. */
int launch_set(const struct cli *cli, lxcore_container *c, const char *option, const char *key,
	       const char *value);

/*
 * In the foreground: on a terminal the console is shown there; otherwise the command has our own
 * three descriptors, so that pipes and files carry its bytes unchanged.
 */
void launch_foreground(struct lxcore_start *how);

/* How long is waited for a container to come up, where nobody says how long. */
#define LAUNCH_UP_SECONDS 60
/* "running", "network", "ready": an enum lxcore_up, -1 after a message. */
int launch_parse_up(const struct cli *cli, const char *text);

/*
 * Say how init ended unless it was in order.  A PID namespace that was halted or powered off with
 * reboot(2) ends with SIGINT (pid_namespaces(7)): that is an orderly end.
 */
void launch_tell_end(const struct cli *cli, int wait_status);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks: the user's own programs at certain moments of a container's life.  Most moments are parts of
 * a boot (hooks.c); store/ runs those of making, copying and destroying through hooks_run().
 */
#ifndef LXCORE_PARTS_HOOKS_H
#define LXCORE_PARTS_HOOKS_H

#include "parts/part.h"

enum hook_moment {
	HOOK_PRE_START, HOOK_PRE_MOUNT, HOOK_MOUNT, HOOK_AUTODEV, HOOK_START, HOOK_START_HOST,
	HOOK_STOP, HOOK_POST_STOP, HOOK_CLONE, HOOK_DESTROY, HOOK_CREATE, HOOK_SNAPSHOT, HOOK_READY,
	HOOK_NET_UP, HOOK_NET_DOWN, HOOK_N_MOMENTS
};

struct hook_call {
	const struct conf *conf;
	const char *name;         /* of the container */
	const char *lxcpath;      /* NULL: two levels above its configuration file */
	/* NAME=VALUE, last word over what the configuration alone tells (LXC_NAME, LXC_CONFIG_FILE,
	 * LXC_ROOTFS_PATH, LXC_ROOTFS_MOUNT, LXC_CONSOLE ...) */
	const struct strv *env;
	const struct strv *args;  /* extra words behind the fixed ones, or NULL */
	int airlock;              /* their shell is the container's (proc_run.airlock), or 0 */
	bool inside;              /* also lxc.environment and lxc.environment.hooks */

	/* For hooks that talk with us, which are those in Lua: */
	const char *root;         /* its root filesystem, as it can be reached now; NULL: it is
	                           * lxc.rootfs.path, when that is a directory */
	const char *state;        /* "STARTING" ...; NULL: as the moment has it */
	pid_t pid;                /* of init, 0: there is none */
	/* What hooks may change: 'conf' again, or NULL.  'keep': in its text too, which the caller
	 * saves when *ret_changed became true. */
	struct conf *change;
	bool keep, *ret_changed;
	bool *ret_ran;            /* a hook of this moment was there; or NULL */
	bool net;                 /* private to hooks: 'args' are all of its words */
	struct hooks_boot *boot;
};

extern const struct conf_section hooks_section;

/* "pre-start", "clone" ... */
const char *hooks_moment_name(enum hook_moment moment);
/* A moment by its name, also with '_' for '-'; -1: there is none. */
int hooks_moment_of(const char *name);
bool hooks_any(const struct conf *c, enum hook_moment moment);
/*
 * Run the hooks of a moment in their order, then what the modules of lxc.hook.lua have for it; the
 * first that fails ends it with -1: 'hook pre-start "/path args" ended with exit status 3; it said:
 * ...'.
 */
int hooks_run(enum hook_moment moment, const struct hook_call *call, struct error *err);
/* For the network, see struct net_hook. */
int hooks_run_net(const struct net_hook *n, struct error *err);

#endif

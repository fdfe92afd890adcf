/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names that keys had before LXC 3: see legacy.h. */
#include "config/legacy.h"

#include <string.h>

const struct legacy_name legacy_names[] = {
	{"lxc.rootfs", "lxc.rootfs.path"},
	{"lxc.rootfs.backend", NULL},
	{"lxc.pts", "lxc.pty.max"},
	{"lxc.tty", "lxc.tty.max"},
	{"lxc.devttydir", "lxc.tty.dir"},
	{"lxc.console", "lxc.console.path"},
	{"lxc.mount", "lxc.mount.fstab"},
	{"lxc.id_map", "lxc.idmap"},
	{"lxc.utsname", "lxc.uts.name"},
	{"lxc.aa_profile", "lxc.apparmor.profile"},
	{"lxc.aa_allow_incomplete", "lxc.apparmor.allow_incomplete"},
	{"lxc.se_context", "lxc.selinux.context"},
	{"lxc.seccomp", "lxc.seccomp.profile"},
	{"lxc.haltsignal", "lxc.signal.halt"},
	{"lxc.rebootsignal", "lxc.signal.reboot"},
	{"lxc.stopsignal", "lxc.signal.stop"},
	{"lxc.syslog", "lxc.log.syslog"},
	{"lxc.loglevel", "lxc.log.level"},
	{"lxc.logfile", "lxc.log.file"},
	{"lxc.init_cmd", "lxc.init.cmd"},
	{"lxc.init_uid", "lxc.init.uid"},
	{"lxc.init_gid", "lxc.init.gid"},
	{"lxc.limit.", "lxc.prlimit."},
	{"lxc.network", "lxc.net"},
	{"lxc.pivotdir", NULL},
	{"lxc.kmsg", NULL},
	{NULL, NULL},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "lxc.net.0.ipv4" of LXC 2.1 and 3.0, which lacks the last word. */
static bool lacks_address(const char *name)
{
	return str_ends(name, ".ipv4") || str_ends(name, ".ipv6");
}

static void rename_network(unsigned *nics, const char *rest, struct buf *now)
{
	buf_puts(now, "lxc.net.");
	if (!is_digit(*rest)) {
		if (strcmp(rest, "type") == 0)
			++*nics;
		buf_addf(now, "%u.", *nics ? *nics - 1 : 0);
	}
	buf_puts(now, rest);
	if (now->s && lacks_address(now->s))
		buf_puts(now, ".address");
}

/*
 * lxc.limit.* once were the resource limits of setrlimit(2), and lxc.prlimit.* are now.  Today's
 * lxc.limit.* have other names, but for 'cpu', which counted the seconds of one process's life.
 */
static bool is_old_limit(const char *name)
{
	static const char *const old[] = {
		"as", "core", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile",
		"nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
	};

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		if (strcmp(name, old[i]) == 0)
			return true;
	return false;
}

bool legacy_rename(unsigned *nics, const char *name, struct buf *now)
{
	if (!str_starts(name, "lxc."))
		return false;
	if (str_starts(name, "lxc.network.")) {
		rename_network(nics, name + strlen("lxc.network."), now);
		return true;
	}
	if (str_starts(name, "lxc.net.") && lacks_address(name)) {
		buf_addf(now, "%s.address", name);
		return true;
	}
	for (const struct legacy_name *l = legacy_names; l->old; l++) {
		bool family = str_ends(l->old, ".");

		if (family ? !str_starts(name, l->old) : strcmp(name, l->old) != 0)
			continue;
		if (family && !is_old_limit(name + strlen(l->old)))
			return false;
		if (strcmp(name, "lxc.network") == 0)
			*nics = 0;
		buf_addf(now, "%s%s", l->now ? l->now : "", family ? name + strlen(l->old) : "");
		return true;
	}
	return false;
}

static void keep(char **at, const char *text)
{
	free(*at);
	*at = strdup(text);
}

void legacy_value(struct legacy *state, const char *name, const char *value, struct buf *now,
		  struct buf *ret_value)
{
	bool rootfs = strcmp(name, "lxc.rootfs") == 0;

	if (strcmp(name, "lxc.rootfs.backend") == 0) {
		keep(&state->backend, value);
		if (!state->rootfs || !state->backend)
			return;
		buf_puts(now, "lxc.rootfs.path");
		value = state->rootfs;
		rootfs = true;
	} else if (rootfs) {
		keep(&state->rootfs, value);
	}
	/* "overlayfs:/below:/above" names its storage itself, whatever lxc.rootfs.backend says. */
	if (rootfs && *value == '/' && state->backend && *state->backend)
		buf_addf(ret_value, "%s:", state->backend);
	buf_puts(ret_value, value);
}

void legacy_free(struct legacy *state)
{
	free(state->rootfs);
	free(state->backend);
	*state = (struct legacy){0};
}

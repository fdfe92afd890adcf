/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel settings of the container's namespaces (lxc.sysctl.*), written from inside through our own
 * procfs: whatever the container has mounted on /proc by then is not trusted with a write.
 *
 * Most settings of a kernel are the whole host's, and root of a privileged container could write them
 * (CVE-2022-0811's way out is kernel.core_pattern).  So only those are written that the kernel keeps
 * for a namespace, and only where the container does not share that namespace with the host.
 */
#include "parts/part.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"

#include <fnmatch.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/vfs.h>

struct sysctl_conf {
	struct conf_pairs settings;
};

/* sysctl(8): whichever of '.' and '/' comes first separates, the other one is an ordinary letter. */
static char *path_of(const char *name)
{
	char *path = str_printf("sys/%s", name);
	const char *first = strpbrk(name, "./");

	for (char *at = path ? path + strlen("sys/") : NULL; at && first && *first == '.' && *at; at++)
		*at = *at == '.' ? '/' : *at == '/' ? '.' : *at;
	return path;
}

static bool has_dot_dot(const char *path)
{
	for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, ".."))
		if ((at == path || at[-1] == '/') && (at[2] == '/' || !at[2]))
			return true;
	return false;
}

static int set_setting(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	autofree char *path = path_of(sub);

	if (!*sub || !path || has_dot_dot(path) || strstr(path, "//") || str_ends(path, "/"))
		return error_set(err, EINVAL, "\"%s\" is no name of a kernel setting", sub);
	return conf_pairs.set(field, key, sub, value, err);
}

static void get_setting(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	conf_pairs.get(field, key, sub, out);
}

static void clear_setting(void *field, const struct conf_key *key, const char *sub)
{
	conf_pairs.clear(field, key, sub);
}

static const struct conf_type type_setting = {"TEXT", set_setting, get_setting, clear_setting,
					      conf_replaces};
static const struct conf_key keys[] = {
	{"lxc.sysctl.", &type_setting, offsetof(struct sysctl_conf, settings),
	 .summary = "A kernel setting of the container's namespaces, as sysctl(8) names it: net.*, "
		    "fs.mqueue.*, user.*, kernel.msg*, kernel.sem, kernel.shm*, kernel.hostname, "
		    "kernel.domainname. The host's own are refused."},
	{NULL},
};
static const struct conf_section section = {"sysctl", sizeof(struct sysctl_conf), keys};

/* ---- whose a setting is ---- */

static const struct scope {
	const char *names; /* patterns of paths below /proc/sys, separated by blanks */
	unsigned long long flag;
	const char *kind, *share;
} scopes[] = {
	{"net/*", CLONE_NEWNET, "network", "lxc.namespace.share.net"},
	{"fs/mqueue/* kernel/msgmax kernel/msgmnb kernel/msgmni kernel/auto_msgmni kernel/sem "
	 "kernel/shmall kernel/shmmax kernel/shmmni kernel/shm_rmid_forced kernel/msg_next_id "
	 "kernel/sem_next_id kernel/shm_next_id",
	 CLONE_NEWIPC, "ipc", "lxc.namespace.share.ipc"},
	{"kernel/hostname kernel/domainname", CLONE_NEWUTS, "uts", "lxc.namespace.share.uts"},
	{"kernel/ns_last_pid", CLONE_NEWPID, "pid", "lxc.namespace.share.pid"},
	{"user/*", CLONE_NEWUSER, "user", "lxc.namespace.share.user"},
};

static const struct scope *scope_of(const char *name)
{
	autofree char *path = path_of(name);

	for (size_t i = 0; path && i < ARRAY_SIZE(scopes); i++) {
		autostrv struct strv patterns = {0};

		strv_split(&patterns, scopes[i].names, " ");
		for (size_t k = 0; k < patterns.n; k++)
			if (fnmatch(patterns.v[k], path + strlen("sys/"), 0) == 0)
				return &scopes[i];
	}
	return NULL;
}

static int refuse(const struct conf *conf, const char *name, const char *why, struct error *err)
{
	autofree char *key = str_printf("lxc.sysctl.%s", name);
	const char *where = key ? conf_where(conf, key) : NULL;

	error_set(err, EPERM, "cannot set %s: %s (%s)", name, why, where ? where : "lxc.sysctl");
	return error_mend(err, "sysctl -w %s=...      (on the host, for the whole of it)\n"
			       "a container's own are net.*, fs.mqueue.*, user.*, kernel.msg*, "
			       "kernel.sem, kernel.shm*, kernel.hostname, kernel.domainname", name);
}

static int check(const struct boot *b, struct error *err)
{
	const struct sysctl_conf *s = conf_of(b->conf, &section);

	for (size_t i = 0; i < s->settings.n; i++)
		if (!scope_of(s->settings.v[i].name))
			return refuse(b->conf, s->settings.v[i].name,
				      "the kernel keeps one value of it for the whole host", err);
	return 0;
}

/* That of another container is what its user asked for; the host's is not. */
static bool is_hosts(const struct boot *b, const struct scope *scope)
{
	autobuf struct buf shared = BUF_INIT;

	return !(b->clone_flags & scope->flag) &&
	       (conf_get(b->conf, scope->share, &shared, NULL) < 0 || !shared.len);
}

/* ---- writing ---- */

static int write_setting(int proc, const struct conf_pair *pair, struct error *err)
{
	autofree char *path = path_of(pair->name);
	autoclose int fd = path ? path_open_in(proc, path, O_WRONLY | O_NOCTTY, 0) : -1;
	ssize_t n = fd < 0 ? -1 : write(fd, pair->value, strlen(pair->value));

	if (n >= 0)
		return 0;
	error_sys(err, "cannot set %s to \"%s\" (lxc.sysctl.%s)", pair->name, pair->value,
		  pair->name);
	if (errno == EACCES || errno == EROFS || errno == EPERM)
		error_mend(err, "set it on the host: sysctl -w %s=%s      (the kernel keeps no "
			   "value of its own for this container)", pair->name, pair->value);
	else if (errno == ENOENT)
		error_mend(err, "remove lxc.sysctl.%s: this kernel does not have it, or not in the "
			   "namespaces of the container", pair->name);
	return -1;
}

static int enter(struct boot *b, struct error *err)
{
	const struct sysctl_conf *s = conf_of(b->conf, &section);
	struct statfs fs;

	if (!s->settings.n)
		return 0;
	if (b->proc < 0 || fstatfs(b->proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return error_set(err, ENOSYS, "cannot set lxc.sysctl.%s: there is no procfs of the "
				 "container", s->settings.v[0].name);
	for (size_t i = 0; i < s->settings.n; i++) {
		const struct conf_pair *pair = &s->settings.v[i];
		const struct scope *scope = scope_of(pair->name);

		if (!scope || is_hosts(b, scope)) {
			autofree char *why = str_printf("it shares the %s namespace with the host",
							scope ? scope->kind : "");

			return refuse(b->conf, pair->name, why ? why : "", err);
		}
		if (write_setting(b->proc, pair, err) < 0)
			return -1;
	}
	return 0;
}

const struct part part_sysctl = {
	.name = "sysctl",
	.section = &section,
	.check = check,
	.enter = enter,
};

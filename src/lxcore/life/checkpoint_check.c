/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What stands in the way of a checkpoint: criu, this kernel, the container.  criu itself finds most of
 * it out in the middle of a dump and in its own words; so the usual obstacles are looked for before.
 */
#include "life/checkpoint.h"
#include "life/criu.h"
#include "base/fd.h"
#include "base/proc.h"
#include "parts/cgroup/cgroup.h"
#include "parts/rootfs.h"

#include <ctype.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct subject {
	struct lxcore_container *container;
	const struct running *running;
	const struct conf *conf;
};

typedef enum lxcore_verdict question(const struct subject *s, struct error *found);

/* ---- this host ---- */

static bool has_capability(unsigned number)
{
	autobuf struct buf status = BUF_INIT;
	unsigned long long effective = 0;
	const char *line = file_read(AT_FDCWD, "/proc/self/status", &status) == 0 ?
			   strstr(status.s, "\nCapEff:") : NULL;

	return line && sscanf(line, " CapEff: %llx", &effective) == 1 && effective >> number & 1;
}

static enum lxcore_verdict caller(const struct subject *s, struct error *found)
{
	(void)s;
	if (geteuid() != 0) {
		error_set(found, EPERM, "only root may make a checkpoint");
		error_mend(found, "the same command as root");
		return LXCORE_WRONG;
	}
	/* criu asks for their resource limits, prlimit(2). */
	if (!has_capability(CAP_SYS_RESOURCE)) {
		error_set(found, EPERM, "root without CAP_SYS_RESOURCE, who cannot write processes of "
			  "others than root");
		return LXCORE_ADVICE;
	}
	error_set(found, 0, "root");
	return LXCORE_FINE;
}

static enum lxcore_verdict version(const struct subject *s, struct error *found)
{
	autobuf struct buf said = BUF_INIT;
	char number[32] = "";
	int status = criu_ask((const char *const[]){"--version", NULL}, &said, found);

	(void)s;
	if (status < 0)
		return LXCORE_WRONG;
	if (status || !said.s || sscanf(said.s, "Version: %31s", number) != 1) {
		error_set(found, EIO, "criu does not tell its version");
		error_mend(found, "apt-get install --reinstall criu");
		return LXCORE_WRONG;
	}
	error_set(found, 0, "version %s", number);
	return LXCORE_FINE;
}

/* "Error (criu/vdso.c:381): vdso: Unexpected ...": the first of them is the cause. */
static void first_error(const struct buf *said, char text[300])
{
	const char *at = said->s ? strstr(said->s, "Error (") : NULL;
	const char *words = at ? strstr(at, "): ") : NULL;
	int n;

	words = words ? words + 3 : said->s ? said->s : "";
	n = (int)strcspn(words, "\n");
	snprintf(text, 300, "%.*s", n < 280 ? n : 280, words);
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
}

static enum lxcore_verdict kernel(const struct subject *s, struct error *found)
{
	autobuf struct buf said = BUF_INIT;
	char why[300];
	int status = criu_ask((const char *const[]){"check", NULL}, &said, found);

	(void)s;
	if (status < 0)
		return LXCORE_WRONG;
	if (status == 0) {
		error_set(found, 0, "criu check finds all that it needs");
		return LXCORE_FINE;
	}
	first_error(&said, why);
	error_set(found, ENOTSUP, "criu cannot work with this kernel: %s", why);
	error_mend(found, "criu check      (shows all of it)\n"
			  "a criu as new as the kernel, or a kernel with CONFIG_CHECKPOINT_RESTORE");
	return LXCORE_WRONG;
}

/* ---- the container ---- */

static enum lxcore_verdict state(const struct subject *s, struct error *found)
{
	const char *name = s->container->name;

	if (cgroup_is_frozen_at(s->running->rundir)) {
		error_set(found, EBUSY, "it is frozen; criu freezes and thaws it itself");
		error_mend(found, "lxc-unfreeze -n %s", name);
		return LXCORE_WRONG;
	}
	if (s->running->init_pidfd < 0 || s->running->state.state != LXCORE_RUNNING) {
		error_set(found, EBUSY, "its init does not run (it is %s)",
			  lxcore_state_name(s->running->state.state));
		error_mend(found, "lxc-wait -n %s -s RUNNING", name);
		return LXCORE_WRONG;
	}
	error_set(found, 0, "it runs");
	return LXCORE_FINE;
}

/* Who shares a namespace would have to be dumped as well. */
static enum lxcore_verdict namespaces(const struct subject *s, struct error *found)
{
	static const char *const groups[] = {"lxc.namespace.share.", "lxc.namespace.keep"};

	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		autobuf struct buf value = BUF_INIT;

		if (conf_get(s->conf, groups[i], &value, NULL) < 0 || !value.len)
			continue;
		value.s[strcspn(value.s, "\n")] = '\0';
		error_set(found, ENOTSUP, "it has namespaces of others (%s: %.60s)", groups[i],
			  value.s);
		error_mend(found, "start it without that key");
		return LXCORE_WRONG;
	}
	error_set(found, 0, "they are its own");
	return LXCORE_FINE;
}

static enum lxcore_verdict network(const struct subject *s, struct error *found)
{
	static const char *const known[] = {"none", "empty", "veth"};
	autostrv struct strv keys = {0};

	if (conf_list_keys(s->conf, "lxc.net", &keys) < 0) {
		error_set(found, ENOMEM, "out of memory");
		return LXCORE_WRONG;
	}
	for (size_t i = 0; i < keys.n; i++) {
		autobuf struct buf type = BUF_INIT;
		bool fine = false;

		if (!str_ends(keys.v[i], ".type") || conf_get(s->conf, keys.v[i], &type, NULL) < 0 ||
		    !type.len)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(known); k++)
			fine |= strcmp(type.s, known[k]) == 0;
		if (fine)
			continue;
		error_set(found, ENOTSUP, "an interface of type %.20s cannot be made again (%s)",
			  type.s, keys.v[i]);
		error_mend(found, "%s = veth", keys.v[i]);
		return LXCORE_WRONG;
	}
	error_set(found, 0, "its interfaces can be made again");
	return LXCORE_FINE;
}

/* Inside, criu could not even make a directory there. */
static enum lxcore_verdict rootfs(const struct subject *s, struct error *found)
{
	if (rootfs_is_idmapped(s->conf)) {
		error_set(found, ENOTSUP, "its files have the owners that are inside "
			  "(lxc.rootfs.options = idmap=), with which criu cannot make it again");
		error_mend(found, "copy the container to one without that option");
		return LXCORE_WRONG;
	}
	error_set(found, 0, "its owners are those on the disk");
	return LXCORE_FINE;
}

static enum lxcore_verdict filter(const struct subject *s, struct error *found)
{
	autobuf struct buf proxy = BUF_INIT;

	if (conf_get(s->conf, "lxc.seccomp.notify.proxy", &proxy, NULL) == 0 && proxy.len) {
		error_set(found, ENOTSUP, "another program answers system calls of it "
			  "(lxc.seccomp.notify.proxy)");
		error_mend(found, "start it without that key");
		return LXCORE_WRONG;
	}
	error_set(found, 0, "nobody answers system calls for it");
	return LXCORE_FINE;
}

/* ---- those who came from outside ---- */

static pid_t parent_of(pid_t pid)
{
	autofree char *path = str_printf("/proc/%d/stat", pid);
	autobuf struct buf stat = BUF_INIT;
	const char *end;
	int parent = 0;

	if (!path || file_read(AT_FDCWD, path, &stat) < 0 || !(end = strrchr(stat.s, ')')))
		return 0;
	return sscanf(end + 1, " %*c %d", &parent) == 1 ? parent : 0;
}

static bool descends_from(pid_t pid, pid_t init)
{
	for (int depth = 0; pid > 1 && depth < 10000; depth++) {
		if (pid == init)
			return true;
		pid = parent_of(pid);
	}
	return false;
}

/* Its session began outside: "NSsid: 4711 0" (proc(5)). */
static bool session_is_outer(pid_t pid)
{
	autofree char *path = str_printf("/proc/%d/status", pid);
	autobuf struct buf status = BUF_INIT;
	const char *line = path && file_read(AT_FDCWD, path, &status) == 0 ?
			   strstr(status.s, "\nNSsid:") : NULL;
	int outer, inner;

	return line && sscanf(line, " NSsid: %d %d", &outer, &inner) == 2 && inner == 0;
}

/* criu writes mount and network namespaces within a container, but none of these (criu.org, limits). */
static const char *inner_namespace(pid_t pid, pid_t init)
{
	static const char *const kinds[] = {"uts", "ipc", "pid", "user", "cgroup", "time"};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		autofree char *mine = str_printf("/proc/%d/ns/%s", pid, kinds[i]);
		autofree char *its = str_printf("/proc/%d/ns/%s", init, kinds[i]);
		struct stat a, b;

		if (mine && its && stat(mine, &a) == 0 && stat(its, &b) == 0 && a.st_ino != b.st_ino)
			return kinds[i];
	}
	return NULL;
}

static enum lxcore_verdict object_to(const struct subject *s, pid_t pid, struct error *found)
{
	pid_t init = s->running->state.init.pid;
	const char *kind;

	if (!descends_from(pid, init) || session_is_outer(pid)) {
		error_set(found, EBUSY, "process %d came from outside (lxc-attach), or its session "
			  "did", pid);
		error_mend(found, "wait until it has ended, or end it: kill %d\n"
			   "lxc-attach -n %s -- setsid COMMAND      (for what is to stay)", pid,
			   s->container->name);
		return LXCORE_WRONG;
	}
	kind = inner_namespace(pid, init);
	if (!kind)
		return LXCORE_FINE;
	error_set(found, ENOTSUP, "process %d has a namespace of its own within the container (%s), "
		  "which criu cannot write", pid, kind);
	error_mend(found, strcmp(kind, "uts") == 0 ?
		   "a service of systemd: ProtectHostname=no in its unit" :
		   strcmp(kind, "ipc") == 0 ? "a service of systemd: PrivateIPC=no in its unit" :
		   "end it: kill %d", pid);
	return LXCORE_WRONG;
}

/* The first of a cgroup's processes that speaks against it. */
static enum lxcore_verdict look_in(const struct subject *s, const char *cgroup, const char *inner,
				   struct error *found)
{
	enum lxcore_verdict verdict = LXCORE_FINE;
	autofree char *path = str_printf("%s%s%s/cgroup.procs", cgroup, inner ? "/" : "",
					 inner ? inner : "");
	autobuf struct buf pids = BUF_INIT;
	autostrv struct strv list = {0};

	if (!path || file_read(AT_FDCWD, path, &pids) < 0 || strv_split(&list, pids.s, "\n") < 0)
		return LXCORE_FINE;
	for (size_t i = 0; i < list.n && verdict == LXCORE_FINE; i++) {
		long long pid;

		if (str_to_i64(list.v[i], &pid) && pid > 0 && proc_state((pid_t)pid))
			verdict = object_to(s, (pid_t)pid, found);
	}
	return verdict;
}

static enum lxcore_verdict processes(const struct subject *s, struct error *found)
{
	enum lxcore_verdict verdict = LXCORE_WRONG;
	struct cgroup_running at;
	struct journal j;

	if (running_cgroups(s->running, &j, &at, found) == 0) {
		verdict = at.v2 ? look_in(s, at.v2, at.inner, found) : LXCORE_FINE;
		for (size_t i = 0; i < at.n_v1 && verdict == LXCORE_FINE; i++)
			verdict = look_in(s, at.v1[i], at.inner, found);
	}
	journal_close(&j);
	if (verdict == LXCORE_FINE)
		error_set(found, 0, "all of them are children of its init");
	return verdict;
}

/* ---- all of it ---- */

static const struct {
	const char *subject;
	question *ask;
	bool container; /* about it rather than about this host */
} questions[] = {
	{"caller", caller, false},       {"criu", version, false},    {"kernel", kernel, false},
	{"state", state, true},          {"namespaces", namespaces, true},
	{"network", network, true},      {"rootfs", rootfs, true},    {"filter", filter, true},
	{"processes", processes, true},
};

static int ask_all(const struct subject *s,
		   void (*say)(void *data, const struct lxcore_diagnosis *d), void *data)
{
	int wrong = 0;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		struct error found = {0};
		struct lxcore_diagnosis d = {.subject = questions[i].subject};

		if (questions[i].container && !s->running)
			continue;
		d.verdict = questions[i].ask(s, &found);
		d.found = found.text;
		d.mend = found.mend;
		wrong += d.verdict == LXCORE_WRONG;
		say(data, &d);
	}
	return wrong;
}

int lxcore_checkpoint_check(lxcore_container *c,
			    void (*say)(void *data, const struct lxcore_diagnosis *d), void *data,
			    lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct subject s = {.container = c};
	struct conf *conf = NULL;
	int wrong;

	if (c && running_find(c, &r, err) < 0)
		return -1;
	if (c && !(conf = container_running_conf(c, r.rundir, err)))
		return error_within(err, "%s", c->name);
	s.conf = conf;
	s.running = c ? &r : NULL;
	wrong = ask_all(&s, say, data);
	conf_free(conf);
	return wrong;
}

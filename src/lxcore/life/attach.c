/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running a command inside a container, without the help of its supervisor.
 *
 * Two steps, so that no process of the container ever sees one that still has something of the
 * host's (CVE-2016-8649).  An envoy is cloned into the container's v2 cgroup; it joins the v1
 * cgroups by writing itself into 'tasks' files that were opened before (no lock of the whole
 * machine is taken for that), enters all namespaces by one setns(2) on init's pidfd, takes on the
 * container's limits, and executes the airlock (parts/init_program.h).  That lets the command be
 * born in the container's pid namespace, as a child of ours.  What fails on the way comes back over
 * a socket that the command's exec closes.
 */
#include "base/error.h"
#include "life/attach.h"
#include "life/control.h"
#include "life/terminal.h"
#include "base/fd.h"
#include "parts/caps.h"
#include "parts/idmap.h"
#include "parts/init.h"
#include "parts/init_program.h"
#include "parts/limits.h"
#include "parts/uts.h"

#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static void attach_free(struct attach *a)
{
	running_close(&a->running);
	if (a->own_conf)
		conf_free(a->conf);
	journal_close(&a->journal);
	cgroup_attach_close(&a->cgroups);
	strv_free(&a->env);
	free(a->cwd);
	close_fd(&a->pidfd);
	close_fd(&a->airlock);
	close_fd(&a->sock[0]);
	close_fd(&a->sock[1]);
	close_fd(&a->log);
	seccomp_filter_free(a->filter);
}
#define autoattach __attribute__((cleanup(attach_free)))

/* ---- before the clone ---- */

static const struct {
	unsigned bit;
	unsigned long long flag;
	const char *file; /* in /proc/PID/ns */
} namespace_flags[] = {
	{LXCORE_NS_USER, CLONE_NEWUSER, "user"}, {LXCORE_NS_MNT, CLONE_NEWNS, "mnt"},
	{LXCORE_NS_PID, CLONE_NEWPID, "pid"},    {LXCORE_NS_UTS, CLONE_NEWUTS, "uts"},
	{LXCORE_NS_IPC, CLONE_NEWIPC, "ipc"},    {LXCORE_NS_NET, CLONE_NEWNET, "net"},
	{LXCORE_NS_CGROUP, CLONE_NEWCGROUP, "cgroup"}, {LXCORE_NS_TIME, CLONE_NEWTIME, "time"},
};

static bool shares(pid_t init, const char *file)
{
	char own[32], its[40];
	struct stat ours, theirs;

	snprintf(own, sizeof(own), "/proc/self/ns/%s", file);
	snprintf(its, sizeof(its), "/proc/%d/ns/%s", init, file);
	return stat(own, &ours) == 0 && stat(its, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static void choose_namespaces(struct attach *a)
{
	unsigned wanted = a->how->namespaces ? a->how->namespaces : LXCORE_NS_ALL;
	pid_t init = a->running.state.init.pid;

	/* Entering the user namespace that one is in already is refused (setns(2)), and to those
	 * who are not root of the whole host entering anything that is the host's. */
	for (size_t i = 0; i < ARRAY_SIZE(namespace_flags); i++)
		if (wanted & namespace_flags[i].bit && !shares(init, namespace_flags[i].file))
			a->flags |= namespace_flags[i].flag;
}

static void set_env(struct strv *env, const char *entry)
{
	size_t n = strcspn(entry, "=");

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], entry, n) == 0 && env->v[i][n] == '=') {
			strv_remove(env, i);
			break;
		}
	strv_add(env, entry);
}

static void make_environment(struct attach *a)
{
	autostrv struct strv of_init = {0};
	const struct lxcore_attach *how = a->how;

	if (how->clear_env)
		strv_add(&a->env, default_path);
	for (char **e = environ; !how->clear_env && *e; e++)
		strv_add(&a->env, *e);
	for (size_t i = 0; how->clear_env && how->keep_env && how->keep_env[i]; i++) {
		const char *value = getenv(how->keep_env[i]);
		autofree char *entry = value ? str_printf("%s=%s", how->keep_env[i], value) : NULL;

		if (entry)
			set_env(&a->env, entry);
	}
	init_environment(a->conf, &of_init);
	for (size_t i = 0; i < of_init.n; i++)
		set_env(&a->env, of_init.v[i]);
	for (size_t i = 0; how->set_env && how->set_env[i]; i++)
		set_env(&a->env, how->set_env[i]);
}

static int choose_persona(struct attach *a, struct error *err)
{
	const char *arch = a->how->arch;

	if (!arch) {
		a->persona = uts_personality_of(a->conf);
		return 0;
	}
	if (!uts_personality_parse(arch, &a->persona))
		return error_set(err, EINVAL, "\"%s\" is no architecture", arch);
	return 0;
}

static void choose_root(struct attach *a)
{
	const struct idmaps *maps = idmap_of(a->conf);
	unsigned long host;

	if (maps->n && !idmap_to_host(maps, 'u', 0, &host))
		init_ids(a->conf, &a->root_uid, &a->root_gid);
}

static int open_cgroups(struct attach *a, struct error *err)
{
	struct cgroup_running at;

	a->cgroups.v2 = -1;
	if (a->how->elevate & LXCORE_ELEVATE_CGROUP)
		return 0;
	if (!journal_load(&a->journal, a->running.rundir))
		return error_set(err, ENOENT, "its journal cannot be read");
	if (cgroup_of_running(&a->journal, &at, NULL) < 0)
		return 0;
	return cgroup_attach_open(&at, &a->cgroups, err);
}

static int gather(struct attach *a, struct error *err)
{
	struct lxcore_container *c = a->container;
	pid_t init;

	if (running_find(c, &a->running, err) < 0)
		return -1;
	init = a->running.state.init.pid;
	if (a->running.init_pidfd < 0)
		return error_set(err, EAGAIN, "its init does not run yet");
	if (cgroup_is_frozen_at(a->running.rundir)) {
		error_set(err, EBUSY, "cannot run a command in it: it is frozen");
		return error_mend(err, "lxc-unfreeze -n %s", c->name);
	}
	a->own_conf = !c->rcfile;
	a->conf = c->rcfile ? container_conf(c, err) :
			      container_running_conf(c, a->running.rundir, err);
	if (!a->conf || open_cgroups(a, err) < 0 || choose_persona(a, err) < 0)
		return -1;
	choose_namespaces(a);
	choose_root(a);
	make_environment(a);
	a->cwd = a->how->cwd ? strdup(a->how->cwd) : getcwd(NULL, 0);
	if (!(a->how->elevate & LXCORE_ELEVATE_CAP) && caps_of_process(init, &a->caps) < 0)
		return error_sys(err, "cannot read the capabilities of its init");
	if (!(a->how->elevate & LXCORE_ELEVATE_LSM) && seccomp_read(a->conf, &a->filter, err) < 0)
		return -1;
	if (a->how->pty_log) {
		a->log = open(a->how->pty_log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY,
			      0640);
		if (a->log < 0)
			return error_sys(err, "cannot write \"%s\"", a->how->pty_log);
	}
	a->airlock = program_copy_own_init(err);
	if (a->airlock < 0)
		return -1;
	if (fd_socketpair(a->sock) < 0 ||
	    setsockopt(a->sock[0], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) < 0)
		return error_sys(err, "cannot make a socket");
	return 0;
}

/* ---- around the clone ---- */

static long clone_into(struct attach *a, int cgroup)
{
	struct clone_args args = {
		.flags = CLONE_PIDFD | (cgroup >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uintptr_t)&a->pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup >= 0 ? (unsigned)cgroup : 0,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		close_fd(&a->sock[0]);
		be_envoy(a);
	}
	return pid;
}

struct leaf {
	struct attach *a;
	const struct cgroup_running *at;
};

static int make_leaf(void *data, struct error *err)
{
	struct leaf *leaf = data;

	return cgroup_attach_leaf(leaf->at, &leaf->a->cgroups, err);
}

/* The container's cgroup belongs to its root, whom an ordinary user can only be in a child. */
static int make_leaf_as_root(struct attach *a, const struct cgroup_running *at, struct error *err)
{
	struct leaf leaf = {a, at};

	return idmap_as_root(a->conf, make_leaf, &leaf, err) < 0 ? -1 : make_leaf(&leaf, err);
}

/* Born where we are, it waits for our word, and is put where it belongs meanwhile. */
static pid_t clone_by_manager(struct attach *a, const struct cgroup_running *at, struct error *err)
{
	long pid;

	if (cgroup_attach_needs_leaf(at) && make_leaf_as_root(a, at, err) < 0)
		return -1;
	pid = clone_into(a, -1);
	if (pid < 0)
		return error_sys(err, "cannot make a process");
	return cgroup_attach_by_manager(&a->cgroups, (pid_t)pid, err) < 0 ? -1 : (pid_t)pid;
}

static pid_t clone_envoy(struct attach *a, struct error *err)
{
	struct cgroup_running at;
	long pid = clone_into(a, a->cgroups.v2);
	bool elsewhere = pid < 0 && a->cgroups.v2 >= 0 && (errno == EBUSY || errno == EACCES) &&
			 cgroup_of_running(&a->journal, &at, NULL) == 0;

	if (elsewhere && errno == EACCES && geteuid() != 0)
		return clone_by_manager(a, &at, err);
	if (elsewhere && errno == EBUSY && cgroup_attach_leaf(&at, &a->cgroups, err) == 0)
		pid = clone_into(a, a->cgroups.v2);
	if (pid < 0)
		error_sys(err, "cannot make a process");
	return (pid_t)pid;
}

static int wait_for_word(const struct attach *a, struct error *err)
{
	int timeout = a->how->timeout > 0 ? a->how->timeout : 10;
	int ready = fd_wait(a->sock[0], timeout * 1000);

	if (ready < 0)
		return error_sys(err, "cannot hear from the new process");
	if (ready > 0)
		return 0;
	return error_set(err, ETIMEDOUT, "cannot run a command in it: it did not take the new process "
			 "within %d seconds", timeout);
}

/* The envoy's word; 1, 0 at the end, -1. */
static int hear(struct attach *a, struct attach_word *word, int *ret_master, struct error *err)
{
	size_t n = 1;
	ssize_t got;

	if (wait_for_word(a, err) < 0)
		return -1;
	got = fd_receive(a->sock[0], word, sizeof(*word), ret_master, &n);
	return got < 0 ? error_sys(err, "cannot hear from the new process") : got > 0;
}

/* The supervisor answers the calls of this filter too. */
static int hand_listener_on(struct attach *a, int *listener, struct error *err)
{
	const struct control_request rq = {.what = CONTROL_ADD_LISTENER, .fd = *listener,
					   .has_fd = true};
	autoclose int sock = control_ask(a->running.rundir, &rq, NULL, NULL, err);

	close_fd(listener);
	return sock < 0 ? error_within(err, "its system calls cannot be answered") : 0;
}

static int begin(struct attach *a, pid_t *ret_pid, int *ret_master, int *ret_status,
		 struct error *err)
{
	struct attach_word word;
	const int go = 1;
	int heard;

	*ret_pid = clone_envoy(a, err);
	close_fd(&a->sock[1]);
	if (*ret_pid < 0)
		return -1;
	if (limits_apply(a->conf, *ret_pid, err) < 0)
		return -1;
	fd_send(a->sock[0], &go, sizeof(go), NULL, 0);
	heard = hear(a, &word, ret_master, err);
	if (heard == 1 && word.what == WORD_LISTENER) {
		if (hand_listener_on(a, ret_master, err) < 0)
			return -1;
		heard = hear(a, &word, ret_master, err);
	}
	if (heard == 1 && word.what == WORD_READY)
		return 0;
	if (heard == 0)
		return error_set(err, ECHILD, "the new process ended before it could run the command");
	if (heard == 1 && word.what == WORD_NO_EXEC && ret_status)
		*ret_status = W_EXITCODE(word.error.code == ENOENT ? 127 : 126, 0);
	if (heard == 1 && err)
		*err = word.error;
	return -1;
}

/*
 * A word of the airlock and who said it, by the kernel's word: the command's process is the
 * container's already and may be made to say anything, but never in the name of the envoy, whose
 * pid means nothing there.  1, 0 at the end, -1.
 */
static int hear_airlock(struct attach *a, int *ret_word, pid_t *ret_from, struct error *err)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec part = {ret_word, sizeof(*ret_word)};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c;
	struct ucred from = {0};
	ssize_t got;

	if (wait_for_word(a, err) < 0)
		return -1;
	got = recvmsg(a->sock[0], &m, MSG_CMSG_CLOEXEC);
	if (got == 0)
		return 0;
	c = got == sizeof(*ret_word) ? CMSG_FIRSTHDR(&m) : NULL;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
		return error_set(err, EPROTO, "the new process talks nonsense");
	memcpy(&from, CMSG_DATA(c), sizeof(from));
	*ret_from = from.pid;
	return 1;
}

/* The command's process takes the envoy's place. */
static int meet_command(struct attach *a, pid_t *pid, struct error *err)
{
	pid_t from = 0;
	int word = 0, heard = hear_airlock(a, &word, &from, err);

	if (heard < 0)
		return -1;
	if (heard == 0 || from != *pid || word == 0)
		return error_set(err, ECHILD, "the new process ended before it could run the command");
	proc_reap(a->pidfd);
	close_fd(&a->pidfd);
	errno = -word;
	if (word < 0)
		return error_sys(err, "cannot make a process in its pid namespace");
	/* A child of ours: its pid stays its own until we have waited for it. */
	a->pidfd = (int)syscall(SYS_pidfd_open, word, 0);
	if (a->pidfd < 0)
		return error_sys(err, "cannot hold on to the new process");
	*pid = word;
	return 0;
}

/* Then comes the end of the socket, or minus the errno value with which the command's execve
 * failed. */
static int see_exec(struct attach *a, int *ret_status, struct error *err)
{
	pid_t from;
	int word = 0, heard = hear_airlock(a, &word, &from, err);

	if (heard <= 0)
		return heard;
	errno = word < 0 ? -word : EPROTO;
	if (ret_status)
		*ret_status = W_EXITCODE(errno == ENOENT ? 127 : 126, 0);
	return error_sys(err, "cannot execute \"%s\"", a->how->command ? a->how->command[0] :
			 "the login shell");
}

static int start_command(struct attach *a, pid_t *ret_pid, int *ret_master, int *ret_status,
			 struct error *err)
{
	if (gather(a, err) == 0 && begin(a, ret_pid, ret_master, ret_status, err) == 0 &&
	    meet_command(a, ret_pid, err) == 0 && see_exec(a, ret_status, err) == 0)
		return 0;
	if (a->pidfd >= 0) {
		proc_signal(a->pidfd, SIGKILL);
		proc_reap(a->pidfd);
	}
	close_fd(ret_master);
	/* That it does not run was said with its name. */
	return a->running.rundir < 0 ? -1 : error_within(err, "%s", a->container->name);
}

#define ATTACH_INIT(c, h) {.container = (c), .how = (h), .running = {.rundir = -1, .init_pidfd = -1}, \
	.journal = {.fd = -1}, .cgroups = {.v2 = -1}, .pidfd = -1, .airlock = -1, .sock = {-1, -1}, \
	.log = -1}

int lxcore_attach_nowait(lxcore_container *c, const struct lxcore_attach *how, pid_t *ret_pid,
			 lxcore_error *err)
{
	autoattach struct attach a = ATTACH_INIT(c, how);
	int master = -1;

	if (how->terminal)
		return error_set(err, EINVAL, "%s: a terminal needs someone who waits", c->name);
	return start_command(&a, ret_pid, &master, NULL, err);
}

int lxcore_attach(lxcore_container *c, const struct lxcore_attach *how, int *ret_status,
		  lxcore_error *err)
{
	autoattach struct attach a = ATTACH_INIT(c, how);
	autoclose int master = -1;
	int status = 0;
	pid_t pid;

	if (start_command(&a, &pid, &master, ret_status, err) < 0)
		return -1;
	if (master >= 0) {
		struct terminal_relay r = {
			.in = how->std_fds[0], .out = how->std_fds[1], .far = master, .end = a.pidfd,
			.escape = -1, .log = a.log,
		};

		terminal_relay(&r, NULL);
	}
	status = proc_reap(a.pidfd);
	if (status < 0) {
		error_sys(err, "cannot learn how the command ended");
		return error_within(err, "%s", c->name);
	}
	if (ret_status)
		*ret_status = status;
	return 0;
}

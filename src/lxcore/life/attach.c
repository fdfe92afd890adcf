/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Running a command inside a container, without the help of its supervisor.
 *
 * One clone: the caller enters the pid namespace for its children only, clones the new process into
 * the container's v2 cgroup, and comes back.  The new process joins the v1 cgroups by writing itself
 * into 'tasks' files that were opened before (no lock of the whole machine is taken for that), enters
 * all other namespaces by one setns(2) on init's pidfd, takes on the container's limits, and executes
 * the command.  What fails on the way comes back over a socket that the exec closes.
 */
#include "base/error.h"
#include "life/container.h"
#include "life/terminal.h"
#include "base/fd.h"
#include "parts/caps.h"
#include "parts/cgroup/cgroup.h"
#include "parts/idmap.h"
#include "parts/init.h"
#include "parts/label/label.h"
#include "parts/limits.h"
#include "parts/seccomp.h"
#include "parts/uts.h"

#include <grp.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>

static const char default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/* Everything that the new process needs, gathered before it is born. */
struct attach {
	struct lxcore_container *container;
	const struct lxcore_attach *how;
	struct running running;
	struct conf *conf;       /* of the running container, or the one given by lxcore_load */
	bool own_conf;
	struct journal journal;
	struct cgroup_attach cgroups;
	unsigned long long flags; /* CLONE_NEW*: to be entered */
	uint64_t caps;
	uid_t root_uid;          /* inside: 0, or what init runs as where 0 is not mapped */
	gid_t root_gid;
	char *cwd;
	struct strv env;
	unsigned long persona;
	int pidfd;               /* of the new process */
	int sock[2];             /* ours, its */
	int log;
	struct seccomp_filter *filter; /* NULL: none */
};

/* What the new process says before it executes the command. */
struct attach_word {
	enum { WORD_READY = 1, WORD_FAILED, WORD_NO_EXEC } what;
	struct error error;
};

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
} namespace_flags[] = {
	{LXCORE_NS_USER, CLONE_NEWUSER}, {LXCORE_NS_MNT, CLONE_NEWNS},
	{LXCORE_NS_PID, CLONE_NEWPID},   {LXCORE_NS_UTS, CLONE_NEWUTS},
	{LXCORE_NS_IPC, CLONE_NEWIPC},   {LXCORE_NS_NET, CLONE_NEWNET},
	{LXCORE_NS_CGROUP, CLONE_NEWCGROUP}, {LXCORE_NS_TIME, CLONE_NEWTIME},
};

/* Entering the user namespace that one is in already is refused (setns(2)). */
static bool shares_userns(pid_t init)
{
	char path[32];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/user", init);
	return stat("/proc/self/ns/user", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static void choose_namespaces(struct attach *a)
{
	unsigned wanted = a->how->namespaces ? a->how->namespaces : LXCORE_NS_ALL;

	if (shares_userns(a->running.state.init.pid))
		wanted &= ~(unsigned)LXCORE_NS_USER;
	for (size_t i = 0; i < ARRAY_SIZE(namespace_flags); i++)
		if (wanted & namespace_flags[i].bit)
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
	return fd_socketpair(a->sock) < 0 ? error_sys(err, "cannot make a socket") : 0;
}

/* ---- the new process ---- */

/* A fresh /proc and /sys for one that keeps the caller's mount namespace otherwise. */
static int remount_proc_sys(struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return error_sys(err, "cannot mount its own /proc and /sys");
	return 0;
}

/* A pty of the container's own devpts; the path is the container's, so what is there is verified. */
static int open_terminal(int *ret_master, struct error *err)
{
	struct open_how how = {.flags = O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK,
			       .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	autoclose int master = (int)syscall(SYS_openat2, AT_FDCWD, "/dev/pts/ptmx", &how, sizeof(how));
	struct statfs fs;
	struct stat st;
	int unlock = 0, slave;

	if (master < 0 || fstatfs(master, &fs) < 0 || fs.f_type != DEVPTS_SUPER_MAGIC ||
	    fstat(master, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(5, 2)) {
		close_fd(&master);
		/* It has none of its own: one of the host's serves as well. */
		master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	}
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return error_sys(err, "cannot make a terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_sys(err, "cannot open a terminal");
	*ret_master = steal_fd(&master);
	return slave;
}

static int enter_namespaces(const struct attach *a, struct error *err)
{
	int flags = (int)(a->flags & ~(unsigned long long)CLONE_NEWPID);

	if (cgroup_attach_enter(&a->cgroups, err) < 0)
		return -1;
	/* While /proc is still the host's. */
	if (!(a->how->elevate & LXCORE_ELEVATE_LSM) &&
	    label_attach(a->conf, a->running.state.init.pid, a->how->context, err) < 0)
		return -1;
	if (flags && setns(a->running.init_pidfd, flags) < 0)
		return error_sys(err, "cannot enter its namespaces");
	if (a->how->remount_sys_proc && !(a->flags & CLONE_NEWNS) && remount_proc_sys(err) < 0)
		return -1;
	if (!a->cwd || chdir(a->cwd) < 0)
		if (chdir("/") < 0)
			return error_sys(err, "cannot go to its root directory");
	return 0;
}

static int become_user(const struct attach *a, struct error *err)
{
	uid_t uid = a->how->uid;
	gid_t gid = a->how->gid;

	if (uid == (uid_t)-1)
		uid = a->root_uid;
	if (gid == (gid_t)-1)
		gid = a->root_gid;
	if (setgroups(0, NULL) < 0 && errno != EPERM)
		return error_sys(err, "cannot drop its groups");
	if (setresgid(gid, gid, gid) < 0)
		return error_sys(err, "cannot become group %u", gid);
	if (setresuid(uid, uid, uid) < 0)
		return error_sys(err, "cannot become user %u", uid);
	return 0;
}

static int take_limits(const struct attach *a, struct error *err)
{
	unsigned elevate = a->how->elevate;

	if (a->persona != UTS_PERSONALITY_UNCHANGED && personality(a->persona) < 0)
		return error_sys(err, "cannot set its personality");
	if (!(elevate & LXCORE_ELEVATE_CAP) && caps_limit_to(a->caps, err) < 0)
		return -1;
	if (seccomp_wants_no_new_privs(a->conf) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, "cannot set no_new_privs");
	if (seccomp_install(a->filter, err) < 0)
		return -1;
	return become_user(a, err);
}

/* The shell that the container's own /etc/passwd has for a user; read by us, not by a library. */
static void find_shell(uid_t uid, char shell[256])
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	strcpy(shell, "/bin/sh");
	if (file_read(AT_FDCWD, "/etc/passwd", &text) < 0 || strv_split(&lines, text.s, "\n") < 0)
		return;
	for (size_t i = 0; i < lines.n; i++) {
		char found[256];
		unsigned id;

		if (sscanf(lines.v[i], "%*[^:]:%*[^:]:%u:%*u:%*[^:]:%*[^:]:%255s", &id, found) == 2 &&
		    id == uid) {
			strcpy(shell, found);
			return;
		}
	}
}

static _Noreturn void execute(const struct attach *a, int slave, struct attach_word *word)
{
	char shell[256];
	char *login[] = {shell, NULL};
	char *const *argv = (char *const *)a->how->command;
	sigset_t none;

	if (!argv) {
		find_shell(getuid(), shell);
		argv = login;
	}
	for (int i = 0; i < 3; i++)
		dup2(slave >= 0 ? slave : a->how->std_fds[i], i);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	environ = a->env.v;
	if (argv == login && access(shell, X_OK) < 0)
		strcpy(shell, "/bin/sh");
	execvp(argv[0], argv);
	word->what = WORD_NO_EXEC;
	error_sys(&word->error, "cannot execute \"%s\"", argv[0]);
	fd_send(a->sock[1], word, sizeof(*word), NULL, 0);
	_exit(127);
}

static _Noreturn void be_attached(struct attach *a)
{
	struct attach_word word = {.what = WORD_FAILED};
	int master = -1, slave = -1, go;
	/* Descriptors 0 to 2 may be named by std_fds in any order: move them out of the way. */
	struct lxcore_attach how = *a->how;

	for (int i = 0; i < 3; i++)
		how.std_fds[i] = how.std_fds[i] >= 0 ? fcntl(how.std_fds[i], F_DUPFD_CLOEXEC, 3) : -1;
	a->how = &how;
	/* Not to be traced or looked into by the container while it is not yet one of its own. */
	prctl(PR_SET_DUMPABLE, 0);
	if (fd_receive(a->sock[1], &go, sizeof(go), NULL, NULL) != sizeof(go))
		_exit(1);
	if (enter_namespaces(a, &word.error) == 0 &&
	    (!how.terminal || (slave = open_terminal(&master, &word.error)) >= 0)) {
		if (how.terminal) {
			setsid();
			ioctl(slave, TIOCSCTTY, 0);
			/* Before the command can ask for it. */
			terminal_copy_size(how.std_fds[0], slave);
			fchown(slave, how.uid == (uid_t)-1 ? 0 : how.uid, (gid_t)-1);
		}
		if (take_limits(a, &word.error) == 0) {
			word.what = WORD_READY;
			if (fd_send(a->sock[1], &word, sizeof(word.what), &master, master >= 0) < 0)
				_exit(1);
			close_fd(&master);
			execute(a, slave, &word);
		}
	}
	fd_send(a->sock[1], &word, sizeof(word), NULL, 0);
	_exit(1);
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
		be_attached(a);
	}
	return pid;
}

static pid_t clone_attached(struct attach *a, struct error *err)
{
	autoclose int own = -1;
	struct cgroup_running at;
	long pid;

	if (a->flags & CLONE_NEWPID) {
		own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
		if (own < 0 || setns(a->running.init_pidfd, CLONE_NEWPID) < 0)
			return error_sys(err, "cannot enter its pid namespace");
	}
	pid = clone_into(a, a->cgroups.v2);
	if (pid < 0 && errno == EBUSY && cgroup_of_running(&a->journal, &at, NULL) == 0 &&
	    cgroup_attach_leaf(&at, &a->cgroups, err) == 0)
		pid = clone_into(a, a->cgroups.v2);
	if (pid < 0)
		error_sys(err, "cannot make a process in it");
	if (own >= 0)
		setns(own, CLONE_NEWPID);
	return (pid_t)pid;
}

/* The next word; 1, 0 at the end (the command runs), -1. */
static int hear(struct attach *a, struct attach_word *word, int *ret_master, struct error *err)
{
	int timeout = a->how->timeout > 0 ? a->how->timeout : 10;
	int ready = fd_wait(a->sock[0], timeout * 1000);
	size_t n = 1;
	ssize_t got;

	if (ready == 0) {
		proc_signal(a->pidfd, SIGKILL);
		return error_set(err, ETIMEDOUT, "cannot run a command in it: it did not take the "
				 "new process within %d seconds", timeout);
	}
	got = fd_receive(a->sock[0], word, sizeof(*word), ret_master, &n);
	return got < 0 ? error_sys(err, "cannot hear from the new process") : got > 0;
}

static int begin(struct attach *a, pid_t *ret_pid, int *ret_master, struct error *err)
{
	struct attach_word word;
	const int go = 1;
	int heard;

	*ret_pid = clone_attached(a, err);
	close_fd(&a->sock[1]);
	if (*ret_pid < 0)
		return -1;
	if (limits_apply(a->conf, *ret_pid, err) < 0)
		return -1;
	fd_send(a->sock[0], &go, sizeof(go), NULL, 0);
	heard = hear(a, &word, ret_master, err);
	if (heard == 1 && word.what == WORD_READY)
		return 0;
	if (heard == 0)
		return error_set(err, ECHILD, "the new process ended before it could run the command");
	if (heard == 1 && err)
		*err = word.error;
	return -1;
}

/* After 'ready' comes the end of the socket, or the word that the command could not be executed. */
static int see_exec(struct attach *a, int *ret_status, struct error *err)
{
	struct attach_word word;
	int none = -1, heard = hear(a, &word, &none, err);

	if (heard <= 0)
		return heard;
	if (ret_status)
		*ret_status = W_EXITCODE(word.error.code == ENOENT ? 127 : 126, 0);
	if (err)
		*err = word.error;
	return -1;
}

static int start_command(struct attach *a, pid_t *ret_pid, int *ret_master, int *ret_status,
			 struct error *err)
{
	if (gather(a, err) == 0 && begin(a, ret_pid, ret_master, err) == 0 &&
	    see_exec(a, ret_status, err) == 0)
		return 0;
	if (a->pidfd >= 0) {
		proc_signal(a->pidfd, SIGKILL);
		proc_reap(a->pidfd);
	}
	close_fd(ret_master);
	return err && err->code == ESRCH ? -1 : error_within(err, "%s", a->container->name);
}

#define ATTACH_INIT(c, h) {.container = (c), .how = (h), .running = {.rundir = -1, .init_pidfd = -1}, \
	.journal = {.fd = -1}, .cgroups = {.v2 = -1}, .pidfd = -1, .sock = {-1, -1}, .log = -1}

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

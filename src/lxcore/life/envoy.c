/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The envoy: the process of ours that goes into a container to run a command there (attach.c).  It
 * enters, takes on what the container's own processes have, and is seen by none of them: it stays in
 * our pid namespace until it is the airlock.
 */
#include "base/error.h"
#include "life/attach.h"
#include "life/terminal.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "parts/caps.h"
#include "parts/init_program.h"
#include "parts/label/label.h"
#include "parts/uts.h"

#include <grp.h>
#include <linux/magic.h>
#include <linux/openat2.h>
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

#define MOST_PASSWD (1 << 20)
#define MOUNT_MS 15000 /* for a procfs to be there */


/* As descriptors: mount(2) refuses what is mounted there already, as the same /sys may well be. */
static int mount_afresh(const char *fstype, const char *place, struct error *err)
{
	autofree char *source = str_printf("source=%s", fstype);
	const char *const options[] = {source, NULL};
	autoclose int tree = source ? mount_new(fstype, options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						MOUNT_ATTR_NOEXEC, err)
				    : error_set(err, ENOMEM, "out of memory");

	if (tree < 0 || mount_place(tree, AT_FDCWD, place, NULL) == 0)
		return tree < 0 ? -1 : 0;
	return error_sys(err, "cannot mount it");
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/*
 * A procfs shows the pid namespace of the process that makes it.  Ours are not to be seen in there, so
 * that is the airlock's sibling; the airlock says its pid, it says what became of the mount.
 */
static int mount_their_proc(const struct attach *a, struct error *err)
{
	static char type[] = "proc";
	char *const argv[] = {type, NULL}, *const none[] = {NULL};
	autoclose int ours = -1, theirs = -1;
	pid_t airlock, sibling = 0;
	int word, made = -EIO, sock[2];

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	ours = sock[0];
	theirs = sock[1];
	airlock = fork();
	if (airlock == 0) {
		proc_exec_through(a->airlock, "cp", theirs, "/proc", argv, none);
		_exit(1);
	}
	close_fd(&theirs);
	if (airlock < 0)
		return error_sys(err, "cannot make a process");
	for (int i = 0; i < 2 && fd_wait(ours, MOUNT_MS) > 0 &&
	     fd_receive(ours, &word, sizeof(word), NULL, NULL) == sizeof(word); i++)
		*(word > 0 ? &sibling : &made) = word;
	/* They have nothing more to do, and root in there may have stopped them. */
	end(airlock);
	if (sibling > 0)
		end(sibling);
	errno = -made;
	return made == 0 ? 0 : error_sys(err, "cannot mount it");
}

/* A fresh /proc and /sys for one that keeps the caller's mount namespace otherwise. */
static int remount_proc_sys(const struct attach *a, struct error *err)
{
	int done;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_sys(err, "cannot make a mount namespace for its own /proc and /sys");
	done = a->flags & CLONE_NEWPID ? mount_their_proc(a, err) : mount_afresh("proc", "/proc", err);
	if (done < 0)
		return error_within(err, "/proc of its own");
	if (mount_afresh("sysfs", "/sys", err) < 0)
		return error_within(err, "/sys of its own");
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

/*
 * The names on the way are the container's: one of them may lead to a descriptor that is open here,
 * and from there to the host (CVE-2024-21626).
 */
static int enter_directory(const struct attach *a, struct error *err)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int dir = root >= 0 && a->cwd ? path_open_in(root, a->cwd, O_PATH | O_DIRECTORY, 0)
						 : -1;

	if (root < 0 || ((dir < 0 || fchdir(dir) < 0) && fchdir(root) < 0))
		return error_sys(err, "cannot go to its root directory");
	return 0;
}

static int enter_namespaces(const struct attach *a, struct error *err)
{
	int flags = (int)a->flags;

	if (cgroup_attach_enter(&a->cgroups, err) < 0)
		return -1;
	/* While /proc is still the host's. */
	if (!(a->how->elevate & LXCORE_ELEVATE_LSM) &&
	    label_attach(a->conf, a->running.state.init.pid, a->how->context, err) < 0)
		return -1;
	if (flags && setns(a->running.init_pidfd, flags) < 0) {
		error_sys(err, "cannot enter its namespaces");
		return errno == EPERM && geteuid() != 0 && !(flags & CLONE_NEWUSER) ?
			error_mend(err, "-s 'USER|...'      (an ordinary user may enter the others "
				   "from its user namespace)") : -1;
	}
	if (a->how->remount_sys_proc && !(a->flags & CLONE_NEWNS) && remount_proc_sys(a, err) < 0)
		return -1;
	return enter_directory(a, err);
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
	const struct attach_word word = {.what = WORD_LISTENER};
	unsigned elevate = a->how->elevate;
	int listener = -1;

	if (a->persona != UTS_PERSONALITY_UNCHANGED && personality(a->persona) < 0)
		return error_sys(err, "cannot set its personality");
	if (!(elevate & LXCORE_ELEVATE_CAP) && caps_limit_to(a->caps, err) < 0)
		return -1;
	if (seccomp_wants_no_new_privs(a->conf) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_sys(err, "cannot set no_new_privs");
	if (seccomp_install(a->filter, &listener, err) < 0)
		return -1;
	if (listener >= 0 && fd_send(a->sock[1], &word, sizeof(word.what), &listener, 1) < 0)
		return error_sys(err, "cannot hand the listener of its filter over");
	close_fd(&listener);
	return become_user(a, err);
}

/* The shell that the container's own /etc/passwd has for a user; read by us, not by a library. */
static void find_shell(uid_t uid, char shell[256])
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int file = path_open_in(root, "etc/passwd", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	strcpy(shell, "/bin/sh");
	if (file < 0 || fd_read_all(file, &text, MOST_PASSWD) < 0 ||
	    strv_split(&lines, text.s ? text.s : "", "\n") < 0)
		return;
	for (size_t i = 0; i < lines.n; i++) {
		char found[256];
		unsigned id;

		if (sscanf(lines.v[i], "%*[^:]:%*[^:]:%u:%*u:%*[^:]:%*[^:]:%255s", &id, found) == 2 &&
		    id == uid) {
			strcpy(shell, found);
			break;
		}
	}
	if (access(shell, X_OK) < 0)
		strcpy(shell, "/bin/sh");
}

static void no_exec(struct attach_word *word, const char *command, int code)
{
	word->what = WORD_NO_EXEC;
	errno = code;
	error_sys(&word->error, "cannot execute \"%s\"", command);
}

/* As the airlock: 0, 1, 2 are the command's, nothing else stays open. */
static void execute(const struct attach *a, char *const *argv, const char *program, int slave,
		    struct attach_word *word)
{
	sigset_t none;

	for (int i = 0; i < 3; i++)
		dup2(slave >= 0 ? slave : a->how->std_fds[i], i);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	proc_exec_through(a->airlock, slave >= 0 ? "cst" : "cs", a->sock[1], program, argv, a->env.v);
	no_exec(word, argv[0], errno);
}

static void run_command(const struct attach *a, int master, int slave, struct attach_word *word)
{
	char shell[256];
	char *login[] = {shell, NULL};
	char *const *argv = (char *const *)a->how->command;
	autofree char *program = NULL;

	if (!argv) {
		find_shell(getuid(), shell);
		argv = login;
	}
	program = program_find(argv[0], &a->env, &word->error);
	if (!program) {
		no_exec(word, argv[0], word->error.code);
		return;
	}
	word->what = WORD_READY;
	if (fd_send(a->sock[1], word, sizeof(word->what), &master, master >= 0) < 0)
		_exit(1);
	execute(a, argv, program, slave, word);
}

_Noreturn void be_envoy(struct attach *a)
{
	struct attach_word word = {.what = WORD_FAILED};
	int master = -1, slave = -1, go;
	/* Descriptors 0 to 2 may be named by std_fds in any order: move them out of the way. */
	struct lxcore_attach how = *a->how;

	for (int i = 0; i < 3; i++)
		how.std_fds[i] = how.std_fds[i] >= 0 ? fcntl(how.std_fds[i], F_DUPFD_CLOEXEC, 4) : -1;
	a->how = &how;
	prctl(PR_SET_DUMPABLE, 0);
	if (fd_receive(a->sock[1], &go, sizeof(go), NULL, NULL) != sizeof(go))
		_exit(1);
	if (enter_namespaces(a, &word.error) == 0 &&
	    (!how.terminal || (slave = open_terminal(&master, &word.error)) >= 0)) {
		if (how.terminal) {
			/* Before the command can ask for it. */
			terminal_copy_size(how.std_fds[0], slave);
			fchown(slave, how.uid == (uid_t)-1 ? 0 : how.uid, (gid_t)-1);
		}
		if (take_limits(a, &word.error) == 0)
			run_command(a, master, slave, &word);
	}
	fd_send(a->sock[1], &word, sizeof(word), NULL, 0);
	_exit(1);
}

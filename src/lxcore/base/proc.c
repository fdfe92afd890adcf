/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes: identity that survives pid reuse, pidfds, and children with a time limit. */
#include "proc.h"
#include "fd.h"
#include "mount.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif
#define OUTPUT_LIMIT 65536
#define END_LIMIT 4096

/* What follows the command's name in /proc/PID/stat; NULL when the process is gone. */
static const char *read_stat(pid_t pid, char stat[1024])
{
	char path[32], *at;
	autoclose int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, stat, 1023);
	if (n <= 0)
		return NULL;
	stat[n] = '\0';
	/* The second field, the command's name in parentheses, may itself contain anything. */
	at = strrchr(stat, ')');
	return at && at[1] == ' ' ? at + 2 : NULL;
}

unsigned long long proc_start_time(pid_t pid)
{
	unsigned long long start = 0;
	char stat[1024];
	const char *at = read_stat(pid, stat);

	if (!at || sscanf(at, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d"
			      " %*d %llu", &start) != 1)
		return 0;
	return start;
}

char proc_state(pid_t pid)
{
	char stat[1024];
	const char *at = read_stat(pid, stat);

	return at ? *at : 0;
}

int proc_open(struct proc_id id)
{
	unsigned long long start;
	autoclose int fd = -1;

	if (id.pid <= 0) {
		errno = ESRCH;
		return -1;
	}
	fd = (int)syscall(SYS_pidfd_open, id.pid, 0);
	if (fd < 0)
		return -1;
	/* The pidfd pins whoever has the pid now; it is the right one if the start time agrees. */
	errno = 0;
	start = proc_start_time(id.pid);
	if (start != id.start) {
		/* One that could not be looked at is not gone for that. */
		if (start || (errno != EMFILE && errno != ENFILE))
			errno = ESRCH;
		return -1;
	}
	return steal_fd(&fd);
}

int proc_wait_end(int pidfd, int timeout_ms)
{
	return fd_wait(pidfd, timeout_ms);
}

int proc_signal(int pidfd, int signal)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int proc_reap(int pidfd)
{
	siginfo_t info = {0};
	int n;

	do
		n = waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | __WALL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (info.si_code == CLD_EXITED)
		return W_EXITCODE(info.si_status, 0);
	return info.si_code == CLD_DUMPED ? info.si_status | 0x80 : info.si_status;
}

#define REPORT_FD 3 /* as the airlock knows it */

/*
 * Where files have SELinux contexts the airlock gets that of the program: what the domain may begin
 * with is then decided by the program's own.
 */
static void label_as(int airlock, const char *path)
{
	char context[512];
	ssize_t n = getxattr(path, "security.selinux", context, sizeof(context));

	if (n > 0)
		fsetxattr(airlock, "security.selinux", context, (size_t)n, 0);
}

int proc_exec_through(int airlock, const char *flags, int report, const char *path,
		      char *const *argv, char *const *env)
{
	const char *head[] = {"airlock", flags, path};
	size_t n = 0;

	while (argv[n])
		n++;
	const char *all[ARRAY_SIZE(head) + n + 1];

	memcpy(all, head, sizeof(head));
	memcpy(all + ARRAY_SIZE(head), argv, (n + 1) * sizeof(*argv));
	if (airlock == REPORT_FD && (airlock = fcntl(airlock, F_DUPFD_CLOEXEC, REPORT_FD + 1)) < 0)
		return -1;
	if (report != REPORT_FD && dup2(report, REPORT_FD) < 0)
		return -1;
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0 ||
	    fcntl(REPORT_FD, F_SETFD, 0) < 0)
		return -1;
	label_as(airlock, path);
	return (int)syscall(SYS_execveat, airlock, "", all, env, AT_EMPTY_PATH);
}

/* The place is looked up in the new namespace: a descriptor of before would be of the old one. */
static int make_mounts_private(const struct proc_run *run)
{
	autoclose int at = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return -1;
	if (!run->mount)
		return 0;
	at = open(run->mount_at, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 ? -1 : mount_place(run->mount, at, "", NULL);
}

/* The number may be that of the descriptor by which we tell of a failure. */
static int give(const struct proc_run *run, int *report)
{
	if (*report == run->give_as &&
	    (*report = fcntl(*report, F_DUPFD_CLOEXEC, run->give_as + 1)) < 0)
		return -1;
	if (run->give_fd == run->give_as)
		return fcntl(run->give_fd, F_SETFD, 0);
	return dup2(run->give_fd, run->give_as);
}

static _Noreturn void run_child(const struct proc_run *run, int input, int output, int report)
{
	sigset_t none;
	int code;

	/* A caller's blocked or ignored signals must not reach the program. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (run->umask)
		umask((mode_t)run->umask);
	if (run->dies_with_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (run->private_mounts && make_mounts_private(run) < 0)
		goto failed;
	if (!run->own_input)
		dup2(input, 0);
	if (output >= 0) {
		if (!run->own_output)
			dup2(output, 1);
		dup2(output, 2);
	}
	if (run->keep_fd > 2)
		fcntl(run->keep_fd, F_SETFD, 0);
	if (run->give_fd && give(run, &report) < 0)
		goto failed;
	for (size_t i = 0; run->set_env && i < run->set_env->n; i++)
		putenv(run->set_env->v[i]);
	if (run->airlock)
		proc_exec_through(run->airlock, "-", report, run->argv[0], (char *const *)run->argv,
				  run->env ? (char *const *)run->env : environ);
	else if (run->program)
		syscall(SYS_execveat, run->program, "", run->argv,
			run->env ? run->env : (const char *const *)environ, AT_EMPTY_PATH);
	else if (run->env)
		execvpe(run->argv[0], (char *const *)run->argv, (char *const *)run->env);
	else
		execvp(run->argv[0], (char *const *)run->argv);
failed:
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int proc_copy_program(const char *path, struct error *err)
{
	autoclose int from = open(path, O_RDONLY | O_CLOEXEC), copy = -1;
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0)
		return error_sys(err, "cannot open \"%s\"", path);
	/* Linux 6.3 wants to be told that it will be executed; older ones do not know the flag. */
	copy = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (copy < 0 && errno == EINVAL)
		copy = (int)syscall(SYS_memfd_create, name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return error_sys(err, "cannot make a copy of \"%s\" in memory", path);
	for (off_t done = 0; done < st.st_size;) {
		ssize_t n = sendfile(copy, from, NULL, (size_t)(st.st_size - done));

		if (n <= 0)
			return error_sys(err, "cannot copy \"%s\" into memory", path);
		done += n;
	}
	if (fcntl(copy, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_sys(err, "cannot seal the copy of \"%s\"", path);
	return steal_fd(&copy);
}

static int temporary_input(const char *text)
{
	autoclose int fd = -1;

	if (!text)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = (int)syscall(SYS_memfd_create, "input", MFD_CLOEXEC);
	if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return steal_fd(&fd);
}

/* Forget the beginning of what is more than END_LIMIT, up to the end of a line. */
static void keep_end(struct buf *output)
{
	char *from = output->s + output->len - END_LIMIT, *line;

	if (output->len <= END_LIMIT)
		return;
	line = strchr(from, '\n');
	from = line ? line + 1 : from;
	output->len -= (size_t)(from - output->s);
	memmove(output->s, from, output->len + 1);
}

static bool drain_some(int fd, const struct proc_run *run, struct buf *output)
{
	char chunk[4096];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n <= 0)
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	if (run->own_output)
		fd_write_all(STDERR_FILENO, chunk, (size_t)n);
	if (output && (run->keep_end || output->len < OUTPUT_LIMIT))
		buf_add(output, chunk, (size_t)n);
	if (output && run->keep_end && !output->failed)
		keep_end(output);
	return true;
}

/*
 * Collect output, and talk, until the child ends; what it said before that is still heard.  A
 * grandchild that keeps the pipe open is not waited for.
 */
static int watch_child(int pidfd, int out, const struct proc_run *run, struct buf *output)
{
	long long end = clock_ms() + run->timeout_ms;
	struct pollfd p[3] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = out, .events = POLLIN},
		{.fd = run->talk_fd ? run->talk_fd : -1, .events = POLLIN},
	};

	for (;;) {
		long long left = run->timeout_ms ? end - clock_ms() : -1;
		int n = poll(p, 3, (int)(run->timeout_ms && left < 0 ? 0 : left));

		if (n < 0 && errno != EINTR)
			return -1;
		if (n == 0 || (run->timeout_ms && left <= 0))
			return 0;
		if (n > 0 && p[2].revents && !run->talk(run->talk_fd, run->talk_data))
			p[2].fd = -1;
		if (n > 0 && p[1].revents && !drain_some(out, run, output))
			p[1].fd = -1;
		if (n > 0 && p[0].revents && !((p[1].revents | p[2].revents) & POLLIN))
			return 1;
	}
}

char *proc_find_program(const char *name)
{
	const char *path = getenv("PATH");
	autofree char *places = str_printf("%s:/usr/local/sbin:/usr/sbin:/sbin",
					   path ? path : "/usr/bin:/bin");
	char *rest = places, *dir;

	while (rest && (dir = strsep(&rest, ":"))) {
		autofree char *file = *dir == '/' ? str_printf("%s/%s", dir, name) : NULL;
		struct stat st;

		if (file && stat(file, &st) == 0 && S_ISREG(st.st_mode) && access(file, X_OK) == 0)
			return steal_ptr(&file);
	}
	return NULL;
}

int proc_run(const struct proc_run *run, struct buf *output, struct error *err)
{
	int out[2] = {-1, -1}, report[2] = {-1, -1}, code = 0, done;
	autoclose int input = temporary_input(run->input);
	autoclose int pidfd = -1;
	pid_t pid;

	if (input < 0 || pipe2(report, O_CLOEXEC) < 0)
		return error_sys(err, "cannot run %s", run->argv[0]);
	if ((!run->own_output || run->keep_end) && pipe2(out, O_CLOEXEC) < 0) {
		close(report[0]);
		close(report[1]);
		return error_sys(err, "cannot run %s", run->argv[0]);
	}
	pid = fork();
	if (pid == 0)
		run_child(run, input, out[1], report[1]);
	close(report[1]);
	close_fd(&out[1]);
	if (pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pid < 0 || pidfd < 0) {
		close(report[0]);
		close_fd(&out[0]);
		return error_sys(err, "cannot run %s", run->argv[0]);
	}
	if (read(report[0], &code, sizeof(code)) != sizeof(code))
		code = 0;
	code = abs(code); /* the airlock's has a minus */
	close(report[0]);
	done = code ? 1 : watch_child(pidfd, out[0], run, output);
	close_fd(&out[0]);
	if (done != 1)
		proc_signal(pidfd, SIGKILL);
	int status = proc_reap(pidfd);

	if (code) {
		errno = code;
		return error_sys(err, "cannot run %s", run->argv[0]);
	}
	if (done != 1)
		return error_set(err, ETIMEDOUT, "%s did not end within %d seconds and was killed",
				 run->argv[0], run->timeout_ms / 1000);
	return status;
}

const char *proc_status_text(int status, char text[64])
{
	if (WIFSIGNALED(status))
		snprintf(text, 64, "killed by signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, 64, "exit status %d", WEXITSTATUS(status));
	return text;
}

/* ---- a function of our own in a child ---- */

static _Noreturn void call_and_tell(int (*function)(void *data, struct error *err), void *data,
				    int sock)
{
	struct error err = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (function(data, &err) < 0 && err.code == 0)
		error_set(&err, ECHILD, "cannot go on");
	fd_send(sock, &err, sizeof(err), NULL, 0);
	_exit(0);
}

int proc_call(int (*function)(void *data, struct error *err), void *data, struct error *err)
{
	return proc_call_within(-1, function, data, err);
}

int proc_call_within(int timeout_ms, int (*function)(void *data, struct error *err), void *data,
		     struct error *err)
{
	struct error answer = {0};
	int sock[2], heard;
	ssize_t n;
	pid_t pid;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket");
	pid = fork();
	if (pid == 0)
		call_and_tell(function, data, sock[1]);
	close(sock[1]);
	heard = pid < 0 ? -1 : fd_wait(sock[0], timeout_ms);
	n = heard != 1 ? -1 : fd_receive(sock[0], &answer, sizeof(answer), NULL, NULL);
	close(sock[0]);
	if (pid < 0)
		return error_sys(err, "cannot make a process");
	if (heard == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (heard == 0)
		return error_set(err, ETIMEDOUT, "it took more than %d seconds", timeout_ms / 1000);
	if (n != sizeof(answer))
		return error_set(err, ECHILD, "the process that was at it was killed");
	if (answer.code && err)
		*err = answer;
	return answer.code ? -1 : 0;
}

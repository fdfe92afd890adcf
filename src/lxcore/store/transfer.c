/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-transfer, the program that knows archives: started, asked, ended.  See transfer.h. */
#include "base/error.h"
#include "store/transfer.h"
#include "base/fd.h"
#include "base/proc.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#define PROGRAM LXCORE_LIBEXECDIR "/lxc-transfer"

static _Noreturn void become(int socket, int null, int report, char *const argv[])
{
	sigset_t none;
	int code;

	/* A caller's blocked or ignored signals must not reach the program. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fcntl(report, F_DUPFD_CLOEXEC, 10) >= 0 && dup2(null, 0) >= 0 && dup2(null, 1) >= 0 &&
	    dup2(socket, WIRE_FD) >= 0)
		execv(argv[0], argv);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

static int spawn(struct transfer *t, int theirs, const char *way, struct error *err)
{
	char *argv[] = {(char[]){PROGRAM}, (char *)(uintptr_t)way, NULL};
	autoclose int null = open("/dev/null", O_RDWR | O_CLOEXEC), out = -1;
	int report[2], code = 0;
	pid_t pid;

	if (null < 0 || pipe2(report, O_CLOEXEC) < 0)
		return error_sys(err, "cannot run " PROGRAM);
	/* Clear of the numbers that it gets as its own. */
	out = fcntl(report[1], F_DUPFD_CLOEXEC, 10);
	close(report[1]);
	pid = fork();
	if (pid == 0)
		become(theirs, null, out, argv);
	close_fd(&out);
	if (pid > 0)
		t->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (read(report[0], &code, sizeof(code)) != sizeof(code))
		code = 0;
	close(report[0]);
	if (pid < 0 || t->pidfd < 0 || code) {
		errno = code ? code : errno;
		error_sys(err, "cannot run " PROGRAM);
		return error_mend(err, "install lxcore anew: it belongs to it");
	}
	return 0;
}

int transfer_start(struct transfer *t, const char *way, struct error *err)
{
	int pair[2], result;

	t->began_us = clock_us();
	if (fd_socketpair(pair) < 0)
		return error_sys(err, "cannot make a socket");
	t->socket = pair[0];
	result = spawn(t, pair[1], way, err);
	close(pair[1]);
	return result;
}

/* What comes from there is not trusted to be text. */
static int take_error(struct wire *message, struct error *err)
{
	struct error *e = &message->error;

	e->text[sizeof(e->text) - 1] = e->mend[sizeof(e->mend) - 1] = '\0';
	error_set(err, e->code ? e->code : EIO, "%s", e->text);
	return *e->mend ? error_mend(err, "%s", e->mend) : -1;
}

static int tell_progress(struct transfer *t, const struct wire_count *count, struct error *err)
{
	const struct lxcore_progress p = {
		.bytes = count->bytes, .total_bytes = t->total_bytes,
		.files = count->files, .total_files = t->total_files,
		.usec = (uint64_t)(clock_us() - t->began_us),
	};

	t->count = *count;
	if (t->progress && !t->progress(&p, t->data))
		return error_set(err, ECANCELED, "cancelled");
	return 0;
}

static int say_dead(struct transfer *t, struct error *err)
{
	char text[64];
	int status = proc_reap(t->pidfd);

	close_fd(&t->pidfd);
	return error_set(err, EIO, PROGRAM " ended too early (%s)", proc_status_text(status, text));
}

int transfer_listen(struct transfer *t, struct wire *ret, int ret_fds[2], struct error *err)
{
	for (;;) {
		int ready = fd_wait(t->socket, 200), n;

		/* Whoever wants to cancel is asked even when nothing moves. */
		if (ready == 0 && tell_progress(t, &t->count, err) < 0)
			return -1;
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		n = wire_receive(t->socket, ret, ret_fds);
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return say_dead(t, err);
		if (n < 0)
			return error_sys(err, "cannot hear " PROGRAM);
		if (ret->what == WIRE_FAILED)
			return take_error(ret, err);
		if (ret->what != WIRE_PROGRESS)
			return 0;
		if (tell_progress(t, &ret->count, err) < 0)
			return -1;
	}
}

int transfer_ask(struct transfer *t, const struct wire *message, int fd, struct error *err)
{
	struct wire answer;
	int fds[2];

	if (wire_send(t->socket, message, &fd, fd >= 0) < 0 && errno != EPIPE)
		return error_sys(err, "cannot speak to " PROGRAM);
	if (transfer_listen(t, &answer, fds, err) < 0)
		return -1;
	close_fd(&fds[0]);
	close_fd(&fds[1]);
	if (answer.what != WIRE_DONE)
		return error_set(err, EPROTO, PROGRAM " said what was not expected");
	return tell_progress(t, &answer.count, err);
}

void transfer_end(struct transfer *t)
{
	close_fd(&t->socket);
	if (t->pidfd < 0)
		return;
	if (proc_wait_end(t->pidfd, 0) != 1)
		proc_signal(t->pidfd, SIGKILL);
	proc_reap(t->pidfd);
	close_fd(&t->pidfd);
}

int transfer_memory(const char *text, size_t n, struct error *err)
{
	autoclose int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || fd_write_all(fd, text, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_sys(err, "cannot keep a text in memory");
	return steal_fd(&fd);
}

void transfer_ids(const struct idmaps *maps, struct wire_ids *ret)
{
	ret->n_uid = ret->n_gid = 0;
	for (size_t i = 0; i < maps->n; i++) {
		const struct idmap_entry *e = &maps->v[i];
		const struct copy_ids range = {(uint32_t)e->ns, (uint32_t)e->host,
					       (uint32_t)e->range};

		if (e->kind == 'u' && ret->n_uid < WIRE_MOST_RANGES)
			ret->uid[ret->n_uid++] = range;
		if (e->kind == 'g' && ret->n_gid < WIRE_MOST_RANGES)
			ret->gid[ret->n_gid++] = range;
	}
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Going on from a checkpoint: see revive.h. */
#include "life/revive.h"
#include "base/fd.h"
#include "base/path.h"
#include "life/checkpoint.h"
#include "life/criu.h"

#include <dirent.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define RESTORE_MS (3600 * 1000)
#define JOURNAL_LENT "images-lent"
#define JOURNAL_RETURNED "images-returned"
#define PIDFILE "restored" /* in the run directory: criu writes init's pid there */

/* ---- in the caller ---- */

void revival_free(struct revival *r)
{
	free(r->dir);
	strv_free(&r->words);
	*r = (struct revival){0};
}

int revival_prepare(struct revival *r, const struct lxcore_checkpoint *how, const struct conf *conf,
		    const char *rundir, struct error *err)
{
	static const char *const always[] = {"--restore-detached", "--restore-sibling", "--pidfile"};
	int bad = 0;

	if (geteuid() != 0)
		return error_set(err, EPERM, "only root may go on from a checkpoint");
	r->dir = path_absolute(how->dir);
	if (!r->dir)
		return error_sys(err, "cannot use \"%s\"", how->dir);
	if (checkpoint_read_facts(r->dir, conf, &r->devpts, err) < 0)
		return error_within(err, "cannot go on from a checkpoint");
	if (criu_begin(&r->words, "restore", r->dir, how->verbose, how->action_script, err) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(always); i++)
		bad |= strv_add(&r->words, always[i]) < 0;
	if (bad || strv_take(&r->words, str_printf("%s/" PIDFILE, rundir)) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return 0;
}

/* ---- the restorer ---- */

static int offer_all(struct boot *b, struct error *err)
{
	if (unshare(CLONE_NEWNS) < 0)
		return error_sys(err, "cannot make a mount namespace for criu");
	return boot_walk(b, DOOR_OFFER, NULL, err);
}

static _Noreturn void be_restorer(struct boot *b, int sock)
{
	struct error err = {0};
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	if (offer_all(b, &err) < 0)
		boot_fail(sock, &err);
	if (boot_say_built(b, sock) < 0)
		_exit(1);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	/* Its end of the socket closes by that. */
	execv(b->revival->words.v[0], b->revival->words.v);
	error_sys(&err, "cannot execute \"%s\"", b->revival->words.v[0]);
	boot_fail(sock, &err);
}

/* ---- the supervisor ---- */

/* The file itself, not what a link of that name leads to. */
static int lend_file(int dir, const char *name, gid_t group)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	return fd < 0 || fchown(fd, 0, group) < 0 || fchmod(fd, group ? 0640 : 0600) < 0 ? -1 : 0;
}

static int lend_dir(const char *path, gid_t group, struct error *err)
{
	autodir DIR *dir = opendir(path);
	struct dirent *e;

	if (!dir || fchown(dirfd(dir), 0, group) < 0 ||
	    fchmod(dirfd(dir), group ? 0750 : 0700) < 0)
		return error_sys(err, "cannot let criu read \"%s\"", path);
	while ((e = readdir(dir)))
		if (str_ends(e->d_name, ".img") && lend_file(dirfd(dir), e->d_name, group) < 0)
			return error_sys(err, "cannot let criu read \"%s/%s\"", path, e->d_name);
	return 0;
}

/* With those of the dumps before ("parent" of criu).  Group 0: they are root's alone again. */
static int lend_images(const char *dir, gid_t group, struct error *err)
{
	autofree char *path = strdup(dir);

	while (path) {
		char *before = str_printf("%s/parent", path);

		if (lend_dir(path, group, err) < 0) {
			free(before);
			return -1;
		}
		free(path);
		path = before;
		if (path && access(path, F_OK) < 0)
			break;
	}
	return 0;
}

/* Root of a user namespace reads images itself: for so long they are its group's, too. */
static int lend(struct boot *b, struct error *err)
{
	if (!b->root_uid)
		return 0;
	if (journal_record(&b->journal, JOURNAL_LENT, b->revival->dir, err) < 0)
		return -1;
	return lend_images(b->revival->dir, b->root_gid, err);
}

static void take_back(struct boot *b)
{
	if (b->root_uid && lend_images(b->revival->dir, 0, NULL) == 0)
		journal_record(&b->journal, JOURNAL_RETURNED, b->revival->dir, NULL);
}

void revive_release(const struct release *r)
{
	const char *dir = journal_previous(r->journal, JOURNAL_LENT, NULL);

	if (dir && !journal_previous(r->journal, JOURNAL_RETURNED, NULL))
		lend_images(dir, 0, NULL);
}

static int make_restorer(struct boot *b, int sock[2], struct error *err)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&pidfd, .exit_signal = SIGCHLD,
	};
	long pid;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket for criu");
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		close(sock[0]);
		be_restorer(b, sock[1]);
	}
	close_fd(&sock[1]);
	return pid < 0 ? error_sys(err, "cannot make a process for criu") : pidfd;
}

static int end_restorer(int restorer)
{
	proc_signal(restorer, SIGKILL);
	proc_reap(restorer);
	return -1;
}

static int wait_for_criu(const struct boot *b, int restorer, struct error *err)
{
	int ended = proc_wait_end(restorer, RESTORE_MS), status;

	if (ended != 1) {
		end_restorer(restorer);
		return error_set(err, ETIMEDOUT, "criu had not made its processes after an hour");
	}
	status = proc_reap(restorer);
	return status ? criu_failed("restore", b->revival->dir, status, err) : 0;
}

/* Ours is the only process that may reap it, so its pid cannot be another's by now. */
static int find_init(struct boot *b, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	int pid = 0;

	if (file_read(b->rundir, PIDFILE, &text) < 0 || sscanf(text.s, "%d", &pid) != 1)
		return error_set(err, EIO, "criu did not say which process is its init");
	unlinkat(b->rundir, PIDFILE, 0);
	b->init_pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (b->init_pidfd < 0)
		return error_sys(err, "cannot find its init (pid %d)", pid);
	b->init = (struct proc_id){pid, proc_start_time(pid)};
	return 0;
}

static int have_criu_make_it(struct boot *b, struct error *err)
{
	int sock[2] = {-1, -1}, heard;
	autoclose int restorer = make_restorer(b, sock, err), talk = sock[0];

	close_fd(&b->cgroup2);
	if (restorer < 0)
		return -1;
	heard = boot_hear(b, talk, err);
	if (heard == 0)
		error_set(err, ECHILD, "the process for criu was killed");
	/* Once more: nothing, when it became criu. */
	if (heard <= 0 || boot_hear(b, talk, err) != 0)
		return end_restorer(restorer);
	return wait_for_criu(b, restorer, err) < 0 ? -1 : find_init(b, err);
}

int revive(struct boot *b, struct boot_timings *timings, struct error *err)
{
	int made = lend(b, err) < 0 ? -1 : have_criu_make_it(b, err);

	take_back(b);
	return made < 0 || boot_walk(b, DOOR_ADOPT, timings, err) < 0 ||
	       boot_walk(b, DOOR_SEAL, timings, err) < 0 ? -1 : 0;
}

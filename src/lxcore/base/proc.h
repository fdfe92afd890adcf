/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Processes: remembered as pid *and* start time, so that a reused pid is never taken for the old
 * one; waited for by pidfd; and run as children with a time limit and captured output.
 */
#ifndef LXCORE_BASE_PROC_H
#define LXCORE_BASE_PROC_H

#include "buf.h"
#include "error.h"

#include <stdbool.h>
#include <sys/types.h>

struct proc_id {
	pid_t pid;                /* 0: none */
	unsigned long long start; /* field 22 of /proc/PID/stat, clock ticks since boot (proc(5)) */
};

/* Start time of a process, or 0 when it is gone. */
unsigned long long proc_start_time(pid_t pid);
/* What it does now: 'R' runs, 'S' sleeps, 'D' waits for a disk, 'T' or 't' is stopped, 'Z' has ended
 * (proc(5)); 0 when it is gone. */
char proc_state(pid_t pid);
/* A pidfd of exactly that process; -1 with errno, ESRCH when it is gone. */
int proc_open(struct proc_id id);
/* Wait until the process behind a pidfd has ended; 1, 0 after timeout_ms (-1: none), -1. */
int proc_wait_end(int pidfd, int timeout_ms);
int proc_signal(int pidfd, int signal);
/* waitid(2) on a child by pidfd: its wait status as of wait(2), or -1. */
int proc_reap(int pidfd);

/* A program of the host, in PATH or where root's are without it, to be freed; NULL: there is none. */
char *proc_find_program(const char *name);

struct proc_run {
	const char *const *argv; /* argv[0] is looked up in PATH when it has no '/' */
	const char *const *env;  /* whole environment, or NULL: the caller's */
	const struct strv *set_env; /* NAME=VALUE added to the caller's environment, or NULL */
	const char *input;       /* what it reads on standard input, or NULL: /dev/null */
	int keep_fd;             /* one descriptor that it inherits under the same number, or 0 */
	int give_fd;             /* one more that it finds under the number 'give_as', or 0; not with */
	int give_as;             /* airlock or program */
	int timeout_ms;          /* then SIGKILL and ETIMEDOUT; 0: no limit */
	bool own_output;         /* it writes to our own stdout and stderr rather than into 'output' */
	bool keep_end;           /* 'output' gets the last 4 KiB rather than the first 64; with
				    own_output: of its stderr, which is passed on as it comes */
	bool own_input;          /* it reads our own standard input */
	bool private_mounts;     /* what it mounts is seen by itself alone and goes with it */
	int mount;               /* with private_mounts: a detached mount that it finds at 'mount_at',
				  * an existing directory; or 0 */
	const char *mount_at;
	bool dies_with_us;       /* SIGKILL when the calling thread ends */
	int umask;               /* its umask(2), or 0: the caller's */
	int airlock;             /* through which it is executed (see below), or 0; then argv[0] has
				  * a '/' */
	int program;             /* a descriptor that is executed instead of argv[0], or 0 */
	int talk_fd;             /* our end of a socket to it, or 0: none.  'talk' is called whenever */
	bool (*talk)(int fd, void *data); /* that can be read, until it returns false */
	void *talk_data;
};
/*
 * Run a program and wait for it.  Returns its wait status, or -1 with the error filled when it could
 * not be run or did not end in time.  Up to 64 KiB of its output (stdout and stderr together), or
 * what keep_end says, is added to 'output' when that is not NULL.
 */
int proc_run(const struct proc_run *run, struct buf *output, struct error *err);
/*
 * Execute 'path', over which somebody else has power, through the airlock: a sealed copy in memory of a
 * tiny program, which executes it in turn (src/tools/init.lxc.c says why, and what 'flags' mean).  Only
 * descriptors 0, 1, 2 and, until that execve, 'report' are passed on; on it the airlock writes an int:
 * the pid of a sibling, or minus the errno value of what failed.  Returns only when the airlock itself
 * cannot be executed: -1 with errno.
 */
int proc_exec_through(int airlock, const char *flags, int report, const char *path, char *const *argv,
		      char *const *env);
/*
 * A sealed copy of a program in memory, to be executed by descriptor where its file is not to be
 * seen: who runs it can neither change the file through /proc/PID/exe nor need a path to it.
 */
int proc_copy_program(const char *path, struct error *err);
/*
 * Call a function in a child process, whose namespaces, mounts, ids it may change, and wait for it: 0,
 * or -1 with the error that it had.  The child ends with whoever waits for it.
 */
int proc_call(int (*function)(void *data, struct error *err), void *data, struct error *err);
/* The same, but no longer than that: then it is killed (ETIMEDOUT).  -1: no limit. */
int proc_call_within(int timeout_ms, int (*function)(void *data, struct error *err), void *data,
		     struct error *err);
/* 'exit status 3', 'killed by signal 9 (Killed)' for a wait status. */
const char *proc_status_text(int status, char text[64]);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The run directory of a container: RUNDIR/lxc/LXCPATH-ESCAPED/NAME, 0700, there only while the
 * container runs or something was left behind.  What can be known of a running container without
 * asking its supervisor stands here:
 *
 *     lock      held (OFD write lock) by the supervisor, or by an operation on a stopped container
 *     state     'state', 'supervisor PID START', 'init PID START', 'boot N', 'restarts N', 'next MS';
 *               replaced atomically
 *     config    the configuration of this boot, includes resolved
 *     config.written  the same before a pre-start hook changed it for this boot
 *     journal   what was made on this host (base/journal.h)
 *     updated   'config' was changed since (lxc-update): a reboot begins with what it says now
 *     oom       how many processes were killed for want of memory, when any were
 *     control   socket of the supervisor (life/control.h)
 *
 * Beside the containers' directories: .exit/NAME (how the last init ended) and .monitors/ (sockets of
 * those who want to hear of state changes, life/events.h), .events and .events.1 (what they were told).
 */
#ifndef LXCORE_LIFE_RUNDIR_H
#define LXCORE_LIFE_RUNDIR_H

#include "base/error.h"
#include "base/proc.h"
#include "lxcore.h"

#include <stdbool.h>

#define RUNDIR_CONFIG "config"
#define RUNDIR_OOM "oom"
#define RUNDIR_UPDATED "updated"
#define RUNDIR_CONFIG_WRITTEN "config.written"

struct run_state {
	enum lxcore_state state;
	struct proc_id supervisor, init;
	unsigned boot; /* counts the boots of this supervisor, from 1 */
	unsigned restarts; /* those of them that lxc.start.restart asked for */
	long long next; /* it ended, and is started again at this clock_ms(); 0: no such thing */
};

/* Directory that holds the run directories of an lxcpath; to be freed. */
char *rundir_parent_path(const char *lxcpath);
/* The same where run directories are elsewhere: below 'base' rather than RUNDIR/lxc. */
char *rundir_parent_below(const char *base, const char *lxcpath);
char *rundir_path(const char *lxcpath, const char *name);
/* Open an existing one; -1 with errno ENOENT when there is none. */
int rundir_open(const char *lxcpath, const char *name);
int rundir_open_parent(const char *lxcpath, bool make);
/*
 * Open or make it and take its lock.  -1 with EBUSY in the error when someone else has it after
 * timeout_ms.  *ret_lock is the descriptor that holds the lock until all its copies are closed.
 */
int rundir_lock(const char *lxcpath, const char *name, int timeout_ms, int *ret_lock,
		struct error *err);
/* Is the lock taken (a supervisor lives, or an operation is under way)? */
bool rundir_is_locked(int rundir);
/*
 * The same for those who look again and again.  What was opened stays that of this run directory, even
 * when another one has its name: then nobody holds the lock.  -1 with errno.
 */
int rundir_open_lock(int rundir);
bool rundir_lock_is_held(int lock);
/* The lock's holder removes the whole directory. */
void rundir_remove(const char *lxcpath, const char *name, int rundir);

int rundir_write_state(int rundir, const struct run_state *s);
/* What the file says; false when there is none.  Says nothing on whether the processes still live. */
bool rundir_read_state(int rundir, struct run_state *ret);
/* The same from its file, which is another one after each change. */
int rundir_open_state(int rundir);
bool rundir_parse_state(int file, struct run_state *ret);
bool rundir_state_is_last(int file);

/* How many processes of this boot were killed for want of memory; 0 when none is known. */
void rundir_write_oom(int rundir, int64_t kills);
int64_t rundir_read_oom(int rundir);

struct run_exit {
	int status;     /* of init, as of wait(2) */
	long long when; /* seconds since 1970 */
	int64_t oom_kills; /* processes of that boot that were killed for want of memory */
	bool out_of_memory; /* ... and init was one of them */
};
void rundir_keep_exit(const char *lxcpath, const char *name, const struct run_exit *e);
bool rundir_read_exit(const char *lxcpath, const char *name, struct run_exit *ret);
void rundir_forget_exit(const char *lxcpath, const char *name);

#endif

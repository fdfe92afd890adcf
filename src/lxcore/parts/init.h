/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Init: the first program of a container; what life/ asks about it. */
#ifndef LXCORE_PARTS_INIT_H
#define LXCORE_PARTS_INIT_H

#include "parts/part.h"

/*
 * Become init: called last of all by the first process.  Returns only on failure, with the error's
 * code ENOENT for a program that is not there and EACCES or another one for one that cannot run.
 * What still fails after the process is no longer ours comes over 'report' as an int, minus an errno
 * value, which init_exec_failed() turns into words.
 */
int init_exec(struct boot *b, int report, struct error *err);
int init_exec_failed(const struct boot *b, int code, struct error *err);

/* Sent to init when its supervisor dies (lxc.monitor.signal.pdeath); 0: none. */
int init_death_signal(const struct conf *c);
/* lxc.signal.stop, else SIGKILL. */
int init_stop_signal(const struct conf *c);
/*
 * The signal that makes this very init shut down or reboot: the configured one, else by what it is
 * and which signals it handles.  0: it handles none that would.  *ret_why is a static text:
 * "SIGRTMIN+3, systemd", or why there is none.  'c' may be NULL.
 */
int init_halt_signal(const struct conf *c, struct proc_id init, const char **ret_why);
int init_reboot_signal(const struct conf *c, struct proc_id init, const char **ret_why);
/* lxc.signal.reboot or lxc.signal.halt; 0: unset. */
int init_configured_signal(const struct conf *c, bool reboot);
/*
 * Has it finished starting what it was to start?  0: it has; -1: EAGAIN: not yet; ENOTSUP: it does not
 * show that; ESRCH: it ended; the words say why.  It reads files of the container: call it where it may
 * be waited for in vain.  systemd is not among those that it knows: that one can be asked.
 */
int init_is_ready(struct proc_id init, struct error *err);
/* The program was named by the user rather than being the usual /sbin/init. */
bool init_is_custom(const struct boot *b);

/* lxc.environment and lxc.environment.runtime and container=lxc, for what runs inside. */
int init_environment(const struct conf *c, struct strv *out);
/* lxc.init.uid and lxc.init.gid. */
void init_ids(const struct conf *c, uid_t *ret_uid, gid_t *ret_gid);

#endif

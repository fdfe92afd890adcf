/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Security labels (AppArmor, SELinux) of attached processes (life/attach.c). */
#ifndef LXCORE_PARTS_LABEL_LABEL_H
#define LXCORE_PARTS_LABEL_LABEL_H

#include "parts/part.h"

#include <time.h>

/*
 * What the calling process executes next runs under the label of the container's init, or under
 * 'context' when that is not NULL.  To be called while it still sees the host's /proc: the container's
 * own may be anything (CVE-2019-16884).
 */
int label_attach(const struct conf *c, pid_t init, const char *context, struct error *err);

/* The end of the kernel's log, where a security module's records will come; -1: there is none. */
int label_watch_log(void);
/* Add to the error of a start what was denied since that time, if something was. */
void label_add_denials(const struct conf *c, const char *name, const char *lxcpath, int log,
		       time_t since, struct error *err);

#endif

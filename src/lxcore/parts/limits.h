/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Resource limits and /proc settings, also for attached processes (life/attach.c). */
#ifndef LXCORE_PARTS_LIMITS_H
#define LXCORE_PARTS_LIMITS_H

#include "parts/part.h"

/* Apply lxc.prlimit.* and lxc.proc.* to a process of the container; from the host. */
int limits_apply(const struct conf *c, pid_t pid, struct error *err);

#endif

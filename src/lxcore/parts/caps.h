/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capabilities, also for attached processes (life/attach.c). */
#ifndef LXCORE_PARTS_CAPS_H
#define LXCORE_PARTS_CAPS_H

#include "parts/part.h"

#include <stdint.h>

/* The capabilities that a process can ever have (CapBnd of /proc/PID/status); -1 with errno. */
int caps_of_process(pid_t pid, uint64_t *ret);
/*
 * Bound the calling process to 'mask': what it executes from now on can never have more.  What it
 * can do itself until then stays.
 */
int caps_limit_to(uint64_t mask, struct error *err);
/* What lxc.cap.drop and lxc.cap.keep leave. */
uint64_t caps_allowed(const struct conf *c);
/* 0..63, or -1: there is no such capability. "net_admin" or a number that this kernel knows. */
int caps_number(const char *name);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The system-call filter, also for attached processes (life/attach.c). */
#ifndef LXCORE_PARTS_SECCOMP_H
#define LXCORE_PARTS_SECCOMP_H

#include "parts/part.h"

struct seccomp_filter; /* a compiled policy */

/* lxc.no_new_privs */
bool seccomp_wants_no_new_privs(const struct conf *c);
/* Get the compiled policy while its file is still in sight; *ret NULL: the container has none. */
int seccomp_read(const struct conf *c, struct seccomp_filter **ret, struct error *err);
/*
 * Put it on the calling process and all that it starts, for ever.  NULL: does nothing.  *ret_listener:
 * the descriptor over which calls with action notify are answered, or -1 when it has none.
 */
int seccomp_install(const struct seccomp_filter *filter, int *ret_listener, struct error *err);
/* The program that answers those calls: a path, or '@' and an abstract name; NULL: none.  The
 * cookie: NULL when there is none. */
const char *seccomp_proxy(const struct conf *c, const char **ret_cookie);
void seccomp_filter_free(struct seccomp_filter *filter);

#endif

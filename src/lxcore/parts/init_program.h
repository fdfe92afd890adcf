/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program that becomes init: finding it, our own small one, and why one cannot be executed. */
#ifndef LXCORE_PARTS_INIT_PROGRAM_H
#define LXCORE_PARTS_INIT_PROGRAM_H

#include "base/buf.h"
#include "base/error.h"

/*
 * A sealed copy in memory of our small init, which is the airlock too (proc_exec_through() in
 * base/proc.h), to be executed by descriptor: through /proc/1/exe the
 * container reaches the copy alone and never a file of the host (the class of CVE-2019-5736).
 */
int program_copy_own_init(struct error *err);
/* Where a command is, seen from the current root: it has a '/', or is searched in the environment's
 * PATH or the usual directories.  NULL with the error filled. */
char *program_find(const char *command, const struct strv *env, struct error *err);
/* Before: what can be seen to be missing, a loader or the right to execute.  0, or -1. */
int program_check(const char *path, struct error *err);
/* After execve(2) failed with 'code': say why in the error; returns -1. */
int program_explain(const char *path, int code, struct error *err);

#endif

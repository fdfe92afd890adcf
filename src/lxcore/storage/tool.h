/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Programs that drivers need (lvm2, zfs, rbd, qemu, mkfs): run without a shell, with a time limit,
 * in the C locale.  What one said last is in the error; one that is missing is named with the
 * package that brings it.
 */
#ifndef LXCORE_STORAGE_TOOL_H
#define LXCORE_STORAGE_TOOL_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/*
 * Run it.  Returns its exit status when that is 0 or no greater than 'fine', -1 with the error when
 * it is any other, or when it could not be run.  'output' (or NULL) gets what it printed.
 */
int tool_run(const char *const *argv, int fine, struct buf *output, struct error *err);
/*
 * Run what gives a device or dataset back.  A container's last mounts go a moment after its last
 * process, so while it fails and says one of 'words' ("busy|in use") it is tried again, for 5 s.
 */
int tool_run_patiently(const char *const *argv, const char *words, struct error *err);
/* Did it say one of 'words', separated by '|'? */
bool tool_said(const struct buf *output, const char *words);
/* Wait until there is such a path, for 5 s. */
int tool_wait_for(const char *path, struct error *err);
/* The first line of what it printed, without blanks around it. */
char *tool_line(const struct buf *output);
/* Could it be run?  -1 with the error that names the package. */
int tool_need(const char *program, struct error *err);

#endif

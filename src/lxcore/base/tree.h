/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing whole directory trees that someone else may have filled.
 *
 * By descriptors alone, so no link in the tree turns this against the host; it never enters another
 * mount, be it of the same filesystem, and works at any depth with at most a hundred descriptors.
 */
#ifndef LXCORE_BASE_TREE_H
#define LXCORE_BASE_TREE_H

#include "error.h"

/*
 * Remove all that is in the directory 'dir' (not O_PATH).  What can be removed goes even when
 * something cannot; then -1, with the error of the first one: EXDEV (something is mounted there),
 * EPERM (chattr +i), or what the kernel said.
 */
int tree_empty(int dir, struct error *err);
/* Remove 'name' in 'dir' (or AT_FDCWD) with all that is in it.  Not being there is fine. */
int tree_remove(int dir, const char *name, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subvolumes of btrfs: directories that the filesystem can forget at once, whatever is in them, and
 * that it lets nobody empty when they are read-only.
 */
#ifndef LXCORE_BASE_SUBVOLUME_H
#define LXCORE_BASE_SUBVOLUME_H

#include <stdbool.h>
#include <stdint.h>

/* Can there be one in this directory? */
bool subvolume_possible(int dir);
/* Is this directory the topmost one of a subvolume? */
bool subvolume_is(int fd);
/* Are there others in it?  1, 0; -1 with errno. */
int subvolume_has_others(int top);
/*
 * Remove the subvolume 'top' and all below it; 'dir' is any directory of the filesystem outside of
 * them.  They are found and removed by number, never by a path that somebody else wrote.  Root's
 * business: -1 with errno EPERM.
 */
int subvolume_remove(int dir, int top);

/* Does its filesystem count what is in each of them?  1, 0; -1 with errno. */
int subvolume_counts(int top);
/* The most bytes that may be in it, 0: no limit.  0, or -1 with errno. */
int subvolume_limit(int top, uint64_t bytes);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tree that may belong to an enemy, directory by directory in the order of names, by descriptors
 * alone: no link is followed, and what vanishes meanwhile is gone.
 */
#ifndef LXCORE_STORE_LISTING_H
#define LXCORE_STORE_LISTING_H

#include "base/buf.h"
#include "base/copy.h"

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#define LISTING_MOST_DEPTH 300 /* who walks holds two descriptors open for each level */

/* A name, and what is told apart.  What does not belong to its type is 0. */
struct listing_entry {
	char type; /* 'd' directory, 'm' one on which something was mounted, 'f' file, 'l' link,
		    * 'c' and 'b' devices, 'p' fifo, 's' socket */
	const char *name;
	mode_t mode;       /* of permissions alone */
	uint32_t uid, gid; /* inside; -1: one that is not mapped */
	uint64_t size;
	struct timespec mtime;
	dev_t device;
	const char *link; /* of a recorded one; else it is still to be read */
};
/* Whose the files are: ids outside to ids inside; no lines: as they are. */
struct listing_maps {
	struct copy_map uid, gid;
};

/* What it is, mounts aside; -1 with errno. */
int listing_look(int dir, const char *name, const struct listing_maps *maps,
		 struct listing_entry *ret);
/* All names in it, sorted by their bytes; -1 with errno. */
int listing_names(int dir, struct strv *ret);
/* 1: a directory that was opened; 0: it is a mount, or gone, or no directory; -1 with errno. */
int listing_open_dir(int dir, const char *name, int *ret);
/* Does another mount begin there?  name "": at fd itself. */
bool listing_is_mount(int fd, const char *name);

#endif

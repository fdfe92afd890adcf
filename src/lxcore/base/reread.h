/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Small files of /proc, /sys and cgroups that are read again and again.
 *
 * To open such a file costs more than to read it, so it may stay open in between: then reading it is
 * one pread(2) from its beginning, which the kernel answers with what it says now.  There may be more
 * files than descriptors, so the caller says which stay open; the others are opened each time.
 *
 * A file that stays open does not tell of another one that took its name: when what it was about is
 * gone, reading it fails with ENODEV.
 */
#ifndef LXCORE_BASE_REREAD_H
#define LXCORE_BASE_REREAD_H

#include "buf.h"

struct reread {
	char *path; /* owned */
	int fd;     /* -1: not open */
};
#define REREAD(p) ((struct reread){.path = (p), .fd = -1})

/* All of it in 'into', in the place of what was there; 'keep': it stays open.  0, or -1 with errno. */
int reread(struct reread *f, bool keep, struct buf *into);
void reread_free(struct reread *f);
/* Is that errno about the file, or were there no descriptors to open it with? */
bool reread_lacked_descriptors(int code);

#endif

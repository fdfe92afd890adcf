/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two trees compared, as the files of this errand share them: diff.c finds them, diff_walk.c walks. */
#ifndef LXCORE_STORE_DIFF_H
#define LXCORE_STORE_DIFF_H

#include "base/copy.h"
#include "base/error.h"

#include <stdbool.h>

/* A root filesystem, and whose its files are: ids outside to ids inside; no lines: as they are. */
struct diff_side {
	int root; /* O_PATH will do */
	struct copy_map uid, gid;
};

/*
 * Compare what was with what is, and write to 'out' for each difference 'A', 'C' or 'D', the path and a
 * NUL; a directory in which something differs is a 'C'.  What is mounted on either is left out.  Files
 * are the same when type, owner, mode, size, time, device or link are; with 'contents' only when their
 * bytes are, whatever the times.
 */
int diff_walk(const struct diff_side *was, const struct diff_side *is, bool contents, int out,
	      struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Two trees compared, as the files of this errand share them: diff.c finds them, diff_walk.c walks. */
#ifndef LXCORE_STORE_DIFF_H
#define LXCORE_STORE_DIFF_H

#include "base/error.h"
#include "store/first.h"
#include "store/listing.h"

#include <stdbool.h>

/* A root filesystem, or a record of one. */
struct diff_side {
	int root; /* O_PATH will do */
	struct listing_maps maps;
	struct first *first; /* at its first entry; NULL: there is a tree */
};

/*
 * Compare what was with what is, and write to 'out' for each difference 'A', 'C' or 'D', the path and a
 * NUL; a directory in which something differs is a 'C'.  What is mounted on either is left out.  Files
 * are the same when type, owner, mode, size, time, device or link are; with 'contents' only when their
 * bytes are, whatever the times, which a record does not know.
 */
int diff_walk(const struct diff_side *was, const struct diff_side *is, bool contents, int out,
	      struct error *err);

#endif

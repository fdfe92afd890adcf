/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A container's first state: what its tree was when lxc-create had made it, as a list of names and
 * facts in LXCPATH/NAME/created.tree, for lxc-diff.  The format is in doc/first-state.md.
 *
 * It is written before the container becomes one, so half of it goes with the half-made container,
 * and never changes after that; copies have it by a hard link.  It is the host's own file, but may
 * have come with an archive of somebody else, so it is read with care: nothing in it is believed
 * before its digest is right, and nothing that would not be written is read.
 */
#ifndef LXCORE_STORE_FIRST_H
#define LXCORE_STORE_FIRST_H

#include "base/buf.h"
#include "store/listing.h"
#include "store/store.h"

#define FIRST_FILE "created.tree"
#define FIRST_HEAD "lxcore tree 1\n"

/* ---- writing ---- */

/* Record what the tree of a container in its making is.  One without a root filesystem of its own,
 * or with a tree that is too deep to be compared, has no record, and that is no failure. */
int first_record(struct lxcore_container *c, struct error *err);
/* The copy in the directory 'to' was created when the one in 'from' was, if that is known. */
int first_take_along(const char *from, const char *to, struct error *err);

/* ---- reading ---- */

/* One entry after the other.  A directory's entries follow it, when it is gone into. */
struct first {
	struct buf text;
	const char *at, *end;
	unsigned depth;
	struct listing_entry now; /* type 0: the directory ends here */
	char before[256];       /* the name before, for they are sorted */
};
#define FIRST_NONE ((struct first){0})

/* 1: the record in that directory is open, at the first entry of the root; 0: there is none. */
int first_open(const char *dir, struct first *ret, struct error *err);
bool first_is_there(const char *dir);
void first_free(struct first *f);
/* Go on behind the present entry, and behind all that is in it. */
int first_skip(struct first *f, struct error *err);
/* The first entry of the present directory. */
int first_enter(struct first *f, struct error *err);
/* At the end of a directory: go on behind it.  'f->before' becomes its name. */
int first_leave(struct first *f, const char *name, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tests of the copier share: two directories, and trees with everything in them. */
#ifndef TESTS_COPY_TREES_H
#define TESTS_COPY_TREES_H

#include "unit.h"
#include "copy_compare.h"
#include "base/copy.h"

#include <sys/types.h>

/* A directory with 'from', to be filled, and 'to', to be copied to. */
struct trees {
	struct unit_dir top;
	int from, to;
	struct error err;
	struct copy_result result;
};
struct trees trees(void);
void trees_done(struct trees *t);
/* copy_tree(), and the same, which must succeed and make what is equal but for 'ids'. */
int trees_copy(struct trees *t, const struct copy_options *o);
void trees_copy_equal(struct trees *t, const struct copy_options *o, const struct compare_ids *ids);
/* Empty 'to', to begin again. */
void trees_again(struct trees *t);

int trees_make_dir(int dir, const char *name);
void trees_put(int dir, const char *name, const char *text, mode_t mode);
void trees_set_acl(int dir, const char *file, const char *attribute, uint32_t id);
void trees_put_large(int dir); /* 20 MB */
/* Everything that a filesystem of a container may have: 13 files, 5 directories ... */
void trees_put_all(int dir);
/* A chain of directories "b", each with a file; 'comb': and two more, with links to it. */
void trees_put_deep(int top, unsigned depth, bool comb);

#endif

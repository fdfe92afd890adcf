/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Are two trees equal, byte for byte and attribute for attribute?  Knows nothing of the copier. */
#ifndef TESTS_COPY_COMPARE_H
#define TESTS_COPY_COMPARE_H

#include "base/buf.h"

#include <stdint.h>

/* What is added to ids on the way; all 0: they are equal. */
struct compare_ids {
	uint32_t uid, gid;
	uint32_t gid_from_1000;   /* rather than gid, from 1000 on */
	uint32_t capability_root; /* whose file capabilities are that were the host's */
};

/* Adds a line for each difference. */
void compare_trees(int a, int b, const struct compare_ids *ids, struct buf *differences);

#endif

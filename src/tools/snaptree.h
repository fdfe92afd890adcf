/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots of a container and what was made of them, as a tree. */
#ifndef LXC_TOOLS_SNAPTREE_H
#define LXC_TOOLS_SNAPTREE_H

#include "lxcore.h"

#include <stdbool.h>

void snaptree_print(lxcore_container *c, const struct lxcore_snapshot *list, int n, bool comments);

#endif

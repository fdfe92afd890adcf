/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Subordinate ids: which user and group ids of the host somebody may map into a user namespace
 * (subuid(5), subgid(5)), and which ids there are at all for those who live in a user namespace
 * themselves.
 */
#ifndef LXCORE_BASE_SUBID_H
#define LXCORE_BASE_SUBID_H

#include "error.h"

#include <stddef.h>
#include <sys/types.h>

struct id_range {
	unsigned long first, count;
};
struct id_ranges {
	struct id_range *v;
	size_t n;
};

int id_ranges_add(struct id_ranges *list, unsigned long first, unsigned long count);
void id_ranges_free(struct id_ranges *list);
#define autoranges __attribute__((cleanup(id_ranges_free)))

/*
 * The ranges of a user, in the order of the file.  'kind' is 'u' or 'g'.  Where nsswitch.conf(5)
 * names another source than the files, libsubid is asked.  None is no error.
 */
int subid_of(char kind, uid_t user, struct id_ranges *ret, struct error *err);
/* The ranges of everybody else, as far as the file tells. */
int subid_of_others(char kind, uid_t user, struct id_ranges *ret, struct error *err);
/* The ids that exist in our own user namespace: all of them on the host. */
int subid_existing(char kind, struct id_ranges *ret, struct error *err);

#endif

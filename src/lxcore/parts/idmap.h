/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id maps of a container, for life/ and store/ (what belongs to it on disk, whom attach becomes). */
#ifndef LXCORE_PARTS_IDMAP_H
#define LXCORE_PARTS_IDMAP_H

#include "parts/part.h"

struct idmap_entry {
	char kind; /* 'u' or 'g' */
	unsigned long ns, host, range;
};
struct idmaps {
	struct idmap_entry *v;
	size_t n;
};

extern const struct conf_section idmap_section; /* its struct begins with a struct idmaps */

/* The container's maps; n == 0: it has no user namespace. */
const struct idmaps *idmap_of(const struct conf *c);
/* The host's id for one inside; false when it is not mapped. */
bool idmap_to_host(const struct idmaps *maps, char kind, unsigned long inside, unsigned long *ret);
/* Write both maps of a process that was just born in a new user namespace. */
int idmap_write(const struct idmaps *maps, pid_t pid, struct error *err);

#endif

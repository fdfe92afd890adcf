/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Names that keys had before LXC 3.  They are understood wherever a configuration is read, so a
 * container of ten years ago starts, and lxc-update-config rewrites them by the same table.
 */
#ifndef LXCORE_CONFIG_LEGACY_H
#define LXCORE_CONFIG_LEGACY_H

#include "base/buf.h"

#include <stdbool.h>

struct legacy_name {
	const char *old; /* a family ends in a dot */
	const char *now; /* NULL: it has no meaning any more */
};
/* The plain renames, ended by an 'old' of NULL; lxc.network.* is beyond a table. */
extern const struct legacy_name legacy_names[];

/* What must be remembered from line to line. */
struct legacy {
	unsigned nics; /* blocks of unindexed lxc.network.* so far; each begins with its type */
	char *rootfs, *backend; /* of lxc.rootfs and lxc.rootfs.backend */
};

/*
 * Is 'name' an old one?  Then its present name is added to 'now', or nothing when it has none.
 * 'nics' counts the blocks of unindexed networks.
 */
bool legacy_rename(unsigned *nics, const char *name, struct buf *now);
/*
 * The value that belongs to the present name; fills 'now' where two old keys make one (lxc.rootfs
 * and lxc.rootfs.backend, in whichever order).
 */
void legacy_value(struct legacy *state, const char *name, const char *value, struct buf *now,
		  struct buf *ret_value);
void legacy_free(struct legacy *state);

#endif

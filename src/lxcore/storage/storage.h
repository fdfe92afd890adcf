/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where root filesystems live: one driver a file behind one table of operations.
 *
 * lxc.rootfs.path is '[TYPE:]SOURCE'.  storage_parse() takes it apart and finds the driver; what
 * SOURCE means is the driver's business (a directory, a block device, a dataset ...).
 */
#ifndef LXCORE_STORAGE_STORAGE_H
#define LXCORE_STORAGE_STORAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct storage_driver {
	const char *name; /* TYPE: "dir" */
	/* Is there something at 'source' that can be mounted?  No side effects. */
	int (*check)(const char *source, struct error *err);
	/*
	 * A descriptor of the root filesystem's directory for looking into it from the host, as
	 * checks do; -1 with the error (ENOTSUP: it cannot be looked into while it is not mounted).
	 */
	int (*look)(const char *source, struct error *err);
	/* In a private mount namespace: a detached mount of it, for move_mount(2). */
	int (*mount)(const char *source, struct error *err);
	/* Make an empty one, owned by uid and gid. */
	int (*create)(const char *source, uid_t uid, gid_t gid, struct error *err);
	/* Remove it and all that is in it; not being there is fine.  Stays on its filesystem. */
	int (*destroy)(const char *source, struct error *err);
};

struct storage {
	const struct storage_driver *driver;
	const char *source; /* points into the text that was parsed */
};

/*
 * 'DIR' and 'dir:DIR' for now.  EINVAL: no such type; ENOTSUP: a type without a driver yet. Without
 * TYPE the kind of SOURCE decides; where it does not exist it is taken for a directory.
 */
int storage_parse(const char *text, struct storage *ret, struct error *err);
/* What follows 'TYPE:', without asking which drivers there are. */
const char *storage_source(const char *text);
/* 'dir', the default of lxc-create -B; NULL when there is no such driver. */
const struct storage_driver *storage_driver_find(const char *name);

extern const struct storage_driver storage_dir;

#endif

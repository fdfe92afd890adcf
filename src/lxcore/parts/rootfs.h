/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The root filesystem's settings, for life/ and store/ (lxc.rootfs.*). */
#ifndef LXCORE_PARTS_ROOTFS_H
#define LXCORE_PARTS_ROOTFS_H

#include "parts/part.h"

struct rootfs_conf {
	char *path;  /* '[TYPE:]SOURCE' as set, see storage_parse(); NULL: shares the host's tree */
	char *mount; /* lxc.rootfs.mount */
	char *options; /* as written */
	char *disk;    /* lxc.limit.disk as written; NULL: no limit */
	bool managed;  /* false: destroying the container leaves it alone */
};

const struct rootfs_conf *rootfs_conf_of(const struct conf *c);
/* Are its files those of root of the host, mapped when they are mounted (idmap=container)? */
bool rootfs_is_idmapped(const struct conf *c);

#endif

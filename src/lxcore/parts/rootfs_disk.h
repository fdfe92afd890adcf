/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How much the root filesystem may hold (lxc.limit.disk): rootfs_disk.c. */
#ifndef LXCORE_PARTS_ROOTFS_DISK_H
#define LXCORE_PARTS_ROOTFS_DISK_H

#include "parts/rootfs.h"

extern const struct conf_type rootfs_disk_type;

/* As it is configured, NULL: not; and what that is in bytes. */
const char *rootfs_disk_limit(const struct conf *c, int64_t *ret_bytes);
/* Can it be kept?  No side effects. */
int rootfs_disk_check(const struct conf *c, struct error *err);
/* At a start, before it is mounted. */
int rootfs_disk_apply(const struct conf *c, struct error *err);
/* The setting was changed: a quota at once; a size at the next start (EBUSY: it runs). */
int rootfs_disk_change(const struct conf *from, const struct conf *to, bool running,
		       struct error *err);

#endif

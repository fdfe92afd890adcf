/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Sharing a container's contents without copying them: its layers (storage/overlay.h) stop growing, and
 * it goes on in a fresh one.  A plain directory becomes the lowest layer where it is.
 */
#ifndef LXCORE_STORE_LAYERS_H
#define LXCORE_STORE_LAYERS_H

#include "storage/overlay.h"
#include "store/hold.h"

/* Can that be done?  ENOTSUP with the reason. */
int layers_check(struct lxcore_container *c, struct error *err);
/*
 * After this all that the container has now lies in lower layers.  Where something must be changed for
 * that it must be stopped (EBUSY), and is held alone meanwhile; it is held shared before and after.
 */
int layers_seal(struct hold *h, struct error *err);
/* Set lxc.rootfs.path in the stored configuration: from one moment to the next. */
int layers_switch(struct lxcore_container *c, const char *rootfs, struct error *err);
/* Paths that the root filesystems of the container at 'dir' and of its snapshots, 'but' one (or NULL),
 * consist of; -1 with errno. */
int layers_used_by(const char *dir, const char *but, struct strv *ret);
/* Remove layers and root filesystems in the container's directory that neither it nor a snapshot nor
 * a clone uses; held alone. */
int layers_sweep(struct lxcore_container *c, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots, as the files of this room share them. */
#ifndef LXCORE_STORE_SNAPSHOT_H
#define LXCORE_STORE_SNAPSHOT_H

#include "base/tree.h"
#include "store/clone.h"
#include "store/layers.h"

/* LXCPATH/NAME/snaps; to be freed. */
char *snapshot_dir(const struct lxcore_container *c);
/* One of them; NULL with ENOENT and the names of those that there are. */
lxcore_container *snapshot_open(lxcore_container *c, const char *name, struct error *err);
/* Remove all of them; the container is held alone. */
int snapshot_remove_all(lxcore_container *c, struct error *err);
/* The one that the container's contents stand on: its name, to be freed; NULL: none. */
char *snapshot_current(const struct lxcore_container *c);
/* They do so from now on. */
void snapshot_set_current(const struct lxcore_container *c, const char *name);
/* Write what is known of a snapshot into its directory: when, why, on top of which. */
int snapshot_write_notes(const char *dir, const struct lxcore_snapshot *s, struct error *err);

#endif

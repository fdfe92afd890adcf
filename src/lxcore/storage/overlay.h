/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems in layers, as the store sees them: SOURCE is 'LOWER[:LOWER...]:UPPER', the topmost
 * lower layer first.  What the container writes goes to UPPER; lower layers never change.
 *
 * That is what makes copies instant: a layer that is not written any more can be shared.  To *seal* a
 * container means to let its present UPPER be its topmost lower layer and to give it a fresh one.
 * Nothing is moved for that; only the source, a line of its configuration, becomes another.
 */
#ifndef LXCORE_STORAGE_OVERLAY_H
#define LXCORE_STORAGE_OVERLAY_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* The kernel takes 500; each costs a look-up for a name that is nowhere. */
#define OVERLAY_MOST_LAYERS 100

struct overlay {
	struct strv lower; /* topmost first */
	char *upper, *work; /* work: where the kernel prepares what goes to upper */
};
#define autooverlay __attribute__((cleanup(overlay_free)))

/* EINVAL: it is no list of absolute paths.  overlay_free() in both cases. */
int overlay_parse(const char *source, struct overlay *ret, struct error *err);
void overlay_free(struct overlay *o);
/* The source again; NULL when memory ran out. */
char *overlay_source(const struct overlay *o);

/* Make its UPPER and work directories, empty; the tree's topmost directory keeps owner, mode and
 * attributes. */
int overlay_make_upper(const struct overlay *o, struct error *err);
/* Was something written?  1, 0; -1 with the error. */
int overlay_is_written(const struct overlay *o, struct error *err);
/*
 * The container at 'dir' goes on above what it has now: its UPPER, or the plain directory 'rootfs'
 * when 'o' is empty, becomes the topmost lower layer, and UPPER a name in 'dir' that is not in use.
 */
int overlay_push(struct overlay *o, const char *dir, const char *rootfs, struct error *err);
/* Another UPPER: a name in 'dir' that is not in use.  Makes nothing. */
int overlay_fresh_upper(struct overlay *o, const char *dir, struct error *err);

/* A descriptor (O_PATH) of a layer's directory. */
int overlay_open_layer(const char *path, struct error *err);
/*
 * A detached mount.  With "tmpfs" among the options all layers, UPPER too, are only read, and what is
 * written stays in memory and goes with the mount.  'users' map the owners of the layers' files (Linux
 * 6.13).
 */
int overlay_mount(const char *source, const char *const *options, struct error *err);
struct storage_users;
int overlay_mount_mapped(const char *source, const char *const *options,
			 const struct storage_users *users, struct error *err);
/* A detached mount for reading all layers, UPPER among them, while UPPER is mounted elsewhere too but
 * not written: its container stands still. */
int overlay_look_still(const char *source, struct error *err);

/* Can UPPER lie in this directory?  ENOTSUP with the reason. */
int overlay_check_place(const char *dir, struct error *err);

#endif

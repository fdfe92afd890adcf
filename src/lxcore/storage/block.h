/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filesystems on block devices, for the drivers that have one: made, recognised, mounted, grown.
 * Each mount is detached: it lasts as long as its descriptor, or until that is put in a place.
 */
#ifndef LXCORE_STORAGE_BLOCK_H
#define LXCORE_STORAGE_BLOCK_H

#include "storage/storage.h"

#define BLOCK_DEFAULT_SIZE (1ULL << 30)
#define BLOCK_DEFAULT_FSTYPE "ext4"

/* Of what a new one shall be, with the defaults. */
uint64_t block_wanted_size(const struct storage_new *new);
const char *block_wanted_fstype(const struct storage_new *new);
/* Can a filesystem of that type be made here? */
int block_need_mkfs(const struct storage_new *new, struct error *err);
/* Make the wanted one on a device, or in a file. */
int block_make_fs(const char *device, const struct storage_new *new, struct error *err);
/* Give the topmost directory of a mounted one to the container's root. */
int block_give(int root, const char *source, const struct storage_new *new, struct error *err);
/* What lies on a device or in a file, by its signature; NULL: none that we know. */
const char *block_fstype(const char *device);
/* Mount it; 'options' (or NULL) are the filesystem's own. */
int block_mount(const char *device, const char *const *options, struct error *err);
/* A copy of a device shall not be taken for the device itself where the filesystem minds. */
int block_new_identity(const char *device, struct error *err);
/* What is mounted shall be on its device: before a copy of that is made. */
int block_sync(int root, const char *source, struct error *err);
/* Size of a device, bytes; 0: it is none. */
uint64_t block_size(const char *device);
/* Is there a block device?  'what' names it in the error: "logical volume". */
int block_check(const char *device, const char *what, struct error *err);
/* Make a mounted filesystem as large as its device has become. */
int block_grow_fs(int root, const char *source, uint64_t size, struct error *err);

#endif

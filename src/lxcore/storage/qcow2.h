/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Disk images of qemu, as the nbd driver needs them: what a file is, made, and copied at once.
 *
 * A copy is made of what nobody writes any more.  So the present file of an image becomes a *base*,
 * and both the image and its copy go on as thin files above it.  A base has a name of its own and
 * one hard link beside each image that stands on it; references are relative.  Each image thus has
 * all that it needs beside it, and the filesystem counts who still needs a base.
 */
#ifndef LXCORE_STORAGE_QCOW2_H
#define LXCORE_STORAGE_QCOW2_H

#include "base/error.h"

#include <stdint.h>

/* "qcow2" or "raw", by its first bytes; NULL when it cannot be read. */
const char *qcow2_format(const char *file);
/* Size of the disk in it, bytes; 0: unknown. */
uint64_t qcow2_size(const char *file);
int qcow2_create(const char *file, uint64_t size, struct error *err);
int qcow2_snapshot(const char *from, const char *file, struct error *err);
/* Remove it, and the bases beside it. */
int qcow2_remove(const char *file, struct error *err);

#endif

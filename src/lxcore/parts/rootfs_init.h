/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Will the root filesystem's init run here?  Of the rootfs part's check door. */
#ifndef LXCORE_PARTS_ROOTFS_INIT_H
#define LXCORE_PARTS_ROOTFS_INIT_H

#include "parts/part.h"

/* 'root' is a descriptor of the root filesystem, 'source' its name for messages. */
int rootfs_check_init(const struct boot *b, const char *source, int root, struct error *err);

/* What an ELF header's machine is called ("aarch64"), or NULL. */
const char *rootfs_machine_name(unsigned machine);
/*
 * Does one registration of binfmt_misc (the text of its file in /proc/sys/fs/binfmt_misc) apply to
 * a program that begins with these bytes?
 */
bool rootfs_binfmt_matches(const char *registration, const unsigned char *head, size_t n);

#endif

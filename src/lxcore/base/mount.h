/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounts as descriptors (the mount API of Linux 5.2 and later: fsopen(2), open_tree(2),
 * move_mount(2), mount_setattr(2)).  A mount is made or copied first, detached, gets its
 * attributes, and is put in its place last, so nobody sees it half made and no name is resolved
 * twice.
 */
#ifndef LXCORE_BASE_MOUNT_H
#define LXCORE_BASE_MOUNT_H

#include "buf.h"
#include "error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/mount.h>

/* What mount_place() does to a mount besides putting it in its place. */
struct mount_change {
	uint64_t set, clear;  /* MOUNT_ATTR_*; of the whole tree, unless: */
	bool shallow;         /* of the topmost mount alone */
	uint64_t propagation; /* MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE; 0: as it is */
	bool propagation_recursive;
};

/* The words of a mount option string, taken apart. */
struct mount_options {
	struct mount_change change;
	bool bind, recursive, move, remount;
	struct strv super; /* of the superblock: "ro", "sync", "dirsync" ...; not for bind mounts */
	struct strv data;  /* what is none of ours: the filesystem's own, "size=1M" */
	char *idmap;       /* what 'idmap=' says; NULL: it is not there */
};

/*
 * Take a comma list apart ("quotes" keep commas).  Names are compared whole: 'rolex=1' is not 'ro'.
 * 0, or -1 when memory ran out.  mount_options_free() in both cases.
 */
int mount_options_parse(const char *text, struct mount_options *ret);
void mount_options_free(struct mount_options *o);

/*
 * A new, detached mount of a filesystem.  Options are 'name' or 'name=value', the source among them
 * ('source=/dev/sdb1'); NULL ends the list.  'attributes' are MOUNT_ATTR_*.
 */
int mount_new(const char *fstype, const char *const *options, unsigned attributes,
	      struct error *err);
/* A detached copy of the mount (recursive: and of those below it) that 'path' shows from 'dir';
 * path "": of 'dir' itself.  -1 with errno. */
int mount_copy(int dir, const char *path, bool recursive);
/*
 * Put a mount onto 'name' in 'dir' ("": onto 'dir' itself), after changing its attributes ('change'
 * may be NULL).  A symbolic link is not followed.  -1 with errno.
 */
int mount_place(int tree, int dir, const char *name, const struct mount_change *change);
/* Change a mount that has its place. -1 with errno. */
int mount_alter(int mount, const struct mount_change *change);
/*
 * Show the owners of a detached mount's files as a user namespace maps them: what belongs to id 0 of
 * the filesystem belongs to that namespace's root.  'users' is a descriptor of the namespace, as
 * userns_open() gives it.  Needs CAP_SYS_ADMIN over the filesystem (mount_setattr(2), Linux 5.12).
 */
int mount_idmap(int tree, int users, bool recursive, struct error *err);
/* Open a user namespace by the path of its file and see that it is one. */
int userns_open(const char *path, struct error *err);

#endif

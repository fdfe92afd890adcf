/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The mounts part's own rooms: automatic mounts (mounts_auto.c) and those of cgroups. */
#ifndef LXCORE_PARTS_MOUNTS_H
#define LXCORE_PARTS_MOUNTS_H

#include "parts/mount_entry.h"
#include "parts/part.h"

enum access { ACCESS_NONE, ACCESS_DEFAULT, ACCESS_MIXED, ACCESS_RO, ACCESS_RW };

struct mounts_auto { /* lxc.mount.auto */
	enum access proc, sys, cgroup;
	enum { SHOW_OWN, SHOW_FULL, SHOW_V2 } show;
	bool force; /* mount cgroups although init could do it itself */
	struct mount_entries shared; /* shmounts: one at most, as the entry that it stands for */
};

struct mounts_places { /* lxc.mount.mask, lxc.mount.readonly */
	struct strv mask, readonly;
};

extern const struct conf_type mounts_auto_type, mounts_places_type;

/* /proc and /sys; the cgroups, which come after the entries. */
int mounts_auto_enter(struct boot *b, const struct mounts_auto *a, const struct mounts_places *p,
		      struct error *err);
int mounts_cgroup_enter(struct boot *b, const struct mounts_auto *a, struct error *err);
/* Whether what is mounted in the directory of the host will be seen in the container (shmounts). */
int mounts_shared_check(const struct mounts_auto *a, struct error *err);

/* Whether the container keeps a capability ("net_admin", its number 12). */
bool mounts_keeps_capability(const struct conf *c, const char *name, int number);
/* A directory below the root, made when missing; its last name must not be a link. */
int mounts_open_directory(const struct boot *b, const char *path, struct error *err);

/*
 * Cover the places of a procfs or sysfs ('below': "/proc/" or "/sys/").  First, before it is mounted on
 * 'at': *ret is what masks are made of, or left alone when there is nothing to mask.  Then, once it is.
 */
int mounts_make_blanks(const struct mounts_places *p, const char *below, int at, int *ret,
		       struct error *err);
int mounts_protect(const struct mounts_places *p, int mount, const char *below, int blanks,
		   struct error *err);
/* Cover a place of a filesystem with a read-only copy of itself. */
int mounts_make_read_only(int mount, const char *place, struct error *err);

#endif

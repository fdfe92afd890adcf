/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One line of lxc.mount.entry or of an fstab: its text taken apart.  Of the mounts part. */
#ifndef LXCORE_PARTS_MOUNT_ENTRY_H
#define LXCORE_PARTS_MOUNT_ENTRY_H

#include "base/mount.h"
#include "config/conf.h"

struct mount_entry {
	char *text;   /* as written */
	char *origin; /* "FILE:LINE" of an fstab's; NULL: from the configuration */
	char *source, *target, *fstype;
	struct mount_options options; /* without those below */
	enum { CREATE_NOTHING, CREATE_DIR, CREATE_FILE } create;
	bool optional; /* whatever goes wrong with it does not matter */
	bool relative; /* the source is inside the root filesystem */
	int opened;    /* inside only: the source, opened while we were still the caller; -1 */
};

struct mount_entries {
	struct mount_entry *v;
	size_t n;
};

/* 'SOURCE TARGET TYPE [OPTIONS [N N]]' as of fstab(5); -1 with what is wrong with it. */
int mount_entry_parse(const char *line, struct mount_entry *ret, struct error *err);
/* Add a line to a list. */
int mount_entries_add(struct mount_entries *list, const char *line, const char *origin,
		      struct error *err);
/* Add the lines of an fstab(5). */
int mount_entries_read(struct mount_entries *list, const char *file, struct error *err);
void mount_entries_free(struct mount_entries *list);

#endif

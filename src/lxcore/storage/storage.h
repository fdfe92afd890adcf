/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where root filesystems live: one driver a file behind one table of operations.
 *
 * lxc.rootfs.path is '[TYPE:]SOURCE'.  storage_parse() takes it apart and finds the driver; what
 * SOURCE means is the driver's business (a directory, layers, a block device, a dataset ...).
 *
 * A new one comes about in steps, so that whoever finds a half-made container can put things right:
 * 'place' only gives it a name, the caller writes that name down (the new container's
 * configuration), and 'create' or 'snapshot' make it.  What was never made is destroyed without
 * complaint.  Copying is nobody's own: it is create, and the tree copier between two descriptors.
 */
#ifndef LXCORE_STORAGE_STORAGE_H
#define LXCORE_STORAGE_STORAGE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct storage_driver;

/* What a new one shall be like, as lxc-create(1) and lxc-copy(1) say it; NULL, 0: the default. */
struct storage_spec {
	const char *dir;      /* dir: its place */
	const char *fstype;   /* of what lies on a device: "ext4" */
	uint64_t size;        /* of such a device, bytes */
	const char *vg, *lv, *thinpool;
	const char *rbd_name, *rbd_pool, *rbd_user;
	const char *zfs_root;
};

struct storage {
	const struct storage_driver *driver;
	const char *source; /* points into the text that was parsed */
};

/* Whose a new one is. */
struct storage_new {
	const char *name;  /* of the container */
	const char *dir;   /* of the container: LXCPATH/NAME */
	const struct storage *from; /* what it will be a snapshot of; NULL: it begins empty */
	const struct storage *model; /* what will be copied into it then; NULL */
	const char *variant; /* added to its place's last name: ".1", where the other is in use; NULL */
	struct storage_spec spec;
	uid_t uid;         /* on this host, of its topmost directory */
	gid_t gid;
};

/* A user namespace, and who its root is on this host. */
struct storage_users {
	int fd;
	uid_t uid;
	gid_t gid;
};

struct storage_driver {
	const char *name; /* TYPE: "dir" */
	/*
	 * It is mounted by the supervisor, which may do so where the container's root may not, and
	 * before the container's first process is born.  Else that process mounts it, after the
	 * pre-mount hooks, which may have prepared its place.
	 */
	bool mounted_outside;
	/* While it is mounted nobody else can look into it: it is a filesystem in a file. */
	bool alone;

	/* Can this host make one, or a snapshot of 'new->from' (ENOTSUP: make a copy)?  NULL: yes. */
	int (*usable)(const struct storage_new *new, struct error *err);
	/* Is there something at 'source' that can be mounted?  No side effects. */
	int (*check)(const char *source, struct error *err);
	/*
	 * A descriptor of the root filesystem's directory, for reading and writing it from the host
	 * (checks, copies); what must be mounted for that is mounted for the descriptor alone.
	 */
	int (*look)(const char *source, struct error *err);
	/* A detached mount of it, for move_mount(2).  'options' are the filesystem's own
	 * (lxc.rootfs.options without what concerns the mount), ended by NULL; or NULL. */
	int (*mount)(const char *source, const char *const *options, struct error *err);
	/*
	 * It is a device of this host only while somebody needs it: look, mount, create, snapshot
	 * connect it where it is not, and that outlives us.  When descriptors and mounts are gone
	 * this gives it back; what is not connected is fine, and it waits a few seconds at most for
	 * the last mounts to go.  Who means to call it writes that down before he lets connect.
	 * NULL: there is nothing to give back.
	 */
	int (*disconnect)(const char *source, struct error *err);

	/* The same, its files' owners mapped by a user namespace.  NULL: what 'mount' gives can be
	 * mapped as a whole (mount_idmap). */
	int (*mount_mapped)(const char *source, const char *const *options,
			    const struct storage_users *users, struct error *err);

	/* What a new one's SOURCE is; to be freed.  Makes nothing.  EEXIST: there is something of that
	 * name, which is somebody else's. */
	int (*place)(const struct storage_new *new, char **ret_source, struct error *err);
	/* Make an empty one at such a place.  EEXIST: there is one, which must not be destroyed. */
	int (*create)(const char *source, const struct storage_new *new, struct error *err);
	/* Make one with the contents of 'from', at once, whatever their size; from then on they
	 * differ.  NULL: it cannot. */
	int (*snapshot)(const struct storage *from, const char *source,
			const struct storage_new *new, struct error *err);
	/* Does one that 'snapshot' makes of 'source' need that from then on?  NULL: no. */
	bool (*depends)(const char *source);
	/* Can it be removed, whatever 'snapshot' made of it?  EBUSY names who cannot be without it.
	 * NULL: it can, and these stand alone from then on. */
	int (*removable)(const char *source, struct error *err);
	/* Remove it and all that is in it; not being there is fine.  Stays on its filesystem. */
	int (*destroy)(const char *source, struct error *err);
	/* The container gets another name: what its source becomes.  NULL: it lies in the
	 * container's directory and goes with that. */
	int (*rename)(const char *source, const struct storage_new *new, char **ret_source,
		      struct error *err);
	/* Let it hold so many bytes at most, 0: as many as there is room for.  'only_try': tell whether
	 * that can be, and change nothing.  NULL: it cannot. */
	int (*limit)(const char *source, uint64_t bytes, bool only_try, struct error *err);
	/* Make it larger (bytes).  NULL: it has no size of its own. */
	int (*grow)(const char *source, uint64_t size, struct error *err);
	/* Its size in bytes, for a copy's; 0: it has none of its own.  NULL: likewise. */
	uint64_t (*size)(const char *source);
};

/*
 * EINVAL: no such type.  Without TYPE what is at SOURCE decides; where nothing is there it is taken
 * for a directory.
 */
int storage_parse(const char *text, struct storage *ret, struct error *err);
/* What follows 'TYPE:', without asking which drivers there are. */
const char *storage_source(const char *text);
/* By its TYPE; NULL when there is no such driver. */
const struct storage_driver *storage_driver_find(const char *name);
/*
 * The driver for a new one: 'wanted' is a TYPE, a list of them ("zfs,btrfs,dir": the first that this
 * host can make), or 'best'; NULL: dir.
 */
const struct storage_driver *storage_choose(const char *wanted, const struct storage_new *new,
					    struct error *err);

/*
 * What a new one outside of the container's directory is called, with the variant; to be freed.  A
 * snapshot's own name is the same for every container, so it is NAME_snap0.  NULL: out of memory.
 */
char *storage_new_name(const struct storage_new *new);
/*
 * What a new one of this driver is made of, as a snapshot or by copying: it belongs beside that, in
 * the same volume group or pool.  NULL: that is of another type, or nothing.
 */
const char *storage_beside(const struct storage_new *new, const struct storage_driver *driver);

extern const struct storage_driver storage_dir;
extern const struct storage_driver storage_overlay;
extern const struct storage_driver storage_btrfs;
extern const struct storage_driver storage_loop;
extern const struct storage_driver storage_lvm;
extern const struct storage_driver storage_zfs;
extern const struct storage_driver storage_rbd;
extern const struct storage_driver storage_nbd;

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems that are a dataset of ZFS, SOURCE: 'POOL/.../NAME'.  A snapshot of one is made of
 * a snapshot in the sense of ZFS, SOURCE@NEW, and a clone of that; both go together.
 */
#include "base/auto.h"
#include "base/mount.h"
#include "config/global.h"
#include "storage/block.h"
#include "storage/tool.h"

#include <ctype.h>
#include <string.h>

#define ABSENT "does not exist"

/* ---- names ---- */

/* It becomes part of a command: no option, no snapshot, only what ZFS takes. */
static int check_name(const char *dataset, struct error *err)
{
	const char *at = dataset;

	while (isalnum((unsigned char)*at) || (*at && strchr("/_.:-", *at)))
		at++;
	if (!*at && isalpha((unsigned char)*dataset) && !strstr(dataset, "//") &&
	    !str_ends(dataset, "/") && strlen(dataset) < 256)
		return 0;
	return error_set(err, EINVAL, "cannot use \"%s\" as a dataset of ZFS: that is no name of one",
			 dataset);
}

static const char *last_name(const char *dataset)
{
	const char *slash = strrchr(dataset, '/');

	return slash ? slash + 1 : dataset;
}

/* Length of 'POOL/...' in front of the last name. */
static int parent_length(const char *dataset)
{
	const char *slash = strrchr(dataset, '/');

	return slash ? (int)(slash - dataset) : 0;
}

/* A dataset beside another one, to be freed. */
static char *beside(const char *dataset, const char *name)
{
	int n = parent_length(dataset);

	return n ? str_printf("%.*s/%s", n, dataset, name) : NULL;
}

/* What it was cloned from, or "-".  1; 0: there is no such dataset; -1. */
static int ask_origin(const char *dataset, char **ret, struct error *err)
{
	const char *const argv[] = {"zfs", "get", "-H", "-p", "-o", "value", "origin", dataset, NULL};
	autobuf struct buf out = BUF_INIT;
	int status = tool_run(argv, 1, &out, err);

	if (status < 0)
		return -1;
	*ret = tool_line(&out);
	if (!*ret)
		return error_set(err, ENOMEM, "out of memory");
	if (status == 0)
		return 1;
	if (tool_said(&out, ABSENT))
		return 0;
	return error_set(err, EIO, "cannot look at the dataset \"%s\": %s", dataset, *ret);
}

static int refuse_existing(const char *dataset, struct error *err)
{
	autofree char *origin = NULL;
	int there = check_name(dataset, err) < 0 ? -1 : ask_origin(dataset, &origin, err);

	if (there <= 0)
		return there;
	return error_set(err, EEXIST, "cannot make the dataset \"%s\": there is one already", dataset);
}

/* ---- the driver ---- */

static int zfs_check(const char *source, struct error *err)
{
	autofree char *origin = NULL;
	int there = check_name(source, err) < 0 ? -1 : ask_origin(source, &origin, err);

	if (there)
		return there < 0 ? -1 : 0;
	return error_set(err, ENOENT, "cannot find the dataset \"%s\"", source);
}

static int zfs_mount(const char *source, const char *const *options, struct error *err)
{
	autofree char *word = str_printf("source=%s", source);
	autostrv struct strv all = {0};
	int tree;

	if (!word || strv_take(&all, steal_ptr(&word)) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (; options && *options; options++)
		if (strv_add(&all, *options) < 0)
			return error_set(err, ENOMEM, "out of memory");
	tree = mount_new("zfs", (const char *const *)all.v, 0, err);
	if (tree >= 0)
		return tree;
	error_within(err, "cannot mount the dataset \"%s\"", source);
	return err && err->code == ENODEV ? error_mend(err, "modprobe zfs") : -1;
}

static int zfs_look(const char *source, struct error *err)
{
	return zfs_mount(source, NULL, err);
}

static int root_dataset(const struct storage_new *new, char **ret, struct error *err)
{
	if (!new->spec.zfs_root)
		return global_get("lxc.bdev.zfs.root", ret, err);
	*ret = strdup(new->spec.zfs_root);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int zfs_usable(const struct storage_new *new, struct error *err)
{
	autofree char *root = NULL, *origin = NULL, *pool = NULL;
	int there;

	if (storage_beside(new, &storage_zfs))
		return tool_need("zfs", err);
	if (root_dataset(new, &root, err) < 0 || check_name(root, err) < 0)
		return -1;
	/* Datasets on the way are made, a pool is not. */
	pool = strndup(root, strcspn(root, "/"));
	there = pool ? ask_origin(pool, &origin, err) : error_set(err, ENOMEM, "out of memory");
	if (there > 0)
		return 0;
	if (there == 0)
		error_set(err, ENOENT, "there is no such pool");
	error_within(err, "cannot make datasets in \"%s\"", root);
	return error_mend(err, "name one with --zfsroot, or with lxc.bdev.zfs.root in lxc.conf; zpool "
			  "list shows the pools that there are");
}

static int zfs_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	autofree char *root = NULL, *dataset = NULL, *name = storage_new_name(new);
	const char *neighbour = storage_beside(new, &storage_zfs);

	if (!name)
		return error_set(err, ENOMEM, "out of memory");
	if (neighbour)
		dataset = beside(neighbour, name);
	else if (root_dataset(new, &root, err) < 0)
		return -1;
	else
		dataset = str_printf("%s/%s", root, name);
	if (!dataset)
		return error_set(err, EINVAL, "cannot find a place for a dataset beside \"%s\"",
				 neighbour ? neighbour : root);
	if (refuse_existing(dataset, err) < 0)
		return -1;
	*ret_source = steal_ptr(&dataset);
	return 0;
}

/* The property that says where it belongs, for whoever mounts it by hand. */
static char *mountpoint_of(const struct storage_new *new)
{
	return str_printf("mountpoint=%s/rootfs", new->dir);
}

static int zfs_create(const char *source, const struct storage_new *new, struct error *err)
{
	autofree char *place = mountpoint_of(new);
	const char *const argv[] = {"zfs", "create", "-o", place, "-o", "canmount=noauto", "-p", source,
				    NULL};
	autoclose int root = -1;

	if (!place)
		return error_set(err, ENOMEM, "out of memory");
	/* 'zfs create -p' is content with a dataset that is there. */
	if (refuse_existing(source, err) < 0)
		return -1;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make the dataset \"%s\"", source);
	root = zfs_look(source, err);
	return root < 0 ? -1 : block_give(root, source, new, err);
}

static int zfs_snapshot(const struct storage *from, const char *source,
			const struct storage_new *new, struct error *err)
{
	autofree char *snapshot = str_printf("%s@%s", from->source, last_name(source));
	autofree char *place = mountpoint_of(new);
	const char *const take[] = {"zfs", "snapshot", "-r", snapshot, NULL};
	const char *const clone[] = {"zfs", "clone", "-p", "-o", "canmount=noauto", "-o", place,
				     snapshot, source, NULL};
	const char *const undo[] = {"zfs", "destroy", "-r", snapshot, NULL};

	if (from->driver != &storage_zfs)
		return error_set(err, ENOTSUP, "cannot make a snapshot of %s storage in ZFS",
				 from->driver->name);
	if (!snapshot || !place)
		return error_set(err, ENOMEM, "out of memory");
	if (check_name(from->source, err) < 0 || refuse_existing(source, err) < 0)
		return -1;
	if (tool_run(take, 0, NULL, err) < 0)
		return error_within(err, "cannot make a snapshot of the dataset \"%s\"", from->source);
	if (tool_run(clone, 0, NULL, err) == 0)
		return 0;
	tool_run(undo, 0, NULL, NULL);
	return error_within(err, "cannot make the dataset \"%s\" from \"%s\"", source, snapshot);
}

static bool zfs_depends(const char *source)
{
	return true;
}

/* The snapshot that was made for this dataset alone is called like it, so that both go together. */
static int rename_origin(const char *source, const char *renamed, struct error *err)
{
	autofree char *origin = NULL, *now = NULL;
	const char *at;

	if (ask_origin(renamed, &origin, err) < 0)
		return -1;
	at = strchr(origin, '@');
	if (!at || strcmp(at + 1, last_name(source)) != 0)
		return 0;
	now = str_printf("%.*s@%s", (int)(at - origin), origin, last_name(renamed));
	const char *const argv[] = {"zfs", "rename", "-r", origin, now, NULL};

	if (!now)
		return error_set(err, ENOMEM, "out of memory");
	if (tool_run_patiently(argv, "busy", err) < 0)
		return error_within(err, "cannot rename the snapshot \"%s\" of ZFS", origin);
	return 0;
}

/* A clone of its latest snapshot that has one, to be freed.  1; 0: there is none; -1. */
static int latest_clone(const char *dataset, char **ret, struct error *err)
{
	const char *const argv[] = {"zfs", "list", "-H", "-p", "-t", "snapshot", "-d", "1", "-s",
				    "createtxg", "-o", "name,clones", dataset, NULL};
	autobuf struct buf out = BUF_INIT;
	autostrv struct strv lines = {0};

	if (tool_run(argv, 0, &out, err) < 0)
		return error_within(err, "cannot tell what was cloned from \"%s\"", dataset);
	if (out.s && strv_split(&lines, out.s, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = lines.n; i-- > 0;) {
		const char *clones = strchr(lines.v[i], '\t');

		if (!clones || !*++clones || strcmp(clones, "-") == 0)
			continue;
		*ret = strndup(clones, strcspn(clones, ","));
		return *ret ? 1 : error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

/* What was cloned from it stands by itself from now on (zfs-promote(8)): it takes over all that others
 * have in common. */
static int hand_over(const char *dataset, struct error *err)
{
	autofree char *clone = NULL;
	int there = latest_clone(dataset, &clone, err);
	const char *const argv[] = {"zfs", "promote", clone, NULL};

	if (there <= 0)
		return there;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot let \"%s\" stand without \"%s\"", clone, dataset);
	return rename_origin(dataset, clone, err);
}

/* The snapshot that was made for this dataset alone goes with it, also where it is another's now. */
static int destroy_origin(const char *source, const char *origin, struct error *err)
{
	const char *at = strchr(origin, '@');
	const char *const argv[] = {"zfs", "destroy", "-r", origin, NULL};
	size_t n = at ? strlen(at + 1) : 0;

	if (!at || (strcmp(at + 1, last_name(source)) != 0 &&
		    strncmp(last_name(origin), at + 1, n) != 0))
		return 0;
	if (tool_run_patiently(argv, "busy", err) < 0)
		return error_within(err, "cannot remove the snapshot \"%s\" of ZFS", origin);
	return 0;
}

static int zfs_destroy(const char *source, struct error *err)
{
	const char *const argv[] = {"zfs", "destroy", "-r", source, NULL};
	autofree char *before = NULL, *origin = NULL;
	int there = check_name(source, err) < 0 ? -1 : ask_origin(source, &before, err);

	if (there <= 0)
		return there;
	if (!parent_length(source))
		return error_set(err, EINVAL, "cannot remove the dataset \"%s\": it is a whole pool",
				 source);
	if (hand_over(source, err) < 0 || ask_origin(source, &origin, err) < 0)
		return -1;
	if (tool_run_patiently(argv, "busy", err) < 0)
		return error_within(err, "cannot remove the dataset \"%s\"", source);
	return destroy_origin(source, origin, err);
}

static int rename_dataset(const char *source, const char *renamed, struct error *err)
{
	const char *const argv[] = {"zfs", "rename", source, renamed, NULL};
	autofree char *origin = NULL, *other = NULL;
	int there = ask_origin(source, &origin, err);
	int taken = there < 0 ? -1 : ask_origin(renamed, &other, err);

	if (taken < 0)
		return -1;
	/* One that was killed half-way has renamed it already. */
	if (taken)
		return there ? refuse_existing(renamed, err) : 0;
	if (tool_run_patiently(argv, "busy", err) < 0)
		return error_within(err, "cannot rename the dataset \"%s\"", source);
	return 0;
}

static int zfs_rename(const char *source, const struct storage_new *new, char **ret_source,
		      struct error *err)
{
	autofree char *renamed = beside(source, new->name);

	if (check_name(source, err) < 0)
		return -1;
	if (!renamed)
		return error_set(err, EINVAL, "cannot rename the dataset \"%s\"", source);
	if (rename_dataset(source, renamed, err) < 0 || rename_origin(source, renamed, err) < 0)
		return -1;
	*ret_source = steal_ptr(&renamed);
	return 0;
}

static int zfs_limit(const char *source, uint64_t bytes, bool only_try, struct error *err)
{
	autofree char *quota = bytes ? str_printf("quota=%llu", (unsigned long long)bytes) :
				       strdup("quota=none");
	const char *const argv[] = {"zfs", "set", quota, source, NULL};

	if (check_name(source, err) < 0)
		return -1;
	if (!quota)
		return error_set(err, ENOMEM, "out of memory");
	if (only_try || tool_run(argv, 0, NULL, err) == 0)
		return 0;
	return error_within(err, "cannot limit the dataset \"%s\"", source);
}

const struct storage_driver storage_zfs = {
	.name = "zfs",
	.mounted_outside = true,
	.usable = zfs_usable,
	.check = zfs_check,
	.look = zfs_look,
	.mount = zfs_mount,
	.place = zfs_place,
	.create = zfs_create,
	.snapshot = zfs_snapshot,
	.depends = zfs_depends,
	.destroy = zfs_destroy,
	.rename = zfs_rename,
	.limit = zfs_limit,
};

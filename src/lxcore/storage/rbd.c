/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems on an image of a Ceph cluster, SOURCE: /dev/rbd/POOL/NAME, the device that it has
 * while it is mapped.  Whoever mounts it maps it when it is not; storage.h's 'disconnect' unmaps it.
 */
#include "base/auto.h"
#include "config/global.h"
#include "storage/block.h"
#include "storage/tool.h"

#include <stdio.h>
#include <string.h>

#define MIB (1ULL << 20)

struct image {
	char pool[128], name[128];
	char path[260]; /* "POOL/NAME" */
};

static int parse_image(const char *source, struct image *ret, struct error *err)
{
	char more;

	if (sscanf(source, "/dev/rbd/%127[A-Za-z0-9+_.:-]/%127[A-Za-z0-9+_.:-]%c", ret->pool,
		   ret->name, &more) == 2 &&
	    *ret->pool != '-' && *ret->name != '-') {
		snprintf(ret->path, sizeof(ret->path), "%s/%s", ret->pool, ret->name);
		return 0;
	}
	return error_set(err, EINVAL, "cannot use \"%s\" as an image of Ceph: that is not "
			 "/dev/rbd/POOL/NAME", source);
}

/* 'rbd [--id USER] WORD...'; 'words' end with NULL. */
static int run_rbd(const struct storage_new *new, const char *const *words, int fine,
		   struct buf *output, bool patient, struct error *err)
{
	autofree char *user = NULL;
	autostrv struct strv argv = {0};

	if (new && new->spec.rbd_user)
		user = strdup(new->spec.rbd_user);
	else if (global_get("lxc.bdev.rbd.rbduser", &user, err) < 0)
		return -1;
	if (strv_add(&argv, "rbd") < 0 ||
	    (user && (strv_add(&argv, "--id") < 0 || strv_add(&argv, user) < 0)))
		return error_set(err, ENOMEM, "out of memory");
	for (; *words; words++)
		if (strv_add(&argv, *words) < 0)
			return error_set(err, ENOMEM, "out of memory");
	return patient ? tool_run_patiently((const char *const *)argv.v, "busy", err) :
			 tool_run((const char *const *)argv.v, fine, output, err);
}

#define RBD(new, err, ...) \
	run_rbd(new, (const char *const[]){__VA_ARGS__, NULL}, 0, NULL, false, err)

/* What it is a clone of ("POOL/NAME@SNAPSHOT", or "").  1; 0: there is no such image; -1. */
static int ask_parent(const struct storage_new *new, const struct image *image, char **ret,
		      struct error *err)
{
	const char *const words[] = {"info", image->path, NULL};
	autobuf struct buf out = BUF_INIT;
	int status = run_rbd(new, words, 2, &out, false, err);
	const char *parent;

	if (status < 0)
		return -1;
	if (status && tool_said(&out, "No such file or directory"))
		return 0;
	if (status) {
		autofree char *line = tool_line(&out);

		return error_set(err, EIO, "cannot look at the image \"%s\": %s", image->path, line);
	}
	parent = out.s ? strstr(out.s, "parent: ") : NULL;
	parent = parent ? parent + strlen("parent: ") : "";
	*ret = strndup(parent, strcspn(parent, " \n"));
	return *ret ? 1 : error_set(err, ENOMEM, "out of memory");
}

static int refuse_existing(const struct storage_new *new, const char *source, struct error *err)
{
	autofree char *parent = NULL;
	struct image image;
	int there = parse_image(source, &image, err) < 0 ? -1 : ask_parent(new, &image, &parent, err);

	return there > 0 ? error_set(err, EEXIST, "cannot make the image \"%s\": there is one already",
				     image.path) : there;
}

/* ---- mapped and not ---- */

static int map_image(const struct storage_new *new, const char *source, struct error *err)
{
	struct image image;

	if (parse_image(source, &image, err) < 0)
		return -1;
	if (access(source, F_OK) == 0)
		return 0;
	if (RBD(new, err, "map", image.path) < 0 || tool_wait_for(source, err) < 0)
		return error_within(err, "cannot map the image \"%s\"", image.path);
	return 0;
}

static int rbd_disconnect(const char *source, struct error *err)
{
	const char *const words[] = {"unmap", source, NULL};

	if (access(source, F_OK) < 0)
		return 0;
	if (run_rbd(NULL, words, 0, NULL, true, err) < 0)
		return error_within(err, "cannot unmap \"%s\"", source);
	return 0;
}

/* ---- the driver ---- */

static int rbd_check(const char *source, struct error *err)
{
	autofree char *parent = NULL;
	struct image image;
	int there;

	if (parse_image(source, &image, err) < 0)
		return -1;
	if (access(source, F_OK) == 0)
		return block_check(source, "image", err);
	there = ask_parent(NULL, &image, &parent, err);
	if (there == 0)
		return error_set(err, ENOENT, "cannot find the image \"%s\"", image.path);
	return there < 0 ? -1 : 0;
}

static int rbd_mount(const char *source, const char *const *options, struct error *err)
{
	return map_image(NULL, source, err) < 0 ? -1 : block_mount(source, options, err);
}

static int rbd_look(const char *source, struct error *err)
{
	return rbd_mount(source, NULL, err);
}

static int rbd_usable(const struct storage_new *new, struct error *err)
{
	if (tool_need("rbd", err) < 0)
		return -1;
	return new->from && new->from->driver == &storage_rbd ? 0 : block_need_mkfs(new, err);
}

static int rbd_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	autofree char *name = new->spec.rbd_name ? strdup(new->spec.rbd_name) : storage_new_name(new);
	autofree char *pool = NULL, *source = NULL;
	const char *beside = storage_beside(new, &storage_rbd);
	struct image from;

	if (beside) {
		if (parse_image(beside, &from, err) < 0)
			return -1;
		pool = strdup(from.pool);
	} else if (new->spec.rbd_pool) {
		pool = strdup(new->spec.rbd_pool);
	} else if (global_get("lxc.bdev.rbd.rbdpool", &pool, err) < 0) {
		return -1;
	}
	source = pool && name ? str_printf("/dev/rbd/%s/%s", pool, name) : NULL;
	if (!source)
		return error_set(err, ENOMEM, "out of memory");
	if (refuse_existing(new, source, err) < 0)
		return -1;
	*ret_source = steal_ptr(&source);
	return 0;
}

static char *in_mib(uint64_t size)
{
	return str_printf("%llu", (unsigned long long)((size + MIB - 1) / MIB));
}

static int rbd_create(const char *source, const struct storage_new *new, struct error *err)
{
	autofree char *size = in_mib(block_wanted_size(new));
	autoclose int root = -1;
	struct image image;

	if (!size)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_image(source, &image, err) < 0 || refuse_existing(new, source, err) < 0)
		return -1;
	if (RBD(new, err, "create", "--pool", image.pool, image.name, "--size", size) < 0)
		return error_within(err, "cannot make the image \"%s\"", image.path);
	if (map_image(new, source, err) < 0 || block_make_fs(source, new, err) < 0)
		return -1;
	root = rbd_look(source, err);
	return root < 0 ? -1 : block_give(root, source, new, err);
}

/* What is mounted now is on the device only when its filesystem was asked for it. */
static int sync_mounted(const char *source, struct error *err)
{
	autoclose int root = -1;

	if (access(source, F_OK) < 0)
		return 0;
	root = rbd_look(source, err);
	return root < 0 ? -1 : block_sync(root, source, err);
}

static int clone_image(const struct image *from, const struct image *to,
		       const struct storage_new *new, struct error *err)
{
	autofree char *snapshot = str_printf("%s@%s", from->path, to->name);

	if (!snapshot)
		return error_set(err, ENOMEM, "out of memory");
	if (RBD(new, err, "snap", "create", snapshot) < 0)
		return -1;
	if (RBD(new, err, "snap", "protect", snapshot) == 0) {
		if (RBD(new, err, "clone", snapshot, to->path) == 0)
			return 0;
		RBD(new, NULL, "snap", "unprotect", snapshot);
	}
	RBD(new, NULL, "snap", "rm", snapshot);
	return -1;
}

static int rbd_snapshot(const struct storage *from, const char *source,
			const struct storage_new *new, struct error *err)
{
	struct image old, image;

	if (from->driver != &storage_rbd)
		return error_set(err, ENOTSUP, "cannot make a snapshot of %s storage in Ceph",
				 from->driver->name);
	if (parse_image(from->source, &old, err) < 0 || parse_image(source, &image, err) < 0 ||
	    sync_mounted(from->source, err) < 0)
		return -1;
	if (clone_image(&old, &image, new, err) < 0)
		return error_within(err, "cannot make a snapshot of the image \"%s\"", old.path);
	return map_image(new, source, err) < 0 ? -1 : block_new_identity(source, err);
}

static bool rbd_depends(const char *source)
{
	return true;
}

/* ---- those that were cloned from it ---- */

/* Words of its output, one a line: the COLUMN-th, counted from 0, of each line but the first 'skip'. */
static int list_words(const char *const *words, unsigned skip, unsigned column, struct strv *ret,
		      struct error *err)
{
	autobuf struct buf out = BUF_INIT;
	autostrv struct strv lines = {0};

	if (run_rbd(NULL, words, 0, &out, false, err) < 0)
		return -1;
	if (out.s && strv_split(&lines, out.s, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = skip; i < lines.n; i++) {
		autostrv struct strv columns = {0};

		if (strv_split(&columns, lines.v[i], " \t") < 0 ||
		    (columns.n > column && strv_add(ret, columns.v[column]) < 0))
			return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

/* Clones of this snapshot get all that is in it, and it goes. */
static int free_clones(const char *snapshot, struct error *err)
{
	const char *const words[] = {"children", snapshot, NULL};
	autostrv struct strv clones = {0};

	if (list_words(words, 0, 0, &clones, err) < 0)
		return -1;
	for (size_t i = 0; i < clones.n; i++)
		if (RBD(NULL, err, "flatten", "--no-progress", clones.v[i]) < 0)
			return -1;
	if (!clones.n)
		return 0; /* it is somebody's own, and keeps the image */
	if (RBD(NULL, err, "snap", "unprotect", snapshot) < 0)
		return -1;
	return RBD(NULL, err, "snap", "rm", snapshot);
}

static int stand_alone(const struct image *image, struct error *err)
{
	const char *const words[] = {"snap", "ls", image->path, NULL};
	autostrv struct strv snapshots = {0};

	if (list_words(words, 1, 1, &snapshots, err) < 0)
		return error_within(err, "cannot tell what was cloned from \"%s\"", image->path);
	for (size_t i = 0; i < snapshots.n; i++) {
		autofree char *snapshot = str_printf("%s@%s", image->path, snapshots.v[i]);

		if (!snapshot)
			return error_set(err, ENOMEM, "out of memory");
		if (free_clones(snapshot, err) < 0)
			return error_within(err, "cannot let what was cloned from \"%s\" stand alone",
					    snapshot);
	}
	return 0;
}

/* The snapshot that was made for this image alone goes with it. */
static int destroy_parent(const struct image *image, const char *parent, struct error *err)
{
	const char *at = strchr(parent, '@');

	if (!at || strcmp(at + 1, image->name) != 0)
		return 0;
	if (RBD(NULL, err, "snap", "unprotect", parent) < 0 || RBD(NULL, err, "snap", "rm", parent) < 0)
		return error_within(err, "cannot remove the snapshot \"%s\"", parent);
	return 0;
}

static int rbd_destroy(const char *source, struct error *err)
{
	autofree char *parent = NULL;
	struct image image;
	int there;

	if (parse_image(source, &image, err) < 0 || rbd_disconnect(source, err) < 0)
		return -1;
	there = ask_parent(NULL, &image, &parent, err);
	if (there <= 0)
		return there;
	if (stand_alone(&image, err) < 0)
		return -1;
	if (RBD(NULL, err, "rm", image.path) < 0)
		return error_within(err, "cannot remove the image \"%s\"", image.path);
	return destroy_parent(&image, parent, err);
}

/* The snapshot that was made for this image alone is called like it, so that both go together. */
static int rename_parent(const struct image *old, const struct image *to, struct error *err)
{
	autofree char *parent = NULL, *now = NULL;
	const char *at;
	int there = ask_parent(NULL, to, &parent, err);

	if (there <= 0)
		return there;
	at = strchr(parent, '@');
	if (!at || strcmp(at + 1, old->name) != 0)
		return 0;
	now = str_printf("%.*s@%s", (int)(at - parent), parent, to->name);
	if (!now)
		return error_set(err, ENOMEM, "out of memory");
	if (RBD(NULL, err, "snap", "rename", parent, now) < 0)
		return error_within(err, "cannot rename the snapshot \"%s\"", parent);
	return 0;
}

static int rename_image(const struct image *old, const struct image *to, const char *source,
			const char *renamed, struct error *err)
{
	autofree char *parent = NULL, *other = NULL;
	int there = ask_parent(NULL, old, &parent, err);
	int taken = there < 0 ? -1 : ask_parent(NULL, to, &other, err);

	if (taken < 0)
		return -1;
	/* One that was killed half-way has renamed it already. */
	if (taken)
		return there ? refuse_existing(NULL, renamed, err) : 0;
	if (rbd_disconnect(source, err) < 0)
		return -1;
	if (RBD(NULL, err, "rename", old->path, to->path) < 0)
		return error_within(err, "cannot rename the image \"%s\"", old->path);
	return 0;
}

static int rbd_rename(const char *source, const struct storage_new *new, char **ret_source,
		      struct error *err)
{
	autofree char *renamed = NULL;
	struct image image, to;

	if (parse_image(source, &image, err) < 0)
		return -1;
	renamed = str_printf("/dev/rbd/%s/%s", image.pool, new->name);
	if (!renamed)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_image(renamed, &to, err) < 0 ||
	    rename_image(&image, &to, source, renamed, err) < 0 ||
	    rename_parent(&image, &to, err) < 0)
		return -1;
	*ret_source = steal_ptr(&renamed);
	return 0;
}

static uint64_t rbd_size(const char *source)
{
	return map_image(NULL, source, NULL) < 0 ? 0 : block_size(source);
}

static int rbd_grow(const char *source, uint64_t size, struct error *err)
{
	autofree char *mib = in_mib(size);
	autoclose int root = -1;
	struct image image;

	if (!mib)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_image(source, &image, err) < 0 || map_image(NULL, source, err) < 0)
		return -1;
	if (RBD(NULL, err, "resize", "--size", mib, image.path) < 0)
		return error_within(err, "cannot make the image \"%s\" larger", image.path);
	root = rbd_look(source, err);
	return root < 0 ? -1 : block_grow_fs(root, source, block_size(source), err);
}

const struct storage_driver storage_rbd = {
	.name = "rbd",
	.mounted_outside = true,
	.usable = rbd_usable,
	.check = rbd_check,
	.look = rbd_look,
	.mount = rbd_mount,
	.disconnect = rbd_disconnect,
	.place = rbd_place,
	.create = rbd_create,
	.snapshot = rbd_snapshot,
	.depends = rbd_depends,
	.destroy = rbd_destroy,
	.rename = rbd_rename,
	.grow = rbd_grow,
	.size = rbd_size,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a clone's root filesystem comes about: by shared layers, by its storage driver, or by a copy. */
#include "base/auto.h"
#include "base/copy.h"
#include "base/error.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/clone.h"
#include "store/layers.h"

#include <fcntl.h>
#include <string.h>

/* ---- which way ---- */

static bool has_layers(const struct storage_driver *d)
{
	return d == &storage_dir || d == &storage_overlay;
}

/* A running directory is written to, and cannot be put away as a layer meanwhile. */
static int check_layers(const struct clone *k, struct error *err)
{
	if (layers_check(k->from, err) < 0)
		return -1;
	if (k->running && k->source.driver == &storage_dir) {
		error_set(err, ENOTSUP, "cannot share the contents of %s while it is running: its root "
			  "filesystem is a plain directory", k->from->name);
		return error_mend(err, "lxc-stop -n %s, or make a full copy", k->from->name);
	}
	return 0;
}

static bool wants(const struct clone *k, const char *type)
{
	return !k->how->storage || strcmp(k->how->storage, type) == 0;
}

/* 1: this way it is. */
static int try_sharing(struct clone *k, struct error *err)
{
	const struct storage_driver *d = k->source.driver;

	if (has_layers(d) && (wants(k, "overlay") || wants(k, "overlayfs"))) {
		if (check_layers(k, err) < 0)
			return -1;
		k->way = WAY_LAYERS;
		k->driver = &storage_overlay;
		return 0;
	}
	if (d->snapshot && !has_layers(d) && wants(k, d->name)) {
		k->way = WAY_DRIVER;
		k->driver = d;
		return 0;
	}
	error_set(err, ENOTSUP, "cannot share the contents of %s, which are of type \"%s\"%s%s%s",
		  k->from->name, d->name, k->how->storage ? ", with storage \"" : "",
		  k->how->storage ? k->how->storage : "", k->how->storage ? "\"" : "");
	return error_mend(err, "make a full copy: without -s");
}

static int plan_copy(struct clone *k, struct error *err)
{
	const struct storage_driver *d = k->source.driver;
	struct storage_new new = contents_new(k, 0, 0);

	k->way = WAY_COPY;
	if (k->how->storage)
		k->driver = storage_choose(k->how->storage, &new, err);
	else
		k->driver = has_layers(d) ? &storage_dir : d;
	if (!k->driver)
		return -1;
	if (!k->driver->create)
		return error_set(err, ENOTSUP, "cannot make storage of type \"%s\"", k->driver->name);
	/* A snapshot of the driver's that needs nobody is as good as a copy, and there at once. */
	if (k->driver == d && d->snapshot && !has_layers(d) &&
	    !(d->depends && d->depends(k->source.source)))
		k->way = WAY_DRIVER;
	return 0;
}

int contents_plan(struct clone *k, struct error *err)
{
	struct conf *conf = container_conf(k->from, err);

	if (!conf)
		return -1;
	if (!rootfs_conf_of(conf)->path)
		return 0;
	k->text = strdup(rootfs_conf_of(conf)->path);
	if (!k->text)
		return error_set(err, ENOMEM, "out of memory");
	if (storage_parse(k->text, &k->source, err) < 0 ||
	    k->source.driver->check(k->source.source, err) < 0)
		return -1;
	if (k->share == SHARE_OR_FAIL)
		return try_sharing(k, err);
	return k->share == SHARE_IF_SAFE && try_sharing(k, NULL) == 0 ? 0 : plan_copy(k, err);
}

struct storage_new contents_new(const struct clone *k, uid_t uid, gid_t gid)
{
	const struct storage_driver *d = k->source.driver;

	return (struct storage_new){
		.name = k->to->name, .dir = k->to->dir, .uid = uid, .gid = gid,
		.from = k->way == WAY_COPY ? NULL : &k->source,
		.spec.size = k->how->fssize ? k->how->fssize :
			     d && d->size ? d->size(k->source.source) : 0,
	};
}

/* ---- copying ---- */

struct teller {
	const struct lxcore_copy *how;
};

static bool tell(const struct copy_progress *p, void *data)
{
	const struct teller *t = data;
	const struct lxcore_progress public = {
		.bytes = p->bytes, .total_bytes = p->total_bytes, .files = p->files,
		.total_files = p->total_files, .usec = p->usec,
	};

	return t->how->progress(&public, t->how->data);
}

static int copy_between(int from, int to, const struct lxcore_copy *how, struct lxcore_copied *done,
			struct error *err)
{
	struct teller teller = {how};
	struct copy_options o = {
		.progress = how->progress ? tell : NULL, .data = &teller,
		.measure = how->progress != NULL,
	};
	struct copy_result r;

	if (copy_tree(from, to, &o, &r, err) < 0)
		return -1;
	done->bytes = r.bytes;
	done->way = r.bytes_shared && r.bytes_shared * 2 > r.bytes ? "copy of shared blocks" : "copy";
	return 0;
}

static int look(const struct storage *s, bool still, struct error *err)
{
	return s->driver == &storage_overlay && still ? overlay_look_still(s->source, err) :
							s->driver->look(s->source, err);
}

int contents_copy(const struct storage *from, bool still, const struct storage *to,
		  const struct lxcore_copy *how, struct lxcore_copied *done, struct error *err)
{
	autoclose int source = look(from, still, err);
	autoclose int target = source < 0 ? -1 : to->driver->look(to->source, err);

	return target < 0 ? -1 : copy_between(source, target, how, done, err);
}

/* ---- layers of a running container ---- */

/* A name for the copy of its own layer, and that on top of what the snapshot stands on. */
static int place_layer(struct clone *k, struct error *err)
{
	autooverlay struct overlay o = {0};
	autofree char *upper = NULL;

	if (overlay_parse(k->place, &o, err) < 0)
		return -1;
	upper = steal_ptr(&o.upper);
	if (overlay_fresh_upper(&o, k->home, err) < 0)
		return -1;
	k->layer = strdup(o.upper);
	if (overlay_push(&o, k->home, NULL, err) < 0)
		return -1;
	free(o.upper);
	o.upper = steal_ptr(&upper);
	free(k->place);
	k->place = overlay_source(&o);
	return k->layer && k->place ? 0 : error_set(err, ENOMEM, "out of memory");
}

int contents_place(struct clone *k, struct error *err)
{
	struct storage_new new = contents_new(k, 0, 0);

	if (k->driver->place(&new, &k->place, err) < 0)
		return -1;
	return k->way == WAY_LAYERS && k->running && k->same ? place_layer(k, err) : 0;
}

static int make_layer(struct clone *k, const struct overlay *from, struct error *err)
{
	autooverlay struct overlay o = {.upper = strdup(k->layer)};

	for (size_t i = 0; i < from->lower.n; i++)
		if (strv_add(&o.lower, from->lower.v[i]) < 0)
			return error_set(err, ENOMEM, "out of memory");
	o.work = o.upper ? str_printf("%s.work", o.upper) : NULL;
	if (!o.work)
		return error_set(err, ENOMEM, "out of memory");
	if (overlay_make_upper(&o, err) < 0)
		return -1;
	/* It is never written through a mount. */
	rmdir(o.work);
	return 0;
}

/* Its own layer is small: that alone is copied. */
static int copy_upper(struct clone *k, struct error *err)
{
	autooverlay struct overlay from = {0}, to = {0};
	autoclose int source = -1, target = -1;
	const char *path;

	if (overlay_parse(k->source.source, &from, err) < 0 ||
	    overlay_parse(k->place, &to, err) < 0 || (k->layer && make_layer(k, &from, err) < 0))
		return -1;
	path = k->layer ? k->layer : to.upper;
	source = open(from.upper, O_PATH | O_DIRECTORY | O_CLOEXEC);
	target = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 || target < 0)
		return error_sys(err, "cannot open the layer \"%s\"", source < 0 ? from.upper : path);
	return copy_between(source, target, k->how, &k->done, err);
}

int contents_make(struct clone *k, struct error *err)
{
	struct storage_new new;
	struct storage to = {k->driver, k->place};
	unsigned long uid, gid;

	if (!k->driver)
		return 0;
	new = contents_new(k,
			   idmap_to_host(idmap_of(k->to->conf), 'u', 0, &uid) ? (uid_t)uid : 0,
			   idmap_to_host(idmap_of(k->to->conf), 'g', 0, &gid) ? (gid_t)gid : 0);
	if (k->way == WAY_COPY)
		return k->driver->create(k->place, &new, err) < 0 ? -1 :
		       contents_copy(&k->source, k->running, &to, k->how, &k->done, err);
	if (k->layer && copy_upper(k, err) < 0)
		return -1;
	if (k->driver->snapshot(&k->source, k->place, &new, err) < 0)
		return -1;
	if (k->way == WAY_LAYERS && k->running && !k->layer && copy_upper(k, err) < 0)
		return -1;
	k->done.way = k->driver->name;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How a clone's root filesystem comes about: by shared layers, by its storage driver, or by a copy. */
#include "base/auto.h"
#include "base/copy.h"
#include "base/error.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/clone.h"
#include "store/layers.h"
#include "store/mapped.h"

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

/* With lxc.idmap = auto a clone has other ids on this host than its source, and so have its files,
 * unless their owners are mapped when they are mounted. */
static bool changes_owners(const struct clone *k)
{
	struct conf *conf = container_conf(k->from, NULL);

	return conf && !k->same && idmap_of(conf)->automatic && !rootfs_is_idmapped(conf);
}

/* Can the driver make one of what is there, where the clone will be? */
static int check_snapshot(const struct clone *k, struct error *err)
{
	const struct storage_driver *d = k->source.driver;
	struct storage_new new = contents_new(k, 0, 0);

	new.from = &k->source;
	if (!d->usable || d->usable(&new, err) == 0)
		return 0;
	return error_mend(err, "make a full copy: without -s");
}

static int try_sharing(struct clone *k, struct error *err)
{
	const struct storage_driver *d = k->source.driver;

	if (changes_owners(k)) {
		error_set(err, ENOTSUP, "cannot share the contents of %s: with lxc.idmap = auto its "
			  "clone's files have other owners", k->from->name);
		return error_mend(err, "lxc.rootfs.options = idmap=container      (owners are mapped "
				  "when it is mounted), or make a full copy");
	}
	if (has_layers(d) && (wants(k, "overlay") || wants(k, "overlayfs"))) {
		if (check_layers(k, err) < 0)
			return -1;
		k->way = WAY_LAYERS;
		k->driver = &storage_overlay;
		return 0;
	}
	if (d->snapshot && !has_layers(d) && wants(k, d->name)) {
		if (check_snapshot(k, err) < 0)
			return -1;
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
	if (k->driver == d && d->snapshot && !has_layers(d) && !changes_owners(k) &&
	    !(d->depends && d->depends(k->source.source)) && check_snapshot(k, NULL) == 0)
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
	if (k->running && k->source.driver->alone) {
		error_set(err, EBUSY, "cannot copy it while it is running: its root filesystem is in a "
			  "file, which only one at a time can mount");
		return error_mend(err, "lxc-stop -n %s", k->from->name);
	}
	if (k->share == SHARE_OR_FAIL)
		return try_sharing(k, err);
	return k->share == SHARE_IF_SAFE && try_sharing(k, NULL) == 0 ? 0 : plan_copy(k, err);
}

struct storage_new contents_new(const struct clone *k, uid_t uid, gid_t gid)
{
	const struct storage_driver *d = k->source.driver;

	return (struct storage_new){
		.name = k->to->name, .dir = k->to->dir, .uid = uid, .gid = gid,
		.from = k->way == WAY_COPY ? NULL : &k->source, .model = d ? &k->source : NULL,
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

static int copy_between(int from, int to, const struct contents_copy *c, struct error *err)
{
	struct teller teller = {c->how};
	autofree struct copy_ids *a = NULL, *b = NULL, *x = NULL, *y = NULL;
	struct copy_options o = {
		.progress = c->how->progress ? tell : NULL, .data = &teller,
		.measure = c->how->progress != NULL,
		.from_uid = mapped_lines(c->from_ids, 'u', &a),
		.from_gid = mapped_lines(c->from_ids, 'g', &b),
		.to_uid = mapped_lines(c->to_ids, 'u', &x),
		.to_gid = mapped_lines(c->to_ids, 'g', &y),
	};
	struct copy_result r;

	if (c->from_ids && c->to_ids && c->from_ids->n && c->to_ids->n && !(a && b && x && y))
		return error_set(err, ENOMEM, "out of memory");
	/* However little there is to copy: who would cancel it is asked once before. */
	if (o.progress && !tell(&(struct copy_progress){0}, &teller))
		return error_set(err, ECANCELED, "it was cancelled");
	if (copy_tree(from, to, &o, &r, err) < 0)
		return -1;
	c->done->bytes = r.bytes;
	c->done->way = r.bytes_shared && r.bytes_shared * 2 > r.bytes ? "copy of shared blocks" :
									"copy";
	return 0;
}

static int look(const struct storage *s, bool still, struct error *err)
{
	return s->driver == &storage_overlay && still ? overlay_look_still(s->source, err) :
							s->driver->look(s->source, err);
}

/* What looking made a device of this host is none any more. */
static void give_back(const struct storage *s)
{
	if (s->driver->disconnect)
		s->driver->disconnect(s->source, NULL);
}

int contents_copy(const struct contents_copy *c, struct error *err)
{
	int source = look(c->from, c->still, err);
	int target = source < 0 ? -1 : c->to->driver->look(c->to->source, err);
	int result = target < 0 ? -1 : copy_between(source, target, c, err);

	close_fd(&source);
	close_fd(&target);
	give_back(c->to);
	/* A running container has it connected. */
	if (!c->still)
		give_back(c->from);
	return result;
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
	return copy_between(source, target,
			    &(struct contents_copy){.how = k->how, .done = &k->done}, err);
}

static int make(void *data, struct error *err)
{
	struct clone *k = data;
	struct storage_new new;
	const struct storage to = {k->driver, k->place};
	const bool shift = changes_owners(k);
	const struct contents_copy all = {
		.from = &k->source, .to = &to, .still = k->running, .how = k->how, .done = &k->done,
		.from_ids = shift ? idmap_of(container_conf(k->from, NULL)) : NULL,
		.to_ids = shift ? idmap_of(k->to->conf) : NULL,
	};
	uid_t uid;
	gid_t gid;

	if (!k->driver)
		return 0;
	store_owner(k->to->conf, &uid, &gid);
	new = contents_new(k, uid, gid);
	if (k->way == WAY_COPY)
		return k->driver->create(k->place, &new, err) < 0 ? -1 : contents_copy(&all, err);
	if (k->layer && copy_upper(k, err) < 0)
		return -1;
	if (k->driver->snapshot(&k->source, k->place, &new, err) < 0)
		return -1;
	if (k->way == WAY_LAYERS && k->running && !k->layer && copy_upper(k, err) < 0)
		return -1;
	k->done.way = k->driver->name;
	return 0;
}

int contents_make(struct clone *k, struct error *err)
{
	return mapped_do_for(make, k, &k->done, sizeof(k->done), err);
}

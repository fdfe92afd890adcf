/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting a snapshot back in place.  What the container shall be is made beside what it is; then one
 * line of its configuration, written from one moment to the next, makes it that; then what it was goes.
 * 'restoring' names both meanwhile: whoever comes by after a crash removes the one that the
 * configuration does not name.
 */
#include "base/error.h"
#include "base/fd.h"
#include "life/events.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/mapped.h"
#include "store/snapshot.h"

#include <stdio.h>
#include <string.h>

struct restore {
	lxcore_container *c, *snapshot;
	struct conf *conf;         /* what its configuration will be: the snapshot's */
	struct storage source;     /* of the snapshot */
	char *old, *new;           /* 'TYPE:SOURCE' of the container: now, and then */
	struct lxcore_copied done;
};

/* ---- the mark ---- */

static char *mark_path(const lxcore_container *c)
{
	return str_printf("%s/" STORE_RESTORING, c->dir);
}

static int write_mark(const struct restore *r, struct error *err)
{
	autofree char *path = mark_path(r->c);
	autofree char *text = str_printf("%s\n%s\n", r->old, r->new);

	if (!path || !text || file_replace(AT_FDCWD, path, text, 0600) < 0)
		return error_sys(err, "cannot write \"%s\"", path ? path : STORE_RESTORING);
	return 0;
}

int restore_tidy(lxcore_container *c, struct error *err)
{
	autofree char *path = mark_path(c);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};
	struct conf *conf = container_conf(c, err);
	const char *now = conf ? rootfs_conf_of(conf)->path : NULL;

	if (!path || !now || file_read(AT_FDCWD, path, &text) < 0)
		return -1;
	if (strv_split(&lines, text.s, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.n; i++) {
		struct storage s;

		if (strcmp(lines.v[i], now) == 0)
			continue;
		if (storage_parse(lines.v[i], &s, err) < 0 || mapped_destroy(&s, err) < 0)
			return -1;
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove \"%s\"", path);
	return layers_sweep(c, err);
}

/* ---- making what it shall be ---- */

static int make_layer(struct restore *r, struct error *err)
{
	autooverlay struct overlay o = {0};
	autofree char *source = NULL;

	if (overlay_parse(r->source.source, &o, err) < 0 ||
	    overlay_fresh_upper(&o, r->c->dir, err) < 0)
		return -1;
	source = overlay_source(&o);
	r->new = source ? str_printf("overlay:%s", source) : NULL;
	if (!r->new)
		return error_set(err, ENOMEM, "out of memory");
	r->done.way = storage_overlay.name;
	return write_mark(r, err) < 0 ? -1 : mapped_make_upper(&o, err);
}

/* A place that is not the one in use. */
static int choose_place(struct restore *r, struct storage_new *new, char **ret, struct error *err)
{
	for (unsigned n = 0; n < 1000; n++) {
		autofree char *variant = n ? str_printf(".%u", n) : NULL;
		int result;

		new->variant = variant;
		result = r->source.driver->place(new, ret, err);
		new->variant = NULL;
		if (result < 0 && (!err || err->code != EEXIST))
			return -1;
		if (result < 0) {
			error_clear(err);
			continue;
		}
		if (r->source.driver->check(*ret, NULL) < 0)
			return 0;
		free(steal_ptr(ret));
	}
	return error_set(err, EEXIST, "cannot find a place for what is restored");
}

static int copy_contents(struct restore *r, const struct storage *to, struct error *err)
{
	const struct lxcore_copy how = LXCORE_COPY_INIT;
	const struct contents_copy copy = {.from = &r->source, .to = to, .how = &how, .done = &r->done};

	return contents_copy(&copy, err);
}

struct elsewhere {
	struct restore *r;
	const struct storage_new *new;
	struct storage to;
};

static int fill_elsewhere(void *data, struct error *err)
{
	const struct elsewhere *e = data;
	const struct storage_driver *d = e->to.driver;

	if (e->new->from)
		return d->snapshot(&e->r->source, e->to.source, e->new, err);
	return d->create(e->to.source, e->new, err) < 0 ? -1 : copy_contents(e->r, &e->to, err);
}

static int make_elsewhere(struct restore *r, struct error *err)
{
	const struct storage_driver *d = r->source.driver;
	struct storage_new new = {
		.name = r->c->name, .dir = r->c->dir, .from = d->snapshot ? &r->source : NULL,
		.spec.size = d->size ? d->size(r->source.source) : 0,
	};
	struct elsewhere e = {r, &new, {.driver = d}};
	autofree char *place = NULL;

	if (idmap_claim(r->conf, r->c->lxcpath, r->c->name, err) < 0)
		return -1;
	store_owner(r->conf, &new.uid, &new.gid);
	/* Where the driver cannot, it is copied. */
	if (new.from && d->usable && d->usable(&new, NULL) < 0)
		new.from = NULL;
	if (choose_place(r, &new, &place, err) < 0)
		return -1;
	e.to.source = place;
	r->new = str_printf("%s:%s", d->name, place);
	if (!r->new)
		return error_set(err, ENOMEM, "out of memory");
	if (write_mark(r, err) < 0)
		return -1;
	r->done.way = d->name;
	if (mapped_do_for(fill_elsewhere, &e, &r->done, sizeof(r->done), err) < 0)
		return -1;
	if (!d->disconnect)
		return 0;
	return d->disconnect(place, err) < 0 ? -1 : d->disconnect(r->source.source, err);
}

/* ---- in place ---- */

/* Somebody may have run the snapshot itself; what that wrote belongs to it. */
static int seal_snapshot(struct restore *r, struct error *err)
{
	autohold struct hold hold = HOLD_INIT;
	int result = hold_take(r->snapshot, HOLD_SHARED, &hold, err);

	return result < 0 ? -1 : layers_seal(&hold, err);
}

/* What it is now goes at the end: so it must be able to. */
static int check_old(struct restore *r, struct error *err)
{
	struct storage old;

	if (storage_parse(r->old, &old, err) < 0)
		return -1;
	if (!old.driver->removable || old.driver->removable(old.source, err) == 0)
		return 0;
	return error_mend(err, "lxc-snapshot -n %s -r %s -N NEW      (as another container)",
			  r->c->name, r->snapshot->name);
}

static int prepare(struct restore *r, struct error *err)
{
	struct conf *now = container_conf(r->c, err), *then = container_conf(r->snapshot, err);

	if (!now || !then)
		return -1;
	if (!rootfs_conf_of(now)->path || !rootfs_conf_of(then)->path)
		return error_set(err, ENOTSUP, "cannot restore a container without a root filesystem");
	if (storage_parse(rootfs_conf_of(then)->path, &r->source, err) < 0)
		return -1;
	if (r->source.driver == &storage_overlay) {
		if (seal_snapshot(r, err) < 0 || !(then = container_conf(r->snapshot, err)) ||
		    storage_parse(rootfs_conf_of(then)->path, &r->source, err) < 0)
			return -1;
	}
	r->conf = conf_new(r->c->sections.v);
	r->old = strdup(rootfs_conf_of(now)->path);
	if (!r->old || !r->conf)
		return error_set(err, ENOMEM, "out of memory");
	if (check_old(r, err) < 0)
		return -1;
	return conf_load_text(r->conf, conf_text(then), r->snapshot->config_file, err);
}

static int switch_over(struct restore *r, struct error *err)
{
	if (conf_set(r->conf, "lxc.rootfs.path", r->new, err) < 0)
		return -1;
	if (file_replace(AT_FDCWD, r->c->config_file, conf_text(r->conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", r->c->config_file);
	return 0;
}

static int restore(struct restore *r, struct error *err)
{
	struct error ignored = {0};
	int result;

	if (prepare(r, err) < 0)
		return -1;
	result = r->source.driver == &storage_overlay ? make_layer(r, err) : make_elsewhere(r, err);
	if (result == 0)
		result = switch_over(r, err);
	/* One of the two goes, in any case. */
	conf_free(steal_ptr(&r->c->conf));
	if (r->new && restore_tidy(r->c, result < 0 ? &ignored : err) < 0)
		return -1;
	if (result == 0)
		snapshot_set_current(r->c, r->snapshot->name);
	return result;
}

static int restore_in_place(lxcore_container *c, lxcore_container *snapshot,
			    struct lxcore_copied *ret, struct error *err)
{
	struct restore r = {.c = c, .snapshot = snapshot};
	autohold struct hold hold = HOLD_INIT;
	int result = -1;

	if (hold_take(c, HOLD_ALONE, &hold, err) == 0 && hold_stopped(&hold, err) == 0)
		result = restore(&r, err);
	if (result == 0 && ret) {
		*ret = r.done;
		ret->name = strdup(c->name);
	}
	conf_free(r.conf);
	free(r.old);
	free(r.new);
	return result;
}

/* ---- under another name ---- */

static int restore_as(lxcore_container *c, lxcore_container *snapshot, const char *name,
		      struct lxcore_copied *ret, struct error *err)
{
	const struct lxcore_copy how = LXCORE_COPY_INIT;
	struct clone k = {
		.from = snapshot, .to = lxcore_open(c->lxcpath, name, err), .how = &how,
		.share = SHARE_IF_SAFE,
	};
	int result = k.to ? clone_make(&k, err) : -1;

	if (result == 0 && ret) {
		*ret = k.done;
		ret->name = strdup(name);
	}
	lxcore_close(k.to);
	return result;
}

int lxcore_snapshot_restore(lxcore_container *c, const char *snapshot, const char *name,
			    struct lxcore_copied *ret, lxcore_error *err)
{
	lxcore_container *s = snapshot_open(c, snapshot, err);
	int result;

	if (!s)
		return error_within(err, "%s", c->name);
	result = name && strcmp(name, c->name) != 0 ? restore_as(c, s, name, ret, err) :
						      restore_in_place(c, s, ret, err);
	lxcore_close(s);
	if (result < 0)
		return error_within(err, "%s", c->name);
	if (name && strcmp(name, c->name) != 0)
		events_tell(c->lxcpath, name, LXCORE_EVENT_CREATE, c->name);
	else
		events_tell(c->lxcpath, c->name, LXCORE_EVENT_RESTORE, snapshot);
	return 0;
}

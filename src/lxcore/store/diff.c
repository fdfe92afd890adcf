/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What changed in a container's tree.  Its tree is compared with one that stands still: a snapshot's,
 * or, for a clone that shares layers, what it shares with others; or with what was recorded when it was
 * created (first.h).  Trees are mounted (or seen through the running container's init), so what layers
 * hide and delete is the kernel's business.
 */
#include "store/diff.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "parts/rootfs.h"
#include "storage/overlay.h"
#include "store/graph.h"
#include "store/hold.h"
#include "store/inside.h"
#include "store/mapped.h"
#include "store/snapshot.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct comparison {
	struct lxcore_container *c, *snapshot; /* snapshot NULL: none */
	const struct lxcore_diff *how;
	struct storage is;      /* of a stopped one; driver NULL: it runs */
	int root;               /* of a running one */
	struct storage was;     /* of the snapshot */
	struct overlay shared;  /* layers of others, topmost first */
	struct first first;     /* the record of its creation, if that is what it is compared with */
	const struct idmaps *was_ids, *is_ids;
	int out;                /* memory for what is found */
	char *against;          /* in words */
};

/* ---- what it is compared with ---- */

static const char *rootfs_of(struct lxcore_container *c, struct error *err)
{
	struct conf *conf = container_conf(c, err);
	const char *path = conf ? rootfs_conf_of(conf)->path : NULL;

	if (conf && !path)
		error_set(err, ENOTSUP, "it has no root filesystem of its own (lxc.rootfs.path)");
	return path;
}

static int keep_it_now(const struct comparison *d, struct error *err)
{
	return error_mend(err, "lxc-snapshot -n %s      (keeps what it is now, for lxc-diff -n %s -s "
			  "later)", d->c->name, d->c->name);
}

static int not_recorded(const struct comparison *d, struct error *err)
{
	struct lxcore_snapshot *all = NULL;
	int n = lxcore_snapshots(d->c, &all, NULL);

	error_set(err, ENODATA, "cannot tell what changed since it was created: its first state was "
		  "not recorded (it was made without a template, or by an older program)");
	if (n <= 0)
		return keep_it_now(d, err);
	error_mend(err, "lxc-diff -n %s --snapshot=%s      (tells what changed since that)", d->c->name,
		   all[n - 1].name);
	lxcore_snapshots_free(all, n);
	return -1;
}

static int find_record(struct comparison *d, struct error *err)
{
	int found;

	if (!first_is_there(d->c->dir))
		return not_recorded(d, err);
	if (d->how->contents) {
		error_set(err, ENOTSUP, "cannot compare bytes with what it was when it was created: of "
			  "that only names, sizes, times and the like were recorded");
		return error_mend(err, "without -c, or with a snapshot (-s)");
	}
	found = first_open(d->c->dir, &d->first, err);
	if (found <= 0)
		return found < 0 ? -1 : not_recorded(d, err);
	d->against = strdup("creation");
	return d->against ? 0 : error_set(err, ENOMEM, "out of memory");
}

static bool lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

/* Its own layers lie above those that it shares; who shares none began when it was created. */
static int find_origin(struct comparison *d, struct error *err)
{
	const char *rootfs = rootfs_of(d->c, err);
	autooverlay struct overlay o = {0};
	autostrv struct strv owners = {0};
	struct storage s;
	size_t i = 0;

	if (!rootfs || storage_parse(rootfs, &s, err) < 0)
		return -1;
	if (s.driver != &storage_overlay)
		return find_record(d, err);
	if (overlay_parse(s.source, &o, err) < 0)
		return -1;
	while (i < o.lower.n && lies_in(o.lower.v[i], d->c->dir))
		i++;
	if (i == o.lower.n)
		return find_record(d, err);
	for (size_t k = i; k < o.lower.n; k++)
		if (strv_add(&d->shared.lower, o.lower.v[k]) < 0)
			return error_set(err, ENOMEM, "out of memory");
	if (graph_owners(d->c->dir, &owners) == 0 && owners.n)
		d->against = str_printf("origin %s", strrchr(owners.v[0], '/') + 1);
	else
		d->against = strdup("origin");
	return d->against ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int find_snapshot(struct comparison *d, struct hold *hold, struct error *err)
{
	const char *rootfs;

	d->snapshot = snapshot_open(d->c, d->how->snapshot, err);
	if (!d->snapshot)
		return -1;
	if (hold_take(d->snapshot, HOLD_SHARED, hold, err) < 0 || hold_stopped(hold, err) < 0)
		return error_within(err, "%s", d->snapshot->name);
	rootfs = rootfs_of(d->snapshot, err);
	if (!rootfs || storage_parse(rootfs, &d->was, err) < 0)
		return -1;
	d->against = str_printf("snapshot %s", d->how->snapshot);
	return d->against ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int find_other(struct comparison *d, struct hold *hold, struct error *err)
{
	if (d->how->since_create)
		return find_record(d, err);
	return d->how->snapshot ? find_snapshot(d, hold, err) : find_origin(d, err);
}

/* ---- the comparison, as somebody who may look ---- */

static int look_at_shared(const struct comparison *d, struct error *err)
{
	autofree char *source = NULL;
	struct buf text = BUF_INIT;

	if (d->shared.lower.n == 1)
		return overlay_open_layer(d->shared.lower.v[0], err);
	for (size_t i = 1; i < d->shared.lower.n; i++)
		buf_addf(&text, "%s:", d->shared.lower.v[i]);
	/* All of them are only read: the one in UPPER's place becomes the topmost. */
	buf_puts(&text, d->shared.lower.v[0]);
	source = buf_steal(&text);
	return source ? overlay_look_still(source, err) : error_set(err, ENOMEM, "out of memory");
}

static int look_at(const struct storage *s, struct error *err)
{
	return s->driver->look(s->source, err);
}

static void give_back(const struct storage *s)
{
	if (s->driver && s->driver->disconnect)
		s->driver->disconnect(s->source, NULL);
}

static int look_at_other(const struct comparison *d, struct error *err)
{
	return d->snapshot ? look_at(&d->was, err) : look_at_shared(d, err);
}

static int compare(void *data, struct error *err)
{
	struct comparison *d = data;
	autofree struct copy_ids *a = NULL, *b = NULL, *x = NULL, *y = NULL;
	struct diff_side was = {.root = -1, .first = d->first.at ? &d->first : NULL,
				.maps.uid = mapped_lines(d->was_ids, 'u', &a),
				.maps.gid = mapped_lines(d->was_ids, 'g', &b)};
	struct diff_side is = {.root = -1, .maps.uid = mapped_lines(d->is_ids, 'u', &x),
			       .maps.gid = mapped_lines(d->is_ids, 'g', &y)};
	int result = -1;

	if (!was.first)
		was.root = look_at_other(d, err);
	if (was.first || was.root >= 0)
		is.root = d->is.driver ? look_at(&d->is, err) : d->root;
	if (is.root >= 0)
		result = diff_walk(&was, &is, d->how->contents, d->out, err);
	close_fd(&was.root);
	if (d->is.driver)
		close_fd(&is.root);
	give_back(&d->was);
	give_back(&d->is);
	return result;
}

/* ---- the door ---- */

static int say_all(const struct comparison *d, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (lseek(d->out, 0, SEEK_SET) < 0 || fd_read_all(d->out, &text, SIZE_MAX / 2) < 0)
		return error_sys(err, "cannot read what differs");
	for (size_t at = 0; at < text.len; at += strlen(text.s + at) + 1)
		d->how->say(d->how->data, text.s[at], text.s + at + 1);
	return 0;
}

static int with_maps(struct comparison *d, struct conf *is_conf, struct error *err)
{
	struct conf *own = container_conf(d->c, err);
	struct conf *was_conf = d->snapshot ? container_conf(d->snapshot, err) : own;

	if (!own || !was_conf)
		return -1;
	/* A snapshot has the ids of its container. */
	if (idmap_look(own, d->c->lxcpath, d->c->name, err) < 0)
		return -1;
	d->was_ids = d->snapshot && idmap_of(was_conf)->automatic ? mapped_on_disk(own) :
								    mapped_on_disk(was_conf);
	d->is_ids = is_conf ? idmap_of(is_conf) : mapped_on_disk(own);
	d->out = memfd_create("diff", MFD_CLOEXEC);
	if (d->out < 0)
		return error_sys(err, "cannot keep what differs");
	return mapped_do(compare, d, err) < 0 ? -1 : say_all(d, err);
}

static int with_running(struct comparison *d, struct error *err)
{
	struct conf *conf = NULL;
	int result = -1;

	d->root = inside_open(d->c, &conf, err);
	if (d->root >= 0)
		result = with_maps(d, conf, err);
	close_fd(&d->root);
	conf_free(conf);
	return result;
}

static int with_stopped(struct comparison *d, struct hold *hold, struct error *err)
{
	const char *rootfs = rootfs_of(d->c, err);

	if (!rootfs || hold_stopped(hold, err) < 0 || storage_parse(rootfs, &d->is, err) < 0)
		return -1;
	return with_maps(d, NULL, err);
}

static int diff(struct comparison *d, struct error *err)
{
	autohold struct hold hold = HOLD_INIT, snapshot = HOLD_INIT;

	/* Neither it nor what it stands on is removed or changed meanwhile. */
	if (hold_take(d->c, HOLD_SHARED, &hold, err) < 0 ||
	    find_other(d, &snapshot, err) < 0)
		return -1;
	return lxcore_state(d->c) == LXCORE_STOPPED ? with_stopped(d, &hold, err) :
						      with_running(d, err);
}

/* What is wrong with a record is seen wherever that is read. */
static int failed(const struct comparison *d, struct error *err)
{
	if (err->code == EBADMSG)
		keep_it_now(d, err);
	return error_within(err, "%s", d->c->name);
}

int lxcore_diff(lxcore_container *c, const struct lxcore_diff *how, char **ret_against,
		lxcore_error *err)
{
	struct comparison d = {.c = c, .how = how, .root = -1, .out = -1};
	struct error own = {0};
	int result = diff(&d, err ? err : &own);

	close_fd(&d.out);
	overlay_free(&d.shared);
	first_free(&d.first);
	lxcore_close(d.snapshot);
	if (result == 0 && ret_against)
		*ret_against = steal_ptr(&d.against);
	free(d.against);
	return result < 0 ? failed(&d, err ? err : &own) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sealing a container's layers, and removing those that nobody uses any more; see layers.h. */
#include "store/layers.h"
#include "base/fd.h"
#include "parts/rootfs.h"
#include "storage/storage.h"
#include "store/graph.h"
#include "store/mapped.h"

#include <string.h>

/* ---- sealing ---- */

static bool lies_in(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && path[n] == '/';
}

static int cannot(struct lxcore_container *c, const char *why, struct error *err)
{
	return error_set(err, ENOTSUP, "cannot share the contents of %s: %s", c->name, why);
}

/* What its root filesystem is, if its own upper layer or directory is in its directory. */
static int find_rootfs(struct lxcore_container *c, struct storage *s, struct overlay *o,
		       struct error *err)
{
	struct conf *conf = container_conf(c, err);
	const struct rootfs_conf *rc = conf ? rootfs_conf_of(conf) : NULL;

	*o = (struct overlay){0};
	if (!rc)
		return -1;
	if (!rc->path)
		return cannot(c, "it has no root filesystem (lxc.rootfs.path)", err);
	if (!rc->managed)
		return cannot(c, "its root filesystem is not its own (lxc.rootfs.managed = 0)", err);
	if (storage_parse(rc->path, s, err) < 0)
		return -1;
	if (s->driver == &storage_overlay && overlay_parse(s->source, o, err) < 0)
		return -1;
	if (s->driver != &storage_overlay && s->driver != &storage_dir)
		return cannot(c, "only directories and layers can be", err);
	if (!lies_in(o->upper ? o->upper : s->source, c->dir))
		return cannot(c, "its root filesystem lies outside of its directory", err);
	return 0;
}

int layers_check(struct lxcore_container *c, struct error *err)
{
	autooverlay struct overlay o = {0};
	struct storage s;

	if (find_rootfs(c, &s, &o, err) < 0)
		return -1;
	if (o.lower.n >= OVERLAY_MOST_LAYERS)
		return cannot(c, "it has too many layers already; a full copy has none", err);
	if (overlay_check_place(c->dir, err) < 0)
		return error_within(err, "cannot share the contents of %s", c->name);
	return s.driver->check(s.source, err);
}

int layers_switch(struct lxcore_container *c, const char *rootfs, struct error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf || conf_set(conf, "lxc.rootfs.path", rootfs, err) < 0)
		return -1;
	if (file_replace(AT_FDCWD, c->config_file, conf_text(conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

/* 1: there is nothing to do. */
static int is_sealed(const struct storage *s, const struct overlay *o, struct error *err)
{
	int written = s->driver == &storage_overlay ? mapped_is_written(o, err) : 1;

	return written < 0 ? -1 : !written;
}

static int seal(struct lxcore_container *c, struct error *err)
{
	autooverlay struct overlay o = {0};
	autofree char *source = NULL, *rootfs = NULL;
	struct storage s;
	int sealed;

	if (find_rootfs(c, &s, &o, err) < 0)
		return -1;
	sealed = is_sealed(&s, &o, err);
	if (sealed)
		return sealed < 0 ? -1 : 0;
	if (overlay_push(&o, c->dir, s.source, err) < 0 ||
	    mapped_make_upper(&o, err) < 0)
		return -1;
	source = overlay_source(&o);
	rootfs = source ? str_printf("overlay:%s", source) : NULL;
	return rootfs ? layers_switch(c, rootfs, err) : error_set(err, ENOMEM, "out of memory");
}

/* Alone with it; it may have been started, or changed, before. */
static int seal_alone(struct hold *h, struct error *err)
{
	if (hold_change(h, HOLD_ALONE, err) < 0 || hold_stopped(h, err) < 0)
		return -1;
	conf_free(h->c->conf);
	h->c->conf = NULL;
	return seal(h->c, err);
}

int layers_seal(struct hold *h, struct error *err)
{
	autooverlay struct overlay o = {0};
	struct storage s;
	int sealed;

	if (layers_check(h->c, err) < 0 || find_rootfs(h->c, &s, &o, err) < 0)
		return -1;
	sealed = is_sealed(&s, &o, err);
	if (sealed)
		return sealed < 0 ? -1 : 0;
	if (seal_alone(h, err) < 0)
		return -1;
	hold_started(h);
	return hold_change(h, HOLD_SHARED, err);
}

/* ---- sweeping ---- */

/*
 * The paths that a configuration's root filesystem has, read from the text alone: what it includes
 * cannot name a layer, for these lines are written by us.
 */
static int add_used(const char *config, struct strv *used)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (file_read(AT_FDCWD, config, &text) < 0)
		return errno == ENOENT ? 0 : -1;
	if (strv_split(&lines, text.s, "\r\n") < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++) {
		const char *line = lines.v[i] + strspn(lines.v[i], " \t");
		const char *value = str_starts(line, "lxc.rootfs") ? strchr(line, '=') : NULL;

		/* Every path in it, whatever the type: too many are no harm. */
		while (value && (value = strchr(value, '/'))) {
			const char *end = strstr(value, ":/");
			size_t n = end ? (size_t)(end - value) : strcspn(value, "\" \t");

			if (strv_take(used, strndup(value, n)) < 0)
				return -1;
			value = end;
		}
	}
	return 0;
}

int layers_used_by(const char *dir, const char *but, struct strv *used)
{
	autofree char *config = str_printf("%s/config", dir), *snaps = str_printf("%s/snaps", dir);
	autodir DIR *list = snaps ? opendir(snaps) : NULL;
	struct dirent *entry;

	if (!config || !snaps || add_used(config, used) < 0 || (!list && errno != ENOENT))
		return -1;
	while (list && (entry = readdir(list))) {
		autofree char *of = str_printf("%s/%s/config", snaps, entry->d_name);

		if (entry->d_name[0] == '.' || (but && strcmp(entry->d_name, but) == 0))
			continue;
		if (!of || add_used(of, used) < 0)
			return -1;
	}
	return 0;
}

static int collect_used(const char *dir, struct strv *used)
{
	autostrv struct strv users = {0};

	if (layers_used_by(dir, NULL, used) < 0 || graph_users(dir, &users) < 0)
		return -1;
	for (size_t i = 0; i < users.n; i++)
		if (layers_used_by(users.v[i], NULL, used) < 0)
			return -1;
	return 0;
}

/* 'delta' and 'delta.3'; what else is called so is somebody's own. */
static bool is_ours(const char *entry, const char *name)
{
	size_t n = strlen(name);
	unsigned long long number;

	return strncmp(entry, name, n) == 0 &&
	       (!entry[n] || (entry[n] == '.' && str_to_u64(entry + n + 1, &number)));
}

/* Remove what is called 'name', or that and a number, in 'dir', and is in nobody's use. */
static int sweep(const char *dir, const char *name, const struct strv *used, struct error *err)
{
	autodir DIR *list = opendir(dir);
	struct dirent *entry;

	if (!list)
		return errno == ENOENT ? 0 : error_sys(err, "cannot look into \"%s\"", dir);
	while ((entry = readdir(list))) {
		autofree char *path = str_printf("%s/%s", dir, entry->d_name);

		if (!path)
			return error_set(err, ENOMEM, "out of memory");
		if (is_ours(entry->d_name, name) && !strv_has(used, path) &&
		    mapped_remove(path, err) < 0)
			return -1;
	}
	return 0;
}

/* A layer's work directory is in use as long as the layer is written. */
static int add_work(struct strv *used)
{
	size_t n = used->n;

	for (size_t i = 0; i < n; i++) {
		autooverlay struct overlay o = {0};
		autofree char *source = str_printf("/:%s", used->v[i]);

		if (!source || overlay_parse(source, &o, NULL) < 0 || strv_add(used, o.work) < 0)
			return -1;
	}
	return 0;
}

int layers_sweep(struct lxcore_container *c, struct error *err)
{
	autofree char *overlay = str_printf("%s/overlay", c->dir);
	autostrv struct strv used = {0};

	if (!overlay || collect_used(c->dir, &used) < 0 || add_work(&used) < 0)
		return error_sys(err, "cannot tell which layers of %s are in use", c->name);
	if (sweep(overlay, "delta", &used, err) < 0 || sweep(overlay, "work", &used, err) < 0)
		return -1;
	rmdir(overlay); /* when it is empty */
	return sweep(c->dir, "rootfs", &used, err);
}

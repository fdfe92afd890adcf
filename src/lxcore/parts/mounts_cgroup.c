/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.mount.auto = cgroup...: what the container sees at /sys/fs/cgroup.
 *
 * With a cgroup namespace init can mount its hierarchies itself, and today's do, each in the layout
 * that it knows; so on hosts with v1 hierarchies nothing is mounted unless 'force' says so or
 * init could not do it.  On a pure v2 host it is mounted, because older inits expect it there.
 */
#include "parts/mounts.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PLACE "sys/fs/cgroup"
#define HOST "/sys/fs/cgroup"
#define CGROUP_ATTRIBUTES (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

typedef const struct cgroup_view_hierarchy hierarchy;

static unsigned attributes(enum access access)
{
	return CGROUP_ATTRIBUTES | (access == ACCESS_RO ? MOUNT_ATTR_RDONLY : 0);
}

/* A mount of the hierarchy as the cgroup namespace shows it. */
static int new_mount(hierarchy *h, enum access access, struct error *err)
{
	static const char *const v2[] = {"source=cgroup2", NULL};
	autostrv struct strv options = {0};

	if (!h->options)
		return mount_new("cgroup2", v2, attributes(access), err);
	if (strv_add(&options, "source=cgroup") < 0 || strv_split(&options, h->options, ",") < 0)
		return error_set(err, ENOMEM, "cannot list the mount options: out of memory");
	return mount_new("cgroup", (const char *const *)options.v, attributes(access), err);
}

/* v2 alone, at the place itself. */
static int mount_unified(struct boot *b, hierarchy *h, enum access access, struct error *err)
{
	autoclose int at = -1, tree = -1;

	if (!b->cgroup_view->own_ns) {
		error_set(err, EINVAL,
			  "cannot show the container its cgroup: it has no cgroup "
			  "namespace of its own");
		return error_mend(err, "take \"cgroup\" out of lxc.namespace.keep");
	}
	at = mounts_open_directory(b, PLACE, err);
	tree = at < 0 ? -1 : new_mount(h, access, err);
	if (tree < 0)
		return -1;
	return mount_place(tree, at, "", NULL) < 0 ? error_sys(err, "cannot mount it") : 0;
}

/* ---- v1, hybrid ---- */

/* 'cpu,cpuacct' is found under each of its names. */
static int link_names(int dir, const char *joint, struct error *err)
{
	autostrv struct strv names = {0};

	if (!strchr(joint, ','))
		return 0;
	if (strv_split(&names, joint, ",") < 0)
		return error_set(err, ENOMEM, "cannot list controllers: out of memory");
	for (size_t i = 0; i < names.n; i++)
		if (symlinkat(joint, dir, names.v[i]) < 0 && errno != EEXIST)
			return error_sys(err, "cannot make the link \"%s\"", names.v[i]);
	return 0;
}

/* The host's own mount of a hierarchy, or a cgroup in it. */
static int copy_of_host(hierarchy *h, const char *below, struct error *err)
{
	autofree char *path = str_printf(HOST "/%s/%s", h->dir, below);
	int tree = path ? mount_copy(AT_FDCWD, path, false) : -1;

	return tree < 0 ? error_sys(err, "cannot copy \"" HOST "/%s/%s\"", h->dir, below) : tree;
}

/* Without a cgroup namespace: the container's own cgroup under its host's name. */
static int bind_own(hierarchy *h, int dir, enum access access, struct error *err)
{
	const struct mount_change change = {.set = attributes(access)};
	autofree char *path = str_printf("%s/%s", h->dir, h->payload);
	autoclose int tree = copy_of_host(h, h->payload, err);

	if (tree < 0)
		return -1;
	return !path || mount_place(tree, dir, path, &change) < 0
		       ? error_sys(err, "cannot mount hierarchy \"%s\"", h->dir)
		       : 0;
}

/* Without a cgroup namespace: the whole hierarchy; mixed: only the own cgroup writable. */
static int bind_full(hierarchy *h, int dir, enum access access, struct error *err)
{
	const struct mount_change whole = {
		.set = attributes(access == ACCESS_RW ? ACCESS_RW : ACCESS_RO)};
	const struct mount_change own = {.set = attributes(ACCESS_RW)};
	autoclose int tree = copy_of_host(h, "", err), below = -1;

	if (tree < 0)
		return -1;
	if (mount_place(tree, dir, h->dir, &whole) < 0)
		return error_sys(err, "cannot mount hierarchy \"%s\"", h->dir);
	if (access != ACCESS_MIXED)
		return 0;
	below = copy_of_host(h, h->payload, err);
	if (below < 0)
		return -1;
	return mount_place(below, tree, h->payload, &own) < 0
		       ? error_sys(err, "cannot mount the own cgroup of hierarchy \"%s\"", h->dir)
		       : 0;
}

static int mount_hierarchy(struct boot *b, hierarchy *h, int dir, const struct mounts_auto *a,
			   struct error *err)
{
	autoclose int tree = -1;

	if (!b->cgroup_view->own_ns)
		return a->show == SHOW_FULL ? bind_full(h, dir, a->cgroup, err)
					    : bind_own(h, dir, a->cgroup, err);
	tree = new_mount(h, a->cgroup, err);
	if (tree < 0)
		return -1;
	return mount_place(tree, dir, h->dir, NULL) < 0
		       ? error_sys(err, "cannot mount hierarchy \"%s\"", h->dir)
		       : 0;
}

static int make_place(hierarchy *h, int dir, bool own_below, struct error *err)
{
	autofree char *path =
		str_printf("%s%s%s", h->dir, own_below ? "/" : "", own_below ? h->payload : "");
	autoclose int fd = path ? path_make_dir_in(dir, path, 0755) : -1;

	if (fd < 0)
		return error_sys(err, "cannot make the directory of hierarchy \"%s\"", h->dir);
	return link_names(dir, h->dir, err);
}

static int mount_hierarchies(struct boot *b, const struct mounts_auto *a, struct error *err)
{
	static const char *const options[] = {"source=none", "size=10240k", "mode=755", NULL};
	static const struct mount_change read_only = {.set = MOUNT_ATTR_RDONLY};
	const struct cgroup_view *v = b->cgroup_view;
	autoclose int at = mounts_open_directory(b, PLACE, err);
	autoclose int tree = at < 0 ? -1 : mount_new("tmpfs", options, CGROUP_ATTRIBUTES, err);

	if (tree < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++)
		if (make_place(&v->v[i], tree, !v->own_ns && a->show == SHOW_OWN, err) < 0)
			return -1;
	/* Nothing beside the own cgroups shall be taken for one. */
	if (mount_place(tree, at, "", !v->own_ns && a->cgroup != ACCESS_RW ? &read_only : NULL) < 0)
		return error_sys(err, "cannot mount it");
	for (size_t i = 0; i < v->n; i++)
		if (mount_hierarchy(b, &v->v[i], tree, a, err) < 0)
			return -1;
	return 0;
}

static hierarchy *find_v2(const struct cgroup_view *v)
{
	for (size_t i = 0; i < v->n; i++)
		if (!v->v[i].options)
			return &v->v[i];
	return NULL;
}

static int enter(struct boot *b, const struct mounts_auto *a, struct error *err)
{
	const struct cgroup_view *v = b->cgroup_view;
	bool can_itself = mounts_keeps_capability(b->conf, "sys_admin", 21);
	struct mounts_auto m = *a;

	if (m.cgroup == ACCESS_DEFAULT)
		m.cgroup = can_itself || m.show == SHOW_V2 ? ACCESS_RW : ACCESS_MIXED;
	/* An ordinary user's, without a cgroup of its own: what init sees is not its own to write. */
	if (v && !v->n && v->own_ns && !m.force && (can_itself || v->unified))
		return v->unified ? mount_unified(b, &(hierarchy){.dir = ""}, ACCESS_RO, err) : 0;
	if (!v || !v->n)
		return error_set(err, ENOENT, "cannot show the container its cgroup: it has none");
	if (v->unified || m.show == SHOW_V2) {
		if (!find_v2(v))
			return error_set(err, ENOENT,
					 "cannot mount cgroup2: this host has no v2 "
					 "hierarchy");
		return mount_unified(b, find_v2(v), m.cgroup, err);
	}
	if (v->own_ns && can_itself && !m.force)
		return 0;
	return mount_hierarchies(b, &m, err);
}

int mounts_cgroup_enter(struct boot *b, const struct mounts_auto *a, struct error *err)
{
	if (a->cgroup && enter(b, a, err) < 0)
		return error_within(err, "/" PLACE " (lxc.mount.auto)");
	return 0;
}

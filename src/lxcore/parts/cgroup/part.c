/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The cgroup part: where a container's processes are counted, limited, frozen and found again.
 *
 * prepare makes one directory in each hierarchy and sets its limits before anyone is in it.  On v2
 * the first process is born there (CLONE_INTO_CGROUP); into the v1 ones it goes by itself, writing
 * "0" to their 'tasks' files: writing its pid to cgroup.procs from outside would wait for an RCU
 * grace period of 5 to 17 ms each.  Its cgroup namespace is unshared after that, since the root of
 * a cgroup namespace is where its maker was (cgroup_namespaces(7)).  Device rules come last, in
 * seal, as building the container itself needs device nodes.
 */
#include "parts/cgroup/resources.h"
#include "parts/cgroup/room.h"

#include "base/auto.h"
#include "base/buf.h"
#include "parts/parts.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* ---- keys ---- */

static int set_dir(void *field, const struct conf_key *key, const char *sub, const char *value,
		   struct error *err)
{
	if (!cgroup_stays_inside(value))
		return error_set(err, EINVAL, "\"%s\" is not a path below the cgroup hierarchies: it "
				 "must be relative and without \"..\"", value);
	if (key->extra && strchr(value, '/'))
		return error_set(err, EINVAL, "\"%s\" is not the name of one directory", value);
	return conf_path.set(field, key, sub, value, err);
}

static void get_dir(const void *field, const struct conf_key *key, const char *sub,
		    struct buf *out)
{
	conf_path.get(field, key, sub, out);
}

static void clear_dir(void *field, const struct conf_key *key, const char *sub)
{
	conf_path.clear(field, key, sub);
}

static const struct conf_type type_dir = {"RELATIVE-PATH", set_dir, get_dir, clear_dir,
					  conf_replaces};
static const char one_name[] = "one name";

#define FIELD(f) offsetof(struct cgroup_conf, f)
static const struct conf_key keys[] = {
	{"lxc.cgroup2.", &conf_pairs_list, FIELD(v2), .syntax = "VALUE",
	 .summary = "Write a value to a control file of the container's cgroup, by its cgroup v2 "
		    "name (lxc.cgroup2.memory.max), in the order of the lines; on a host with that "
		    "controller on v1 it is translated where the same can be said there, else "
		    "refused. devices.allow and devices.deny are device rules."},
	{"lxc.cgroup.", &conf_pairs_list, FIELD(v1), .syntax = "VALUE",
	 .summary = "The same by cgroup v1 names (lxc.cgroup.memory.limit_in_bytes). Where both "
		    "families speak of one controller, the one that fits the host counts."},
	{"lxc.cgroup.dir", &type_dir, FIELD(dir),
	 .summary = "Directory, in every hierarchy, below which the container's cgroup is made."},
	{"lxc.cgroup.dir.monitor", &type_dir, FIELD(dir_monitor),
	 .summary = "Cgroup of the supervisor itself; without it, that of process 1."},
	{"lxc.cgroup.dir.monitor.pivot", &type_dir, FIELD(dir_pivot),
	 .summary = "Where the supervisor goes at the stop, when it may return neither to process "
		    "1's cgroup nor to where it came from."},
	{"lxc.cgroup.dir.container", &type_dir, FIELD(dir_container),
	 .summary = "The container's cgroup, exactly; limits are set there."},
	{"lxc.cgroup.dir.container.inner", &type_dir, FIELD(dir_inner), .syntax = "NAME",
	 .extra = one_name,
	 .summary = "Child of lxc.cgroup.dir.container that the container gets as its own, so that "
		    "it cannot change its limits."},
	{"lxc.cgroup.relative", &conf_bool, FIELD(relative), .preset = "0",
	 .summary = "Make the cgroup below the caller's own one instead of below that of the "
		    "system."},
	{NULL},
};
const struct conf_section cgroup_section = {"cgroup", sizeof(struct cgroup_conf), keys};

/* ---- doors ---- */

static int exclude(const struct conf *conf, const char *key, const char *other, const char *why,
		   struct error *err)
{
	const char *where = conf_where(conf, key);

	error_set(err, EINVAL, "cannot use %s: %s %s (%s)", key, why, other, where ? where : key);
	return -1;
}

static int check(const struct boot *b, struct error *err)
{
	const struct cgroup_conf *c = conf_of(b->conf, &cgroup_section);
	const char *one = c->dir_monitor ? "lxc.cgroup.dir.monitor" : "lxc.cgroup.dir.container";

	if (c->dir && (c->dir_monitor || c->dir_container))
		return exclude(b->conf, "lxc.cgroup.dir", one, "it excludes", err);
	if (!c->dir_monitor != !c->dir_container)
		return exclude(b->conf, one, c->dir_monitor ? "lxc.cgroup.dir.container"
							    : "lxc.cgroup.dir.monitor",
			       "it needs", err);
	if (c->dir_inner && !c->dir_container)
		return exclude(b->conf, "lxc.cgroup.dir.container.inner",
			       "lxc.cgroup.dir.container", "it needs", err);
	if (c->dir_pivot && !c->dir_monitor)
		return exclude(b->conf, "lxc.cgroup.dir.monitor.pivot", "lxc.cgroup.dir.monitor",
			       "it needs", err);
	if (cgroup_devices_check(b->conf, err) < 0)
		return -1;
	return cgroup_limits_check(b->conf, err);
}

/* The mounts part may not know this room; it gets the facts. */
static int show_view(struct boot *b, const struct cgroup_boot *c, struct error *err)
{
	size_t n = c->layout.n;
	struct cgroup_view *view = calloc(1, sizeof(*view) + n * sizeof(view->v[0]) + n * 80);
	char *text;

	if (!view)
		return error_set(err, ENOMEM, "cannot prepare the cgroup: out of memory");
	text = (char *)&view->v[n];
	view->unified = c->layout.unified;
	view->own_ns = b->clone_flags & CLONE_NEWCGROUP;
	view->n = n;
	for (size_t i = 0; i < n; i++, text += 80) {
		const struct cgroup_hierarchy *h = &c->layout.v[i];
		size_t skip = strlen(CGROUP_ROOT "/") + (*h->dir ? strlen(h->dir) + 1 : 0);

		view->v[i].dir = h->dir;
		view->v[i].payload = c->v[i].own + skip;
		if (h->v2)
			continue;
		snprintf(text, 80, "%s%s", str_starts(h->controllers, "name=") ? "none," : "",
			 h->controllers);
		view->v[i].options = text;
	}
	b->cgroup_view = view;
	return 0;
}

void cgroup_boot_end(struct boot *b)
{
	struct cgroup_boot *c = b->cgroup;

	free((void *)b->cgroup_view);
	b->cgroup_view = NULL;
	b->cgroup = NULL;
	for (size_t i = 0; c && i < CGROUP_MAX; i++) {
		close_fd(&c->v[i].tasks);
		free(c->v[i].path);
		free(c->v[i].own);
	}
	if (c)
		cgroup_layout_free(&c->layout);
	free(c);
}

static struct cgroup_boot *begin(struct boot *b)
{
	struct cgroup_boot *c = calloc(1, sizeof(*c));

	for (size_t i = 0; c && i < CGROUP_MAX; i++)
		c->v[i].tasks = -1;
	b->cgroup = c;
	return c;
}

static int prepare(struct boot *b, struct error *err)
{
	const struct cgroup_conf *conf = conf_of(b->conf, &cgroup_section);
	struct cgroup_boot *c = begin(b);
	struct cgroup_names names;
	int made;

	if (!c)
		return error_set(err, ENOMEM, "cannot prepare the cgroup: out of memory");
	if (cgroup_layout_of(&c->layout, conf, err) < 0 ||
	    cgroup_names_of(&names, conf, b->name, err) < 0)
		return -1;
	made = cgroup_make(b, c, &names, err);
	free(names.payload);
	if (made < 0 || cgroup_limits_set(&c->at, b->conf, err) < 0 ||
	    resources_set(b, &c->at, err) < 0 || cgroup_open_doors(b, c, err) < 0 ||
	    cgroup_monitor_enter(b, &c->layout, err) < 0)
		return -1;
	return show_view(b, c, err);
}

static int connect(struct boot *b, struct error *err)
{
	/* The first process has its own copies of the 'tasks' descriptors. */
	for (size_t i = 0; i < CGROUP_MAX; i++)
		close_fd(&b->cgroup->v[i].tasks);
	return b->userns ? cgroup_chown(b, err) : 0;
}

static int enter(struct boot *b, struct error *err)
{
	struct cgroup_boot *c = b->cgroup;

	for (size_t i = 0; i < c->layout.n; i++) {
		if (c->v[i].tasks < 0)
			continue;
		/* The kernel asks for the rights of who opened it, the supervisor's. */
		if (write(c->v[i].tasks, "0", 1) < 0)
			return error_sys(err, "cannot enter the cgroup \"%s\"", c->v[i].own);
		close_fd(&c->v[i].tasks);
	}
	if ((b->clone_flags & CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		return error_sys(err, "cannot make a cgroup namespace");
	return 0;
}

/* criu has to know what the container's own cgroup is called now. */
static int offer(struct boot *b, struct error *err)
{
	for (size_t i = 0; i < b->cgroup_view->n; i++) {
		const struct cgroup_view_hierarchy *h = &b->cgroup_view->v[i];
		const char *of = !h->options ? "" : str_starts(h->options, "none,") ?
				 h->options + strlen("none,") : h->options;

		if (strv_add(&b->revival->words, "--cgroup-root") < 0 ||
		    strv_take(&b->revival->words, str_printf("%s%s/%s", of, *of ? ":" : "",
							     h->payload)) < 0)
			return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int seal(struct boot *b, struct error *err)
{
	int result = cgroup_devices_set(&b->cgroup->at, b, err);

	if (result == 0)
		cgroup_boot_end(b);
	return result;
}

const struct part part_cgroup = {
	.name = "cgroup",
	.section = &cgroup_section,
	.check = check,
	.prepare = prepare,
	.connect = connect,
	.enter = enter,
	.offer = offer,
	.adopt = connect,
	.seal = seal,
	.release = cgroup_release,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Can this host keep the limits that a configuration asks for?  What it cannot - no such controller,
 * one that is not handed down to where the container will be, a kernel that was built or booted without
 * - is told before any process is born.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

struct checked {
	const struct conf *conf;
	const struct resources_conf *c;
	const char *name; /* of the container */
	const struct cgroup_layout *layout;
	const struct cgroup_running *roots;
};

/* ---- the settings with each other ---- */

static int needs(const struct conf *conf, const char *key, const char *other, const char *why,
		 struct error *err)
{
	error_set(err, EINVAL, "cannot use %s without %s: %s", key, other, why);
	return resources_blame(conf, key, err);
}

static int check_together(const struct conf *conf, const struct resources_conf *c,
			  struct error *err)
{
	unsigned long long soft, hard;

	if (c->memory && c->memory_weight) {
		error_set(err, EINVAL, "cannot use lxc.limit.memory and lxc.limit.memory.weight "
			  "together: a share is a limit");
		return resources_blame(conf, "lxc.limit.memory.weight", err);
	}
	if (c->swap && !c->memory && !c->memory_weight)
		return needs(conf, "lxc.limit.swap", "lxc.limit.memory",
			     "cgroup v1 limits swap together with memory", err);
	if (c->soft && c->memory && resources_bytes(c->soft, &soft) &&
	    resources_bytes(c->memory, &hard) && soft > hard) {
		error_set(err, EINVAL, "the soft limit of \"%s\" is above lxc.limit.memory, which is "
			  "\"%s\"", c->soft, c->memory);
		return resources_blame(conf, "lxc.limit.memory.soft", err);
	}
	return 0;
}

static const char *raw_setting(const struct conf_pairs *pairs, const char *file)
{
	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->v[i].name, file) == 0)
			return pairs->v[i].name;
	return NULL;
}

/* The same thing said twice: nobody could tell which of them counts. */
static int check_said_once(const struct conf *conf, const struct resources_limit *l,
			   struct error *err)
{
	const struct cgroup_conf *raw = conf_of(conf, &cgroup_section);
	const char *v2 = raw_setting(&raw->v2, l->file), *v1 = raw_setting(&raw->v1, l->v1);

	if (!v1 && !v2)
		return 0;
	error_set(err, EINVAL, "cannot use %s and lxc.cgroup%s.%s together: they say the same thing",
		  l->key, v2 ? "2" : "", v2 ? v2 : v1);
	error_mend(err, "leave one of them out");
	return resources_blame(conf, l->key, err);
}

/* ---- the host ---- */

static const struct cgroup_hierarchy *hierarchy_of(const struct checked *k, int home,
						   const char *controller)
{
	const char *v1 = strcmp(controller, "io") == 0 ? "blkio" : controller;

	for (size_t i = 0; i < k->layout->n; i++) {
		const struct cgroup_hierarchy *h = &k->layout->v[i];

		if (h->v2 ? home == CGROUP_V2 : home == CGROUP_V1 && cgroup_lists(h->controllers, v1))
			return h;
	}
	return NULL;
}

static int not_delegated(const char *controller, const char *dir, struct error *err)
{
	error_set(err, EACCES, "the cgroup controller \"%s\" is not handed down to \"%s\", where the "
		  "container's cgroup would be", controller, dir);
	if (geteuid() != 0)
		return error_mend(err, CGROUP_HELP "      (gives you a cgroup of your own)");
	return error_mend(err, "echo +%s >%s/cgroup.subtree_control", controller, dir);
}

/*
 * An ordinary user's systemd will be asked for a place of its own (scope.c): what it has itself it
 * hands down there.
 */
static int check_scope(const char *controller, struct error *err)
{
	autofree char *manager = str_printf(CGROUP_ROOT "/user.slice/user-%u.slice/user@%u.service",
					    (unsigned)geteuid(), (unsigned)geteuid());
	autofree char *has = manager ? cgroup_read(manager, "cgroup.controllers") : NULL;

	if (!has || cgroup_lists(has, controller))
		return 0;
	error_set(err, EACCES, "the cgroup controller \"%s\" is not handed down to your systemd, which "
		  "has: %s", controller, has);
	return error_mend(err, "systemctl edit user@.service      (as root: [Service] Delegate=yes)");
}

static bool comes_from_scope(const struct conf *conf)
{
	return cgroup_scope_is_wanted(conf, false) && cgroup_scope_is_possible(NULL);
}

static bool holds_processes(const char *dir)
{
	autofree char *pids = cgroup_read(dir, "cgroup.procs");

	return pids && *pids;
}

/*
 * On each level from the root to where the container goes the controller is handed down already, or we
 * may see to that: whoever holds processes may not hand down (cgroups(7)).
 */
static int check_handed_down(const char *controller, const char *root, const char *base,
			     struct error *err)
{
	autofree char *level = strdup(base);
	size_t at = strlen(root);

	for (; level; at += 1 + strcspn(base + at + 1, "/")) {
		autofree char *now = NULL, *control = NULL;

		level[at] = '\0';
		now = cgroup_read(level, "cgroup.subtree_control");
		control = str_printf("%s/cgroup.subtree_control", level);
		if (!(now && cgroup_lists(now, controller)) && control) {
			if (access(control, W_OK) < 0)
				return not_delegated(controller, level, err);
			if (at > strlen(root) && holds_processes(level)) {
				error_set(err, EBUSY, "the cgroup controller \"%s\" cannot be handed "
					  "down in \"%s\": there are processes in it", controller,
					  level);
				return error_mend(err, "move them into a child of it (cgroups(7), no "
						  "internal processes)");
			}
		}
		if (!base[at])
			return 0;
		level[at] = '/';
	}
	return error_set(err, ENOMEM, "out of memory");
}

static int no_such_file(const char *file, struct error *err)
{
	error_set(err, ENOTSUP, "this host's kernel cannot do it: there is no %s", file);
	if (strstr(file, "memsw") || strstr(file, "swap"))
		return error_mend(err, "add swapaccount=1 to the kernel's command line, and boot "
				  "again");
	return -1;
}

/* The root of v2 has none of a controller's files, so a child of it tells; without one nobody knows. */
static int check_v2_file(const char *base, const char *controller, const char *file,
			 struct error *err)
{
	autodir DIR *dir = opendir(base);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autofree char *child = NULL, *has = NULL, *path = NULL;

		if (entry->d_type != DT_DIR || strcmp(entry->d_name, "..") == 0)
			continue;
		child = str_printf("%s/%s", base, entry->d_name);
		path = child ? str_printf("%s/%s", child, file) : NULL;
		has = child && strcmp(entry->d_name, ".") ? cgroup_read(child, "cgroup.controllers")
							   : NULL;
		if (path && has && cgroup_lists(has, controller))
			return access(path, F_OK) == 0 ? 0 : no_such_file(file, err);
	}
	return 0;
}

static int check_v1_file(const char *base, const struct resources_limit *l, struct error *err)
{
	autofree char *path = str_printf("%s/%s", base, l->v1);

	if (access(base, W_OK) < 0) {
		error_sys(err, "cannot make a cgroup in \"%s\"", base);
		return geteuid() == 0 ? -1 : error_mend(err, CGROUP_HELP
							 "      (gives you a cgroup of your own)");
	}
	/* Where both versions have one name it is always there, but not in the root. */
	if (strcmp(l->v1, l->file) == 0 || !path || access(path, F_OK) == 0)
		return 0;
	return no_such_file(l->v1, err);
}

/* ---- what single limits need ---- */

struct allowed {
	const char *list;
	unsigned wrong;
};

struct search {
	unsigned cpu;
};

static bool is_other(void *data, unsigned cpu)
{
	return ((struct search *)data)->cpu != cpu;
}

static bool is_allowed(void *data, unsigned cpu)
{
	struct allowed *a = data;
	struct search s = {cpu};

	a->wrong = cpu;
	return !resources_cpus(a->list, is_other, &s);
}

static int check_cpus(const char *wanted, const char *base, int home, struct error *err)
{
	autofree char *list = cgroup_read(base, home == CGROUP_V1 ? "cpuset.effective_cpus"
								  : "cpuset.cpus.effective");
	struct allowed a = {.list = list};

	if (!list && home == CGROUP_V1)
		a.list = list = cgroup_read(base, "cpuset.cpus");
	/* A cgroup that has no cpuset yet has its parent's, which the root of all tells. */
	if (!list)
		a.list = list = cgroup_read(CGROUP_ROOT, "cpuset.cpus.effective");
	if (!list || resources_cpus(wanted, is_allowed, &a))
		return 0;
	error_set(err, EINVAL, "there is no processor %u for it", a.wrong);
	return error_mend(err, "use some of those that there are: %s", list);
}

static int check_devices(const struct strv *lines, struct error *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct resources_io io;
		unsigned major, minor;

		if (!resources_io(lines->v[i], &io) ||
		    resources_device(io.device, &major, &minor, err) < 0)
			return -1;
	}
	return 0;
}

/* v2 protects as much as all cgroups above are protected, too; below the root that is everything. */
static int check_protected(const struct checked *k, const char *base, const char *root,
			   struct error *err)
{
	struct cgroup_names names;
	unsigned long long wanted = 0, low;
	autofree char *path = NULL;
	int result = 0;

	if (cgroup_names_of(&names, conf_of(k->conf, &cgroup_section), k->name, err) < 0)
		return -1;
	path = str_printf("%s/%s", base, names.payload);
	free(names.payload);
	if (!path || !resources_bytes(k->c->soft, &wanted))
		return error_set(err, ENOMEM, "out of memory");
	for (char *slash; result == 0; ) {
		autofree char *text = NULL;

		slash = strrchr(path, '/');
		*slash = '\0';
		if (strlen(path) <= strlen(root))
			break;
		text = cgroup_read(path, "memory.low");
		if (text && (strcmp(text, "max") == 0 || (str_to_u64(text, &low) && low >= wanted)))
			continue;
		result = error_set(err, ENOTSUP, "cgroup v2 protects memory only where the cgroup "
				   "above protects as much, and \"%s\" does not", path);
		error_mend(err, "echo max >%s/memory.low, or leave lxc.cgroup.dir out", path);
	}
	return result;
}

static int check_v2(const struct checked *k, const struct resources_limit *l, const char *controller,
		    const char *root, const char *base, struct error *err)
{
	if (comes_from_scope(k->conf))
		return check_scope(controller, err);
	if (check_handed_down(controller, root, base, err) < 0)
		return -1;
	return check_v2_file(base, controller, l->file, err);
}

static int check_limit(const struct checked *k, const struct resources_limit *l, struct error *err)
{
	const struct cgroup_hierarchy *h;
	autofree char *base = NULL, *root = NULL;
	char controller[32];
	int home = resources_home(k->roots, l);

	cgroup_controller_of(l->file, controller);
	h = home ? hierarchy_of(k, home, controller) : NULL;
	if (!h)
		return cgroup_no_controller(k->roots, controller, err);
	base = cgroup_path(h, "");
	root = str_printf(CGROUP_ROOT "%s%s", *h->dir ? "/" : "", h->dir);
	if (!base || !root)
		return error_set(err, ENOMEM, "out of memory");
	if (home == CGROUP_V1 && check_v1_file(base, l, err) < 0)
		return -1;
	if (home == CGROUP_V2 && check_v2(k, l, controller, root, base, err) < 0)
		return -1;
	if (l->kind == LIMIT_CPUS)
		return check_cpus(k->c->cpus, base, home, err);
	if (l->kind == LIMIT_READ)
		return check_devices(&k->c->reads, err);
	if (l->kind == LIMIT_WRITE)
		return check_devices(&k->c->writes, err);
	if (home == CGROUP_V2 && strcmp(l->file, "memory.low") == 0)
		return check_protected(k, base, root, err);
	return 0;
}

int resources_check(const struct conf *conf, const char *name, struct error *err)
{
	const struct resources_conf *c = conf_of(conf, &resources_section);
	autolayout struct cgroup_layout layout = {0};
	autostrv struct strv paths = {0};
	struct cgroup_running roots;
	struct checked k = {conf, c, name, &layout, &roots};

	if (check_together(conf, c, err) < 0)
		return -1;
	/* The host is looked at only when there is something to compare. */
	if (!resources_any(conf))
		return 0;
	if (cgroup_layout_of(&layout, conf_of(conf, &cgroup_section), err) < 0 ||
	    cgroup_layout_roots(&layout, &roots, &paths) < 0)
		return -1;
	for (const struct resources_limit *l = resources_limits; l->key; l++) {
		if (!resources_has(c, l))
			continue;
		if (check_said_once(conf, l, err) < 0)
			return -1;
		if (check_limit(&k, l, err) < 0) {
			error_within(err, "cannot limit %s", l->key + strlen("lxc.limit."));
			return resources_blame(conf, l->key, err);
		}
	}
	return 0;
}

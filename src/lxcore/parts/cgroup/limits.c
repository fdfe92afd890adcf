/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.cgroup.* and lxc.cgroup2.*: which of them count on this host, and writing them.
 *
 * A controller is on v1 or on v2, never on both.  A key of the family that fits is written as it
 * stands.  One of the other family is translated, unless keys of the fitting family speak of the
 * same controller too: then the file was written for both kinds of host (as common.conf is) and
 * they count.  A key that can do nothing here is an error, never ignored.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>

char *cgroup_read(const char *dir, const char *file)
{
	autofree char *path = str_printf("%s/%s", dir, file);
	autobuf struct buf text = BUF_INIT;

	if (!path || file_read(AT_FDCWD, path, &text) < 0)
		return NULL;
	if (text.len && text.s[text.len - 1] == '\n')
		text.s[--text.len] = '\0';
	return buf_steal(&text);
}

int cgroup_write(const char *dir, const char *file, const char *value)
{
	autofree char *path = str_printf("%s/%s", dir, file);

	return path ? file_write(AT_FDCWD, path, value) : -1;
}

/* ---- which controller is where ---- */

void cgroup_controller_of(const char *file, char ret[32])
{
	snprintf(ret, 32, "%.*s", (int)strcspn(file, "."), file);
}

/* The first component below CGROUP_ROOT: "cpu,cpuacct". */
static bool v1_dir_has(const char *path, const char *controller)
{
	const char *start = path + strlen(CGROUP_ROOT "/");
	char dir[64];

	snprintf(dir, sizeof(dir), "%.*s", (int)strcspn(start, "/"), start);
	return cgroup_lists(dir, controller);
}

const char *cgroup_v1_dir(const struct cgroup_running *at, const char *file)
{
	char controller[32];

	cgroup_controller_of(file, controller);
	for (size_t i = 0; i < at->n_v1; i++)
		if (v1_dir_has(at->v1[i], controller))
			return at->v1[i];
	/* Controllers that share a hierarchy need not all stand in its directory's name. */
	for (size_t i = 0; i < at->n_v1 && strchr(file, '.'); i++) {
		autofree char *path = str_printf("%s/%s", at->v1[i], file);

		if (path && !str_starts(file, "cgroup.") && access(path, F_OK) == 0)
			return at->v1[i];
	}
	return NULL;
}

static size_t v2_root_length(const char *v2)
{
	size_t n = strlen(CGROUP_ROOT "/unified");
	autofree char *inside = cgroup_read(CGROUP_ROOT, "cgroup.controllers");

	return inside || strncmp(v2, CGROUP_ROOT "/unified", n) ? strlen(CGROUP_ROOT) : n;
}

static char *v2_controllers(const char *v2)
{
	autofree char *root = strndup(v2, v2_root_length(v2));

	return root ? cgroup_read(root, "cgroup.controllers") : NULL;
}

static const char *canonical(const char *controller)
{
	return strcmp(controller, "blkio") == 0 ? "io" : controller;
}

int cgroup_home(const struct cgroup_running *at, const char *controller)
{
	const char *v1_name = strcmp(controller, "io") == 0 ? "blkio" : controller;
	const char *v2_name = canonical(controller);
	/* Not controllers of v2, but part of every one of its cgroups. */
	bool core = cgroup_lists("cgroup freezer cpuacct", controller);
	autofree char *v2 = NULL;

	for (size_t i = 0; i < at->n_v1; i++)
		if (v1_dir_has(at->v1[i], v1_name))
			return CGROUP_V1;
	if (at->v2 && core)
		return CGROUP_V2;
	v2 = at->v2 ? v2_controllers(at->v2) : NULL;
	if (v2 && cgroup_lists(v2, v2_name))
		return CGROUP_V2;
	return strcmp(controller, "cgroup") == 0 && at->n_v1 ? CGROUP_V1 : 0;
}

int cgroup_no_controller(const struct cgroup_running *at, const char *controller,
			 struct error *err)
{
	autofree char *v2 = at->v2 ? v2_controllers(at->v2) : NULL;
	autobuf struct buf all = BUF_INIT;

	for (size_t i = 0; i < at->n_v1; i++) {
		const char *start = at->v1[i] + strlen(CGROUP_ROOT "/");

		/* A named hierarchy has no controller. */
		if (!str_starts(start, "systemd"))
			buf_addf(&all, "%.*s ", (int)strcspn(start, "/"), start);
	}
	buf_puts(&all, v2 ? v2 : "");
	error_set(err, ENOTSUP, "this host has no cgroup controller \"%s\"", controller);
	if (strcmp(controller, "memory") == 0)
		return error_mend(err, "add cgroup_enable=memory to the kernel's command line, and "
				       "boot again");
	return error_mend(err, "leave the key out, or use one of what is here: %s",
			  all.s ? all.s : "");
}

/* ---- v2: a controller's files exist where its parent distributes it ---- */

static bool has_file(const char *dir, const char *file)
{
	autofree char *path = str_printf("%s/%s", dir, file);

	return path && access(path, F_OK) == 0;
}

int cgroup_v2_enable(const char *dir, const char *controller, const char *file, struct error *err)
{
	autofree char *level = strdup(dir), *plus = str_printf("+%s", controller);
	size_t at = v2_root_length(dir);

	/* Distributing changes the host for others too (accounting has a price): only when needed. */
	if (strcmp(controller, "cgroup") == 0 || has_file(dir, file))
		return 0;
	for (; level && plus && at && dir[at] == '/'; at += 1 + strcspn(dir + at + 1, "/")) {
		autofree char *now = NULL;

		level[at] = '\0';
		now = cgroup_read(level, "cgroup.subtree_control");
		if (now && !cgroup_lists(now, controller) &&
		    cgroup_write(level, "cgroup.subtree_control", plus) < 0) {
			int why = errno;

			error_sys(err, "cannot enable the controller %s in \"%s\"", controller, level);
			if (why == EBUSY)
				error_mend(err, "move the processes that are in %s into a child of it "
						"(cgroups(7), no internal processes)", level);
			else if (why == EACCES && geteuid() != 0)
				error_mend(err, "as root: systemctl set-property user@%u.service "
						"Delegate=\"cpu cpuset io memory pids\"      (gives "
						"the user's systemd the controller)",
					   (unsigned)geteuid());
			return -1;
		}
		level[at] = '/';
	}
	return 0;
}

/* ---- writing one limit ---- */

static int write_native(const struct cgroup_running *at, enum cgroup_version version,
			const char *file, const char *value, struct error *err)
{
	const char *dir = version == CGROUP_V1 ? cgroup_v1_dir(at, file) : at->v2;
	char controller[32];

	cgroup_controller_of(file, controller);
	if (!dir)
		return cgroup_no_controller(at, controller, err);
	if (version == CGROUP_V2 && cgroup_v2_enable(dir, controller, file, err) < 0)
		return -1;
	if (cgroup_write(dir, file, value) == 0)
		return 0;
	if (errno == ENOENT)
		return error_set(err, ENOENT, "cannot set %s: the kernel has no such file in \"%s\"",
				 file, dir);
	return error_sys(err, "cannot set %s to \"%.100s\"", file, value);
}

int cgroup_limit(const struct cgroup_running *at, enum cgroup_version version, const char *file,
		 const char *value, struct error *err)
{
	struct cgroup_write writes[CGROUP_MAX_WRITES];
	enum cgroup_version other = version == CGROUP_V1 ? CGROUP_V2 : CGROUP_V1;
	char controller[32];
	int home, n;

	cgroup_controller_of(file, controller);
	home = cgroup_home(at, controller);
	if (!home)
		return cgroup_no_controller(at, controller, err);
	if (home == (int)version)
		return write_native(at, version, file, value, err);
	n = cgroup_translate(at, version, file, value, writes, err);
	for (int i = 0; i < n; i++)
		if (write_native(at, other, writes[i].file, writes[i].value, err) < 0)
			return -1;
	return n < 0 ? -1 : 0;
}

/* ---- the limits of a configuration ---- */

static bool speaks_of(const struct conf_pairs *pairs, const char *controller)
{
	for (size_t i = 0; i < pairs->n; i++) {
		char other[32];

		cgroup_controller_of(pairs->v[i].name, other);
		if (strcmp(canonical(other), canonical(controller)) == 0)
			return true;
	}
	return false;
}

/* Put the key and its place behind the words. */
static int blame(const struct conf *conf, enum cgroup_version version, const char *file,
		 const struct error *why, struct error *err)
{
	autofree char *key = str_printf("lxc.cgroup%s.%s", version == CGROUP_V2 ? "2" : "", file);
	const char *where = key ? conf_where(conf, key) : NULL;

	error_set(err, why->code, "%s (%s%s%s)", why->text, key ? key : file, where ? ", " : "",
		  where ? where : "");
	if (*why->mend)
		error_mend(err, "%s", why->mend);
	else if (why->code == ENOTSUP)
		error_mend(err, version == CGROUP_V2
				? "remove the key, or boot with systemd.unified_cgroup_hierarchy=1"
				: "remove the key, or use its counterpart of lxc.cgroup2.*");
	return -1;
}

static bool is_file_name(const char *file)
{
	return strchr(file, '.') && *file != '.' &&
	       file[strspn(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			   "._-")] == '\0';
}

static int check_one(const struct cgroup_running *at, enum cgroup_version version,
		     const struct conf_pair *p, int home, struct error *err)
{
	struct cgroup_write writes[CGROUP_MAX_WRITES];
	char controller[32];

	cgroup_controller_of(p->name, controller);
	if (!home)
		return cgroup_no_controller(at, controller, err);
	if (home == (int)version)
		return 0;
	return cgroup_translate(NULL, version, p->name, p->value, writes, err) < 0 ? -1 : 0;
}

/* v1's memsw must not be below memory's limit, and both families' swap limits build on that. */
static bool comes_last(const char *file)
{
	return str_starts(file, "memory.memsw.") || str_starts(file, "memory.swap.");
}

struct walk {
	const struct cgroup_running *at;
	const struct conf *conf;
	bool only_check;
};

static int walk_family(const struct walk *w, enum cgroup_version version, bool last,
		       struct error *err)
{
	const struct cgroup_conf *c = conf_of(w->conf, &cgroup_section);
	const struct conf_pairs *mine = version == CGROUP_V1 ? &c->v1 : &c->v2;
	const struct conf_pairs *others = version == CGROUP_V1 ? &c->v2 : &c->v1;

	for (size_t i = 0; i < mine->n; i++) {
		const struct conf_pair *p = &mine->v[i];
		struct error why = {0};
		char controller[32];
		int home, result;

		cgroup_controller_of(p->name, controller);
		if (comes_last(p->name) != last || strcmp(controller, "devices") == 0)
			continue;
		home = cgroup_home(w->at, controller);
		if (home && home != (int)version && speaks_of(others, controller))
			continue;
		result = w->only_check ? check_one(w->at, version, p, home, &why)
				       : cgroup_limit(w->at, version, p->name, p->value, &why);
		if (result < 0)
			return blame(w->conf, version, p->name, &why, err);
	}
	return 0;
}

static int walk_all(const struct walk *w, struct error *err)
{
	for (int last = 0; last <= 1; last++)
		for (int version = CGROUP_V1; version <= CGROUP_V2; version++)
			if (walk_family(w, (enum cgroup_version)version, last, err) < 0)
				return -1;
	return 0;
}

static int check_names(const struct conf *conf, enum cgroup_version version, size_t *ret_limits,
		       struct error *err)
{
	const struct cgroup_conf *c = conf_of(conf, &cgroup_section);
	const struct conf_pairs *pairs = version == CGROUP_V1 ? &c->v1 : &c->v2;

	for (size_t i = 0; i < pairs->n; i++) {
		struct error why = {0};

		if (!is_file_name(pairs->v[i].name)) {
			error_set(&why, EINVAL, "\"%s\" is not the name of a cgroup file (such as "
				  "memory.max)", pairs->v[i].name);
			return blame(conf, version, pairs->v[i].name, &why, err);
		}
		*ret_limits += !str_starts(pairs->v[i].name, "devices.");
	}
	return 0;
}

int cgroup_limits_check(const struct conf *conf, struct error *err)
{
	const struct cgroup_conf *c = conf_of(conf, &cgroup_section);
	autolayout struct cgroup_layout l = {0};
	autostrv struct strv paths = {0};
	struct cgroup_running roots;
	size_t limits = 0;

	if (check_names(conf, CGROUP_V1, &limits, err) < 0 ||
	    check_names(conf, CGROUP_V2, &limits, err) < 0)
		return -1;
	/* The host is looked at only when there is something to compare. */
	if (!limits)
		return 0;
	if (cgroup_layout_of(&l, c, err) < 0 || cgroup_layout_roots(&l, &roots, &paths) < 0)
		return -1;
	return walk_all(&(struct walk){&roots, conf, true}, err);
}

int cgroup_limits_set(const struct cgroup_running *at, const struct conf *conf, struct error *err)
{
	const struct cgroup_conf *c = conf_of(conf, &cgroup_section);

	if (!c->v1.n && !c->v2.n)
		return 0;
	return walk_all(&(struct walk){at, conf, false}, err);
}

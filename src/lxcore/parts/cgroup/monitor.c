/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the supervisor itself lives.
 *
 * A detached supervisor must not stay in its caller's cgroup: that belongs to a session, a cron job
 * or a service, whose manager kills what is left in it, charges it for the container's memory, and
 * cannot remove it while someone lives there.  Nor may it need a directory of its own, since nobody
 * can remove the cgroup he lives in: leaving one costs a grace period of 5 to 17 ms on v2, and a
 * place to go to (an 'lxc.pivot' that then stays for ever).
 *
 * So it goes where pid 1 is: that cgroup holds processes by definition, outlives every container,
 * is never killed nor limited, and is there already.  On v1 it joins by itself through 'tasks', 5
 * microseconds each and only where it is elsewhere; on v2 the launcher lets it be born there.
 *
 * It stays with its caller where that is meant: in the foreground (a service manager that ends the
 * unit means the supervisor too), with lxc.cgroup.relative, and without privilege.
 *
 * lxc.cgroup.dir.monitor gives it directories of its own in every hierarchy; the moves into and out
 * of the v2 one then take their milliseconds.  At the stop it goes to pid 1's cgroup, or back to
 * where it came from, or, when both are denied, to lxc.cgroup.dir.monitor.pivot.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool stays_with_caller(const struct boot *b, const struct cgroup_conf *c)
{
	return b->foreground || c->relative || geteuid() != 0;
}

static const struct cgroup_hierarchy *v2_of(const struct cgroup_layout *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].v2)
			return &l->v[i];
	return NULL;
}

int cgroup_monitor_birthplace(const struct boot *b)
{
	const struct cgroup_conf *c = conf_of(b->conf, &cgroup_section);
	/* A v1 controller of this name does not exist: only v2 lines are looked at. */
	const char *only_v2 = "-";
	autolayout struct cgroup_layout self = {0}, init = {0};
	const struct cgroup_hierarchy *here, *there;
	autofree char *path = NULL;

	if (stays_with_caller(b, c) || c->dir_monitor ||
	    cgroup_layout_read(&self, CGROUP_OF_SELF, only_v2, NULL) < 0 ||
	    cgroup_layout_read(&init, CGROUP_OF_INIT, only_v2, NULL) < 0)
		return -1;
	here = v2_of(&self);
	there = v2_of(&init);
	if (!here || !there || strcmp(here->base, there->base) == 0)
		return -1;
	path = cgroup_path(there, "");
	return path ? open(path, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
}

/* This process, which has one thread, moves itself. */
static int join(const char *dir, bool v2)
{
	return cgroup_write(dir, v2 ? "cgroup.procs" : "tasks", "0");
}

/* The path behind ":CONTROLLERS:/" of /proc/self/cgroup; *ret_n its length. */
static const char *own_place(const char *text, const char *controllers, size_t *ret_n)
{
	autofree char *key = str_printf(":%s:/", controllers);
	const char *place = key ? strstr(text, key) : NULL;

	if (!place)
		return NULL;
	place += strlen(key);
	*ret_n = strcspn(place, "\n");
	return place;
}

/* Staying where it is does no harm, so a hierarchy that denies the move is left as it is. */
static void join_init(const struct cgroup_layout *l)
{
	autobuf struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, "/proc/self/cgroup", &text) < 0)
		return;
	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_hierarchy *h = &l->v[i];
		autofree char *path = cgroup_path(h, h->init_scope ? "init.scope" : "");
		const char *below = path ? path + strlen(CGROUP_ROOT "/") + strlen(h->dir) : "";
		const char *place;
		size_t n;

		if (h->v2 || !path)
			continue;
		place = own_place(text.s, h->controllers, &n);
		below += *below == '/';
		if (place && (strlen(below) != n || strncmp(place, below, n) != 0))
			join(path, false);
	}
}

static int make_monitor(struct boot *b, const struct cgroup_hierarchy *h, const char *path,
			struct error *err)
{
	if (access(path, F_OK) == 0) {
		error_set(err, EEXIST, "cannot make the cgroup \"%s\": it exists "
			  "(lxc.cgroup.dir.monitor)", path);
		return error_mend(err, "rmdir %s      (when nothing runs in it)", path);
	}
	if (cgroup_make_parents(b, h, path, err) < 0 ||
	    journal_record(&b->journal, "cgroup-monitor", path, err) < 0)
		return -1;
	if (mkdir(path, 0755) < 0)
		return error_sys(err, "cannot make the cgroup \"%s\"", path);
	return cgroup_lists(h->controllers, "cpuset") ? cgroup_fill_cpuset(path, err) : 0;
}

static int enter_own(struct boot *b, const struct cgroup_layout *l, const struct cgroup_conf *c,
		     struct error *err)
{
	autolayout struct cgroup_layout self = {0};

	if (cgroup_layout_read(&self, CGROUP_OF_SELF, NULL, err) < 0)
		return -1;
	for (size_t i = 0; i < l->n; i++) {
		const struct cgroup_hierarchy *h = &l->v[i];
		autofree char *path = cgroup_path(h, c->dir_monitor);
		autofree char *pivot = c->dir_pivot ? cgroup_path(h, c->dir_pivot) : NULL;

		for (size_t k = 0; k < self.n; k++) {
			autofree char *origin = cgroup_path(&self.v[k], "");

			if (origin && strcmp(self.v[k].dir, h->dir) == 0 &&
			    journal_record(&b->journal, "cgroup-origin", origin, err) < 0)
				return -1;
		}
		if (!path || (c->dir_pivot && !pivot))
			return error_set(err, ENOMEM, "cannot name a cgroup: out of memory");
		if (pivot && journal_record(&b->journal, "cgroup-pivot", pivot, err) < 0)
			return -1;
		if (make_monitor(b, h, path, err) < 0)
			return -1;
		if (join(path, h->v2) < 0)
			return error_sys(err, "cannot enter the cgroup \"%s\" "
					 "(lxc.cgroup.dir.monitor)", path);
	}
	return 0;
}

int cgroup_monitor_enter(struct boot *b, const struct cgroup_layout *l, struct error *err)
{
	const struct cgroup_conf *c = conf_of(b->conf, &cgroup_section);

	if (c->dir_monitor)
		return enter_own(b, l, c, err);
	if (!stays_with_caller(b, c))
		join_init(l);
	return 0;
}

/* The recorded directory of a kind that is in the same hierarchy as 'path'. */
static const char *recorded_beside(const struct journal *j, const char *kind, const char *path,
				   bool unified)
{
	const char *root = path + strlen(CGROUP_ROOT "/");
	size_t n = unified ? strlen(CGROUP_ROOT) : (size_t)(strchrnul(root, '/') - path);
	const char *value = NULL;

	while ((value = journal_previous(j, kind, value)))
		if (strncmp(value, path, n) == 0 && (value[n] == '/' || !value[n]))
			return value;
	return NULL;
}

static int join_init_beside(const char *path, const struct cgroup_layout *init)
{
	for (size_t i = 0; i < init->n; i++) {
		const struct cgroup_hierarchy *h = &init->v[i];
		autofree char *root = str_printf(CGROUP_ROOT "%s%s/", *h->dir ? "/" : "", h->dir);
		autofree char *dir = cgroup_path(h, "");

		if (root && dir && str_starts(path, root))
			return join(dir, h->v2);
	}
	return -1;
}

void cgroup_monitor_leave(const struct journal *j)
{
	autolayout struct cgroup_layout init = {0};
	const char *path = NULL;

	if (!journal_previous(j, "cgroup-monitor", NULL) ||
	    cgroup_layout_read(&init, CGROUP_OF_INIT, NULL, NULL) < 0)
		return;
	while ((path = journal_previous(j, "cgroup-monitor", path))) {
		const char *origin = recorded_beside(j, "cgroup-origin", path, init.unified);
		const char *pivot = recorded_beside(j, "cgroup-pivot", path, init.unified);
		bool v2 = init.unified || str_starts(path, CGROUP_ROOT "/unified/");

		if ((geteuid() == 0 && join_init_beside(path, &init) == 0) ||
		    (origin && join(origin, v2) == 0) || !pivot)
			continue;
		mkdir(pivot, CGROUP_PARENT_MODE);
		join(pivot, v2);
	}
}

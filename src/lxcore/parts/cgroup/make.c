/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making the container's directory in every hierarchy.
 *
 * A name that is taken in one hierarchy is not used in any: the next suffix is tried.  Whether it
 * is taken is looked up before the journal speaks of it, because what the journal names will be
 * killed and removed one day; when mkdir nevertheless finds it taken, a line 'cgroup-not' takes the
 * word back.
 *
 * A hierarchy that cannot be written to (a nested or unprivileged host) is left out; a limit that
 * would need it is then refused by name.  An ordinary user's container does without any where none
 * can be written to, unless its configuration asks for something that only a cgroup can give.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SUFFIX 999

static int record(struct boot *b, const char *kind, const char *path, struct error *err)
{
	return journal_record(&b->journal, kind, path, err);
}

/* v1 cpusets begin empty and nothing can join them then (cpuset(7)); a copy of the parent's. */
int cgroup_fill_cpuset(const char *path, struct error *err)
{
	static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
	autofree char *parent = strdup(path);

	if (!parent)
		return error_set(err, ENOMEM, "cannot fill \"%s\": out of memory", path);
	*strrchr(parent, '/') = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		autofree char *value = cgroup_read(parent, files[i]);

		if (!value || cgroup_write(path, files[i], value) < 0)
			return error_sys(err, "cannot copy %s of the parent to \"%s\"", files[i],
					 path);
	}
	/* What the container makes below shall be usable as well. */
	cgroup_write(path, "cgroup.clone_children", "1");
	return 0;
}

static bool has_cpuset(const struct cgroup_hierarchy *h)
{
	return !h->v2 && cgroup_lists(h->controllers, "cpuset");
}

bool cgroup_is_our_parent(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_ISVTX);
}

int cgroup_make_parents(struct boot *b, const struct cgroup_hierarchy *h, const char *path,
			struct error *err)
{
	autofree char *base = cgroup_path(h, ""), *part = strdup(path);

	if (!base || !part)
		return error_set(err, ENOMEM, "cannot make \"%s\": out of memory", path);
	for (char *at = part + strlen(base) + 1; (at = strchr(at, '/')); at++) {
		bool there;

		*at = '\0';
		there = access(part, F_OK) == 0;
		if ((!there || cgroup_is_our_parent(part)) && record(b, "cgroup-parent", part, err) < 0)
			return -1;
		if (!there && mkdir(part, CGROUP_PARENT_MODE) < 0 && errno != EEXIST)
			return error_sys(err, "cannot make the cgroup \"%s\"", part);
		if (!there && has_cpuset(h) && cgroup_fill_cpuset(part, err) < 0)
			return -1;
		*at = '/';
	}
	return 0;
}

/*
 * One hierarchy is asked, as a container that has the name has it in all; the odd leftover in
 * another one is met by mkdir.  What the user named exactly is looked for everywhere.
 */
static bool is_taken(const struct cgroup_layout *l, const char *name, bool exact)
{
	for (size_t i = 0; i < (exact ? l->n : 1); i++) {
		autofree char *path = cgroup_path(&l->v[i], name);

		if (path && access(path, F_OK) == 0)
			return true;
	}
	return false;
}

/* The name with the first suffix that is free. */
static char *free_name(const struct cgroup_layout *l, const struct cgroup_names *names, int *suffix,
		       struct error *err)
{
	for (; *suffix <= MAX_SUFFIX; ++*suffix) {
		int i = *suffix;
		autofree char *name = i ? str_printf("%s-%d", names->payload, i)
					: strdup(names->payload);

		if (!name) {
			error_set(err, ENOMEM, "cannot name the cgroup: out of memory");
			return NULL;
		}
		if (!is_taken(l, name, names->exact))
			return steal_ptr(&name);
		if (names->exact)
			break;
	}
	error_set(err, EEXIST, "cannot make the cgroup \"%s\": it exists%s", names->payload,
		  names->exact ? " (lxc.cgroup.dir.container)" : ", and so do 999 others of the name");
	error_mend(err, "find " CGROUP_ROOT " -depth -type d -path \"*/%s\" -exec rmdir {} +"
			"      (when nothing runs in them)", names->payload);
	return NULL;
}

static void leave_out(struct cgroup_boot *c, size_t i)
{
	/* Nothing of those behind is made yet. */
	c->layout.n--;
	for (; i < c->layout.n; i++)
		c->layout.v[i] = c->layout.v[i + 1];
}

enum made { MADE, NOT_OURS, TAKEN }; /* -1: failed */

/* NOT_OURS: this hierarchy cannot be written to.  TAKEN: another container was quicker. */
static int make_payload(struct boot *b, struct cgroup_boot *c, size_t i, const char *name,
			struct error *err)
{
	const struct cgroup_hierarchy *h = &c->layout.v[i];
	char *path = cgroup_path(h, name);

	c->v[i].path = path;
	if (!path)
		return error_set(err, ENOMEM, "cannot make the cgroup: out of memory");
	if (strchr(name, '/') && cgroup_make_parents(b, h, path, err) < 0) {
		if (err && (err->code == EACCES || err->code == EPERM || err->code == EROFS))
			error_clear(err);
		else
			return -1;
	}
	if (record(b, h->v2 ? "cgroup2" : "cgroup", path, err) < 0)
		return -1;
	if (mkdir(path, 0755) < 0) {
		int why = errno;

		if (record(b, "cgroup-not", path, err) < 0)
			return -1;
		if (why == EACCES || why == EPERM || why == EROFS || why == ENOENT || why == EEXIST) {
			free(steal_ptr(&c->v[i].path));
			return why == EEXIST ? TAKEN : NOT_OURS;
		}
		errno = why;
		return error_sys(err, "cannot make the cgroup \"%s\"", path);
	}
	return has_cpuset(h) && cgroup_fill_cpuset(path, err) < 0 ? -1 : MADE;
}

/* lxc.cgroup.dir.container.inner: the container's own, so that its limits are out of its reach. */
static int make_inner(struct cgroup_boot *c, size_t i, const char *inner, struct error *err)
{
	c->v[i].own = inner ? str_printf("%s/%s", c->v[i].path, inner) : strdup(c->v[i].path);
	if (!c->v[i].own)
		return error_set(err, ENOMEM, "cannot make the cgroup: out of memory");
	if (!inner)
		return 0;
	if (mkdir(c->v[i].own, 0755) < 0)
		return error_sys(err, "cannot make the cgroup \"%s\"", c->v[i].own);
	return has_cpuset(&c->layout.v[i]) ? cgroup_fill_cpuset(c->v[i].own, err) : 0;
}

static int open_door(struct boot *b, struct cgroup_boot *c, size_t i, struct error *err)
{
	autofree char *tasks = str_printf("%s/tasks", c->v[i].own);
	int fd;

	if (c->layout.v[i].v2)
		fd = b->cgroup2 = open(c->v[i].own, O_PATH | O_DIRECTORY | O_CLOEXEC);
	else
		fd = c->v[i].tasks = tasks ? open(tasks, O_WRONLY | O_CLOEXEC) : -1;
	return fd < 0 ? error_sys(err, "cannot open the cgroup \"%s\"", c->v[i].own) : 0;
}

/* Does the configuration ask for what only a cgroup can give? */
static bool is_needed(const struct cgroup_conf *c)
{
	return c->v1.n || c->v2.n || c->dir || c->dir_container || c->dir_monitor;
}

bool cgroup_is_out_of_reach(const struct conf *conf)
{
	static const struct cgroup_conf usual;
	const struct cgroup_conf *c = conf ? conf_of(conf, &cgroup_section) : &usual;
	autolayout struct cgroup_layout l = {0};

	if (geteuid() == 0 || cgroup_layout_of(&l, c, NULL) < 0)
		return false;
	for (size_t i = 0; i < l.n; i++) {
		autofree char *base = cgroup_path(&l.v[i], "");

		if (base && access(base, W_OK) == 0)
			return false;
	}
	return true;
}

static int none_usable(struct error *err)
{
	error_set(err, EACCES, "cannot make a cgroup: none of the hierarchies below " CGROUP_ROOT
		  " may be written to");
	if (geteuid())
		return error_mend(err, CGROUP_HELP CGROUP_HELP_WHY);
	return error_mend(err, "mount -o remount,rw " CGROUP_ROOT);
}

/* Others have the name in a hierarchy: give back what was made of it in those before. */
static int undo(struct boot *b, struct cgroup_boot *c, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		if (record(b, "cgroup-not", c->v[i].path, err) < 0)
			return -1;
		rmdir(c->v[i].path);
		free(steal_ptr(&c->v[i].path));
	}
	return 0;
}

static int make_all(struct boot *b, struct cgroup_boot *c, const char *name, struct error *err)
{
	size_t i = 0;

	while (i < c->layout.n) {
		int made = make_payload(b, c, i, name, err);

		if (made < 0)
			return -1;
		if (made == TAKEN)
			return undo(b, c, i, err) < 0 ? -1 : TAKEN;
		if (made == NOT_OURS)
			leave_out(c, i);
		else
			i++;
	}
	return MADE;
}

int cgroup_make(struct boot *b, struct cgroup_boot *c, const struct cgroup_names *names,
		struct error *err)
{
	int made = TAKEN, suffix = 0;

	if (names->inner && record(b, "cgroup-inner", names->inner, err) < 0)
		return -1;
	for (; made == TAKEN; suffix++) {
		autofree char *name = free_name(&c->layout, names, &suffix, err);

		if (!name)
			return -1;
		made = make_all(b, c, name, err);
		if (made == TAKEN && names->exact)
			suffix = MAX_SUFFIX;
	}
	if (made < 0)
		return -1;
	for (size_t i = 0; i < c->layout.n; i++) {
		if (c->layout.v[i].v2)
			c->at.v2 = c->v[i].path;
		else
			c->at.v1[c->at.n_v1++] = c->v[i].path;
	}
	c->at.inner = names->inner;
	if (c->layout.n || (geteuid() != 0 && !resources_any(b->conf) &&
			    !is_needed(conf_of(b->conf, &cgroup_section))))
		return 0;
	return none_usable(err);
}

int cgroup_open_doors(struct boot *b, struct cgroup_boot *c, struct error *err)
{
	for (size_t i = 0; i < c->layout.n; i++)
		if (make_inner(c, i, c->at.inner, err) < 0 || open_door(b, c, i, err) < 0)
			return -1;
	return 0;
}

/* The files that a delegatee must own: cgroups(7), and the kernel's own list for v2. */
static int chown_dir(const char *path, bool v2, uid_t uid, gid_t gid)
{
	autostrv struct strv files = {0};
	autobuf struct buf text = BUF_INIT;
	autoclose int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || fchown(dir, uid, gid) < 0 || fchmod(dir, 0775) < 0)
		return -1;
	if (!v2 || file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", &text) < 0)
		buf_puts(&text, v2 ? "cgroup.procs cgroup.threads cgroup.subtree_control"
				   : "tasks cgroup.procs");
	if (strv_split(&files, text.s ? text.s : "", " \n") < 0)
		return -1;
	/* Some of the list belong to controllers that are not here. */
	for (size_t i = 0; i < files.n; i++)
		if (fchownat(dir, files.v[i], uid, gid, 0) < 0 && errno != ENOENT)
			return -1;
	return 0;
}

struct gift_to {
	const struct cgroup_boot *c;
	uid_t uid;
	gid_t gid;
};

static int chown_all(void *data, struct error *err)
{
	const struct gift_to *to = data;
	const struct cgroup_boot *c = to->c;

	for (size_t i = 0; i < c->layout.n; i++)
		if (chown_dir(c->v[i].own, c->layout.v[i].v2, to->uid, to->gid) < 0)
			return error_sys(err, "cannot give the cgroup \"%s\" to the container's root",
					 c->v[i].own);
	return 0;
}

int cgroup_chown(const struct boot *b, struct error *err)
{
	struct gift_to to = {b->cgroup, b->root_uid, b->root_gid};

	if (geteuid() == 0)
		return chown_all(&to, err);
	/* There it is user 0 of that namespace. */
	to.uid = to.gid = 0;
	return b->cgroup->layout.n ? b->as_root(b, chown_all, &to, err) : 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Looking into one container, through its root; see nested.h.  This runs in a process of its own, and
 * what it finds belongs to an enemy: nothing but directories and files is opened, each under the root,
 * and no more is read than a directory of containers needs.
 */
#include "store/nested.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"
#include "config/global.h"
#include "life/rundir.h"
#include "parts/cgroup/cgroup.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_ENTRIES 10000 /* of one directory that are looked at */
#define MOST_ROWS 10000    /* of the whole container */
#define MOST_TEXT 65536

struct look {
	struct nested_inits inits;
	unsigned most_depth;
	size_t rows;
	int out;
};

/* A container in the present one. */
struct found {
	const char *lxcpath;
	char *name;
	bool defined;
};
struct level {
	int root;
	ino_t ns;
	unsigned depth;
	struct strv lxcpaths;
	struct found *v;
	size_t n;
	bool cut;
};

/* ---- files of theirs ---- */

/* Only what is a file is opened. */
static int open_file(int root, const char *path)
{
	autoclose int pinned = path_open_in(root, path, O_PATH, 0);
	char again[40];
	struct stat st;

	if (pinned < 0 || fstat(pinned, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", pinned);
	return open(again, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static bool is_file(int root, const char *path)
{
	autoclose int pinned = path_open_in(root, path, O_PATH, 0);
	struct stat st;

	return pinned >= 0 && fstat(pinned, &st) == 0 && S_ISREG(st.st_mode);
}

/* ---- where their containers are ---- */

static int add_configured(struct level *l, const char *file)
{
	autobuf struct buf text = BUF_INIT;
	autoclose int fd = open_file(l->root, file);
	autofree char *path = NULL;

	if (fd < 0 || fd_read_all(fd, &text, MOST_TEXT) < 0 || !text.s)
		return 0;
	path = global_value(text.s, "lxc.lxcpath");
	/* What is not absolute depends on who asks. */
	if (!path || *path != '/')
		return 0;
	return strv_has(&l->lxcpaths, path) ? 0 : strv_add(&l->lxcpaths, path);
}

/* As root's tools in there find them: like ours, or as a system's usually are. */
static int find_lxcpaths(struct level *l)
{
	static const char *const usual[] = {LXCORE_LXCPATH, "/var/lib/lxc"};

	if (add_configured(l, LXCORE_SYSCONFDIR "/lxc/lxc.conf") < 0 ||
	    add_configured(l, "/etc/lxc/lxc.conf") < 0)
		return -1;
	if (l->lxcpaths.n)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(usual); i++)
		if (!strv_has(&l->lxcpaths, usual[i]) && strv_add(&l->lxcpaths, usual[i]) < 0)
			return -1;
	return 0;
}

/* The directory of run directories for an lxcpath, of one of those programs; to be freed. */
static char *run_path(const char *lxcpath, size_t which)
{
	static const char *const bases[] = {LXCORE_RUNDIR "/lxc", "/run/lxc"};

	if (which >= ARRAY_SIZE(bases) || (which && strcmp(bases[0], bases[which]) == 0))
		return NULL;
	return rundir_parent_below(bases[which], lxcpath);
}

/* ---- which there are ---- */

static int add_found(struct level *l, const char *lxcpath, const char *name, bool defined)
{
	struct found *more = realloc(l->v, (l->n + 1) * sizeof(*more));

	if (!more)
		return -1;
	l->v = more;
	l->v[l->n] = (struct found){lxcpath, strdup(name), defined};
	return l->v[l->n++].name ? 0 : -1;
}

static int add_one(struct level *l, const char *lxcpath, const char *dir, const char *name,
		   bool defined)
{
	autofree char *path = str_printf("%s/%s/%s", dir, name, defined ? "config" : "state");

	if (!path)
		return -1;
	return is_file(l->root, path) ? add_found(l, lxcpath, name, defined) : 0;
}

static int add_from(struct level *l, const char *lxcpath, const char *dir, bool defined)
{
	int fd = path_open_in(l->root, dir, O_RDONLY | O_DIRECTORY | O_NONBLOCK, 0);
	autodir DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	for (unsigned n = 0; list && (entry = readdir(list)); n++) {
		if (n == MOST_ENTRIES) {
			l->cut = true;
			break;
		}
		if (path_check_name(entry->d_name, NULL) == 0 &&
		    add_one(l, lxcpath, dir, entry->d_name, defined) < 0)
			return -1;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	/* Where there are two of a name, the one with a configuration. */
	return order ? order : (int)y->defined - (int)x->defined;
}

static int find_all(struct level *l)
{
	if (find_lxcpaths(l) < 0)
		return -1;
	for (size_t i = 0; i < l->lxcpaths.n; i++)
		if (add_from(l, l->lxcpaths.v[i], l->lxcpaths.v[i], true) < 0)
			return -1;
	for (size_t i = 0; i < l->lxcpaths.n; i++)
		for (size_t k = 0;; k++) {
			autofree char *run = run_path(l->lxcpaths.v[i], k);

			if (!run)
				break;
			if (add_from(l, l->lxcpaths.v[i], run, false) < 0)
				return -1;
		}
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	return 0;
}

/* ---- what they do ---- */

static const struct nested_init *init_of(const struct look *k, const struct level *l, pid_t pid)
{
	for (size_t i = 0; i < k->inits.n; i++)
		if (k->inits.v[i].outer_ns == l->ns && k->inits.v[i].outer_pid == pid)
			return &k->inits.v[i];
	return NULL;
}

/* By its cgroup, which other programs name in the same way. */
static const struct nested_init *init_called(const struct look *k, const struct level *l,
					     const char *name)
{
	for (size_t i = 0; i < k->inits.n; i++)
		if (k->inits.v[i].outer_ns == l->ns && strcmp(k->inits.v[i].payload, name) == 0)
			return &k->inits.v[i];
	return NULL;
}

static bool read_state(const struct level *l, const struct found *f, struct run_state *ret)
{
	for (size_t i = 0;; i++) {
		autofree char *run = run_path(f->lxcpath, i);
		autofree char *path = run ? str_printf("%s/%s/state", run, f->name) : NULL;
		autoclose int fd = path ? open_file(l->root, path) : -1;

		if (!path)
			return false;
		if (fd >= 0 && rundir_parse_state(fd, ret))
			return true;
	}
}

/* A state is believed when the process is there whose state it is. */
static const struct nested_init *find_init(const struct look *k, const struct level *l,
					   const struct found *f, enum lxcore_state *ret)
{
	const struct nested_init *init = NULL;
	struct run_state state;

	*ret = LXCORE_STOPPED;
	if (read_state(l, f, &state)) {
		init = init_of(k, l, state.init.pid);
		*ret = init ? state.state : LXCORE_STOPPED;
	}
	if (!init) {
		init = init_called(k, l, f->name);
		*ret = init ? LXCORE_RUNNING : LXCORE_STOPPED;
	}
	if (*ret == LXCORE_RUNNING && cgroup_is_frozen_process(init->pid))
		*ret = LXCORE_FROZEN;
	return init;
}

/* ---- telling ---- */

static int tell(struct look *k, const struct nested_row *row)
{
	return fd_write_all(k->out, row, sizeof(*row));
}

static int look_into(struct look *k, int root, ino_t ns, unsigned depth);

static int look_below(struct look *k, const struct nested_init *init, unsigned depth)
{
	autoclose int root = openat(init->proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct nested_row blind = {.what = NESTED_BLIND, .depth = depth, .code = errno};

	if (root >= 0)
		return look_into(k, root, init->ns, depth + 1);
	/* It has just ended. */
	return errno == ENOENT || errno == ESRCH ? 0 : tell(k, &blind);
}

static int tell_one(struct look *k, const struct level *l, const struct found *f)
{
	struct nested_row row = {.depth = l->depth, .defined = f->defined};
	const struct nested_init *init = find_init(k, l, f, &row.state);

	/* A run directory that was left is none. */
	if (!init && !f->defined)
		return 0;
	row.init = init ? init->pid : 0;
	snprintf(row.name, sizeof(row.name), "%s", f->name);
	if (tell(k, &row) < 0)
		return -1;
	k->rows++;
	return init && l->depth < k->most_depth ? look_below(k, init, l->depth) : 0;
}

static int tell_all(struct look *k, struct level *l)
{
	const struct nested_row cut = {.what = NESTED_CUT, .depth = l->depth - 1};

	for (size_t i = 0; i < l->n; i++) {
		if (i && strcmp(l->v[i].name, l->v[i - 1].name) == 0)
			continue;
		if (k->rows == MOST_ROWS) {
			l->cut = true;
			break;
		}
		if (tell_one(k, l, &l->v[i]) < 0)
			return -1;
	}
	return l->cut ? tell(k, &cut) : 0;
}

static int look_into(struct look *k, int root, ino_t ns, unsigned depth)
{
	struct level l = {.root = root, .ns = ns, .depth = depth};
	int result = find_all(&l) < 0 || tell_all(k, &l) < 0 ? -1 : 0;

	for (size_t i = 0; i < l.n; i++)
		free(l.v[i].name);
	free(l.v);
	strv_free(&l.lxcpaths);
	return result;
}

int nested_look(int root, ino_t ns, unsigned depth, int out)
{
	struct look k = {.most_depth = depth, .out = out};
	int result;

	if (nested_find_inits(&k.inits) < 0)
		result = tell(&k, &(struct nested_row){.what = NESTED_BLIND, .code = errno});
	else
		result = look_into(&k, root, ns, 1);
	for (size_t i = 0; i < k.inits.n; i++)
		close(k.inits.v[i].proc);
	free(k.inits.v);
	return result;
}

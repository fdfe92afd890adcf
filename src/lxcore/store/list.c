/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers there are, and one row of facts for each of them. */
#include "base/error.h"
#include "store/store.h"
#include "base/fd.h"
#include "life/rescue.h"
#include "parts/cgroup/cgroup.h"
#include "parts/idmap.h"
#include "parts/network/status.h"
#include "parts/start.h"

#include <stdio.h>
#include <string.h>

static int begin_listing(const char *lxcpath, char **ret_path, struct error *err)
{
	*ret_path = store_lxcpath(lxcpath, err);
	return *ret_path ? 0 : -1;
}

static char **finish_names(struct strv *names)
{
	size_t kept = 0;

	strv_sort(names);
	for (size_t i = 0; i < names->n; i++) {
		if (kept && strcmp(names->v[kept - 1], names->v[i]) == 0)
			free(names->v[i]);
		else
			names->v[kept++] = names->v[i];
	}
	if (!names->v)
		return calloc(1, sizeof(char *));
	names->v[names->n = kept] = NULL;
	return names->v;
}

/* A name with unfinished work behind it: opening it finishes that. */
static void tidy(const char *lxcpath, const char *name)
{
	lxcore_close(lxcore_open(lxcpath, name, NULL));
}

static int add_defined(const char *lxcpath, struct strv *names)
{
	autodir DIR *dir = opendir(lxcpath);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char path[512];

		if (str_starts(entry->d_name, ".trash-"))
			tidy(lxcpath, entry->d_name + strlen(".trash-"));
		if (entry->d_name[0] == '.' || entry->d_type == DT_REG)
			continue;
		snprintf(path, sizeof(path), "%s/" STORE_PARTIAL, entry->d_name);
		if (faccessat(dirfd(dir), path, F_OK, 0) == 0)
			tidy(lxcpath, entry->d_name);
		snprintf(path, sizeof(path), "%s/" STORE_PASSING, entry->d_name);
		if (faccessat(dirfd(dir), path, F_OK, 0) == 0)
			tidy(lxcpath, entry->d_name);
		snprintf(path, sizeof(path), "%s/config", entry->d_name);
		if (faccessat(dirfd(dir), path, F_OK, 0) == 0 && strv_add(names, entry->d_name) < 0)
			return -1;
	}
	return 0;
}

static int add_active(const char *lxcpath, struct strv *names)
{
	int fd = rundir_open_parent(lxcpath, false);
	autodir DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autoclose int rundir = -1;
		struct run_state state;

		if (entry->d_name[0] == '.')
			continue;
		rundir = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
		if (rundir < 0)
			continue;
		if (!rundir_is_locked(rundir))
			tidy(lxcpath, entry->d_name);
		else if (rundir_read_state(rundir, &state) && strv_add(names, entry->d_name) < 0)
			return -1;
	}
	return 0;
}

static int list(const char *lxcpath, bool defined, bool active, char ***ret, struct error *err)
{
	struct strv names = {0};
	autofree char *path = NULL;
	size_t n;

	if (begin_listing(lxcpath, &path, err) < 0)
		return -1;
	if ((active && add_active(path, &names) < 0) || (defined && add_defined(path, &names) < 0)) {
		strv_free(&names);
		return error_set(err, ENOMEM, "cannot list the containers of \"%s\": out of memory",
				 path);
	}
	*ret = finish_names(&names);
	n = names.n;
	return (int)n;
}

int lxcore_list_defined(const char *lxcpath, char ***ret, lxcore_error *err)
{
	return list(lxcpath, true, false, ret, err);
}

int lxcore_list_active(const char *lxcpath, char ***ret, lxcore_error *err)
{
	return list(lxcpath, false, true, ret, err);
}

int lxcore_list_all(const char *lxcpath, char ***ret, lxcore_error *err)
{
	return list(lxcpath, true, true, ret, err);
}

void lxcore_names_free(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

/* ---- rows ---- */

static char **copy_list(const struct strv *list)
{
	char **copy = calloc(list->n + 1, sizeof(char *));

	for (size_t i = 0; copy && i < list->n; i++)
		copy[i] = strdup(list->v[i]);
	return copy;
}

static void add_config(struct lxcore_container *c, struct lxcore_summary *row)
{
	struct conf *conf = container_conf(c, NULL);
	const struct start_conf *start = conf ? conf_of(conf, &start_section) : NULL;

	row->readable = conf != NULL;
	if (!conf)
		return;
	row->autostart = start->automatic;
	row->unprivileged = idmap_any(conf);
	row->groups = copy_list(&start->groups);
}

static void add_memory(const struct running *r, struct lxcore_summary *row)
{
	struct cgroup_running at;
	struct journal j;

	if (!journal_load(&j, r->rundir))
		return;
	if (cgroup_of_running(&j, &at, NULL) == 0)
		cgroup_memory(&at, &row->memory, &row->swap);
	journal_close(&j);
}

static void fill_row(const char *lxcpath, const char *name, unsigned want, struct lxcore_summary *row)
{
	lxcore_container *c = lxcore_open(lxcpath, name, NULL);
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};

	*row = (struct lxcore_summary){.name = strdup(name), .memory = -1, .swap = -1};
	if (!c)
		return;
	row->defined = lxcore_is_defined(c);
	if (running_find(c, &r, NULL) == 0) {
		row->state = r.state.state;
		row->init_pid = r.init_pidfd >= 0 ? r.state.init.pid : 0;
		if (row->state == LXCORE_RUNNING && cgroup_is_frozen_at(r.rundir))
			row->state = LXCORE_FROZEN;
		if (want & LXCORE_WANT_MEMORY)
			add_memory(&r, row);
	}
	if (want & LXCORE_WANT_CONFIG)
		add_config(c, row);
	lxcore_close(c);
}

int list_add_interfaces(struct lxcore_summary *rows, int n, struct error *err)
{
	autofree struct network_of *of = calloc((size_t)n + 1, sizeof(*of));
	size_t running = 0;
	int result;

	if (!of)
		return error_set(err, ENOMEM, "out of memory");
	for (int i = 0; i < n; i++)
		if (rows[i].init_pid)
			of[running++].init = rows[i].init_pid;
	result = running ? network_interfaces(of, running, err) : 0;
	running = 0;
	for (int i = 0; i < n; i++) {
		if (!rows[i].init_pid)
			continue;
		rows[i].interfaces = of[running].interfaces;
		rows[i].n_interfaces = of[running++].n;
	}
	return result;
}

int lxcore_summaries(const char *lxcpath, unsigned want, struct lxcore_summary **ret,
		     lxcore_error *err)
{
	autofree char *path = NULL;
	char **names = NULL;
	struct lxcore_summary *rows;
	int n;

	if (begin_listing(lxcpath, &path, err) < 0)
		return -1;
	n = lxcore_list_all(path, &names, err);
	rows = n < 0 ? NULL : calloc((size_t)n + 1, sizeof(*rows));
	if (!rows) {
		lxcore_names_free(names);
		return n < 0 ? -1 : error_set(err, ENOMEM, "out of memory");
	}
	for (int i = 0; i < n; i++)
		fill_row(path, names[i], want, &rows[i]);
	lxcore_names_free(names);
	if (want & LXCORE_WANT_INTERFACES && list_add_interfaces(rows, n, err) < 0) {
		lxcore_summaries_free(rows, n);
		return -1;
	}
	*ret = rows;
	return n;
}

void lxcore_summaries_free(struct lxcore_summary *rows, int n)
{
	for (int i = 0; i < n; i++) {
		free(rows[i].name);
		free(rows[i].outer);
		lxcore_names_free(rows[i].groups);
		lxcore_interfaces_free(rows[i].interfaces, rows[i].n_interfaces);
	}
	free(rows);
}

int lxcore_interfaces(lxcore_container *c, struct lxcore_interface **ret, lxcore_error *err)
{
	struct network_of of = {.init = lxcore_init_pid(c)};

	if (!of.init)
		return error_set(err, ESRCH, "%s is not running", c->name);
	if (network_interfaces(&of, 1, err) < 0)
		return error_within(err, "%s", c->name);
	*ret = of.interfaces;
	return of.n;
}

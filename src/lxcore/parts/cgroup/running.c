/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A running container's cgroups, seen by a client: found by the journal, read, changed, joined. */
#include "parts/cgroup/room.h"

#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_ours(const struct journal *j, const char *path)
{
	const char *value = NULL;

	while ((value = journal_previous(j, "cgroup-not", value)))
		if (value > path && strcmp(value, path) == 0)
			return false;
	return true;
}

int cgroup_of_running(const struct journal *j, struct cgroup_running *ret, struct error *err)
{
	const char *path = NULL;

	*ret = (struct cgroup_running){.inner = journal_previous(j, "cgroup-inner", NULL)};
	while ((path = journal_previous(j, "cgroup2", path)))
		if (!ret->v2 && is_ours(j, path))
			ret->v2 = path;
	while ((path = journal_previous(j, "cgroup", path)))
		if (ret->n_v1 < CGROUP_MAX_V1 && is_ours(j, path))
			ret->v1[ret->n_v1++] = path;
	if (ret->v2 || ret->n_v1)
		return 0;
	error_set(err, ENOENT, "it has no cgroup of its own");
	return geteuid() == 0 ? -1 : error_mend(err, CGROUP_HELP CGROUP_HELP_WHY);
}

/* ---- attach ---- */

static char *own_path(const struct cgroup_running *at, const char *payload, const char *tail)
{
	return str_printf("%s%s%s%s%s", payload, at->inner ? "/" : "", at->inner ? at->inner : "",
			  *tail ? "/" : "", tail);
}

int cgroup_attach_open(const struct cgroup_running *at, struct cgroup_attach *ret,
		       struct error *err)
{
	autofree char *v2 = at->v2 ? own_path(at, at->v2, "") : NULL;

	*ret = (struct cgroup_attach){.v2 = -1};
	if (v2) {
		ret->v2 = open(v2, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (ret->v2 < 0)
			return error_sys(err, "cannot open the cgroup \"%s\"", v2);
	}
	for (size_t i = 0; i < at->n_v1; i++) {
		autofree char *tasks = own_path(at, at->v1[i], "tasks");
		int fd = tasks ? open(tasks, O_WRONLY | O_CLOEXEC) : -1;

		if (fd < 0) {
			error_sys(err, "cannot open \"%s\"", tasks ? tasks : at->v1[i]);
			cgroup_attach_close(ret);
			return -1;
		}
		ret->v1[ret->n_v1++] = fd;
	}
	return 0;
}

int cgroup_attach_leaf(const struct cgroup_running *at, struct cgroup_attach *a, struct error *err)
{
	autofree char *v2 = at->v2 ? own_path(at, at->v2, "") : NULL;

	/* An existing leaf is used again; one that someone divided further is not. */
	for (int i = 0; v2 && i <= 999; i++) {
		autofree char *leaf = i ? str_printf("%s/.lxc-%d", v2, i) : str_printf("%s/.lxc", v2);
		autofree char *spread = NULL;

		if (!leaf || (mkdir(leaf, 0755) < 0 && errno != EEXIST))
			return error_sys(err, "cannot make a cgroup below \"%s\"", v2);
		spread = cgroup_read(leaf, "cgroup.subtree_control");
		if (spread && *spread)
			continue;
		close_fd(&a->v2);
		a->v2 = open(leaf, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return a->v2 < 0 ? error_sys(err, "cannot open the cgroup \"%s\"", leaf) : 0;
	}
	return error_set(err, EBUSY, "cannot find a cgroup below \"%s\" that may hold processes",
			 v2 ? v2 : "");
}

bool cgroup_attach_needs_leaf(const struct cgroup_running *at)
{
	autofree char *v2 = at->v2 ? own_path(at, at->v2, "") : NULL;
	autofree char *spread = v2 ? cgroup_read(v2, "cgroup.subtree_control") : NULL;

	return spread && *spread;
}

int cgroup_attach_by_manager(const struct cgroup_attach *a, pid_t pid, struct error *err)
{
	char link[32], path[PATH_MAX];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", a->v2);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return error_sys(err, "cannot find the container's cgroup");
	path[n] = '\0';
	if (cgroup_scope_attach(path, pid, err) == 0)
		return 0;
	error_within(err, "cannot enter the container's cgroup from that of this session");
	return error_mend(err, CGROUP_HELP CGROUP_HELP_WHY);
}

int cgroup_attach_enter(const struct cgroup_attach *a, struct error *err)
{
	for (int i = 0; i < a->n_v1; i++)
		if (write(a->v1[i], "0", 1) < 0)
			return error_sys(err, "cannot enter the container's cgroup");
	return 0;
}

void cgroup_attach_close(struct cgroup_attach *a)
{
	close_fd(&a->v2);
	while (a->n_v1 > 0)
		close_fd(&a->v1[--a->n_v1]);
}

/* ---- control files ---- */

static bool is_file_name(const char *file)
{
	return *file && *file != '.' && !strchr(file, '/') && strchr(file, '.');
}

static int bad_name(const char *file, struct error *err)
{
	return error_set(err, EINVAL, "\"%s\" is not the name of a cgroup file (such as memory.max)",
			 file);
}

static char *read_core_stat(const struct cgroup_running *at, const char *file)
{
	struct cgroup_stats s;

	if (strcmp(file, "cpuacct.usage") != 0)
		return NULL;
	cgroup_stats(at, &s);
	return s.cpu_ns < 0 ? NULL : str_printf("%lld", (long long)s.cpu_ns);
}

static int not_read(const struct cgroup_running *at, const char *file, struct error *err)
{
	int why = errno;
	char controller[32];

	if (why != ENOENT)
		return error_sys(err, "cannot read %s", file);
	cgroup_controller_of(file, controller);
	if (cgroup_home(at, controller) == CGROUP_V1)
		return error_set(err, ENOENT, "cannot read %s: this host has the controller on cgroup "
				 "v1, which has no such file", file);
	return error_set(err, ENOENT, "cannot read %s: the container's cgroup has no such file", file);
}

int cgroup_get(const struct cgroup_running *at, int rundir, const char *file, char **ret,
	       struct error *err)
{
	const char *v1;
	char *text = NULL;

	if (!is_file_name(file))
		return bad_name(file, err);
	if (strcmp(file, "devices.list") == 0) {
		text = cgroup_devices_list(at, rundir);
	} else {
		v1 = cgroup_v1_dir(at, file);
		errno = ENOENT;
		text = v1 ? cgroup_read(v1, file) : NULL;
		/* 'cgroup.procs' and its like exist in both; v2 is the one that is asked for. */
		if (!text && at->v2 && (!v1 || errno == ENOENT))
			text = cgroup_read(at->v2, file);
		if (!text && errno == ENOENT)
			text = cgroup_translate_get(at, file);
		if (!text && errno == ENOENT)
			text = read_core_stat(at, file);
		if (!text && errno == ENOENT && at->n_v1 && str_starts(file, "cgroup."))
			text = cgroup_read(at->v1[0], file);
	}
	if (!text)
		return not_read(at, file, err);
	*ret = text;
	return 0;
}

int cgroup_set(const struct cgroup_running *at, int rundir, const char *file, const char *value,
	       struct error *err)
{
	const char *v1;

	if (!is_file_name(file))
		return bad_name(file, err);
	if (strcmp(file, "devices.allow") == 0 || strcmp(file, "devices.deny") == 0)
		return cgroup_devices_change(at, rundir, file[8] == 'a', value, err);
	v1 = cgroup_v1_dir(at, file);
	if (v1) {
		/* The controller is on v1, but the name may be v2's. */
		autofree char *path = str_printf("%s/%s", v1, file);

		return cgroup_limit(at, path && access(path, F_OK) == 0 ? CGROUP_V1 : CGROUP_V2, file,
				    value, err);
	}
	if (at->v2) {
		char controller[32];
		struct cgroup_write writes[CGROUP_MAX_WRITES];
		struct error unsaid = {0};

		/* Is it a v1 name of a v2 controller? Only then it can be translated from v1. */
		cgroup_controller_of(file, controller);
		if (cgroup_translate(NULL, CGROUP_V1, file, value, writes, &unsaid) >= 0 &&
		    cgroup_translate(NULL, CGROUP_V2, file, value, writes, &unsaid) < 0)
			return cgroup_limit(at, CGROUP_V1, file, value, err);
	}
	return cgroup_limit(at, CGROUP_V2, file, value, err);
}

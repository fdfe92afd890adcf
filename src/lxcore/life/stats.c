/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a running container uses, what it may use, and its control files. */
#include "base/error.h"
#include "life/container.h"
#include "parts/cgroup/cgroup.h"
#include "parts/network/network.h"
#include "parts/rootfs_disk.h"

#include <string.h>

static int find_cgroups(lxcore_container *c, struct running *r, struct journal *j,
			struct cgroup_running *ret, struct error *err)
{
	*j = (struct journal){.fd = -1};
	if (running_find(c, r, err) < 0)
		return -1;
	return running_cgroups(r, j, ret, err) < 0 ? error_within(err, "%s", c->name) : 0;
}

int lxcore_stats(lxcore_container *c, struct lxcore_stats *ret, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct cgroup_running at;
	struct cgroup_stats s;
	struct journal j;
	int64_t kept;
	int result = find_cgroups(c, &r, &j, &at, err);

	if (result == 0) {
		cgroup_stats(&at, &s);
		/* What nested cgroups of v1 counted is kept by the supervisor when they go. */
		kept = rundir_read_oom(r.rundir);
		if (s.oom_kills >= 0 && s.oom_kills < kept)
			s.oom_kills = kept;
		*ret = (struct lxcore_stats){
			.cpu_ns = s.cpu_ns, .memory = s.memory, .swap = s.swap,
			.kernel_memory = s.kernel_memory, .block_io = s.block_io, .pids = s.pids,
			.cpu_user_ns = s.cpu_user_ns, .cpu_system_ns = s.cpu_system_ns,
			.block_ops = s.block_ops, .oom_kills = s.oom_kills,
		};
	}
	journal_close(&j);
	return result;
}

/* ---- limits ---- */

/* That of the disk is kept by its storage, which is not asked. */
static int add_disk(const struct conf *conf, struct lxcore_limit **list, int n, struct error *err)
{
	struct lxcore_limit disk = {.key = "lxc.limit.disk", .unit = LXCORE_LIMIT_BYTES}, *v;
	const char *text = rootfs_disk_limit(conf, &disk.value);

	if (!text)
		return n;
	v = realloc(*list, (size_t)(n + 1) * sizeof(*v));
	if (v)
		*list = v;
	disk.configured = v ? strdup(text) : NULL;
	if (!disk.configured)
		return error_set(err, ENOMEM, "cannot list its limits: out of memory");
	v[n] = disk;
	return n + 1;
}

static int list_limits(const struct conf *conf, const struct cgroup_running *at,
		       struct lxcore_limit **ret, struct error *err)
{
	int n = cgroup_list_limits(conf, at, ret, err);
	int all = n < 0 ? -1 : add_disk(conf, ret, n, err);

	if (n >= 0 && all < 0)
		cgroup_free_limits(*ret, n);
	return all;
}

static int limits_of_running(lxcore_container *c, const struct running *r,
			     struct lxcore_limit **ret, struct error *err)
{
	struct conf *conf = container_running_conf(c, r->rundir, err);
	struct cgroup_running at;
	struct journal j;
	int n;

	if (!conf)
		return -1;
	/* Without a cgroup nothing is in force. */
	if (running_cgroups(r, &j, &at, NULL) < 0)
		at = (struct cgroup_running){0};
	n = list_limits(conf, &at, ret, err);
	journal_close(&j);
	conf_free(conf);
	return n;
}

int lxcore_limits(lxcore_container *c, struct lxcore_limit **ret, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct error why = {0};
	struct conf *conf;
	int n;

	if (running_find(c, &r, &why) == 0) {
		n = limits_of_running(c, &r, ret, err);
	} else if (why.code == ESRCH) {
		conf = container_conf(c, err);
		n = conf ? list_limits(conf, NULL, ret, err) : -1;
	} else {
		if (err)
			*err = why;
		return -1;
	}
	return n < 0 ? error_within(err, "%s", c->name) : n;
}

void lxcore_limits_free(struct lxcore_limit *list, int n)
{
	cgroup_free_limits(list, n);
}

/* ---- control files ---- */

int lxcore_cgroup_get(lxcore_container *c, const char *file, char **ret, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct cgroup_running at;
	struct journal j;
	int result = find_cgroups(c, &r, &j, &at, err);

	if (result == 0 && cgroup_get(&at, r.rundir, file, ret, err) < 0)
		result = error_within(err, "%s", c->name);
	journal_close(&j);
	return result;
}

int lxcore_cgroup_set(lxcore_container *c, const char *file, const char *value, lxcore_error *err)
{
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	struct cgroup_running at;
	struct journal j;
	int result = find_cgroups(c, &r, &j, &at, err);

	if (result == 0 && cgroup_set(&at, r.rundir, file, value, err) < 0)
		result = error_within(err, "%s", c->name);
	journal_close(&j);
	return result;
}

int lxcore_published(lxcore_container *c, char ***ret, lxcore_error *err)
{
	autostrv struct strv list = {0};
	int n;

	if (network_published(c->lxcpath, c->name, &list) < 0)
		return error_set(err, ENOMEM, "%s: cannot list its published ports", c->name);
	if (!list.v && !(list.v = calloc(1, sizeof(char *))))
		return error_set(err, ENOMEM, "out of memory");
	*ret = list.v;
	n = (int)list.n;
	list = (struct strv){0};
	return n;
}

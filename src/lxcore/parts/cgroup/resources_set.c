/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Putting lxc.limit.* into force.  Each limit is one setting of cgroup v2, which the translation of
 * this room (translate.c) says in the words of v1 where the host has that; only what is taken first
 * when memory is short has two names of its own.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define FIELD(f) offsetof(struct resources_conf, f)
/* In the order in which they are written: on v1 the limit of swap builds on that of memory. */
const struct resources_limit resources_limits[] = {
	{"lxc.limit.memory", FIELD(memory), LIMIT_BYTES, "memory.max", "memory.limit_in_bytes", "max"},
	{"lxc.limit.memory.weight", FIELD(memory_weight), LIMIT_SHARE, "memory.max",
	 "memory.limit_in_bytes", "max"},
	{"lxc.limit.swap", FIELD(swap), LIMIT_BYTES, "memory.swap.max", "memory.memsw.limit_in_bytes",
	 "max"},
	{"lxc.limit.memory.soft", FIELD(soft), LIMIT_BYTES, "memory.low", "memory.soft_limit_in_bytes",
	 "0"},
	{"lxc.limit.cpu", FIELD(cpu), LIMIT_QUOTA, "cpu.max", "cpu.cfs_quota_us", "max 100000"},
	{"lxc.limit.cpu.weight", FIELD(cpu_weight), LIMIT_TEXT, "cpu.weight", "cpu.shares", "100"},
	{"lxc.limit.cpus", FIELD(cpus), LIMIT_CPUS, "cpuset.cpus", "cpuset.cpus", "\n"},
	{"lxc.limit.pids", FIELD(pids), LIMIT_TEXT, "pids.max", "pids.max", "max"},
	{"lxc.limit.io.read", FIELD(reads), LIMIT_READ, "io.max", "blkio.throttle.read_bps_device",
	 "max"},
	{"lxc.limit.io.write", FIELD(writes), LIMIT_WRITE, "io.max",
	 "blkio.throttle.write_bps_device", "max"},
	{NULL},
};

const char *resources_text(const struct resources_conf *c, const struct resources_limit *l)
{
	return *(char *const *)((const char *)c + l->offset);
}

const struct strv *resources_list(const struct resources_conf *c,
				  const struct resources_limit *l)
{
	return (const struct strv *)((const char *)c + l->offset);
}

static bool is_list(const struct resources_limit *l)
{
	return l->kind == LIMIT_READ || l->kind == LIMIT_WRITE;
}

bool resources_has(const struct resources_conf *c, const struct resources_limit *l)
{
	return is_list(l) ? resources_list(c, l)->n > 0 : resources_text(c, l) != NULL;
}

bool resources_any(const struct conf *conf)
{
	const struct resources_conf *c = conf_of(conf, &resources_section);

	for (const struct resources_limit *l = resources_limits; l->key; l++)
		if (resources_has(c, l))
			return true;
	return false;
}

int resources_blame(const struct conf *conf, const char *key, struct error *err)
{
	const char *where = conf_where(conf, key);
	size_t used;

	if (!err)
		return -1;
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, where ? " (%s, %s)" : " (%s)", key,
		 where);
	return -1;
}

int resources_home(const struct cgroup_running *at, const struct resources_limit *l)
{
	char controller[32];

	cgroup_controller_of(l->file, controller);
	return cgroup_home(at, controller);
}

/* ---- one setting ---- */

#define BOTH "memory.memsw.limit_in_bytes"

static int too_much_in_use(const char *value, unsigned long long used, struct error *err)
{
	error_set(err, EBUSY, "cannot set memory.max to \"%s\": %llu bytes are in use and cannot be "
		  "taken away", value, used);
	return error_mend(err, "end some of its processes, or leave it more");
}

static bool read_number(const char *dir, const char *file, unsigned long long *ret)
{
	autofree char *text = dir ? cgroup_read(dir, file) : NULL;

	return text && str_to_u64(text, ret);
}

/*
 * v2 ends processes where a limit falls below what is in use; v1 refuses it.  What throttles takes the
 * memory away that can be taken, and then it is seen whether that is enough.
 */
static int make_room(const char *v2, const char *value, struct error *err)
{
	enum { TRIES = 8 };
	autofree char *high = cgroup_read(v2, "memory.high");
	unsigned long long wanted, used = 0;

	if (!str_to_u64(value, &wanted) || !high || !read_number(v2, "memory.current", &used) ||
	    used <= wanted)
		return 0;
	for (int i = 0; i < TRIES && used > wanted; i++)
		if (cgroup_write(v2, "memory.high", value) < 0 ||
		    !read_number(v2, "memory.current", &used))
			break;
	cgroup_write(v2, "memory.high", high);
	return used > wanted ? too_much_in_use(value, used, err) : 0;
}

static int write_memory(const struct cgroup_running *at, const char *value, struct error *err)
{
	unsigned long long used = 0;
	int home = cgroup_home(at, "memory");

	if (home == CGROUP_V2 && make_room(at->v2, value, err) < 0)
		return -1;
	if (cgroup_limit(at, CGROUP_V2, "memory.max", value, err) == 0)
		return 0;
	if (home != CGROUP_V1 || !err || err->code != EBUSY)
		return -1;
	read_number(cgroup_v1_dir(at, "memory.usage_in_bytes"), "memory.usage_in_bytes", &used);
	return too_much_in_use(value, used, err);
}

char *resources_cpus_above(const char *dir, const char *file)
{
	autofree char *parent = dir ? strdup(dir) : NULL;

	if (!parent)
		return NULL;
	*strrchr(parent, '/') = '\0';
	return cgroup_read(parent, file);
}

/* A v1 cpuset's child must fit into it, so that one is narrowed before and widened after. */
static int write_cpus(const struct cgroup_running *at, const char *value, struct error *err)
{
	const char *dir = cgroup_v1_dir(at, "cpuset.cpus");
	autofree char *inner = dir && at->inner ? str_printf("%s/%s", dir, at->inner) : NULL;
	autofree char *all = NULL;

	if (*value == '\n') {
		value = all = dir ? resources_cpus_above(dir, "cpuset.cpus")
				  : resources_cpus_above(at->v2, "cpuset.cpus.effective");
		if (!all)
			return error_sys(err, "cannot read cpuset.cpus above \"%s\"",
					 dir ? dir : at->v2);
	}
	if (inner)
		cgroup_write(inner, "cpuset.cpus", value);
	if (cgroup_limit(at, CGROUP_V2, "cpuset.cpus", value, err) < 0)
		return -1;
	if (inner && access(inner, F_OK) == 0 && cgroup_write(inner, "cpuset.cpus", value) < 0)
		return error_sys(err, "cannot set cpuset.cpus of \"%s\" to \"%s\"", inner, value);
	return 0;
}

int resources_write(const struct cgroup_running *at, const struct resources_limit *l,
		    const char *value, struct error *err)
{
	int home = resources_home(at, l);

	if (strcmp(l->file, "memory.max") == 0)
		return write_memory(at, value, err);
	if (l->kind == LIMIT_CPUS)
		return write_cpus(at, value, err);
	if (strcmp(l->file, "memory.low") == 0 && home == CGROUP_V1)
		return cgroup_limit(at, CGROUP_V1, l->v1, *value == '0' ? "-1" : value, err);
	return cgroup_limit(at, CGROUP_V2, l->file, value, err);
}

/* ---- from the words of the configuration ---- */

int resources_value(const struct resources_limit *l, const char *text, char ret[64],
		    struct error *err)
{
	unsigned long long bytes;
	unsigned quota;

	if (!text)
		snprintf(ret, 64, "%s", l->none);
	else if (l->kind == LIMIT_BYTES && resources_bytes(text, &bytes))
		snprintf(ret, 64, "%llu", bytes);
	else if (l->kind == LIMIT_QUOTA && resources_quota(text, &quota))
		snprintf(ret, 64, "%u %u", quota, RESOURCES_PERIOD_US);
	else if ((l->kind == LIMIT_TEXT || l->kind == LIMIT_CPUS) && strlen(text) < 64)
		strcpy(ret, text);
	else
		return error_set(err, EINVAL, "cannot set %s to \"%.80s\"", l->key, text);
	return 0;
}

int resources_rate(const struct strv *lines, unsigned major, unsigned minor,
		   unsigned long long *ret, struct error *err)
{
	*ret = 0;
	for (size_t i = 0; i < lines->n; i++) {
		struct resources_io io;
		unsigned a, b;

		if (!resources_io(lines->v[i], &io))
			return error_set(err, EINVAL, "\"%s\" is no rate of a device", lines->v[i]);
		if (resources_device(io.device, &a, &b, err) < 0)
			return -1;
		if (a == major && b == minor)
			*ret = io.rate;
	}
	return 0;
}

void resources_io_setting(const struct resources_limit *l, unsigned major, unsigned minor,
			  unsigned long long rate, struct resources_setting *ret)
{
	const char *word = l->kind == LIMIT_READ ? "rbps" : "wbps";

	ret->limit = l;
	if (rate)
		snprintf(ret->value, sizeof(ret->value), "%u:%u %s=%llu", major, minor, word, rate);
	else
		snprintf(ret->value, sizeof(ret->value), "%u:%u %s=max", major, minor, word);
}

/* ---- a start ---- */

static int set_devices(const struct cgroup_running *at, const struct resources_limit *l,
		       const struct strv *lines, struct error *err)
{
	for (size_t i = 0; i < lines->n; i++) {
		struct resources_io io;
		struct resources_setting s;
		unsigned major, minor;
		unsigned long long rate;

		if (!resources_io(lines->v[i], &io) ||
		    resources_device(io.device, &major, &minor, err) < 0 ||
		    resources_rate(lines, major, minor, &rate, err) < 0)
			return -1;
		resources_io_setting(l, major, minor, rate, &s);
		if (rate && resources_write(at, l, s.value, err) < 0)
			return -1;
	}
	return 0;
}

void resources_place(const struct resources_conf *c, struct pool_place *ret)
{
	unsigned long long weight = 0;

	*ret = (struct pool_place){0};
	if (c->memory_weight && str_to_u64(c->memory_weight, &weight))
		ret->weight = (unsigned)weight;
	resources_bytes(c->pool ? c->pool : "100%", &ret->size);
}

static int share_memory(struct boot *b, const struct cgroup_running *at,
			const struct resources_conf *c, struct error *err)
{
	struct pool_place place;

	resources_place(c, &place);
	if (journal_record(&b->journal, POOL_JOURNAL, b->name, err) < 0)
		return -1;
	return pool_join(b->rundir, b->name, at, &place, false, err);
}

int resources_set(struct boot *b, const struct cgroup_running *at, struct error *err)
{
	const struct resources_conf *c = conf_of(b->conf, &resources_section);

	for (const struct resources_limit *l = resources_limits; l->key; l++) {
		char value[64];
		int result;

		if (!resources_has(c, l))
			continue;
		if (l->kind == LIMIT_SHARE)
			result = share_memory(b, at, c, err);
		else if (is_list(l))
			result = set_devices(at, l, resources_list(c, l), err);
		else
			result = resources_value(l, resources_text(c, l), value, err) < 0 ? -1 :
				 resources_write(at, l, value, err);
		if (result < 0)
			return resources_blame(b->conf, l->key, err);
	}
	return 0;
}

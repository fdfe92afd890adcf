/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keys of how much of this host a container may use.  They are put into force by the cgroup part,
 * which makes what they are written to: a cpuset must be narrow before there is a child in it.
 */
#include "parts/cgroup/resources.h"
#include "parts/parts.h"

#include <string.h>

/* ---- values: kept as they were written, so that they can be shown and kept ---- */

static int refuse(const char *value, const char *what, struct error *err)
{
	return error_set(err, EINVAL, "\"%.80s\" is not %s", value, what);
}

static int set_size(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	unsigned long long n;

	if (!resources_bytes(value, &n) || (!n && !key->extra))
		return refuse(value, "a size: a number, which may have K, M, G or T behind it, or a "
			      "part of this host's memory, as in 50%", err);
	return conf_string.set(field, key, sub, value, err);
}

static int set_cpu(void *field, const struct conf_key *key, const char *sub, const char *value,
		   struct error *err)
{
	unsigned quota;

	if (!resources_quota(value, &quota))
		return refuse(value, "a number of processors, such as 2 or 0.5 (0.01 at least)", err);
	return conf_string.set(field, key, sub, value, err);
}

static int set_number(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	const struct conf_range *range = key->extra;
	unsigned long long n;

	if (!str_to_u64(value, &n) || n < (unsigned long long)range->min ||
	    n > (unsigned long long)range->max)
		return error_set(err, EINVAL, "\"%.80s\" is not a number between %lld and %lld", value,
				 range->min, range->max);
	return conf_string.set(field, key, sub, value, err);
}

static bool any_cpu(void *data, unsigned cpu)
{
	return true;
}

static int set_cpus(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	if (!resources_cpus(value, any_cpu, NULL))
		return refuse(value, "a list of processors, such as 0-1,4", err);
	return conf_string.set(field, key, sub, value, err);
}

static int set_io(void *field, const struct conf_key *key, const char *sub, const char *value,
		  struct error *err)
{
	struct resources_io io;

	if (!resources_io(value, &io))
		return refuse(value, "a device and bytes a second, such as /dev/sda:10M or 8:0:1048576",
			      err);
	return conf_list.set(field, key, sub, value, err);
}

static void get_text(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static void clear_text(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

static void get_list(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_list.get(field, key, sub, out);
}

static void clear_list(void *field, const struct conf_key *key, const char *sub)
{
	conf_list.clear(field, key, sub);
}

static const struct conf_type type_size = {"SIZE|N%", set_size, get_text, clear_text, conf_replaces};
static const struct conf_type type_cpu = {"PROCESSORS", set_cpu, get_text, clear_text, conf_replaces};
static const struct conf_type type_number = {"NUMBER", set_number, get_text, clear_text,
					     conf_replaces};
static const struct conf_type type_cpus = {"LIST", set_cpus, get_text, clear_text, conf_replaces};
static const struct conf_type type_io = {"DEVICE:RATE", set_io, get_list, clear_list, NULL};

/* ---- keys ---- */

static const bool zero_is_fine = true;
static const struct conf_range weights = {1, 10000};
static const struct conf_range pids = {1, 4194304}; /* the kernel's own limit of pids.max */

#define FIELD(f) offsetof(struct resources_conf, f)
static const struct conf_key keys[] = {
	{"lxc.limit.memory", &type_size, FIELD(memory),
	 .summary = "Most memory, caches of files included; where it is not enough, a process of "
		    "the container is killed."},
	{"lxc.limit.memory.weight", &type_number, FIELD(memory_weight), .syntax = "1..10000",
	 .extra = &weights,
	 .summary = "Instead of lxc.limit.memory: a share of lxc.limit.memory.pool, by weight among "
		    "the running containers of the same lxcpath that have one; it changes when others "
		    "come and go."},
	{"lxc.limit.memory.pool", &type_size, FIELD(pool), .preset = "100%",
	 .summary = "The memory that those with a lxc.limit.memory.weight share: for all of them the "
		    "same."},
	{"lxc.limit.memory.soft", &type_size, FIELD(soft),
	 .summary = "When this host runs short of memory, it is taken first from containers that have "
		    "more than this. v1: memory.soft_limit_in_bytes, v2: memory.low."},
	{"lxc.limit.swap", &type_size, FIELD(swap), .extra = &zero_is_fine,
	 .summary = "Most swap besides lxc.limit.memory, which it needs; 0: none. v1 limits the sum of "
		    "both."},
	{"lxc.limit.cpu", &type_cpu, FIELD(cpu),
	 .summary = "Most processor time, as a number of processors: 0.5 is half of one."},
	{"lxc.limit.cpu.weight", &type_number, FIELD(cpu_weight), .syntax = "1..10000",
	 .extra = &weights,
	 .summary = "Share of the processors where others want them too; one that does not say has "
		    "100. v1: cpu.shares, of which 1024 are 100."},
	{"lxc.limit.cpus", &type_cpus, FIELD(cpus),
	 .summary = "The processors that it may use, such as 0-1,4."},
	{"lxc.limit.pids", &type_number, FIELD(pids), .extra = &pids,
	 .summary = "Most processes and threads."},
	{"lxc.limit.io.read", &type_io, FIELD(reads),
	 .summary = "Most bytes a second that are read from a device, a disk by its path or "
		    "MAJOR:MINOR; the last line of a device counts, the rate 'unlimited' takes others "
		    "back."},
	{"lxc.limit.io.write", &type_io, FIELD(writes),
	 .summary = "The same for what is written. With v1 only what is written directly or at once "
		    "(O_DIRECT, O_SYNC) is counted as the container's."},
	{NULL},
};
const struct conf_section resources_section = {"resources", sizeof(struct resources_conf), keys};

static int check(const struct boot *b, struct error *err)
{
	const struct resources_conf *c = conf_of(b->conf, &resources_section);
	struct pool_place place;

	if (resources_check(b->conf, b->name, err) < 0)
		return -1;
	resources_place(c, &place);
	if (!place.weight || pool_check(b->rundir, b->name, place.size, err) == 0)
		return 0;
	return resources_blame(b->conf, "lxc.limit.memory.pool", err);
}

const struct part part_resources = {
	.name = "resources",
	.section = &resources_section,
	.check = check,
};

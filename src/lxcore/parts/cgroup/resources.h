/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How much of this host a container may use, said once and meant the same on cgroup v1 and v2: the keys
 * lxc.limit.*.
 *
 *     resources.c        the keys
 *     resources_value.c  what their values mean: bytes, processors, devices
 *     pool.c             memory by weights
 *     resources_check.c  can this host keep them?
 *     resources_set.c    putting them into force
 *     resources_change.c changing them while the container runs (cgroup.h)
 *     resources_now.c    telling which are in force (cgroup.h)
 */
#ifndef LXCORE_PARTS_CGROUP_RESOURCES_H
#define LXCORE_PARTS_CGROUP_RESOURCES_H

#include "parts/cgroup/room.h"

struct resources_conf { /* as written; NULL: no limit */
	char *memory, *memory_weight, *pool, *soft, *swap, *cpu, *cpu_weight, *cpus, *pids;
	struct strv reads, writes; /* DEVICE:RATE */
};
extern const struct conf_section resources_section;

/* ---- resources_value.c ---- */

/* "512M", "1.5G", "50%" (of this host's memory). */
bool resources_bytes(const char *text, unsigned long long *ret);
/* "1.5" processors, as microseconds in each tenth of a second. */
#define RESOURCES_PERIOD_US 100000
bool resources_quota(const char *text, unsigned *ret);
/* "0-1,4": calls 'each' for every number until that returns false, which is then the result. */
bool resources_cpus(const char *text, bool (*each)(void *data, unsigned cpu), void *data);
/* DEVICE:RATE taken apart; the rate 0 stands for "unlimited". */
struct resources_io {
	char device[256];
	unsigned long long rate; /* bytes a second */
};
bool resources_io(const char *text, struct resources_io *ret);
/* Which device is that?  It must be here, and a whole one. */
int resources_device(const char *device, unsigned *ret_major, unsigned *ret_minor,
		     struct error *err);

/* ---- resources_check.c ---- */

/* Before a process is born, or anything is changed: can all of it be kept here? */
int resources_check(const struct conf *conf, const char *name, struct error *err);

/* ---- resources_set.c ---- */

enum resources_kind {
	LIMIT_BYTES, LIMIT_SHARE, LIMIT_QUOTA, LIMIT_TEXT, LIMIT_CPUS, LIMIT_READ, LIMIT_WRITE,
};
struct resources_limit {
	const char *key;
	size_t offset;      /* in struct resources_conf: of a list for the two last kinds */
	enum resources_kind kind;
	const char *file, *v1; /* that it is written to */
	const char *none;   /* what says 'no limit' there, as v2 says it */
};
extern const struct resources_limit resources_limits[]; /* ends with a key that is NULL */
/* Is it set?  Is any of them? */
bool resources_has(const struct resources_conf *c, const struct resources_limit *l);
bool resources_any(const struct conf *conf);
/* Which kind of hierarchy has its controller; 0: neither. */
int resources_home(const struct cgroup_running *at, const struct resources_limit *l);
/* Say at the end of the words which setting is meant, and where it stands. */
int resources_blame(const struct conf *conf, const char *key, struct error *err);

const char *resources_text(const struct resources_conf *c, const struct resources_limit *l);
const struct strv *resources_list(const struct resources_conf *c,
				  const struct resources_limit *l);

/* One limit as it is written. */
struct resources_setting {
	const struct resources_limit *limit;
	char value[128];
};
/* What the text of a key (NULL: no limit) is in the words of v2. */
int resources_value(const struct resources_limit *l, const char *text, char ret[64],
		    struct error *err);
/* The rate of one device among the lines; 0: none. */
int resources_rate(const struct strv *lines, unsigned major, unsigned minor,
		   unsigned long long *ret, struct error *err);
void resources_io_setting(const struct resources_limit *l, unsigned major, unsigned minor,
			  unsigned long long rate, struct resources_setting *ret);
/* No limit: a cpuset that has processes may not be made empty, so it is what the one above has. */
char *resources_cpus_above(const char *dir, const char *file);
int resources_write(const struct cgroup_running *at, const struct resources_limit *l,
		    const char *value, struct error *err);

/* At a start, before anyone is in the cgroup. */
int resources_set(struct boot *b, const struct cgroup_running *at, struct error *err);

/* ---- pool.c: memory by weights ---- */

struct pool_place {
	unsigned weight;
	unsigned long long size; /* of the pool, bytes */
};
#define POOL_JOURNAL "memory-pool"
/* What lxc.limit.memory.weight and .pool say. */
void resources_place(const struct resources_conf *c, struct pool_place *ret);
/* Do others that run share a pool of another size (EEXIST)?  'rundir': of the container, or -1. */
int pool_check(int rundir, const char *name, unsigned long long size, struct error *err);
/*
 * Be one of those who share, or change one's weight; 'resize': and the pool's size for all.  The limits
 * of all are set.  -1: they are as before; EBUSY: one of them uses more than he would get.
 */
int pool_join(int rundir, const char *name, const struct cgroup_running *at,
	      const struct pool_place *place, bool resize, struct error *err);
/* The others get what it had; its own limit stays. */
void pool_leave(int rundir, const char *name);
bool pool_find(int rundir, const char *name, struct pool_place *ret);

#endif

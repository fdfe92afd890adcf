/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory by weights: the running containers of one lxcpath that have lxc.limit.memory.weight share a
 * pool, each a part as large as its weight among theirs.
 *
 * The kernel knows no weights of memory, so each gets its part as a limit, and whoever comes or goes
 * sets the limits of all anew.  Who belongs to the pool stands in a file beside the run directories,
 * which is written before a limit is changed: after a crash the next one who comes puts all right.
 * Nobody's limit falls below what he uses and cannot give back; then it is the newcomer who is refused.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"
#include "base/fd.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#define POOL ".pool"
#define POOL_LOCK ".pool.lock"
#define LIMIT_MS 10000

struct member {
	char *name, *dir; /* of the container; the cgroup that has its limit */
	bool v2;
	unsigned weight;
	unsigned long long share;
};
struct pool {
	int parent, lock; /* the directory of the run directories; the lock's file */
	unsigned long long size;
	struct member *v;
	size_t n;
};

static void member_free(struct member *m)
{
	free(m->name);
	free(m->dir);
}

static void pool_close(struct pool *p)
{
	for (size_t i = 0; i < p->n; i++)
		member_free(&p->v[i]);
	free(p->v);
	p->v = NULL;
	p->n = 0;
	close_fd(&p->lock);
	close_fd(&p->parent);
}
#define autopool __attribute__((cleanup(pool_close)))

/* ---- the file ---- */

static int lock_file(int fd)
{
	long long end = clock_ms() + LIMIT_MS;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_ms() >= end)
			return -1;
		nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	return 0;
}

static int add_member(struct pool *p, const char *name, bool v2, unsigned weight, const char *dir)
{
	struct member fresh = {strdup(name), strdup(dir), v2, weight, 0}, *v = NULL;

	if (fresh.name && fresh.dir)
		v = realloc(p->v, (p->n + 1) * sizeof(*v));
	if (!v) {
		member_free(&fresh);
		return -1;
	}
	p->v = v;
	v[p->n++] = fresh;
	return 0;
}

static void remove_member(struct pool *p, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) == 0)
			member_free(&p->v[i]);
		else
			p->v[kept++] = p->v[i];
	}
	p->n = kept;
}

/* Lines "size BYTES" and "NAME VERSION WEIGHT DIR"; whose cgroup is gone is gone. */
static int read_members(struct pool *p)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	if (file_read(p->parent, POOL, &text) < 0)
		return errno == ENOENT ? 0 : -1;
	if (strv_split(&lines, text.s ? text.s : "", "\n") < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++) {
		char name[256];
		unsigned version, weight;
		int at = 0;

		if (sscanf(lines.v[i], "%255s %u %u %n", name, &version, &weight, &at) != 3 || !at) {
			sscanf(lines.v[i], "size %llu", &p->size);
			continue;
		}
		if (access(lines.v[i] + at, F_OK) < 0)
			continue;
		if (add_member(p, name, version == CGROUP_V2, weight, lines.v[i] + at) < 0)
			return -1;
	}
	return 0;
}

static int write_members(const struct pool *p)
{
	autobuf struct buf text = BUF_INIT;

	if (!p->n)
		return unlinkat(p->parent, POOL, 0) < 0 && errno != ENOENT ? -1 : 0;
	buf_addf(&text, "size %llu\n", p->size);
	for (size_t i = 0; i < p->n; i++)
		buf_addf(&text, "%s %d %u %s\n", p->v[i].name, p->v[i].v2 ? CGROUP_V2 : CGROUP_V1,
			 p->v[i].weight, p->v[i].dir);
	if (text.failed)
		return -1;
	return file_replace(p->parent, POOL, text.s, 0600);
}

static int pool_open(struct pool *p, int rundir, struct error *err)
{
	*p = (struct pool){.parent = openat(rundir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
			   .lock = -1};
	if (p->parent >= 0)
		p->lock = openat(p->parent, POOL_LOCK, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock < 0 || lock_file(p->lock) < 0 || read_members(p) < 0) {
		error_sys(err, "cannot look at the pool of memory");
		pool_close(p);
		return -1;
	}
	return 0;
}

/* ---- the shares ---- */

static int set_share(const struct member *m, struct error *err)
{
	struct cgroup_running at = {.v2 = m->v2 ? m->dir : NULL, .n_v1 = !m->v2,
				    .v1 = {m->v2 ? NULL : m->dir}};
	char value[24];

	snprintf(value, sizeof(value), "%llu", m->share);
	if (resources_write(&at, resources_limits, value, err) == 0)
		return 0;
	return error_within(err, "its share of the pool of memory would leave %llu bytes to \"%s\"",
			    m->share, m->name);
}

static unsigned long long limit_now(const struct member *m)
{
	autofree char *text = cgroup_read(m->dir, m->v2 ? "memory.max" : "memory.limit_in_bytes");
	unsigned long long n;

	return text && str_to_u64(text, &n) ? n : ~0ULL;
}

/* Those that become smaller first, so that never more is promised than there is. */
static int set_shares(struct pool *p, struct error *err)
{
	unsigned long long sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->v[i].weight;
	for (size_t i = 0; i < p->n; i++) {
		p->v[i].share = (unsigned long long)((unsigned __int128)p->size * p->v[i].weight / sum);
		p->v[i].share &= ~4095ULL; /* the kernel counts pages */
	}
	for (int grow = 0; grow <= 1; grow++)
		for (size_t i = 0; i < p->n; i++)
			if ((p->v[i].share > limit_now(&p->v[i])) == (grow == 1) &&
			    set_share(&p->v[i], err) < 0)
				return -1;
	return 0;
}

/* ---- who comes and goes ---- */

static int other_size(const struct pool *p, const char *name, unsigned long long size,
		      struct error *err)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->v[i].name, name) == 0 || p->size == size)
			continue;
		error_set(err, EEXIST, "cannot share a pool of %llu bytes of memory: \"%s\", which "
			  "runs, shares one of %llu", size, p->v[i].name, p->size);
		return error_mend(err, "give all of them the same lxc.limit.memory.pool, or change "
				  "that of those that run: lxc-update --memory-pool");
	}
	return 0;
}

int pool_check(int rundir, const char *name, unsigned long long size, struct error *err)
{
	autopool struct pool p;

	/* Without a run directory nobody is about to start it. */
	if (rundir < 0)
		return 0;
	return pool_open(&p, rundir, err) < 0 ? -1 : other_size(&p, name, size, err);
}

/* The pool is as it was before: its file, and the limits. */
static void restore(struct pool *now, const struct pool_place *was, const char *name)
{
	const char *dir = NULL;

	for (size_t i = 0; i < now->n; i++)
		if (strcmp(now->v[i].name, name) == 0)
			dir = now->v[i].dir;
	if (was->weight) {
		for (size_t i = 0; i < now->n; i++)
			if (now->v[i].dir == dir)
				now->v[i].weight = was->weight;
	} else {
		remove_member(now, name);
	}
	now->size = was->size;
	write_members(now);
	if (now->n)
		set_shares(now, NULL);
}

int pool_join(int rundir, const char *name, const struct cgroup_running *at,
	      const struct pool_place *place, bool resize, struct error *err)
{
	autofree char *dir = cgroup_memory_dir(at);
	struct pool_place was = {0};
	autopool struct pool p;

	if (pool_open(&p, rundir, err) < 0)
		return -1;
	if (!resize && other_size(&p, name, place->size, err) < 0)
		return -1;
	was.size = p.size;
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.v[i].name, name) == 0)
			was.weight = p.v[i].weight;
	remove_member(&p, name);
	p.size = place->size;
	if (!dir || add_member(&p, name, at->v2 && strcmp(dir, at->v2) == 0, place->weight, dir) < 0)
		return error_set(err, ENOMEM, "cannot share a pool of memory: out of memory");
	if (write_members(&p) < 0)
		return error_sys(err, "cannot write who shares the pool of memory");
	if (set_shares(&p, err) == 0)
		return 0;
	restore(&p, &was, name);
	return -1;
}

void pool_leave(int rundir, const char *name)
{
	autopool struct pool p;

	if (pool_open(&p, rundir, NULL) < 0)
		return;
	remove_member(&p, name);
	if (write_members(&p) == 0 && p.n)
		set_shares(&p, NULL);
}

bool pool_find(int rundir, const char *name, struct pool_place *ret)
{
	autopool struct pool p;
	bool found = false;

	if (pool_open(&p, rundir, NULL) < 0)
		return false;
	for (size_t i = 0; i < p.n; i++)
		if (strcmp(p.v[i].name, name) == 0) {
			*ret = (struct pool_place){p.v[i].weight, p.size};
			found = true;
		}
	return found;
}

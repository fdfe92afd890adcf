/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a container uses: processor time, memory, swap, block I/O, processes.
 *
 * One table says where each number stands, on v1 and on v2.  A meter is that table for one container:
 * the files it needs, each once, which may stay open for those who look again and again.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

#define TICK_NS 10000000 /* cpuacct.stat counts in USER_HZ */

struct place {
	const char *file;
	const char *word; /* NULL: the file is the number; with '=' at its end: the sum of all such */
	int64_t unit;
};

enum {
	CPU, CPU_USER, CPU_SYSTEM, MEMORY, SWAP, KERNEL_MEMORY, BLOCK_IO, BLOCK_OPS, PIDS
};
#define ALL ((1u << CGROUP_GAUGES) - 1)

/* Those of one file stand together. */
static const struct gauge {
	size_t field; /* in struct cgroup_stats */
	struct place v1, v2;
} gauges[CGROUP_GAUGES] = {
#define AT(f) offsetof(struct cgroup_stats, f)
	[CPU] = {AT(cpu_ns), {"cpuacct.usage", NULL, 1}, {"cpu.stat", "usage_usec", 1000}},
	[CPU_USER] = {AT(cpu_user_ns), {"cpuacct.stat", "user", TICK_NS},
		      {"cpu.stat", "user_usec", 1000}},
	[CPU_SYSTEM] = {AT(cpu_system_ns), {"cpuacct.stat", "system", TICK_NS},
			{"cpu.stat", "system_usec", 1000}},
	[MEMORY] = {AT(memory), {"memory.usage_in_bytes", NULL, 1}, {"memory.current", NULL, 1}},
	/* v1 counts it together with memory, and only with swap accounting. */
	[SWAP] = {AT(swap), {"memory.memsw.usage_in_bytes", NULL, 1},
		  {"memory.swap.current", NULL, 1}},
	[KERNEL_MEMORY] = {AT(kernel_memory), {"memory.kmem.usage_in_bytes", NULL, 1},
			   {"memory.stat", "kernel", 1}},
	[BLOCK_IO] = {AT(block_io), {"blkio.throttle.io_service_bytes", "Total", 1},
		      {"io.stat", "bytes=", 1}},
	[BLOCK_OPS] = {AT(block_ops), {"blkio.throttle.io_serviced", "Total", 1},
		       {"io.stat", "ios=", 1}},
	[PIDS] = {AT(pids), {"pids.current", NULL, 1}, {"pids.current", NULL, 1}},
#undef AT
};

/* ---- what a file says ---- */

int64_t cgroup_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	long long value;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, n) == 0 && line[n] == ' ' &&
		    sscanf(line + n, "%lld", &value) == 1)
			return value;
	}
	return -1;
}

/* "8:0 rbytes=1 wbytes=2 dbytes=3 rios=4 ..." for each device: those for reading and writing. */
static int64_t sum_of(const char *text, const char *word)
{
	int64_t sum = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word)) {
		long long n;

		if (p > text && p[-1] != 'd' && sscanf(p + strlen(word), "%lld", &n) == 1)
			sum += n;
	}
	return sum;
}

static int64_t value_of(char *text, const struct place *place)
{
	unsigned long long n;
	int64_t value;

	if (!place->word) {
		text[strcspn(text, "\n")] = '\0';
		value = str_to_u64(text, &n) ? (int64_t)n : -1;
	} else if (str_ends(place->word, "=")) {
		value = sum_of(text, place->word);
	} else {
		value = cgroup_word(text, place->word);
	}
	return value < 0 ? -1 : value * place->unit;
}

/* ---- meters ---- */

static int add_gauge(struct cgroup_meter *m, const struct cgroup_running *at, size_t g)
{
	const char *v1 = cgroup_v1_dir(at, gauges[g].v1.file), *dir = v1 ? v1 : at->v2;
	struct cgroup_reading *reading = &m->readings[m->n_readings];
	char *path;

	if (!dir)
		return 0;
	*reading = (struct cgroup_reading){.gauge = (int)g, .v1 = v1 != NULL};
	path = str_printf("%s/%s", dir, (v1 ? gauges[g].v1 : gauges[g].v2).file);
	if (!path)
		return -1;
	if (m->n_files && strcmp(m->files[m->n_files - 1].path, path) == 0)
		free(path);
	else
		m->files[m->n_files++] = REREAD(path);
	reading->file = (int)m->n_files - 1;
	m->n_readings++;
	return 0;
}

static int open_some(const struct cgroup_running *at, unsigned want, struct cgroup_meter *ret)
{
	*ret = (struct cgroup_meter){0};
	for (size_t g = 0; g < CGROUP_GAUGES; g++)
		if (want & 1u << g && add_gauge(ret, at, g) < 0) {
			cgroup_meter_close(ret);
			errno = ENOMEM;
			return -1;
		}
	return 0;
}

int cgroup_meter_open(const struct cgroup_running *at, struct cgroup_meter *ret)
{
	return open_some(at, ALL, ret);
}

static void take_value(const struct cgroup_reading *r, char *text, struct cgroup_stats *s)
{
	const struct gauge *g = &gauges[r->gauge];
	int64_t value = value_of(text, r->v1 ? &g->v1 : &g->v2);

	if (r->gauge == SWAP && r->v1)
		value = value < 0 || s->memory < 0 ? -1 : value > s->memory ? value - s->memory : 0;
	*(int64_t *)((char *)s + g->field) = value;
}

int cgroup_meter_read(struct cgroup_meter *m, bool keep, struct buf *text,
		      struct cgroup_stats *ret)
{
	int file = -1;
	bool said = false;

	*ret = CGROUP_STATS_UNKNOWN;
	for (size_t i = 0; i < m->n_readings; i++) {
		const struct cgroup_reading *r = &m->readings[i];

		if (r->file != file) {
			file = r->file;
			said = reread(&m->files[file], keep, text) == 0;
			if (!said && (errno == ENODEV || reread_lacked_descriptors(errno)))
				return -1;
		}
		if (said)
			take_value(r, text->s, ret);
	}
	return 0;
}

void cgroup_meter_close(struct cgroup_meter *m)
{
	for (size_t i = 0; i < m->n_files; i++)
		reread_free(&m->files[i]);
	m->n_files = m->n_readings = 0;
}

/* ---- one look ---- */

static void look(const struct cgroup_running *at, unsigned want, struct cgroup_stats *ret)
{
	autobuf struct buf text = BUF_INIT;
	struct cgroup_meter m;

	*ret = CGROUP_STATS_UNKNOWN;
	if (open_some(at, want, &m) < 0)
		return;
	cgroup_meter_read(&m, false, &text, ret);
	cgroup_meter_close(&m);
}

void cgroup_memory(const struct cgroup_running *at, int64_t *ret_memory, int64_t *ret_swap)
{
	struct cgroup_stats s;

	look(at, 1u << MEMORY | 1u << SWAP, &s);
	*ret_memory = s.memory;
	*ret_swap = s.swap;
}

void cgroup_stats(const struct cgroup_running *at, struct cgroup_stats *ret)
{
	look(at, ALL, ret);
	ret->oom_kills = cgroup_oom_kills(at);
}

bool cgroup_ran_out_of_memory(const struct boot *b)
{
	return b->cgroup && cgroup_oom_kills(&b->cgroup->at) > 0;
}

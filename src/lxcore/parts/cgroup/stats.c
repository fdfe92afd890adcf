/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a container uses: processor time, memory, swap, block I/O, processes; v1 first, then v2. */
#include "parts/cgroup/room.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

static int64_t number_in(const char *dir, const char *file)
{
	autofree char *text = dir ? cgroup_read(dir, file) : NULL;
	unsigned long long n;

	return text && str_to_u64(text, &n) ? (int64_t)n : -1;
}

static int64_t read_number(const struct cgroup_running *at, const char *v1_file,
			   const char *v2_file)
{
	const char *v1 = cgroup_v1_dir(at, v1_file);

	return v1 ? number_in(v1, v1_file) : number_in(at->v2, v2_file);
}

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

static int64_t word_in(const char *dir, const char *file, const char *word)
{
	autofree char *text = dir ? cgroup_read(dir, file) : NULL;

	return cgroup_word(text, word);
}

#define TICK_NS 10000000 /* cpuacct.stat counts in USER_HZ */

static int64_t times(int64_t n, int64_t ns)
{
	return n < 0 ? -1 : n * ns;
}

/* What was spent, and what of it in programs, or in the kernel for them; each file is read once. */
static void cpu(const struct cgroup_running *at, struct cgroup_stats *ret)
{
	const char *v1 = cgroup_v1_dir(at, "cpuacct.usage");
	autofree char *text = v1     ? cgroup_read(v1, "cpuacct.stat") :
			      at->v2 ? cgroup_read(at->v2, "cpu.stat") : NULL;

	ret->cpu_ns = v1 ? number_in(v1, "cpuacct.usage")
			 : times(cgroup_word(text, "usage_usec"), 1000);
	ret->cpu_user_ns = v1 ? times(cgroup_word(text, "user"), TICK_NS)
			      : times(cgroup_word(text, "user_usec"), 1000);
	ret->cpu_system_ns = v1 ? times(cgroup_word(text, "system"), TICK_NS)
				: times(cgroup_word(text, "system_usec"), 1000);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 ..." for each device: the sum of those for reading and writing. */
static int64_t sum_in(const char *dir, const char *unit)
{
	autofree char *text = dir ? cgroup_read(dir, "io.stat") : NULL;
	int64_t sum = 0;

	for (const char *p = text; p && (p = strstr(p, unit)); p += strlen(unit)) {
		long long n;

		if (p > text && p[-1] != 'd' && sscanf(p + strlen(unit), "%lld", &n) == 1)
			sum += n;
	}
	return text ? sum : -1;
}

static int64_t block_ops(const struct cgroup_running *at)
{
	const char *v1 = cgroup_v1_dir(at, "blkio.throttle.io_serviced");

	return v1 ? word_in(v1, "blkio.throttle.io_serviced", "Total") : sum_in(at->v2, "ios=");
}

static int64_t block_io(const struct cgroup_running *at)
{
	const char *v1 = cgroup_v1_dir(at, "blkio.throttle.io_service_bytes");

	return v1 ? word_in(v1, "blkio.throttle.io_service_bytes", "Total") : sum_in(at->v2, "bytes=");
}

static int64_t swap(const struct cgroup_running *at, int64_t memory)
{
	const char *v1 = cgroup_v1_dir(at, "memory.usage_in_bytes");
	int64_t both;

	if (!v1)
		return number_in(at->v2, "memory.swap.current");
	/* v1 counts them together, and only with swap accounting. */
	both = number_in(v1, "memory.memsw.usage_in_bytes");
	return both < 0 || memory < 0 ? -1 : both > memory ? both - memory : 0;
}

void cgroup_memory(const struct cgroup_running *at, int64_t *ret_memory, int64_t *ret_swap)
{
	*ret_memory = read_number(at, "memory.usage_in_bytes", "memory.current");
	*ret_swap = swap(at, *ret_memory);
}

void cgroup_stats(const struct cgroup_running *at, struct cgroup_stats *ret)
{
	const char *v1 = cgroup_v1_dir(at, "memory.usage_in_bytes");

	cpu(at, ret);
	cgroup_memory(at, &ret->memory, &ret->swap);
	ret->kernel_memory = v1 ? number_in(v1, "memory.kmem.usage_in_bytes")
				: word_in(at->v2, "memory.stat", "kernel");
	ret->block_io = block_io(at);
	ret->block_ops = block_ops(at);
	ret->pids = read_number(at, "pids.current", "pids.current");
	ret->oom_kills = cgroup_oom_kills(at);
}

bool cgroup_ran_out_of_memory(const struct boot *b)
{
	return b->cgroup && cgroup_oom_kills(&b->cgroup->at) > 0;
}

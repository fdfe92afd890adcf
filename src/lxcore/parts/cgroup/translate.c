/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One limit, two names: what a v2 control file is called on a host that has the controller on v1,
 * and the other way round.  A setting is translated only where the other kernel interface means the
 * same; for the rest the reason is told.  See the kernel's Documentation/admin-guide/cgroup-v1/ and
 * cgroup-v2.rst.
 */
#include "parts/cgroup/room.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum how {
	SAME,   /* the value as it is */
	LIMIT,  /* bytes; no limit is 'max' on v2 and -1, or a huge number, on v1 */
	READ,   /* a number that can only be read */
	WEIGHT, /* cpu.weight 100 is cpu.shares 1024 */
	CPU,    /* cpu.max 'QUOTA PERIOD' is two v1 files */
	SWAP,   /* v1 limits memory and swap together */
	IO,     /* io.max 'MAJ:MIN rbps=N ...' is four v1 files */
	FREEZE, /* 1 and 0, FROZEN and THAWED */
};

static const struct alias {
	const char *v2, *v1;
	enum how how;
} aliases[] = {
	{"memory.max", "memory.limit_in_bytes", LIMIT},
	{"memory.current", "memory.usage_in_bytes", READ},
	{"memory.peak", "memory.max_usage_in_bytes", READ},
	{"memory.swap.max", "memory.memsw.limit_in_bytes", SWAP},
	{"cpu.max", "cpu.cfs_quota_us", CPU},
	{"cpu.max", "cpu.cfs_period_us", CPU},
	{"cpu.max.burst", "cpu.cfs_burst_us", SAME},
	{"cpu.weight", "cpu.shares", WEIGHT},
	{"cpu.idle", "cpu.idle", SAME},
	{"cpu.uclamp.min", "cpu.uclamp.min", SAME},
	{"cpu.uclamp.max", "cpu.uclamp.max", SAME},
	{"cpuset.cpus", "cpuset.cpus", SAME},
	{"cpuset.mems", "cpuset.mems", SAME},
	{"cpuset.cpus.effective", "cpuset.effective_cpus", READ},
	{"cpuset.mems.effective", "cpuset.effective_mems", READ},
	{"pids.max", "pids.max", SAME},
	{"pids.current", "pids.current", READ},
	{"pids.events", "pids.events", READ},
	{"io.max", "blkio.throttle.read_bps_device", IO},
	{"io.max", "blkio.throttle.write_bps_device", IO},
	{"io.max", "blkio.throttle.read_iops_device", IO},
	{"io.max", "blkio.throttle.write_iops_device", IO},
	{"io.bfq.weight", "blkio.bfq.weight", SAME},
	{"rdma.max", "rdma.max", SAME},
	{"rdma.current", "rdma.current", READ},
	{"misc.max", "misc.max", SAME},
	{"misc.current", "misc.current", READ},
	{"cgroup.freeze", "freezer.state", FREEZE},
};

/* Why what is not above cannot be said; the first whose name fits ('.' at the end: a prefix). */
static const struct {
	const char *file, *why;
} refusals[] = {
	{"memory.high", "v1 has no limit that throttles; memory.max is the hard one"},
	{"memory.low", "v1 cannot protect memory of a container"},
	{"memory.min", "v1 cannot protect memory of a container"},
	{"memory.oom.group", "v1 ends single processes when memory runs out"},
	{"memory.zswap.", "v1 has no limit for zswap"},
	{"io.weight", "v1 has weights for the BFQ scheduler alone: io.bfq.weight"},
	{"io.latency", "v1 has no latency targets"},
	{"io.cost.", "v1 has no cost model"},
	{"memory.soft_limit_in_bytes", "v2 has memory.low and memory.high instead, which mean "
				       "something else"},
	{"memory.swappiness", "v2 has no swappiness of a cgroup; see memory.swap.max"},
	{"memory.kmem.", "v2 counts kernel memory within memory.max"},
	{"memory.oom_control", "v2 has memory.oom.group instead, which means something else"},
	{"cpu.rt_", "v2 cannot give real-time shares"},
	{"cpuacct.", "it cannot be written on v2"},
	{"blkio.weight", "v2 has io.weight instead, which means something else"},
	{"net_cls.", "v2 has no such controller; nftables matches cgroups by path"},
	{"net_prio.", "v2 has no such controller; nftables matches cgroups by path"},
	{"perf_event.", "v2 has it without any files"},
};

static int refuse(enum cgroup_version version, const char *file, struct error *err)
{
	int host = version == CGROUP_V1 ? CGROUP_V2 : CGROUP_V1;
	const char *why = "there is nothing that means the same";

	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		size_t n = strlen(refusals[i].file);
		char last = refusals[i].file[n - 1];

		if (strncmp(file, refusals[i].file, n) == 0 &&
		    (!file[n] || last == '.' || last == '_')) {
			why = refusals[i].why;
			break;
		}
	}
	return error_set(err, ENOTSUP, "cannot set %s: this host has the controller on cgroup v%d, "
			 "and %s", file, host, why);
}

static const struct alias *find(enum cgroup_version version, const char *file)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (strcmp(file, version == CGROUP_V1 ? aliases[i].v1 : aliases[i].v2) == 0)
			return &aliases[i];
	return NULL;
}

/* hugetlb.2MB.max is hugetlb.2MB.limit_in_bytes; there is one for each size of page. */
static bool hugetlb_name(enum cgroup_version version, const char *file, char ret[96])
{
	static const struct {
		const char *v2, *v1;
	} ends[] = {{".max", ".limit_in_bytes"}, {".rsvd.max", ".rsvd.limit_in_bytes"},
		    {".current", ".usage_in_bytes"}};

	if (!str_starts(file, "hugetlb."))
		return false;
	for (size_t i = ARRAY_SIZE(ends); i-- > 0;) {
		const char *from = version == CGROUP_V1 ? ends[i].v1 : ends[i].v2;
		const char *to = version == CGROUP_V1 ? ends[i].v2 : ends[i].v1;

		if (!str_ends(file, from))
			continue;
		snprintf(ret, 96, "%.*s%s", (int)(strlen(file) - strlen(from)), file, to);
		return true;
	}
	return false;
}

static int __attribute__((format(printf, 3, 4)))
put(struct cgroup_write *w, const char *file, const char *format, ...)
{
	va_list ap;

	snprintf(w->file, sizeof(w->file), "%s", file);
	va_start(ap, format);
	vsnprintf(w->value, sizeof(w->value), format, ap);
	va_end(ap);
	return 1;
}

static int bad_value(const char *file, const char *value, const char *syntax, struct error *err)
{
	return error_set(err, EINVAL, "cannot set %s to \"%.60s\": it is not %s", file, value,
			 syntax);
}

/* v1 shows 'no limit' as the largest number of whole pages. */
#define V1_NO_LIMIT (1ULL << 62)

static const char *limit_text(enum cgroup_version version, const char *value)
{
	unsigned long long n;

	if (version == CGROUP_V2)
		return strcmp(value, "max") == 0 ? "-1" : value;
	return *value == '-' || (str_to_u64(value, &n) && n >= V1_NO_LIMIT) ? "max" : value;
}

/* Bytes with the suffixes that the kernel takes (memparse); 'max' and -1: ~0. */
static bool read_bytes(const char *text, unsigned long long *ret)
{
	static const char units[] = "kmgtpe";
	const char *unit;
	char *end;

	if (strcmp(text, "max") == 0 || *text == '-')
		return *ret = ~0ULL, true;
	if (*text < '0' || *text > '9')
		return false;
	*ret = strtoull(text, &end, 0);
	unit = *end ? strchr(units, *end | 0x20) : NULL;
	if (unit)
		*ret <<= 10 * (unit - units + 1);
	if (*ret >= V1_NO_LIMIT)
		*ret = ~0ULL;
	return !*end || (unit && !end[1]);
}

static bool read_limit(const char *dir, const char *file, unsigned long long *ret)
{
	autofree char *text = dir ? cgroup_read(dir, file) : NULL;

	return text && read_bytes(text, ret);
}

/* v2 limits swap alone, v1 memory and swap together: memory's own limit links them. */
static int swap(const struct cgroup_running *at, enum cgroup_version version, const char *value,
		struct cgroup_write *w, struct error *err)
{
	const char *file = version == CGROUP_V2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes";
	const char *link = version == CGROUP_V2 ? "memory.limit_in_bytes" : "memory.max";
	unsigned long long bytes, memory;

	if (!read_bytes(value, &bytes))
		return bad_value(file, value, "a number of bytes or \"max\"", err);
	if (bytes == ~0ULL)
		return put(w, version == CGROUP_V2 ? "memory.memsw.limit_in_bytes"
						   : "memory.swap.max",
			   "%s", version == CGROUP_V2 ? "-1" : "max");
	if (!at)
		return 1;
	if (!read_limit(version == CGROUP_V2 ? cgroup_v1_dir(at, link) : at->v2, link, &memory) ||
	    memory == ~0ULL)
		return error_set(err, EINVAL, "cannot set %s: this host limits swap by other means, "
				 "which needs a limit for memory too (%s)", file,
				 version == CGROUP_V2 ? "memory.max" : "memory.limit_in_bytes");
	if (version == CGROUP_V2)
		return put(w, "memory.memsw.limit_in_bytes", "%llu", memory + bytes);
	if (bytes < memory)
		return bad_value(file, value, "at least the limit for memory", err);
	return put(w, "memory.swap.max", "%llu", bytes - memory);
}

/*
 * memory.max on v1.  Its limit of memory and swap together must never be below, and what v2 means
 * is that the swap stays as it was: so that one moves along, first or last.
 */
static int memory(const struct cgroup_running *at, const char *value, struct cgroup_write *w,
		  struct error *err)
{
	static const char limit[] = "memory.limit_in_bytes", both[] = "memory.memsw.limit_in_bytes";
	const char *dir = at ? cgroup_v1_dir(at, limit) : NULL;
	unsigned long long bytes, now, with_swap;
	bool raise;

	if (!read_bytes(value, &bytes))
		return bad_value("memory.max", value, "a number of bytes or \"max\"", err);
	if (!read_limit(dir, limit, &now) || !read_limit(dir, both, &with_swap) ||
	    with_swap == ~0ULL || now == ~0ULL)
		return put(w, limit, "%s", limit_text(CGROUP_V2, value));
	raise = bytes > now;
	put(&w[raise], limit, "%s", limit_text(CGROUP_V2, value));
	if (bytes == ~0ULL)
		put(&w[!raise], both, "-1");
	else
		put(&w[!raise], both, "%llu", bytes + (with_swap - now));
	return 2;
}

static int cpu(const struct cgroup_running *at, enum cgroup_version version, const char *file,
	       const char *value, struct cgroup_write *w, struct error *err)
{
	char quota[24], period[24] = "", more;
	autofree char *now = NULL;

	if (version == CGROUP_V2) {
		if (sscanf(value, "%23s %23s %c", quota, period, &more) < 1)
			return bad_value(file, value, "QUOTA PERIOD", err);
		/* The period first: a quota is checked against it. */
		if (*period)
			put(w++, "cpu.cfs_period_us", "%s", period);
		put(w, "cpu.cfs_quota_us", "%s", strcmp(quota, "max") ? quota : "-1");
		return *period ? 2 : 1;
	}
	if (strcmp(file, "cpu.cfs_quota_us") == 0)
		return put(w, "cpu.max", "%s", *value == '-' ? "max" : value);
	now = at && at->v2 ? cgroup_read(at->v2, "cpu.max") : NULL;
	return put(w, "cpu.max", "%.*s %s", now ? (int)strcspn(now, " ") : 3, now ? now : "max",
		   value);
}

static int weight(enum cgroup_version version, const char *value, struct cgroup_write *w,
		  struct error *err)
{
	unsigned long long n;

	if (!str_to_u64(value, &n) || n == 0 || n > 1ULL << 32)
		return bad_value(version == CGROUP_V2 ? "cpu.weight" : "cpu.shares", value,
				 "a number", err);
	if (version == CGROUP_V2)
		return put(w, "cpu.shares", "%llu", (n * 1024 + 50) / 100);
	n = (n * 100 + 512) / 1024;
	return put(w, "cpu.weight", "%llu", n < 1 ? 1 : n > 10000 ? 10000 : n);
}

static const struct {
	const char *word, *file;
} throttles[] = {
	{"rbps", "blkio.throttle.read_bps_device"}, {"wbps", "blkio.throttle.write_bps_device"},
	{"riops", "blkio.throttle.read_iops_device"}, {"wiops", "blkio.throttle.write_iops_device"},
};

static int io(enum cgroup_version version, const char *file, const char *value,
	      struct cgroup_write *w, struct error *err)
{
	autostrv struct strv words = {0};
	int n = 0;

	if (strv_split(&words, value, " \t") < 0 || words.n < 2)
		return bad_value(file, value, version == CGROUP_V2 ? "MAJ:MIN rbps=N ..."
								   : "MAJ:MIN N", err);
	for (size_t k = 0; k < ARRAY_SIZE(throttles) && version == CGROUP_V1; k++)
		if (strcmp(file, throttles[k].file) == 0)
			return put(w, "io.max", "%s %s=%s", words.v[0], throttles[k].word,
				   strcmp(words.v[1], "0") ? words.v[1] : "max");
	for (size_t i = 1; i < words.n && i < CGROUP_MAX_WRITES; i++) {
		char *number = strchr(words.v[i], '=');
		size_t k = 0;

		if (number)
			*number++ = '\0';
		while (k < ARRAY_SIZE(throttles) && strcmp(words.v[i], throttles[k].word))
			k++;
		if (!number || k == ARRAY_SIZE(throttles))
			return bad_value(file, value, "MAJ:MIN rbps=N wbps=N riops=N wiops=N", err);
		n += put(&w[n], throttles[k].file, "%s %s", words.v[0],
			 strcmp(number, "max") ? number : "0");
	}
	return n;
}

static int freeze(enum cgroup_version version, const char *value, struct cgroup_write *w,
		  struct error *err)
{
	bool on = strcmp(value, version == CGROUP_V2 ? "1" : "FROZEN") == 0;

	if (!on && strcmp(value, version == CGROUP_V2 ? "0" : "THAWED") != 0)
		return bad_value(version == CGROUP_V2 ? "cgroup.freeze" : "freezer.state", value,
				 version == CGROUP_V2 ? "0 or 1" : "FROZEN or THAWED", err);
	return version == CGROUP_V2 ? put(w, "freezer.state", "%s", on ? "FROZEN" : "THAWED")
				    : put(w, "cgroup.freeze", "%d", on);
}

int cgroup_translate(const struct cgroup_running *at, enum cgroup_version version,
		     const char *file, const char *value,
		     struct cgroup_write ret[CGROUP_MAX_WRITES], struct error *err)
{
	const struct alias *a = find(version, file);
	char name[96];

	/* On v2 it is always so. */
	if (version == CGROUP_V1 && strcmp(file, "memory.use_hierarchy") == 0 &&
	    strcmp(value, "1") == 0)
		return 0;
	if (hugetlb_name(version, file, name))
		return put(ret, name, "%s", limit_text(version, value));
	if (!a || a->how == READ)
		return refuse(version, file, err);
	if (version == CGROUP_V2 && strcmp(file, "memory.max") == 0)
		return memory(at, value, ret, err);
	switch (a->how) {
	case SWAP:
		return swap(at, version, value, ret, err);
	case CPU:
		return cpu(at, version, file, value, ret, err);
	case WEIGHT:
		return weight(version, value, ret, err);
	case IO:
		return io(version, file, value, ret, err);
	case FREEZE:
		return freeze(version, value, ret, err);
	default:
		return put(ret, version == CGROUP_V1 ? a->v2 : a->v1, "%s",
			   a->how == LIMIT ? limit_text(version, value) : value);
	}
}

/* ---- reading by the other name ---- */

static char *get_cpu_max(const char *dir)
{
	autofree char *quota = cgroup_read(dir, "cpu.cfs_quota_us");
	autofree char *period = cgroup_read(dir, "cpu.cfs_period_us");

	return quota && period ? str_printf("%s %s", *quota == '-' ? "max" : quota, period) : NULL;
}

static char *get_swap(const struct cgroup_running *at, enum cgroup_version version,
		      const char *text)
{
	unsigned long long bytes, memory;

	if (!read_bytes(text, &bytes))
		return NULL;
	if (bytes == ~0ULL)
		return strdup(version == CGROUP_V2 ? "max" : "-1");
	if (!read_limit(version == CGROUP_V2 ? cgroup_v1_dir(at, "memory.limit_in_bytes") : at->v2,
			version == CGROUP_V2 ? "memory.limit_in_bytes" : "memory.max", &memory))
		return NULL;
	return str_printf("%llu", version == CGROUP_V2 ? bytes - memory : bytes + memory);
}

static char *get_cpu_v1(const char *file, const char *text)
{
	const char *space = strchr(text, ' ');

	if (!space)
		return NULL;
	if (strcmp(file, "cpu.cfs_period_us") == 0)
		return strdup(space + 1);
	return str_starts(text, "max") ? strdup("-1") : strndup(text, (size_t)(space - text));
}

/* The four v1 files as one: "MAJ:MIN rbps=N wbps=N ..." a line, without what is not set. */
static char *get_io_max(const char *dir)
{
	autostrv struct strv devices = {0};
	autobuf struct buf out = BUF_INIT;
	struct strv files[ARRAY_SIZE(throttles)] = {0};

	for (size_t k = 0; k < ARRAY_SIZE(throttles); k++) {
		autofree char *text = cgroup_read(dir, throttles[k].file);

		strv_split(&files[k], text ? text : "", " \n");
		for (size_t i = 0; i + 1 < files[k].n; i += 2)
			if (!strv_has(&devices, files[k].v[i]))
				strv_add(&devices, files[k].v[i]);
	}
	for (size_t d = 0; d < devices.n; d++) {
		buf_addf(&out, "%s%s", out.len ? "\n" : "", devices.v[d]);
		for (size_t k = 0; k < ARRAY_SIZE(throttles); k++)
			for (size_t i = 0; i + 1 < files[k].n; i += 2)
				if (strcmp(files[k].v[i], devices.v[d]) == 0)
					buf_addf(&out, " %s=%s", throttles[k].word, files[k].v[i + 1]);
	}
	for (size_t k = 0; k < ARRAY_SIZE(throttles); k++)
		strv_free(&files[k]);
	return buf_steal(&out);
}

/* One v1 file out of io.max: "MAJ:MIN N" a line. */
static char *get_throttle(const char *file, const char *text)
{
	autostrv struct strv lines = {0};
	autobuf struct buf out = BUF_INIT;
	const char *word = "";

	for (size_t k = 0; k < ARRAY_SIZE(throttles); k++)
		if (strcmp(file, throttles[k].file) == 0)
			word = throttles[k].word;
	strv_split(&lines, text, "\n");
	for (size_t i = 0; i < lines.n; i++) {
		autofree char *wanted = str_printf(" %s=", word);
		const char *found = wanted ? strstr(lines.v[i], wanted) : NULL;
		const char *number = found ? found + strlen(wanted) : "max";

		if (!str_starts(number, "max"))
			buf_addf(&out, "%s%.*s %.*s", out.len ? "\n" : "",
				 (int)strcspn(lines.v[i], " "), lines.v[i],
				 (int)strcspn(number, " "), number);
	}
	return buf_steal(&out);
}

static char *convert_read(const struct cgroup_running *at, const struct alias *a,
			  enum cgroup_version version, const char *file, const char *text)
{
	unsigned long long n;

	switch (a->how) {
	case LIMIT: /* the value is of the other version */
		return strdup(limit_text(version == CGROUP_V2 ? CGROUP_V1 : CGROUP_V2, text));
	case WEIGHT:
		if (!str_to_u64(text, &n))
			return NULL;
		return str_printf("%llu", version == CGROUP_V2 ? (n * 100 + 512) / 1024
							       : (n * 1024 + 50) / 100);
	case FREEZE:
		if (version == CGROUP_V2)
			return strdup(strcmp(text, "THAWED") ? "1" : "0");
		return strdup(strcmp(text, "1") ? "THAWED" : "FROZEN");
	case SWAP:
		return get_swap(at, version, text);
	case CPU:
		return get_cpu_v1(file, text);
	case IO:
		return get_throttle(file, text);
	default:
		return strdup(text);
	}
}

char *cgroup_translate_get(const struct cgroup_running *at, const char *file)
{
	for (int version = CGROUP_V1; version <= CGROUP_V2; version++) {
		const struct alias *a = find(version, file);
		const char *other = a ? version == CGROUP_V1 ? a->v2 : a->v1 : NULL;
		const char *dir;
		char name[96];
		autofree char *text = NULL;

		if (hugetlb_name(version, file, name))
			other = name;
		if (!other)
			continue;
		dir = version == CGROUP_V1 ? at->v2 : cgroup_v1_dir(at, other);
		if (dir && version == CGROUP_V2 && a && a->how == CPU)
			return get_cpu_max(dir);
		if (dir && version == CGROUP_V2 && a && a->how == IO)
			return get_io_max(dir);
		text = dir ? cgroup_read(dir, other) : NULL;
		if (!text)
			continue;
		errno = 0;
		if (!a)
			return strdup(limit_text(version == CGROUP_V2 ? CGROUP_V1 : CGROUP_V2, text));
		return convert_read(at, a, version, file, text);
	}
	errno = ENOENT;
	return NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which limits a container has: what its configuration says and, of one that runs, what the kernel
 * keeps.  The two are not always the same, for lxc-cgroup and others may have changed the latter.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"
#include "lxcore.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NONE (-1) /* no limit */
#define V1_NO_SOFT_LIMIT (1ULL << 62)

struct listing {
	const struct cgroup_running *at; /* NULL: it does not run */
	const struct resources_conf *conf;
	struct lxcore_limit *v;
	int n;
	bool failed; /* memory ran out */
};

static const enum lxcore_limit_unit units[] = {
	[LIMIT_BYTES] = LXCORE_LIMIT_BYTES, [LIMIT_SHARE] = LXCORE_LIMIT_COUNT,
	[LIMIT_QUOTA] = LXCORE_LIMIT_PERMILLE, [LIMIT_TEXT] = LXCORE_LIMIT_COUNT,
	[LIMIT_CPUS] = LXCORE_LIMIT_LIST, [LIMIT_READ] = LXCORE_LIMIT_RATE,
	[LIMIT_WRITE] = LXCORE_LIMIT_RATE,
};

static struct lxcore_limit *add(struct listing *l, const struct resources_limit *limit,
				const char *configured)
{
	struct lxcore_limit *v = realloc(l->v, (size_t)(l->n + 1) * sizeof(*v));
	struct lxcore_limit fresh = {
		.key = limit->key, .unit = units[limit->kind], .value = NONE,
		.configured = v && configured ? strdup(configured) : NULL,
	};

	if (v)
		l->v = v;
	if (!v || (configured && !fresh.configured)) {
		l->failed = true;
		return NULL;
	}
	l->v[l->n] = fresh;
	return &l->v[l->n++];
}

static char *text_now(const struct cgroup_running *at, const char *file)
{
	char *text = NULL;

	return cgroup_get(at, -1, file, &text, NULL) < 0 ? NULL : text;
}

/* ---- numbers ---- */

static int64_t number_meant(const struct resources_limit *limit, const char *text)
{
	unsigned long long n = 0;
	unsigned quota = 0;

	if (!text)
		return NONE;
	if (limit->kind == LIMIT_QUOTA)
		return resources_quota(text, &quota) ? quota * 1000LL / RESOURCES_PERIOD_US : NONE;
	if (limit->kind == LIMIT_BYTES)
		return resources_bytes(text, &n) ? (int64_t)n : NONE;
	return str_to_u64(text, &n) ? (int64_t)n : NONE;
}

/* "max", "150000 100000", a number. */
static int64_t number_said(const struct resources_limit *limit, const char *text)
{
	unsigned long long n, period;

	if (limit->kind == LIMIT_QUOTA)
		return sscanf(text, "%llu %llu", &n, &period) == 2 && period
			       ? (int64_t)(n * 1000 / period) : NONE;
	return str_to_u64(text, &n) && n < V1_NO_SOFT_LIMIT ? (int64_t)n : NONE;
}

static int64_t number_now(const struct cgroup_running *at, const struct resources_limit *limit)
{
	bool soft_of_v1 = strcmp(limit->file, "memory.low") == 0 &&
			  resources_home(at, limit) == CGROUP_V1;
	autofree char *text = text_now(at, soft_of_v1 ? limit->v1 : limit->file);

	return text ? number_said(limit, text) : NONE;
}

/* The kernel counts memory in whole pages. */
static bool same_number(const struct resources_limit *limit, int64_t a, int64_t b)
{
	int64_t unit = limit->kind == LIMIT_BYTES ? sysconf(_SC_PAGESIZE) : 1;

	return a == NONE || b == NONE ? a == b : a / unit == b / unit;
}

static void list_number(struct listing *l, const struct resources_limit *limit)
{
	const char *text = resources_text(l->conf, limit);
	int64_t meant = number_meant(limit, text), value = meant;
	struct lxcore_limit *entry;

	/* A weight in a pool is between containers: the kernel knows only what comes of it. */
	if (l->at && limit->kind != LIMIT_SHARE)
		value = number_now(l->at, limit);
	if (!text && (value == NONE || value == number_said(limit, limit->none)))
		return;
	entry = add(l, limit, text);
	if (!entry)
		return;
	entry->value = value;
	entry->differs = text && !same_number(limit, meant, value);
}

/* ---- processors ---- */

#define MOST_CPUS 65536

struct cpu_set {
	unsigned char bits[MOST_CPUS / 8];
};

static bool put_cpu(void *data, unsigned cpu)
{
	struct cpu_set *set = data;

	set->bits[cpu / 8] |= (unsigned char)(1 << cpu % 8);
	return true;
}

static bool same_cpus(const char *a, const char *b)
{
	struct cpu_set x = {0}, y = {0};

	return resources_cpus(a, put_cpu, &x) && resources_cpus(b, put_cpu, &y) &&
	       memcmp(&x, &y, sizeof(x)) == 0;
}

/* On v1 one without a limit says what the one above says. */
static char *cpus_now(const struct cgroup_running *at, bool limited)
{
	const char *v1 = cgroup_v1_dir(at, "cpuset.cpus");
	autofree char *text = text_now(at, "cpuset.cpus");
	autofree char *above = v1 && !limited ? resources_cpus_above(v1, "cpuset.cpus") : NULL;

	if (!text || !*text || (above && same_cpus(text, above)))
		return NULL;
	return steal_ptr(&text);
}

static void list_cpus(struct listing *l, const struct resources_limit *limit)
{
	const char *text = resources_text(l->conf, limit);
	autofree char *list = l->at ? cpus_now(l->at, text) : text ? strdup(text) : NULL;
	struct lxcore_limit *entry = text || list ? add(l, limit, text) : NULL;

	if (!entry)
		return;
	entry->differs = text && !(list && same_cpus(text, list));
	entry->list = steal_ptr(&list);
}

/* ---- rates of devices ---- */

static struct lxcore_limit *entry_of(struct listing *l, const struct resources_limit *limit,
				     const char *device)
{
	for (int i = 0; i < l->n; i++)
		if (l->v[i].key == limit->key && strcmp(l->v[i].device, device) == 0)
			return &l->v[i];
	return NULL;
}

static void put_rate(struct listing *l, const struct resources_limit *limit, const char *device,
		     const char *configured, int64_t rate)
{
	struct lxcore_limit *entry = entry_of(l, limit, device);

	if (entry && configured) {
		free(entry->configured);
		entry->configured = strdup(configured);
	} else if (!entry && (entry = add(l, limit, configured))) {
		entry->device = strdup(device);
	}
	if (!entry || !entry->device || (configured && !entry->configured)) {
		l->failed = true;
		return;
	}
	entry->value = rate;
}

/* The last line of a device counts; one that is not here keeps its name. */
static void list_configured_rates(struct listing *l, const struct resources_limit *limit)
{
	const struct strv *lines = resources_list(l->conf, limit);

	for (size_t i = 0; i < lines->n && !l->failed; i++) {
		struct resources_io io;
		unsigned major, minor;
		char device[sizeof(io.device)];

		if (!resources_io(lines->v[i], &io))
			continue;
		if (resources_device(io.device, &major, &minor, NULL) < 0)
			snprintf(device, sizeof(device), "%s", io.device);
		else
			snprintf(device, sizeof(device), "%u:%u", major, minor);
		put_rate(l, limit, device, lines->v[i], io.rate ? (int64_t)io.rate : NONE);
	}
}

/* "8:0 rbps=1048576 wbps=max ..." a line. */
static int64_t rate_now(const char *text, const char *device, const char *word)
{
	size_t n = strlen(device);
	long long rate;

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		const char *at, *end;

		line += *line == '\n';
		end = line + strcspn(line, "\n");
		if (strncmp(line, device, n) != 0 || line[n] != ' ')
			continue;
		at = strstr(line, word);
		if (at && at < end && sscanf(at + strlen(word), "%lld", &rate) == 1)
			return rate;
	}
	return NONE;
}

static void list_rates(struct listing *l, const struct resources_limit *limit)
{
	const char *word = limit->kind == LIMIT_READ ? " rbps=" : " wbps=";
	autofree char *text = l->at ? text_now(l->at, limit->file) : NULL;
	autostrv struct strv lines = {0};
	int first = l->n;

	list_configured_rates(l, limit);
	if (!l->at || l->failed)
		return;
	for (int i = first; i < l->n; i++) {
		int64_t now = rate_now(text, l->v[i].device, word);

		l->v[i].differs = now != l->v[i].value;
		l->v[i].value = now;
	}
	strv_split(&lines, text ? text : "", "\n");
	for (size_t i = 0; i < lines.n && !l->failed; i++) {
		char device[32];
		int64_t now;

		snprintf(device, sizeof(device), "%.*s", (int)strcspn(lines.v[i], " "), lines.v[i]);
		now = rate_now(lines.v[i], device, word);
		if (now != NONE && !entry_of(l, limit, device))
			put_rate(l, limit, device, NULL, now);
	}
}

/* ---- all ---- */

int cgroup_list_limits(const struct conf *conf, const struct cgroup_running *at,
		       struct lxcore_limit **ret, struct error *err)
{
	struct listing l = {.at = at, .conf = conf_of(conf, &resources_section)};

	for (const struct resources_limit *limit = resources_limits; limit->key; limit++) {
		if (limit->kind == LIMIT_CPUS)
			list_cpus(&l, limit);
		else if (limit->kind == LIMIT_READ || limit->kind == LIMIT_WRITE)
			list_rates(&l, limit);
		else
			list_number(&l, limit);
	}
	*ret = l.v;
	if (!l.failed)
		return l.n;
	cgroup_free_limits(l.v, l.n);
	return error_set(err, ENOMEM, "cannot list its limits: out of memory");
}

void cgroup_free_limits(struct lxcore_limit *list, int n)
{
	for (int i = 0; i < n; i++) {
		free(list[i].device);
		free(list[i].configured);
		free(list[i].list);
	}
	free(list);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-top's numbers: what the library's sampler tells, and what became of it since the last round. */
#include "top.h"

#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int top_open(struct top *t)
{
	struct rlimit limit;

	/* The more files may stay open, the less a round costs. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	t->sampler = lxcore_sampler_open(cli_path(t->cli), t->cli->name, t->cli->err);
	return t->sampler ? 0 : cli_fail(t->cli);
}

/* ---- rows ---- */

static void free_rows(struct top_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(rows[i].name);
	free(rows);
}

static double rate(int64_t now, int64_t before, int64_t us)
{
	return us <= 0 || now < before || before < 0 ? -1 :
						      (double)(now - before) * 1e6 / (double)us;
}

/* Counters of another boot are not compared. */
static void compare_with(struct top_row *row, const struct top_row *before)
{
	const struct lxcore_sample *now = &row->now, *then = &before->now;
	int64_t us = now->time_us - then->time_us;

	if (now->boot != then->boot)
		return;
	row->cpu = rate(now->use.cpu_ns, then->use.cpu_ns, us);
	row->cpu = row->cpu < 0 ? -1 : row->cpu / 1e9;
	row->io = rate(now->use.block_io, then->use.block_io, us);
	row->traffic = rate(row->net, before->net, us);
}

static void fill_row(struct top_row *row, const struct lxcore_sample *sample)
{
	*row = (struct top_row){
		.name = must_have(strdup(sample->name)), .now = *sample,
		.net = sample->rx_bytes < 0 ? -1 : sample->rx_bytes + sample->tx_bytes,
		.cpu = -1, .io = -1, .traffic = -1,
	};
	row->now.name = row->name;
}

/* The rows of two rounds are both in the order of their names. */
static void take_round(struct top *t, const struct lxcore_sample *samples, size_t n)
{
	struct top_row *rows = must_have(calloc(n + 1, sizeof(*rows)));
	size_t before = 0;

	t->v = must_have(realloc(t->v, (n + 1) * sizeof(*t->v)));
	for (size_t i = 0; i < n; i++) {
		fill_row(&rows[i], &samples[i]);
		t->v[i] = &rows[i];
		while (before < t->n && strcmp(t->rows[before].name, rows[i].name) < 0)
			before++;
		if (before < t->n && strcmp(t->rows[before].name, rows[i].name) == 0)
			compare_with(&rows[i], &t->rows[before]);
	}
	free_rows(t->rows, t->n);
	t->rows = rows;
	t->n = n;
}

int top_sample(struct top *t)
{
	const struct lxcore_sample *samples;
	int n;

	t->time_ms = now_ms();
	n = lxcore_sampler_round(t->sampler, &samples, t->cli->err);
	if (n < 0)
		return cli_fail(t->cli);
	take_round(t, samples, (size_t)n);
	return 0;
}

void top_free(struct top *t)
{
	lxcore_sampler_close(t->sampler);
	free_rows(t->rows, t->n);
	free(t->v);
}

/* ---- order ---- */

static double key_of(const struct top_row *row, char sort)
{
	switch (sort) {
	case 'c':
		return (double)row->now.use.cpu_ns;
	case 'u':
		return row->cpu;
	case 'b':
		return (double)row->now.use.block_io;
	case 'm':
		return (double)row->now.use.memory;
	case 's':
		return (double)row->now.use.swap;
	case 'k':
		return (double)row->now.use.kernel_memory;
	case 'p':
		return (double)row->now.use.pids;
	default:
		return (double)row->net;
	}
}

static int compare(const void *a, const void *b, void *data)
{
	const struct top_row *x = *(struct top_row *const *)a, *y = *(struct top_row *const *)b;
	const struct top *t = data;
	double kx = t->sort == 'n' ? 0 : key_of(x, t->sort);
	double ky = t->sort == 'n' ? 0 : key_of(y, t->sort);
	/* Large numbers first, names from a on. */
	int order = kx > ky ? -1 : kx < ky ? 1 : strcmp(x->name, y->name);

	return t->reverse ? -order : order;
}

void top_sort(struct top *t)
{
	qsort_r(t->v, t->n, sizeof(*t->v), compare, t);
}

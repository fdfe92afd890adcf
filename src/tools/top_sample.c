/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-top's numbers.  A container is opened when it is first seen and stays open, so a round costs a
 * few small files each.  Traffic is read from the host's end of an interface: nobody has to go into
 * the container's network for it.
 */
#include "top.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t now_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- network ---- */

static int64_t read_counter(const char *link, const char *counter)
{
	char path[128], text[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", link, counter);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtoll(text, NULL, 10);
}

/* Which ends its interfaces have on the host; it seldom changes. */
static void find_links(struct top_row *row)
{
	struct lxcore_interface *list = NULL;
	int n = lxcore_interfaces(row->c, &list, NULL);

	row->links = must_have(calloc(n > 0 ? (size_t)n + 1 : 1, sizeof(char *)));
	for (int i = 0, k = 0; i < n; i++) {
		if (list[i].host_name && strlen(list[i].host_name) < 16)
			row->links[k++] = must_have(strdup(list[i].host_name));
		else
			row->ask_inside = true;
	}
	if (n >= 0)
		lxcore_interfaces_free(list, n);
}

static void count_inside(struct top_row *row)
{
	struct lxcore_interface *list = NULL;
	int n = lxcore_interfaces(row->c, &list, NULL);

	for (int i = 0; i < n; i++) {
		row->rx += (int64_t)list[i].rx_bytes;
		row->tx += (int64_t)list[i].tx_bytes;
	}
	if (n >= 0)
		lxcore_interfaces_free(list, n);
}

static void count_network(struct top_row *row)
{
	row->rx = row->tx = row->ask_inside || row->links[0] ? 0 : -1;
	if (row->ask_inside) {
		count_inside(row);
		return;
	}
	/* What the host's end receives was sent inside. */
	for (char **link = row->links; *link; link++) {
		int64_t sent = read_counter(*link, "rx_bytes");
		int64_t received = read_counter(*link, "tx_bytes");

		row->tx += sent > 0 ? sent : 0;
		row->rx += received > 0 ? received : 0;
	}
}

/* ---- rows ---- */

static void free_row(struct top_row *row)
{
	lxcore_close(row->c);
	lxcore_names_free(row->links);
	free(row->name);
}

static struct top_row *find_row(struct top *t, const char *name)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcmp(t->v[i].name, name) == 0)
			return &t->v[i];
	return NULL;
}

static struct top_row *add_row(struct top *t, const char *name)
{
	lxcore_container *c = lxcore_open(cli_path(t->cli), name, NULL);

	if (!c)
		return NULL;
	t->v = must_have(realloc(t->v, (t->n + 1) * sizeof(*t->v)));
	t->v[t->n] = (struct top_row){.name = must_have(strdup(name)), .c = c, .last_us = -1};
	find_links(&t->v[t->n]);
	return &t->v[t->n++];
}

/* A counter that became smaller is that of another boot. */
static double rate(int64_t now, int64_t before, int64_t us)
{
	return us <= 0 || before < 0 || now < before ? -1 :
						      (double)(now - before) * 1e6 / (double)us;
}

static void measure(struct top_row *row)
{
	int64_t us = now_us(CLOCK_MONOTONIC), since = row->last_us < 0 ? -1 : us - row->last_us;
	int64_t net;

	row->alive = lxcore_stats(row->c, &row->now, NULL) == 0;
	if (!row->alive)
		return;
	count_network(row);
	net = row->rx < 0 ? -1 : row->rx + row->tx;
	row->cpu = rate(row->now.cpu_ns, row->last_cpu, since);
	row->cpu = row->cpu < 0 ? -1 : row->cpu / 1e9;
	row->io = rate(row->now.block_io, row->last_io, since);
	row->net = rate(net, row->last_net, since);
	row->last_cpu = row->now.cpu_ns;
	row->last_io = row->now.block_io;
	row->last_net = net;
	row->last_us = us;
}

static void drop_dead(struct top *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (t->v[i].alive)
			t->v[kept++] = t->v[i];
		else
			free_row(&t->v[i]);
	}
	t->n = kept;
}

int top_sample(struct top *t)
{
	char **names = NULL;

	if (lxcore_list_active(cli_path(t->cli), &names, t->cli->err) < 0)
		return cli_fail(t->cli);
	for (size_t i = 0; i < t->n; i++)
		t->v[i].alive = false;
	t->time_ms = now_us(CLOCK_REALTIME) / 1000;
	for (char **name = names; *name; name++) {
		struct top_row *row;

		if (t->cli->name && fnmatch(t->cli->name, *name, 0) != 0)
			continue;
		row = find_row(t, *name);
		if (row || (row = add_row(t, *name)))
			measure(row);
	}
	lxcore_names_free(names);
	drop_dead(t);
	return 0;
}

void top_free(struct top *t)
{
	for (size_t i = 0; i < t->n; i++)
		free_row(&t->v[i]);
	free(t->v);
}

/* ---- order ---- */

static double key_of(const struct top_row *row, char sort)
{
	switch (sort) {
	case 'c':
		return (double)row->now.cpu_ns;
	case 'u':
		return row->cpu;
	case 'b':
		return (double)row->now.block_io;
	case 'm':
		return (double)row->now.memory;
	case 's':
		return (double)row->now.swap;
	case 'k':
		return (double)row->now.kernel_memory;
	case 'p':
		return (double)row->now.pids;
	default:
		return (double)row->rx + (double)row->tx;
	}
}

static int compare(const void *a, const void *b, void *data)
{
	const struct top_row *x = a, *y = b;
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

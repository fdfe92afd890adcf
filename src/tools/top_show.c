/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How lxc-top shows its numbers: a table on a terminal, lines for scripts, JSON. */
#include "top.h"
#include "json.h"
#include "work.h"

#include <inttypes.h>
#include <string.h>

#define TICKS 100 /* of USER_HZ, in a second */

static const struct column {
	char sort;
	int width; /* below 0: to the left */
	const char *head;
} columns[] = {
	{'n', -18, "Container"}, {'u', 8, "CPU"},     {'c', 12, "CPU time"}, {'m', 10, "Mem"},
	{'s', 10, "Swap"},	 {'k', 10, "KMem"},   {'b', 10, "BlkIO"},    {0, 10, "BlkIO/s"},
	{'t', 10, "Net"},	 {0, 10, "Net/s"},    {'p', 6, "Pids"},
};
#define N_COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* ---- a table ---- */

static void size_cell(int64_t n, char text[40])
{
	if (n < 0)
		strcpy(text, "-");
	else
		work_size((uint64_t)n, text);
}

static void rate_cell(double n, char text[40])
{
	size_cell(n < 0 ? -1 : (int64_t)n, text);
}

static void fill_cells(const struct top_row *r, char cells[N_COLUMNS][40])
{
	autofree char *name = text_escape(r->name);

	snprintf(cells[0], 40, "%.38s", name);
	if (r->cpu < 0)
		strcpy(cells[1], "-");
	else
		snprintf(cells[1], 40, "%.1f %%", r->cpu * 100);
	if (r->now.use.cpu_ns < 0)
		strcpy(cells[2], "-");
	else
		snprintf(cells[2], 40, "%.2f s", (double)r->now.use.cpu_ns / 1e9);
	size_cell(r->now.use.memory, cells[3]);
	size_cell(r->now.use.swap, cells[4]);
	size_cell(r->now.use.kernel_memory, cells[5]);
	size_cell(r->now.use.block_io, cells[6]);
	rate_cell(r->io, cells[7]);
	size_cell(r->net, cells[8]);
	rate_cell(r->traffic, cells[9]);
	if (r->now.use.pids < 0)
		strcpy(cells[10], "-");
	else
		snprintf(cells[10], 40, "%" PRId64, r->now.use.pids);
}

/* As much of a line as fits; the column that is sorted by stands out. */
static void print_line(const struct top *t, char cells[N_COLUMNS][40], unsigned width, bool head,
		       bool colours)
{
	unsigned used = 0;

	for (size_t i = 0; i < N_COLUMNS; i++) {
		bool sorted = head && colours && columns[i].sort == t->sort;
		unsigned n = (unsigned)abs(columns[i].width) + (i ? 1 : 0);

		if (used + n > width)
			break;
		used += n;
		printf("%s%s%*s%s", i ? " " : "", sorted ? "\033[7m" : head && colours ? "\033[1m" : "",
		       columns[i].width, cells[i], head && colours ? "\033[0m" : "");
	}
	fputs("\033[K\n", stdout);
}

void top_show_table(const struct top *t, unsigned lines, unsigned width, bool colours)
{
	char cells[N_COLUMNS][40];
	size_t shown = t->n;

	for (size_t i = 0; i < N_COLUMNS; i++)
		strcpy(cells[i], columns[i].head);
	print_line(t, cells, width, true, colours);
	/* A line for the heading, one for the sum, one for the cursor. */
	if (lines && shown + 3 > lines)
		shown = lines > 3 ? lines - 3 : 0;
	for (size_t i = 0; i < shown; i++) {
		fill_cells(t->v[i], cells);
		print_line(t, cells, width, false, colours);
	}
	printf("TOTAL %zu of %zu\033[K\n", shown, t->n);
}

/* ---- lines ---- */

static int64_t ticks(int64_t ns)
{
	return ns < 0 ? 0 : ns / (1000000000 / TICKS);
}

static int64_t known(int64_t n)
{
	return n < 0 ? 0 : n;
}

/* The format of LXC: what is not known is 0. */
void top_show_lines(const struct top *t, bool heading)
{
	if (heading)
		puts("time_ms,container,cpu_nanos,cpu_sys_userhz,cpu_user_userhz,blkio_bytes,"
		     "blkio_iops,mem_used_bytes,memsw_used_bytes,kernel_mem_used_bytes");
	for (size_t i = 0; i < t->n; i++) {
		const struct lxcore_stats *s = &t->v[i]->now.use;

		printf("%" PRId64 ",%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
		       ",%" PRId64 ",%" PRId64 ",%" PRId64 "\n",
		       t->time_ms, t->v[i]->name, known(s->cpu_ns), ticks(s->cpu_system_ns),
		       ticks(s->cpu_user_ns), known(s->block_io), known(s->block_ops),
		       known(s->memory), known(s->memory) + known(s->swap),
		       known(s->kernel_memory));
	}
}

/* ---- JSON ---- */

void top_show_json(const struct top *t)
{
	for (size_t i = 0; i < t->n; i++) {
		const struct top_row *r = t->v[i];
		struct json j = {.out = stdout};

		json_object(&j, NULL);
		json_number(&j, "time_ms", t->time_ms);
		json_text(&j, "name", r->name);
		json_known(&j, "cpu_ns", r->now.use.cpu_ns);
		json_known(&j, "cpu_user_ns", r->now.use.cpu_user_ns);
		json_known(&j, "cpu_system_ns", r->now.use.cpu_system_ns);
		/* Thousandths of a processor. */
		json_known(&j, "cpu_permille", r->cpu < 0 ? -1 : (int64_t)(r->cpu * 1000));
		json_known(&j, "memory", r->now.use.memory);
		json_known(&j, "swap", r->now.use.swap);
		json_known(&j, "kernel_memory", r->now.use.kernel_memory);
		json_known(&j, "block_io", r->now.use.block_io);
		json_known(&j, "block_ops", r->now.use.block_ops);
		json_known(&j, "rx_bytes", r->now.rx_bytes);
		json_known(&j, "tx_bytes", r->now.tx_bytes);
		json_known(&j, "pids", r->now.use.pids);
		json_end(&j, '}');
	}
}

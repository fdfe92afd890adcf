/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was measured, as tables for people or as one JSON text. */
#include "bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool some;

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* -1: none */
static double median(struct samples *s)
{
	if (!s->n)
		return -1;
	qsort(s->ms, (size_t)s->n, sizeof(s->ms[0]), compare);
	return s->n % 2 ? s->ms[s->n / 2] : (s->ms[s->n / 2 - 1] + s->ms[s->n / 2]) / 2;
}

static int peer_at(const char *name)
{
	for (int i = 0; i < n_peers; i++)
		if (!strcmp(peers[i].name, name))
			return i;
	return 0;
}

static void json_begin(const char *what)
{
	printf("%s{\"what\":\"%s\"", some ? ",\n" : "", what);
	some = true;
}

void print_begin(void)
{
	if (bench.json)
		printf("[");
	else
		printf("Medians in ms of whole tool processes; the last columns are ratios.\n");
}

void print_end(void)
{
	if (bench.json)
		printf("]\n");
}

static void cell(double value)
{
	if (value < 0)
		printf(" %8s", "-");
	else
		printf(" %8.2f", value);
}

static void json_rows(const struct setting *s, bool spaced, int op, const double *m,
		      struct samples all[MAX_PEERS][N_OPS])
{
	for (int i = 0; i < n_peers; i++) {
		struct samples *v = &all[i][op];

		if (m[i] < 0)
			continue;
		json_begin(op_names[op]);
		printf(",\"config\":\"%s\",\"spaced\":%s,\"peer\":\"%s\",\"ms\":%.3f,\"p10\":%.3f,"
		       "\"p90\":%.3f,\"n\":%d}", s->name, spaced ? "true" : "false", peers[i].name,
		       m[i], v->ms[v->n / 10], v->ms[v->n * 9 / 10], v->n);
	}
}

void print_table(const struct setting *s, bool spaced, struct samples all[MAX_PEERS][N_OPS])
{
	int ours = peer_at("lxcore"), lxc = peer_at("lxc"), floor = peer_at("floor");

	if (!bench.json) {
		printf("\n%s, %s\n%-14s", s->name, spaced ? "spaced by 0.3 s" : "back to back", "");
		for (int i = 0; i < n_peers; i++)
			printf(" %8s", peers[i].on ? peers[i].name : "");
		printf(" %8s %8s\n", "/lxc", "/floor");
	}
	for (int op = 0; op < N_OPS; op++) {
		double m[MAX_PEERS];
		bool any = false;

		for (int i = 0; i < n_peers; i++) {
			m[i] = median(&all[i][op]);
			any |= m[i] >= 0;
		}
		if (!any)
			continue;
		if (bench.json) {
			json_rows(s, spaced, op, m, all);
			continue;
		}
		printf("%-14s", op_names[op]);
		for (int i = 0; i < n_peers; i++)
			cell(m[i]);
		cell(m[ours] >= 0 && m[lxc] > 0 ? m[ours] / m[lxc] : -1);
		cell(m[ours] >= 0 && m[floor] > 0 ? m[ours] / m[floor] : -1);
		printf("\n");
	}
	fflush(stdout);
}

void print_list(const struct peer *p, int running, struct samples *s)
{
	double m = median(s);

	if (bench.json) {
		json_begin("ls -f");
		printf(",\"peer\":\"%s\",\"running\":%d,\"ms\":%.3f}", p->name, running, m);
	} else {
		printf("\n%-8s ls -f with %d running: %.2f ms\n", p->name, running, m);
	}
	fflush(stdout);
}

void print_growth(const struct peer *p, int n, struct samples *first, struct samples *last)
{
	double a = median(first), b = median(last);

	if (bench.json) {
		json_begin("500 starts");
		printf(",\"peer\":\"%s\",\"started\":%d,\"first\":%.3f,\"last\":%.3f}", p->name, n, a, b);
	} else {
		printf("%-8s 500 starts: %d came up; the first 50 took %.2f ms each, the last 50 %.2f (%.2f)\n",
		       p->name, n, a, b, a > 0 ? b / a : -1);
	}
}

/* ---- memory ---- */

struct cost {
	double pss, private_, rss, fds;
};

static double field(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at ? atof(at + strlen(name)) : 0;
}

static int cost_of(const char *pid, struct cost *ret)
{
	char path[300], text[4096];
	struct dirent *e;
	FILE *f;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/smaps_rollup", pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	text[fread(text, 1, sizeof(text) - 1, f)] = 0;
	fclose(f);
	ret->rss = field(text, "\nRss:");
	ret->pss = field(text, "\nPss:");
	ret->private_ = field(text, "Private_Clean:") + field(text, "Private_Dirty:");
	ret->fds = 0;
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d)))
		ret->fds += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return 0;
}

/* A supervisor has our path and a name of ours in its command line, and is no child of a tool. */
static bool is_supervisor(const char *pid, const char *mark)
{
	char path[300], line[512];
	size_t n, i;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/cmdline", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = fread(line, 1, sizeof(line) - 1, f);
	fclose(f);
	for (i = 0; i < n; i++)
		if (!line[i])
			line[i] = ' ';
	line[n] = 0;
	return strstr(line, mark) && strstr(line, "/many");
}

void print_memory(const struct peer *p, int running)
{
	static struct samples pss, private_, rss, fds;
	char mark[64];
	struct dirent *e;
	DIR *d = opendir("/proc");

	memset(&pss, 0, sizeof(pss));
	memset(&private_, 0, sizeof(private_));
	memset(&rss, 0, sizeof(rss));
	memset(&fds, 0, sizeof(fds));
	snprintf(mark, sizeof(mark), "%smany%s-", bench.id, p->name);
	while (d && (e = readdir(d))) {
		struct cost c;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !is_supervisor(e->d_name, mark) ||
		    cost_of(e->d_name, &c) < 0 || pss.n >= MAX_ROUNDS)
			continue;
		pss.ms[pss.n++] = c.pss;
		private_.ms[private_.n++] = c.private_;
		rss.ms[rss.n++] = c.rss;
		fds.ms[fds.n++] = c.fds;
	}
	if (d)
		closedir(d);
	if (bench.json) {
		json_begin("supervisor");
		printf(",\"peer\":\"%s\",\"running\":%d,\"counted\":%d,\"pss_kib\":%.0f,"
		       "\"private_kib\":%.0f,\"rss_kib\":%.0f,\"fds\":%.0f}",
		       p->name, running, pss.n, median(&pss), median(&private_), median(&rss),
		       median(&fds));
	} else {
		printf("%-8s supervisor (median of %d): PSS %.0f KiB, private %.0f KiB, RSS %.0f KiB, "
		       "%.0f descriptors\n",
		       p->name, pss.n, median(&pss), median(&private_), median(&rss), median(&fds));
	}
	fflush(stdout);
}

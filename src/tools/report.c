/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The plan of a start, and where its time went: a row for each part of the container. */
#include "report.h"
#include "json.h"
#include "table.h"

#include <string.h>

/* ---- the plan -------------------------------------------------------------------------------- */

struct plan {
	struct table table;
	struct json json;
};

/* Settings come as lines; each has a row of its own behind the part's first. */
static void explain_row(void *data, const char *part, const char *doors, const char *settings)
{
	struct table *t = &((struct plan *)data)->table;

	do {
		size_t n = strcspn(settings, "\n");
		autofree char *line = must_have(strndup(settings, n));

		table_add(t, part);
		table_add(t, doors);
		table_add(t, line);
		part = doors = "";
		settings += n + (settings[n] == '\n');
	} while (*settings);
}

static void explain_object(void *data, const char *part, const char *doors, const char *settings)
{
	struct json *j = &((struct plan *)data)->json;

	json_object(j, NULL);
	json_text(j, "part", part);
	json_text(j, "doors", doors);
	json_list(j, "settings");
	while (*settings) {
		size_t n = strcspn(settings, "\n");
		autofree char *line = must_have(strndup(settings, n));

		json_text(j, NULL, line);
		settings += n + (settings[n] == '\n');
	}
	json_end(j, ']');
	json_end(j, '}');
}

static int explain_json(const struct cli *cli, lxcore_container *c)
{
	autofree char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));
	struct plan plan = {.json.out = out};
	int failed;

	json_object(&plan.json, NULL);
	json_text(&plan.json, "name", cli->name);
	json_rows(&plan.json, "parts");
	failed = lxcore_explain(c, explain_object, &plan, cli->err) < 0;
	json_end(&plan.json, ']');
	json_end(&plan.json, '}');
	fclose(out);
	if (failed)
		return cli_fail(cli);
	fputs(must_have(text), stdout);
	return 0;
}

int report_explain(const struct cli *cli, lxcore_container *c)
{
	struct plan plan = {.table = {.columns = 3, .gap = 2}};

	if (cli->json)
		return explain_json(cli, c);
	table_add(&plan.table, "PART");
	table_add(&plan.table, "DOORS");
	table_add(&plan.table, "SETTINGS");
	if (lxcore_explain(c, explain_row, &plan, cli->err) < 0) {
		table_free(&plan.table);
		return cli_fail(cli);
	}
	table_print(&plan.table, stdout);
	return 0;
}

/* ---- where the time went --------------------------------------------------------------------- */

void report_take(void *data, const struct lxcore_timing *t)
{
	struct timings *all = data;
	struct timing *new;

	all->v = must_have(realloc(all->v, (all->n + 1) * sizeof(*all->v)));
	new = &all->v[all->n++];
	snprintf(new->part, sizeof(new->part), "%s", t->part);
	snprintf(new->door, sizeof(new->door), "%s", t->door);
	new->microseconds = t->microseconds;
}

static const char *const doors[] = {"check", "prepare", "connect", "enter", "seal"};
#define N_DOORS (sizeof(doors) / sizeof(doors[0]))

/* Sum of a part's door; part, door NULL: of all parts, all doors.  -1: nothing was measured. */
static long sum_of(const struct timings *t, const char *part, const char *door)
{
	long sum = -1;

	for (size_t i = 0; i < t->n; i++) {
		if (part && strcmp(t->v[i].part, part) != 0)
			continue;
		if (door && strcmp(t->v[i].door, door) != 0)
			continue;
		sum = (sum < 0 ? 0 : sum) + t->v[i].microseconds;
	}
	return sum;
}

static void add_time(struct table *table, long microseconds)
{
	if (microseconds < 0)
		table_add(table, "");
	else
		table_addf(table, "%ld.%03ld", microseconds / 1000, microseconds % 1000);
}

static void add_part(struct table *table, const struct timings *t, const char *part)
{
	table_add(table, part ? part : "total");
	for (size_t d = 0; d < N_DOORS; d++)
		if (sum_of(t, NULL, doors[d]) >= 0)
			add_time(table, sum_of(t, part, doors[d]));
	add_time(table, sum_of(t, part, NULL));
}

/*
 * The parts in the order of the boot, of which each door's events are a part: a name that is new
 * belongs behind the one that came before it.  'ret' has room for all events.
 */
static size_t order_parts(const struct timings *t, const char **ret)
{
	size_t n = 0, at = 0, found;

	for (size_t i = 0; i < t->n; i++) {
		if (i && strcmp(t->v[i].door, t->v[i - 1].door) != 0)
			at = 0;
		for (found = 0; found < n && strcmp(ret[found], t->v[i].part) != 0;)
			found++;
		if (found < n) {
			at = found > at ? found : at;
		} else {
			at = n ? at + 1 : 0;
			memmove(ret + at + 1, ret + at, (n++ - at) * sizeof(*ret));
			ret[at] = t->v[i].part;
		}
	}
	return n;
}

static void timing_table(const struct timings *t)
{
	struct table table = {.columns = 2, .gap = 2, .right = ~1u};
	autofree const char **parts = must_have(calloc(t->n + 1, sizeof(*parts)));
	size_t n = order_parts(t, parts);

	table_add(&table, "PART (ms)");
	for (size_t d = 0; d < N_DOORS; d++)
		if (sum_of(t, NULL, doors[d]) >= 0) {
			table_add(&table, doors[d]);
			table.columns++;
		}
	table_add(&table, "total");
	for (size_t i = 0; i < n; i++)
		add_part(&table, t, parts[i]);
	add_part(&table, t, NULL);
	table_print(&table, stdout);
}

static void timing_json(const struct cli *cli, const struct timings *t)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_rows(&j, "timing");
	for (size_t i = 0; i < t->n; i++) {
		json_object(&j, NULL);
		json_text(&j, "part", t->v[i].part);
		json_text(&j, "door", t->v[i].door);
		json_number(&j, "microseconds", t->v[i].microseconds);
		json_end(&j, '}');
	}
	json_end(&j, ']');
	json_end(&j, '}');
}

void report_timing(const struct cli *cli, struct timings *t)
{
	if (cli->json)
		timing_json(cli, t);
	else if (t->n)
		timing_table(t);
	free(t->v);
	t->v = NULL;
	t->n = 0;
}

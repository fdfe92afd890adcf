/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of lxc-ls -f, as one table.  columns.h says what they are for. */
#include "columns.h"
#include "text.h"

#include <string.h>
#include <strings.h>

static void join(FILE *out, char *const *words, const char *between)
{
	for (; words && *words; words++)
		fprintf(out, "%s%s", ftell(out) ? between : "", *words);
}

/* One in a container has a mark before it, as far to the right as it lies deep. */
static void show_name(const struct lxcore_summary *s, FILE *out)
{
	fprintf(out, "%*s%s", (int)s->depth, s->depth ? "\\" : "", s->name);
}

static void show_state(const struct lxcore_summary *s, FILE *out)
{
	fputs(lxcore_state_name(s->state), out);
}

static void show_pid(const struct lxcore_summary *s, FILE *out)
{
	if (s->init_pid > 0)
		fprintf(out, "%d", s->init_pid);
}

static void show_mb(int64_t bytes, FILE *out)
{
	if (bytes >= 0)
		fprintf(out, "%.2fMB", (double)bytes / (1 << 20));
}

static void show_ram(const struct lxcore_summary *s, FILE *out)
{
	show_mb(s->memory, out);
}

static void show_swap(const struct lxcore_summary *s, FILE *out)
{
	show_mb(s->swap, out);
}

static void show_autostart(const struct lxcore_summary *s, FILE *out)
{
	fputs(!s->readable ? "?" : s->autostart ? "1" : "0", out);
}

static void show_groups(const struct lxcore_summary *s, FILE *out)
{
	if (!s->readable)
		fputc('?', out);
	else
		join(out, s->groups, ",");
}

static void show_interface(const struct lxcore_summary *s, FILE *out)
{
	for (int i = 0; i < s->n_interfaces; i++)
		fprintf(out, "%s%s", i ? ", " : "", s->interfaces[i].name);
}

static void show_ipv4(const struct lxcore_summary *s, FILE *out)
{
	for (int i = 0; i < s->n_interfaces; i++)
		join(out, s->interfaces[i].ipv4, ", ");
}

static void show_ipv6(const struct lxcore_summary *s, FILE *out)
{
	for (int i = 0; i < s->n_interfaces; i++)
		join(out, s->interfaces[i].ipv6, ", ");
}

static void show_unprivileged(const struct lxcore_summary *s, FILE *out)
{
	fputs(!s->readable ? "?" : s->unprivileged ? "true" : "false", out);
}

static const struct column {
	const char *name;
	unsigned want;
	void (*show)(const struct lxcore_summary *s, FILE *out); /* nothing: a hyphen */
} table[] = {
	{"NAME", 0, show_name},
	{"STATE", 0, show_state},
	{"PID", 0, show_pid},
	{"RAM", LXCORE_WANT_MEMORY, show_ram},
	{"SWAP", LXCORE_WANT_MEMORY, show_swap},
	{"AUTOSTART", LXCORE_WANT_CONFIG, show_autostart},
	{"GROUPS", LXCORE_WANT_CONFIG, show_groups},
	{"INTERFACE", LXCORE_WANT_INTERFACES, show_interface},
	{"IPV4", LXCORE_WANT_INTERFACES, show_ipv4},
	{"IPV6", LXCORE_WANT_INTERFACES, show_ipv6},
	{"UNPRIVILEGED", LXCORE_WANT_CONFIG, show_unprivileged},
};
#define N_COLUMNS (sizeof(table) / sizeof(table[0]))

char *columns_parse(struct columns *ret, const char *names)
{
	names = names ? names : "NAME,STATE,AUTOSTART,GROUPS,IPV4,IPV6,UNPRIVILEGED";
	do {
		size_t n = strcspn(names, ","), c = 0;

		while (c < N_COLUMNS &&
		       (strncasecmp(table[c].name, names, n) != 0 || table[c].name[n]))
			c++;
		if (c == N_COLUMNS || ret->n == COLUMNS_MAX)
			return must_have(strndup(names, n));
		ret->which[ret->n++] = (unsigned char)c;
		ret->want |= table[c].want;
		names += n;
	} while (*names++);
	return NULL;
}

void columns_heading(const struct columns *columns, struct table *t)
{
	for (size_t i = 0; i < columns->n; i++)
		table_add(t, table[columns->which[i]].name);
}

void columns_row(const struct columns *columns, const struct lxcore_summary *s, struct table *t)
{
	for (size_t i = 0; i < columns->n; i++) {
		autofree char *cell = NULL;
		size_t size;
		FILE *out = must_have(open_memstream(&cell, &size));

		table[columns->which[i]].show(s, out);
		fclose(out);
		must_have(cell);
		table_add(t, *cell ? cell : "-");
	}
}

static void json_interfaces(const struct lxcore_summary *s, struct json *j)
{
	json_list(j, "interfaces");
	for (int i = 0; i < s->n_interfaces; i++) {
		json_object(j, NULL);
		json_text(j, "name", s->interfaces[i].name);
		json_texts(j, "ipv4", (const char *const *)s->interfaces[i].ipv4);
		json_texts(j, "ipv6", (const char *const *)s->interfaces[i].ipv6);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* Who needs whom; null where it cannot be told. */
static void json_paths(struct json *j, const char *name, lxcore_container *c,
		       int (*list)(lxcore_container *, char ***, lxcore_error *))
{
	char **paths = NULL;

	if (!c || list(c, &paths, NULL) < 0)
		json_text(j, name, NULL);
	else
		json_texts(j, name, (const char *const *)paths);
	lxcore_names_free(paths);
}

static void json_snapshots(struct json *j, lxcore_container *c)
{
	struct lxcore_snapshot *list = NULL;
	int n = c ? lxcore_snapshots(c, &list, NULL) : -1;

	json_list(j, "snapshots");
	for (int i = 0; i < n; i++)
		json_text(j, NULL, list[i].name);
	json_end(j, ']');
	if (n >= 0)
		lxcore_snapshots_free(list, n);
}

static void json_graph(const char *lxcpath, const struct lxcore_summary *s, struct json *j)
{
	/* One in a container is not ours to be opened. */
	lxcore_container *c = s->defined && !s->outer ? lxcore_open(lxcpath, s->name, NULL) : NULL;

	json_paths(j, "parents", c, lxcore_dependencies);
	json_paths(j, "dependants", c, lxcore_dependants);
	json_snapshots(j, c);
	lxcore_close(c);
}

void columns_json(const char *lxcpath, const struct lxcore_summary *s, struct json *j)
{
	json_object(j, NULL);
	json_text(j, "name", s->name);
	if (s->outer)
		json_text(j, "outer", s->outer);
	json_text(j, "state", lxcore_state_name(s->state));
	json_known(j, "pid", s->init_pid > 0 ? s->init_pid : -1);
	json_bool(j, "defined", s->defined);
	json_bool(j, "readable", s->readable);
	if (s->readable) {
		json_bool(j, "autostart", s->autostart);
		json_bool(j, "unprivileged", s->unprivileged);
	} else {
		json_text(j, "autostart", NULL);
		json_text(j, "unprivileged", NULL);
	}
	json_texts(j, "groups", (const char *const *)s->groups);
	json_interfaces(s, j);
	json_known(j, "memory", s->memory);
	json_known(j, "swap", s->swap);
	json_graph(lxcpath, s, j);
	json_end(j, '}');
}

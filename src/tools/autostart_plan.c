/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which containers lxc-autostart works on, and in which order: groups in the order in which they were
 * asked for, within a group by lxc.start.order and name, and whatever a container requires before it.
 * Stopping goes the other way.  Containers that follow each other with the same order, without a delay
 * and without requiring each other, are one wave.
 */
#include "autostart.h"

#include <errno.h>
#include <string.h>

/* ---- what there is ---- */

static char **split(const char *text, const char *separators)
{
	autofree char *copy = must_have(strdup(text));
	char *save = NULL, **list = must_have(calloc(strlen(text) + 1, sizeof(char *)));
	size_t n = 0;

	for (char *word = strtok_r(copy, separators, &save); word;
	     word = strtok_r(NULL, separators, &save))
		list[n++] = must_have(strdup(word));
	return list;
}

/* NULL: it cannot be read, which cli->err tells. */
static char *get(const struct cli *cli, lxcore_container *c, const char *key)
{
	char *value = NULL;

	return lxcore_get(c, key, false, &value, cli->err) < 0 ? NULL : value;
}

static int read_member(const struct cli *cli, const char *name, struct autostart_member *m)
{
	autocontainer lxcore_container *c = lxcore_open(cli_path(cli), name, cli->err);
	autofree char *automatic = c ? get(cli, c, "lxc.start.auto") : NULL;
	autofree char *order = NULL, *delay = NULL, *groups = NULL, *requires = NULL;

	*m = (struct autostart_member){0};
	if (!automatic)
		return -1;
	order = must_have(get(cli, c, "lxc.start.order"));
	delay = must_have(get(cli, c, "lxc.start.delay"));
	groups = must_have(get(cli, c, "lxc.group"));
	requires = must_have(get(cli, c, "lxc.start.requires"));
	m->name = must_have(strdup(name));
	m->automatic = strcmp(automatic, "1") == 0;
	m->order = atoi(order);
	m->delay = (unsigned)strtoul(delay, NULL, 10);
	m->groups = split(groups, " \t\n");
	m->requires = split(requires, "\n");
	m->running = lxcore_state(c) != LXCORE_STOPPED;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct autostart_member *x = a, *y = b;

	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int read_all(const struct cli *cli, struct autostart_plan *p)
{
	char **names = NULL;
	int n = lxcore_list_defined(cli_path(cli), &names, cli->err);

	if (n < 0)
		return cli_fail(cli);
	p->all = must_have(calloc((size_t)n + 1, sizeof(*p->all)));
	p->v = must_have(calloc((size_t)n + 1, sizeof(struct autostart_member *)));
	for (int i = 0; i < n; i++) {
		if (read_member(cli, names[i], &p->all[p->n_all]) == 0) {
			p->n_all++;
			continue;
		}
		p->unreadable++;
		cli_fail(cli);
	}
	lxcore_names_free(names);
	qsort(p->all, p->n_all, sizeof(*p->all), compare);
	return 0;
}

struct autostart_member *autostart_find(const struct autostart_plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_all; i++)
		if (strcmp(p->all[i].name, name) == 0)
			return &p->all[i];
	return NULL;
}

enum lxcore_up autostart_requirement(const char *text, char **ret_name)
{
	const char *colon = strrchr(text, ':');
	int what = colon ? lxcore_up_parse(colon + 1) : -1;

	*ret_name = must_have(what < 0 ? strdup(text) : strndup(text, (size_t)(colon - text)));
	return what < 0 ? LXCORE_UP_RUNNING : (enum lxcore_up)what;
}

/* ---- choosing ---- */

/* An empty group are those that have none. */
static bool is_in_group(const struct autostart_member *m, const char *group, size_t n)
{
	if (n == 0)
		return !m->groups[0];
	for (char **g = m->groups; *g; g++)
		if (strlen(*g) == n && memcmp(*g, group, n) == 0)
			return true;
	return false;
}

static bool is_chosen(const struct autostart_choice *choice, const struct autostart_member *m)
{
	return (m->automatic || choice->ignore_auto) &&
	       m->running == (choice->action != AUTOSTART_START);
}

static int add(const struct cli *cli, struct autostart_plan *p, struct autostart_member *m,
	       const struct autostart_choice *choice, unsigned pass);

/* What it requires is started before it, whether it would be started by itself or not. */
static int add_required(const struct cli *cli, struct autostart_plan *p, struct autostart_member *m,
			const struct autostart_choice *choice, unsigned pass)
{
	for (char **r = m->requires; *r; r++) {
		autofree char *name = NULL;
		struct autostart_member *other;

		autostart_requirement(*r, &name);
		other = autostart_find(p, name);
		if (!other)
			continue; /* said when its turn comes: only the one that needs it fails */
		if (other->visiting)
			return cli_error_mend(cli, "take one of these lines out (lxc.start.requires)",
					      "%s and %s require each other", m->name, name);
		if (choice->action == AUTOSTART_START ? !other->running :
							is_chosen(choice, other))
			if (add(cli, p, other, choice, pass))
				return 1;
	}
	return 0;
}

static int add(const struct cli *cli, struct autostart_plan *p, struct autostart_member *m,
	       const struct autostart_choice *choice, unsigned pass)
{
	int code;

	if (m->planned)
		return 0;
	m->visiting = true;
	code = add_required(cli, p, m, choice, pass);
	m->visiting = false;
	if (code || m->planned)
		return code;
	m->planned = true;
	m->pass = pass;
	p->v[p->n++] = m;
	return 0;
}

static int add_group(const struct cli *cli, struct autostart_plan *p,
		     const struct autostart_choice *choice, const char *group, size_t n,
		     unsigned pass)
{
	for (size_t i = 0; i < p->n_all; i++) {
		struct autostart_member *m = &p->all[i];

		if (is_chosen(choice, m) && (!group || is_in_group(m, group, n)) &&
		    add(cli, p, m, choice, pass))
			return 1;
	}
	return 0;
}

static int add_groups(const struct cli *cli, struct autostart_plan *p,
		      const struct autostart_choice *choice)
{
	unsigned pass = 0;

	if (choice->ignore_groups)
		return add_group(cli, p, choice, NULL, 0, 0);
	if (!choice->groups->n)
		return add_group(cli, p, choice, "", 0, 0);
	for (size_t i = 0; i < choice->groups->n; i++) {
		const char *at = choice->groups->v[i];

		for (;; at++) {
			size_t n = strcspn(at, ",");

			if (add_group(cli, p, choice, at, n, pass++))
				return 1;
			at += n;
			if (!*at)
				break;
		}
	}
	return 0;
}

/* ---- side by side ---- */

static bool requires(const struct autostart_member *m, const struct autostart_member *other)
{
	for (char **r = m->requires; *r; r++) {
		autofree char *name = NULL;

		autostart_requirement(*r, &name);
		if (strcmp(name, other->name) == 0)
			return true;
	}
	return false;
}

static bool can_go_along(const struct autostart_plan *p, size_t first, size_t i)
{
	const struct autostart_member *m = p->v[i], *before = p->v[i - 1];

	if (before->delay || before->order != m->order || before->pass != m->pass)
		return false;
	for (size_t k = first; k < i; k++)
		if (requires(m, p->v[k]) || requires(p->v[k], m))
			return false;
	return true;
}

static void find_waves(struct autostart_plan *p)
{
	unsigned wave = 0;
	size_t first = 0;

	for (size_t i = 0; i < p->n; i++) {
		if (i && !can_go_along(p, first, i)) {
			wave++;
			first = i;
		}
		p->v[i]->wave = wave;
	}
}

static void turn_round(struct autostart_plan *p)
{
	for (size_t i = 0; i < p->n / 2; i++) {
		struct autostart_member *m = p->v[i];

		p->v[i] = p->v[p->n - 1 - i];
		p->v[p->n - 1 - i] = m;
	}
}

int autostart_make_plan(const struct cli *cli, const struct autostart_choice *choice,
			struct autostart_plan *ret)
{
	*ret = (struct autostart_plan){0};
	if (read_all(cli, ret) || add_groups(cli, ret, choice))
		return 1;
	if (choice->action == AUTOSTART_SHUTDOWN || choice->action == AUTOSTART_KILL)
		turn_round(ret);
	find_waves(ret);
	return 0;
}

void autostart_free_plan(struct autostart_plan *p)
{
	for (size_t i = 0; i < p->n_all; i++) {
		free(p->all[i].name);
		lxcore_names_free(p->all[i].groups);
		lxcore_names_free(p->all[i].requires);
	}
	free(p->all);
	free(p->v);
}

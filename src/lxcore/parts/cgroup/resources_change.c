/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changing lxc.limit.* of a running container.  What each control file said before is remembered, so
 * that all can be as it was when a later one cannot be written.
 */
#include "parts/cgroup/resources.h"

#include "base/buf.h"

#include <stdio.h>
#include <string.h>

/* ---- in a configuration ---- */

static size_t device_length(const char *line)
{
	const char *colon = strrchr(line, ':');

	return colon ? (size_t)(colon - line) : 0;
}

/* The line of this device gives way to the new one; those of others stay. */
static int put_rate(struct conf *conf, const char *key, const char *value, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};
	size_t n = device_length(value);
	bool replaced = false;

	if (conf_get(conf, key, &text, err) < 0)
		return -1;
	if (strv_split(&lines, text.s ? text.s : "", "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = lines.n; i-- > 0;)
		if (device_length(lines.v[i]) == n && strncmp(lines.v[i], value, n) == 0) {
			strv_remove(&lines, i);
			replaced = true;
		}
	if (!(replaced && strcmp(value + n, ":unlimited") == 0) && strv_add(&lines, value) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (conf_unset(conf, key, err) < 0)
		return -1;
	for (size_t i = 0; i < lines.n; i++)
		if (conf_set(conf, key, lines.v[i], err) < 0)
			return -1;
	return 0;
}

int cgroup_put_limit(struct conf *conf, const char *key, const char *value, struct error *err)
{
	if (!str_starts(key, "lxc.limit.")) {
		error_set(err, EINVAL, "\"%.80s\" is not a limit (lxc.limit.*)", key);
		return error_mend(err, "lxc-cgroup      (changes other files of the cgroup)\n"
				  "lxc-restart      (after its configuration was edited)");
	}
	if (*value && str_starts(key, "lxc.limit.io."))
		return put_rate(conf, key, value, err);
	return conf_set(conf, key, value, err);
}

int cgroup_check_limits(const struct conf *conf, const char *name, struct error *err)
{
	return resources_check(conf, name, err);
}

/* ---- what was before ---- */

static int add_step(struct cgroup_undo *u, const char *key, enum cgroup_version version,
		    const char *file, const char *value, struct error *err)
{
	struct cgroup_undo_step *v = realloc(u->v, (u->n + 1) * sizeof(*v));

	if (!v)
		return error_set(err, ENOMEM, "cannot change %s: out of memory", key);
	u->v = v;
	v[u->n] = (struct cgroup_undo_step){.version = version};
	snprintf(v[u->n].file, sizeof(v[0].file), "%s", file);
	snprintf(v[u->n].value, sizeof(v[0].value), "%s", value);
	u->n++;
	return 0;
}

static int add_native(struct cgroup_undo *u, const struct cgroup_running *at, const char *key,
		      const char *file, struct error *err)
{
	const char *dir = cgroup_v1_dir(at, file);
	autofree char *value = dir ? cgroup_read(dir, file) : NULL;

	return value ? add_step(u, key, CGROUP_V1, file, value, err) : 0;
}

/* "8:0 rbps=1 wbps=max" of the line of that device. */
static void rate_now(const char *text, const struct resources_setting *s, char ret[128])
{
	size_t device = strcspn(s->value, " ") + 1;
	size_t word = device + strcspn(s->value + device, "=") + 1;
	const char *rate = "max";

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, s->value, device) == 0) {
			autofree char *wanted = strndup(s->value + device, word - device);
			const char *at = wanted ? strstr(line, wanted) : NULL;

			if (at && at < line + strcspn(line, "\n"))
				rate = at + (word - device);
			break;
		}
	}
	snprintf(ret, 128, "%.*s%.*s", (int)word, s->value, (int)strcspn(rate, " \n"), rate);
}

/* Its own limit is put back last: with the pool it might change once more. */
static int remember_place(struct cgroup_undo *u, const struct resources_limit *l, struct error *err)
{
	struct pool_place place = {0};
	char text[48];

	pool_find(u->rundir, u->name, &place);
	snprintf(text, sizeof(text), "%u %llu", place.weight, place.size);
	return add_step(u, l->key, 0, l->file, text, err);
}

static int remember(struct cgroup_undo *u, const struct cgroup_running *at,
		    const struct resources_setting *s, struct error *err)
{
	const struct resources_limit *l = s->limit;
	int home = resources_home(at, l);
	autofree char *now = NULL;
	char rate[128];

	/* There both are linked, and each is put back as it was. */
	if (home == CGROUP_V1 && str_starts(l->file, "memory.")) {
		if (strcmp(l->file, "memory.low") == 0)
			return add_native(u, at, l->key, l->v1, err);
		return add_native(u, at, l->key, "memory.memsw.limit_in_bytes", err) < 0 ? -1 :
		       add_native(u, at, l->key, "memory.limit_in_bytes", err);
	}
	/* A controller that is not handed down yet limits nothing. */
	if (cgroup_get(at, -1, l->file, &now, NULL) < 0)
		return add_step(u, l->key, CGROUP_V2, l->file, l->none, err);
	if (l->kind == LIMIT_READ || l->kind == LIMIT_WRITE) {
		rate_now(now, s, rate);
		return add_step(u, l->key, CGROUP_V2, l->file, rate, err);
	}
	return add_step(u, l->key, CGROUP_V2, l->file, *now ? now : l->none, err);
}

static int take_place(const struct cgroup_running *at, const struct cgroup_undo *u,
		      const struct cgroup_undo_step *s, struct error *err)
{
	struct pool_place place;

	if (sscanf(s->value, "%u %llu", &place.weight, &place.size) == 2 && place.weight)
		return pool_join(u->rundir, u->name, at, &place, true, err);
	pool_leave(u->rundir, u->name);
	return 0;
}

static int take_step(const struct cgroup_running *at, const struct cgroup_undo *u,
		     const struct cgroup_undo_step *s, struct error *err)
{
	if (!s->version)
		return take_place(at, u, s, err);
	for (const struct resources_limit *l = resources_limits; l->key; l++)
		if (s->version == CGROUP_V2 && l->kind == LIMIT_CPUS && strcmp(l->file, s->file) == 0)
			return resources_write(at, l, s->value, err);
	return cgroup_limit(at, (enum cgroup_version)s->version, s->file, s->value, err);
}

int cgroup_undo_limits(const struct cgroup_running *at, struct cgroup_undo *u, struct error *err)
{
	int failed = 0;

	/* Twice: on v1 one of two linked limits may have to be widened before the other fits. */
	for (int round = 0; round < 2; round++) {
		failed = 0;
		for (size_t i = u->n; i-- > 0;)
			if (take_step(at, u, &u->v[i], failed ? NULL : err) < 0)
				failed = -1;
		if (!failed)
			break;
	}
	if (!failed)
		error_clear(err);
	u->n = 0;
	return failed;
}

void cgroup_undo_free(struct cgroup_undo *u)
{
	free(steal_ptr(&u->v));
	u->n = 0;
}

/* ---- from one configuration to another ---- */

struct change {
	const struct cgroup_running *at;
	const struct resources_conf *from, *to;
	struct cgroup_undo *undo;
};

static int put(const struct change *c, const struct resources_setting *s, struct error *err)
{
	if (remember(c->undo, c->at, s, err) < 0)
		return -1;
	return resources_write(c->at, s->limit, s->value, err);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/*
 * Each device that the lines name: what is limited from now on, and what is no more.  A device that is
 * gone since has no limit that could be taken back.
 */
static int change_devices(const struct change *c, const struct resources_limit *l,
			  const struct strv *named, bool gone_is_fine, struct error *err)
{
	for (size_t i = 0; i < named->n; i++) {
		struct resources_setting s;
		struct resources_io io;
		unsigned major, minor;
		unsigned long long old = 0, new = 0;

		if (!resources_io(named->v[i], &io))
			continue;
		if (resources_device(io.device, &major, &minor, gone_is_fine ? NULL : err) < 0) {
			if (gone_is_fine)
				continue;
			return -1;
		}
		if (resources_rate(resources_list(c->to, l), major, minor, &new, err) < 0)
			return -1;
		if (resources_rate(resources_list(c->from, l), major, minor, &old, NULL) == 0 &&
		    old == new)
			continue;
		resources_io_setting(l, major, minor, new, &s);
		if (put(c, &s, err) < 0)
			return -1;
	}
	return 0;
}

static int change_place(const struct change *c, const struct resources_limit *l, struct error *err)
{
	struct resources_setting limit = {.limit = resources_limits, .value = "max"};
	struct pool_place old, new;
	struct journal j;
	int result;

	resources_place(c->from, &old);
	resources_place(c->to, &new);
	if (old.weight == new.weight && (!new.weight || old.size == new.size))
		return 0;
	if (remember(c->undo, c->at, &limit, err) < 0 || remember_place(c->undo, l, err) < 0)
		return -1;
	if (!new.weight) {
		/* Its own limit has been set, where there is one, as that of a member. */
		pool_leave(c->undo->rundir, c->undo->name);
		return resources_value(resources_limits, c->to->memory, limit.value, err) < 0 ? -1 :
		       resources_write(c->at, resources_limits, limit.value, err);
	}
	if (journal_open(&j, c->undo->rundir, err) < 0)
		return -1;
	result = journal_record(&j, POOL_JOURNAL, c->undo->name, err);
	journal_close(&j);
	return result < 0 ? -1 : pool_join(c->undo->rundir, c->undo->name, c->at, &new, true, err);
}

static int change_one(const struct change *c, const struct resources_limit *l, struct error *err)
{
	struct resources_setting s = {.limit = l};
	const char *text;

	if (l->kind == LIMIT_SHARE)
		return change_place(c, l, err);
	if (l->kind == LIMIT_READ || l->kind == LIMIT_WRITE) {
		if (change_devices(c, l, resources_list(c->to, l), false, err) < 0)
			return -1;
		return change_devices(c, l, resources_list(c->from, l), true, err);
	}
	text = resources_text(c->to, l);
	if (same_text(resources_text(c->from, l), text))
		return 0;
	if (resources_value(l, text, s.value, err) < 0)
		return -1;
	return put(c, &s, err);
}

int cgroup_change_limits(const struct cgroup_running *at, const struct conf *from,
			 const struct conf *to, struct cgroup_undo *undo, struct error *err)
{
	const struct change c = {at, conf_of(from, &resources_section),
				 conf_of(to, &resources_section), undo};

	for (const struct resources_limit *l = resources_limits; l->key; l++) {
		struct error why = {0};

		if (change_one(&c, l, err) == 0)
			continue;
		error_within(err, "cannot change %s", l->key);
		if (cgroup_undo_limits(at, undo, &why) < 0 && err)
			error_within(err, "%s, and it is not all as it was", why.text);
		return -1;
	}
	return 0;
}

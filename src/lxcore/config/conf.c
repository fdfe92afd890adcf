/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One container's configuration: the values of all sections, and a log of the settings that made
 * them.  The log is at the same time the effective text and the answer to 'where does this come
 * from', so it is kept small: one growing text and twelve bytes for each setting.
 */
#include "config/inner.h"

#include <stdalign.h>
#include <stdio.h>
#include <string.h>

#define CALLER "a program's setting"

/* ---- life ---- */

static int set_preset(struct conf *c, const struct known *k)
{
	if (!k->key->preset || k->key->unsupported)
		return 0;
	return k->key->type->set(keys_field(c, k), k->key, "", k->key->preset, NULL);
}

static int lay_out(struct conf *c)
{
	size_t size = 0;

	for (size_t s = 0; s < c->n_sections; s++) {
		c->offsets[s] = size;
		size += (c->sections[s]->size + alignof(max_align_t) - 1) & -alignof(max_align_t);
	}
	c->values = calloc(1, size + 1);
	if (!c->values || keys_index(c) < 0)
		return -1;
	for (size_t i = 0; i < c->n_keys; i++)
		if (set_preset(c, &c->keys[i]) < 0)
			return -1;
	return 0;
}

struct conf *conf_new(const struct conf_section *const *sections)
{
	struct conf *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->sections = sections;
	while (sections[c->n_sections])
		c->n_sections++;
	c->offsets = calloc(c->n_sections + 1, sizeof(*c->offsets));
	if (!c->offsets || lay_out(c) < 0) {
		conf_free(c);
		return NULL;
	}
	return c;
}

static void clear_key(struct conf *c, const struct known *k, const char *sub)
{
	if (k->key->type && !k->key->unsupported)
		k->key->type->clear(keys_field(c, k), k->key, sub);
}

void conf_forget_history(struct conf *c)
{
	c->forgot = true;
	free(steal_ptr(&c->settings));
	c->n_settings = c->cap_settings = 0;
	buf_free(&c->text);
	buf_free(&c->log);
	strv_free(&c->origins);
	strv_free(&c->wheres);
	strv_free(&c->notices);
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_keys; i++)
		clear_key(c, &c->keys[i], "");
	free(c->values);
	free(c->offsets);
	free(c->keys);
	free(c->slots);
	free(c->file);
	free(c->settings);
	buf_free(&c->text);
	buf_free(&c->log);
	strv_free(&c->origins);
	strv_free(&c->wheres);
	strv_free(&c->notices);
	legacy_free(&c->legacy);
	free(c);
}

void *conf_of(const struct conf *c, const struct conf_section *section)
{
	for (size_t s = 0; s < c->n_sections; s++)
		if (c->sections[s] == section)
			return c->values + c->offsets[s];
	return NULL;
}

/* ---- the log of settings ---- */

int conf_origin(struct conf *c, const char *name)
{
	for (size_t i = c->origins.n; i-- > 0;)
		if (strcmp(c->origins.v[i], name) == 0)
			return (int)i;
	if (c->origins.n >= UINT16_MAX || strv_add(&c->origins, name) < 0)
		return -1;
	return (int)c->origins.n - 1;
}

static int record(struct conf *c, const struct source *from, const char *name, const char *value)
{
	size_t at = c->log.len;

	if (c->n_settings == c->cap_settings) {
		size_t cap = c->cap_settings ? c->cap_settings * 2 : 32;
		struct setting *more = realloc(c->settings, cap * sizeof(*more));

		if (!more)
			return -1;
		c->settings = more;
		c->cap_settings = cap;
	}
	grammar_write(&c->log, name, value);
	if (c->log.failed || c->log.len > UINT32_MAX)
		return -1;
	c->settings[c->n_settings++] = (struct setting){
		.at = (uint32_t)at,
		.line = from->line,
		.origin = from->origin,
		.included = from->by != NULL,
	};
	return 0;
}

static bool names(const struct conf *c, const struct setting *s, const char *name, bool below)
{
	const char *logged = c->log.s + s->at;
	size_t n = strlen(name);

	return strncmp(logged, name, n) == 0 && (logged[n] == ' ' || (below && logged[n] == '.'));
}

static bool is_empty_setting(const struct conf *c, const struct setting *s)
{
	return strchr(c->log.s + s->at, '=')[1] == '\n';
}

/* Drop what is overruled now, so that a program that sets a key for ever does not fill memory. */
static void forget(struct conf *c, const char *name, bool below)
{
	size_t kept = 0, to = 0;

	for (size_t i = 0; i < c->n_settings; i++) {
		struct setting s = c->settings[i];
		size_t n = (i + 1 < c->n_settings ? c->settings[i + 1].at : c->log.len) - s.at;

		if (!s.included && names(c, &s, name, below))
			continue;
		memmove(c->log.s + to, c->log.s + s.at, n);
		s.at = (uint32_t)to;
		to += n;
		c->settings[kept++] = s;
	}
	c->n_settings = kept;
	c->log.len = to;
	if (c->log.s)
		c->log.s[to] = '\0';
}

/* ---- making a setting ---- */

static int notice_legacy(struct conf *c, struct source *from, const char *old, const char *now)
{
	autofree char *place = NULL, *words = NULL;

	if (from->noticed)
		return 0;
	from->noticed = true;
	place = from->line ? str_printf("%s:%u", from->name, from->line)
			   : strdup(from->name ? from->name : CALLER);
	if (!place)
		return -1;
	if (*now)
		words = str_printf("%s: \"%s\" is the old name of \"%s\"", place, old, now);
	else
		words = str_printf("%s: \"%s\" has no meaning any more", place, old);
	if (words && from->line) {
		char *mend = str_printf("%s; lxc-update-config -c %s brings the file up to date",
					words, from->name);

		return strv_take(&c->notices, mend);
	}
	return strv_take(&c->notices, steal_ptr(&words));
}

/* 1: it was an old name, and its setting is made. */
static int apply_legacy(struct conf *c, struct source *from, const char *name, const char *value,
			struct error *err)
{
	autobuf struct buf now = BUF_INIT, present = BUF_INIT;

	if (!legacy_rename(&c->legacy.nics, name, &now))
		return 0;
	if (notice_legacy(c, from, name, now.s ? now.s : "") < 0)
		return error_set(err, ENOMEM, "out of memory");
	legacy_value(&c->legacy, name, value, &now, &present);
	if (!now.len)
		return 1;
	buf_add(&present, "", 0);
	if (now.failed || present.failed)
		return error_set(err, ENOMEM, "out of memory");
	return conf_apply(c, from, now.s, present.s, err) < 0 ? -1 : 1;
}

static void clear_group(struct conf *c, const char *name)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		if (!keys_below(c->keys[i].key->name, name))
			continue;
		clear_key(c, &c->keys[i], "");
		set_preset(c, &c->keys[i]);
	}
}

static void clear_value(struct conf *c, const struct known *k, const char *sub, const char *name)
{
	if (!k) {
		clear_group(c, name);
		return;
	}
	clear_key(c, k, sub);
	if (!*sub)
		set_preset(c, k);
}

static int set_value(struct conf *c, const struct known *k, const char *sub, const char *value,
		     struct error *err)
{
	if (k->key->unsupported)
		return error_set(err, ENOTSUP, "%s%s is not supported yet: %s", k->key->name, sub,
				 k->key->unsupported);
	if (keys_is_family(k->key) && !*sub)
		return error_set(err, EINVAL,
				 "%.*s is set by its parts: a name must follow, as in "
				 "\"%sNAME = %s\"",
				 (int)strlen(k->key->name) - 1, k->key->name, k->key->name,
				 k->key->syntax ? k->key->syntax : k->key->type->syntax);
	if (k->key->type->set(keys_field(c, k), k->key, sub, value, err) < 0)
		return error_within(err, "%s%s", k->key->name, sub);
	return 0;
}

int conf_apply(struct conf *c, struct source *from, const char *name, const char *value,
	       struct error *err)
{
	const struct known *k;
	const char *sub;
	int old;

	if (strcmp(name, CONF_INCLUDE) == 0)
		return *value ? grammar_include(c, value, from, err) : 0;
	k = keys_find(c, name, &sub);
	/* Old names also stand below a family of today (lxc.net.0.ipv4) or are those of a group. */
	if (!k || *sub) {
		old = apply_legacy(c, from, name, value, err);
		if (old)
			return old < 0 ? -1 : 0;
	}
	if (!k && !(*value == '\0' && keys_is_group(c, name)))
		return keys_unknown(c, name, err);
	if (!*value)
		clear_value(c, k, sub, name);
	else if (set_value(c, k, sub, value, err) < 0)
		return -1;
	if (record(c, from, name, value) < 0)
		return error_set(err, ENOMEM, "cannot keep %s: out of memory", name);
	return 0;
}

/* ---- reading ---- */

static int remember_file(struct conf *c, const char *file, struct error *err)
{
	if (c->file)
		return 0;
	c->file = strdup(file);
	return c->file ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* Nothing more comes soon: give back what growing took too much. */
static void fit(struct conf *c)
{
	char *s = c->log.s ? realloc(c->log.s, c->log.len + 1) : NULL;

	if (s) {
		c->log.s = s;
		c->log.cap = c->log.len + 1;
	}
}

int conf_load(struct conf *c, const char *file, struct error *err)
{
	c->placed = false;
	if (remember_file(c, file, err) < 0 || grammar_load(c, file, NULL, err) < 0)
		return -1;
	fit(c);
	return 0;
}

int conf_load_text(struct conf *c, const char *text, const char *file, struct error *err)
{
	struct source from = {.name = file};
	autobuf struct buf copy = BUF_INIT;
	int origin = conf_origin(c, file);

	buf_puts(&copy, text);
	if (copy.failed || origin < 0)
		return error_set(err, ENOMEM, "out of memory");
	from.origin = (uint16_t)origin;
	if (remember_file(c, file, err) < 0)
		return -1;
	c->placed = false;
	if (grammar_lines(c, &copy, &from, err) < 0)
		return -1;
	text_end_line(&c->text);
	buf_add(&c->text, copy.s, copy.len);
	fit(c);
	return c->text.failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* ---- changing ---- */

static int check_words(const char *name, const char *value, struct error *err)
{
	if (!str_starts(name, "lxc.") || name[strcspn(name, " \t\r\n\f\v=")])
		return error_set(err, EINVAL, "unknown key \"%.120s\"", name);
	if (value[strcspn(value, "\r\n")])
		return error_set(err, EINVAL, "%s: a value is one line", name);
	return 0;
}

/* The words as a file would give them: clean, and with present names. */
static int read_words(struct conf *c, const char *key, const char *value, struct buf *ret_name,
		      struct buf *ret_value, struct error *err)
{
	autofree char *copy = strdup(value);
	const char *sub;
	char *clean;

	c->placed = false;
	if (check_words(key, value, err) < 0)
		return -1;
	if (!copy)
		return error_set(err, ENOMEM, "out of memory");
	clean = grammar_value(copy);
	if (grammar_fill(key, strlen(key), clean, strlen(clean)) < 0)
		return error_sys(err, "cannot make a random hardware address");
	buf_puts(ret_value, clean);
	if ((keys_find(c, key, &sub) && !*sub) || !legacy_rename(&c->legacy.nics, key, ret_name))
		buf_puts(ret_name, key);
	if (ret_name->failed || ret_value->failed)
		return error_set(err, ENOMEM, "out of memory");
	return ret_name->len ? 0 : error_set(err, EINVAL, "\"%s\" has no meaning any more", key);
}

int conf_define(struct conf *c, const char *key, const char *value, const char *origin,
		struct error *err)
{
	struct source from = {.name = NULL};
	autobuf struct buf name = BUF_INIT, clean = BUF_INIT;
	int number = conf_origin(c, origin ? origin : CALLER);

	if (number < 0)
		return error_set(err, ENOMEM, "out of memory");
	from.origin = (uint16_t)number;
	if (read_words(c, key, value, &name, &clean, err) < 0 ||
	    conf_apply(c, &from, name.s, clean.s, err) < 0)
		return origin ? error_within(err, "%s", origin) : -1;
	return 0;
}

/* Does clearing 'name' also clear what stands below it: a family, one of its numbers, a group? */
static bool clears_below(const struct conf *c, const char *name)
{
	const char *sub;
	const struct known *k = keys_find(c, name, &sub);

	if (!k)
		return true;
	return keys_is_family(k->key) && !sub[strspn(sub, "0123456789")];
}

static bool is_included(const struct conf *c, const char *name, bool below)
{
	for (size_t i = 0; i < c->n_settings; i++)
		if (c->settings[i].included && names(c, &c->settings[i], name, below))
			return true;
	return false;
}

static int unset(struct conf *c, struct source *from, const char *name, struct error *err)
{
	bool include = strcmp(name, CONF_INCLUDE) == 0, below = !include && clears_below(c, name);

	if (conf_apply(c, from, name, "", err) < 0)
		return -1;
	text_remove(&c->text, name, below);
	forget(c, name, below);
	if (include)
		return 0;
	if (record(c, from, name, "") < 0)
		return error_set(err, ENOMEM, "out of memory");
	/* What an included file sets would come back with the next load. */
	if (is_included(c, name, below))
		text_set(&c->text, name, "", false);
	return 0;
}

static int set(struct conf *c, struct source *from, const char *name, const char *value,
	       struct error *err)
{
	const char *sub;
	const struct known *k = keys_find(c, name, &sub);
	bool replaces = k && k->key->type->replaces && k->key->type->replaces(k->key, sub);

	if (conf_apply(c, from, name, value, err) < 0)
		return -1;
	if (replaces) {
		forget(c, name, false);
		if (record(c, from, name, value) < 0)
			return error_set(err, ENOMEM, "out of memory");
	}
	text_set(&c->text, name, value, replaces);
	return 0;
}

int conf_set(struct conf *c, const char *key, const char *value, struct error *err)
{
	struct source from = {.name = NULL};
	autobuf struct buf name = BUF_INIT, clean = BUF_INIT;
	int number = conf_origin(c, c->file ? c->file : CALLER);

	if (number < 0)
		return error_set(err, ENOMEM, "out of memory");
	from.origin = (uint16_t)number;
	if (read_words(c, key, value, &name, &clean, err) < 0)
		return -1;
	if (!*clean.s)
		return unset(c, &from, name.s, err);
	if (set(c, &from, name.s, clean.s, err) < 0)
		return -1;
	return c->text.failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

int conf_unset(struct conf *c, const char *key, struct error *err)
{
	return conf_set(c, key, "", err);
}

/* ---- asking ---- */

static void get_group(const struct conf *c, const char *group, struct buf *out)
{
	for (size_t i = 0; i < c->n_keys; i++) {
		const struct conf_key *key = c->keys[i].key;
		autobuf struct buf value = BUF_INIT;
		autostrv struct strv lines = {0};

		if (!keys_below(key->name, group) || !key->type || key->unsupported)
			continue;
		key->type->get(keys_field(c, &c->keys[i]), key, "", &value);
		if (!value.len || strv_split(&lines, value.s, "\n") < 0)
			continue;
		for (size_t l = 0; l < lines.n; l++)
			buf_addf(out, "%s%s%s\n", keys_is_family(key) ? "" : key->name,
				 keys_is_family(key) ? "" : " = ", lines.v[l]);
	}
}

int conf_get(const struct conf *c, const char *key, struct buf *out, struct error *err)
{
	autobuf struct buf now = BUF_INIT;
	const struct known *k;
	unsigned nics = 0;
	const char *sub;

	if (strcmp(key, CONF_INCLUDE) == 0) {
		text_values(&c->text, key, out);
		return 0;
	}
	k = keys_find(c, key, &sub);
	if ((!k || *sub) && legacy_rename(&nics, key, &now) && now.len) {
		key = now.s;
		k = keys_find(c, key, &sub);
	}
	if (!k && !keys_is_group(c, key))
		return keys_unknown(c, key, err);
	if (!k)
		get_group(c, key, out);
	else if (k->key->type && !k->key->unsupported)
		k->key->type->get(keys_field(c, k), k->key, sub, out);
	return out->failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

static const struct setting *last_setting(const struct conf *c, const char *key)
{
	for (size_t i = c->n_settings; i-- > 0;)
		if (names(c, &c->settings[i], key, false))
			return is_empty_setting(c, &c->settings[i]) ? NULL : &c->settings[i];
	return NULL;
}

int conf_list_keys(const struct conf *c, const char *prefix, struct strv *out)
{
	for (size_t i = 0; (!prefix || !*prefix) && i < c->n_keys; i++)
		if (strv_add(out, c->keys[i].key->name) < 0)
			return -1;
	for (size_t i = 0; prefix && *prefix && i < c->n_settings; i++) {
		const char *logged = c->log.s + c->settings[i].at;
		autofree char *name = strndup(logged, strcspn(logged, " "));

		if (!name)
			return -1;
		if (!str_starts(name, prefix) || !last_setting(c, name) || strv_has(out, name))
			continue;
		if (strv_take(out, steal_ptr(&name)) < 0)
			return -1;
	}
	return 0;
}

const char *conf_text(const struct conf *c)
{
	return c->text.s ? c->text.s : "";
}

int conf_effective_text(const struct conf *c, struct buf *out)
{
	buf_add(out, c->log.s, c->log.len);
	return out->failed ? -1 : 0;
}

const char *conf_where(const struct conf *c, const char *key)
{
	/* What is handed out lives as long as the configuration, which does not change by it. */
	struct strv *wheres = (struct strv *)&c->wheres;
	const struct setting *s = last_setting(c, key);
	autofree char *where = NULL;

	if (!s)
		return c->forgot ? c->file : NULL;
	if (!s->line)
		return c->origins.v[s->origin];
	where = str_printf("%s:%u", c->origins.v[s->origin], s->line);
	for (size_t i = 0; where && i < wheres->n; i++)
		if (strcmp(wheres->v[i], where) == 0)
			return wheres->v[i];
	if (strv_take(wheres, steal_ptr(&where)) < 0)
		return c->origins.v[s->origin];
	return wheres->v[wheres->n - 1];
}

const char *conf_file(const struct conf *c)
{
	return c->file;
}

int conf_notice(struct conf *c, const char *text)
{
	return strv_add(&c->notices, text);
}

const struct strv *conf_notices(const struct conf *c)
{
	return &c->notices;
}

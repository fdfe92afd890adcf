/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding a key by its name.  All sections' tables are put into one hash table of numbers, because
 * a configuration is read at every start and for every row of a listing.
 */
#include "config/inner.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 128 /* beyond this nothing is similar */

/* lxc.include belongs to the grammar itself. */
static const struct conf_type include_type = {.syntax = "FILE|DIRECTORY"};
static const struct conf_key include_key = {
	.name = CONF_INCLUDE,
	.type = &include_type,
	.summary = "Read another file, or each *.conf of a directory in the order of their names, "
		   "at this place. A relative name is searched beside the including file.",
};

static uint32_t hash_more(uint32_t hash, char c)
{
	return (hash ^ (unsigned char)c) * 16777619u; /* FNV-1a */
}

static const struct known *slot_find(const struct conf *c, uint32_t hash, const char *name,
				     size_t n)
{
	for (size_t at = hash & (c->n_slots - 1); c->slots[at]; at = (at + 1) & (c->n_slots - 1)) {
		const struct known *k = &c->keys[c->slots[at] - 1];

		if (strncmp(k->key->name, name, n) == 0 && !k->key->name[n])
			return k;
	}
	return NULL;
}

static void slot_add(struct conf *c, size_t index)
{
	uint32_t hash = 2166136261u;

	for (const char *p = c->keys[index].key->name; *p; p++)
		hash = hash_more(hash, *p);
	while (c->slots[hash & (c->n_slots - 1)])
		hash++;
	c->slots[hash & (c->n_slots - 1)] = (uint16_t)(index + 1);
}

int keys_index(struct conf *c)
{
	size_t n = 0;

	for (size_t s = 0; s < c->n_sections; s++)
		for (const struct conf_key *k = c->sections[s]->keys; k && k->name; k++)
			n++;
	for (c->n_slots = 16; c->n_slots < 2 * n; c->n_slots *= 2)
		;
	c->keys = calloc(n + 1, sizeof(*c->keys));
	c->slots = calloc(c->n_slots, sizeof(*c->slots));
	if (!c->keys || !c->slots)
		return -1;
	for (size_t s = 0; s < c->n_sections; s++) {
		for (const struct conf_key *k = c->sections[s]->keys; k && k->name; k++) {
			c->keys[c->n_keys] = (struct known){k, s};
			slot_add(c, c->n_keys++);
		}
	}
	return 0;
}

const struct known *keys_find(const struct conf *c, const char *name, const char **ret_sub)
{
	const struct known *family = NULL, *k;
	uint32_t hash = 2166136261u;
	size_t n = 0;

	*ret_sub = "";
	for (; name[n]; n++) {
		hash = hash_more(hash, name[n]);
		k = name[n] == '.' ? slot_find(c, hash, name, n + 1) : NULL;
		if (k) {
			family = k;
			*ret_sub = name + n + 1;
		}
	}
	k = slot_find(c, hash, name, n);
	if (!k) {
		autofree char *dotted = family ? NULL : str_printf("%s.", name);

		k = dotted ? slot_find(c, hash_more(hash, '.'), dotted, n + 1) : family;
		return k;
	}
	if (!keys_is_family(k->key))
		*ret_sub = "";
	return k;
}

bool keys_is_family(const struct conf_key *key)
{
	return key->name[strlen(key->name) - 1] == '.';
}

bool keys_below(const char *name, const char *whole)
{
	size_t n = strlen(whole);

	return strncmp(name, whole, n) == 0 && (!name[n] || name[n] == '.');
}

bool keys_is_group(const struct conf *c, const char *name)
{
	if (strcmp(name, "lxc") == 0)
		return false;
	for (size_t i = 0; i < c->n_keys; i++)
		if (keys_below(c->keys[i].key->name, name))
			return true;
	return false;
}

void *keys_field(const struct conf *c, const struct known *k)
{
	return c->values + c->offsets[k->section] + k->key->offset;
}

const struct conf_key *conf_next_key(const struct conf_section *const *sections, size_t *state)
{
	size_t at = 0;

	for (; *sections; sections++)
		for (const struct conf_key *k = (*sections)->keys; k && k->name; k++)
			if (at++ == *state) {
				++*state;
				return k;
			}
	return at == (*state)++ ? &include_key : NULL;
}

/* How many letters must be put in, left out, replaced or swapped with their neighbour. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);
	unsigned rows[3][LONGEST_NAME + 1], *before = rows[0], *last = rows[1], *now = rows[2];

	if (n > LONGEST_NAME || m > LONGEST_NAME)
		return LONGEST_NAME;
	for (size_t j = 0; j <= m; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *oldest = before;

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		before = last;
		last = now;
		now = oldest;
	}
	return last[m];
}

/* A family is compared with as many of the name's words as it has itself. */
static unsigned distance_to_key(const char *name, const char *key)
{
	char start[LONGEST_NAME + 1];
	size_t dots = 0, n = 0;

	if (key[strlen(key) - 1] != '.')
		return distance(name, key);
	for (const char *p = key; *p; p++)
		dots += *p == '.';
	for (; name[n] && n < LONGEST_NAME && dots; n++)
		dots -= name[n] == '.';
	if (dots)
		return LONGEST_NAME;
	memcpy(start, name, n);
	start[n] = '\0';
	return distance(start, key);
}

int keys_unknown(const struct conf *c, const char *name, struct error *err)
{
	unsigned best = LONGEST_NAME;
	const char *nearest = NULL, *rest = "";

	for (size_t i = 0; i < c->n_keys; i++) {
		const char *key = c->keys[i].key->name;
		unsigned d = distance_to_key(name, key);

		/* What differs in more than a quarter of its letters is another word. */
		if (d < best && (d <= 2 || d <= strlen(key) / 4)) {
			best = d;
			nearest = key;
		}
	}
	if (!nearest)
		return error_set(err, EINVAL, "unknown key \"%.120s\"", name);
	if (str_ends(nearest, ".")) {
		rest = name;
		for (const char *p = nearest; *p; p++)
			if (*p == '.')
				rest += strcspn(rest, ".") + 1;
	}
	return error_set(err, EINVAL, "unknown key \"%.120s\"; the nearest is \"%s%s\"", name,
			 nearest, rest);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the files of this room share; nobody else includes it.
 *
 *     keys.c      finds a key by name in the sections' tables
 *     grammar.c   reads files: lines, quotes, includes
 *     legacy.c    old names
 *     update.c    puts present names in the place of old ones
 *     text.c      edits the text that is kept as written
 *     conf.c      values, and the log of all settings
 */
#ifndef LXCORE_CONFIG_INNER_H
#define LXCORE_CONFIG_INNER_H

#include "base/buf.h"
#include "base/error.h"
#include "config/conf.h"
#include "config/legacy.h"

#include <stdint.h>
#include <sys/types.h>

#define CONF_INCLUDE "lxc.include"

struct known {
	const struct conf_key *key;
	size_t section;
};

/* One setting that was made; its words stand in conf.log from 'at' as 'NAME = VALUE\n'. */
struct setting {
	uint32_t at, line; /* line 0: it stands in no file */
	uint16_t origin;   /* index in conf.origins */
	bool included;     /* its line is in an included file, not in the kept text */
};

struct conf {
	const struct conf_section *const *sections;
	size_t n_sections;
	char *values;    /* the structs of all sections, one behind the other */
	size_t *offsets; /* of each section's struct in there */
	struct known *keys;
	size_t n_keys;
	uint16_t *slots; /* hash table: index in 'keys' plus 1; 0: free */
	size_t n_slots;  /* a power of two */
	char *file;
	struct buf text; /* as written */
	struct buf log;
	struct setting *settings;
	size_t n_settings, cap_settings;
	struct strv origins; /* names of files and of other places where settings come from */
	struct strv wheres;  /* what conf_where handed out */
	struct strv notices;
	struct legacy legacy;
	unsigned n_files; /* read so far */
	bool forgot; /* conf_forget_history */
	bool placed;      /* the error on its way up names file and line already */
};

/* A file that is being read, or another place that makes settings. */
struct source {
	const char *name; /* NULL: a program's setting, which has no better name */
	unsigned line;    /* the one that is being read; 0: it has no lines */
	uint16_t origin;
	bool noticed; /* one notice about old names is enough */
	unsigned depth;
	dev_t dev;
	ino_t ino;
	const struct source *by; /* the file that includes this one */
};

/* conf.c: make one setting; 'value' is clean.  Errors have no place in front yet. */
int conf_apply(struct conf *c, struct source *from, const char *name, const char *value,
	       struct error *err);
/* Number of a source's name; -1 when memory ran out. */
int conf_origin(struct conf *c, const char *name);

/* keys.c */
int keys_index(struct conf *c);
/*
 * The key or family that a name means; 'ret_sub' points into the name to what follows a family's
 * dot, or to "".  NULL: there is none.
 */
const struct known *keys_find(const struct conf *c, const char *name, const char **ret_sub);
bool keys_is_group(const struct conf *c, const char *name);
bool keys_is_family(const struct conf_key *key);
void *keys_field(const struct conf *c, const struct known *k);
/* 'unknown key "X"; the nearest is "Y"' */
int keys_unknown(const struct conf *c, const char *name, struct error *err);
/* 'name' is 'whole', or it stands below it: 'whole.more'. */
bool keys_below(const char *name, const char *whole);

/* grammar.c */
int grammar_load(struct conf *c, const char *file, const struct source *by, struct error *err);
/* Read lines; digits of templates are made concrete in 'text' itself. */
int grammar_lines(struct conf *c, struct buf *text, struct source *from, struct error *err);
int grammar_include(struct conf *c, const char *value, const struct source *by, struct error *err);
/* Cut blanks at both ends and one pair of quotes, in place; the first character that stays. */
char *grammar_value(char *text);
/* The value as it must be written so that grammar_value gives it back. */
void grammar_write(struct buf *out, const char *name, const char *value);
/* Replace each x of a hardware address by a random digit. 'name' need not end in NUL. */
int grammar_fill(const char *name, size_t name_len, char *value, size_t value_len);

/* text.c: lines of the kept text whose key, under its present name, is 'name' (below: or below it)
 */
void text_remove(struct buf *text, const char *name, bool below);
void text_set(struct buf *text, const char *name, const char *value, bool replace);
void text_values(const struct buf *text, const char *name, struct buf *out);
/* Begin a new line where the last one has no end. */
void text_end_line(struct buf *text);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The configuration language.  This room knows the grammar (config(5)-like lines 'key = value',
 * includes, comments), typed values and where each came from, but no key by name: whoever has keys
 * (the parts of a container) declares them in a table beside its own code and hands the tables
 * over.
 *
 *     struct conf_section  one room's keys and the struct that holds their values
 *     struct conf_key      one key, or a family of keys ('lxc.prlimit.' and what follows the dot)
 *     struct conf_type     how the values of a key are read, shown and cleared
 *     struct conf          one container's configuration: the sections' structs, the text as its
 *                          author wrote it, and file and line of each setting
 */
#ifndef LXCORE_CONFIG_CONF_H
#define LXCORE_CONFIG_CONF_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct conf_key;

struct conf_type {
	const char *syntax; /* default for conf_key.syntax: "0|1", "NUMBER", "PATH" ... */
	/*
	 * Read 'value' (never empty, blanks around it cut, one pair of quotes removed) into the
	 * field.  'sub' is what follows a family's name ("core" of lxc.prlimit.core), or "".
	 * 0, or -1 with an error that says what is wrong with the value (the key's name, file and
	 * line are put in front by the caller) and leaves the field as it was.
	 */
	int (*set)(void *field, const struct conf_key *key, const char *sub, const char *value,
		   struct error *err);
	/* Add the value as users read it (lists: a line each, with newline); nothing when unset. */
	void (*get)(const void *field, const struct conf_key *key, const char *sub,
		    struct buf *out);
	/* Back to unset ('key =' and clear); 'sub' "" clears a whole family.  Frees what it held.
	 * The preset, if there is one, is set again afterwards by the caller. */
	void (*clear)(void *field, const struct conf_key *key, const char *sub);
	/* True: a setting takes the place of the one before, so conf_set rewrites its line.  NULL:
	 * settings add up, so conf_set appends lines. */
	bool (*replaces)(const struct conf_key *key, const char *sub);
};
/* For 'replaces': always true. */
bool conf_replaces(const struct conf_key *key, const char *sub);

struct conf_key {
	/* "lxc.uts.name"; a family ends in a dot: "lxc.prlimit.".  A family is also reached by its
	 * name without the dot, to show or to clear the whole of it; and so is a group of keys that
	 * merely begin alike ("lxc.hook"). */
	const char *name;
	const struct conf_type *type;
	size_t offset;       /* of the field in the section's struct */
	const char *syntax;  /* of the value, for help and manual; NULL: the type's */
	const char *preset;  /* initial value as text, also shown in the manual; NULL: unset */
	const char *summary; /* one sentence for the manual */
	const void *extra;   /* what the type needs: a table of words, a range ... */
	const char *unsupported; /* refused by name: why, and what to do; NULL: it works */
	const struct conf_key *members; /* of a family 'NAME.N.MEMBER', for help; NULL: free words */
};

struct conf_section {
	const char *name; /* of the part that owns it */
	size_t size;      /* of its struct; zeroed, then the presets are set */
	const struct conf_key *keys; /* ends with a key whose name is NULL */
};

/* ---- life of a configuration ---- */

/* 'sections' ends with NULL and must stay.  NULL when memory ran out. */
struct conf *conf_new(const struct conf_section *const *sections);
void conf_free(struct conf *c);
/* Keep the values alone: text, places and notices go.  For one who only waits (a supervisor). */
void conf_forget_history(struct conf *c);
/* A section's struct.  Writable: parts complete their values in their check door only. */
void *conf_of(const struct conf *c, const struct conf_section *section);

/* ---- reading and writing ---- */

/*
 * Read a file (and what it includes) on top of what is there.  A relative include is searched
 * beside the including file.  The error names file and line, and for an unknown key the nearest
 * one; what stood before the faulty line is set, and the text is not kept.
 */
int conf_load(struct conf *c, const char *file, struct error *err);
/* The same from text; 'file' is only a name for messages and the base of relative includes. */
int conf_load_text(struct conf *c, const char *text, const char *file, struct error *err);
/*
 * Set, and keep it in the text: replaces a scalar's line, appends to a list; an empty value clears.
 * The value is read as one in a file is: blanks around it and one pair of quotes are cut.
 */
int conf_set(struct conf *c, const char *key, const char *value, struct error *err);
/* Set for this process only ('--define'): the text stays. 'origin' names it in messages. */
int conf_define(struct conf *c, const char *key, const char *value, const char *origin,
		struct error *err);
/* Clear the value and remove its lines from the text. */
int conf_unset(struct conf *c, const char *key, struct error *err);
/* The value as text; 0 also when it is unset (nothing added); -1: there is no such key. */
int conf_get(const struct conf *c, const char *key, struct buf *out, struct error *err);
/* Keys that are set (prefix NULL or "": all known keys and families), one name each. */
int conf_list_keys(const struct conf *c, const char *prefix, struct strv *out);

/* The text as written, with the changes of conf_set and conf_unset. */
const char *conf_text(const struct conf *c);
/* All settings in the order in which they were made, includes resolved, as text for conf_load. */
int conf_effective_text(const struct conf *c, struct buf *out);
/* "FILE:LINE" of the last setting of a key (or "FILE" or an origin), NULL when it was not set. */
const char *conf_where(const struct conf *c, const char *key);
/* First file that was read, NULL when none (LXC_CONFIG_FILE of hooks). */
const char *conf_file(const struct conf *c);
/* Things the user should be told, such as old names of keys; one sentence each. */
const struct strv *conf_notices(const struct conf *c);
/* Another one, from somebody who acted on the configuration. */
int conf_notice(struct conf *c, const char *text);

/* What is to be said of a line when the text is brought up to date. */
struct conf_changes {
	struct conf_change {
		unsigned line;
		char *was, *now; /* without newline; 'now' NULL: it goes, or see 'why' */
		char *why;       /* not NULL: it stays as it is, for its key is not known */
	} *v;
	size_t n;
};
/*
 * Give each key of a text the name that it has today (update.c); 'keys' knows these.  The new text is
 * added to 'out'.
 */
int conf_update(const struct conf *keys, const char *text, size_t n, struct buf *out,
		struct conf_changes *changes, struct error *err);
void conf_changes_free(struct conf_changes *c);

/* Every key of every section, for manuals and completion: walk with *state = 0; NULL at the end. */
const struct conf_key *conf_next_key(const struct conf_section *const *sections, size_t *state);

/* ---- the types of values (types.c) ----
 *
 * type                 field                 extra
 */
extern const struct conf_type conf_bool;    /* bool            -     0 or 1 */
extern const struct conf_type conf_uint;    /* unsigned        const struct conf_range *, or NULL */
extern const struct conf_type conf_int;     /* int             const struct conf_range *, or NULL */
extern const struct conf_type conf_string;  /* char *          - (owned; NULL: unset) */
extern const struct conf_type conf_path;    /* char *          simplified */
extern const struct conf_type conf_list;    /* struct strv     each setting appends one string */
extern const struct conf_type conf_words;   /* struct strv     each setting appends its words */
extern const struct conf_type conf_size;    /* unsigned long long  bytes, 'auto', K M G, KB MB GB */
#define CONF_SIZE_AUTO 131072ull            /* what 'auto' stands for */
extern const struct conf_type conf_signal;  /* int             0: unset */
extern const struct conf_type conf_choice;  /* int             const struct conf_word *, .. NULL */
extern const struct conf_type conf_flags;   /* unsigned        words of the table, OR-ed */
extern const struct conf_type conf_pairs;   /* struct conf_pairs; a family: replaces */
extern const struct conf_type conf_pairs_list; /* struct conf_pairs; a family: appends */

struct conf_range {
	long long min, max;
};
struct conf_word {
	const char *word;
	int value;
};
struct conf_pairs {
	struct conf_pair {
		char *name, *value;
	} *v;
	size_t n;
};

#endif

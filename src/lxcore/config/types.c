/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The types of values: how the text behind '=' becomes a number, a path, a list, and text again.
 * Each type is a constant object of functions, so a key's table entry says all there is to know of
 * it.  An error names the value and what would be accepted; key, file and line are the caller's.
 */
#include "base/auto.h"
#include "base/path.h"
#include "config/conf.h"

#include <ctype.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool conf_replaces(const struct conf_key *key, const char *sub)
{
	return true;
}

/* "VALUE" and the words, with the value cut where it is long. */
static int __attribute__((format(printf, 3, 4)))
refuse(struct error *err, const char *value, const char *format, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, format);
	vsnprintf(words, sizeof(words), format, ap);
	va_end(ap);
	return error_set(err, EINVAL, "\"%.80s%s\" %s", value, strlen(value) > 80 ? "..." : "",
			 words);
}

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "cannot keep the value: out of memory");
}

/* ---- numbers ---- */

/* Decimal, 0x hexadecimal or 0 octal, as strtoul(3) with base 0; nothing before or behind it. */
static bool read_number(const char *text, long long *ret)
{
	char *end;

	if (!isdigit((unsigned char)text[*text == '-']))
		return false;
	errno = 0;
	*ret = strtoll(text, &end, 0);
	return !errno && !*end;
}

static int read_in_range(const char *value, const struct conf_range *range, long long *ret,
			 struct error *err)
{
	long long n = 0;

	if (!read_number(value, &n) || n < range->min || n > range->max)
		return refuse(err, value, "is not a number between %lld and %lld", range->min,
			      range->max);
	*ret = n;
	return 0;
}

static int set_bool(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	long long n = 0;

	if (!read_number(value, &n) || n < 0 || n > 1)
		return refuse(err, value, "is neither 0 nor 1");
	*(bool *)field = n;
	return 0;
}

static void get_bool(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	buf_puts(out, *(const bool *)field ? "1" : "0");
}

static void clear_bool(void *field, const struct conf_key *key, const char *sub)
{
	*(bool *)field = false;
}

static int set_uint(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	static const struct conf_range all = {0, UINT_MAX};
	long long n = 0;

	if (read_in_range(value, key->extra ? key->extra : &all, &n, err) < 0)
		return -1;
	*(unsigned *)field = (unsigned)n;
	return 0;
}

static void get_uint(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	buf_addf(out, "%u", *(const unsigned *)field);
}

static void clear_uint(void *field, const struct conf_key *key, const char *sub)
{
	*(unsigned *)field = 0;
}

static int set_int(void *field, const struct conf_key *key, const char *sub, const char *value,
		   struct error *err)
{
	static const struct conf_range all = {INT_MIN, INT_MAX};
	long long n = 0;

	if (read_in_range(value, key->extra ? key->extra : &all, &n, err) < 0)
		return -1;
	*(int *)field = (int)n;
	return 0;
}

static void get_int(const void *field, const struct conf_key *key, const char *sub, struct buf *out)
{
	buf_addf(out, "%d", *(const int *)field);
}

static void clear_int(void *field, const struct conf_key *key, const char *sub)
{
	*(int *)field = 0;
}

static int set_size(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	static const struct {
		const char *suffix;
		unsigned shift;
	} units[] = {{"", 0},    {"b", 0},    {"k", 10}, {"kb", 10}, {"kib", 10}, {"m", 20},
		     {"mb", 20}, {"mib", 20}, {"g", 30}, {"gb", 30}, {"gib", 30}};
	unsigned long long n;
	char *end;

	if (strcasecmp(value, "auto") == 0) {
		*(unsigned long long *)field = CONF_SIZE_AUTO;
		return 0;
	}
	errno = 0;
	n = isdigit((unsigned char)*value) ? strtoull(value, &end, 10) : 0;
	for (size_t i = 0; isdigit((unsigned char)*value) && !errno && i < ARRAY_SIZE(units); i++) {
		if (strcasecmp(end + strspn(end, " \t"), units[i].suffix) != 0)
			continue;
		if (n > (unsigned long long)LLONG_MAX >> units[i].shift)
			break;
		*(unsigned long long *)field = n << units[i].shift;
		return 0;
	}
	return refuse(err, value,
		      "is not a size: a number of bytes, or one with KB, MB or GB, "
		      "or \"auto\"");
}

static void get_size(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	buf_addf(out, "%llu", *(const unsigned long long *)field);
}

static void clear_size(void *field, const struct conf_key *key, const char *sub)
{
	*(unsigned long long *)field = 0;
}

/* ---- signals ---- */

/* Names that sigdescr_np(3) and its kin do not know, or know otherwise. */
static const struct conf_word other_signals[] = {
	{"IOT", SIGABRT}, {"CLD", SIGCHLD}, {"POLL", SIGIO}, {"UNUSED", SIGSYS}, {NULL, 0}};

static int signal_by_name(const char *name)
{
	for (int n = 1; n < SIGSYS + 1; n++) {
		const char *known = sigabbrev_np(n);

		if (known && strcasecmp(known, name) == 0)
			return n;
	}
	for (const struct conf_word *w = other_signals; w->word; w++)
		if (strcasecmp(w->word, name) == 0)
			return w->value;
	return 0;
}

/* "RTMIN+3", "RTMAX-1", "RTMIN": 0 when it is none. */
static int signal_realtime(const char *name)
{
	bool from_min = strncasecmp(name, "RTMIN", 5) == 0;
	unsigned long long n = 0;

	if (!from_min && strncasecmp(name, "RTMAX", 5) != 0)
		return 0;
	if (name[5] && (name[5] != (from_min ? '+' : '-') || !str_to_u64(name + 6, &n)))
		return 0;
	if (n > (unsigned)(SIGRTMAX - SIGRTMIN))
		return 0;
	return from_min ? SIGRTMIN + (int)n : SIGRTMAX - (int)n;
}

static int set_signal(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	bool named = strncasecmp(value, "SIG", 3) == 0;
	unsigned long long number;
	int n;

	if (str_to_u64(value, &number)) {
		if (number >= _NSIG)
			return refuse(err, value, "is not a signal between 0 and %d", _NSIG - 1);
		*(int *)field = (int)number;
		return 0;
	}
	n = signal_by_name(value + (named ? 3 : 0));
	if (!n)
		n = signal_realtime(value + (named ? 3 : 0));
	if (!n)
		return refuse(err, value,
			      "is not a signal; one is written as a number, as SIGPWR, "
			      "or as SIGRTMIN+3 (up to SIGRTMIN+%d)",
			      SIGRTMAX - SIGRTMIN);
	if (!named)
		return refuse(err, value, "is not a signal; write SIG%s", value);
	*(int *)field = n;
	return 0;
}

/* ---- text ---- */

static int keep_text(void *field, char *copy, struct error *err)
{
	if (!copy)
		return no_memory(err);
	free(*(char **)field);
	*(char **)field = copy;
	return 0;
}

static int set_string(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	return keep_text(field, strdup(value), err);
}

static int set_path(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	if (strlen(value) >= PATH_MAX)
		return refuse(err, value, "is longer than a path can be (%d bytes)", PATH_MAX - 1);
	return keep_text(field, path_simplify(value), err);
}

static void get_string(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	const char *text = *(char *const *)field;

	if (text)
		buf_puts(out, text);
}

static void clear_string(void *field, const struct conf_key *key, const char *sub)
{
	free(steal_ptr((char **)field));
}

/* ---- lists ---- */

static int set_list(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	return strv_add(field, value) < 0 ? no_memory(err) : 0;
}

static int set_words(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	return strv_split(field, value, " \t") < 0 ? no_memory(err) : 0;
}

static void get_list(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const struct strv *list = field;

	for (size_t i = 0; i < list->n; i++) {
		buf_puts(out, list->v[i]);
		buf_puts(out, "\n");
	}
}

static void clear_list(void *field, const struct conf_key *key, const char *sub)
{
	strv_free(field);
}

/* ---- words of a table ---- */

static const struct conf_word *find_word(const struct conf_word *table, const char *word, size_t n)
{
	for (; table->word; table++)
		if (strlen(table->word) == n && strncasecmp(table->word, word, n) == 0)
			return table;
	return NULL;
}

static int refuse_word(struct error *err, const char *word, size_t n, const struct conf_word *table)
{
	autofree char *one = strndup(word, n);
	autobuf struct buf words = BUF_INIT;

	for (; table->word; table++)
		buf_addf(&words, "%s%s", words.len ? ", " : "", table->word);
	if (!one || words.failed)
		return no_memory(err);
	return refuse(err, one, "is none of %s", words.s ? words.s : "them");
}

static int set_choice(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	const struct conf_word *w = find_word(key->extra, value, strlen(value));

	if (!w)
		return refuse_word(err, value, strlen(value), key->extra);
	*(int *)field = w->value;
	return 0;
}

static void get_choice(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	for (const struct conf_word *w = key->extra; w->word; w++) {
		if (w->value == *(const int *)field) {
			buf_puts(out, w->word);
			return;
		}
	}
}

static int set_flags(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	unsigned flags = *(unsigned *)field;

	while (*(value += strspn(value, " \t"))) {
		size_t n = strcspn(value, " \t");
		const struct conf_word *w = find_word(key->extra, value, n);

		if (!w)
			return refuse_word(err, value, n, key->extra);
		flags |= (unsigned)w->value;
		value += n;
	}
	*(unsigned *)field = flags;
	return 0;
}

static void get_flags(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	unsigned flags = *(const unsigned *)field;

	for (const struct conf_word *w = key->extra; w->word; w++) {
		if (!w->value || ((unsigned)w->value & ~flags))
			continue;
		buf_addf(out, "%s\n", w->word);
		flags &= ~(unsigned)w->value; /* a second word for the same bits stays unsaid */
	}
}

/* ---- families: name -> value ---- */

static int add_pair(struct conf_pairs *pairs, const char *name, const char *value)
{
	struct conf_pair fresh = {strdup(name), strdup(value)}, *v = NULL;

	if (fresh.name && fresh.value)
		v = realloc(pairs->v, (pairs->n + 1) * sizeof(*v));
	if (!v) {
		free(fresh.name);
		free(fresh.value);
		return -1;
	}
	pairs->v = v;
	v[pairs->n++] = fresh;
	return 0;
}

static int set_pairs_list(void *field, const struct conf_key *key, const char *sub,
			  const char *value, struct error *err)
{
	return add_pair(field, sub, value) < 0 ? no_memory(err) : 0;
}

static int set_pairs(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	struct conf_pairs *pairs = field;

	for (size_t i = 0; i < pairs->n; i++)
		if (strcmp(pairs->v[i].name, sub) == 0)
			return keep_text(&pairs->v[i].value, strdup(value), err);
	return set_pairs_list(field, key, sub, value, err);
}

static void get_pairs_as(const struct conf_pairs *pairs, const struct conf_key *key,
			 const char *sub, const char *line_end, struct buf *out)
{
	for (size_t i = 0; i < pairs->n; i++) {
		if (!*sub)
			buf_addf(out, "%s%s = %s\n", key->name, pairs->v[i].name,
				 pairs->v[i].value);
		else if (strcmp(pairs->v[i].name, sub) == 0)
			buf_addf(out, "%s%s", pairs->v[i].value, line_end);
	}
}

static void get_pairs(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	get_pairs_as(field, key, sub, "", out);
}

static void get_pairs_list(const void *field, const struct conf_key *key, const char *sub,
			   struct buf *out)
{
	get_pairs_as(field, key, sub, "\n", out);
}

static void clear_pairs(void *field, const struct conf_key *key, const char *sub)
{
	struct conf_pairs *pairs = field;
	size_t kept = 0;

	for (size_t i = 0; i < pairs->n; i++) {
		if (*sub && strcmp(pairs->v[i].name, sub) != 0) {
			pairs->v[kept++] = pairs->v[i];
			continue;
		}
		free(pairs->v[i].name);
		free(pairs->v[i].value);
	}
	pairs->n = kept;
	if (!kept)
		free(steal_ptr(&pairs->v));
}

/* ---- the types ---- */

const struct conf_type conf_bool = {"0|1", set_bool, get_bool, clear_bool, conf_replaces};
const struct conf_type conf_uint = {"NUMBER", set_uint, get_uint, clear_uint, conf_replaces};
const struct conf_type conf_int = {"NUMBER", set_int, get_int, clear_int, conf_replaces};
const struct conf_type conf_string = {"TEXT", set_string, get_string, clear_string, conf_replaces};
const struct conf_type conf_path = {"PATH", set_path, get_string, clear_string, conf_replaces};
const struct conf_type conf_list = {"TEXT", set_list, get_list, clear_list, NULL};
const struct conf_type conf_words = {"WORD...", set_words, get_list, clear_list, NULL};
const struct conf_type conf_size = {"BYTES|auto", set_size, get_size, clear_size, conf_replaces};
const struct conf_type conf_signal = {"SIGNAL", set_signal, get_int, clear_int, conf_replaces};
const struct conf_type conf_choice = {"WORD", set_choice, get_choice, clear_int, conf_replaces};
const struct conf_type conf_flags = {"WORD...", set_flags, get_flags, clear_uint, NULL};
const struct conf_type conf_pairs = {"TEXT", set_pairs, get_pairs, clear_pairs, conf_replaces};
const struct conf_type conf_pairs_list = {"TEXT", set_pairs_list, get_pairs_list, clear_pairs,
					  NULL};

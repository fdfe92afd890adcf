/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What was asked, granted and recorded: words alone, nothing is opened here. */
#include "user-nic.h"

#include <string.h>

#define WORD_LIMIT 99 /* of LXC, for a word of lxc-usernet */
#define MAX_RULES 256 /* that concern one caller; further ones grant nothing */
#define BLANKS " \t\r"

static bool is_word(const char *text, size_t max)
{
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return *text && strlen(text) <= max;
}

static bool is_interface(const char *name)
{
	return is_word(name, IFNAMSIZ - 1) && !strpbrk(name, "/:%") && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

static bool read_pid(const char *text, const char *end, unsigned *ret)
{
	size_t n = strspn(text, "0123456789");

	*ret = n > 0 && n < 10 ? (unsigned)strtoul(text, NULL, 10) : 0;
	return *ret > 0 && strcmp(text + n, end) == 0;
}

bool request_parse(int argc, char *const *argv, struct request *ret)
{
	const char *nic = argc == 8 ? argv[7] : NULL;
	bool good;

	if (argc != 7 && argc != 8)
		return false;
	*ret = (struct request){
		.create = strcmp(argv[1], "create") == 0,
		.nic.w = {[TYPE] = argv[5], [BRIDGE] = argv[6], [NIC] = nic, [PATH] = argv[2],
			  [NAME] = argv[3]},
	};
	if (ret->create)
		good = read_pid(argv[4], "", &ret->pid);
	else
		good = nic && strcmp(argv[1], "delete") == 0 && str_starts(argv[4], "/proc/") &&
		       read_pid(argv[4] + 6, "/ns/net", &ret->pid);
	return good && argv[2][0] == '/' && is_word(argv[2], 4000) && is_word(argv[3], 255) &&
	       is_interface(argv[6]) && (!nic || is_interface(nic));
}

/* Cut a line into words; how many there are, max + 1 when more. */
static size_t cut(char *line, const char **words, size_t max)
{
	char *save = NULL, *w = strtok_r(line, BLANKS, &save);
	size_t n = 0;

	for (; w && n < max; w = strtok_r(NULL, BLANKS, &save))
		words[n++] = w;
	return w ? max + 1 : n;
}

/* ---- lxc-usernet ---- */

static bool same(const struct entry *a, const struct entry *b, size_t word)
{
	return a->w[word] && b->w[word] && strcmp(a->w[word], b->w[word]) == 0;
}

/* A line that is malformed grants nothing, nor does one for others or for another bridge. */
static bool read_rule(char *line, const struct caller *who, const struct entry *nic,
		      struct entry *ret, unsigned long long *ret_count)
{
	const char *w[4];

	if (cut(line, w, 4) != 4 || strlen(w[0]) > WORD_LIMIT || !str_to_u64(w[3], ret_count) ||
	    *ret_count > 65536)
		return false;
	*ret = (struct entry){{[OWNER] = w[0], [TYPE] = w[1], [BRIDGE] = w[2]}};
	return same(ret, nic, TYPE) && same(ret, nic, BRIDGE) &&
	       (w[0][0] == '@' ? who->is_in(w[0] + 1) : strcmp(w[0], who->user) == 0);
}

static unsigned long long used(const struct record *record, const struct entry *rule)
{
	unsigned long long n = 0;

	for (size_t i = 0; i < record->n; i++)
		n += same(&record->v[i], rule, OWNER) && same(&record->v[i], rule, TYPE) &&
		     same(&record->v[i], rule, BRIDGE);
	return n;
}

/* The rules in their order; those of one account add up. */
const char *policy_account(char *usernet, const struct record *record, const struct caller *who,
			   const struct entry *nic)
{
	char *save = NULL, *line = strtok_r(usernet, "\n", &save);
	unsigned long long counts[MAX_RULES], total;
	struct entry rules[MAX_RULES];

	for (size_t n = 0; line && n < MAX_RULES; line = strtok_r(NULL, "\n", &save)) {
		if (!read_rule(line, who, nic, &rules[n], &counts[n]))
			continue;
		total = 0;
		for (size_t i = 0; i <= n; i++)
			total += same(&rules[i], &rules[n], OWNER) ? counts[i] : 0;
		if (used(record, &rules[n]) < total)
			return rules[n].w[OWNER];
		n++;
	}
	return NULL;
}

/* ---- the record ---- */

int record_add(struct record *record, const struct entry *e)
{
	struct entry *v = realloc(record->v, (record->n + 1) * sizeof(*v));

	if (!v)
		return -1;
	record->v = v;
	v[record->n++] = *e;
	return 0;
}

int record_parse(struct record *record, char *text)
{
	char *save = NULL;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct entry e = {{NULL}};
		size_t n = cut(line, e.w, N_WORDS);

		if ((n == N_WORDS || n == NIC + 1) && is_interface(e.w[NIC]) &&
		    record_add(record, &e) < 0)
			return -1;
	}
	return 0;
}

void record_text(const struct record *record, struct buf *out)
{
	buf_puts(out, "");
	for (size_t i = 0; i < record->n; i++)
		for (size_t w = 0; w < N_WORDS && record->v[i].w[w]; w++)
			buf_addf(out, "%s%s", record->v[i].w[w],
				 w + 1 < N_WORDS && record->v[i].w[w + 1] ? " " : "\n");
}

bool entry_is(const struct entry *e, const struct entry *other)
{
	for (size_t w = TYPE; w < N_WORDS; w++)
		if (w != MAC && !same(e, other, w))
			return false;
	return e->w[MAC];
}

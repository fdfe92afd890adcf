/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subordinate ids: see subid.h. */
#include "subid.h"
#include "fd.h"

#include <dlfcn.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

int id_ranges_add(struct id_ranges *list, unsigned long first, unsigned long count)
{
	struct id_range *v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (!v)
		return -1;
	list->v = v;
	v[list->n++] = (struct id_range){first, count};
	return 0;
}

void id_ranges_free(struct id_ranges *list)
{
	free(list->v);
	*list = (struct id_ranges){0};
}

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "cannot keep id ranges: out of memory");
}

static const char *file_of(char kind)
{
	return kind == 'u' ? "/etc/subuid" : "/etc/subgid";
}

/* ---- the files ---- */

struct owner {
	char id[16], name[256]; /* name "": it has none */
};

static void name_owner(uid_t user, struct owner *ret)
{
	char text[4096];
	struct passwd entry, *found = NULL;

	*ret = (struct owner){.name = "root"};
	snprintf(ret->id, sizeof(ret->id), "%u", user);
	if (user == 0) /* spares root the library of names */
		return;
	getpwuid_r(user, &entry, text, sizeof(text), &found);
	snprintf(ret->name, sizeof(ret->name), "%s", found ? found->pw_name : "");
}

/* 'OWNER:FIRST:COUNT'; shadow takes any other line for none, too. */
static bool read_line(char *line, const struct owner *o, bool others, struct id_range *ret)
{
	char *first = strchr(line, ':'), *count = first ? strchr(first + 1, ':') : NULL;
	unsigned long long a, n;
	bool mine;

	if (!count)
		return false;
	*first++ = *count++ = '\0';
	mine = strcmp(line, o->id) == 0 || (*o->name && strcmp(line, o->name) == 0);
	if (mine == others || !str_to_u64(first, &a) || !str_to_u64(count, &n) || !n ||
	    a > 0xffffffffULL || n > 0xffffffffULL - a)
		return false;
	*ret = (struct id_range){a, n};
	return true;
}

static int read_file(char kind, uid_t user, bool others, struct id_ranges *ret, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	char *rest, *line;
	struct id_range r;
	struct owner o;

	if (file_read(AT_FDCWD, file_of(kind), &text) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read \"%s\"", file_of(kind));
	name_owner(user, &o);
	rest = text.s;
	while ((line = strsep(&rest, "\n")))
		if (read_line(line, &o, others, &r) && id_ranges_add(ret, r.first, r.count) < 0)
			return no_memory(err);
	return 0;
}

int subid_of_others(char kind, uid_t user, struct id_ranges *ret, struct error *err)
{
	return read_file(kind, user, true, ret, err);
}

/* ---- another source, by libsubid ---- */

/* Does nsswitch.conf(5) say 'subid: SOURCE' with something else than files? */
static bool is_elsewhere(void)
{
	autobuf struct buf text = BUF_INIT;
	char *rest, *line;

	if (file_read(AT_FDCWD, "/etc/nsswitch.conf", &text) < 0)
		return false;
	rest = text.s;
	while ((line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t");
		if (!str_starts(line, "subid:"))
			continue;
		line += strlen("subid:");
		line += strspn(line, " \t");
		return *line && *line != '#' && !str_starts(line, "files");
	}
	return false;
}

/* Its own struct (shadow/subid.h), the same since it has this name. */
struct subid_range {
	unsigned long start, count;
};
typedef int get_ranges(const char *owner, struct subid_range **ret);

static int ask_library(char kind, uid_t user, struct id_ranges *ret, struct error *err)
{
	static const char *const names[] = {"libsubid.so.5", "libsubid.so.4", "libsubid.so"};
	const char *symbol = kind == 'u' ? "subid_get_uid_ranges" : "subid_get_gid_ranges";
	struct subid_range *found = NULL;
	void *library = NULL;
	get_ranges *get;
	struct owner o;
	int n, failed = 0;

	for (size_t i = 0; !library && i < ARRAY_SIZE(names); i++)
		library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	get = library ? (get_ranges *)dlsym(library, symbol) : NULL;
	if (!get)
		return error_set(err, ENOENT, "cannot ask for subordinate ids: nsswitch.conf(5) has "
				 "them elsewhere than in files, and libsubid is not installed");
	name_owner(user, &o);
	n = get(*o.name ? o.name : o.id, &found);
	for (int i = 0; i < n && !failed; i++)
		failed = id_ranges_add(ret, found[i].start, found[i].count) < 0;
	free(found);
	return failed ? no_memory(err) : 0;
}

int subid_of(char kind, uid_t user, struct id_ranges *ret, struct error *err)
{
	if (user != 0 && is_elsewhere())
		return ask_library(kind, user, ret, err);
	return read_file(kind, user, false, ret, err);
}

/* ---- our own user namespace ---- */

int subid_existing(char kind, struct id_ranges *ret, struct error *err)
{
	autofree char *path = str_printf("/proc/self/%cid_map", kind);
	autobuf struct buf text = BUF_INIT;
	unsigned long first, outside, count;
	char *rest, *line;

	if (!path || file_read(AT_FDCWD, path, &text) < 0)
		return error_sys(err, "cannot read \"%s\"", path ? path : "/proc/self/uid_map");
	rest = text.s;
	while ((line = strsep(&rest, "\n")))
		if (sscanf(line, "%lu %lu %lu", &first, &outside, &count) == 3 &&
		    id_ranges_add(ret, first, count) < 0)
			return no_memory(err);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.idmap = auto: a range of ids that no other container has.
 *
 * Which range a container got is written down, under a lock and before it is used, in a file that
 * outlives it: a line 'UID GID COUNT NAME LXCPATH' for each.  So a restart has the same range, its
 * files keep their owners, and no range is given twice while the container exists.
 *
 * Ranges come from root's entries in /etc/subuid and /etc/subgid, those of an ordinary user from the
 * user's.  Where root has none they come from AUTO_FIRST on, ids that distributions keep free of
 * users and of other container managers.
 */
#include "parts/idmap.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/subid.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#define AUTO_FIRST 1879048192UL /* 0x70000000: behind the ids that systemd-nspawn takes ... */
#define AUTO_END 2147352576UL   /* ... up to where a signed number would end (0x7FFE0000) */
#define OWN_IDS 65536UL         /* of a container that has containers: what it needs itself */
#define LOCK_LIMIT_MS 10000
#define RANGES "ranges"

/* One line of the record. */
struct claim {
	unsigned long uid, gid, count;
	char name[256], *lxcpath;
};
struct claims {
	struct claim *v;
	size_t n;
};

static void claims_free(struct claims *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->v[i].lxcpath);
	free(list->v);
	*list = (struct claims){0};
}
#define autoclaims __attribute__((cleanup(claims_free)))

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "cannot choose ids: out of memory");
}

/* ---- the record ---- */

static char *record_dir(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup(LXCORE_STATEDIR "/lib/lxc-idmap");
	if (state && *state == '/')
		return str_printf("%s/lxc-idmap", state);
	return str_printf("%s/.local/state/lxc-idmap", home ? home : "");
}

/* Its directory, and in *ret_lock the lock until that is closed. */
static int open_record(int *ret_lock, struct error *err)
{
	long long end = clock_ms() + LOCK_LIMIT_MS;
	autofree char *path = record_dir();
	autoclose int dir = -1, lock = -1;

	if (!path)
		return no_memory(err);
	if (path_make_dirs(path, 0700) < 0 ||
	    (dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0 ||
	    (lock = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)) < 0)
		return error_sys(err, "cannot open \"%s\", where ranges of ids are recorded", path);
	while (flock(lock, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_sys(err, "cannot lock \"%s\"", path);
		if (clock_ms() > end)
			return error_set(err, EBUSY, "cannot lock \"%s\": another command has held it "
					 "for %d seconds", path, LOCK_LIMIT_MS / 1000);
		usleep(2000);
	}
	*ret_lock = steal_fd(&lock);
	return steal_fd(&dir);
}

static int add_claim(struct claims *list, const struct claim *c, const char *lxcpath)
{
	struct claim *v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (!v)
		return -1;
	list->v = v;
	v[list->n] = *c;
	v[list->n].lxcpath = strdup(lxcpath);
	return v[list->n++].lxcpath ? 0 : -1;
}

static int read_claims(int dir, struct claims *ret, struct error *err)
{
	autobuf struct buf text = BUF_INIT;
	char *rest, *line;

	if (file_read(dir, RANGES, &text) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read the record of id ranges");
	rest = text.s;
	while ((line = strsep(&rest, "\n"))) {
		struct claim c = {0};
		int path = 0;

		if (sscanf(line, "%lu %lu %lu %255s %n", &c.uid, &c.gid, &c.count, c.name,
			   &path) != 4 || line[path] != '/')
			continue;
		if (add_claim(ret, &c, line + path) < 0)
			return no_memory(err);
	}
	return 0;
}

static int write_claims(int dir, const struct claims *list, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	buf_puts(&text, "");
	for (size_t i = 0; i < list->n; i++) {
		const struct claim *c = &list->v[i];

		buf_addf(&text, "%lu %lu %lu %s %s\n", c->uid, c->gid, c->count, c->name, c->lxcpath);
	}
	if (text.failed || file_replace(dir, RANGES, text.s, 0600) < 0)
		return error_sys(err, "cannot write the record of id ranges");
	return 0;
}

/* Snapshots are below their container, in an lxcpath of their own ('LXCPATH/NAME/snaps'); their files
 * are its files.  Cuts that path into its words; false: it is none of a snapshot. */
static bool of_snapshot(char *lxcpath, const char **ret_name)
{
	char *slash;

	if (!str_ends(lxcpath, "/snaps"))
		return false;
	*strrchr(lxcpath, '/') = '\0';
	slash = strrchr(lxcpath, '/');
	if (!slash)
		return false;
	*slash = '\0';
	*ret_name = slash + 1;
	return true;
}

static struct claim *find_claim(const struct claims *list, const char *lxcpath, const char *name)
{
	autofree char *path = strdup(lxcpath);

	if (path)
		of_snapshot(path, &name);
	for (size_t i = 0; path && i < list->n; i++)
		if (strcmp(list->v[i].name, name) == 0 && strcmp(list->v[i].lxcpath, path) == 0)
			return &list->v[i];
	return NULL;
}

/* ---- what is free ---- */

/* Ids that configurations beside this one name themselves; as written, without what they include. */
static int add_written(const char *config, char kind, struct id_ranges *taken)
{
	autobuf struct buf text = BUF_INIT;
	unsigned long inside, first, count;
	char *rest, *line, which;

	if (file_read(AT_FDCWD, config, &text) < 0)
		return 0;
	rest = text.s;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, " lxc.idmap = %c %lu %lu %lu", &which, &inside, &first, &count) != 4)
			continue;
		if (which == kind && id_ranges_add(taken, first, count) < 0)
			return -1;
	}
	return 0;
}

static int add_neighbours(const char *lxcpath, char kind, struct id_ranges *taken)
{
	autodir DIR *dir = opendir(lxcpath);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		autofree char *config = str_printf("%s/%s/config", lxcpath, e->d_name);

		if (*e->d_name != '.' && (!config || add_written(config, kind, taken) < 0))
			return -1;
	}
	return 0;
}

static int list_taken(char kind, const struct claims *list, const char *lxcpath,
		      struct id_ranges *ret, struct error *err)
{
	if (subid_of_others(kind, geteuid(), ret, err) < 0)
		return -1;
	for (size_t i = 0; i < list->n; i++)
		if (id_ranges_add(ret, kind == 'u' ? list->v[i].uid : list->v[i].gid,
				  list->v[i].count) < 0)
			return no_memory(err);
	return add_neighbours(lxcpath, kind, ret) < 0 ? no_memory(err) : 0;
}

static unsigned long end_of(const struct id_range *r)
{
	return r->first + r->count;
}

/* The ranges that are in both lists, in the order of the first. */
static int intersect(const struct id_ranges *a, const struct id_ranges *b, struct id_ranges *ret)
{
	for (size_t i = 0; i < a->n * b->n; i++) {
		const struct id_range *one = &a->v[i / b->n], *other = &b->v[i % b->n];
		unsigned long first = one->first > other->first ? one->first : other->first;
		unsigned long end = end_of(one) < end_of(other) ? end_of(one) : end_of(other);

		if (first < end && id_ranges_add(ret, first, end - first) < 0)
			return -1;
	}
	return 0;
}

/* Where root has no entries: the ids that are kept free; in a container, those beyond its own. */
static int usual_ranges(const struct id_ranges *existing, struct id_ranges *ret)
{
	struct id_range kept = {AUTO_FIRST, AUTO_END - AUTO_FIRST};
	struct id_range beyond = {OWN_IDS, 0xffffffffUL - OWN_IDS};

	if (intersect(&(struct id_ranges){&kept, 1}, existing, ret) < 0)
		return -1;
	return ret->n ? 0 : intersect(&(struct id_ranges){&beyond, 1}, existing, ret);
}

static int list_allowed(char kind, struct id_ranges *ret, struct error *err)
{
	autoranges struct id_ranges own = {0}, existing = {0};
	int result;

	if (subid_of(kind, geteuid(), &own, err) < 0)
		return -1;
	if (geteuid() != 0) /* newuidmap(1) knows which of them exist */
		return intersect(&own, &own, ret) < 0 ? no_memory(err) : 0;
	if (subid_existing(kind, &existing, err) < 0)
		return -1;
	result = own.n ? intersect(&own, &existing, ret) : usual_ranges(&existing, ret);
	return result < 0 ? no_memory(err) : 0;
}

/* The end of a taken range that reaches into 'count' ids from 'first' on; 0: all are free. */
static unsigned long obstacle(const struct id_ranges *taken, unsigned long first,
			      unsigned long count)
{
	for (size_t i = 0; i < taken->n; i++)
		if (taken->v[i].first < first + count && first < end_of(&taken->v[i]))
			return end_of(&taken->v[i]);
	return 0;
}

bool idmap_find_free(const struct id_ranges *allowed, const struct id_ranges *taken,
		     unsigned long count, unsigned long *ret)
{
	for (size_t i = 0; i < allowed->n; i++) {
		unsigned long first = allowed->v[i].first, next;

		while (first + count <= end_of(&allowed->v[i])) {
			next = obstacle(taken, first, count);
			if (!next) {
				*ret = first;
				return true;
			}
			first = next;
		}
	}
	return false;
}

static int none_free(char kind, unsigned long count, const struct id_ranges *allowed,
		     struct error *err)
{
	unsigned long all = 0;

	for (size_t i = 0; i < allowed->n; i++)
		all += allowed->v[i].count;
	error_set(err, ENOSPC, "no %lu %s ids in a row are free for it (lxc.idmap = auto): %s may use "
		  "%lu, most of them taken", count, kind == 'u' ? "user" : "group",
		  geteuid() == 0 ? "root" : "this user", all);
	return error_mend(err, "%susermod --add-sub%cids FIRST-LAST %s      (gives more), or "
			  "lxc.idmap = auto:COUNT with fewer", geteuid() == 0 ? "" : "as root: ",
			  kind, geteuid() == 0 ? "root" : "USER");
}

static int choose(char kind, const struct claims *list, const char *lxcpath, unsigned long count,
		  unsigned long *ret, struct error *err)
{
	autoranges struct id_ranges allowed = {0}, taken = {0};

	if (list_allowed(kind, &allowed, err) < 0 ||
	    list_taken(kind, list, lxcpath, &taken, err) < 0)
		return -1;
	return idmap_find_free(&allowed, &taken, count, ret) ? 0
							     : none_free(kind, count, &allowed, err);
}

/* ---- for others ---- */

static int use(struct idmaps *maps, const struct claim *c, struct error *err)
{
	struct idmap_entry *v = calloc(2, sizeof(*v));

	if (!v)
		return no_memory(err);
	if (maps->automatic > c->count) {
		free(v);
		error_set(err, EINVAL, "%lu ids are asked for (lxc.idmap = auto:%lu), but its files "
			  "are of the %lu that it was given", maps->automatic, maps->automatic,
			  c->count);
		return error_mend(err, "lxc.idmap = auto:%lu", c->count);
	}
	v[0] = (struct idmap_entry){'u', 0, c->uid, maps->automatic};
	v[1] = (struct idmap_entry){'g', 0, c->gid, maps->automatic};
	free(maps->v);
	maps->v = v;
	maps->n = 2;
	return 0;
}

static int take(struct idmaps *maps, const char *lxcpath, const char *name, bool make,
		struct error *err)
{
	autoclose int lock = -1, dir = open_record(&lock, err);
	struct claim fresh = {.count = maps->automatic}, *own;
	autoclaims struct claims list = {0};

	if (dir < 0 || read_claims(dir, &list, err) < 0)
		return -1;
	own = find_claim(&list, lxcpath, name);
	if (own)
		return use(maps, own, err);
	if (choose('u', &list, lxcpath, fresh.count, &fresh.uid, err) < 0 ||
	    choose('g', &list, lxcpath, fresh.count, &fresh.gid, err) < 0)
		return -1;
	if (!make)
		return 0;
	snprintf(fresh.name, sizeof(fresh.name), "%s", name);
	if (add_claim(&list, &fresh, lxcpath) < 0)
		return no_memory(err);
	return write_claims(dir, &list, err) < 0 ? -1 : use(maps, &fresh, err);
}

int idmap_claim(const struct conf *c, const char *lxcpath, const char *name, struct error *err)
{
	struct idmaps *maps = conf_of(c, &idmap_section);

	return maps->automatic && !maps->n ? take(maps, lxcpath, name, true, err) : 0;
}

int idmap_look(const struct conf *c, const char *lxcpath, const char *name, struct error *err)
{
	struct idmaps *maps = conf_of(c, &idmap_section);

	return maps->automatic && !maps->n ? take(maps, lxcpath, name, false, err) : 0;
}

/* The record, if there is one: who only wants to forget makes none. */
static bool has_record(void)
{
	autofree char *dir = record_dir(), *path = dir ? str_printf("%s/" RANGES, dir) : NULL;

	return path && access(path, F_OK) == 0;
}

void idmap_forget(const char *lxcpath, const char *name)
{
	autoclose int lock = -1, dir = has_record() ? open_record(&lock, NULL) : -1;
	autoclaims struct claims list = {0};
	struct claim *own;

	if (dir < 0 || str_ends(lxcpath, "/snaps") || read_claims(dir, &list, NULL) < 0)
		return;
	own = find_claim(&list, lxcpath, name);
	if (!own)
		return;
	free(own->lxcpath);
	*own = list.v[--list.n];
	write_claims(dir, &list, NULL);
}

int idmap_rename(const char *lxcpath, const char *name, const char *to_lxcpath,
		 const char *to_name, struct error *err)
{
	autoclose int lock = -1, dir = has_record() ? open_record(&lock, err) : -1;
	autoclaims struct claims list = {0};
	struct claim *own;
	char *path;

	if (dir < 0)
		return lock < 0 && !has_record() ? 0 : -1;
	if (read_claims(dir, &list, err) < 0)
		return -1;
	own = find_claim(&list, lxcpath, name);
	if (!own)
		return 0;
	path = strdup(to_lxcpath);
	if (!path)
		return no_memory(err);
	free(own->lxcpath);
	own->lxcpath = path;
	snprintf(own->name, sizeof(own->name), "%s", to_name);
	return write_claims(dir, &list, err);
}

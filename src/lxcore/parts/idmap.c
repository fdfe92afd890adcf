/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Id maps: which user and group ids of the host stand for those inside.  Having any makes a user
 * namespace.  Root writes the maps itself; everybody else lets newuidmap(1) and newgidmap(1) do it,
 * which know from subuid(5) what belongs to whom.
 */
#include "parts/idmap.h"
#include "base/auto.h"
#include "base/fd.h"

#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_ENTRIES 340 /* user_namespaces(7), since Linux 4.15 */
#define HELPER_LIMIT_MS 10000
#define AUTO_COUNT 65536 /* ids that a whole system needs: up to 'nobody' */

/* ---- key ---- */

static bool parse_entry(const char *value, struct idmap_entry *ret)
{
	autostrv struct strv words = {0};
	unsigned long long n[3];

	if (strv_split(&words, value, " \t\r") < 0 || words.n != 4)
		return false;
	if (strcmp(words.v[0], "u") != 0 && strcmp(words.v[0], "g") != 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (!str_to_u64(words.v[i + 1], &n[i]) || n[i] > 0xffffffffULL)
			return false;
	*ret = (struct idmap_entry){words.v[0][0], n[0], n[1], n[2]};
	/* The last id, 4294967295, means 'none' and cannot be mapped. */
	return n[2] && n[0] + n[2] <= 0xffffffffULL && n[1] + n[2] <= 0xffffffffULL;
}

static bool overlap(unsigned long a, unsigned long b, unsigned long range_a, unsigned long range_b)
{
	return a < b + range_b && b < a + range_a;
}

static int refuse_overlap(const struct idmaps *maps, const struct idmap_entry *e, struct error *err)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct idmap_entry *o = &maps->v[i];
		bool inside = overlap(o->ns, e->ns, o->range, e->range);

		if (o->kind != e->kind ||
		    (!inside && !overlap(o->host, e->host, o->range, e->range)))
			continue;
		return error_set(err, EINVAL, "\"%c %lu %lu %lu\" maps ids of the %s that "
				 "\"%c %lu %lu %lu\" maps already", e->kind, e->ns, e->host,
				 e->range, inside ? "container" : "host", o->kind, o->ns, o->host,
				 o->range);
	}
	return 0;
}

/* 'auto', 'auto:COUNT'. */
static int set_automatic(struct idmaps *maps, const char *value, struct error *err)
{
	unsigned long long count = AUTO_COUNT;

	if (value[4] && (value[4] != ':' || !str_to_u64(value + 5, &count) || !count ||
			 count > 0x7fffffffULL))
		return error_set(err, EINVAL, "\"%s\" is neither auto nor auto:COUNT", value);
	if (maps->n)
		return error_set(err, EINVAL, "\"%s\" excludes maps that are written out", value);
	maps->automatic = count;
	return 0;
}

static int set_idmap(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	struct idmaps *maps = field;
	struct idmap_entry entry, *v;

	if (str_starts(value, "auto"))
		return set_automatic(maps, value, err);
	if (maps->automatic)
		return error_set(err, EINVAL, "\"%s\" excludes \"auto\"", value);
	if (!parse_entry(value, &entry))
		return error_set(err, EINVAL, "\"%s\" is no id map; one is written 'u 0 100000 "
				 "65536': u or g, first id inside, first id on the host, how many; "
				 "or 'auto'", value);
	if (refuse_overlap(maps, &entry, err) < 0)
		return -1;
	if (maps->n == MOST_ENTRIES)
		return error_set(err, E2BIG, "there are more than %d id maps", MOST_ENTRIES);
	v = realloc(maps->v, (maps->n + 1) * sizeof(*v));
	if (!v)
		return error_sys(err, "cannot keep the id map");
	maps->v = v;
	v[maps->n++] = entry;
	return 0;
}

static void get_idmap(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	const struct idmaps *maps = field;

	if (maps->automatic == AUTO_COUNT && !maps->n)
		buf_puts(out, "auto");
	else if (maps->automatic && !maps->n)
		buf_addf(out, "auto:%lu", maps->automatic);
	for (size_t i = 0; i < maps->n; i++)
		buf_addf(out, "%s%c %lu %lu %lu", i ? "\n" : "", maps->v[i].kind, maps->v[i].ns,
			 maps->v[i].host, maps->v[i].range);
}

static void clear_idmap(void *field, const struct conf_key *key, const char *sub)
{
	struct idmaps *maps = field;

	free(maps->v);
	*maps = (struct idmaps){0};
}

static const struct conf_type type_idmap = {"u|g NSID HOSTID RANGE|auto[:COUNT]", set_idmap, get_idmap,
					    clear_idmap, NULL};
static const struct conf_key keys[] = {
	{"lxc.idmap", &type_idmap, 0,
	 .summary = "Map a range of user (u) or group (g) ids of the container to ids of the host; "
		    "makes a user namespace. auto: a range of its own that no other "
		    "container has, of 65536 ids or of COUNT, from root's entries in /etc/subuid "
		    "and /etc/subgid (without one from 1879048192 on), an ordinary user's from the "
		    "user's; it keeps it as long as it exists."},
	{NULL},
};
const struct conf_section idmap_section = {"idmap", sizeof(struct idmaps), keys};

/* ---- questions ---- */

const struct idmaps *idmap_of(const struct conf *c)
{
	return conf_of(c, &idmap_section);
}

bool idmap_to_host(const struct idmaps *maps, char kind, unsigned long inside, unsigned long *ret)
{
	for (size_t i = 0; i < maps->n; i++) {
		const struct idmap_entry *e = &maps->v[i];

		if (e->kind != kind || inside < e->ns || inside - e->ns >= e->range)
			continue;
		*ret = e->host + (inside - e->ns);
		return true;
	}
	return false;
}

bool idmap_any(const struct conf *c)
{
	return idmap_of(c)->n || idmap_of(c)->automatic;
}

void idmap_running_text(const struct conf *c, struct buf *out)
{
	const struct idmaps *maps = idmap_of(c);

	if (!maps->automatic)
		return;
	buf_puts(out, "lxc.idmap =\n");
	for (size_t i = 0; i < maps->n; i++)
		buf_addf(out, "lxc.idmap = %c %lu %lu %lu\n", maps->v[i].kind, maps->v[i].ns,
			 maps->v[i].host, maps->v[i].range);
}

/* Root inside is id 0, or, where that is not mapped, whoever init runs as. */
static bool root_inside(const struct conf *c, char kind, unsigned long *ret_inside,
			unsigned long *ret_host)
{
	const struct idmaps *maps = idmap_of(c);
	autobuf struct buf id = BUF_INIT;
	unsigned long long n = 0;

	*ret_inside = 0;
	if (idmap_to_host(maps, kind, 0, ret_host))
		return true;
	conf_get(c, kind == 'u' ? "lxc.init.uid" : "lxc.init.gid", &id, NULL);
	if (!id.len || !str_to_u64(id.s, &n))
		return false;
	*ret_inside = n;
	return idmap_to_host(maps, kind, n, ret_host);
}

/* ---- check ---- */

static int check_kind(const struct conf *c, char kind, const char *what, struct error *err)
{
	unsigned long inside, host;

	if (root_inside(c, kind, &inside, &host))
		return 0;
	error_set(err, EINVAL, "no %s id of the host stands for %lu inside (lxc.idmap, %s)", what,
		  inside, conf_where(c, "lxc.idmap"));
	return error_mend(err, "lxc.idmap = %c 0 100000 65536", kind);
}

static bool can_find(const char *program)
{
	static const char *const dirs[] = {"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin"};

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		autofree char *path = str_printf("%s/%s", dirs[i], program);

		if (path && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

static int needs_maps(struct error *err)
{
	autoidmaps struct idmaps own = {0};

	error_set(err, EPERM, "an ordinary user's container needs a user namespace (lxc.idmap)");
	if (idmaps_first(&own, NULL) < 0)
		return error_mend(err, "as root: usermod --add-subuids 100000-165535 --add-subgids "
				       "100000-165535 USER");
	return error_mend(err, "lxc.idmap = u 0 %lu %lu\nlxc.idmap = g 0 %lu %lu", own.v[0].host,
			  own.v[0].range, own.v[1].host, own.v[1].range);
}

static int check(const struct boot *b, struct error *err)
{
	const struct idmaps *maps = idmap_of(b->conf);

	if (!idmap_any(b->conf))
		return geteuid() == 0 ? 0 : needs_maps(err);
	if (idmap_look(b->conf, b->lxcpath, b->name, err) < 0)
		return -1;
	if (!maps->automatic &&
	    (check_kind(b->conf, 'u', "user", err) < 0 || check_kind(b->conf, 'g', "group", err) < 0))
		return -1;
	if (geteuid() != 0 && (!can_find("newuidmap") || !can_find("newgidmap"))) {
		error_set(err, ENOENT, "newuidmap and newgidmap are not installed, which an "
				       "unprivileged user needs (lxc.idmap, %s)",
			  conf_where(b->conf, "lxc.idmap"));
		return error_mend(err, "apt-get install uidmap");
	}
	return 0;
}

/* ---- prepare, connect ---- */

int idmap_as_root(const struct conf *c, int (*act)(void *data, struct error *err), void *data,
		  struct error *err)
{
	autoidmaps struct idmaps maps = {0};
	const struct idmap_call call = {.maps = &maps, .act = act, .data = data};
	uid_t uid;
	gid_t gid;

	if (idmaps_with_caller(idmap_of(c), &maps, &uid, &gid) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return idmap_do(&call, err);
}

static int as_root(const struct boot *b, int (*act)(void *data, struct error *err), void *data,
		   struct error *err)
{
	return idmap_as_root(b->conf, act, data, err);
}

static int prepare(struct boot *b, struct error *err)
{
	unsigned long inside, uid, gid;

	if (!idmap_any(b->conf))
		return 0;
	/* A container that nothing but this start defines keeps its range as long as it runs. */
	if (idmap_of(b->conf)->automatic &&
	    journal_record(&b->journal, IDMAP_JOURNAL, "auto", err) < 0)
		return -1;
	if (!root_inside(b->conf, 'u', &inside, &uid) || !root_inside(b->conf, 'g', &inside, &gid))
		return error_set(err, EINVAL, "no id of the host stands for root (lxc.idmap)");
	b->userns = true;
	b->as_root = as_root;
	b->root_uid = (uid_t)uid;
	b->root_gid = (gid_t)gid;
	b->clone_flags |= b->shares_user ? 0 : CLONE_NEWUSER;
	return 0;
}

static int write_map(const struct idmaps *maps, pid_t pid, char kind, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/%cid_map", pid, kind);
	autobuf struct buf text = BUF_INIT;

	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].kind == kind)
			buf_addf(&text, "%lu %lu %lu\n", maps->v[i].ns, maps->v[i].host,
				 maps->v[i].range);
	if (!path || !text.s)
		return error_set(err, ENOMEM, "cannot write the id maps: out of memory");
	if (file_write(AT_FDCWD, path, text.s) < 0) {
		error_sys(err, "cannot map %s ids (lxc.idmap)", kind == 'u' ? "user" : "group");
		return error_mend(err, "run it as root on the host: root of a container can only map "
				       "ids that it has itself (cat /proc/self/%cid_map)", kind);
	}
	return 0;
}

static int run_helper(const struct idmaps *maps, pid_t pid, char kind, struct error *err)
{
	autofree char *program = str_printf("new%cidmap", kind);
	autobuf struct buf said = BUF_INIT;
	autostrv struct strv argv = {0};
	struct proc_run run = {.timeout_ms = HELPER_LIMIT_MS};
	bool whole = program && strv_add(&argv, program) == 0 &&
		     strv_take(&argv, str_printf("%d", pid)) == 0;
	int status;

	for (size_t i = 0; whole && i < maps->n; i++)
		if (maps->v[i].kind == kind)
			whole = strv_take(&argv, str_printf("%lu", maps->v[i].ns)) == 0 &&
				strv_take(&argv, str_printf("%lu", maps->v[i].host)) == 0 &&
				strv_take(&argv, str_printf("%lu", maps->v[i].range)) == 0;
	if (!whole)
		return error_set(err, ENOMEM, "cannot write the id maps: out of memory");
	run.argv = (const char *const *)argv.v;
	status = proc_run(&run, &said, err);
	if (status <= 0)
		return status;
	error_set(err, EPERM, "cannot map %s ids (lxc.idmap): %s", kind == 'u' ? "user" : "group",
		  said.len ? said.s : "newuidmap failed");
	return error_mend(err, "give yourself a range in /etc/sub%cid and use it in lxc.idmap", kind);
}

int idmap_write(const struct idmaps *maps, pid_t pid, struct error *err)
{
	int (*write_one)(const struct idmaps *, pid_t, char, struct error *) =
		geteuid() == 0 ? write_map : run_helper;

	return write_one(maps, pid, 'u', err) < 0 || write_one(maps, pid, 'g', err) < 0 ? -1 : 0;
}

static bool has_map(const struct idmaps *maps, char kind, const char *line)
{
	unsigned long ns, host, range;

	if (sscanf(line, "%lu %lu %lu", &ns, &host, &range) != 3)
		return false;
	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].kind == kind && maps->v[i].ns == ns && maps->v[i].host == host &&
		    maps->v[i].range == range)
			return true;
	return false;
}

/* A user namespace that is another container's has its maps: ours must say the same. */
static int compare_maps(const struct boot *b, char kind, struct error *err)
{
	const struct idmaps *maps = idmap_of(b->conf);
	autofree char *path = str_printf("/proc/%d/%cid_map", b->init.pid, kind);
	autobuf struct buf text = BUF_INIT;
	size_t expected = 0;
	char *rest, *line;

	if (!path || file_read(AT_FDCWD, path, &text) < 0)
		return error_sys(err, "cannot read the id maps of the shared user namespace");
	for (size_t i = 0; i < maps->n; i++)
		expected += maps->v[i].kind == kind;
	for (rest = text.s; (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		if (!expected || !has_map(maps, kind, line)) {
			error_set(err, EINVAL, "the shared user namespace maps other %s ids than "
				  "lxc.idmap: \"%s\"", kind == 'u' ? "user" : "group",
				  line + strspn(line, " "));
			return error_mend(err, "give both containers the same lines \"lxc.idmap\"");
		}
		expected--;
	}
	return expected ? error_set(err, EINVAL, "lxc.idmap has more %s ids than the shared user "
				    "namespace", kind == 'u' ? "user" : "group") : 0;
}

static int connect_maps(struct boot *b, struct error *err)
{
	if (b->userns && b->shares_user)
		return compare_maps(b, 'u', err) < 0 ? -1 : compare_maps(b, 'g', err);
	return b->userns ? idmap_write(idmap_of(b->conf), b->init.pid, err) : 0;
}

/* ---- inside ---- */

static int enter(struct boot *b, struct error *err)
{
	unsigned long uid, gid, host;

	if (!b->userns)
		return 0;
	if (!root_inside(b->conf, 'u', &uid, &host) || !root_inside(b->conf, 'g', &gid, &host))
		return error_set(err, EINVAL, "no id stands for root (lxc.idmap)");
	if (setgroups(0, NULL) < 0)
		return error_sys(err, "cannot leave the caller's groups");
	if (setresgid((gid_t)gid, (gid_t)gid, (gid_t)gid) < 0 ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid) < 0)
		return error_sys(err, "cannot become root of the container (lxc.idmap)");
	return 0;
}

static void release(const struct release *r)
{
	autofree char *config = str_printf("%s/%s/config", r->lxcpath, r->name);

	if (journal_previous(r->journal, IDMAP_JOURNAL, NULL) && !r->stays && config &&
	    access(config, F_OK) < 0 && errno == ENOENT)
		idmap_forget(r->lxcpath, r->name);
}

const struct part part_idmap = {
	.name = "idmap",
	.section = &idmap_section,
	.check = check,
	.prepare = prepare,
	.connect = connect_maps,
	.release = release,
};

/*
 * On its own in the list: until its root filesystem is mounted the first process keeps the host's
 * user, inside the new user namespace and with all its capabilities, so that a root filesystem in a
 * directory that is closed to the container's root can be mounted.
 */
const struct part part_root = {.name = "root", .enter = enter};

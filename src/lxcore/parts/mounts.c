/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What is mounted below the root: lxc.mount.auto, an fstab, lxc.mount.entry, in this order.
 *
 * Sources are the host's, opened by their paths while the host's tree is still there; targets are
 * the container's, resolved by the kernel inside the root's descriptor and mounted on by
 * descriptor, so no link in the container's tree can move a mount to the host (CVE-2015-1335,
 * CVE-2021-30465).
 */
#include "parts/mounts.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"
#include "parts/parts.h"

#include <fcntl.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

struct fstab { /* the lines are read when it is checked: later their file may be out of reach */
	char *file;
	struct mount_entries entries;
};

struct mounts_conf {
	struct mounts_auto automatic;
	struct mounts_places places;
	struct fstab fstab;
	struct mount_entries entries;
};

/* ---- keys ---- */

static int set_fstab(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	return conf_path.set(&((struct fstab *)field)->file, key, sub, value, err);
}

static void get_fstab(const void *field, const struct conf_key *key, const char *sub,
		      struct buf *out)
{
	conf_path.get(&((const struct fstab *)field)->file, key, sub, out);
}

static void clear_fstab(void *field, const struct conf_key *key, const char *sub)
{
	conf_path.clear(&((struct fstab *)field)->file, key, sub);
	mount_entries_free(&((struct fstab *)field)->entries);
}

static int set_entry(void *field, const struct conf_key *key, const char *sub, const char *value,
		     struct error *err)
{
	return mount_entries_add(field, value, NULL, err);
}

static void get_entries(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	const struct mount_entries *list = field;

	for (size_t i = 0; i < list->n; i++)
		buf_addf(out, "%s\n", list->v[i].text);
}

static void clear_entries(void *field, const struct conf_key *key, const char *sub)
{
	mount_entries_free(field);
}

static const struct conf_type type_fstab = {"FILE", set_fstab, get_fstab, clear_fstab,
					    conf_replaces};
static const struct conf_type type_entry = {"SOURCE TARGET TYPE OPTIONS", set_entry, get_entries,
					    clear_entries, NULL};

static const struct conf_key keys[] = {
	{"lxc.mount.auto", &mounts_auto_type, offsetof(struct mounts_conf, automatic),
	 .summary = "Filesystems of the kernel to mount: proc, sys, cgroup, each with its access; and "
		    "shmounts:HOSTDIR[:DIR]: what is mounted in this directory of the host while the "
		    "container runs appears in DIR inside, /dev/.lxc-mounts when it is not said."},
	{"lxc.mount.mask", &mounts_places_type, offsetof(struct mounts_conf, places.mask),
	 .preset = "/proc/acpi /proc/asound /proc/kcore /proc/keys /proc/latency_stats "
		   "/proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/firmware "
		   "/sys/devices/virtual/powercap",
	 .summary = "Places that are empty and read-only with lxc.mount.auto = proc:mixed, sys:mixed "
		    "and sys:ro; adds to the preset, 'none' takes back all."},
	{"lxc.mount.readonly", &mounts_places_type, offsetof(struct mounts_conf, places.readonly),
	 .preset = "/proc/bus /proc/fs /proc/irq /proc/sysrq-trigger",
	 .summary = "Places that are read-only likewise, besides /proc/sys and the whole of /sys."},
	{"lxc.mount.fstab", &type_fstab, offsetof(struct mounts_conf, fstab),
	 .summary = "File with mount entries as in fstab(5)."},
	{"lxc.mount.entry", &type_entry, offsetof(struct mounts_conf, entries),
	 .summary = "One line as in fstab(5), its target inside the root filesystem. Options of its "
		    "own: create=dir, create=file, optional, relative (the source is inside, too), "
		    "idmap=container or idmap=PATH of a user namespace (a bind mount's files have "
		    "the owners that it maps them to)."},
	{NULL},
};

static const struct conf_section section = {"mounts", sizeof(struct mounts_conf), keys};

/* ---- names ---- */

static int about(const struct mount_entry *e, struct error *err)
{
	if (e->origin)
		return error_within(err, "%s", e->origin);
	return error_within(err, "lxc.mount.entry \"%s\"", e->text);
}

static char *value_of(const struct conf *c, const char *key)
{
	autobuf struct buf value = BUF_INIT;

	if (conf_get(c, key, &value, NULL) < 0 || !value.len)
		return NULL;
	return buf_steal(&value);
}

/* What follows 'directory' in 'path' ("" or "/..."), or NULL when it is not below it. */
static const char *below(const char *path, const char *directory)
{
	size_t n = directory ? strlen(directory) : 0;

	if (!n || strncmp(path, directory, n) != 0 || (path[n] && path[n] != '/'))
		return NULL;
	return path + n;
}

/* The target inside the root.  An absolute one is written with the root filesystem's path on the
 * host in front. */
static int strip_root(const struct boot *b, const struct mount_entry *e, const char **inside,
		      struct error *err)
{
	autofree char *source = value_of(b->conf, "lxc.rootfs.path");
	autofree char *mount_point = value_of(b->conf, "lxc.rootfs.mount");
	autofree char *usual = str_printf("%s/%s/rootfs", b->lxcpath, b->name);
	const char *const roots[] = {source, usual, mount_point};

	for (size_t i = 0; source && i < ARRAY_SIZE(roots); i++) {
		*inside = below(e->target, roots[i]);
		if (*inside)
			return 0;
	}
	*inside = e->target;
	if (!source) /* the host's tree is the root */
		return 0;
	error_set(err, EINVAL,
		  "cannot mount on \"%s\": an absolute target begins with the root "
		  "filesystem's path, \"%s\"",
		  e->target, source);
	return error_mend(err,
			  "write it without \"/\" in front to have it inside the root "
			  "filesystem: %s",
			  e->target + strspn(e->target, "/"));
}

static int target_inside(const struct boot *b, const struct mount_entry *e, const char **ret,
			 struct error *err)
{
	const char *inside = e->target;

	if (*inside == '/' && strip_root(b, e, &inside, err) < 0)
		return -1;
	inside += strspn(inside, "/");
	if (!*inside || strcmp(inside, ".") == 0 || strcmp(inside, "./") == 0)
		return error_set(err, EINVAL,
				 "cannot mount over the root filesystem itself; that is "
				 "lxc.rootfs.path's");
	*ret = inside;
	return 0;
}

/* ---- check ---- */

/* Hooks that run before the mounts may provide what an entry takes. */
static bool hooks_may_provide(const struct conf *c)
{
	static const char *const hooks[] = {"lxc.hook.pre-start", "lxc.hook.pre-mount"};

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		autofree char *value = value_of(c, hooks[i]);

		if (value)
			return true;
	}
	return false;
}

static int check_source(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	bool from_host = (e->options.bind || e->options.move) && !e->options.remount &&
			 !e->relative && !e->optional;

	if (!from_host || access(e->source, F_OK) == 0 || errno == EACCES ||
	    hooks_may_provide(b->conf))
		return 0;
	error_sys(err, "cannot find the source \"%s\"", e->source);
	return error_mend(err, "mkdir -p %s      (or add option \"optional\" to the entry)",
			  e->source);
}

static int check_list(const struct boot *b, const struct mount_entries *list, struct error *err)
{
	const char *inside;

	for (size_t i = 0; i < list->n; i++) {
		const struct mount_entry *e = &list->v[i];

		if (target_inside(b, e, &inside, err) < 0 || check_source(b, e, err) < 0 ||
		    (e->options.idmap && !e->optional && boot_can_idmap(b, e->options.idmap, err) < 0))
			return about(e, err);
	}
	return 0;
}

static int mounts_check(const struct boot *b, struct error *err)
{
	struct mounts_conf *mc = conf_of(b->conf, &section);

	mount_entries_free(&mc->fstab.entries);
	if (check_list(b, &mc->automatic.shared, err) < 0 ||
	    mounts_shared_check(&mc->automatic, err) < 0)
		return -1;
	if (mc->fstab.file && mount_entries_read(&mc->fstab.entries, mc->fstab.file, err) < 0)
		return -1;
	if (check_list(b, &mc->fstab.entries, err) < 0)
		return -1;
	return check_list(b, &mc->entries, err);
}

/* ---- prepare: directories that an overlay needs ---- */

static int make_overlay_dirs(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	autofree char *own = str_printf("%s/%s", b->lxcpath, b->name);
	const struct strv *data = &e->options.data;

	for (size_t i = 0; i < data->n; i++) {
		const char *path = strchr(data->v[i], '=');

		if (!path ||
		    (!str_starts(data->v[i], "upperdir=") && !str_starts(data->v[i], "workdir=")))
			continue;
		if (!below(++path, own) || access(path, F_OK) == 0)
			continue;
		if (path_make_dirs(path, 0755) < 0)
			return error_sys(err, "cannot make \"%s\"", path);
		if (b->userns && chown(path, b->root_uid, b->root_gid) < 0)
			return error_sys(err, "cannot give \"%s\" to the container's root", path);
	}
	return 0;
}

static int prepare_list(const struct boot *b, const struct mount_entries *list, struct error *err)
{
	for (size_t i = 0; i < list->n; i++)
		if (str_starts(list->v[i].fstype, "overlay") &&
		    make_overlay_dirs(b, &list->v[i], err) < 0)
			return about(&list->v[i], err);
	return 0;
}

static int mounts_prepare(struct boot *b, struct error *err)
{
	const struct mounts_conf *mc = conf_of(b->conf, &section);
	const struct mounts_auto *a = &mc->automatic;

	if (!(b->clone_flags & CLONE_NEWNS) &&
	    (mc->entries.n || mc->fstab.entries.n || a->proc || a->sys || a->cgroup ||
	     a->shared.n)) {
		error_set(err, EINVAL,
			  "cannot mount anything without a mount namespace of the "
			  "container's own");
		return error_mend(err, "take \"mnt\" out of lxc.namespace.keep and lxc.namespace."
				       "share, or unset the keys lxc.mount.*");
	}
	if (prepare_list(b, &mc->fstab.entries, err) < 0)
		return -1;
	return prepare_list(b, &mc->entries, err);
}

/* ---- enter ---- */

/* What is resolved inside the root filesystem, and where there; NULL: a path of the host. */
static const char *inside_root(const struct boot *b, const struct mount_entry *e)
{
	autofree char *root = e->relative ? NULL : value_of(b->conf, "lxc.rootfs.path");

	return e->relative ? e->source : root ? below(e->source, root) : NULL;
}

static void open_sources(const struct boot *b, struct mount_entries *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct mount_entry *e = &list->v[i];

		if (e->options.bind && !e->options.remount && !inside_root(b, e))
			e->opened = open(e->source, O_PATH | O_CLOEXEC);
	}
}

/*
 * The container's root may not pass each directory that its owner's caller may: a home directory, a
 * place of root's.  What cannot be opened now is tried again when its turn comes, and told then.
 */
static int sources_enter(struct boot *b, struct error *err)
{
	struct mounts_conf *mc = conf_of(b->conf, &section);

	(void)err;
	/* On the host's own tree one entry may be the source of the next. */
	if (b->userns && b->has_rootfs) {
		open_sources(b, &mc->automatic.shared);
		open_sources(b, &mc->fstab.entries);
		open_sources(b, &mc->entries);
	}
	return 0;
}

const struct part part_sources = {.name = "sources", .enter = sources_enter};

/*
 * A source below the root filesystem's directory is resolved inside of it, since its owner made
 * every name on the way.
 */
static int open_bind_source(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	const char *inside = inside_root(b, e);
	autoclose int fd = -1;
	int tree = -1;

	if (e->opened >= 0)
		tree = mount_copy(e->opened, "", e->options.recursive);
	else if (!inside)
		tree = mount_copy(AT_FDCWD, e->source, e->options.recursive);
	else if ((fd = path_open_in(b->root, inside, O_PATH, 0)) >= 0)
		tree = mount_copy(fd, "", e->options.recursive);
	if (tree >= 0)
		return tree;
	error_sys(err, "cannot take the source \"%s\"", e->source);
	/* What lies below mounts of another user namespace must not be uncovered. */
	if (errno == EINVAL && b->userns && !e->options.recursive)
		error_mend(err, "other mounts are below it: write \"rbind\" instead of \"bind\"");
	return -1;
}

static int make_filesystem(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	const struct strv *super = &e->options.super, *data = &e->options.data;
	autoclose int inside = e->relative ? path_open_in(b->root, e->source, O_PATH, 0) : -1;
	autofree char *source = inside >= 0 ? str_printf("source=/proc/self/fd/%d", inside)
					    : str_printf("source=%s", e->source);
	const char *options[super->n + data->n + 2];
	size_t n = 0;

	if (e->relative && inside < 0)
		return error_sys(err, "cannot find the source \"%s\" in the root filesystem",
				 e->source);
	options[n++] = source;
	for (size_t i = 0; i < super->n; i++)
		options[n++] = super->v[i];
	for (size_t i = 0; i < data->n; i++)
		options[n++] = data->v[i];
	options[n] = NULL;
	return mount_new(e->fstype, options, (unsigned)e->options.change.set, err);
}

static int take_tree(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	int tree;

	if (e->options.bind)
		return open_bind_source(b, e, err);
	if (!e->options.move)
		return make_filesystem(b, e, err);
	tree = open_tree(AT_FDCWD, e->source, OPEN_TREE_CLOEXEC);
	return tree < 0 ? error_sys(err, "cannot take the mount \"%s\"", e->source) : tree;
}

static int make_target(const struct boot *b, const struct mount_entry *e, const char *inside)
{
	if (e->create == CREATE_DIR)
		return path_make_dir_in(b->root, inside, 0755);
	if (e->create == CREATE_FILE)
		return path_make_file_in(b->root, inside, 0644);
	return path_open_in(b->root, inside, O_PATH, 0);
}

static int open_target(const struct boot *b, const struct mount_entry *e, struct error *err)
{
	const char *inside;
	struct stat st, root;
	autoclose int fd = -1;

	if (target_inside(b, e, &inside, err) < 0)
		return -1;
	fd = make_target(b, e, inside);
	if (fd < 0 && errno == ENOENT && e->create)
		return error_set(err, ENOENT,
				 "cannot make the target \"/%s\" in the root "
				 "filesystem: a link on the way leads to nothing",
				 inside);
	if (fd < 0 && errno == ENOENT) {
		error_set(err, ENOENT, "cannot find the target \"/%s\" in the root filesystem",
			  inside);
		return error_mend(err,
				  "add option \"create=dir\" (or \"create=file\") to the entry");
	}
	if (fd < 0)
		return error_sys(err, "cannot %s the target \"/%s\" in the root filesystem",
				 e->create ? "make" : "open", inside);
	/* A link to "/", a chain of "..": the container would lose its root from sight. */
	if (fstat(fd, &st) < 0 || fstat(b->root, &root) < 0 ||
	    (st.st_dev == root.st_dev && st.st_ino == root.st_ino))
		return error_set(err, ELOOP,
				 "cannot mount on \"/%s\": it leads to the root "
				 "filesystem itself",
				 inside);
	return steal_fd(&fd);
}

static int cannot_mount(const struct mount_entry *e, int tree, int target, struct error *err)
{
	int code = errno;
	struct stat from, to;

	if (tree >= 0 && fstat(tree, &from) == 0 && fstat(target, &to) == 0 &&
	    S_ISDIR(from.st_mode) != S_ISDIR(to.st_mode))
		return error_set(err, ENOTDIR,
				 "cannot mount \"%s\" on \"%s\": the one is a directory, "
				 "the other is not",
				 e->source, e->target);
	errno = code;
	if (e->options.remount)
		return error_sys(err, "cannot change the mount \"%s\"", e->target);
	return error_sys(err, "cannot mount \"%s\" on \"%s\"", e->source, e->target);
}

static int mount_one(struct boot *b, const struct mount_entry *e, struct error *err)
{
	const struct mount_options *o = &e->options;
	/* A new filesystem was made with its attributes. */
	const struct mount_change propagation = {
		.propagation = o->change.propagation,
		.propagation_recursive = o->change.propagation_recursive,
	};
	struct mount_change again = o->change;
	autoclose int tree = -1, target = -1;
	int done;

	if (!o->remount) {
		tree = take_tree(b, e, err);
		if (tree < 0)
			return -1;
		if (o->idmap && boot_idmap(b, tree, o->idmap, o->recursive, err) < 0)
			return -1;
	}
	target = open_target(b, e, err);
	if (target < 0)
		return -1;
	again.shallow = !o->recursive;
	if (o->remount)
		done = mount_alter(target, &again);
	else
		done = mount_place(tree, target, "", o->bind ? &o->change : &propagation);
	return done < 0 ? cannot_mount(e, tree, target, err) : 0;
}

static int mount_list(struct boot *b, const struct mount_entries *list, struct error *err)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct mount_entry *e = &list->v[i];

		if (mount_one(b, e, e->optional ? NULL : err) < 0 && !e->optional)
			return about(e, err);
	}
	return 0;
}

static int mounts_enter(struct boot *b, struct error *err)
{
	const struct mounts_conf *mc = conf_of(b->conf, &section);

	if (mounts_auto_enter(b, &mc->automatic, &mc->places, err) < 0 ||
	    mount_list(b, &mc->automatic.shared, err) < 0 ||
	    mount_list(b, &mc->fstab.entries, err) < 0 || mount_list(b, &mc->entries, err) < 0)
		return -1;
	return mounts_cgroup_enter(b, &mc->automatic, err);
}

const struct part part_mounts = {
	.name = "mounts",
	.section = &section,
	.check = mounts_check,
	.prepare = mounts_prepare,
	.enter = mounts_enter,
};

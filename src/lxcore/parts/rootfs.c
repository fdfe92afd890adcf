/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The root filesystem: found, mounted privately on lxc.rootfs.mount, and at last made the root.
 *
 * In between, every other part reaches the tree through the descriptor b->root only, because names
 * in it are its owner's: a link called 'dev' may point anywhere (CVE-2015-1335).  Host paths are
 * opened by those parts before the pivot, after which the host's tree is gone.
 */
#include "parts/rootfs.h"
#include "base/auto.h"
#include "base/mount.h"
#include "base/path.h"
#include "parts/parts.h"
#include "parts/rootfs_disk.h"
#include "parts/rootfs_init.h"
#include "storage/storage.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/* ---- keys ---- */

static int set_path(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	return conf_path.set(field, key, sub, value, err);
}

/* Users and scripts get the place alone, without 'TYPE:'. */
static void get_path(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	const char *text = *(char *const *)field;

	if (text)
		buf_puts(out, storage_source(text));
}

static void clear_path(void *field, const struct conf_key *key, const char *sub)
{
	conf_path.clear(field, key, sub);
}

static const struct conf_type type_path = {"[TYPE:]SOURCE", set_path, get_path, clear_path,
					   conf_replaces};

/* A word of lxc.rootfs.options that no root filesystem can have; NULL: fine. */
static const char *wrong_option(const struct mount_options *o)
{
	static const char *const of_entries[] = {"create=dir", "create=file", "optional",
						 "relative"};

	for (size_t i = 0; i < ARRAY_SIZE(of_entries); i++)
		if (strv_has(&o->data, of_entries[i]))
			return of_entries[i];
	return o->move ? "move" : o->remount ? "remount" : NULL;
}

static int set_options(void *field, const struct conf_key *key, const char *sub, const char *value,
		       struct error *err)
{
	struct mount_options o;
	const char *wrong = NULL;
	int result = mount_options_parse(value, &o);

	if (result < 0)
		error_set(err, ENOMEM, "cannot keep the value: out of memory");
	else if ((wrong = wrong_option(&o)))
		result = error_set(err, EINVAL,
				   "option \"%s\" is one of lxc.mount.entry, not of a "
				   "root filesystem",
				   wrong);
	mount_options_free(&o);
	return result < 0 ? -1 : conf_string.set(field, key, sub, value, err);
}

static void get_options(const void *field, const struct conf_key *key, const char *sub,
			struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static void clear_options(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

static const struct conf_type type_options = {"OPTION,...", set_options, get_options, clear_options,
					      conf_replaces};

static const struct conf_key keys[] = {
	{"lxc.rootfs.path", &type_path, offsetof(struct rootfs_conf, path),
	 .summary = "Where the root filesystem is; unset: the container shares the host's tree."},
	{"lxc.rootfs.mount", &conf_path, offsetof(struct rootfs_conf, mount),
	 .preset = LXCORE_ROOTFS_MOUNT,
	 .summary = "Existing directory on which the root filesystem is mounted, privately."},
	{"lxc.rootfs.options", &type_options, offsetof(struct rootfs_conf, options),
	 .summary = "Mount options of the root filesystem; idmap=container shows its files, whoever "
		    "owns them on the host, as lxc.idmap maps them, so that containers with "
		    "different maps can share one tree."},
	{"lxc.rootfs.managed", &conf_bool, offsetof(struct rootfs_conf, managed), .preset = "1",
	 .summary = "0: destroying the container leaves the root filesystem alone."},
	{"lxc.limit.disk", &rootfs_disk_type, offsetof(struct rootfs_conf, disk),
	 .summary = "Most bytes in the root filesystem: a quota with btrfs and zfs; the size of loop, "
		    "lvm, rbd and nbd, which a start makes larger where they are smaller. Refused "
		    "where the storage has neither."},
	{NULL},
};

static const struct conf_section section = {"rootfs", sizeof(struct rootfs_conf), keys};

const struct rootfs_conf *rootfs_conf_of(const struct conf *c)
{
	return conf_of(c, &section);
}

/* What 'idmap=' says among the options, to be freed; NULL: it is not there. */
static char *users_of(const struct rootfs_conf *rc)
{
	struct mount_options o = {0};
	char *users = NULL;

	if (rc->options && mount_options_parse(rc->options, &o) == 0 && o.idmap)
		users = strdup(o.idmap);
	mount_options_free(&o);
	return users;
}

bool rootfs_is_idmapped(const struct conf *c)
{
	autofree char *users = users_of(rootfs_conf_of(c));

	return users && strcmp(users, "container") == 0;
}

static const char *mount_point(const struct rootfs_conf *rc)
{
	return rc->mount ? rc->mount : LXCORE_ROOTFS_MOUNT;
}

/* ---- check ---- */

/* Say at the end of the text which setting is at fault. */
static int blame(const struct conf *c, const char *key, struct error *err)
{
	const char *where = conf_where(c, key);
	size_t used;

	if (!err)
		return -1;
	used = strlen(err->text);
	snprintf(err->text + used, sizeof(err->text) - used, where ? " (%s, %s)" : " (%s)", key,
		 where);
	return -1;
}

static int check_options(const struct boot *b, const struct rootfs_conf *rc,
			 const struct storage_driver *d, struct error *err)
{
	struct mount_options o;
	int result = 0;

	if (!rc->options)
		return 0;
	if (mount_options_parse(rc->options, &o) < 0)
		result = error_set(err, ENOMEM, "cannot read the mount options: out of memory");
	else if (o.data.n && !d->mounted_outside)
		result = error_set(err, EINVAL, "cannot mount a directory with option \"%s\"",
				   o.data.v[0]);
	else if (o.idmap)
		result = boot_can_idmap(b, o.idmap, err);
	mount_options_free(&o);
	return result;
}

static int check_mount_point(const struct rootfs_conf *rc, struct error *err)
{
	const char *path = mount_point(rc);
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return 0;
		return error_set(err, ENOTDIR,
				 "cannot mount the root filesystem on \"%s\": "
				 "it is not a directory",
				 path);
	}
	/* Our own default is made when it is missing. */
	if (errno == ENOENT && strcmp(path, LXCORE_ROOTFS_MOUNT) == 0)
		return 0;
	error_sys(err, "cannot mount the root filesystem on \"%s\"", path);
	return error_mend(err, "mkdir -p %s", path);
}

static int check_disk(const struct boot *b, struct error *err)
{
	return rootfs_disk_check(b->conf, err) < 0 ? blame(b->conf, "lxc.limit.disk", err) : 0;
}

static int rootfs_check(const struct boot *b, struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(b->conf);
	autoclose int root = -1;
	struct storage s;

	if (!rc->path) {
		if (check_disk(b, err) < 0)
			return -1;
		root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
		return rootfs_check_init(b, "/", root, err);
	}
	if (storage_parse(rc->path, &s, err) < 0)
		return blame(b->conf, "lxc.rootfs.path", err);
	if (s.driver->check(s.source, err) < 0) {
		blame(b->conf, "lxc.rootfs.path", err);
		return error_mend(err,
				  "lxc-create -n %s -t TEMPLATE      (fills one), or correct "
				  "lxc.rootfs.path",
				  b->name);
	}
	if (check_disk(b, err) < 0)
		return -1;
	if (check_options(b, rc, s.driver, err) < 0)
		return blame(b->conf, "lxc.rootfs.options", err);
	if (check_mount_point(rc, err) < 0)
		return blame(b->conf, "lxc.rootfs.mount", err);
	/* What must be mounted to be looked into is looked into when it is mounted. */
	if (s.driver->mounted_outside)
		return 0;
	root = s.driver->look(s.source, err);
	if (root < 0)
		return blame(b->conf, "lxc.rootfs.path", err);
	return rootfs_check_init(b, s.source, root, err);
}

/* ---- mounting ---- */

/* 'users': whose ids its files' owners are mapped to; NULL: they are not. */
static int mount_tree(const struct rootfs_conf *rc, const struct storage_users *users,
		      struct error *err)
{
	struct mount_options o = {0};
	struct storage s;
	const char *const *data;
	autoclose int tree = -1;

	if (storage_parse(rc->path, &s, err) < 0)
		return -1;
	if (rc->options && mount_options_parse(rc->options, &o) < 0)
		return error_sys(err, "cannot read lxc.rootfs.options");
	data = (const char *const *)o.data.v;
	tree = users && s.driver->mount_mapped ?
		       s.driver->mount_mapped(s.source, data, users, err) :
		       s.driver->mount(s.source, data, err);
	mount_options_free(&o);
	if (tree >= 0 && users && !s.driver->mount_mapped &&
	    mount_idmap(tree, users->fd, true, err) < 0)
		return -1;
	return steal_fd(&tree);
}

enum mounter { BY_SUPERVISOR, BY_SUPERVISOR_MAPPED, BY_FIRST_PROCESS };

/*
 * Only whoever rules the host's mounts may mount what lies on devices, and layers; an ordinary user's
 * root in his namespace may mount layers too.  Owners can be mapped once the container's own user
 * namespace is there.
 */
static enum mounter mounter_of(const struct rootfs_conf *rc)
{
	autofree char *users = users_of(rc);
	struct storage s;

	if (!rc->path || geteuid() != 0 || storage_parse(rc->path, &s, NULL) < 0 ||
	    !s.driver->mounted_outside)
		return BY_FIRST_PROCESS;
	return users ? BY_SUPERVISOR_MAPPED : BY_SUPERVISOR;
}

/* ---- prepare ---- */

static int mount_outside(struct boot *b, const struct storage_users *users, struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(b->conf);
	struct storage s;

	if (storage_parse(rc->path, &s, err) < 0)
		return -1;
	if (s.driver->disconnect && journal_record(&b->journal, "rootfs", rc->path, err) < 0)
		return -1;
	b->root = mount_tree(rc, users, err);
	if (b->root < 0)
		return blame(b->conf, "lxc.rootfs.path", err);
	return rootfs_check_init(b, storage_source(rc->path), b->root, err);
}

static int rootfs_prepare(struct boot *b, struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(b->conf);
	const char *path = mount_point(rc);

	if (!rc->path)
		return 0;
	/* Whatever is mounted now would be mounted on the host. */
	if (!(b->clone_flags & CLONE_NEWNS)) {
		error_set(err, EINVAL,
			  "cannot mount the root filesystem without a mount namespace "
			  "of the container's own");
		return error_mend(err, "take \"mnt\" out of lxc.namespace.keep and lxc.namespace."
				       "share, or unset lxc.rootfs.path");
	}
	/* Part of the installation rather than of this boot: it stays. */
	if (access(path, F_OK) < 0 && path_make_dirs(path, 0755) < 0)
		return error_sys(err, "cannot make the mount point \"%s\" (lxc.rootfs.mount)",
				 path);
	if (rootfs_disk_apply(b->conf, err) < 0)
		return blame(b->conf, "lxc.limit.disk", err);
	/* The descriptor is inherited by the container's first process, which puts the mount in its
	 * place. */
	return mounter_of(rc) == BY_SUPERVISOR ? mount_outside(b, NULL, err) : 0;
}

/* ---- connect ---- */

static int mount_outside_mapped(struct boot *b, const struct rootfs_conf *rc, struct error *err)
{
	autofree char *name = users_of(rc);
	autoclose int users = name ? boot_open_users(b, name, err) :
				     error_set(err, ENOMEM, "out of memory");

	const struct storage_users whose = {users, b->root_uid, b->root_gid};

	return users < 0 ? -1 : mount_outside(b, &whose, err);
}

static int rootfs_connect(struct boot *b, struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(b->conf);

	/* The first process has the mount now. */
	close_fd(&b->root);
	return mounter_of(rc) == BY_SUPERVISOR_MAPPED ? mount_outside_mapped(b, rc, err) : 0;
}

/* ---- enter ---- */

/* The first directory on the way to 'path' that the container's root may not pass. */
static int name_obstacle(const struct boot *b, const char *path, struct error *err)
{
	char part[PATH_MAX];
	size_t passed = 1;

	for (size_t i = 1; path[i] && i < sizeof(part) - 1; i++) {
		autoclose int fd = -1;

		if (path[i] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s/.", (int)i, path);
		fd = open(part, O_PATH | O_CLOEXEC);
		if (fd < 0)
			break;
		passed = i + 1;
	}
	passed += strcspn(path + passed, "/");
	error_set(err, EACCES,
		  "cannot reach the root filesystem \"%s\": the container's root "
		  "(user %u, group %u on this host) may not enter \"%.*s\"",
		  path, b->root_uid, b->root_gid, (int)passed, path);
	return error_mend(err, "chmod o+x %.*s", (int)passed, path);
}

/* Put the mount in its place, with the owners and attributes that lxc.rootfs.options ask for. */
static int place_root(struct boot *b, const struct rootfs_conf *rc, int tree, bool mapped, int at,
		      struct error *err)
{
	struct mount_options o = {0};
	int placed = 0;

	if (rc->options && mount_options_parse(rc->options, &o) < 0)
		return error_sys(err, "cannot read lxc.rootfs.options");
	if (o.idmap && !mapped && boot_idmap(b, tree, o.idmap, true, err) < 0)
		placed = error_within(err, "lxc.rootfs.options = idmap=%s", o.idmap);
	else if (mount_place(tree, at, "", &o.change) < 0)
		placed = error_sys(err, "cannot mount the root filesystem \"%s\" on \"%s\"",
				   storage_source(rc->path), mount_point(rc));
	mount_options_free(&o);
	return placed;
}

static int mount_root(struct boot *b, const struct rootfs_conf *rc, struct error *err)
{
	const char *path = mount_point(rc), *source = storage_source(rc->path);
	autoclose int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	autoclose int tree = steal_fd(&b->root);
	const bool given = tree >= 0;

	if (at < 0)
		return error_sys(err,
				 "cannot mount the root filesystem on \"%s\" "
				 "(lxc.rootfs.mount)",
				 path);
	if (tree < 0)
		tree = mount_tree(rc, NULL, err);
	if (tree < 0)
		return errno == EACCES ? name_obstacle(b, source, err) : -1;
	if (place_root(b, rc, tree, given, at, err) < 0)
		return -1;
	b->root = steal_fd(&tree);
	b->root_mount = path;
	b->has_rootfs = true;
	return 0;
}

/*
 * A procfs that nothing of the container covers: the parts after this write through it what they
 * have to tell the kernel, whatever the container's tree has at /proc (CVE-2019-16884's class).
 */
static int open_proc(struct boot *b, struct error *err)
{
	static const char *const options[] = {"source=proc", NULL};

	b->proc = mount_new("proc", options,
			    MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, err);
	/* In a user namespace a foreign pid namespace's procfs cannot be mounted, only copied. */
	if (b->proc < 0 && errno == EPERM && !(b->clone_flags & CLONE_NEWPID)) {
		error_clear(err);
		b->proc = mount_copy(AT_FDCWD, "/proc", true);
	}
	if (b->proc < 0)
		return error_mend(err,
				  "inside another container: give that one \"lxc.include = "
				  "%s/nesting.conf\"",
				  LXCORE_CONFIGDIR);
	return 0;
}

/*
 * Our root becomes that of our mount namespace.  They differ when lxcore runs in a chroot:
 * pivot_root(2) from there would leave the namespace with the host's tree as its root, open to whoever
 * enters it again (setns(2), lxc-attach(1)).
 */
static int take_real_root(const struct boot *b)
{
	autoclose int ns = openat(b->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

	return ns < 0 ? -1 : setns(ns, CLONE_NEWNS);
}

/* The host's mounts may still reach us, ours shall not reach the host, in a chroot neither. */
static int keep_mounts_from_host(const struct boot *b)
{
	autoclose int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0 || take_real_root(b) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return -1;
	/* The paths of the configuration are those in the chroot. */
	return fchdir(root) < 0 ? -1 : chroot(".");
}

static int rootfs_enter(struct boot *b, struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(b->conf);

	if (open_proc(b, err) < 0)
		return -1;
	if ((b->clone_flags & CLONE_NEWNS) && keep_mounts_from_host(b) < 0)
		return error_sys(err, "cannot keep the container's mounts from the host");
	if (rc->path)
		return mount_root(b, rc, err);
	b->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return b->root < 0 ? error_sys(err, "cannot open \"/\"") : 0;
}

/* ---- offer, adopt ---- */

/* criu takes what is mounted below it along, and hands nothing on to the host. */
static int rootfs_offer(struct boot *b, struct error *err)
{
	if (rootfs_enter(b, err) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return error_sys(err, "cannot keep the restorer's mounts from the host");
	if (strv_add(&b->revival->words, "--root") < 0 ||
	    strv_add(&b->revival->words, b->root_mount) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return 0;
}

static int rootfs_adopt(struct boot *b, struct error *err)
{
	(void)err;
	close_fd(&b->root);
	return 0;
}

/* ---- release ---- */

/* What was connected for this boot; the container's last mounts may go a moment later. */
static void rootfs_release(const struct release *r)
{
	const char *rootfs = NULL;

	if (r->boot)
		close_fd(&r->boot->root);
	while ((rootfs = journal_previous(r->journal, "rootfs", rootfs))) {
		struct storage s;

		if (storage_parse(rootfs, &s, NULL) == 0 && s.driver->disconnect)
			s.driver->disconnect(s.source, NULL);
	}
}

const struct part part_rootfs = {
	.name = "rootfs",
	.section = &section,
	.check = rootfs_check,
	.prepare = rootfs_prepare,
	.connect = rootfs_connect,
	.enter = rootfs_enter,
	.offer = rootfs_offer,
	.adopt = rootfs_adopt,
	.release = rootfs_release,
};

/* ---- pivot ---- */

/* A hook that mounted on the root's mount point itself would see its work lost without a word. */
static int check_not_covered(const struct boot *b, struct error *err)
{
	struct statx mine, seen;

	if (statx(b->root, "", AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, &mine) < 0)
		return error_sys(err, "cannot look at the root filesystem");
	if (statx(AT_FDCWD, b->root_mount, 0, STATX_INO | STATX_MNT_ID, &seen) < 0)
		/* The container's root may not go there, so neither could its hooks. */
		return errno == EACCES ? 0 : error_sys(err, "cannot look at \"%s\"", b->root_mount);
	if (!(mine.stx_mask & STATX_MNT_ID) || mine.stx_mnt_id == seen.stx_mnt_id)
		return 0;
	return error_set(err, EBUSY,
			 "cannot use the root filesystem: a hook mounted something "
			 "else over \"%s\"",
			 b->root_mount);
}

/* The initial ramfs cannot be left by pivot_root(2): its documentation says to move over it. */
static int move_over_ramfs(struct boot *b)
{
	struct statfs fs;

	if (statfs("/", &fs) < 0)
		return -1;
	if (fs.f_type != RAMFS_MAGIC && fs.f_type != TMPFS_MAGIC) {
		errno = EINVAL;
		return -1;
	}
	if (move_mount(b->root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -1;
	return chroot(".");
}

static int pivot_enter(struct boot *b, struct error *err)
{
	if (!b->has_rootfs)
		return 0;
	if (check_not_covered(b, err) < 0)
		return -1;
	if (((b->clone_flags & CLONE_NEWNS) && take_real_root(b) < 0) || fchdir(b->root) < 0)
		return error_sys(err, "cannot enter the root filesystem");
	/* The old root lands on top of the new one and goes from there; pivot_root(2), notes. */
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return error_sys(err, "cannot detach the host's tree");
		return 0;
	}
	if (errno != EINVAL || move_over_ramfs(b) < 0)
		return error_sys(err, "cannot make the root filesystem the root");
	return 0;
}

const struct part part_pivot = {.name = "pivot", .enter = pivot_enter};

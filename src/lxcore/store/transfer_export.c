/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of a container goes into an archive: its configuration as it was written, what lies beside it
 * in the container's directory, and the tree of files that it sees as its root, whatever layers or
 * devices that is made of.  A running container stands still meanwhile.  Then the same of its
 * snapshots.
 */
#include "base/error.h"
#include "store/transfer.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/proc.h"
#include "life/container.h"
#include "parts/rootfs.h"
#include "store/graph.h"
#include "store/mapped.h"
#include "store/snapshot.h"
#include "store/still.h"
#include "store/store.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

struct exporter {
	struct lxcore_container *c;
	const struct lxcore_export *how;
	const struct rootfs_conf *rootfs;
	struct transfer transfer;
	int root;  /* a mount of the root filesystem, to be read alone */
	int files; /* of the container's directory */
	struct lxcore_snapshot *snapshots; /* the oldest first */
	int n_snapshots;
	unsigned pause_us;
};

/* ---- trees to be read ---- */

/* What 'dir' shows: no other mounts, nothing that can be written, no device that can be opened. */
static int make_readable(int dir)
{
	struct mount_change change = {.set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
					     MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
					     MOUNT_ATTR_NOATIME, .clear = MOUNT_ATTR__ATIME};
	autoclose int tree = mount_copy(dir, "", false);

	if (tree < 0 || mount_alter(tree, &change) < 0)
		return -1;
	return steal_fd(&tree);
}

static _Noreturn void look_from_inside(int namespace, int socket)
{
	int tree = setns(namespace, CLONE_NEWNS) < 0 ? -1 : make_readable(open("/", O_PATH));
	int code = tree < 0 ? errno : 0;

	fd_send(socket, &code, sizeof(code), &tree, tree >= 0);
	_exit(0);
}

/*
 * The root of a running container as that sees it: a filesystem that must be mounted must not be
 * mounted twice.
 */
static int look_into_running(struct lxcore_container *c, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/ns/mnt", lxcore_init_pid(c));
	autoclose int namespace = path ? open(path, O_RDONLY | O_CLOEXEC) : -1, tree = -1;
	int pair[2], code = EIO;
	size_t n = 1;
	pid_t pid;

	if (namespace < 0 || fd_socketpair(pair) < 0)
		return error_sys(err, "cannot look into the running container");
	pid = fork();
	if (pid == 0)
		look_from_inside(namespace, pair[1]);
	close(pair[1]);
	if (pid > 0 && fd_receive(pair[0], &code, sizeof(code), &tree, &n) != sizeof(code))
		code = EIO;
	close(pair[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	errno = pid < 0 ? errno : code;
	if (pid < 0 || code || tree < 0)
		return error_sys(err, "cannot look into the running container");
	return steal_fd(&tree);
}

/* A mount of the root filesystem of 'c', to be read alone. */
static int look_at_root(struct lxcore_container *c, bool running, struct error *err)
{
	struct conf *conf = container_conf(c, err);
	const char *path = conf ? rootfs_conf_of(conf)->path : NULL;
	autoclose int root = -1;
	struct storage s;
	int tree;

	if (!conf)
		return -1;
	if (!path)
		return error_set(err, ENOTSUP, "it has no root filesystem of its own "
				 "(lxc.rootfs.path)");
	if (storage_parse(path, &s, err) < 0)
		return -1;
	if (running && s.driver->mounted_outside)
		return look_into_running(c, err);
	root = s.driver->look(s.source, err);
	if (root < 0)
		return -1;
	tree = make_readable(root);
	return tree < 0 ? error_sys(err, "cannot mount its root filesystem to read it") : tree;
}

static int look_at_files(struct exporter *x, struct error *err)
{
	autoclose int dir = open(x->c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	x->files = dir < 0 ? -1 : make_readable(dir);
	return x->files < 0 ? error_sys(err, "cannot look into \"%s\"", x->c->dir) : 0;
}

/* ---- members ---- */

static int add_text(struct exporter *x, const char *name, const struct buf *text, struct error *err)
{
	struct wire message = {.what = WIRE_TEXT};
	autoclose int fd = transfer_memory(text->s ? text->s : "", text->len, err);

	if (fd < 0)
		return -1;
	snprintf(message.name, sizeof(message.name), "%s", name);
	return transfer_ask(&x->transfer, &message, fd, err);
}

static int add_head(struct exporter *x, struct error *err)
{
	const struct transfer_head head = {
		.name = x->c->name, .dir = x->c->dir, .configdir = (char[]){LXCORE_CONFIGDIR},
		.hookdir = (char[]){LXCORE_HOOKDIR}, .bytes = x->transfer.total_bytes,
		.files = x->transfer.total_files,
	};
	autobuf struct buf text = BUF_INIT;

	if (transfer_head_write(&head, &text) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return add_text(x, TRANSFER_HEAD, &text, err);
}

static int add_config(struct exporter *x, const struct lxcore_container *c, const char *member,
		      struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, c->config_file, &text) < 0)
		return error_sys(err, "cannot read \"%s\"", c->config_file);
	return add_text(x, member, &text, err);
}

static int add_tree(struct exporter *x, struct wire *message, const char *name, int fd,
		    struct error *err)
{
	message->what = WIRE_TREE;
	snprintf(message->name, sizeof(message->name), "%s", name);
	return transfer_ask(&x->transfer, message, fd, err);
}

/* Names in the container's directory that are not packed as files: storage, marks, and what has a
 * member of its own. */
static void list_skipped(const struct exporter *x, char *ret, size_t size)
{
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv places = {0};

	buf_puts(&text, "config rootfs overlay snaps " STORE_PARTIAL " " STORE_RESTORING " "
		 STORE_RENAMED " " GRAPH_USERS " " GRAPH_OWNERS);
	strv_split(&places, storage_source(x->rootfs->path), ":");
	for (size_t i = 0; i < places.n; i++) {
		size_t n = strlen(x->c->dir);
		const char *rest = places.v[i] + n + 1;

		if (str_starts(places.v[i], x->c->dir) && places.v[i][n] == '/')
			buf_addf(&text, " %.*s", (int)strcspn(rest, "/"), rest);
	}
	snprintf(ret, size, "%s", text.failed ? "" : text.s);
}

static int add_files(struct exporter *x, struct error *err)
{
	struct wire message = {.what = WIRE_TREE};

	list_skipped(x, message.skip, sizeof(message.skip));
	return add_tree(x, &message, TRANSFER_FILES, x->files, err);
}

/* 'c' is the container or one of its snapshots, which have the ids that it has. */
static int add_rootfs(struct exporter *x, const struct lxcore_container *c, int root,
		      const char *member, struct error *err)
{
	struct wire message = {.what = WIRE_TREE};

	if (idmap_look(c->conf, x->c->lxcpath, x->c->name, err) < 0)
		return -1;
	transfer_ids(mapped_on_disk(c->conf), &message.ids);
	return add_tree(x, &message, member, root, err);
}

static int begin(struct exporter *x, struct error *err)
{
	const struct wire message = {.what = WIRE_BEGIN, .level = x->how->level ? x->how->level : 3,
				     .threads = x->how->threads};

	return transfer_ask(&x->transfer, &message, x->how->fd, err);
}

static int add_container(void *data, struct error *err)
{
	struct exporter *x = data;

	if (add_head(x, err) < 0 || add_config(x, x->c, TRANSFER_CONFIG, err) < 0 ||
	    add_files(x, err) < 0)
		return -1;
	return add_rootfs(x, x->c, x->root, TRANSFER_ROOTFS, err);
}

/* ---- snapshots ---- */

static int add_notes(struct exporter *x, const struct lxcore_snapshot *s, const char *member,
		     struct error *err)
{
	autofree char *current = snapshot_current(x->c);
	autobuf struct buf text = BUF_INIT;

	if (transfer_notes_write(s, current && strcmp(current, s->name) == 0, &text) < 0)
		return error_set(err, ENOMEM, "out of memory");
	return add_text(x, member, &text, err);
}

static int add_snapshot(struct exporter *x, lxcore_container *s, int number, struct error *err)
{
	autoclose int root = look_at_root(s, false, err);
	char notes[WIRE_NAME], config[WIRE_NAME], rootfs[WIRE_NAME];

	snprintf(notes, sizeof(notes), TRANSFER_SNAPSHOT "%d", number);
	snprintf(config, sizeof(config), TRANSFER_SNAPSHOT "%d." TRANSFER_CONFIG, number);
	snprintf(rootfs, sizeof(rootfs), TRANSFER_SNAPSHOT "%d." TRANSFER_ROOTFS, number);
	if (root < 0 || add_notes(x, &x->snapshots[number], notes, err) < 0 ||
	    add_config(x, s, config, err) < 0)
		return -1;
	return add_rootfs(x, s, root, rootfs, err);
}

typedef int snapshot_act(struct exporter *x, lxcore_container *s, int number, struct error *err);

static int each_snapshot(struct exporter *x, snapshot_act *act, struct error *err)
{
	int result = 0;

	for (int i = 0; result == 0 && i < x->n_snapshots; i++) {
		lxcore_container *s = snapshot_open(x->c, x->snapshots[i].name, err);

		result = s ? act(x, s, i, err) : -1;
		lxcore_close(s);
		if (result < 0)
			error_within(err, "snapshot %s", x->snapshots[i].name);
	}
	return result;
}

/* ---- the door ---- */

static int measure_tree(struct exporter *x, int root, struct error *err)
{
	struct copy_result size = {0};

	if (copy_measure(root, NULL, &size, err) < 0)
		return -1;
	x->transfer.total_bytes += size.bytes;
	x->transfer.total_files += size.files + size.directories + size.symlinks + size.others +
				   size.links;
	return 0;
}

static int measure_snapshot(struct exporter *x, lxcore_container *s, int number, struct error *err)
{
	autoclose int root = look_at_root(s, false, err);

	return root < 0 ? -1 : measure_tree(x, root, err);
}

/* What there is to do is told before it begins, and to whoever will unpack it. */
static int measure(struct exporter *x, struct error *err)
{
	if (!x->how->no_snapshots)
		x->n_snapshots = lxcore_snapshots(x->c, &x->snapshots, err);
	if (x->n_snapshots < 0 || measure_tree(x, x->root, err) < 0)
		return -1;
	return each_snapshot(x, measure_snapshot, err);
}

/* Snapshots never change: what they have is read when the container goes on again. */
static int export_it(struct exporter *x, bool running, struct error *err)
{
	const struct wire end = {.what = WIRE_END};

	x->root = look_at_root(x->c, running, err);
	if (x->root < 0 || look_at_files(x, err) < 0 || measure(x, err) < 0 ||
	    transfer_start(&x->transfer, "pack", err) < 0 || begin(x, err) < 0 ||
	    still_do(x->c, add_container, x, &x->pause_us, err) < 0 ||
	    each_snapshot(x, add_snapshot, err) < 0)
		return -1;
	return transfer_ask(&x->transfer, &end, -1, err);
}

/* Nobody starts, changes or removes a stopped one meanwhile. */
static int export_stopped(struct exporter *x, struct error *err)
{
	autoclose int lock = -1, rundir = -1;
	int result;

	rundir = rundir_lock(x->c->lxcpath, x->c->name, 0, &lock, err);
	if (rundir < 0)
		return -1;
	result = export_it(x, false, err);
	rundir_remove(x->c->lxcpath, x->c->name, rundir);
	return result;
}

static int refuse_running(const struct lxcore_container *c, struct error *err)
{
	error_set(err, EBUSY, "cannot export it: it is running");
	return error_mend(err, "lxc-stop -n %s", c->name);
}

static int export(struct exporter *x, struct error *err)
{
	autohold struct hold hold = HOLD_INIT; /* its snapshots stay */
	struct conf *conf;

	if (!lxcore_is_defined(x->c)) {
		error_set(err, ENOENT, "there is no such container in \"%s\"", x->c->lxcpath);
		return error_mend(err, "lxc-ls -P %s      (shows those that there are)",
				  x->c->lxcpath);
	}
	if (x->how->level < 0 || x->how->level > 19)
		return error_set(err, EINVAL, "cannot compress at level %d: levels are 1 to 19",
				 x->how->level);
	conf = hold_take(x->c, HOLD_SHARED, &hold, err) < 0 ? NULL : container_conf(x->c, err);
	if (!conf)
		return -1;
	x->rootfs = rootfs_conf_of(conf);
	if (lxcore_state(x->c) == LXCORE_STOPPED)
		return export_stopped(x, err);
	return x->how->allow_running ? export_it(x, true, err) : refuse_running(x->c, err);
}

int lxcore_export(lxcore_container *c, const struct lxcore_export *how, struct lxcore_exported *ret,
		  lxcore_error *err)
{
	struct exporter x = {.c = c, .how = how, .root = -1, .files = -1,
			     .transfer = TRANSFER_NONE};
	int result;

	x.transfer.progress = how->progress;
	x.transfer.data = how->data;
	result = export(&x, err);
	if (ret)
		*ret = (struct lxcore_exported){
			.bytes = x.transfer.count.bytes, .files = x.transfer.count.files,
			.archive_bytes = x.transfer.count.archive_bytes,
			.sockets = x.transfer.count.left_out, .pause_us = x.pause_us,
			.snapshots = x.n_snapshots > 0 ? (unsigned)x.n_snapshots : 0,
		};
	transfer_end(&x.transfer);
	close_fd(&x.root);
	close_fd(&x.files);
	if (x.n_snapshots >= 0)
		lxcore_snapshots_free(x.snapshots, x.n_snapshots);
	return result < 0 ? error_within(err, "%s", c->name) : 0;
}

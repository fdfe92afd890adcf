/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What of an archive becomes a container.  The container is born (birth.h) when its configuration was
 * read, and its trees are unpacked in their places; it is none before lxc-transfer has seen the
 * archive's end and found everything as the manifest says.
 */
#include "base/error.h"
#include "life/events.h"
#include "store/graph.h"
#include "store/transfer_import.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/path.h"
#include "base/tree.h"
#include "parts/rootfs.h"
#include "store/mapped.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MOST_BYTES (256ull << 30)
#define MOST_FILES 4000000
#define FILES_DIR ".files" /* in the container's directory, while it is made */

/* ---- texts ---- */

static int read_whole(int fd, struct buf *text, struct error *err)
{
	buf_puts(text, "");
	if (fd < 0 || fd_read_all(fd, text, WIRE_LONGEST_TEXT) < 0)
		return error_sys(err, "cannot read a text of the archive");
	if (strlen(text->s) != text->len)
		return error_set(err, EINVAL, "the archive is damaged: a text has NUL bytes");
	return 0;
}

static int take_text(struct importer *m, const char *name, int fd, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (read_whole(fd, &text, err) < 0)
		return -1;
	if (strcmp(name, TRANSFER_HEAD) == 0 && !m->head.name) {
		if (transfer_head_read(text.s, &m->head, err) < 0)
			return -1;
		m->transfer.total_bytes = m->head.bytes;
		m->transfer.total_files = m->head.files;
		return 0;
	}
	if (strcmp(name, TRANSFER_CONFIG) == 0 && !m->config) {
		m->config = buf_steal(&text);
		return 0;
	}
	if (import_is_of_snapshot(name))
		return import_snapshot_text(m, name, &text, err);
	return error_set(err, ENOTSUP, "cannot take \"%s\" from the archive: this program does not "
			 "know it", name);
}

/* ---- the configuration ---- */

static int load_config(struct importer *m, lxcore_container *c, const char *of_archive,
		       struct error *err)
{
	autofree char *text = NULL;

	c->conf = conf_new(c->sections.v);
	if (!c->conf)
		return error_set(err, ENOMEM, "out of memory");
	if (m->how->config)
		return conf_load(c->conf, m->how->config, err);
	if (!of_archive)
		return error_set(err, EINVAL, "the archive is damaged: it has no configuration");
	text = transfer_config_moved(of_archive, &m->head, m->c->dir);
	if (!text)
		return error_set(err, ENOMEM, "out of memory");
	if (!m->how->trust && transfer_config_check(text, err) < 0)
		return -1;
	return conf_load_text(c->conf, text, c->config_file, err);
}

/* It is called as it was unless it has another name now. */
static int set_name(struct importer *m, struct conf *conf, struct error *err)
{
	autobuf struct buf name = BUF_INIT;

	if (conf_get(conf, "lxc.uts.name", &name, err) < 0)
		return -1;
	if (name.len && strcmp(name.s, m->head.name) != 0)
		return 0;
	return conf_set(conf, "lxc.uts.name", m->c->name, err);
}

static int set_settings(struct importer *m, struct conf *conf, struct error *err)
{
	for (const char *const *s = m->how->settings; s && *s; s++) {
		const char *equals = strchr(*s, '=');
		autofree char *key = equals ? strndup(*s, (size_t)(equals - *s)) : NULL;

		if (!key)
			return error_set(err, EINVAL, "cannot set \"%s\": it is written KEY=VALUE",
					 *s);
		if (conf_set(conf, key, equals + 1, err) < 0)
			return -1;
	}
	return 0;
}

int import_config(struct importer *m, lxcore_container *c, const char *text, struct error *err)
{
	if (load_config(m, c, text, err) < 0 || set_name(m, c->conf, err) < 0)
		return -1;
	return set_settings(m, c->conf, err);
}

/* ---- the places ---- */

/* Nothing that is unpacked there is executed, and no bit or device works meanwhile. */
static int make_writable(int dir, struct error *err)
{
	struct mount_change change = {.set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					     MOUNT_ATTR_NOEXEC};
	autoclose int tree = mount_copy(dir, "", false);

	if (tree < 0 || mount_alter(tree, &change) < 0)
		return error_sys(err, "cannot mount the place of the files");
	return steal_fd(&tree);
}

static int place_rootfs(struct importer *m, lxcore_container *c,
			const struct storage_driver *driver, const struct storage_new *new,
			char **ret_source, struct error *err)
{
	autofree char *path = NULL;

	if (driver->place(new, ret_source, err) < 0)
		return -1;
	path = str_printf("%s:%s", driver->name, *ret_source);
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (birth_makes(&m->birth, path, err) < 0 ||
	    conf_set(c->conf, "lxc.rootfs.path", path, err) < 0 ||
	    conf_unset(c->conf, "lxc.rootfs.managed", err) < 0)
		return -1;
	if (file_replace(AT_FDCWD, c->config_file, conf_text(c->conf), 0640) < 0)
		return error_sys(err, "cannot write \"%s\"", c->config_file);
	return 0;
}

int import_rootfs(struct importer *m, lxcore_container *c, const char *storage, struct error *err)
{
	struct storage_new new = {.name = c->name, .dir = c->dir};
	const struct storage_driver *driver = storage_choose(storage, &new, err);
	autofree char *source = NULL;
	autoclose int root = -1;

	/* Snapshots have the ids of their container. */
	if (!driver || idmap_claim(c->conf, m->c->lxcpath, m->c->name, err) < 0)
		return -1;
	store_owner(c->conf, &new.uid, &new.gid);
	if (place_rootfs(m, c, driver, &new, &source, err) < 0 ||
	    driver->create(source, &new, err) < 0)
		return -1;
	root = driver->look(source, err);
	return root < 0 ? -1 : make_writable(root, err);
}

static int make_files(struct importer *m, struct error *err)
{
	autofree char *path = str_printf("%s/" FILES_DIR, m->c->dir);
	autoclose int dir = -1;

	if (!path || mkdir(path, 0700) < 0)
		return error_sys(err, "cannot make \"%s\"", path ? path : FILES_DIR);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return dir < 0 ? error_sys(err, "cannot open \"%s\"", path) : make_writable(dir, err);
}

static int be_born(struct importer *m, struct error *err)
{
	const char *name = m->how->name ? m->how->name : m->head.name;

	if (!name)
		return error_set(err, EINVAL, "this is no archive of lxc-export(1)");
	m->c = lxcore_open(m->lxcpath, name, err);
	if (!m->c || birth_begin(m->c, &m->birth, err) < 0)
		return -1;
	m->born = true;
	return import_config(m, m->c, m->config, err);
}

/* A descriptor of the place of a tree, and the ids of what will be there. */
static int make_place(struct importer *m, const char *name, struct wire_ids *ids, struct error *err)
{
	int root;

	if (strcmp(name, TRANSFER_FILES) == 0)
		return make_files(m, err);
	if (import_is_of_snapshot(name))
		return import_snapshot_tree(m, name, ids, err);
	root = import_rootfs(m, m->c, m->how->storage, err);
	transfer_ids(mapped_on_disk(m->c->conf), ids);
	m->rootfs = true;
	return root;
}

static int take_tree(struct importer *m, const char *name, struct error *err)
{
	struct wire go = {.what = WIRE_GO, .devices = m->how->devices || m->how->trust,
			  .all_attributes = m->how->trust};
	autoclose int dir = -1;
	int fds[2];

	if (strcmp(name, TRANSFER_ROOTFS) != 0 && strcmp(name, TRANSFER_FILES) != 0 &&
	    !import_is_of_snapshot(name))
		return error_set(err, ENOTSUP, "cannot take \"%s\" from the archive: this program "
				 "does not know it", name);
	if (!m->born && be_born(m, err) < 0)
		return -1;
	dir = make_place(m, name, &go.ids, err);
	if (dir < 0)
		return -1;
	fds[0] = dir;
	/* With our lock: nothing is removed under a program that still writes. */
	fds[1] = m->birth.partial;
	return wire_send(m->transfer.socket, &go, fds, 2) < 0 ?
		       error_sys(err, "cannot answer") : 0;
}

/* ---- the end ---- */

static bool is_reserved(const char *name)
{
	static const char *const names[] = {"config", "rootfs", "overlay", "snaps", STORE_PARTIAL,
					    STORE_RESTORING, STORE_RENAMED, GRAPH_USERS,
					    GRAPH_OWNERS};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return *name == '.';
}

/* What lay beside the configuration lies there again. */
static int move_files(int from, int to, struct error *err)
{
	autodir DIR *list = fdopendir(dup(from));
	autostrv struct strv names = {0};
	struct dirent *entry;

	while (list && (entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strv_add(&names, entry->d_name) < 0)
			return error_set(err, ENOMEM, "out of memory");
	if (!list)
		return error_sys(err, "cannot read the files of the archive");
	for (size_t i = 0; i < names.n; i++) {
		if (is_reserved(names.v[i]))
			return error_set(err, EPERM, "cannot take \"%s\" from the archive: the name "
					 "is ours", names.v[i]);
		if (renameat2(from, names.v[i], to, names.v[i], RENAME_NOREPLACE) < 0)
			return error_sys(err, "cannot put \"%s\" in its place", names.v[i]);
	}
	return 0;
}

static int settle_files(struct importer *m, struct error *err)
{
	autoclose int dir = open(m->c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), files = -1;

	if (dir < 0)
		return error_sys(err, "cannot open \"%s\"", m->c->dir);
	files = openat(dir, FILES_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (files < 0 && errno == ENOENT)
		return 0;
	if (files < 0 || move_files(files, dir, err) < 0)
		return files < 0 ? error_sys(err, "cannot open the files of the archive") : -1;
	return tree_remove(dir, FILES_DIR, err);
}

static int finish(struct importer *m, struct error *err)
{
	autoclose int dir = -1;

	if (!m->born || !m->rootfs)
		return error_set(err, EINVAL, "the archive is damaged: it has no root filesystem");
	if (settle_files(m, err) < 0 || import_snapshots_finish(m, err) < 0)
		return -1;
	/* What is a container from now on is on the disk. */
	dir = open(m->c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || syncfs(dir) < 0)
		return error_sys(err, "cannot write the container to the disk");
	m->born = false;
	return birth_finish(&m->birth, err);
}

/* ---- the door ---- */

static int answer(struct importer *m, const struct wire *message, int fd, struct error *err)
{
	const struct wire go = {.what = WIRE_GO};

	if (message->what == WIRE_TREE)
		return take_tree(m, message->name, err);
	if (message->what != WIRE_TEXT)
		return error_set(err, EPROTO, "lxc-transfer said what was not expected");
	if (take_text(m, message->name, fd, err) < 0)
		return -1;
	return wire_send(m->transfer.socket, &go, NULL, 0) < 0 ? error_sys(err, "cannot answer") :
								  0;
}

static int listen_to_it(struct importer *m, struct error *err)
{
	struct wire message;
	int fds[2], result;

	do {
		if (transfer_listen(&m->transfer, &message, fds, err) < 0)
			return -1;
		if (message.what == WIRE_DONE) {
			m->transfer.count = message.count;
			return finish(m, err);
		}
		result = answer(m, &message, fds[0], err);
		close_fd(&fds[0]);
		close_fd(&fds[1]);
	} while (result == 0);
	return -1;
}

static int import(struct importer *m, struct error *err)
{
	const struct wire begin = {
		.what = WIRE_BEGIN,
		.limits.bytes = m->how->max_bytes ? m->how->max_bytes : MOST_BYTES,
		.limits.files = m->how->max_files ? m->how->max_files : MOST_FILES,
	};

	if (transfer_start(&m->transfer, "unpack", err) < 0)
		return -1;
	if (wire_send(m->transfer.socket, &begin, &m->how->fd, 1) < 0 && errno != EPIPE)
		return error_sys(err, "cannot give the archive to lxc-transfer");
	return listen_to_it(m, err);
}

static void keep_result(struct importer *m, struct lxcore_imported *ret)
{
	*ret = (struct lxcore_imported){
		.name = strdup(m->c->name), .bytes = m->transfer.count.bytes,
		.files = m->transfer.count.files, .devices = m->transfer.count.left_out,
		.archive_bytes = m->transfer.count.archive_bytes, .snapshots = m->snapshots.n,
	};
}

int lxcore_import(const char *lxcpath, const struct lxcore_import *how, struct lxcore_imported *ret,
		  lxcore_error *err)
{
	struct importer m = {.lxcpath = lxcpath, .how = how, .transfer = TRANSFER_NONE};
	const char *name;
	int result;

	m.transfer.progress = how->progress;
	m.transfer.data = how->data;
	result = import(&m, err);
	/* It must not write any more when what it wrote is removed. */
	transfer_end(&m.transfer);
	if (m.born)
		birth_abandon(&m.birth);
	if (result == 0)
		events_tell(m.c->lxcpath, m.c->name, LXCORE_EVENT_CREATE, NULL);
	if (result == 0 && ret)
		keep_result(&m, ret);
	name = how->name ? how->name : m.head.name;
	if (result < 0 && name)
		error_within(err, "%s", name);
	import_snapshots_free(&m);
	lxcore_close(m.c);
	transfer_head_free(&m.head);
	free(m.config);
	return result;
}

void lxcore_imported_free(struct lxcore_imported *r)
{
	free(steal_ptr(&r->name));
}

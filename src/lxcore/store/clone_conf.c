/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A clone's configuration: the source's text as its author wrote it, with what is the clone's own; the
 * files of the source's directory that it names (hooks, an fstab); its identity; clone hooks.
 */
#include "base/auto.h"
#include "base/copy.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/mount.h"
#include "base/proc.h"
#include "parts/hooks.h"
#include "parts/rootfs.h"
#include "store/clone.h"
#include "store/graph.h"
#include "store/identity.h"
#include "store/mapped.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* ---- the text ---- */

static bool ends_a_path(char c)
{
	return !c || strchr(" \t\r\n=:\",'", c) != NULL;
}

/* The next place where a path below 'home' begins; NULL: there is none. */
static const char *find_path(const char *text, const char *at, const char *home)
{
	size_t n = strlen(home);

	for (; (at = strstr(at, home)); at++)
		if ((at == text || ends_a_path(at[-1])) && at[n] == '/')
			return at;
	return NULL;
}

/* Paths below the source's directory are below the clone's from now on. */
static char *move_paths(const char *text, const char *home, const char *to)
{
	struct buf out = BUF_INIT;
	const char *at = text, *next;

	for (; (next = find_path(text, at, home)); at = next + strlen(home)) {
		buf_add(&out, at, (size_t)(next - at));
		buf_puts(&out, to);
	}
	buf_puts(&out, at);
	return buf_steal(&out);
}

static int load_moved(struct clone *k, struct error *err)
{
	struct conf *old = container_conf(k->from, err);
	autofree char *text = NULL;

	if (!old)
		return -1;
	text = k->same ? strdup(conf_text(old)) : move_paths(conf_text(old), k->home, k->to->dir);
	k->to->conf = conf_new(k->to->sections.v);
	if (!text || !k->to->conf)
		return error_set(err, ENOMEM, "out of memory");
	/* Under the source's name, so that relative includes are found. */
	return conf_load_text(k->to->conf, text, k->from->config_file, err);
}

/* ---- settings ---- */

static int set_each(struct conf *conf, const char *const *settings, struct error *err)
{
	for (; settings && *settings; settings++) {
		const char *equals = strchr(*settings, '=');
		autofree char *key = equals ? strndup(*settings, (size_t)(equals - *settings)) : NULL;

		if (!equals)
			return error_set(err, EINVAL, "cannot set \"%s\": it is not KEY=VALUE",
					 *settings);
		if (!key)
			return error_set(err, ENOMEM, "out of memory");
		if (conf_set(conf, key, equals + 1, err) < 0)
			return -1;
	}
	return 0;
}

static int set_tmpfs(struct clone *k, struct error *err)
{
	const char *old = rootfs_conf_of(k->to->conf)->options;
	autofree char *new = old ? str_printf("%s,tmpfs", old) : strdup("tmpfs");

	if (k->way != WAY_LAYERS)
		return error_set(err, EINVAL, "cannot keep in memory what it writes: only layers "
				 "(overlay) can");
	return new ? conf_set(k->to->conf, "lxc.rootfs.options", new, err) :
		     error_set(err, ENOMEM, "out of memory");
}

int clone_conf_make(struct clone *k, struct error *err)
{
	const struct lxcore_copy *how = k->how;
	struct conf *conf;

	if (load_moved(k, err) < 0)
		return -1;
	conf = k->to->conf;
	if (k->same)
		return 0;
	if (!how->keep_name && conf_set(conf, "lxc.uts.name", k->to->name, err) < 0)
		return -1;
	if (!how->keep_mac && identity_new_macs(conf, err) < 0)
		return -1;
	if (how->ephemeral && conf_set(conf, "lxc.ephemeral", "1", err) < 0)
		return -1;
	if (how->tmpfs && set_tmpfs(k, err) < 0)
		return -1;
	return set_each(conf, how->settings, err);
}

/* ---- files that it names ---- */

/* What is there for other reasons, or comes about in other ways. */
static bool is_no_file_of_it(const char *name)
{
	static const char *const others[] = {"rootfs", "overlay", "snaps", "config",
					     STORE_PARTIAL, GRAPH_OWNERS, GRAPH_USERS};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (strcmp(name, others[i]) == 0)
			return true;
	/* Images of root filesystems: rootdev, rootdev.qcow2 and the like. */
	return str_ends(name, ".log") || str_starts(name, "rootfs.") || str_starts(name, "rootdev");
}

/* It may be a program as well as a text. */
static int copy_file(const char *from, const char *to, mode_t mode, struct error *err)
{
	autobuf struct buf bytes = BUF_INIT;
	autoclose int fd = -1;

	if (file_read(AT_FDCWD, from, &bytes) < 0)
		return error_sys(err, "cannot read \"%s\"", from);
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || (bytes.len && fd_write_all(fd, bytes.s, bytes.len) < 0) ||
	    fchmod(fd, mode & 07777) < 0)
		return error_sys(err, "cannot write \"%s\"", to);
	return 0;
}

static int copy_dir(const char *from, const char *to, struct error *err)
{
	autoclose int source = open(from, O_PATH | O_DIRECTORY | O_CLOEXEC), target = -1;

	if (mkdir(to, 0700) < 0 && errno != EEXIST)
		return error_sys(err, "cannot make \"%s\"", to);
	target = open(to, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (source < 0 || target < 0)
		return error_sys(err, "cannot open \"%s\"", source < 0 ? from : to);
	return copy_tree(source, target, NULL, NULL, err);
}

static int copy_one(struct clone *k, const char *name, struct error *err)
{
	autofree char *from = str_printf("%s/%s", k->home, name);
	autofree char *to = str_printf("%s/%s", k->to->dir, name);
	struct stat st;

	if (!from || !to)
		return error_set(err, ENOMEM, "out of memory");
	/* A log, say, that nobody wrote yet. */
	if (lstat(from, &st) < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot look at \"%s\"", from);
	if (S_ISDIR(st.st_mode))
		return copy_dir(from, to, err);
	return S_ISREG(st.st_mode) ? copy_file(from, to, st.st_mode, err) : 0;
}

int clone_conf_files(struct clone *k, struct error *err)
{
	struct conf *old = container_conf(k->from, err);
	const char *text = old ? conf_text(old) : NULL, *at = text;
	autostrv struct strv done = {0};

	if (!old)
		return -1;
	for (; (at = find_path(text, at, k->home)); at++) {
		const char *begin = at + strlen(k->home) + 1, *end = begin;
		char name[256];

		while (!ends_a_path(*end) && *end != '/')
			end++;
		snprintf(name, sizeof(name), "%.*s", (int)(end - begin), begin);
		if (!*name || *name == '.' || is_no_file_of_it(name) || strv_has(&done, name))
			continue;
		if (strv_add(&done, name) < 0)
			return error_set(err, ENOMEM, "out of memory");
		if (copy_one(k, name, err) < 0)
			return -1;
	}
	return 0;
}

/* ---- clone hooks ---- */

struct mounted_hooks {
	struct clone *k;
	struct store_moment moment;
};

/* In a child: what is mounted there is seen by the hooks alone. */
static int run_mounted(void *data, struct error *err)
{
	struct mounted_hooks *m = data;
	const char *at = m->moment.root;
	autoclose int tree = -1, target = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL) < 0)
		return error_sys(err, "cannot keep the mount of the clone's root filesystem private");
	tree = m->k->driver->mount(m->k->place, NULL, err);
	target = open(at, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (tree < 0)
		return -1;
	if (target < 0 || mount_place(tree, target, "", NULL) < 0)
		return error_sys(err, "cannot mount the clone's root filesystem on \"%s\"", at);
	return store_run_hooks(m->k->to, HOOK_CLONE, &m->moment, err);
}

/* As root of an ordinary user's container; what is changed of the configuration stays the user's. */
static int run_as_root(void *data, struct error *err)
{
	struct mounted_hooks *m = data;
	struct lxcore_container *to = m->k->to;
	struct stat home;
	int result = m->k->driver && m->k->driver->mounted_outside ?
			     run_mounted(m, err) : store_run_hooks(to, HOOK_CLONE, &m->moment, err);

	if (result < 0 || stat(to->dir, &home) < 0)
		return result;
	return chown(to->config_file, home.st_uid, home.st_gid) < 0 ?
		       error_sys(err, "cannot give \"%s\" to its owner", to->config_file) : result;
}

static int add_words(struct clone *k, const char *root, struct strv *env, struct strv *args)
{
	for (size_t i = 0; k->how->hook_args && k->how->hook_args[i]; i++)
		if (strv_add(args, k->how->hook_args[i]) < 0)
			return -1;
	return strv_take(env, str_printf("LXC_SRC_NAME=%s", k->from->name)) < 0 ||
	       strv_take(env, str_printf("LXC_CONFIG_FILE=%s", k->to->config_file)) < 0 ||
	       (root && strv_take(env, str_printf("LXC_ROOTFS_MOUNT=%s", root)) < 0) ? -1 : 0;
}

static int run_hooks(struct clone *k, struct error *err)
{
	struct conf *conf = k->to->conf;
	autostrv struct strv env = {0}, args = {0};
	bool mounted = k->driver && k->driver->mounted_outside;
	struct mounted_hooks m = {.k = k, .moment = {
		.env = &env, .args = &args,
		.root = mounted ? rootfs_conf_of(conf)->mount : k->place}};
	int result;

	if (!hooks_any(conf, HOOK_CLONE))
		return 0;
	if (add_words(k, m.moment.root, &env, &args) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (geteuid() != 0)
		result = mapped_as_root(conf, run_as_root, &m, err);
	else
		result = mounted ? proc_call(run_mounted, &m, err) :
				   store_run_hooks(k->to, HOOK_CLONE, &m.moment, err);
	/* They may have changed the clone's configuration. */
	conf_free(steal_ptr(&k->to->conf));
	return result;
}

/* ---- identity ---- */

struct change {
	struct clone *k;
	const char *old_name;
};

static int change_files(void *data, struct error *err)
{
	const struct change *c = data;
	struct clone *k = c->k;
	autoclose int root = k->driver->look(k->place, err);

	if (root < 0)
		return -1;
	if (!k->how->keep_name && identity_rename(root, c->old_name, k->to->name, err) < 0)
		return -1;
	if (k->how->new_ssh_keys && identity_new_ssh_keys(root, k->to->name, err) < 0)
		return -1;
	return identity_new_machine_id(root, err);
}

int clone_identity(struct clone *k, struct error *err)
{
	struct conf *old = container_conf(k->from, err);
	autobuf struct buf name = BUF_INIT;
	struct change change;

	if (!old || conf_get(old, "lxc.uts.name", &name, err) < 0)
		return -1;
	change = (struct change){k, name.len ? name.s : k->from->name};
	if (k->driver && mapped_do(change_files, &change, err) < 0)
		return -1;
	return run_hooks(k, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Removing containers.  The container's directory is renamed out of the way first, so that from one
 * moment to the next it is gone whole; then what was renamed is removed, by whoever comes by last.
 */
#include "base/error.h"
#include "life/events.h"
#include "store/store.h"
#include "base/fd.h"
#include "parts/idmap.h"
#include "parts/network/network.h"
#include "parts/rootfs.h"
#include "store/graph.h"
#include "store/mapped.h"
#include "store/snapshot.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

char *store_trash_path(const struct lxcore_container *c)
{
	return str_printf("%s/.trash-%s", c->lxcpath, c->name);
}

bool store_is_partial(struct lxcore_container *c, bool *ret_locked)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, c->dir);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = path ? open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
	autobuf struct buf words = BUF_INIT;

	if (fd < 0)
		return false;
	*ret_locked = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	return *ret_locked || (fd_read_all(fd, &words, 16384) == 0 &&
			       str_starts(words.s, STORE_PARTIAL_WORDS));
}

static bool holds_lock(struct lxcore_container *c, int *ret_lock, int *ret_rundir)
{
	*ret_rundir = rundir_lock(c->lxcpath, c->name, 0, ret_lock, NULL);
	return *ret_rundir >= 0;
}

static void give_lock_back(struct lxcore_container *c, int *lock, int *rundir)
{
	rundir_remove(c->lxcpath, c->name, *rundir);
	close_fd(rundir);
	close_fd(lock);
}

static bool is_marked(const struct lxcore_container *c, const char *mark)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", c->dir, mark);
	return access(path, F_OK) == 0;
}

void store_tidy(struct lxcore_container *c)
{
	autofree char *trash = store_trash_path(c);
	bool locked = false, partial = store_is_partial(c, &locked);
	bool rubbish = trash && access(trash, F_OK) == 0;
	bool restored = is_marked(c, STORE_RESTORING), renamed = is_marked(c, STORE_RENAMED);
	bool over = passing_is_over(c);
	int lock = -1, rundir = -1;

	if ((!partial || locked) && !rubbish && !restored && !renamed && !over)
		return;
	if (!holds_lock(c, &lock, &rundir))
		return;
	/* Look again under the lock: another command may have been quicker. */
	if (store_is_partial(c, &locked) && !locked)
		store_remove_partial(c, NULL);
	else if (rubbish)
		mapped_remove(trash, NULL);
	/* Killed between a removal and this last step. */
	if (!lxcore_is_defined(c))
		idmap_forget(c->lxcpath, c->name);
	if (renamed)
		rename_tidy(c, NULL);
	if (restored && is_marked(c, STORE_RESTORING))
		restore_tidy(c, NULL);
	if (over && passing_is_over(c))
		store_remove_passing(c, NULL);
	if (renamed || restored) {
		conf_free(c->conf);
		c->conf = NULL;
	}
	give_lock_back(c, &lock, &rundir);
}

int store_remove_dir(struct lxcore_container *c, struct error *err)
{
	autofree char *trash = store_trash_path(c);

	if (!trash || mapped_remove(trash, err) < 0)
		return -1;
	if (rename(c->dir, trash) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove \"%s\"", c->dir);
	return mapped_remove(trash, err);
}

static bool is_below(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || strchr("/\r\n", path[n]));
}

/* The root filesystem lies elsewhere (lxc-create --dir, a device): it goes first. */
static int remove_rootfs(struct lxcore_container *c, const char *rootfs, struct error *err)
{
	autooverlay struct overlay o = {0};
	struct storage s;

	if (!rootfs || is_below(storage_source(rootfs), c->dir))
		return 0;
	if (storage_parse(rootfs, &s, err) < 0)
		return -1;
	/* Layers below its own are others'. */
	if (s.driver == &storage_overlay && overlay_parse(s.source, &o, NULL) == 0 &&
	    is_below(o.upper, c->dir))
		return 0;
	return mapped_destroy(&s, err);
}

/* With lxc.rootfs.managed = 0 the root filesystem is somebody else's: only what we wrote goes. */
static int forget_unmanaged(struct lxcore_container *c, struct error *err)
{
	if (unlink(c->config_file) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove \"%s\"", c->config_file);
	rmdir(c->dir);
	return 0;
}

/* What its maker wrote down before it was made (birth_makes); a line that was cut off is of nothing. */
static int remove_unfinished_storage(const char *words, struct error *err)
{
	autostrv struct strv lines = {0};

	if (strv_split(&lines, words, "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 1; i < lines.n && (i + 1 < lines.n || str_ends(words, "\n")); i++) {
		struct storage s;

		if (storage_parse(lines.v[i], &s, err) < 0 || mapped_destroy(&s, err) < 0)
			return -1;
	}
	return 0;
}

int store_remove_partial(struct lxcore_container *c, struct error *err)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, c->dir);
	autobuf struct buf words = BUF_INIT;

	if (path && file_read(AT_FDCWD, path, &words) == 0 &&
	    remove_unfinished_storage(words.s, err) < 0)
		return -1;
	if (store_remove_dir(c, err) < 0)
		return -1;
	idmap_forget(c->lxcpath, c->name);
	return 0;
}

int store_remove(struct lxcore_container *c, struct error *err)
{
	struct conf *conf = container_conf(c, err);
	bool managed;

	if (!conf)
		return -1;
	managed = rootfs_conf_of(conf)->managed;
	if (managed && remove_rootfs(c, rootfs_conf_of(conf)->path, err) < 0)
		return -1;
	if ((managed ? store_remove_dir(c, err) : forget_unmanaged(c, err)) < 0)
		return -1;
	rundir_forget_exit(c->lxcpath, c->name);
	network_forget(c->lxcpath, c->name);
	idmap_forget(c->lxcpath, c->name);
	conf_free(c->conf);
	c->conf = NULL;
	return 0;
}

int store_remove_passing(struct lxcore_container *c, struct error *err)
{
	if (store_remove(c, err) < 0)
		return -1;
	events_tell(c->lxcpath, c->name, LXCORE_EVENT_DESTROY, NULL);
	return 0;
}

/* ---- what stands in the way ---- */

static int destroy_users(const struct strv *users, struct error *err)
{
	for (size_t i = 0; i < users->n; i++) {
		const char *name = strrchr(users->v[i], '/') + 1;
		autofree char *lxcpath = strndup(users->v[i], (size_t)(name - users->v[i]) - 1);
		lxcore_container *other = lxcpath ? lxcore_open(lxcpath, name, err) : NULL;
		int result = other && lxcore_is_defined(other) ? lxcore_destroy(other, true, err) : 0;

		lxcore_close(other);
		if (!other || result < 0)
			return -1;
	}
	return 0;
}

static int refuse_users(struct lxcore_container *c, const struct strv *users, struct error *err)
{
	autobuf struct buf names = BUF_INIT;

	for (size_t i = 0; i < users->n && i < 5; i++)
		buf_addf(&names, "%s%s", i ? ", " : "", strrchr(users->v[i], '/') + 1);
	if (users->n > 5)
		buf_addf(&names, " and %zu more", users->n - 5);
	error_set(err, ENOTEMPTY, "cannot destroy it: it has %zu clone%s (%s)", users->n,
		  users->n == 1 ? "" : "s", names.s ? names.s : "");
	return error_mend(err, "lxc-destroy -n %s      (the clone first), or "
			  "lxc-destroy -s -n %s      (all of them)", strrchr(users->v[0], '/') + 1,
			  c->name);
}

static int refuse_snapshots(struct lxcore_container *c, struct error *err)
{
	struct lxcore_snapshot *all;
	int n = lxcore_snapshots(c, &all, err);

	if (n < 0)
		return -1;
	lxcore_snapshots_free(all, n);
	if (!n)
		return 0;
	error_set(err, ENOTEMPTY, "cannot destroy it: it has %d snapshot%s", n, n == 1 ? "" : "s");
	return error_mend(err, "lxc-destroy -s -n %s      (with its snapshots)", c->name);
}

/* What stands in the way goes first, or keeps the container. */
static int clear_way(struct lxcore_container *c, bool with_snapshots, struct error *err)
{
	autostrv struct strv users = {0};

	if (graph_users(c->dir, &users) < 0)
		return error_sys(err, "cannot read who needs it");
	if (with_snapshots)
		return destroy_users(&users, err) < 0 ? -1 : snapshot_remove_all(c, err);
	return users.n ? refuse_users(c, &users, err) : refuse_snapshots(c, err);
}

static int check_destroy(struct lxcore_container *c, struct error *err)
{
	if (!lxcore_is_defined(c)) {
		error_set(err, ENOENT, "there is no such container in \"%s\"", c->lxcpath);
		return error_mend(err, "lxc-ls -P %s      (shows those that there are)", c->lxcpath);
	}
	if (lxcore_state(c) != LXCORE_STOPPED) {
		error_set(err, EBUSY, "cannot destroy it: it is running");
		return error_mend(err, "lxc-stop -n %s, or lxc-destroy -f -n %s", c->name, c->name);
	}
	if (access(c->lxcpath, W_OK) < 0)
		return error_sys(err, "cannot remove anything from \"%s\"", c->lxcpath);
	return 0;
}

/*
 * Its configuration cannot be read, so nothing can be run and nothing outside its directory be found.
 * The directory goes, unless some line places the root filesystem elsewhere: that would be lost from
 * sight.
 */
static int destroy_unreadable(struct lxcore_container *c, struct error *err)
{
	autobuf struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, c->config_file, &text) < 0 && errno != EFBIG)
		return error_sys(err, "cannot read \"%s\"", c->config_file);
	for (const char *at = text.s; at && (at = strstr(at, "lxc.rootfs")); at++) {
		const char *equals = at + strcspn(at, "=\n");
		const char *place = *equals == '=' ? strchr(equals, '/') : NULL;

		if (!place || strcspn(equals, "\n") < (size_t)(place - equals) ||
		    is_below(place, c->dir))
			continue;
		error_within(err, "cannot tell what belongs to it");
		return error_mend(err, "correct that line, then try again");
	}
	if (store_remove_dir(c, err) < 0)
		return -1;
	rundir_forget_exit(c->lxcpath, c->name);
	network_forget(c->lxcpath, c->name);
	idmap_forget(c->lxcpath, c->name);
	error_clear(err);
	return 0;
}

static int destroy_locked(struct lxcore_container *c, bool with_snapshots, struct error *err)
{
	struct conf *conf = container_conf(c, err);

	if (!conf)
		return destroy_unreadable(c, err);
	if (rootfs_conf_of(conf)->managed && clear_way(c, with_snapshots, err) < 0)
		return -1;
	if (store_run_hooks(c, HOOK_DESTROY, NULL, err) < 0)
		return -1;
	return store_remove(c, err);
}

int lxcore_destroy(lxcore_container *c, bool with_snapshots, lxcore_error *err)
{
	autohold struct hold hold = HOLD_INIT;

	if (check_destroy(c, err) < 0 || hold_take(c, HOLD_ALONE, &hold, err) < 0 ||
	    hold_stopped(&hold, err) < 0 || destroy_locked(c, with_snapshots, err) < 0)
		return error_within(err, "%s", c->name);
	events_tell(c->lxcpath, c->name, LXCORE_EVENT_DESTROY, NULL);
	return 0;
}

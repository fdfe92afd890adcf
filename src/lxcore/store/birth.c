/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How containers come about: the mark of an unfinished one; see birth.h. */
#include "store/birth.h"
#include "base/fd.h"
#include "base/path.h"
#include "parts/idmap.h"
#include "parts/rootfs.h"
#include "store/mapped.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Make and lock 'partial' in a directory; the descriptor that holds it. */
static int mark_partial(const char *dir, struct error *err)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, dir);
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &lock) < 0 ||
	    fd_write_all(fd, STORE_PARTIAL_WORDS, strlen(STORE_PARTIAL_WORDS)) < 0)
		return error_sys(err, "cannot make \"%s\"", path ? path : STORE_PARTIAL);
	return steal_fd(&fd);
}

/*
 * Make its directory with the locked mark in it, all at once: it is made as what store_tidy() would
 * remove, and renamed.  There must be nothing yet of that name but an empty directory: it would be
 * somebody's.
 */
static int make_dir(struct lxcore_container *c, int *ret_partial, struct error *err)
{
	autofree char *fresh = store_trash_path(c);
	autoclose int partial = -1;

	if (path_make_dirs(c->lxcpath, 0755) < 0)
		return error_sys(err, "cannot make \"%s\"", c->lxcpath);
	if (!fresh || mapped_remove(fresh, err) < 0)
		return -1;
	/* The mode is what it is to be whatever our caller's umask is. */
	if (mkdir(fresh, 0770) < 0 || chmod(fresh, 0770) < 0)
		return error_sys(err, "cannot make a directory in \"%s\"", c->lxcpath);
	partial = mark_partial(fresh, err);
	if (partial >= 0 && rename(fresh, c->dir) == 0) {
		*ret_partial = steal_fd(&partial);
		return 0;
	}
	if (partial >= 0) {
		error_sys(err, "cannot make its directory \"%s\"", c->dir);
		error_mend(err, "use another name, or move that directory away");
	}
	mapped_remove(fresh, NULL);
	return -1;
}

static void give_locks_back(struct birth *b)
{
	close_fd(&b->partial);
	if (b->rundir >= 0)
		rundir_remove(b->c->lxcpath, b->c->name, b->rundir);
	close_fd(&b->rundir);
	close_fd(&b->lock);
}

int birth_begin(struct lxcore_container *c, struct birth *ret, struct error *err)
{
	struct birth b = {.c = c, .partial = -1, .lock = -1, .rundir = -1};
	bool locked;

	if (store_is_partial(c, &locked))
		return error_set(err, EBUSY, "another command is creating it");
	if (lxcore_is_defined(c)) {
		error_set(err, EEXIST, "cannot create it: it exists already (\"%s\")", c->dir);
		return error_mend(err, "use another name, or lxc-destroy -n %s", c->name);
	}
	b.rundir = rundir_lock(c->lxcpath, c->name, 0, &b.lock, err);
	if (b.rundir < 0)
		return -1;
	if (make_dir(c, &b.partial, err) < 0) {
		give_locks_back(&b);
		return -1;
	}
	*ret = b;
	return 0;
}

int birth_makes(struct birth *b, const char *rootfs, struct error *err)
{
	autofree char *line = str_printf("%s\n", rootfs);

	/* Its position is behind the words, and nobody else writes to it. */
	if (!line || fd_write_all(b->partial, line, strlen(line)) < 0)
		return error_sys(err, "cannot write down that \"%s\" will be made", rootfs);
	return 0;
}

int birth_makes_nothing(struct birth *b, struct error *err)
{
	const off_t end = (off_t)strlen(STORE_PARTIAL_WORDS);

	if (ftruncate(b->partial, end) < 0 || lseek(b->partial, end, SEEK_SET) < 0)
		return error_sys(err, "cannot write down what is made");
	return 0;
}

int birth_finish(struct birth *b, struct error *err)
{
	autofree char *path = str_printf("%s/" STORE_PARTIAL, b->c->dir);

	if (!path || unlink(path) < 0) {
		error_sys(err, "cannot finish its creation");
		birth_abandon(b);
		return -1;
	}
	give_locks_back(b);
	return 0;
}

void birth_abandon(struct birth *b)
{
	conf_free(b->c->conf);
	b->c->conf = NULL;
	store_remove_partial(b->c, NULL);
	give_locks_back(b);
}

void store_owner(const struct conf *conf, uid_t *uid, gid_t *gid)
{
	unsigned long id;

	*uid = *gid = 0;
	/* Id-mapped mounts show what is the host's root's as anyone's. */
	if (rootfs_is_idmapped(conf))
		return;
	*uid = idmap_to_host(idmap_of(conf), 'u', 0, &id) ? (uid_t)id : 0;
	*gid = idmap_to_host(idmap_of(conf), 'g', 0, &id) ? (gid_t)id : 0;
}

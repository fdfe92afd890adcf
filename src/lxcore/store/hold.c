/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Locks on containers as things on disk; see hold.h. */
#include "store/hold.h"
#include "base/fd.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#define HOLD_LIMIT_MS 20000
#define START_LIMIT_MS 5000 /* for a start or a check that is just going on */

/* It has no way to wait with a limit, so it is asked again and again, soon at first. */
static int lock_dir(int dir, int how)
{
	long long end = clock_ms() + HOLD_LIMIT_MS;
	struct timespec pause = {0, 500000};

	while (flock(dir, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || clock_ms() >= end)
			return -1;
		nanosleep(&pause, NULL);
		if (pause.tv_nsec < 50000000)
			pause.tv_nsec *= 2;
	}
	return 0;
}

/* Whoever had it may have removed or renamed the directory meanwhile. */
static bool is_still_there(const struct hold *h)
{
	struct stat mine, now;

	return fstat(h->dir, &mine) == 0 && stat(h->c->dir, &now) == 0 &&
	       mine.st_ino == now.st_ino && mine.st_dev == now.st_dev;
}

int hold_change(struct hold *h, enum hold_kind kind, struct error *err)
{
	if (lock_dir(h->dir, kind == HOLD_ALONE ? LOCK_EX : LOCK_SH) < 0)
		return errno == EWOULDBLOCK ?
			       error_set(err, EBUSY, "another command is working on it (for more "
					 "than %d s)", HOLD_LIMIT_MS / 1000) :
			       error_sys(err, "cannot lock \"%s\"", h->c->dir);
	if (!is_still_there(h))
		return error_set(err, ENOENT, "another command has just removed or renamed it");
	return 0;
}

static int not_there(const struct lxcore_container *c, struct error *err)
{
	error_set(err, ENOENT, "there is no such container in \"%s\"", c->lxcpath);
	return error_mend(err, "lxc-ls -P %s      (shows those that there are)", c->lxcpath);
}

int hold_take(struct lxcore_container *c, enum hold_kind kind, struct hold *ret, struct error *err)
{
	*ret = (struct hold){.c = c, .dir = -1, .lock = -1, .rundir = -1};
	if (!lxcore_is_defined(c))
		return not_there(c, err);
	ret->dir = open(c->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ret->dir < 0)
		return error_sys(err, "cannot open \"%s\"", c->dir);
	if (hold_change(ret, kind, err) < 0)
		return -1;
	/* What the holder before us wrote is what counts. */
	if (!c->rcfile) {
		conf_free(c->conf);
		c->conf = NULL;
	}
	return 0;
}

int hold_stopped(struct hold *h, struct error *err)
{
	struct lxcore_container *c = h->c;

	if (h->rundir >= 0)
		return 0;
	if (lxcore_state(c) == LXCORE_STOPPED)
		h->rundir = rundir_lock(c->lxcpath, c->name, START_LIMIT_MS, &h->lock, err);
	if (h->rundir >= 0)
		return 0;
	if (lxcore_state(c) == LXCORE_STOPPED)
		return -1;
	error_set(err, EBUSY, "it is running");
	return error_mend(err, "lxc-stop -n %s", c->name);
}

void hold_started(struct hold *h)
{
	if (h->rundir >= 0)
		rundir_remove(h->c->lxcpath, h->c->name, h->rundir);
	close_fd(&h->rundir);
	close_fd(&h->lock);
}

void hold_release(struct hold *h)
{
	if (h->c)
		hold_started(h);
	close_fd(&h->dir);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers that are to be gone when nobody needs them any more: clones made to run once.
 *
 * While one runs its supervisor removes it at its end.  But whoever made it may be killed before it
 * starts, and so may its supervisor.  So it has the mark 'passing' from its birth on, locked by its
 * maker until it runs: one that is marked, is held by nobody and does not run is a leftover.
 */
#include "base/error.h"
#include "store/store.h"
#include "base/auto.h"
#include "base/fd.h"

static int open_mark(const struct lxcore_container *c, int flags)
{
	autofree char *path = str_printf("%s/" STORE_PASSING, c->dir);

	return path ? open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600) : -1;
}

int passing_mark(const struct lxcore_container *c, int *ret_hold, struct error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = open_mark(c, O_CREAT | O_EXCL);
	/* 0 stands for none: not below the three that every program has. */
	autoclose int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	if (high < 0 || fcntl(high, F_OFD_SETLK, &lock) < 0)
		return error_sys(err, "cannot mark it as one that goes");
	*ret_hold = steal_fd(&high);
	return 0;
}

bool passing_is_over(const struct lxcore_container *c)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	autoclose int fd = open_mark(c, 0);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
}

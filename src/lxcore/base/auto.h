/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Clean-up by scope.  A variable marked autofree, autoclose, autodir or autobuf (buf.h) gives its
 * resource back when it leaves its scope, on every path; so a function needs no labels to jump to.
 * steal_fd() and steal_ptr() take the resource out again when it is handed to someone else.
 */
#ifndef LXCORE_BASE_AUTO_H
#define LXCORE_BASE_AUTO_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void auto_free(void *p)
{
	free(*(void **)p);
}

static inline void auto_close(const int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

static inline void auto_dir(DIR **d)
{
	if (*d)
		closedir(*d);
}

#define autofree __attribute__((cleanup(auto_free)))
#define autoclose __attribute__((cleanup(auto_close)))
#define autodir __attribute__((cleanup(auto_dir)))

static inline int steal_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

static inline void *steal_ptr_(void *p)
{
	void **pp = p, *taken = *pp;
	*pp = NULL;
	return taken;
}
#define steal_ptr(p) ((__typeof__(*(p)))steal_ptr_(p))

static inline void close_fd(int *fd)
{
	auto_close(fd);
	*fd = -1;
}

#endif

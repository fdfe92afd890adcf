/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copier, contents of files: shared with the source where the filesystem can (FICLONE), else
 * copied by the kernel, else by us.  Holes stay holes.
 */
#include "copy_inner.h"

#include <errno.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define AT_ONCE (8 * 1024 * 1024) /* between two looks at whether to go on */

static int fail(struct copy_worker *w, struct copy_node *dir, const char *name, const char *what)
{
	return copy_fail(w->c, dir, name, what);
}

/* 1: shared; 0: not this one, or none here. */
static int share(struct copier *c, const int fd[2])
{
	if (atomic_load_explicit(&c->cannot_share, memory_order_relaxed))
		return 0;
	if (ioctl(fd[TO], FICLONE, fd[FROM]) == 0)
		return 1;
	/* EINVAL is about this file (on btrfs: one without copy on write). */
	if (errno == EOPNOTSUPP || errno == EXDEV || errno == ENOTTY || errno == ENOSYS)
		c->cannot_share = true;
	return 0;
}

/* By hand: bytes copied, 0 where the source ends now, -1 with errno; *ret_what says which side. */
static ssize_t carry(struct copy_worker *w, const int fd[2], off_t at, size_t n,
		     const char **ret_what)
{
	ssize_t got, put;

	*ret_what = "read";
	got = pread(fd[FROM], w->buffer, n < COPY_BUFFER ? n : COPY_BUFFER, at);
	if (got <= 0)
		return got;
	*ret_what = "write";
	for (ssize_t done = 0; done < got; done += put) {
		put = pwrite(fd[TO], w->buffer + done, (size_t)(got - done), at + done);
		if (put < 0)
			return -1;
	}
	return got;
}

/*
 * The kernel refuses some pairs of filesystems, and of some it says 0 though there is more
 * (copy_file_range(2)): what it does not copy is carried.
 */
static ssize_t copy_some(struct copy_worker *w, const int fd[2], off_t at, size_t n,
			 const char **ret_what)
{
	struct copier *c = w->c;
	off64_t in = at, out = at;
	ssize_t got;

	/* A read and a write are less work than the pipe that splices. */
	if (n <= COPY_BUFFER || c->cannot_range)
		return carry(w, fd, at, n, ret_what);
	*ret_what = "copy";
	got = copy_file_range(fd[FROM], &in, fd[TO], &out, n < AT_ONCE ? n : AT_ONCE, 0);
	if (got > 0)
		return got;
	if (got < 0 && errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP &&
	    errno != ENOSYS && errno != EBADF && errno != ETXTBSY)
		return -1;
	if (got < 0)
		c->cannot_range = true;
	return carry(w, fd, at, n, ret_what);
}

static int copy_range(struct copy_worker *w, struct copy_node *dir, const char *name,
		      const int fd[2], const off_t range[2])
{
	const char *what = "copy";

	for (off_t at = range[0]; at < range[1];) {
		ssize_t n = copy_some(w, fd, at, (size_t)(range[1] - at), &what);

		if (n < 0)
			return fail(w, dir, name, what);
		if (n == 0) /* it became shorter meanwhile */
			return 0;
		at += n;
		w->c->count.bytes += (uint64_t)n;
		if (copy_cancelled(w->c))
			return -1;
	}
	return 0;
}

static int copy_sparse(struct copy_worker *w, struct copy_node *dir, const char *name,
		       const int fd[2], off_t size)
{
	off_t range[2] = {0, 0};

	while (range[1] < size) {
		off_t hole = range[1];

		range[0] = lseek(fd[FROM], hole, SEEK_DATA);
		if (range[0] < 0 && errno != ENXIO)
			return fail(w, dir, name, "find the holes of");
		if (range[0] < 0 || range[0] > size)
			range[0] = size;
		w->c->count.bytes += (uint64_t)(range[0] - hole);
		if (range[0] == size)
			break;
		range[1] = lseek(fd[FROM], range[0], SEEK_HOLE);
		if (range[1] < 0)
			return fail(w, dir, name, "find the holes of");
		if (range[1] > size)
			range[1] = size;
		if (copy_range(w, dir, name, fd, range) < 0)
			return -1;
	}
	return ftruncate(fd[TO], size) < 0 ? fail(w, dir, name, "write") : 0;
}

int copy_data(struct copy_worker *w, struct copy_node *dir, const char *name, const int fd[2],
	      const struct stat *st)
{
	const off_t whole[2] = {0, st->st_size};
	/* Less on the disk than it is long: it has holes, or is compressed. */
	bool sparse = (off_t)st->st_blocks * 512 < st->st_size;

	if (!st->st_size)
		return 0;
	if (share(w->c, fd)) {
		w->c->count.bytes += (uint64_t)st->st_size;
		w->c->count.bytes_shared += (uint64_t)st->st_size;
		return 0;
	}
	return sparse ? copy_sparse(w, dir, name, fd, st->st_size)
		      : copy_range(w, dir, name, fd, whole);
}

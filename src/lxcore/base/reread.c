/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Small files of the kernel that are read again and again.  See reread.h. */
#include "reread.h"

#include <fcntl.h>

#define FIRST_SIZE 4096

static int make_room(struct buf *b, size_t size)
{
	char *s = realloc(b->s, size);

	if (!s)
		return -1;
	b->s = s;
	b->cap = size;
	return 0;
}

/* The kernel writes such a file anew for each read from its beginning; what fits was all of it. */
static int read_whole(int fd, struct buf *b)
{
	for (size_t size = b->cap > FIRST_SIZE ? b->cap : FIRST_SIZE;; size *= 2) {
		ssize_t n;

		if (b->cap < size && make_room(b, size) < 0)
			return -1;
		n = pread(fd, b->s, b->cap - 1, 0);
		if (n < 0)
			return -1;
		b->len = (size_t)n;
		b->s[n] = '\0';
		if (b->len < b->cap - 1)
			return 0;
	}
}

int reread(struct reread *f, bool keep, struct buf *into)
{
	autoclose int opened = -1;
	int fd = f->fd;

	if (fd < 0)
		fd = opened = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || read_whole(fd, into) < 0)
		return -1;
	if (keep && opened >= 0)
		f->fd = steal_fd(&opened);
	return 0;
}

void reread_free(struct reread *f)
{
	close_fd(&f->fd);
	free(steal_ptr(&f->path));
}

bool reread_lacked_descriptors(int code)
{
	return code == EMFILE || code == ENFILE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File descriptors: whole files, sockets that carry descriptors, and small conveniences. */
#include "fd.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

int fd_read_all(int fd, struct buf *into, size_t limit)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (into->len + (size_t)n > limit) {
			errno = EFBIG;
			return -1;
		}
		buf_add(into, chunk, (size_t)n);
	}
	buf_add(into, "", 0);
	if (into->failed) {
		errno = ENOMEM;
		return -1;
	}
	return 0;
}

int file_read(int dir, const char *path, struct buf *into)
{
	autoclose int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -1 : fd_read_all(fd, into, 64 << 20);
}

int fd_write_all(int fd, const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n) {
		ssize_t done = write(fd, at, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

int file_write(int dir, const char *path, const char *text)
{
	autoclose int fd = openat(dir, path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = write(fd, text, strlen(text));
	if (n >= 0 && (size_t)n != strlen(text)) {
		errno = EIO;
		return -1;
	}
	return n < 0 ? -1 : 0;
}

int file_replace(int dir, const char *path, const char *text, mode_t mode)
{
	autofree char *fresh = str_printf("%s.new", path);
	autoclose int fd = -1;

	if (!fresh)
		return -1;
	fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -1;
	if (fd_write_all(fd, text, strlen(text)) < 0 || renameat(dir, fresh, dir, path) < 0) {
		int saved = errno;

		unlinkat(dir, fresh, 0);
		errno = saved;
		return -1;
	}
	return 0;
}

int fd_socketpair(int ret_pair[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair);
}

ssize_t fd_send(int sock, const void *bytes, size_t n, const int *fds, size_t n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(FD_MAX_PASSED * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = (void *)bytes, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t sent;

	if (n_fds > FD_MAX_PASSED) {
		errno = E2BIG;
		return -1;
	}
	if (n_fds) {
		struct cmsghdr *c = &control.align;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		sent = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent;
}

ssize_t fd_receive(int sock, void *bytes, size_t n, int *ret_fds, size_t *in_out_n_fds)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(FD_MAX_PASSED * sizeof(int))];
	} control;
	struct iovec iov = {.iov_base = bytes, .iov_len = n};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t room = ret_fds ? *in_out_n_fds : 0, got = 0;
	ssize_t received;

	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	do
		received = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (received < 0 && errno == EINTR);
	if (received < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		int fds[FD_MAX_PASSED];

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		memcpy(fds, CMSG_DATA(c), count * sizeof(int));
		for (size_t i = 0; i < count; i++) {
			if (got < room)
				ret_fds[got++] = fds[i];
			else
				close(fds[i]);
		}
	}
	if (in_out_n_fds)
		*in_out_n_fds = got;
	return received;
}

int fd_wait(int fd, int timeout_ms)
{
	long long end = clock_ms() + timeout_ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (;;) {
		int n = poll(&p, 1, timeout_ms);

		if (n >= 0)
			return n > 0;
		if (errno != EINTR)
			return -1;
		if (timeout_ms >= 0) {
			long long left = end - clock_ms();

			timeout_ms = left > 0 ? (int)left : 0;
		}
	}
}

static int unix_socket_at(int dir, const char *name, int type, struct sockaddr_un *ret)
{
	int n;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(ret->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
}

int fd_listen_at(int dir, const char *name, int type)
{
	struct sockaddr_un sa;
	autoclose int fd = unix_socket_at(dir, name, type, &sa);

	if (fd < 0)
		return -1;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	if ((type & 0xf) != SOCK_DGRAM && listen(fd, 64) < 0)
		return -1;
	return steal_fd(&fd);
}

int fd_connect_at(int dir, const char *name, int type)
{
	struct sockaddr_un sa;
	autoclose int fd = unix_socket_at(dir, name, type, &sa);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return -1;
	return steal_fd(&fd);
}

long long clock_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

long long clock_ms(void)
{
	return clock_us() / 1000;
}

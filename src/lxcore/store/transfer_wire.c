/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Messages between the library and lxc-transfer.  See transfer_wire.h. */
#include "store/transfer_wire.h"
#include "base/fd.h"

#include <string.h>
#include <sys/socket.h>

bool wire_name_is_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-.");

	return n && !name[n] && n < WIRE_NAME && *name != '.';
}

int wire_send(int socket, const struct wire *message, const int *fds, size_t n_fds)
{
	return fd_send(socket, message, sizeof(*message), fds, n_fds) < 0 ? -1 : 0;
}

void wire_send_progress(int socket, const struct wire_count *count)
{
	const struct wire message = {.what = WIRE_PROGRESS, .count = *count};

	send(socket, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL);
}

int wire_receive(int socket, struct wire *ret, int ret_fds[2])
{
	size_t n_fds = 2;
	ssize_t n;

	ret_fds[0] = ret_fds[1] = -1;
	n = fd_receive(socket, ret, sizeof(*ret), ret_fds, &n_fds);
	if (n == 0)
		return 0;
	if (n == sizeof(*ret) && memchr(ret->name, '\0', sizeof(ret->name)))
		return 1;
	close_fd(&ret_fds[0]);
	close_fd(&ret_fds[1]);
	if (n > 0)
		errno = EPROTO;
	return -1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Asking a supervisor: the client's side of the control socket. */
#include "life/control.h"
#include "base/fd.h"

#include <string.h>
#include <sys/socket.h>

int control_ask(int rundir, const struct control_request *rq, int *ret_value, int *ret_fd,
		struct error *err)
{
	struct control_answer answer;
	autoclose int sock = fd_connect_at(rundir, CONTROL_SOCKET, SOCK_SEQPACKET | SOCK_NONBLOCK);
	int fd = -1, ready;
	size_t n = 1;

	if (sock < 0)
		return error_sys(err, "cannot reach its supervisor");
	if (fd_send(sock, rq, sizeof(*rq), &rq->fd, rq->has_fd) < 0)
		return error_sys(err, "cannot ask its supervisor");
	ready = fd_wait(sock, CONTROL_TIMEOUT_MS);
	if (ready == 0) {
		error_set(err, ETIMEDOUT, "its supervisor does not answer within %d seconds",
			  CONTROL_TIMEOUT_MS / 1000);
		return error_mend(err, "lxc-stop -k -n NAME      (works without its supervisor)");
	}
	if (ready < 0 || fd_receive(sock, &answer, sizeof(answer), &fd, &n) != sizeof(answer))
		return error_set(err, EPROTO, "its supervisor hung up without an answer");
	if (answer.code) {
		close_fd(&fd);
		return error_set(err, answer.code, "%s", strerror(answer.code));
	}
	if (ret_value)
		*ret_value = answer.value;
	if (ret_fd)
		*ret_fd = fd;
	else
		close_fd(&fd);
	return steal_fd(&sock);
}

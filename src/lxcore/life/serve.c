/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor's side of its control socket (control.h): who asks gets one answer. */
#include "base/error.h"
#include "life/watch.h"
#include "base/fd.h"
#include "life/control.h"
#include "life/events.h"
#include "parts/terminals.h"

#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

void serve_begin(struct watch *w)
{
	for (unsigned i = 0; i < CONNECTIONS; i++)
		w->connections[i].fd = -1;
}

static int give_tty(struct watch *w, int wanted, int *ret_tty)
{
	unsigned count = terminals_count(w->s->boot), taken = 0;

	for (unsigned n = 1; n <= count; n++) {
		bool busy = false;

		if (wanted > 0 && n != (unsigned)wanted)
			continue;
		for (unsigned i = 0; i < CONNECTIONS; i++)
			busy |= w->connections[i].fd >= 0 && w->connections[i].tty == (int)n;
		if (!busy) {
			*ret_tty = (int)n;
			return terminals_tty(w->s->boot, n);
		}
		taken++;
	}
	errno = taken ? EBUSY : ENXIO;
	return -1;
}

/* A stream to the console; *ret_fd is the client's end, which the answer carries. */
static int give_console(struct watch *w, int *ret_fd)
{
	int pair[2], index;

	if (w->hub.master < 0) {
		errno = ENXIO;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	index = hub_add_client(&w->hub, pair[0]);
	if (index < 0 ||
	    watch_add(w, pair[0], EPOLLIN | EPOLLRDHUP | EPOLLET, WATCH_CLIENT, (unsigned)index) < 0) {
		close(pair[1]);
		errno = EBUSY;
		return -1;
	}
	*ret_fd = pair[1];
	w->viewed = true;
	return 0;
}

static void resize_console(struct watch *w, int rows, int columns)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};

	if (w->hub.master >= 0)
		ioctl(w->hub.master, TIOCSWINSZ, &size);
}

/* Answer one request; true when the connection stays open to hold a tty.  *given came along, or is
 * -1. */
static bool answer(struct watch *w, struct connection *c, const struct control_request *rq, int *given)
{
	struct control_answer a = {0};
	int fd = -1, own = -1;
	size_t size;

	switch (rq->what) {
	case CONTROL_TERMINAL:
		if (rq->a == 0)
			a.code = give_console(w, &own) < 0 ? errno : 0;
		else if ((fd = give_tty(w, rq->a, &c->tty)) < 0)
			a.code = errno;
		a.value = c->tty;
		break;
	case CONTROL_LOG:
		own = hub_copy_ring(&w->hub, rq->a, rq->b, &size);
		a.code = own < 0 && errno != EALREADY ? errno : 0;
		a.value = own < 0 ? 0 : (int)size;
		break;
	case CONTROL_RESIZE:
		resize_console(w, rq->a, rq->b);
		break;
	case CONTROL_NOTE_STATE:
		if (rq->a == LXCORE_FREEZING || rq->a == LXCORE_FROZEN || rq->a == LXCORE_THAWED ||
		    rq->a == LXCORE_RUNNING)
			events_send(w->s->container->lxcpath, w->s->container->name,
				    LXCORE_EVENT_STATE, rq->a);
		break;
	case CONTROL_ADD_LISTENER:
		a.code = *given < 0 ? EINVAL : notify_add(&w->notify, steal_fd(given)) < 0 ? EBUSY : 0;
		break;
	case CONTROL_LISTENER:
		fd = notify_listener(&w->notify);
		a.code = fd < 0 ? errno : 0;
		break;
	default:
		a.code = EINVAL;
	}
	if (own >= 0)
		fd = own;
	fd_send(c->fd, &a, sizeof(a), &fd, fd >= 0);
	close_fd(&own);
	return c->tty > 0;
}

void serve_on_connection(struct watch *w, unsigned index)
{
	struct connection *c = &w->connections[index];
	struct control_request rq;
	int given = -1;
	size_t n_given = 1;
	ssize_t n = fd_receive(c->fd, &rq, sizeof(rq), &given, &n_given);
	bool stays;

	if (n < 0 && errno == EAGAIN)
		return;
	stays = n == sizeof(rq) && c->tty == 0 && answer(w, c, &rq, &given);
	close_fd(&given);
	if (stays)
		return;
	close_fd(&c->fd);
	c->tty = 0;
}

void serve_on_control(struct watch *w)
{
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);
	int fd = accept4(w->control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    (peer.uid == 0 || peer.uid == geteuid())) {
		for (unsigned i = 0; i < CONNECTIONS; i++) {
			if (w->connections[i].fd >= 0)
				continue;
			w->connections[i] = (struct connection){.fd = fd};
			if (watch_add(w, fd, EPOLLIN | EPOLLRDHUP, WATCH_CONNECTION, i) == 0)
				return;
			w->connections[i].fd = -1;
			break;
		}
	}
	close(fd);
}

void serve_drop_ttys(struct watch *w)
{
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		if (w->connections[i].tty)
			close_fd(&w->connections[i].fd);
		w->connections[i].tty = 0;
	}
}

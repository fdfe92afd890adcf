/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor's control socket: messages of any size and content, on connections that come and go.
 */
#include "base/fd.h"
#include "life/watch.h"

#include "fuzz.h"

#include <sys/epoll.h>
#include <sys/socket.h>

static struct watch fresh(struct supervisor *s)
{
	struct watch w = {.s = s, .signals = -1, .control = -1};

	for (unsigned i = 0; i < CONNECTIONS; i++)
		w.connections[i].fd = -1;
	w.epoll = epoll_create1(EPOLL_CLOEXEC);
	hub_open(&w.hub, s->boot->conf, NULL);
	notify_init(&w.notify, s->boot->conf, w.epoll, 1ull << 32, 2ull << 32);
	return w;
}

/* Each message: its length, which of the connections, its bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct boot_sections sections;
	struct boot boot;
	char name[] = "fuzz", path[] = "/nonexistent/fuzz";
	struct lxcore_container container = {.name = name, .lxcpath = path};
	struct supervisor s = {.container = &container, .boot = &boot, .lock = -1, .starter = -1};
	struct watch w;
	int ends[CONNECTIONS];

	boot_init(&boot);
	boot_list_sections(&sections);
	boot.conf = conf_new(sections.v);
	w = fresh(&s);
	for (unsigned i = 0; i < CONNECTIONS; i++)
		ends[i] = -1;
	for (size_t at = 0; at + 2 <= n;) {
		size_t length = bytes[at] % 40;
		unsigned which = bytes[at + 1] % CONNECTIONS;
		int pair[2];

		at += 2;
		if (length > n - at)
			length = n - at;
		if (w.connections[which].fd < 0) {
			close_fd(&ends[which]);
			if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
				abort();
			w.connections[which] = (struct connection){.fd = pair[0]};
			ends[which] = pair[1];
		}
		if (length == 0)
			close_fd(&ends[which]);
		else if (send(ends[which], bytes + at, length, MSG_NOSIGNAL) < 0 && errno == EBADF)
			abort();
		serve_on_connection(&w, which);
		at += length;
	}
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		close_fd(&ends[i]);
		close_fd(&w.connections[i].fd);
	}
	hub_close(&w.hub);
	close(w.epoll);
	conf_free(boot.conf);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* D-Bus (bus.h): connecting, calling, waiting.  How messages are written and read is in
 * bus_message.c. */
#include "base/bus.h"

#include "base/auto.h"
#include "base/bus_inner.h"
#include "base/fd.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define MOST_WAITING (1 << 20) /* bytes of a message that we would keep */

/* ---- bytes ---- */

static int wait_until(const struct bus *b, short what, struct error *err)
{
	long long left = b->until - clock_ms();
	struct pollfd p = {.fd = b->fd, .events = what};
	int ready = left > 0 ? poll(&p, 1, (int)left) : 0;

	if (ready < 0 && errno != EINTR)
		return error_sys(err, "cannot wait for the bus");
	if (ready == 0)
		return error_set(err, ETIMEDOUT, "the bus does not answer");
	return 0;
}

static int send_all(struct bus *b, const char *bytes, size_t n, struct error *err)
{
	while (n) {
		ssize_t sent = send(b->fd, bytes, n, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno != EAGAIN && errno != EINTR)
			return error_sys(err, "cannot write to the bus");
		if (sent < 0) {
			if (wait_until(b, POLLOUT, err) < 0)
				return -1;
			continue;
		}
		bytes += sent;
		n -= (size_t)sent;
	}
	return 0;
}

/* At least one byte more. */
static int receive_more(struct bus *b, struct error *err)
{
	char bytes[4096];

	for (;;) {
		ssize_t n = recv(b->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n > 0) {
			buf_add(&b->in, bytes, (size_t)n);
			return b->in.failed ? error_set(err, ENOMEM, "out of memory") : 0;
		}
		if (n == 0)
			return error_set(err, ECONNRESET, "the bus has hung up");
		if (errno != EAGAIN && errno != EINTR)
			return error_sys(err, "cannot read from the bus");
		if (wait_until(b, POLLIN, err) < 0)
			return -1;
	}
}

static void drop(struct bus *b, size_t n)
{
	b->in.len -= n;
	memmove(b->in.s, b->in.s + n, b->in.len + 1);
}

/* ---- connecting ---- */

/* One line of the authentication protocol, "\r\n" at its end; it is left in 'in' but for that. */
static int read_line(struct bus *b, char *line, size_t room, struct error *err)
{
	for (;;) {
		char *end = b->in.len ? memmem(b->in.s, b->in.len, "\r\n", 2) : NULL;

		if (end) {
			size_t n = (size_t)(end - b->in.s);

			snprintf(line, room, "%.*s", (int)(n < room ? n : room - 1), b->in.s);
			drop(b, n + 2);
			return 0;
		}
		if (b->in.len >= room)
			return error_set(err, EPROTO, "the bus talks nonsense");
		if (receive_more(b, err) < 0)
			return -1;
	}
}

/* We are who the kernel says: the number is written in hexadecimal digits of its decimal ones. */
static int authenticate(struct bus *b, struct error *err)
{
	autobuf struct buf hello = BUF_INIT;
	char uid[24], line[256];

	snprintf(uid, sizeof(uid), "%u", (unsigned)geteuid());
	buf_add(&hello, "", 1);
	buf_puts(&hello, "AUTH EXTERNAL ");
	for (const char *at = uid; *at; at++)
		buf_addf(&hello, "%02x", (unsigned char)*at);
	buf_puts(&hello, "\r\n");
	if (hello.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (send_all(b, hello.s, hello.len, err) < 0 || read_line(b, line, sizeof(line), err) < 0)
		return -1;
	if (!str_starts(line, "OK "))
		return error_set(err, EACCES, "the bus refuses us: \"%.60s\"", line);
	return send_all(b, "BEGIN\r\n", 7, err);
}

static int say_hello(struct bus *b, struct error *err)
{
	static const struct bus_call hello = {
		.destination = "org.freedesktop.DBus", .path = "/org/freedesktop/DBus",
		.interface = "org.freedesktop.DBus", .member = "Hello", .signature = "",
	};
	automessage struct bus_message m = {0};

	return bus_call(b, &hello, &m, err);
}

int bus_open_socket(struct bus *b, int fd, int timeout_ms, struct error *err)
{
	*b = (struct bus){.fd = fd, .until = clock_ms() + timeout_ms};
	if (authenticate(b, err) == 0 && say_hello(b, err) == 0)
		return 0;
	bus_close(b);
	return -1;
}

void bus_close(struct bus *b)
{
	close_fd(&b->fd);
	buf_free(&b->in);
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
			: c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The value of 'key' in "key=value,key=value", with its %-escapes undone. */
static bool address_value(const char *pairs, const char *key, char *ret, size_t room)
{
	size_t n = strlen(key), used = 0;
	const char *at = pairs;

	while (!str_starts(at, key) || at[n] != '=') {
		at = strchr(at, ',');
		if (!at)
			return false;
		at++;
	}
	for (at += n + 1; *at && *at != ','; at++) {
		char c = *at;

		if (c == '%') {
			int high = digit(at[1]), low = high < 0 ? -1 : digit(at[2]);

			if (low < 0)
				return false;
			c = (char)(high << 4 | low);
			at += 2;
		}
		if (!c || used + 1 >= room)
			return false;
		ret[used++] = c;
	}
	ret[used] = '\0';
	return used > 0;
}

static int connect_to(const char *address, struct error *err)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	socklen_t size = sizeof(sa);
	struct ucred peer = {0};
	socklen_t peer_size = sizeof(peer);
	autoclose int fd = -1;
	bool known = str_starts(address, "unix:");

	if (known &&
	    address_value(address + 5, "abstract", sa.sun_path + 1, sizeof(sa.sun_path) - 1))
		size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				   strlen(sa.sun_path + 1));
	else if (!known || !address_value(address + 5, "path", sa.sun_path, sizeof(sa.sun_path)))
		return error_set(err, EAFNOSUPPORT, "cannot use the bus address \"%s\"", address);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&sa, size) < 0)
		return error_sys(err, "cannot reach the bus at \"%s\"", address);
	/* Somebody else's would learn of us, and could only lie. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) < 0 ||
	    (peer.uid != 0 && peer.uid != geteuid()))
		return error_set(err, EACCES, "the bus at \"%s\" is another user's", address);
	return steal_fd(&fd);
}

int bus_open(struct bus *b, const char *address, int timeout_ms, struct error *err)
{
	autostrv struct strv list = {0};

	*b = BUS_CLOSED;
	if (strv_split(&list, address, ";") < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (!list.n)
		return error_set(err, EINVAL, "the address of the bus is empty");
	for (size_t i = 0; i < list.n; i++) {
		int fd = connect_to(list.v[i], err);

		if (fd >= 0 && bus_open_socket(b, fd, timeout_ms, err) == 0)
			return 0;
	}
	return -1;
}

/* ---- messages ---- */

static int receive(struct bus *b, struct bus_message *ret, struct error *err)
{
	for (;;) {
		long n = bus_message_length(b->in.s, b->in.len);

		if (n < 0 || n > MOST_WAITING)
			return error_set(err, EPROTO, "the bus talks nonsense");
		if (n && b->in.len >= (size_t)n) {
			int result = bus_message_read(b->in.s, (size_t)n, ret);

			drop(b, (size_t)n);
			return result < 0 ? error_set(err, errno, "the bus talks nonsense") : 0;
		}
		if (receive_more(b, err) < 0)
			return -1;
	}
}

static void look(struct bus_watch *watch, const struct bus_message *m)
{
	if (watch && !watch->seen && m->type == BUS_SIGNAL)
		watch->seen = watch->see(watch->data, m);
}

/* "org.freedesktop.DBus.Error.X: words"; the words alone where there are some. */
static int refused(const struct bus_message *m, const struct bus_call *call, struct error *err)
{
	size_t at = 0;
	const char *words = NULL;

	if (*m->signature != 's' || !bus_get_string(m, &at, &words) || !*words)
		words = m->error;
	return error_set(err, EREMOTEIO, "%s refuses %s: %s", call->destination, call->member,
			 words);
}

int bus_call_watching(struct bus *b, const struct bus_call *call, struct bus_watch *watch,
		      struct bus_message *ret, struct error *err)
{
	autobuf struct buf out = BUF_INIT;

	bus_message_write(&out, call, ++b->serial);
	if (out.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (send_all(b, out.s, out.len, err) < 0)
		return -1;
	for (;;) {
		automessage struct bus_message m = {0};

		if (receive(b, &m, err) < 0)
			return -1;
		look(watch, &m);
		if ((m.type != BUS_RETURN && m.type != BUS_ERROR) || m.reply_to != b->serial)
			continue;
		*ret = m;
		m = (struct bus_message){0};
		return ret->type == BUS_ERROR ? refused(ret, call, err) : 0;
	}
}

int bus_call(struct bus *b, const struct bus_call *call, struct bus_message *ret,
	     struct error *err)
{
	return bus_call_watching(b, call, NULL, ret, err);
}

int bus_wait(struct bus *b, struct bus_watch *watch, struct error *err)
{
	while (!watch->seen) {
		automessage struct bus_message m = {0};

		if (receive(b, &m, err) < 0)
			return -1;
		look(watch, &m);
	}
	return 0;
}

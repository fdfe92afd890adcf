/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The user's side of a terminal: raw mode, window size, and the relay of bytes.  See terminal.h. */
#include "base/error.h"
#include "life/terminal.h"
#include "base/fd.h"
#include "life/control.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

struct raw_mode {
	int fd; /* -1: nothing to put back */
	struct termios before;
};

static void raw_begin(struct raw_mode *m, int fd)
{
	struct termios raw;

	m->fd = -1;
	if (fd < 0 || tcgetattr(fd, &m->before) < 0)
		return;
	raw = m->before;
	cfmakeraw(&raw);
	/* What was typed before is not thrown away: it may be the name for a login prompt. */
	if (tcsetattr(fd, TCSADRAIN, &raw) == 0)
		m->fd = fd;
}

static void raw_end(struct raw_mode *m)
{
	if (m->fd >= 0)
		tcsetattr(m->fd, TCSADRAIN, &m->before);
	m->fd = -1;
}

/* Signals that are read from a descriptor for the time of the relay instead of acting. */
struct caught_signals {
	int fd;
	sigset_t before;
};

static void signals_begin(struct caught_signals *c, bool also_ends)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	for (size_t i = 0; also_ends && i < 4; i++)
		sigaddset(&set, (int[]){SIGTERM, SIGINT, SIGHUP, SIGQUIT}[i]);
	pthread_sigmask(SIG_BLOCK, &set, &c->before);
	c->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void signals_end(struct caught_signals *c)
{
	close_fd(&c->fd);
	pthread_sigmask(SIG_SETMASK, &c->before, NULL);
}

bool terminal_copy_size(int from, int to)
{
	struct winsize size;

	return from >= 0 && ioctl(from, TIOCGWINSZ, &size) == 0 && ioctl(to, TIOCSWINSZ, &size) == 0;
}

static void pass_size(const struct terminal_relay *r)
{
	struct winsize size;

	if (r->in < 0 || ioctl(r->in, TIOCGWINSZ, &size) < 0)
		return;
	if (r->resize)
		r->resize(r->data, size.ws_row, size.ws_col);
	else
		ioctl(r->far, TIOCSWINSZ, &size);
}

/* Write all to a descriptor that may be non-blocking. */
static int write_patiently(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t done = write(fd, bytes, n);

		if (done < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = fd, .events = POLLOUT};

			if (poll(&p, 1, 10000) <= 0)
				return -1;
			continue;
		}
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		bytes += done;
		n -= (size_t)done;
	}
	return 0;
}

/* How long to wait until a pty is looked at again that nobody has open inside. */
#define VACANT_MS 100
/* After the end of what was typed (a file, a pipe): so long a silence ends the answer. */
#define SILENCE_MS 300

enum shown { SHOWN, SHOWN_NOBODY, SHOWN_END };

/* From the far side to the user.  EIO of a pty master: nobody has the other side open (now). */
static enum shown show(const struct terminal_relay *r)
{
	char bytes[4096];
	ssize_t n = read(r->far, bytes, sizeof(bytes));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return SHOWN;
	if (n < 0 && errno == EIO && r->lasting)
		return SHOWN_NOBODY;
	if (n <= 0)
		return SHOWN_END;
	if (r->log >= 0)
		fd_write_all(r->log, bytes, (size_t)n);
	return r->out < 0 || write_patiently(r->out, bytes, (size_t)n) == 0 ? SHOWN : SHOWN_END;
}

/* Typed bytes without the escape sequence; true: the user leaves.  'armed' lives between calls. */
static bool take_escape(int escape, bool *armed, char *bytes, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++) {
		char c = bytes[i];

		if (*armed) {
			*armed = false;
			if (c == 'q')
				return true;
			if (c != escape)
				bytes[kept++] = (char)escape;
			bytes[kept++] = c;
		} else if (c == escape) {
			*armed = true;
		} else {
			bytes[kept++] = c;
		}
	}
	*n = kept;
	return false;
}

/* From the user to the far side: 1: the user left; 0: go on; -1: the user's side has ended. */
static int pass_typed(const struct terminal_relay *r, bool *armed)
{
	char bytes[1024 + 1]; /* an armed escape may add one */
	ssize_t got = read(r->in, bytes, 1024);
	size_t n = got < 0 ? 0 : (size_t)got;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (got <= 0)
		return -1;
	if (r->escape > 0 && take_escape(r->escape, armed, bytes, &n))
		return 1;
	return write_patiently(r->far, bytes, n) < 0 ? -1 : 0;
}

static int patience(const struct terminal_relay *r, enum shown shown, bool typed_out)
{
	if (shown == SHOWN_NOBODY)
		return VACANT_MS;
	return r->lasting && typed_out ? SILENCE_MS : -1;
}

int terminal_relay(const struct terminal_relay *r, struct error *err)
{
	struct raw_mode raw;
	struct caught_signals signals;
	enum shown shown = SHOWN;
	bool armed = false;
	int result = 0;

	signals_begin(&signals, false);
	raw_begin(&raw, r->in);
	pass_size(r);
	struct pollfd p[] = {{.fd = r->far, .events = POLLIN}, {.fd = r->in, .events = POLLIN},
			     {.fd = r->end, .events = POLLIN}, {.fd = signals.fd, .events = POLLIN}};

	while (!result) {
		struct signalfd_siginfo info;
		bool typed_out = p[1].fd != r->in;
		int n;

		/* A hung up pty is always 'readable': do not ask it while nobody is there. */
		p[0].fd = shown == SHOWN_NOBODY ? -1 : r->far;
		n = poll(p, ARRAY_SIZE(p), patience(r, shown, typed_out));
		if (n < 0 && errno != EINTR) {
			result = error_sys(err, "cannot wait for the terminal");
			break;
		}
		if (n == 0 && typed_out)
			result = TERMINAL_LEFT;
		/* Show before anything else, so that the last words are seen. */
		shown = p[0].revents ? show(r) : SHOWN;
		if (shown == SHOWN_END)
			result = TERMINAL_FAR_END;
		else if (!p[0].revents && p[2].revents)
			result = TERMINAL_ENDED;
		if (p[1].revents) {
			int typed = pass_typed(r, &armed);

			if (typed > 0)
				result = TERMINAL_LEFT;
			else if (typed < 0)
				p[1].fd = -1;
		}
		if (p[3].revents && read(signals.fd, &info, sizeof(info)) == sizeof(info))
			pass_size(r);
	}
	raw_end(&raw);
	signals_end(&signals);
	return result;
}

/* ---- a start in the foreground ---- */

static void resize_console(void *data, int rows, int columns)
{
	lxcore_console_resize(data, rows, columns, NULL);
}

struct stay {
	struct lxcore_container *container;
	int terminal, stream; /* -1: none */
	int news;
	unsigned asked; /* how often it was asked to end */
};

static void ask_to_end(struct stay *s)
{
	if (s->asked++ == 0)
		lxcore_shutdown(s->container, 0, NULL);
	else
		lxcore_stop(s->container, NULL);
}

static void stay_loop(struct stay *s, const struct terminal_relay *r, int signals)
{
	struct pollfd p[] = {{.fd = s->stream, .events = POLLIN},
			     {.fd = s->stream >= 0 ? s->terminal : -1, .events = POLLIN},
			     {.fd = s->news, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
	bool armed = false;

	for (;;) {
		struct signalfd_siginfo info;

		if (poll(p, ARRAY_SIZE(p), -1) < 0 && errno != EINTR)
			return;
		if (p[0].revents && show(r) != SHOWN)
			p[0].fd = p[1].fd = -1;
		if (p[1].revents && pass_typed(r, &armed) < 0)
			p[1].fd = -1;
		if (p[3].revents && read(signals, &info, sizeof(info)) == sizeof(info)) {
			if (info.ssi_signo == SIGWINCH)
				pass_size(r);
			else
				ask_to_end(s);
		}
		if (p[2].revents) {
			/* What was said before. */
			while (p[0].fd >= 0 && fd_wait(p[0].fd, 0) == 1 && show(r) == SHOWN)
				;
			return;
		}
	}
}

int terminal_stay(struct lxcore_container *c, int terminal, int news, struct error *err)
{
	struct stay s = {.container = c, .terminal = terminal, .stream = -1, .news = news};
	struct caught_signals signals;
	struct raw_mode raw = {.fd = -1};
	autoclose int hold = -1;
	int tty = 0;

	if (terminal >= 0)
		s.stream = lxcore_console_fd(c, &tty, &hold, NULL);
	struct terminal_relay r = {
		.in = terminal, .out = terminal, .far = s.stream, .end = -1, .escape = -1, .log = -1,
		.resize = resize_console, .data = c,
	};

	signals_begin(&signals, true);
	if (s.stream >= 0) {
		raw_begin(&raw, terminal);
		pass_size(&r);
	}
	stay_loop(&s, &r, signals.fd);
	raw_end(&raw);
	signals_end(&signals);
	close_fd(&s.stream);
	return 0;
}

/* ---- lxc-console ---- */

int lxcore_console_fd(lxcore_container *c, int *tty, int *ret_hold, lxcore_error *err)
{
	struct control_request rq = {.what = CONTROL_TERMINAL, .a = *tty};
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	int fd = -1, hold, wanted = *tty;

	if (running_find(c, &r, err) < 0)
		return -1;
	hold = control_ask(r.rundir, &rq, tty, &fd, err);
	if (hold < 0) {
		int code = err ? err->code : 0;

		if (code == EBUSY && wanted > 0)
			error_set(err, EBUSY, "tty%d is in use by another lxc-console", wanted);
		else if (code == EBUSY)
			error_set(err, EBUSY, "all its ttys are in use");
		else if (code == ENXIO && wanted <= 0)
			error_set(err, ENXIO, "it has no %s (%s)", wanted ? "ttys" : "console",
				  wanted ? "lxc.tty.max" : "lxc.console.path");
		else if (code == ENXIO)
			error_set(err, ENXIO, "it has no tty%d (lxc.tty.max)", wanted);
		return error_within(err, "%s", c->name);
	}
	*ret_hold = hold;
	return fd;
}

int lxcore_console(lxcore_container *c, const struct lxcore_console *how, lxcore_error *err)
{
	int tty = how->tty;
	autoclose int hold = -1, far = -1;

	far = lxcore_console_fd(c, &tty, &hold, err);
	if (far < 0)
		return -1;
	if (how->connected)
		how->connected(how->data, tty);
	struct terminal_relay r = {
		.in = how->in, .out = how->out, .far = far, .end = tty > 0 ? hold : -1,
		.lasting = tty > 0, .escape = how->escape, .log = -1,
		.resize = tty > 0 ? NULL : resize_console, .data = c,
	};

	return terminal_relay(&r, err) < 0 ? error_within(err, "%s", c->name) : 0;
}

int lxcore_console_log(lxcore_container *c, bool clear, char **ret, size_t *ret_size,
		       lxcore_error *err)
{
	struct control_request rq = {.what = CONTROL_LOG, .a = clear, .b = -1};
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	autoclose int copy = -1, connection = -1;
	struct buf text = BUF_INIT;
	int size;

	if (running_find(c, &r, err) < 0)
		return -1;
	connection = control_ask(r.rundir, &rq, &size, &copy, err);
	if (connection < 0) {
		if (err && err->code == ENODATA)
			error_set(err, ENODATA, "its console's output is not kept "
				  "(lxc.console.buffer.size)");
		return error_within(err, "%s", c->name);
	}
	if (fd_read_all(copy, &text, (size_t)size) < 0) {
		buf_free(&text);
		error_sys(err, "cannot read its console's output");
		return error_within(err, "%s", c->name);
	}
	*ret_size = text.len;
	*ret = buf_steal(&text);
	return 0;
}

int lxcore_console_resize(lxcore_container *c, int rows, int columns, lxcore_error *err)
{
	struct control_request rq = {.what = CONTROL_RESIZE, .a = rows, .b = columns};
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	autoclose int connection = -1;

	if (running_find(c, &r, err) < 0)
		return -1;
	connection = control_ask(r.rundir, &rq, NULL, NULL, err);
	return connection < 0 ? error_within(err, "%s", c->name) : 0;
}

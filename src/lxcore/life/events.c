/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Events of containers: sent by supervisors to sockets, heard by lxc-monitor and lxc-wait. */
#include "base/error.h"
#include "life/events.h"
#include "base/fd.h"
#include "base/path.h"
#include "life/rundir.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define MONITORS ".monitors"

/* Two numbers, and three words of which each ends in NUL: name, detail, when. */
struct event_message {
	int type, value;
	char words[600];
};

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static size_t put_message(struct event_message *m, const struct event_word *w)
{
	int n = snprintf(m->words, sizeof(m->words), "%s%c%s%c%lld", w->name, 0, w->detail, 0,
			 (long long)w->when_us);

	m->type = w->type;
	m->value = w->value;
	return offsetof(struct event_message, words) + (size_t)n + 1;
}

/* The next word, "" at the end. */
static const char *next_word(const char **at, const char *end)
{
	const char *word = *at;

	if (word >= end)
		return "";
	*at = word + strlen(word) + 1;
	return word;
}

/* Nobody is trusted to have ended his words. */
static bool take_message(const struct event_message *m, ssize_t size, struct event_word *ret)
{
	const char *at = m->words, *end = (const char *)m + size;

	if (size <= (ssize_t)offsetof(struct event_message, words))
		return false;
	*ret = (struct event_word){.type = m->type, .value = m->value};
	snprintf(ret->name, sizeof(ret->name), "%.255s", next_word(&at, end));
	snprintf(ret->detail, sizeof(ret->detail), "%.255s", next_word(&at, end));
	ret->when_us = atoll(next_word(&at, end));
	if (ret->when_us <= 0)
		ret->when_us = now_us();
	return true;
}

/* ---- those who speak ---- */

static void send_to(int dir, const char *socket_name, int sock, const struct event_message *m,
		    size_t size)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%.64s", dir, socket_name);
	if (sendto(sock, m, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&sa,
		   sizeof(sa)) < 0 && errno == ECONNREFUSED)
		unlinkat(dir, socket_name, 0);
}

static void send_to_all(int parent, const struct event_word *w)
{
	int fd = openat(parent, MONITORS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	autodir DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct event_message m;
	size_t size = put_message(&m, w);
	autoclose int sock = -1;
	struct dirent *entry;

	if (!dir) {
		close_fd(&fd);
		return;
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (sock >= 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			send_to(fd, entry->d_name, sock, &m, size);
}

static void speak(int parent, struct event_word *w, const char *name, const char *detail)
{
	if (parent < 0)
		return;
	w->when_us = now_us();
	snprintf(w->name, sizeof(w->name), "%s", name);
	snprintf(w->detail, sizeof(w->detail), "%s", detail ? detail : "");
	events_keep(parent, w);
	send_to_all(parent, w);
}

void events_send(const char *lxcpath, const char *name, int type, int value)
{
	struct event_word w = {.type = type, .value = value};
	autoclose int parent = rundir_open_parent(lxcpath, false);

	speak(parent, &w, name, NULL);
}

void events_tell(const char *lxcpath, const char *name, int type, const char *detail)
{
	struct event_word w = {.type = type};
	int code = errno;
	autoclose int parent = rundir_open_parent(lxcpath, true);

	speak(parent, &w, name, detail);
	errno = code;
}

static const char *const type_names[] = {
	[LXCORE_EVENT_STATE] = "state", [LXCORE_EVENT_EXIT] = "exit",
	[LXCORE_EVENT_RESTART] = "restart", [LXCORE_EVENT_CREATE] = "create",
	[LXCORE_EVENT_DESTROY] = "destroy", [LXCORE_EVENT_RENAME] = "rename",
	[LXCORE_EVENT_SNAPSHOT] = "snapshot", [LXCORE_EVENT_RESTORE] = "restore",
	[LXCORE_EVENT_FORGET] = "forget", [LXCORE_EVENT_OOM] = "oom",
};

const char *lxcore_event_name(enum lxcore_event_type type)
{
	return (size_t)type < ARRAY_SIZE(type_names) ? type_names[type] : "unknown";
}

int lxcore_event_parse(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(type_names); i++)
		if (strcmp(name, type_names[i]) == 0)
			return (int)i;
	return -1;
}

/* ---- those who listen ---- */

struct lxcore_monitor {
	size_t n;
	struct monitored {
		char *lxcpath, name[64];
		int dir, sock;
	} *paths;
	struct event_word last;
	struct events_past past; /* to be told first */
	size_t told;
};

static int listen_at(struct monitored *m, const char *lxcpath, unsigned number, struct error *err)
{
	autoclose int parent = rundir_open_parent(lxcpath, true);

	m->dir = m->sock = -1;
	m->lxcpath = strdup(lxcpath);
	if (parent < 0 || (mkdirat(parent, MONITORS, 0700) < 0 && errno != EEXIST))
		return error_sys(err, "cannot watch the containers of \"%s\"", lxcpath);
	m->dir = openat(parent, MONITORS, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	/* A pid and a clock reading: two monitors of one process do not meet. */
	snprintf(m->name, sizeof(m->name), "%d-%lld-%u", getpid(), clock_us(), number);
	if (m->dir >= 0)
		m->sock = fd_listen_at(m->dir, m->name, SOCK_DGRAM | SOCK_NONBLOCK);
	if (m->sock < 0)
		return error_sys(err, "cannot watch the containers of \"%s\"", lxcpath);
	return 0;
}

lxcore_monitor *events_listen(const char *const *lxcpaths, struct error *err)
{
	lxcore_monitor *m = calloc(1, sizeof(*m));
	size_t n = 0;

	while (lxcpaths[n])
		n++;
	if (m)
		m->paths = calloc(n ? n : 1, sizeof(*m->paths));
	if (!m || !m->paths) {
		free(m);
		error_set(err, ENOMEM, "cannot watch containers: out of memory");
		return NULL;
	}
	for (; m->n < n; m->n++) {
		if (listen_at(&m->paths[m->n], lxcpaths[m->n], (unsigned)m->n, err) < 0) {
			m->n++;
			lxcore_monitor_close(m);
			return NULL;
		}
	}
	return m;
}

static void fill_event(const struct event_word *w, const char *lxcpath, struct lxcore_event *ret)
{
	*ret = (struct lxcore_event){
		.type = (enum lxcore_event_type)w->type, .lxcpath = lxcpath, .name = w->name,
		.detail = *w->detail ? w->detail : NULL, .when_ms = w->when_us / 1000,
	};
	if (ret->type == LXCORE_EVENT_EXIT)
		ret->status = w->value;
	else if (ret->type == LXCORE_EVENT_RESTART)
		ret->delay_ms = w->value;
	else if (ret->type == LXCORE_EVENT_OOM)
		ret->oom_kills = w->value;
	else if (w->value >= 0 && w->value < LXCORE_N_STATES)
		ret->state = (enum lxcore_state)w->value;
}

/* It was written down before it was sent, and that may have been read meanwhile. */
static bool was_told(const lxcore_monitor *m, const struct event_word *w)
{
	for (size_t i = m->past.n; i-- > 0;)
		if (m->past.v[i].when_us == w->when_us && m->past.v[i].type == w->type &&
		    strcmp(m->past.v[i].name, w->name) == 0)
			return true;
	return false;
}

static int receive_event(lxcore_monitor *m, struct monitored *from, struct lxcore_event *ret)
{
	struct event_message message;
	ssize_t n = recv(from->sock, &message, sizeof(message) - 1, MSG_DONTWAIT);

	if (n <= 0)
		return 0;
	((char *)&message)[n] = '\0';
	if (!take_message(&message, n, &m->last) || m->last.type < 0 ||
	    (size_t)m->last.type >= ARRAY_SIZE(type_names) || was_told(m, &m->last))
		return 0;
	fill_event(&m->last, from->lxcpath, ret);
	return 1;
}

static int by_time(const void *a, const void *b)
{
	const struct event_word *x = a, *y = b;

	return x->when_us < y->when_us ? -1 : x->when_us > y->when_us;
}

int lxcore_monitor_since(lxcore_monitor *m, int64_t since_ms, lxcore_error *err)
{
	for (size_t i = 0; i < m->n; i++) {
		size_t from = m->past.n;

		if (events_read_kept(m->paths[i].lxcpath, since_ms * 1000, &m->past) < 0)
			return error_sys(err, "cannot read the events of \"%s\"",
					 m->paths[i].lxcpath);
		for (; from < m->past.n; from++)
			m->past.v[from].path = i;
	}
	if (m->past.n)
		qsort(m->past.v, m->past.n, sizeof(*m->past.v), by_time);
	return 0;
}

int lxcore_monitor_next(lxcore_monitor *m, int timeout_ms, struct lxcore_event *ret,
			lxcore_error *err)
{
	struct pollfd p[m->n ? m->n : 1];
	int n;

	while (m->told < m->past.n) {
		const struct event_word *w = &m->past.v[m->told++];

		if (w->type >= 0 && (size_t)w->type < ARRAY_SIZE(type_names)) {
			fill_event(w, m->paths[w->path].lxcpath, ret);
			return 1;
		}
	}

	for (size_t i = 0; i < m->n; i++)
		p[i] = (struct pollfd){.fd = m->paths[i].sock, .events = POLLIN};
	n = poll(p, m->n, timeout_ms);
	if (n < 0 && errno != EINTR)
		return error_sys(err, "cannot wait for events");
	for (size_t i = 0; n > 0 && i < m->n; i++)
		if (p[i].revents && receive_event(m, &m->paths[i], ret))
			return 1;
	return 0;
}

int lxcore_monitor_fd(const lxcore_monitor *m)
{
	return m->n ? m->paths[0].sock : -1;
}

void lxcore_monitor_close(lxcore_monitor *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->n; i++) {
		struct monitored *one = &m->paths[i];

		if (one->sock >= 0)
			unlinkat(one->dir, one->name, 0);
		close_fd(&one->sock);
		close_fd(&one->dir);
		free(one->lxcpath);
	}
	free(m->paths);
	free(m->past.v);
	free(m);
}

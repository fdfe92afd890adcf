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

#define MONITORS ".monitors"

struct event_message {
	int type, value;
	char name[256];
};

static void send_to(int dir, const char *socket_name, int sock, const struct event_message *m)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t size = offsetof(struct event_message, name) + strlen(m->name) + 1;

	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%.64s", dir, socket_name);
	if (sendto(sock, m, size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&sa,
		   sizeof(sa)) < 0 && errno == ECONNREFUSED)
		unlinkat(dir, socket_name, 0);
}

void events_send(const char *lxcpath, const char *name, int type, int value)
{
	struct event_message m = {.type = type, .value = value};
	autofree char *parent = rundir_parent_path(lxcpath);
	autofree char *path = parent ? str_printf("%s/" MONITORS, parent) : NULL;
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	autodir DIR *dir = NULL;
	autoclose int sock = -1;
	struct dirent *entry;

	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	snprintf(m.name, sizeof(m.name), "%s", name);
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	while (sock >= 0 && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			send_to(fd, entry->d_name, sock, &m);
}

/* ---- those who listen ---- */

struct lxcore_monitor {
	size_t n;
	struct monitored {
		char *lxcpath, name[64];
		int dir, sock;
	} *paths;
	struct event_message last;
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

static int receive_event(lxcore_monitor *m, struct monitored *from, struct lxcore_event *ret)
{
	ssize_t n = recv(from->sock, &m->last, sizeof(m->last) - 1, MSG_DONTWAIT);

	if (n < (ssize_t)offsetof(struct event_message, name))
		return 0;
	((char *)&m->last)[n] = '\0';
	*ret = (struct lxcore_event){
		.type = m->last.type == LXCORE_EVENT_EXIT ? LXCORE_EVENT_EXIT :
			m->last.type == LXCORE_EVENT_RESTART ? LXCORE_EVENT_RESTART :
							       LXCORE_EVENT_STATE,
		.lxcpath = from->lxcpath,
		.name = m->last.name,
	};
	if (ret->type == LXCORE_EVENT_EXIT)
		ret->status = m->last.value;
	else if (ret->type == LXCORE_EVENT_RESTART)
		ret->delay_ms = m->last.value;
	else if (m->last.value >= 0 && m->last.value < LXCORE_N_STATES)
		ret->state = (enum lxcore_state)m->last.value;
	return 1;
}

int lxcore_monitor_next(lxcore_monitor *m, int timeout_ms, struct lxcore_event *ret,
			lxcore_error *err)
{
	struct pollfd p[m->n ? m->n : 1];
	int n;

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
	free(m);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Handing system calls to another program, and its answers back; see notify.h. */
#include "base/error.h"
#include "life/container.h"
#include "life/control.h"
#include "life/notify.h"
#include "base/fd.h"
#include "base/log.h"
#include "parts/seccomp.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

void notify_init(struct notify *n, const struct conf *c, int epoll, uint64_t tag, uint64_t proxy_tag)
{
	*n = (struct notify){.epoll = epoll, .tag = tag, .proxy_tag = proxy_tag, .sock = -1,
			     .current = -1, .supervisor = getpid()};
	for (unsigned i = 0; i < NOTIFY_LISTENERS; i++)
		n->listeners[i] = -1;
	n->proxy = seccomp_proxy(c, &n->cookie);
}

/* ---- listeners ---- */

/* Each is watched for one event at a time, so a call that has to wait does not keep us awake. */
static int watch(struct notify *n, unsigned index, int how)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = n->tag | index};

	return epoll_ctl(n->epoll, how, n->listeners[index], &e);
}

static void drop(struct notify *n, unsigned index)
{
	close_fd(&n->listeners[index]);
	n->waiting[index] = false;
}

int notify_add(struct notify *n, int listener)
{
	unsigned index = 0;

	while (index < NOTIFY_LISTENERS && n->listeners[index] >= 0)
		index++;
	if (index == NOTIFY_LISTENERS ||
	    syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &n->sizes) < 0 ||
	    n->sizes.seccomp_notif > NOTIFY_ROOM || n->sizes.seccomp_notif_resp > NOTIFY_ROOM) {
		close(listener);
		return -1;
	}
	n->listeners[index] = listener;
	if (!n->proxy || watch(n, index, EPOLL_CTL_ADD) == 0)
		return 0;
	drop(n, index);
	return -1;
}

int notify_listener(const struct notify *n)
{
	errno = n->proxy ? EBUSY : ENOENT;
	return n->proxy ? -1 : n->listeners[0];
}

/* ---- answers ---- */

static void refuse(struct notify *n, int listener)
{
	const struct seccomp_notif *call = (const void *)n->call;
	struct seccomp_notif_resp *answer = (void *)n->answer;

	memset(n->answer, 0, n->sizes.seccomp_notif_resp);
	answer->id = call->id;
	answer->error = -ENOSYS;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, answer);
}

/* The next call that waits may be taken. */
static void done(struct notify *n)
{
	unsigned index = (unsigned)n->current;

	n->current = -1;
	if (n->listeners[index] >= 0)
		watch(n, index, EPOLL_CTL_MOD);
	for (unsigned i = 0; i < NOTIFY_LISTENERS && n->current < 0; i++)
		if (n->waiting[i])
			notify_on_call(n, i, false);
}

static void fail(struct notify *n, const char *why)
{
	log_write(LOG_WARN, "seccomp", "%s: \"%s\" (lxc.seccomp.notify.proxy): a call fails with "
		  "ENOSYS", why, n->proxy);
	close_fd(&n->sock);
	refuse(n, n->listeners[n->current]);
	done(n);
}

/* ---- the program ---- */

static int connect_to(const char *proxy)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t size = strlen(proxy);
	autoclose int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (sock < 0 || size >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, proxy, size);
	if (*a.sun_path == '@')
		*a.sun_path = '\0';
	/* An abstract name ends where its length says. */
	if (connect(sock, (void *)&a, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size +
						   (*proxy != '@'))) < 0)
		return -1;
	return steal_fd(&sock);
}

static bool reach(struct notify *n)
{
	struct epoll_event e = {.events = EPOLLIN | EPOLLRDHUP, .data.u64 = n->proxy_tag};

	if (n->sock >= 0)
		return true;
	n->sock = connect_to(n->proxy);
	if (n->sock >= 0 && epoll_ctl(n->epoll, EPOLL_CTL_ADD, n->sock, &e) == 0)
		return true;
	close_fd(&n->sock);
	return false;
}

/* The parts of a message; head, cookie and the sizes are the same in both directions. */
static void lay_out(struct notify *n, struct notify_head *head, struct iovec part[4], char *cookie)
{
	size_t size = n->cookie ? strlen(n->cookie) : 0;

	part[0] = (struct iovec){head, sizeof(*head)};
	part[1] = (struct iovec){n->call, n->sizes.seccomp_notif};
	part[2] = (struct iovec){n->answer, n->sizes.seccomp_notif_resp};
	part[3] = (struct iovec){cookie, size};
}

static ssize_t send_call(struct notify *n, int process, int memory)
{
	struct notify_head head = {.supervisor = n->supervisor, .init = n->init, .sizes = n->sizes,
				   .cookie_size = n->cookie ? strlen(n->cookie) : 0};
	const int fds[3] = {process, memory, n->listeners[n->current]};
	union {
		char bytes[CMSG_SPACE(sizeof(fds))];
		struct cmsghdr align;
	} control = {0};
	struct iovec part[4];
	struct msghdr m = {.msg_iov = part, .msg_iovlen = 4, .msg_control = control.bytes,
			   .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	lay_out(n, &head, part, (char *)n->cookie);
	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(fds)), .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	return sendmsg(n->sock, &m, MSG_NOSIGNAL);
}

/* The caller must be stopped in this very call when its directory is opened, or it may be another's. */
static int open_caller(const struct notify *n, int *ret_memory)
{
	const struct seccomp_notif *call = (const void *)n->call;
	char path[32];
	autoclose int process = -1, memory = -1;

	snprintf(path, sizeof(path), "/proc/%u", call->pid);
	process = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	memory = process < 0 ? -1 : openat(process, "mem", O_RDWR | O_CLOEXEC);
	if (memory < 0 ||
	    ioctl(n->listeners[n->current], SECCOMP_IOCTL_NOTIF_ID_VALID, &call->id) < 0)
		return -1;
	*ret_memory = steal_fd(&memory);
	return steal_fd(&process);
}

static void hand_over(struct notify *n)
{
	autoclose int memory = -1;
	autoclose int process = open_caller(n, &memory);

	if (process < 0) {
		refuse(n, n->listeners[n->current]);
		done(n);
		return;
	}
	memset(n->answer, 0, n->sizes.seccomp_notif_resp);
	if (!reach(n)) {
		fail(n, "cannot reach the program");
		return;
	}
	if (send_call(n, process, memory) < 0) {
		/* It was started anew, perhaps. */
		close_fd(&n->sock);
		if (!reach(n) || send_call(n, process, memory) < 0) {
			fail(n, "cannot send a call to the program");
			return;
		}
	}
	n->deadline = clock_ms() + NOTIFY_LIMIT_MS;
}

void notify_on_call(struct notify *n, unsigned index, bool ended)
{
	if (index >= NOTIFY_LISTENERS || n->listeners[index] < 0)
		return;
	if (ended) { /* nobody is left who could call */
		if (n->current != (int)index)
			drop(n, index);
		return;
	}
	n->waiting[index] = n->current >= 0;
	if (n->waiting[index])
		return;
	n->current = (int)index;
	/* Taking a call that is no more (its caller was killed) must not make us wait for the next. */
	if (fd_wait(n->listeners[index], 0) <= 0) {
		done(n);
		return;
	}
	memset(n->call, 0, n->sizes.seccomp_notif);
	if (ioctl(n->listeners[index], SECCOMP_IOCTL_NOTIF_RECV, n->call) < 0)
		done(n);
	else
		hand_over(n);
}

void notify_on_answer(struct notify *n)
{
	const struct seccomp_notif *call = (const void *)n->call;
	_Alignas(8) unsigned char sent[NOTIFY_ROOM];
	struct seccomp_notif_resp *answer = (void *)n->answer;
	const uint64_t id = call->id;
	struct notify_head head = {0};
	char cookie[4096];
	struct iovec part[4];
	struct msghdr m = {.msg_iov = part, .msg_iovlen = 4};
	size_t whole = 0;
	ssize_t got;

	if (n->sock < 0)
		return;
	lay_out(n, &head, part, cookie);
	part[1].iov_base = sent; /* what it says of the call is not read */
	for (size_t i = 0; i < 4; i++)
		whole += part[i].iov_len;
	got = recvmsg(n->sock, &m, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (n->current < 0) { /* it went, or talks without being asked */
		close_fd(&n->sock);
		return;
	}
	if (got <= 0)
		fail(n, "the program went");
	else if ((size_t)got != whole || answer->id != id ||
		 memcmp(&head.sizes, &n->sizes, sizeof(n->sizes)) != 0 ||
		 head.cookie_size != part[3].iov_len)
		fail(n, "the program answers something else than it was asked");
	else {
		ioctl(n->listeners[n->current], SECCOMP_IOCTL_NOTIF_SEND, answer);
		done(n);
	}
}

int notify_timeout(const struct notify *n)
{
	long long left = n->current < 0 ? -1 : n->deadline - clock_ms();

	return n->current < 0 ? -1 : left < 0 ? 0 : (int)left;
}

void notify_on_time(struct notify *n)
{
	if (n->current >= 0 && clock_ms() >= n->deadline)
		fail(n, "the program does not answer");
}

void notify_close(struct notify *n)
{
	for (unsigned i = 0; i < NOTIFY_LISTENERS; i++)
		drop(n, i);
	close_fd(&n->sock);
	n->current = -1;
}

/* ---- the client's side ---- */

int lxcore_seccomp_listener(lxcore_container *c, lxcore_error *err)
{
	const struct control_request rq = {.what = CONTROL_LISTENER};
	autorunning struct running r = {.rundir = -1, .init_pidfd = -1};
	autoclose int connection = -1;
	int fd = -1;

	if (running_find(c, &r, err) < 0)
		return -1;
	connection = control_ask(r.rundir, &rq, NULL, &fd, err);
	if (connection >= 0 && fd >= 0)
		return fd;
	if (err && err->code == EBUSY)
		error_set(err, EBUSY, "its system calls are answered by another program "
				      "(lxc.seccomp.notify.proxy)");
	else if (err && err->code == ENOENT)
		error_set(err, ENOENT, "its policy has no system call with action notify");
	return error_within(err, "%s", c->name);
}

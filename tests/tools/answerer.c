/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * answerer - answers system calls of a container, for tests.
 *
 *	answerer proxy SOCKET MANNER     listens there, as lxc.seccomp.notify.proxy wants it
 *	answerer self LXCPATH NAME       takes the listener of a running container and answers itself
 *
 * mkdir fails with EXDEV, sysinfo is let through.  MANNER: good; silent, never answers; wrong, answers
 * with sizes that are none; gone, hangs up.  A line for each call goes to stdout: its name, the cookie,
 * and 'path' as it stands in the caller's memory.
 */
#include "lxcore.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct head {
	uint64_t reserved;
	int32_t supervisor, init;
	struct seccomp_notif_sizes sizes;
	uint64_t cookie_size;
};

struct message {
	struct head head;
	struct seccomp_notif call;
	struct seccomp_notif_resp answer;
	char cookie[256];
};

static void decide(const struct seccomp_notif *call, struct seccomp_notif_resp *answer)
{
	*answer = (struct seccomp_notif_resp){.id = call->id};
	if (call->data.nr == SYS_sysinfo)
		answer->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		answer->error = -EXDEV;
}

static void show(const struct seccomp_notif *call, const char *cookie, int memory)
{
	char path[64] = "";
	uint64_t at = call->data.nr == SYS_mkdirat ? call->data.args[1] : call->data.args[0];

	if (call->data.nr != SYS_sysinfo && memory >= 0)
		pread(memory, path, sizeof(path) - 1, (off_t)at);
	printf("%s cookie=%s path=%s\n", call->data.nr == SYS_sysinfo ? "sysinfo" : "mkdir", cookie,
	       path);
	fflush(stdout);
}

/* One message with its three descriptors; false at the end. */
static bool hear(int sock, struct message *m, int fds[3])
{
	char control[CMSG_SPACE(3 * sizeof(int))];
	struct iovec part = {m, sizeof(*m)};
	struct msghdr h = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control,
			   .msg_controllen = sizeof(control)};
	struct cmsghdr *c;

	memset(m, 0, sizeof(*m));
	if (recvmsg(sock, &h, 0) <= 0)
		return false;
	c = CMSG_FIRSTHDR(&h);
	if (!c || c->cmsg_len != CMSG_LEN(3 * sizeof(int)) ||
	    m->head.sizes.seccomp_notif != sizeof(m->call) || m->head.cookie_size > 200) {
		puts("not a message");
		return false;
	}
	memcpy(fds, CMSG_DATA(c), 3 * sizeof(int));
	return true;
}

static void serve(int sock, const char *manner)
{
	struct message m;
	int fds[3];

	while (hear(sock, &m, fds)) {
		size_t size = offsetof(struct message, cookie) + m.head.cookie_size;

		show(&m.call, m.cookie, fds[1]);
		for (int i = 0; i < 3; i++)
			close(fds[i]);
		if (strcmp(manner, "gone") == 0)
			return;
		if (strcmp(manner, "silent") == 0)
			continue;
		decide(&m.call, &m.answer);
		if (strcmp(manner, "wrong") == 0)
			m.head.sizes.seccomp_notif++;
		if (send(sock, &m, size, MSG_NOSIGNAL) < 0)
			return;
	}
}

static int be_proxy(const char *path, const char *manner)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0), sock;

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	if (bind(listener, (void *)&a, sizeof(a)) < 0 || listen(listener, 8) < 0) {
		perror("answerer");
		return 1;
	}
	while ((sock = accept(listener, NULL, NULL)) >= 0) {
		serve(sock, manner);
		close(sock);
	}
	return 0;
}

static int answer_myself(const char *lxcpath, const char *name)
{
	lxcore_error *err = lxcore_error_new();
	lxcore_container *c = lxcore_open(lxcpath, name, err);
	int fd = c ? lxcore_seccomp_listener(c, err) : -1;
	struct seccomp_notif call;
	struct seccomp_notif_resp answer;

	if (fd < 0) {
		fprintf(stderr, "%s\n", lxcore_error_text(err));
		return 1;
	}
	for (;;) {
		memset(&call, 0, sizeof(call));
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			return 0;
		show(&call, "none", -1);
		decide(&call, &answer);
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "proxy") == 0)
		return be_proxy(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "self") == 0)
		return answer_myself(argv[2], argv[3]);
	return 2;
}

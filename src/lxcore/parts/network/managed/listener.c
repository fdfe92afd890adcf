/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who listens on a port of this host.  Whether someone does is told by trying: sockets that are
 * bound to another interface are no hindrance, and /proc/net (proc_net(5)) does not show that.  Who
 * it is is found there, and in the descriptors of all processes.
 */
#include "base/fd.h"
#include "parts/network/managed/managed.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TCP_LISTENS 0x0a
#define UDP_IS_BOUND 0x07

/* Addresses stand there as 32-bit words of the machine's own order. */
static bool read_words(const char *hex, struct address *ret)
{
	size_t words = strlen(hex) / 8;

	*ret = (struct address){.family = words == 1 ? AF_INET : AF_INET6};
	for (size_t i = 0; i < words && i < 4; i++) {
		char one[9] = "";
		uint32_t value;

		memcpy(one, hex + 8 * i, 8);
		value = (uint32_t)strtoul(one, NULL, 16);
		memcpy(ret->bytes + 4 * i, &value, sizeof(value));
	}
	return words == 1 || words == 4;
}

static bool is_any(const struct address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, address_size(a)) == 0;
}

static bool in_the_way(const struct address *bound, const struct address *at)
{
	if (!at ||
	    is_any(bound)) /* one that is bound to :: has IPv4 too, unless it said otherwise */
		return true;
	return address_same(bound, at);
}

/* The inode of a socket that has the port; 0: none. */
static unsigned long find_socket(const char *file, bool tcp, const struct address *at,
				 uint16_t port)
{
	autobuf struct buf text = BUF_INIT;
	char *rest, *line;

	if (file_read(AT_FDCWD, file, &text) < 0)
		return 0;
	for (rest = text.s; rest && (line = strsep(&rest, "\n"));) {
		char hex[33];
		unsigned its_port, state;
		unsigned long inode;
		struct address bound;

		if (sscanf(line, "%*d: %32[0-9A-F]:%x %*[0-9A-F]:%*x %x %*s %*s %*s %*s %*s %lu",
			   hex, &its_port, &state, &inode) != 4)
			continue;
		if (its_port == port && state == (tcp ? TCP_LISTENS : UDP_IS_BOUND) &&
		    read_words(hex, &bound) && in_the_way(&bound, at))
			return inode;
	}
	return 0;
}

static bool has_socket(pid_t pid, unsigned long inode)
{
	char path[64], link[64], wanted[64];
	autodir DIR *dir = NULL;
	struct dirent *entry;

	snprintf(wanted, sizeof(wanted), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);

		if (n > 0) {
			link[n] = '\0';
			if (strcmp(link, wanted) == 0)
				return true;
		}
	}
	return false;
}

static void find_owner(unsigned long inode, struct listener *ret)
{
	autodir DIR *dir = opendir("/proc");
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autobuf struct buf comm = BUF_INIT;
		char path[64];
		pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (pid <= 0 || !has_socket(pid, inode))
			continue;
		ret->pid = pid;
		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		if (file_read(AT_FDCWD, path, &comm) == 0 && comm.s)
			snprintf(ret->comm, sizeof(ret->comm), "%.*s", (int)strcspn(comm.s, "\n"),
				 comm.s);
		return;
	}
}

/* Could we have it? */
static bool is_free(bool tcp, const struct address *at, uint16_t port, const char *device)
{
	int family = at ? at->family : AF_INET, yes = 1;
	autoclose int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (fd < 0)
		return true;
	if (at && family == AF_INET)
		memcpy(&v4.sin_addr, at->bytes, 4);
	else if (at)
		memcpy(&v6.sin6_addr, at->bytes, 16);
	/* Old connections do not count, and the address may be one that is not there yet. */
	if (tcp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &yes, sizeof(yes));
	if (device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2);
	if (family == AF_INET ? bind(fd, (struct sockaddr *)&v4, sizeof(v4)) == 0
			      : bind(fd, (struct sockaddr *)&v6, sizeof(v6)) == 0)
		return !tcp || listen(fd, 1) == 0 || errno != EADDRINUSE;
	return errno != EADDRINUSE;
}

bool listener_find(bool tcp, const struct address *at, uint16_t port, const char *device,
		   struct listener *ret)
{
	const char *const files[] = {tcp ? "/proc/self/net/tcp" : "/proc/self/net/udp",
				     tcp ? "/proc/self/net/tcp6" : "/proc/self/net/udp6"};

	*ret = (struct listener){0};
	if (is_free(tcp, at, port, device))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		unsigned long inode = find_socket(files[i], tcp, at, port);

		if (!inode)
			continue;
		find_owner(inode, ret);
		break;
	}
	return true;
}

const char *listener_text(const struct listener *l, char text[64])
{
	if (l->pid)
		snprintf(text, 64, "%s (process %d)", l->comm, l->pid);
	else
		snprintf(text, 64, "a process that cannot be seen from here");
	return text;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * System calls that another program answers: action 'notify' of a policy (seccomp_unotify(2)).
 *
 * With lxc.seccomp.notify.proxy the supervisor stands between the kernel and that program: it takes a
 * call, sends it over a SOCK_SEQPACKET socket, and hands the answer back; one call at a time, each
 * within NOTIFY_LIMIT_MS, after which, or without the program, the call fails with ENOSYS.  Without the
 * key whoever asks for the listener (lxcore_seccomp_listener) answers.
 *
 * A message, in both directions: struct notify_head, struct seccomp_notif, struct seccomp_notif_resp
 * (both of the kernel's size), the cookie; towards the program with three descriptors: the
 * directory of the caller in /proc, its memory, the listener.  Programs that serve LXC know it.
 */
#ifndef LXCORE_LIFE_NOTIFY_H
#define LXCORE_LIFE_NOTIFY_H

#include "parts/part.h"

#include <linux/seccomp.h>
#include <stdint.h>

#define NOTIFY_LIMIT_MS 30000
#define NOTIFY_LISTENERS 64 /* init's, and one for each attached command that has a filter of its own */
#define NOTIFY_ROOM 256     /* the kernel's structs have 80 and 24 bytes by now */

struct notify_head {
	uint64_t reserved;
	int32_t supervisor, init; /* pids */
	struct seccomp_notif_sizes sizes;
	uint64_t cookie_size;
};

struct notify {
	const char *proxy, *cookie; /* the configuration's; NULL: unset */
	struct seccomp_notif_sizes sizes;
	int epoll;
	int listeners[NOTIFY_LISTENERS]; /* -1: free */
	bool waiting[NOTIFY_LISTENERS];  /* has a call that was not taken yet */
	uint64_t tag;                    /* for epoll: or-ed with the index */
	uint64_t proxy_tag;
	int sock;    /* to the program; -1: not connected */
	int current; /* whose call the program has; -1: none */
	int32_t supervisor, init;
	long long deadline; /* clock_ms() */
	_Alignas(8) unsigned char call[NOTIFY_ROOM], answer[NOTIFY_ROOM];
};

/* Events come as 'tag' + index for listeners and as 'proxy_tag' for the program's socket. */
void notify_init(struct notify *n, const struct conf *c, int epoll, uint64_t tag, uint64_t proxy_tag);
/* The first listener is init's.  The descriptor becomes ours; -1 when there is no room. */
int notify_add(struct notify *n, int listener);
/* For one who answers himself: init's listener, or -1 (EBUSY: the proxy has it, ENOENT: none). */
int notify_listener(const struct notify *n);
void notify_on_call(struct notify *n, unsigned index, bool ended);
void notify_on_answer(struct notify *n);
/* Milliseconds until notify_on_time() has to be called; -1: no need. */
int notify_timeout(const struct notify *n);
void notify_on_time(struct notify *n);
void notify_close(struct notify *n);

#endif

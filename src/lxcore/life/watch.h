/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a supervisor watches while it waits.  Shared by its two files: supervise.c, its life, and
 * serve.c, its control socket.
 */
#ifndef LXCORE_LIFE_WATCH_H
#define LXCORE_LIFE_WATCH_H

#include "life/again.h"
#include "life/hub.h"
#include "life/notify.h"
#include "life/oom.h"
#include "life/supervise.h"

#define CONNECTIONS 16

/* What an epoll event is about: the kind in the upper half, an index in the lower. */
enum watched { WATCH_INIT, WATCH_SIGNALS, WATCH_STARTER, WATCH_CONTROL, WATCH_CONNECTION,
	       WATCH_CONSOLE, WATCH_CLIENT, WATCH_LISTENER, WATCH_PROXY, WATCH_OOM };

struct watch {
	struct supervisor *s;
	struct hub hub;
	struct notify notify;
	struct oom oom;
	int epoll, signals, control;
	struct connection {
		int fd;  /* -1: free */
		int tty; /* that it holds; 0: none */
	} connections[CONNECTIONS];
	struct run_state state;
	struct again again;
	bool ended;
	bool viewed;      /* somebody came for its console */
	bool ran;         /* it was running, once at least */
	bool left_behind; /* the journal could not be read: its things are still there */
};

int watch_add(struct watch *w, int fd, unsigned events, enum watched what, unsigned index);

/* ---- serve.c: the control socket ---- */

void serve_begin(struct watch *w);
/* Somebody wants to ask. */
void serve_on_control(struct watch *w);
/* Somebody asks, or went away. */
void serve_on_connection(struct watch *w, unsigned index);
/* The container ended: its ttys are gone. */
void serve_drop_ttys(struct watch *w);

#endif

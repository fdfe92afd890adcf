/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor: one single-threaded process per container, its only parent.  It boots, then waits
 * for init's end, its terminals and its control socket; reboots when init asked for it; gives
 * everything back at the end.  It allocates nothing while it waits.
 */
#ifndef LXCORE_LIFE_SUPERVISE_H
#define LXCORE_LIFE_SUPERVISE_H

#include "life/boot.h"
#include "life/container.h"

/* What a supervisor tells the one who started it, over a SOCK_SEQPACKET socket. */
struct launch_news {
	enum { NEWS_RUNNING = 1, NEWS_FAILED, NEWS_ENDED, NEWS_TIMINGS } what;
	union {
		struct error error;
		int status; /* of init, as of wait(2) */
		struct boot_timings timings;
	};
};

struct supervisor {
	struct lxcore_container *container;
	struct boot *boot;
	int lock;    /* held until the end */
	int starter; /* socket to the one who started us; -1: it has its answer */
	bool timed;
	bool has_viewer; /* the one who started us is at a terminal, and comes for the console */
	const char *pidfile; /* ours: written once it runs, removed at the end; NULL: none */
};

/* The life of a supervisor; never returns. */
_Noreturn void supervise(struct supervisor *s);

#endif

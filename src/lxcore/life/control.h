/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor's control socket: the little that only it can do - its terminals, its console's
 * history, and telling others of a freeze.  Everything else is read from the run directory or done
 * to init directly, so a supervisor that hangs is in nobody's way; and who asks waits
 * CONTROL_TIMEOUT_MS at most.
 *
 * One request and one answer per connection (SOCK_SEQPACKET); the connection to a ttyN then stays
 * open to hold it.  Both ends are of one build; the socket is in a 0700 directory and the peer's
 * credentials are checked besides (unix(7), SO_PEERCRED).
 */
#ifndef LXCORE_LIFE_CONTROL_H
#define LXCORE_LIFE_CONTROL_H

#include "base/error.h"

#include <stdbool.h>

#define CONTROL_SOCKET "control"
#define CONTROL_TIMEOUT_MS 5000

enum control_what {
	CONTROL_TERMINAL = 1, /* a: tty, -1: a free one -> value: tty, descriptor */
	CONTROL_LOG,          /* a: forget it after, b: what was seen (hub_copy_ring) -> descriptor of a
				 copy, none: there is no more; value: its size */
	CONTROL_RESIZE,       /* a: rows, b: columns of the console */
	CONTROL_NOTE_STATE,   /* a: enum lxcore_state reached by a freeze or thaw */
	CONTROL_ADD_LISTENER, /* a descriptor comes along: of the filter of an attached command */
	CONTROL_LISTENER,     /* -> descriptor of init's, for one who answers himself */
};

struct control_request {
	int what, a, b;
	int fd; /* sent along when 'has_fd'; means nothing to the other side */
	bool has_fd;
};
struct control_answer {
	int code;  /* 0, or an errno value */
	int value;
};

/* Ask; *ret_fd (may be NULL) gets the descriptor that came along or -1.  Returns the connection,
 * to be closed, or -1: ETIMEDOUT, or the code of the answer, with words. */
int control_ask(int rundir, const struct control_request *rq, int *ret_value, int *ret_fd,
		struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The user's side of a terminal: raw mode that is always put back, window size, and the relay of
 * bytes between the user's descriptors and a pty or stream until one side ends.
 */
#ifndef LXCORE_LIFE_TERMINAL_H
#define LXCORE_LIFE_TERMINAL_H

#include "life/container.h"

#include <termios.h>

struct terminal_relay {
	int in, out;    /* the user's; 'in' is put into raw mode if it is a terminal */
	int far;        /* pty master, or stream socket */
	int end;        /* readable or hung up: stop once 'far' is drained; -1: none */
	bool lasting;   /* the other side of the pty comes and goes: logins follow each other */
	int escape;     /* 1..26: Ctrl+letter then q leaves; -1: none */
	int log;        /* copy of what is shown; -1: none */
	/* The window changed: tell the far side; NULL: TIOCSWINSZ on 'far'. */
	void (*resize)(void *data, int rows, int columns);
	void *data;
};

enum terminal_end { TERMINAL_LEFT = 1, TERMINAL_FAR_END, TERMINAL_ENDED };
/* Returns why it ended, or -1. */
int terminal_relay(const struct terminal_relay *r, struct error *err);
/* Foreground start: show the console on 'terminal' (-1: none) until 'news' is readable, passing
 * SIGTERM and its like on to the container as a request to shut down.  0 or -1. */
int terminal_stay(struct lxcore_container *c, int terminal, int news, struct error *err);
/* Copy the window size of one terminal to another; false when 'from' is none. */
bool terminal_copy_size(int from, int to);

#endif

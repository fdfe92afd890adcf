/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's terminals, for life/, which carries bytes between their masters and people.
 *
 * The inside allocates console and ttys from the container's own devpts and hands the masters over;
 * here is what life/ reads: the settings and, once the container was sealed, the descriptors.
 */
#ifndef LXCORE_PARTS_TERMINALS_H
#define LXCORE_PARTS_TERMINALS_H

#include "parts/part.h"

#define TERMINALS_MAX_TTYS 50

struct terminals_conf {
	unsigned pty_max, tty_max;
	char *tty_dir;                   /* below /dev; NULL: none */
	char *console_path;              /* NULL: own pty only; "none"; a tty device as peer */
	char *console_logfile;           /* NULL: none */
	unsigned long long console_size; /* limit of the logfile; 0: none */
	bool console_rotate;             /* at the limit: rename to .1 (false: truncate) */
	unsigned long long console_buffer_size; /* ring buffer; 0: none */
};

const struct terminals_conf *terminals_conf_of(const struct conf *c);

/* Masters, non-blocking; they stay the part's, which closes them at release.  -1: there is none. */
int terminals_console(const struct boot *b);
/* /dev/ttyN, 1 <= n <= terminals_count(). */
int terminals_tty(const struct boot *b, unsigned n);
unsigned terminals_count(const struct boot *b);
/* The device of lxc.console.path, non-blocking, that life/ connects with the console; or -1. */
int terminals_peer(const struct boot *b);

#endif

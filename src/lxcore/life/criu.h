/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* criu(8), the program that writes processes to files and makes them again: where it is, what it is
 * always told, and what it said when it failed. */
#ifndef LXCORE_LIFE_CRIU_H
#define LXCORE_LIFE_CRIU_H

#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>

/* Its path; to be freed; NULL with the error. */
char *criu_program(struct error *err);
/* Run it with these words (ended by NULL) to ask it something; its exit status, -1 with the error. */
int criu_ask(const char *const *words, struct buf *said, struct error *err);

/* The beginning of its command line: the program, "dump", "pre-dump" or "restore", what all three are
 * told, images and log in 'dir'. */
int criu_begin(struct strv *words, const char *action, const char *dir, bool verbose,
	       const char *action_script, struct error *err);
/* It ended with that wait status: -1 with what went wrong first, as its log in 'dir' has it. */
int criu_failed(const char *action, const char *dir, int status, struct error *err);

#endif

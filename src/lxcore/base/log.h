/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: the one thing in the library that is global, because a program has one.  Nothing is
 * written unless the program (or lxc.log.file) opened it; what a person must know is in errors, never
 * only here.  A line: 'PROGRAM CONTAINER YYYYMMDDhhmmss.mmm LEVEL     room - message'.
 */
#ifndef LXCORE_BASE_LOG_H
#define LXCORE_BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>

enum log_level { LOG_TRACE = 1, LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ERROR, LOG_CRIT,
		 LOG_ALERT, LOG_FATAL };

int log_open(const char *file, enum log_level level, const char *program, const char *container,
	     struct error *err);
/* Level by its name, any case; 0: no such level. */
int log_level_parse(const char *name);
bool log_is_open(void);
/* Its descriptor, for those who close all others; -1: none. */
int log_fd(void);
void log_write(enum log_level level, const char *room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

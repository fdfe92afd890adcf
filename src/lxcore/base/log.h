/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The log: the one thing in the library that is global, because a program has one.  Nothing is written
 * unless the program (or lxc.log.file, lxc.log.syslog) opened it; what a person must know is in
 * errors, never only here.  A line: 'PROGRAM CONTAINER YYYYMMDDhhmmss.mmm LEVEL     room - message'; a
 * line of syslog has time and severity from the protocol: 'PROGRAM: CONTAINER: room - message'.
 */
#ifndef LXCORE_BASE_LOG_H
#define LXCORE_BASE_LOG_H

#include "base/error.h"

#include <stdbool.h>

enum log_level { LOG_TRACE = 1, LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARN, LOG_ERROR, LOG_CRIT,
		 LOG_ALERT, LOG_FATAL };

/* It may go to both. */
enum log_target { LOG_TO_FILE, LOG_TO_SYSLOG, LOG_TARGETS };

int log_open(const char *file, enum log_level level, const char *program, const char *container,
	     struct error *err);
/* To the syslog daemon of this host; facility: as its protocol (RFC 3164) numbers it. */
int log_open_syslog(int facility, enum log_level level, const char *program, const char *container,
		    struct error *err);
/* Level by its name, any case; 0: no such level. */
int log_level_parse(const char *name);
bool log_is_open(void);
/* Its descriptors, for those who close all others; -1: not open. */
int log_fd(enum log_target which);
void log_write(enum log_level level, const char *room, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

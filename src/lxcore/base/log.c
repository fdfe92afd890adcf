/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log.  See log.h. */
#include "base/log.h"
#include "base/fd.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static struct {
	int fd;
	enum log_level level;
	char program[32], container[208];
} sink = {.fd = -1};

static const char *const names[] = {
	"", "TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "ERROR", "CRIT", "ALERT", "FATAL",
};

int log_level_parse(const char *name)
{
	for (int i = LOG_TRACE; i <= LOG_FATAL; i++)
		if (strcasecmp(name, names[i]) == 0)
			return i;
	return 0;
}

bool log_is_open(void)
{
	return sink.fd >= 0;
}

int log_fd(void)
{
	return sink.fd;
}

int log_open(const char *file, enum log_level level, const char *program, const char *container,
	     struct error *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return error_sys(err, "cannot write the log \"%s\"", file);
	close_fd(&sink.fd);
	sink.fd = fd;
	sink.level = level;
	snprintf(sink.program, sizeof(sink.program), "%s", program);
	snprintf(sink.container, sizeof(sink.container), "%s", container ? container : "");
	return 0;
}

/* What came from outside must not pass for a line of the log or reach a terminal as a command. */
static size_t escape(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from && n + 5 < room; from++) {
		unsigned char c = (unsigned char)*from;

		if (iscntrl(c))
			n += (size_t)snprintf(to + n, room - n, "\\x%02x", c);
		else
			to[n++] = *from;
	}
	return n;
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
	char line[2048], message[1500];
	struct timeval now;
	struct tm when;
	va_list ap;
	size_t n;

	if (sink.fd < 0 || level < sink.level)
		return;
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	gettimeofday(&now, NULL);
	localtime_r(&now.tv_sec, &when);
	n = (size_t)snprintf(line, sizeof(line),
			     "%s %s %04d%02d%02d%02d%02d%02d.%03ld %-8s %s - ", sink.program,
			     sink.container, when.tm_year + 1900, when.tm_mon + 1, when.tm_mday,
			     when.tm_hour, when.tm_min, when.tm_sec, now.tv_usec / 1000, names[level],
			     room);
	n += escape(line + n, sizeof(line) - n - 1, message);
	line[n++] = '\n';
	if (write(sink.fd, line, n) < 0)
		return; /* a full disk must not stop a container */
}

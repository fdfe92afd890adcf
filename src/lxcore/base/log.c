/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The log.  See log.h. */
#include "base/log.h"
#include "base/fd.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#define SYSLOG "/dev/log"

static struct {
	int fd[LOG_TARGETS];
	int facility;
	enum log_level level;
	char program[32], container[208];
} sink = {.fd = {-1, -1}};

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
	return sink.fd[LOG_TO_FILE] >= 0 || sink.fd[LOG_TO_SYSLOG] >= 0;
}

int log_fd(enum log_target which)
{
	return sink.fd[which];
}

static void take_sink(enum log_target which, int fd, enum log_level level, const char *program,
		      const char *container)
{
	close_fd(&sink.fd[which]);
	sink.fd[which] = fd;
	sink.level = level;
	snprintf(sink.program, sizeof(sink.program), "%s", program);
	snprintf(sink.container, sizeof(sink.container), "%s", container ? container : "");
}

int log_open(const char *file, enum log_level level, const char *program, const char *container,
	     struct error *err)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0640);

	if (fd < 0)
		return error_sys(err, "cannot write the log \"%s\"", file);
	take_sink(LOG_TO_FILE, fd, level, program, container);
	return 0;
}

/* Connected once and kept: what "/dev/log" is inside the container is not ours. */
int log_open_syslog(int facility, enum log_level level, const char *program, const char *container,
		    struct error *err)
{
	static const struct sockaddr_un daemon = {.sun_family = AF_UNIX, .sun_path = SYSLOG};
	autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&daemon, sizeof(daemon)) < 0) {
		error_sys(err, "cannot reach the syslog daemon at \"%s\"", SYSLOG);
		return error_mend(err, "start a syslog daemon, or log to a file: lxc.log.file");
	}
	sink.facility = facility;
	take_sink(LOG_TO_SYSLOG, steal_fd(&fd), level, program, container);
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

static void to_file(enum log_level level, const char *room, const char *message)
{
	char line[2048];
	struct timeval now;
	struct tm when;
	size_t n;

	gettimeofday(&now, NULL);
	localtime_r(&now.tv_sec, &when);
	n = (size_t)snprintf(line, sizeof(line),
			     "%s %s %04d%02d%02d%02d%02d%02d.%03ld %-8s %s - ", sink.program,
			     sink.container, when.tm_year + 1900, when.tm_mon + 1, when.tm_mday,
			     when.tm_hour, when.tm_min, when.tm_sec, now.tv_usec / 1000, names[level],
			     room);
	n += escape(line + n, sizeof(line) - n - 1, message);
	line[n++] = '\n';
	if (write(sink.fd[LOG_TO_FILE], line, n) < 0)
		return; /* a full disk must not stop a container */
}

/* A daemon that hangs must not stop a container, either: what it does not take at once is lost. */
static void to_syslog(enum log_level level, const char *room, const char *message)
{
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	/* By level.  Not "emergency" for FATAL: that is written on every terminal of the host. */
	static const int severities[] = {7, 7, 7, 6, 5, 4, 3, 2, 1, 1};
	char line[2048];
	time_t now = time(NULL);
	struct tm when;
	size_t n;

	localtime_r(&now, &when);
	n = (size_t)snprintf(line, sizeof(line), "<%d>%s %2d %02d:%02d:%02d %s: %s%s%s - ",
			     sink.facility << 3 | severities[level], months[when.tm_mon], when.tm_mday,
			     when.tm_hour, when.tm_min, when.tm_sec, sink.program, sink.container,
			     *sink.container ? ": " : "", room);
	n += escape(line + n, sizeof(line) - n, message);
	send(sink.fd[LOG_TO_SYSLOG], line, n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void log_write(enum log_level level, const char *room, const char *format, ...)
{
	char message[1500];
	va_list ap;

	if (!log_is_open() || level < sink.level)
		return;
	va_start(ap, format);
	vsnprintf(message, sizeof(message), format, ap);
	va_end(ap);
	if (sink.fd[LOG_TO_FILE] >= 0)
		to_file(level, room, message);
	if (sink.fd[LOG_TO_SYSLOG] >= 0)
		to_syslog(level, room, message);
}

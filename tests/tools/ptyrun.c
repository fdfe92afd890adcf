/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ptyrun - run a command on a pseudo-terminal and type at it, for tests.
 *
 *	ptyrun [-t SECONDS] [-s ROWSxCOLUMNS] SCRIPT -- COMMAND [ARG]...
 *
 * SCRIPT is text, a step a line (empty lines and those with '#' are passed over):
 *
 *	expect REGEX      wait until what came since the last match matches (extended, by lines)
 *	send TEXT         type it; \r \n \t \\ \xHH are understood
 *	size ROWSxCOLUMNS change the window
 *	sleep MS
 *	signal NUMBER     to the command
 *	end               wait for the command's end, reading what it says
 *
 * Every 'expect' and 'end' has SECONDS (10; times $LXT_SLOW).  All that was seen goes to stdout, as it comes.  After
 * the last step the terminal is closed (the command sees a hangup).  Exit: the command's status,
 * 128+N when killed; 124 when a step reached its limit, with a word on stderr which one; 2 on wrong
 * usage.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct {
	int master, limit_ms;
	pid_t pid;
	char *seen; /* what came since the last match; no NUL inside */
	size_t n, size;
	bool eof;
} run = {.limit_ms = 10000};

static long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void take(int timeout)
{
	char chunk[4096];
	struct pollfd p = {.fd = run.master, .events = POLLIN};
	ssize_t n;

	if (run.eof || poll(&p, 1, timeout) <= 0)
		return;
	n = read(run.master, chunk, sizeof(chunk));
	if (n <= 0) {
		/* EIO: no one has the other side open just now, which may be the end */
		run.eof = n == 0 || errno == EIO;
		return;
	}
	if (write(1, chunk, (size_t)n) != n)
		exit(3);
	if (run.n + (size_t)n + 1 > run.size)
		run.seen = realloc(run.seen, run.size = 2 * run.size + (size_t)n + 1);
	for (ssize_t i = 0; i < n; i++)
		if (chunk[i] && chunk[i] != '\r')
			run.seen[run.n++] = chunk[i];
	run.seen[run.n] = 0;
}

static int give_up(const char *step)
{
	fprintf(stderr, "ptyrun: limit reached at: %s\n", step);
	kill(run.pid, SIGKILL);
	return 124;
}

static int expect(const char *step, const char *pattern)
{
	long end = now() + run.limit_ms;
	regmatch_t m;
	regex_t re;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE)) {
		fprintf(stderr, "ptyrun: bad pattern: %s\n", pattern);
		return 2;
	}
	while (!run.seen || regexec(&re, run.seen, 1, &m, 0)) {
		if (now() >= end || run.eof) {
			regfree(&re);
			return give_up(step);
		}
		take(50);
	}
	run.n -= (size_t)m.rm_eo;
	memmove(run.seen, run.seen + m.rm_eo, run.n + 1);
	regfree(&re);
	return 0;
}

static void type(const char *s)
{
	char out[4096];
	size_t n = 0;

	for (; *s && n < sizeof(out); s++) {
		if (*s != '\\') {
			out[n++] = *s;
			continue;
		}
		switch (*++s) {
		case 'r': out[n++] = '\r'; break;
		case 'n': out[n++] = '\n'; break;
		case 't': out[n++] = '\t'; break;
		case 'x': {
			char hex[3] = {s[1], s[1] ? s[2] : 0, 0};
			out[n++] = (char)strtol(hex, NULL, 16);
			s += strlen(hex);
			break;
		}
		case 0: s--; break;
		default: out[n++] = *s;
		}
	}
	if (write(run.master, out, n) < 0)
		perror("ptyrun: write");
}

static int ended(int status)
{
	while (!run.eof) { /* the last words */
		size_t before = run.n;
		take(20);
		if (run.n == before)
			break;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* -1: it did not end in time */
static int wait_end(int limit)
{
	long end = now() + limit;
	int status;

	do {
		take(run.eof ? 0 : 10);
		if (waitpid(run.pid, &status, WNOHANG) == run.pid) {
			run.pid = 0;
			return ended(status);
		}
		if (run.eof)
			usleep(10000);
	} while (now() < end);
	return -1;
}

static struct winsize window(const char *text)
{
	struct winsize w = {.ws_row = 24, .ws_col = 80};
	sscanf(text, "%hux%hu", &w.ws_row, &w.ws_col);
	return w;
}

/* one step; -1: go on */
static int step(char *line)
{
	char *arg = strchr(line, ' ');
	arg = arg ? arg + 1 : line + strlen(line);

	if (!*line || *line == '#')
		return -1;
	if (!strncmp(line, "expect ", 7)) {
		int rc = expect(line, arg);
		return rc ? rc : -1;
	}
	if (!strncmp(line, "send ", 5)) {
		type(arg);
		return -1;
	}
	if (!strncmp(line, "size ", 5)) {
		struct winsize w = window(arg);
		ioctl(run.master, TIOCSWINSZ, &w);
		return -1;
	}
	if (!strncmp(line, "sleep ", 6)) {
		long end = now() + atol(arg);
		do
			take(10);
		while (now() < end);
		return -1;
	}
	if (!strncmp(line, "signal ", 7)) {
		kill(run.pid, atoi(arg));
		return -1;
	}
	if (!strcmp(line, "end")) {
		int rc = wait_end(run.limit_ms);
		return rc < 0 ? give_up(line) : rc;
	}
	fprintf(stderr, "ptyrun: no such step: %s\n", line);
	return 2;
}

int main(int argc, char **argv)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};
	char *script, *line, *next;
	int o, rc = -1;

	while ((o = getopt(argc, argv, "+t:s:")) != -1) {
		if (o == 't')
			run.limit_ms = atoi(optarg) * 1000;
		else if (o == 's')
			size = window(optarg);
		else
			return 2;
	}
	if (argc - optind < 3 || strcmp(argv[optind + 1], "--")) {
		fprintf(stderr, "usage: ptyrun [-t SECONDS] [-s RxC] SCRIPT -- COMMAND...\n");
		return 2;
	}
	if (getenv("LXT_SLOW"))
		run.limit_ms *= atoi(getenv("LXT_SLOW"));
	script = argv[optind];
	run.pid = forkpty(&run.master, NULL, NULL, &size);
	if (run.pid < 0) {
		perror("ptyrun: forkpty");
		return 2;
	}
	if (run.pid == 0) {
		execvp(argv[optind + 2], argv + optind + 2);
		perror(argv[optind + 2]);
		_exit(127);
	}
	for (line = script; line && rc < 0; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		while (*line == ' ' || *line == '\t')
			line++;
		rc = step(line);
	}
	if (rc < 0 && run.pid) {
		close(run.master);
		run.eof = true;
		rc = wait_end(run.limit_ms);
		if (rc < 0)
			rc = give_up("(hangup)");
	}
	return rc;
}

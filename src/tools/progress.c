/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The line that says how far something is.  progress.h says what it is for. */
#include "progress.h"

#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct progress progress_begin(const struct cli *cli)
{
	return (struct progress){.on = !cli->quiet && !cli->json && isatty(STDERR_FILENO)};
}

void progress_show(struct progress *p, const struct cli *cli, const char *format, ...)
{
	struct winsize size = {0};
	char line[256];
	size_t used;
	va_list args;

	if (!p->on)
		return;
	used = (size_t)snprintf(line, sizeof(line), "%s: ", cli->tool->name);
	va_start(args, format);
	vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	/* A line that is broken could not be taken back. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
	    size.ws_col < sizeof(line))
		line[size.ws_col - 1] = '\0';
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->shown = true;
}

void progress_end(struct progress *p)
{
	if (p->shown)
		fputs("\r\033[K", stderr);
	p->shown = false;
}

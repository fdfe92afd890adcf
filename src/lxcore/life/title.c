/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What ps(1) shows of a supervisor.  The kernel shows the memory in which a process was given its
 * arguments, and reads on into its environment where the last argument's end was overwritten
 * (proc(5), cmdline).  So the environment moves away and the title is written over both.
 */
#include "life/title.h"
#include "base/buf.h"

#include <string.h>

#define LARGEST_AREA (256 << 10)

/* The end of the arguments and of the environment behind them, or NULL when it is not as execve(2)
 * laid it out on the stack. */
static char *area_end(char *start)
{
	char *end = environ && environ[0] ? environ[0] : NULL;

	if (!end || end <= start || end - start > LARGEST_AREA || end[-1])
		return NULL;
	for (char **e = environ; *e == end; e++)
		end += strlen(end) + 1;
	return end;
}

static int move_environment(void)
{
	struct strv copy = {0};

	for (char **e = environ; *e; e++)
		if (strv_add(&copy, *e) < 0) {
			strv_free(&copy);
			return -1;
		}
	environ = copy.v;
	return 0;
}

void title_set(const char *title)
{
	char here, *start = program_invocation_name, *end;

	/* The arguments are above every frame of the stack. */
	if (start <= &here)
		return;
	end = area_end(start);
	if (!end || move_environment() < 0)
		return;
	memset(start, 0, (size_t)(end - start));
	strncpy(start, title, (size_t)(end - start) - 1);
}

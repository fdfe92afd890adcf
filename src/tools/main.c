/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The program around one tool: the build names it (-DTOOL=tool_start). */
#include "cli.h"

extern const struct tool TOOL;

int main(int argc, char **argv)
{
	return cli_main(&TOOL, argc, argv);
}

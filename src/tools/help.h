/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help and --usage, made from the option tables. */
#ifndef LXC_TOOLS_HELP_H
#define LXC_TOOLS_HELP_H

#include "cli.h"

void help_print(const struct tool *tool, FILE *out);
void usage_print(const struct tool *tool, FILE *out);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Sizes on the command line. */
#ifndef LXC_TOOLS_SIZE_H
#define LXC_TOOLS_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* "512M" in bytes: a whole number and one of B K M G T in either case, nothing meaning M. */
bool size_parse(const char *text, uint64_t *ret);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The half of lxc-checkconfig that looks at the kernel. */
#ifndef LXC_TOOLS_KERNEL_H
#define LXC_TOOLS_KERNEL_H

#include "cli.h"

/* Prints the verdicts; returns the exit code. */
int kernel_check(struct cli *cli);

#endif

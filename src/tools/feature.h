/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lxc-checkconfig looks for in a kernel. */
#ifndef LXC_TOOLS_FEATURE_H
#define LXC_TOOLS_FEATURE_H

#include <stdbool.h>

struct feature {
	const char *section; /* begins one; NULL: as before */
	const char *label;
	const char *option;  /* of the kernel's configuration, without CONFIG_; NULL: none */
	bool required;       /* without it no container starts */
	bool (*probe)(const char *argument);
	const char *argument;
};
/* Ends with a label that is NULL. */
extern const struct feature features[];

/* Ask the netlink probes in a network namespace of their own, so that they change nothing here. */
void features_prepare(void);

#endif

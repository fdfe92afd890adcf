/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which containers lxc-ls shows. */
#ifndef LXC_TOOLS_CHOICE_H
#define LXC_TOOLS_CHOICE_H

#include "lxcore.h"

#include <regex.h>

struct ls_options {
	bool line, fancy, active, running, frozen, stopped, defined;
	const char *columns, *groups, *filter, *nesting;
};

struct choice {
	const struct ls_options *o;
	const char *name;  /* -n: this one only */
	regex_t *filter;   /* NULL: all */
	int depth;         /* of containers in containers; 0: none */
};

bool choice_fits_name(const struct choice *c, const char *name);
bool choice_fits(const struct choice *c, const struct lxcore_summary *s);

#endif

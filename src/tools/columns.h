/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The columns of lxc-ls -f: their names, what must be known for them, how they are shown. */
#ifndef LXC_TOOLS_COLUMNS_H
#define LXC_TOOLS_COLUMNS_H

#include "json.h"
#include "lxcore.h"
#include "table.h"

#define COLUMN_NAMES \
	"NAME, STATE, PID, RAM, SWAP, AUTOSTART, GROUPS, INTERFACE, IPV4, IPV6, UNPRIVILEGED"
#define COLUMNS_WANT_ALL (LXCORE_WANT_CONFIG | LXCORE_WANT_INTERFACES | LXCORE_WANT_MEMORY)
#define COLUMNS_MAX 32

struct columns {
	unsigned char which[COLUMNS_MAX];
	size_t n;
	unsigned want; /* for lxcore_summaries */
};

/* Names joined by commas, in any case; NULL: the usual ones. The first that is wrong, or NULL. */
char *columns_parse(struct columns *ret, const char *names);
void columns_heading(const struct columns *columns, struct table *t);
void columns_row(const struct columns *columns, const struct lxcore_summary *s, struct table *t);
/* All that is known of it, as an object. */
void columns_json(const char *lxcpath, const struct lxcore_summary *s, struct json *j);

#endif

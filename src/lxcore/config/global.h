/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's own configuration, lxc.conf(5): where containers are, and what new ones begin with.
 * Root's is SYSCONFDIR/lxc/lxc.conf, another user's ~/.config/lxc/lxc.conf.
 */
#ifndef LXCORE_CONFIG_GLOBAL_H
#define LXCORE_CONFIG_GLOBAL_H

#include "base/error.h"

/* The value, or its default, to be freed; *ret NULL when it has none.  EINVAL: no such item. */
int global_get(const char *item, char **ret, struct error *err);
/* What the text of such a file says of it, to be freed; NULL: nothing.  The text is taken apart. */
char *global_value(char *text, const char *item);
/* Names of the items, ended by NULL. */
const char *const *global_items(void);

#endif

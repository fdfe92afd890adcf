/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The tree of a running container as its processes see it, from outside. */
#ifndef LXCORE_STORE_INSIDE_H
#define LXCORE_STORE_INSIDE_H

#include "life/container.h"

/*
 * A descriptor (O_PATH) of its init's root.  *ret_conf: the configuration that it was started with,
 * to be freed.  EBUSY: it is neither up nor stopped.
 */
int inside_open(struct lxcore_container *c, struct conf **ret_conf, struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What makes a clone one of its own: names, machine id, MAC addresses, keys. */
#ifndef LXCORE_STORE_IDENTITY_H
#define LXCORE_STORE_IDENTITY_H

#include "base/error.h"
#include "config/conf.h"

#include <stdbool.h>

/* In its configuration. */
int identity_new_macs(struct conf *conf, struct error *err);
/* In its files, below the descriptor 'root': nothing is walked by name, and what is not there is not
 * made.  'old' NULL: the name stays. */
int identity_rename(int root, const char *old, const char *new, struct error *err);
int identity_new_machine_id(int root, struct error *err);
/* With the host's ssh-keygen(1): no program of the container is run for it. */
int identity_new_ssh_keys(int root, const char *name, struct error *err);

#endif

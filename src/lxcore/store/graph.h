/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which container's contents lie in which others: written down on both sides, in the format of LXC, as
 * pairs of lines 'LXCPATH' and 'NAME': in the owner's 'lxc_snapshots' who needs it, in the clone's
 * 'lxc_rdepends' whom it needs.
 *
 * The owner is told before the clone is made.  So an entry may be of one that was never made, or that
 * is gone: it counts only where the clone's own file agrees.
 */
#ifndef LXCORE_STORE_GRAPH_H
#define LXCORE_STORE_GRAPH_H

#include "base/buf.h"
#include "base/error.h"

#define GRAPH_OWNERS "lxc_rdepends"
#define GRAPH_USERS "lxc_snapshots"

/* Directories (LXCPATH/NAME) of the containers in which these layers of 'dir' lie, without its own. */
int graph_owners_of_layers(const struct strv *layers, const char *dir, struct strv *ret);
/* Directories of those that need the container at 'dir'. */
int graph_users(const char *dir, struct strv *ret);
int graph_owners(const char *dir, struct strv *ret);
/* 'user' (a directory) will need the containers at 'owners': tell these; before 'user' is made. */
int graph_tell_owners(const struct strv *owners, const char *user, struct error *err);
/* Write it down in 'user' too. */
int graph_write_owners(const struct strv *owners, const char *user, struct error *err);

#endif

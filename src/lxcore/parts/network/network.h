/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network of a container: what the rest of the house may ask of this room. */
#ifndef LXCORE_PARTS_NETWORK_NETWORK_H
#define LXCORE_PARTS_NETWORK_NETWORK_H

#include "base/buf.h"
#include "parts/part.h"

extern const struct part part_network;

/* False when every interface is of type none: such a container stays in the host's network. */
bool network_wants_namespace(const struct conf *conf);

/*
 * What a running container has where its configuration left a choice: the name of the host's end
 * for key "lxc.net.N.veth.pair".  Added to 'out'; nothing for other keys.
 */
void network_running_value(const struct journal *j, const char *key, struct buf *out);

/* Before the supervisor is born: make the managed network if this container needs it and it is not
 * there.  'notes' gets a sentence about it. */
int network_bring_up(const struct boot *b, struct strv *notes, struct error *err);
/* The container is no more: its addresses are free. */
void network_forget(const char *lxcpath, const char *name);
/* "tcp:*:8080 -> 10.0.3.5:80" for each port that leads to a container now. */
int network_published(const char *lxcpath, const char *name, struct strv *ret);

#endif

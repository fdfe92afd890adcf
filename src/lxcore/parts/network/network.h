/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network of a container: what the rest of the house may ask of this room. */
#ifndef LXCORE_PARTS_NETWORK_NETWORK_H
#define LXCORE_PARTS_NETWORK_NETWORK_H

#include "parts/part.h"

extern const struct part part_network;

/* False when every interface is of type none: such a container stays in the host's network. */
bool network_wants_namespace(const struct conf *conf);

/*
 * What a running container has where its configuration left a choice: the name of the host's end
 * for key "lxc.net.N.veth.pair".  Added to 'out'; nothing for other keys.
 */
void network_running_value(const struct journal *j, const char *key, struct buf *out);

#endif

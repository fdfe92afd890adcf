/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The network of a container: what the rest of the house may ask of this room. */
#ifndef LXCORE_PARTS_NETWORK_NETWORK_H
#define LXCORE_PARTS_NETWORK_NETWORK_H

#include "parts/part.h"

extern const struct part part_network;

/* False when every interface is of type none: such a container stays in the host's network. */
bool network_wants_namespace(const struct conf *conf);

#endif

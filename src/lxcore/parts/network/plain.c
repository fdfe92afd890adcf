/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces that are none: 'none' keeps the container in the host's network, 'empty' leaves it with
 * the loopback alone.  And the types that are known, but not made yet.
 */
#include "parts/network/nic.h"

#define LATER "not supported yet; there are veth, macvlan, ipvlan, vlan, empty and none"

const struct nic_type nic_none = {.word = "none", .plain = true};
const struct nic_type nic_empty = {.word = "empty", .plain = true};
const struct nic_type nic_phys = {.word = "phys", .unsupported = LATER};

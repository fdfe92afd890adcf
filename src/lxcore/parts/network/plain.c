/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Interfaces that are none: 'none' keeps the container in the host's network, 'empty' leaves it
 * with the loopback alone.
 */
#include "parts/network/nic.h"

const struct nic_type nic_none = {.word = "none", .plain = true};
const struct nic_type nic_empty = {.word = "empty", .plain = true};

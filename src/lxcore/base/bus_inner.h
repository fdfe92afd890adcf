/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between bus.c and bus_message.c, and for their tests. */
#ifndef LXCORE_BASE_BUS_INNER_H
#define LXCORE_BASE_BUS_INNER_H

#include "base/bus.h"

/* How long the message is that begins with these bytes; 0: that takes more of them; -1: it is
 * none. */
long bus_message_length(const char *bytes, size_t n);
/* A whole message; 0, or -1 with errno (EPROTO: it is not as it must be). */
int bus_message_read(const char *bytes, size_t n, struct bus_message *ret);
void bus_message_write(struct buf *out, const struct bus_call *call, uint32_t serial);

#endif

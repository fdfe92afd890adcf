/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events: who wants to hear of state changes binds a datagram socket in the '.monitors' directory of
 * an lxcpath's run directories; supervisors send each change to every socket that they find there.
 * So there is no daemon in between, nothing is polled, and nothing is paid while nobody listens.
 * A socket whose owner is gone refuses and is removed by the next sender.
 */
#ifndef LXCORE_LIFE_EVENTS_H
#define LXCORE_LIFE_EVENTS_H

#include "base/error.h"
#include "lxcore.h"

/* lxcore_monitor_open() for absolute paths; at least one. */
lxcore_monitor *events_listen(const char *const *lxcpaths, struct error *err);
void events_send(const char *lxcpath, const char *name, int type, int value);

#endif

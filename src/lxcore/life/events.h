/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events: who wants to hear of state changes binds a datagram socket in the '.monitors' directory of
 * an lxcpath's run directories; supervisors send each change to every socket that they find there.
 * So there is no daemon in between, and nothing is polled.  A socket whose owner is gone refuses and is
 * removed by the next sender.  Before that each is written down (events_kept.c), for who asks later.
 */
#ifndef LXCORE_LIFE_EVENTS_H
#define LXCORE_LIFE_EVENTS_H

#include "base/error.h"
#include "lxcore.h"

/* lxcore_monitor_open() for absolute paths; at least one. */
lxcore_monitor *events_listen(const char *const *lxcpaths, struct error *err);
void events_send(const char *lxcpath, const char *name, int type, int value);
/* One of the store's: 'detail' is another name that belongs to it, or NULL. */
void events_tell(const char *lxcpath, const char *name, int type, const char *detail);

/* ---- as it is sent, and kept ---- */

struct event_word {
	int type, value;
	int64_t when_us; /* since 1970 */
	char name[256], detail[256];
	size_t path; /* for the one who reads those of several lxcpaths */
};
/* What was kept, oldest first. */
struct events_past {
	struct event_word *v;
	size_t n;
};
void events_keep(int parent, const struct event_word *w);
/* Add those of an lxcpath since then; -1 with errno. */
int events_read_kept(const char *lxcpath, int64_t since_us, struct events_past *ret);

#endif

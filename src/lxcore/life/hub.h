/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The console's hub in the supervisor: what the container prints on /dev/console goes to every
 * connected client, to the log file and to the ring buffer; what clients type goes to the
 * container.  It never waits: a client that does not read misses output, the container never stalls.
 */
#ifndef LXCORE_LIFE_HUB_H
#define LXCORE_LIFE_HUB_H

#include "base/error.h"
#include "config/conf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HUB_CLIENTS 8
#define HUB_TAIL 1024

struct hub {
	int master; /* -1: no console */
	struct hub_client {
		int fd; /* -1: free */
		unsigned pending;
		char input[128]; /* typed, not yet taken by the pty */
	} clients[HUB_CLIENTS];
	/* The last bytes printed, shown to who connects, so that a prompt is seen at once. */
	char tail[HUB_TAIL];
	size_t tail_end;
	bool tail_full;
	char *ring; /* lxc.console.buffer.size; NULL: off */
	size_t ring_size, ring_start, ring_used;
	int log;    /* lxc.console.logfile; -1: none */
	const char *log_path;
	unsigned long long log_limit, log_size;
	bool log_rotate;
	int64_t noted; /* when the log's time was written down last (log_times.h) */
	uint64_t printed; /* bytes, in all */
};

int hub_open(struct hub *h, const struct conf *conf, struct error *err);
void hub_set_master(struct hub *h, int master);
/* Something can be read or written. */
void hub_on_master(struct hub *h);
/* false: the client is gone and was closed. */
bool hub_on_client(struct hub *h, unsigned index);
/* Takes fd; the client's index, or -1 when there is no room. */
int hub_add_client(struct hub *h, int fd);
/*
 * A copy of the ring buffer as a descriptor (memfd_create(2)) to be sent; -1 with errno.  In front of
 * it, before the place where reading begins, stands how many bytes were printed in all; -1 and EALREADY
 * when these are 'seen' (the lower 31 bits; -1: none are).
 */
int hub_copy_ring(struct hub *h, bool forget, int seen, size_t *ret_size);
void hub_close(struct hub *h);

#endif

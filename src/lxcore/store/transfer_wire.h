/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the library and lxc-transfer (src/tools/transfer/) say to each other.  That program alone knows
 * archives; it has no eyes and no hands but the descriptors that come with these messages, over a
 * SOCK_SEQPACKET socket, its descriptor 3.  Both ends are of one build.
 *
 * Packing: the library asks, one thing after another, and the program answers each with DONE or
 * FAILED (which ends it), with any number of PROGRESS in between:
 *
 *     BEGIN   with the archive; level, threads
 *     TEXT    with a file: it becomes the member 'name'
 *     TREE    with a directory and the ids of its owners: it becomes 'name', and all below it
 *     END     nothing follows; DONE has the sums
 *
 * Unpacking: the library says BEGIN with the archive and the limits.  Then the program asks:
 *
 *     TEXT    with a file: the member 'name'.  The library answers GO, or closes the socket.
 *     TREE    a tree begins: where does it go?  GO with a directory and the ids of its owners,
 *             and if it likes with a second descriptor, to be kept open
 *     DONE    all members were as the manifest says.  Or FAILED.  PROGRESS in between.
 */
#ifndef LXCORE_STORE_TRANSFER_WIRE_H
#define LXCORE_STORE_TRANSFER_WIRE_H

#include "base/copy.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

#define WIRE_FD 3
#define WIRE_NAME 64
#define WIRE_MOST_RANGES 340 /* user_namespaces(7) */
#define WIRE_LONGEST_TEXT (4u << 20)

enum wire_what {
	WIRE_BEGIN = 1, WIRE_TEXT, WIRE_TREE, WIRE_END, WIRE_GO, WIRE_PROGRESS, WIRE_DONE,
	WIRE_FAILED,
};

struct wire_count {
	uint64_t bytes, files;  /* of contents, holes included; everything that has a name */
	uint64_t left_out;      /* sockets when it packs, devices when it unpacks */
	uint64_t archive_bytes; /* of the archive itself */
};

struct wire_limits {
	uint64_t bytes, files;
};

struct wire_ids {
	uint32_t n_uid, n_gid; /* none: as they are */
	struct copy_ids uid[WIRE_MOST_RANGES], gid[WIRE_MOST_RANGES];
};

struct wire {
	enum wire_what what;
	char name[WIRE_NAME];
	/* BEGIN */
	int level;
	unsigned threads;
	/* GO */
	bool devices, all_attributes;
	/* TREE when it packs: what is left out of the topmost directory, words between blanks */
	char skip[512];
	union {
		struct wire_limits limits; /* BEGIN */
		struct wire_count count;   /* PROGRESS, DONE */
		struct error error;        /* FAILED */
		struct wire_ids ids;       /* TREE when it packs, GO */
	};
};

/* A member's name: small letters, digits, '-', '.', and no '.' at the beginning. */
bool wire_name_is_valid(const char *name);
/* -1 with errno; EPIPE: the other end is gone. */
int wire_send(int socket, const struct wire *message, const int *fds, size_t n_fds);
/* Never waits: what finds no room is lost. */
void wire_send_progress(int socket, const struct wire_count *count);
/* The descriptors that did not come are -1. 0 at the end. */
int wire_receive(int socket, struct wire *ret, int ret_fds[2]);

#endif

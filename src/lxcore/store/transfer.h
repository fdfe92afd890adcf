/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers to archives and back (doc/archive.md), as the files of this errand share them:
 *
 *     transfer.c         lxc-transfer, the program that knows archives: started, asked, ended
 *     transfer_export.c  what of a container goes into an archive
 *     transfer_import.c  what of an archive becomes a container
 *     transfer_import_snapshots.c  and its snapshots
 *     transfer_notes.c   what is told of a snapshot
 *     transfer_head.c    the first member, which says where the container comes from
 *     transfer_config.c  its configuration: other paths, and what an archive may not bring along
 *     transfer_wire.c    the messages, which that program shares
 */
#ifndef LXCORE_STORE_TRANSFER_H
#define LXCORE_STORE_TRANSFER_H

#include "base/buf.h"
#include "lxcore.h"
#include "parts/idmap.h"
#include "store/transfer_wire.h"

#define TRANSFER_HEAD "lxc-export"
#define TRANSFER_CONFIG "config"
#define TRANSFER_ROOTFS "rootfs"
#define TRANSFER_FILES "files"
/* Of number N: "snapshot-N" (transfer_notes.c), "snapshot-N.config", "snapshot-N.rootfs". */
#define TRANSFER_SNAPSHOT "snapshot-"

/* ---- the program ---- */

struct transfer {
	int socket, pidfd;
	struct wire_count count; /* as it said last */
	uint64_t total_bytes, total_files;
	bool (*progress)(const struct lxcore_progress *p, void *data);
	void *data;
	long long began_us;
};
#define TRANSFER_NONE ((struct transfer){.socket = -1, .pidfd = -1})

/* 'way': "pack", "unpack". */
int transfer_start(struct transfer *t, const char *way, struct error *err);
/* Ask it for something and wait until it is done. */
int transfer_ask(struct transfer *t, const struct wire *message, int fd, struct error *err);
/* The next that it says, but progress, which is passed on; ret_fds[] as of wire_receive(). */
int transfer_listen(struct transfer *t, struct wire *ret, int ret_fds[2], struct error *err);
/* Ends it if it still runs. */
void transfer_end(struct transfer *t);
/* Text as a descriptor to be sent; -1. */
int transfer_memory(const char *text, size_t n, struct error *err);

/* ---- ids ---- */

void transfer_ids(const struct idmaps *maps, struct wire_ids *ret);

/* ---- the head ---- */

struct transfer_head {
	char *name, *dir;        /* of the container that was exported, on its machine */
	char *configdir, *hookdir; /* of its installation */
	uint64_t bytes, files;   /* about as many, for a progress line */
};
int transfer_head_write(const struct transfer_head *h, struct buf *out);
int transfer_head_read(const char *text, struct transfer_head *ret, struct error *err);
void transfer_head_free(struct transfer_head *h);

/* ---- the configuration ---- */

/* Names of the old place become those of the new one; to be freed; NULL when memory ran out. */
char *transfer_config_moved(const char *text, const struct transfer_head *h, const char *dir);
/* EPERM: some line of it reaches beyond the container. */
int transfer_config_check(const char *text, struct error *err);

/* ---- snapshots ---- */

int transfer_notes_write(const struct lxcore_snapshot *s, bool current, struct buf *out);
/* Checked: names can be names, times are times.  To be freed, also when it fails. */
int transfer_notes_read(const char *text, struct lxcore_snapshot *ret, bool *ret_current,
			struct error *err);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A container that comes out of an archive, as the files that make it share it; see transfer.h. */
#ifndef LXCORE_STORE_TRANSFER_IMPORT_H
#define LXCORE_STORE_TRANSFER_IMPORT_H

#include "store/birth.h"
#include "store/transfer.h"

/* The snapshots of one archive: one after another, each its notes, its configuration, its tree. */
struct arriving {
	lxcore_container *s; /* the one that arrives; NULL: none */
	char *config;        /* of it, once that was there */
	char *current;       /* name of the one that the container stands on */
	unsigned n;          /* that are whole */
};

struct importer {
	const char *lxcpath;
	const struct lxcore_import *how;
	struct transfer transfer;
	struct transfer_head head;
	char *config; /* of the archive */
	lxcore_container *c;
	struct birth birth;
	bool born, rootfs; /* rootfs: it was there */
	struct arriving snapshots;
};

/* The configuration of 'c', which is new: 'text' of the archive, or what the caller has instead. */
int import_config(struct importer *m, lxcore_container *c, const char *text, struct error *err);
/* Make a root filesystem for 'c' and write it down; a descriptor to be unpacked into. */
int import_rootfs(struct importer *m, lxcore_container *c, const char *storage, struct error *err);

/* ---- transfer_import_snapshots.c ---- */

/* A member of a snapshot: is it one, by its name? */
bool import_is_of_snapshot(const char *member);
int import_snapshot_text(struct importer *m, const char *member, struct buf *text, struct error *err);
/* A descriptor for its tree, and the ids that it is to have there. */
int import_snapshot_tree(struct importer *m, const char *member, struct wire_ids *ret_ids,
			 struct error *err);
/* All were whole: the container knows on which it stands. */
int import_snapshots_finish(struct importer *m, struct error *err);
void import_snapshots_free(struct importer *m);

#endif

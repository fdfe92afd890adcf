/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making a container out of another one: what copies, snapshots and restores have in common.
 *
 * How the new one gets its contents is decided first ('way'), cheapest first: layers that both share,
 * what the storage driver itself can do at once, a copy.  Then it is born (birth.h), and only when
 * all of it is there does it become a container.
 */
#ifndef LXCORE_STORE_CLONE_H
#define LXCORE_STORE_CLONE_H

#include "parts/idmap.h"
#include "storage/storage.h"
#include "store/birth.h"
#include "store/hold.h"

enum clone_share { SHARE_NOT, SHARE_IF_SAFE, SHARE_OR_FAIL };
enum clone_way { WAY_LAYERS, WAY_DRIVER, WAY_COPY };

struct clone {
	/* What is asked for. */
	struct lxcore_container *from, *to;
	enum clone_share share;
	bool same; /* it stays the same container, names and all: a snapshot */
	const struct lxcore_copy *how;
	/* Called when all is there but the mark of the unfinished; or NULL. */
	int (*last)(struct clone *k, struct error *err);
	const void *data;

	/* What comes of it. */
	struct lxcore_copied done;

	/* On the way. */
	struct hold hold;
	struct birth birth;
	bool running;
	enum clone_way way;
	char *home;                /* directory whose files the source's configuration names */
	char *text;                /* the source's rootfs, which 'source' points into */
	struct storage source;
	const struct storage_driver *driver; /* of the new one */
	char *place;               /* its source there */
	char *layer;               /* where a running source's own layer is copied to, for a snapshot:
				    * a lower layer in the source's directory, which outlives the
				    * snapshot if it must; NULL: the new one's UPPER */
};

int clone_make(struct clone *k, struct error *err);

/* For clone.c (contents.c): */
/* Decide how the new one gets its contents. */
int contents_plan(struct clone *k, struct error *err);
/* What the new one will be, for its driver. */
struct storage_new contents_new(const struct clone *k, uid_t uid, gid_t gid);
/* Where it will be: k->place. */
int contents_place(struct clone *k, struct error *err);
/* Fill its root filesystem. */
int contents_make(struct clone *k, struct error *err);
/* One root filesystem's files into a fresh place. */
struct contents_copy {
	const struct storage *from, *to;
	bool still; /* the source is mounted elsewhere, and nobody writes to it */
	const struct idmaps *from_ids, *to_ids; /* owners change from these to those; or NULL */
	const struct lxcore_copy *how;
	struct lxcore_copied *done;
};
int contents_copy(const struct contents_copy *c, struct error *err);

/* (clone_conf.c): its configuration, and the files that this names; hooks. */
int clone_conf_make(struct clone *k, struct error *err);
int clone_conf_files(struct clone *k, struct error *err);
int clone_identity(struct clone *k, struct error *err);

#endif

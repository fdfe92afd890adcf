/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-transfer: containers to archives and back, for lxcore_export() and lxcore_import(), which start
 * it and talk to it (store/transfer_wire.h).  It is a process of its own because libarchive reads what
 * nobody trusts: its root is an empty directory, it has no network and few capabilities, and what it
 * reads and writes are the descriptors that it is given.
 *
 *     main.c          the two ways, and what is said when one fails
 *     confine.c       what it gives up before it has seen a byte
 *     pack.c          the archive that is written: texts, trees, manifest
 *     pack_tree.c     one tree of files into it
 *     pack_attr.c     what files have besides bytes
 *     receive.c       the archive that is read; files are made by lxc-unpack's rooms (src/tools/unpack)
 *     digest.c        the sums of the manifest, the same on both ways
 *
 * The format is in doc/archive.md.
 */
#ifndef LXC_TRANSFER_H
#define LXC_TRANSFER_H

#include "base/buf.h"
#include "base/error.h"
#include "base/sha256.h"
#include "store/transfer_wire.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#define FORMAT_FIRST_LINE "lxc-export 1" /* of the head and of the manifest */
#define MEMBER_HEAD "lxc-export"
#define MEMBER_MANIFEST "manifest"

/* ---- digest.c ---- */

struct digest {
	struct sha256 sum;
	uint64_t entries, bytes; /* bytes that are there; holes are none */
	int64_t at;              /* in the contents of the entry */
};
void digest_begin(struct digest *d);
/* The next entry of a tree; 'path' below its root. */
int digest_entry(struct digest *d, const char *path, struct archive_entry *entry);
/* Its contents, from the beginning on; what is left out is a hole. */
void digest_data(struct digest *d, const void *bytes, size_t n, int64_t offset);
/* The manifest's lines. */
void digest_tree_line(struct digest *d, const char *name, struct buf *manifest);
void digest_text_line(const char *name, const void *bytes, size_t n, struct buf *manifest);

/* ---- confine.c ---- */

/* No file, no network; of the capabilities those in 'keep' (bits). */
int confine_blind(uint64_t keep, struct error *err);

/* ---- pack.c ---- */

struct pack {
	int socket, output;
	struct archive *archive;
	struct wire_count count;
	struct buf manifest;
	long long told_ms; /* when progress was told last */
};
/* Serve the library until END; all of these 0, or -1 with the error. */
int pack_serve(int socket, struct error *err);
void pack_progress(struct pack *p);
int pack_header(struct pack *p, struct archive_entry *entry, struct error *err);
int pack_bytes(struct pack *p, const void *bytes, size_t n, struct error *err);

/* ---- pack_tree.c ---- */

struct tree {
	struct pack *pack;
	const char *name;
	int root;
	const struct wire_ids *ids;
	struct strv skip; /* names in the topmost directory */
	struct digest digest;
	struct link_name **links; /* files with more than one name that were met */
	size_t n_links, links_size;
	struct strv dirs; /* to be visited, the next one last */
	char *value;      /* of an extended attribute; XATTR_SIZE_MAX bytes */
	char *names;      /* XATTR_LIST_MAX bytes */
};
int pack_tree(struct pack *p, const struct wire *ask, int root, struct error *err);
/* 'cannot WHAT "TREE/PATH": REASON' by errno. */
int tree_fail(const struct tree *t, const char *path, const char *what, struct error *err);

/* ---- pack_attr.c ---- */

/* Owner and extended attributes.  'fd' is the file, or -1: 'name' in the working directory. */
int pack_attributes(struct tree *t, const char *path, int fd, const char *name,
		    const struct stat *st, struct archive_entry *entry, struct error *err);

/* ---- receive.c ---- */

int receive_serve(int socket, struct error *err);

#endif

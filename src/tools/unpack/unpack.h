/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-unpack: an archive that nobody trusts becomes a tree of files, and nothing else changes.
 *
 *     lxc-unpack [OPTION...] ARCHIVE DIRECTORY
 *
 * ARCHIVE is a tar file (plain, gzip, bzip2, xz, lzma, lz4 or zstd; - reads standard input) or a
 * squashfs image (through sqfs2tar of the host).  DIRECTORY must be there; what it has
 * already is kept, and replaced where the archive has something of the same name.
 *
 *   --strip N                 leave out the first N parts of each name, and what has no more
 *   --exclude PATTERN         leave out what the pattern (fnmatch(3), '*' matches '/' too) fits, with
 *                             all below it; from the beginning of the name in the archive
 *   --uid-map IN:OUT:COUNT    the owner IN+i of the archive becomes OUT+i here; repeatable.  An owner
 *   --gid-map IN:OUT:COUNT    that no range has is an error.  Without any: as it is
 *   --devices make|skip|refuse  device nodes; default: skip where ids are mapped or we are in a user
 *                             namespace, else refuse
 *   --xattrs safe|all         safe (default): user.*, access control lists, file capabilities;
 *                             all: trusted.* and security.* too, for archives of one's own
 *   --oci                     a layer of an OCI image: '.wh.NAME' removes NAME, '.wh..wh..opq' all
 *                             that earlier layers left in its directory, and what stands in the way
 *                             of an entry goes, whole directories too
 *   --max-size BYTES          most bytes that all files together may have, holes counted (K, M, G,
 *                             T behind the number; default 256G)
 *   --max-entries N           most entries (default 4000000)
 *
 * The exit status is 0, or 1 after a message; DIRECTORY may then hold a part of the archive, so the
 * caller unpacks into a place that it throws away on failure.  Hashes and signatures were checked
 * before: this program trusts nothing and verifies nothing.
 *
 * It stands on these rules:
 *
 *   - Before the first byte of the archive is looked at, it sees no file but those in DIRECTORY (a
 *     mount namespace of its own, or Landlock for who may not make one), has no network, none but the
 *     capabilities that it takes to make files, and a limit on its memory.
 *   - An absolute name means the same as one below DIRECTORY; a name with '..' is refused.  Directories
 *     on the way are opened by the kernel inside DIRECTORY (base/path.h), so a link in the archive
 *     leads nowhere else.  The last part of a name is never followed, and made anew.
 *   - Owner, attributes, mode and time are set in this order, for directories when all else is there:
 *     the tree is exactly what was packed.
 *
 * main.c: options; confine.c: what we give up; squash.c: images that need another program; member.c:
 * names; make.c: files; attributes.c: what they have besides bytes; oci.c: layers.
 */
#ifndef LXC_UNPACK_H
#define LXC_UNPACK_H

#include "base/buf.h"
#include "base/error.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>
#include <sys/stat.h>

struct range {
	uint32_t inside, outside, count;
};
struct id_map {
	struct range *v; /* none: ids are as they are */
	size_t n;
};
enum devices { DEVICES_UNSET, DEVICES_MAKE, DEVICES_SKIP, DEVICES_REFUSE };

struct options {
	const char *archive, *directory;
	unsigned strip;
	struct strv exclude;
	struct id_map uid, gid;
	enum devices devices;
	bool oci, all_xattrs;
	unsigned long long max_size, max_entries;
};

/* A directory whose time and mode are set when nothing is made in it any more. */
struct later {
	char *path;
	struct archive_entry *entry; /* a copy */
	dev_t dev;
	ino_t ino;
};

/* Inodes of what this layer brought. */
struct inodes {
	uint64_t *v; /* 0: free */
	size_t n, size;
};

struct unpack {
	const struct options *o;
	int root; /* DIRECTORY */
	struct archive *archive;
	unsigned long long size, entries;
	struct later *later;
	size_t n_later;
	struct inodes inodes; /* with --oci only */
	/* Who else wants to know what bytes a file has; or NULL. */
	void (*seen)(struct unpack *u, const void *bytes, size_t n, int64_t offset);
};

/* A name's last part, in the directory that it is in. */
struct place {
	int dir; /* O_PATH */
	char name[256];
};

/* ---- confine.c ---- */

/* Give up all but 'directory' (replaced by a descriptor of it in our own view) and what is open. */
int confine(const struct options *o, int *directory, struct error *err);
/* For a child that runs a program of the host: it can read, and write to what is open. */
int confine_reader(struct error *err);

/* Of the capabilities only those in 'keep' (bits); a bound for the memory.  -1 with errno. */
int confine_capabilities(uint64_t keep);
int confine_memory(void);

/* ---- squash.c ---- */

bool squash_is_image(int archive);
/* The image as a stream of tar, from a child; its pid in 'ret_child'. */
int squash_open(int archive, pid_t *ret_child, struct error *err);
int squash_close(pid_t child, struct error *err);

/* ---- member.c ---- */

/* The name below DIRECTORY; "" for DIRECTORY itself; NULL in '*ret' when it is left out. */
int member_path(const struct options *o, const char *name, char **ret, struct error *err);
/* 'name' as it can be shown on a terminal. */
const char *member_text(const char *name, char text[256]);
int map_id(const struct id_map *map, uint32_t id, uint32_t *ret);
/* The directory that 'path' is in, made with those above it where they are missing. */
int place_open(struct unpack *u, const char *path, struct place *ret, struct error *err);

/* ---- make.c ---- */

int make_member(struct unpack *u, struct archive_entry *entry, struct error *err);
int make_finish(struct unpack *u, struct error *err);

/* ---- attributes.c ---- */

/* All of them.  'fd' is the file, or -1: then it is 'place', which is not followed. */
int attributes_set(struct unpack *u, const struct place *place, int fd, struct archive_entry *entry,
		   struct error *err);

/* ---- oci.c ---- */

/* Is it a whiteout?  Then what it says is done: 1. */
int oci_whiteout(struct unpack *u, const char *path, struct error *err);
int oci_remember(struct unpack *u, const struct stat *st, struct error *err);

#endif

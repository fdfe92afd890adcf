/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies of whole directory trees, faithful and fast.
 *
 * A copy is equal to its source byte for byte and attribute for attribute: contents with their
 * holes, hard links, symbolic links, devices, fifos, sockets, owners, modes with setuid and setgid,
 * times to the nanosecond (those of directories too), extended attributes with access control lists
 * and file capabilities.  An overlay's whiteouts (character devices 0/0) and opaque directories
 * (trusted.overlay.*) are nothing special, so a layer survives.  Left behind are what belongs to
 * the storage rather than to the file: the flags of chattr(1), and attributes of namespaces that
 * the other filesystem does not have (btrfs.*, labels of a security module that is not at home
 * there).  That is the preset; who copies single files for a user has options for less.
 *
 * The source may be hostile and may change meanwhile: nothing is reached but by descriptors, no
 * symbolic link is followed, no device is opened, and a directory swapped for something else is an
 * error or is left out, never a way outside.  Nothing is copied from another mount: a mount point
 * shows what lies below it where the kernel lets us look there (CAP_SYS_ADMIN, Linux 5.12), else it
 * becomes empty.  Subvolumes of btrfs are no mounts and are copied as directories.
 *
 * Depth and width of the tree do not matter: a bounded number of descriptors is open (two for each
 * of at most 128 directories, fewer where RLIMIT_NOFILE is low), and memory grows with the names of
 * directories that are still to be visited and with files of which not all hard links were met.
 *
 * Contents are shared (FICLONE) where the filesystem can, else the kernel copies them
 * (copy_file_range(2)), else we do.
 *
 *     struct copy_options o = {.progress = show, .data = line};
 *     struct copy_result r;
 *
 *     if (copy_tree(from, to, &o, &r, err) < 0)
 *             ... tree_empty(to) removes what there is of it; swap nothing in
 */
#ifndef LXCORE_BASE_COPY_H
#define LXCORE_BASE_COPY_H

#include "error.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A line of an id map, user_namespaces(7): 'count' ids from 'inside' and from 'outside' on. */
struct copy_ids {
	uint32_t inside, outside, count;
};
/* n == 0: no user namespace, each id stands for itself. */
struct copy_map {
	const struct copy_ids *v;
	size_t n;
};

/* How far it is. */
struct copy_progress {
	uint64_t bytes, total_bytes; /* of file contents, holes included; total 0: not known */
	uint64_t files, total_files; /* everything that has a name, directories included */
	uint64_t usec;               /* since the first byte; while totals are counted: 0 */
};

struct copy_options {
	/*
	 * Whose the files are: an id of the source is looked up in 'from' (outside to inside), then
	 * in 'to' (inside to outside).  Owners, ids in access control lists and the root of file
	 * capabilities go this way.  The capabilities of a file of the host become those of 'to's
	 * root alone, and those of 'from's root become the host's where 'to' is empty.  All empty,
	 * or equal on both sides: nothing is looked up, owners stay.
	 */
	struct copy_map from_uid, from_gid, to_uid, to_gid;
	/* An id that is not in one of the maps stays as it is; else it is an error, EOVERFLOW. */
	bool keep_unmapped;

	/* Of the directory 'from' this name alone, and not its own attributes; NULL: all of it. */
	const char *only;
	/*
	 * What is mounted below is copied, too, but for what kernels make up (proc, sysfs, cgroups
	 * ...): such a directory becomes empty, and such a file is an error, ENOTSUP.
	 */
	bool follow_mounts;
	/* Files like new ones: modes without setuid, setgid and 'mask', times of now, no extended
	 * attributes. */
	bool fresh;
	uint32_t mask;
	/* Everything belongs to these, ids as they are here; no map is asked. */
	bool owned;
	uint32_t uid, gid;
	/* Devices are left out. */
	bool no_devices;
	/* What lets a file act for its owner is not copied: setuid, setgid, file capabilities. */
	bool no_powers;

	/* Threads that copy; 0: one for each processor we may use, at most 8. */
	unsigned workers;
	/*
	 * Count first what there is to copy, so that progress knows the totals.  While it counts
	 * these grow and nothing else does.
	 */
	bool measure;
	/* Do not return before all is on the disk (syncfs(2)); its errors are ours. */
	bool sync;

	/*
	 * Called in the caller's thread, about ten times a second and once at the end; false
	 * cancels the copy (ECANCELED).  NULL: nobody wants to know.
	 */
	bool (*progress)(const struct copy_progress *, void *data);
	void *data;
	/* Set it, from a signal handler or another thread, to cancel the copy; or NULL. */
	const volatile sig_atomic_t *cancel;
};

/* What was copied. */
struct copy_result {
	uint64_t files;       /* regular files, each once however many hard links it has */
	uint64_t directories; /* with the topmost */
	uint64_t symlinks;
	uint64_t others;       /* devices, fifos, sockets */
	uint64_t links;        /* hard links beyond the first name */
	uint64_t bytes;        /* of contents, holes included */
	uint64_t bytes_shared; /* of these: shared with the source, using no space */
	uint64_t left_out;     /* devices, with no_devices */
	uint64_t vanished;     /* names that were gone when their turn came */
	uint64_t usec;         /* time it took */
};

/*
 * Copy everything in the directory 'from', and its own attributes, to the directory 'to', which
 * must be empty ('lost+found' does not count).  Both descriptors stay the caller's; O_PATH is
 * enough.  While it works 'to' is 0700 and ours, so nobody else can get in; it gets owner and mode
 * last.
 *
 * 0, or -1 with the error, which names the file: EEXIST ('to' is not empty), ENOSPC and EDQUOT
 * (with the space that is left), ECANCELED, EOVERFLOW (an id that cannot be mapped), ESTALE (a file
 * became something else meanwhile), ELOOP ('to' lies within 'from'), or what the kernel said. After
 * an error 'to' holds a part of the tree, which is good for nothing but tree_empty() (tree.h), and
 * is 0700 still.  'ret' may be NULL; it is filled in both cases.
 */
int copy_tree(int from, int to, const struct copy_options *options, struct copy_result *ret,
	      struct error *err);

/*
 * How much copy_tree() would copy, without copying; 'options' (or NULL) gives workers, progress and
 * cancel.  Hard links that lie outside the tree make 'bytes' smaller than it is.
 */
int copy_measure(int from, const struct copy_options *options, struct copy_result *ret,
		 struct error *err);

/* Does that descriptor (O_PATH will do) lie in a filesystem that a kernel makes up (follow_mounts)? */
bool copy_is_made_up(int fd);

#endif

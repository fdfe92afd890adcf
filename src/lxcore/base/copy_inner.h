/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside the copier (copy.h).  Its rooms:
 *
 *     copy.c        the door: sets up, starts the workers, tells progress, ends
 *     copy_walk.c   who does what next; reading and visiting directories
 *     copy_node.c   directories in memory, and how few of them stay open
 *     copy_entry.c  one name of a directory: file, link, device ...
 *     copy_data.c   the contents of a file
 *     copy_attr.c   owner, mode, times, extended attributes
 *     copy_links.c  which files have been met by another name
 *
 * Workers are threads.  What they share stands in 'struct copier' under one lock, which is held for
 * bookkeeping only, never over a copy.  A directory goes through two states: *reading*, when it is
 * open and its names are handed out to the workers one by one, and, when all these are copied and
 * its attributes are set, *waiting* for its subdirectories to be visited.  Those that wait may be
 * closed when too many are open, and are opened again by their names from above (copy_node.c).
 */
#ifndef LXCORE_BASE_COPY_INNER_H
#define LXCORE_BASE_COPY_INNER_H

#include "copy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum copy_side { FROM, TO };

/* A name that was read, not of a directory; points into copy_node.dents. */
struct copy_entry {
	uint64_t ino;
	const char *name;
	unsigned char type; /* DT_* */
};

struct copy_node {
	struct copy_node *parent, *next; /* next: in the list of those that are being read */
	uint64_t serial;                 /* no other has it */
	int fd[2];                       /* by copy_side; -1: closed */
	dev_t dev[2];                    /* who it is, for opening it again */
	ino_t ino[2];
	unsigned refs; /* reading or waiting, each child, each hard link that was first met here */
	unsigned pins; /* workers that need its descriptors */
	bool reading, waiting;

	/* While it is being read. */
	char *dents; /* what getdents64(2) gave last */
	struct copy_entry *v;
	size_t n, handed_out;
	unsigned busy; /* entries that are being copied */
	bool filling;  /* a worker is at getting more names */
	struct stat st;

	/* Subdirectories to be visited, each ended by NUL. */
	char *dirs;
	size_t dirs_len, dirs_cap, dirs_next;
	size_t at;    /* where in the stack of those that wait */
	bool counted; /* among those that wait and are open */

	char name[];
};

struct copy_links {
	pthread_mutex_t lock;
	struct copy_link **v;
	size_t n, cap;
};

struct copy_count {
	atomic_uint_fast64_t files, directories, symlinks, others, links, left_out, vanished;
	atomic_uint_fast64_t bytes, bytes_shared;
};

struct copier {
	const struct copy_options *o;
	int tree;       /* the source as a mount of its own: no devices, no other mounts; or -1 */
	bool measuring; /* only count */
	bool shifting;  /* some id changes */
	uid_t uid;      /* whose a new file is */
	gid_t gid;
	struct copy_node *root;
	struct copy_count count;
	atomic_bool cannot_share, cannot_range; /* no FICLONE, no copy_file_range(2) here */
	struct copy_links links;

	pthread_mutex_t lock;
	pthread_cond_t work;  /* there may be something to do */
	pthread_cond_t ended; /* a worker ended */
	unsigned n_workers, running, idle;
	atomic_bool failed;
	struct error error; /* the first one */
	struct copy_node *reading;
	unsigned n_reading;
	uint64_t serials;
	struct copy_node **waiting; /* a stack */
	size_t n_waiting, waiting_cap;
	size_t lowest_open; /* all of 'waiting' below it are closed */
	unsigned n_open, max_open;
};

struct copy_worker {
	struct copier *c;
	pthread_t thread;
	uint64_t near;           /* serial of the directory where it works: preferred */
	uint64_t cwd;            /* and of the thread's own working directory, */
	enum copy_side cwd_side; /* of which this is the side; 0: none */
	char *buffer;            /* COPY_BUFFER bytes */
	char *names;             /* XATTR_LIST_MAX bytes */
};
#define COPY_BUFFER (256 * 1024) /* of contents; an extended attribute has at most 64 KiB */

/* All of these return 0, or -1 after copy_fail(). */

/* copy.c */
/* Keep 'cannot WHAT "PATH": REASON' by errno, unless there is an error already.  Returns -1. */
int copy_fail(struct copier *c, const struct copy_node *dir, const char *name, const char *what);
bool copy_cancelled(const struct copier *c);

/* copy_walk.c */
void *copy_work(void *worker);

/* copy_node.c */
/* The topmost directory, in the state of being read; false when memory ran out. */
bool copy_walk_begin(struct copier *c);
/* Free all that a failure left. */
void copy_walk_end(struct copier *c);
/* These are called under the lock. */
struct copy_node *copy_node_new(struct copier *c, struct copy_node *parent, const char *name);
void copy_node_drop(struct copy_node *node); /* one reference less */
void copy_node_free_names(struct copy_node *node);
void copy_node_close_unused(struct copy_node *node);
/* One that was read waits from now on; -1 with errno. */
int copy_node_push(struct copier *c, struct copy_node *node);
/* The one on top has no more to wait for. */
void copy_node_pop(struct copier *c);
void copy_node_close_lowest(struct copier *c);
/* Open one that waits; -1 with errno. */
int copy_node_open_again(struct copier *c, struct copy_node *node);
/* These take the lock. */
void copy_node_ref(struct copier *c, struct copy_node *node);
void copy_node_unref(struct copier *c, struct copy_node *node);
/* A descriptor of the directory on one side, for as long as it is not given back. */
int copy_node_borrow(struct copier *c, struct copy_node *node, enum copy_side side, bool *ret_own);
void copy_node_return(struct copier *c, struct copy_node *node, int fd, bool own);

/* copy_entry.c */
int copy_entry(struct copy_worker *w, struct copy_node *dir, const struct copy_entry *e);
/* Is 'name' in 'fd' (or fd itself when name is "") where another mount begins? */
bool copy_is_mount(const struct copier *c, int fd, const char *name);
/* Is that, open, to be left alone: another mount, or with follow_mounts one that a kernel makes up? */
bool copy_is_foreign(const struct copier *c, int fd);

/* copy_data.c */
int copy_data(struct copy_worker *w, struct copy_node *dir, const char *name, const int fd[2],
	      const struct stat *st);

/* copy_attr.c */
/* Of an open file or directory, in the order in which they do not undo each other. */
int copy_attributes(struct copy_worker *w, struct copy_node *dir, const char *name, const int fd[2],
		    const struct stat *st, mode_t mode_now);
/* The same for what cannot be opened. */
int copy_attributes_named(struct copy_worker *w, struct copy_node *dir, const char *name,
			  const struct stat *st);

/* copy_links.c */
/*
 * Met before by another name: 1, and 'name' is a link to it now.  Else 0, and 'make' made the file;
 * it is called under the table's lock, so that whoever meets the file next finds it there.
 */
struct copy_make {
	int (*make)(struct copy_worker *w, struct copy_node *dir, struct copy_make *m);
	const char *name;
	const struct stat *st;
	int fd; /* for 'make' to give */
};
int copy_link(struct copy_worker *w, struct copy_node *dir, struct copy_make *m);
void copy_links_free(struct copier *c);

#endif

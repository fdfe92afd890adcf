/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers in containers, seen from outside: what the files of this errand share.
 *
 * Nothing of ours goes in.  A process of ours looks through the root of the container's init, where
 * each path is resolved by the kernel below that root, and tells in rows of a fixed size what it finds;
 * it has a limit, for what it looks at may be a filesystem that never answers.  Nothing in there is
 * believed beyond the rows of that container: names must be names, and who runs is the kernel's word.
 */
#ifndef LXCORE_STORE_NESTED_H
#define LXCORE_STORE_NESTED_H

#include "base/error.h"
#include "lxcore.h"

#include <stdbool.h>
#include <sys/types.h>

#define NESTED_NAME 200 /* path_check_name() */

/* What is told of one, or that something could not be told. */
struct nested_row {
	enum { NESTED_ROW, NESTED_CUT, NESTED_BLIND } what;
	unsigned depth; /* 1: in the container that is looked into */
	enum lxcore_state state;
	pid_t init;
	bool defined;
	int code; /* NESTED_BLIND: errno */
	char name[NESTED_NAME];
};

/* ---- who runs, by the kernel's word (nested_inits.c) ---- */

/* The first process of a pid namespace, which is held by its directory in /proc. */
struct nested_init {
	int proc;
	pid_t pid, outer_pid; /* for us, and in the namespace around its own */
	ino_t ns, outer_ns;   /* pid namespaces */
	char payload[NESTED_NAME]; /* the container's name by its cgroup; "": it has no such name */
};
struct nested_inits {
	struct nested_init *v;
	size_t n;
};
/* All that there are in pid namespaces below ours, for a process that has no other errand: from now on
 * it may have as many descriptors as there can be; -1 with errno. */
int nested_find_inits(struct nested_inits *ret);
/* The pid namespace of a process; 0: that cannot be told. */
ino_t nested_pid_namespace(pid_t pid);

/* ---- one container (nested_look.c) ---- */

/* Tell 'out' what is in the container whose init has this root and pid namespace, down to 'depth'. */
int nested_look(int root, ino_t ns, unsigned depth, int out);

#endif

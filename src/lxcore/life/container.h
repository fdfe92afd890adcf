/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The handle that programs hold: a container's name and place, and its configuration, read when it is
 * first needed (so that what does not need it works with one that does not parse).
 */
#ifndef LXCORE_LIFE_CONTAINER_H
#define LXCORE_LIFE_CONTAINER_H

#include "base/error.h"
#include "life/boot.h"
#include "life/rundir.h"

struct lxcore_container {
	char *name, *lxcpath;
	char *dir;         /* LXCPATH/NAME */
	char *config_file; /* LXCPATH/NAME/config */
	char *rcfile;      /* instead of it (lxcore_load), or NULL */
	struct conf *conf; /* NULL: not read yet */
	struct boot_sections sections;
	/* What the supervisor of an ephemeral container does at the very end (set by store/). */
	int (*remove_ephemeral)(struct lxcore_container *c, struct error *err);
};

/* Its configuration, read on the first call; NULL with the error filled when it cannot be. */
struct conf *container_conf(struct lxcore_container *c, struct error *err);
/* The configuration with which it was started, from the run directory; to be freed; NULL: none. */
struct conf *container_running_conf(struct lxcore_container *c, int rundir, struct error *err);

/* A running container as seen from outside. */
struct running {
	int rundir;
	struct run_state state;
	int init_pidfd; /* -1: init is not there (yet, or any more) */
};
/*
 * Find the living container: its supervisor holds the lock.  -1 with ESRCH: it does not run;
 * ENOENT: nor does it exist.  What a dead supervisor left is not living.
 */
int running_find(struct lxcore_container *c, struct running *ret, struct error *err);
void running_close(struct running *r);
/* Its cgroups; the strings are the journal's, which the caller closes in any case. */
struct cgroup_running;
int running_cgroups(const struct running *r, struct journal *j, struct cgroup_running *ret,
		    struct error *err);
#define autorunning __attribute__((cleanup(running_close)))

#endif

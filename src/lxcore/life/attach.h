/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Attaching: what the two sides share, the caller's (attach.c) and the envoy's (envoy.c). */
#ifndef LXCORE_LIFE_ATTACH_H
#define LXCORE_LIFE_ATTACH_H

#include "base/error.h"
#include "life/container.h"
#include "parts/cgroup/cgroup.h"
#include "parts/seccomp.h"

/* Everything that the new process needs, gathered before it is born. */
struct attach {
	struct lxcore_container *container;
	const struct lxcore_attach *how;
	struct running running;
	struct conf *conf;       /* of the running container, or the one given by lxcore_load */
	bool own_conf;
	struct journal journal;
	struct cgroup_attach cgroups;
	unsigned long long flags; /* CLONE_NEW*: to be entered */
	uint64_t caps;
	uid_t root_uid;          /* inside: 0, or what init runs as where 0 is not mapped */
	gid_t root_gid;
	char *cwd;
	struct strv env;
	unsigned long persona;
	int pidfd;               /* of the envoy, then of the command */
	int airlock;
	int sock[2];             /* ours, its */
	int log;
	struct seccomp_filter *filter; /* NULL: none */
};

/* What the envoy says before it is the airlock, which then says a pid and, perhaps, minus an errno. */
struct attach_word {
	enum { WORD_READY = 1, WORD_FAILED, WORD_NO_EXEC, WORD_LISTENER /* comes along */ } what;
	struct error error;
};

/* The life of the process that goes in (see attach.c). */
_Noreturn void be_envoy(struct attach *a);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What can be seen of an init from outside: which one it is, and what it does with signals. */
#ifndef LXCORE_PARTS_INIT_FACTS_H
#define LXCORE_PARTS_INIT_FACTS_H

#include "base/proc.h"

#include <limits.h>
#include <stdint.h>

struct init_facts {
	char name[32];          /* comm */
	const char *program;    /* last component of its executable's path */
	char path[PATH_MAX];
	uint64_t blocked, caught;
	char called[64];        /* last component of its first argument: a script's is its shell */
	char title[32];         /* the beginning of its first argument */
	bool waits;             /* in sigwait(3), during which what it waits for shows as not blocked */
	bool busybox;           /* called init, and the same file as /bin/busybox in there */
	bool first;             /* pid 1 of its own pid namespace */
};

/* False: it is gone. */
bool init_look(struct proc_id init, struct init_facts *f);
/* It was started just now, and may not have come to be what it will be. */
bool init_is_young(struct proc_id init);

bool init_is_program(const struct init_facts *f, const char *name);
bool init_is_busybox(const struct init_facts *f);
bool init_is_openrc(const struct init_facts *f);
bool init_is_runit(const struct init_facts *f);

#endif

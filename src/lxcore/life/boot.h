/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Booting: the list of parts, in order, and the walk through their doors.
 *
 * boot_up() runs in the supervisor.  It leaves the container's init running, or nothing at all: on
 * failure everything that was prepared has been released.
 */
#ifndef LXCORE_LIFE_BOOT_H
#define LXCORE_LIFE_BOOT_H

#include "lxcore.h"
#include "parts/part.h"

enum door {
	DOOR_CHECK, DOOR_PREPARE, DOOR_CONNECT, DOOR_ENTER, DOOR_OFFER, DOOR_ADOPT, DOOR_SEAL,
	DOOR_RELEASE, N_DOORS
};
extern const char *const door_names[N_DOORS];

/* The list, ended by NULL. */
extern const struct part *const boot_parts[];
/* The configuration sections of all parts, ended by NULL. */
struct boot_sections {
	const struct conf_section *v[40];
};
void boot_list_sections(struct boot_sections *ret);
bool boot_part_has_door(const struct part *p, enum door d);

/* What each door took, when someone wants to know. */
struct boot_timings {
	size_t n;
	struct boot_timing {
		unsigned char part, door;
		unsigned us;
	} v[128];
};

/* Make 'b' fit to be booted; 'conf', strings and descriptors in it stay the caller's. */
void boot_init(struct boot *b);
/* Every part's check door; stops at the first that objects. */
int boot_check(const struct boot *b, struct boot_timings *timings, struct error *err);
int boot_up(struct boot *b, struct boot_timings *timings, struct error *err);

/* For revive.c: all parts' doors of one kind; and the talk of a boot, as it is with a first process. */
int boot_walk(struct boot *b, enum door d, struct boot_timings *t, struct error *err);
int boot_say_built(struct boot *b, int sock);
_Noreturn void boot_fail(int sock, const struct error *err);
/* 1: it is built, with its gifts; 0: the other end is gone; -1 with the error that it had. */
int boot_hear(struct boot *b, int sock, struct error *err);

/* boot_idmap.c: what the inside asks for (part.h, boot_idmap), and doing it. */
struct boot_idmap_wish {
	bool recursive;
	char users[1024];
};
int boot_grant_idmap(const struct boot *b, const struct boot_idmap_wish *wish, int tree,
		     struct error *err);
/* Write the configuration of this boot into the run directory. */
int boot_write_conf(struct boot *b, struct error *err);
/* Every part's release door in reverse. */
void boot_release(const struct release *release);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Id maps of a container, for life/ and store/ (what belongs to it on disk, whom attach becomes). */
#ifndef LXCORE_PARTS_IDMAP_H
#define LXCORE_PARTS_IDMAP_H

#include "parts/part.h"

struct idmap_entry {
	char kind; /* 'u' or 'g' */
	unsigned long ns, host, range;
};
struct idmaps {
	struct idmap_entry *v;
	size_t n;
	unsigned long automatic; /* how many ids 'auto' asks for; 0: the maps are written out */
};

extern const struct conf_section idmap_section; /* its struct begins with a struct idmaps */

/* The container's maps; n == 0: it has no user namespace, or one whose ids are not chosen yet. */
const struct idmaps *idmap_of(const struct conf *c);
/* Has it a user namespace? */
bool idmap_any(const struct conf *c);
/* The host's id for one inside; false when it is not mapped. */
bool idmap_to_host(const struct idmaps *maps, char kind, unsigned long inside, unsigned long *ret);
/* Write both maps of a process that was just born in a new user namespace. */
int idmap_write(const struct idmaps *maps, pid_t pid, struct error *err);

/*
 * lxc.idmap = auto (idmap_auto.c).  idmap_claim() fills the maps in with the range that this container
 * was given, or gives it one, which is its own until idmap_forget(); a clone claims for itself, under
 * its own name, before anything is written for it.  It does nothing where the maps are written out.
 */
int idmap_claim(const struct conf *c, const char *lxcpath, const char *name, struct error *err);
/* The same without giving one: then the maps stay as they are, but it fails when none is free. */
int idmap_look(const struct conf *c, const char *lxcpath, const char *name, struct error *err);
void idmap_forget(const char *lxcpath, const char *name);
int idmap_rename(const char *lxcpath, const char *name, const char *to_lxcpath,
		 const char *to_name, struct error *err);
/* The kind of the journal's line that says that a range was claimed for this start. */
#define IDMAP_JOURNAL "idmap"
/* The lines that replace 'auto' in the configuration of a running container; none otherwise. */
void idmap_running_text(const struct conf *c, struct buf *out);

/* ---- in a user namespace of its own (idmap_child.c) ---- */

void idmaps_free(struct idmaps *maps);
#define autoidmaps __attribute__((cleanup(idmaps_free)))
int idmaps_add(struct idmaps *maps, char kind, unsigned long ns, unsigned long host,
	       unsigned long range);
/*
 * The same maps and, where they are not among them, the caller's own user and group at the next free
 * ids inside; which ids these are.  So who is root there may go wherever the caller may.  -1: no
 * memory.
 */
int idmaps_with_caller(const struct idmaps *maps, struct idmaps *ret, uid_t *ret_uid,
		       gid_t *ret_gid);
/* All subordinate ids of the caller and his own, each under its own number. */
int idmaps_as_they_are(struct idmaps *ret, struct error *err);
/* The caller's first range of each kind, from 0 on inside; ENOENT: there is none. */
int idmaps_first(struct idmaps *ret, struct error *err);

struct idmap_call {
	const struct idmaps *maps;
	uid_t uid; /* whom it becomes there */
	gid_t gid;
	bool mounts; /* in a mount namespace of its own, too, from which nothing comes out */
	int (*act)(void *data, struct error *err); /* below 0 with the error: it failed */
	void *data;
};
/* Do it in a child; its result. */
int idmap_do(const struct idmap_call *call, struct error *err);

/* Root of a running or configured container's ids, who may go where the caller may. */
int idmap_as_root(const struct conf *c, int (*act)(void *data, struct error *err), void *data,
		  struct error *err);

struct id_ranges;
/* The first 'count' ids in a row of 'allowed' that no range of 'taken' reaches into. */
bool idmap_find_free(const struct id_ranges *allowed, const struct id_ranges *taken,
		     unsigned long count, unsigned long *ret);

#endif

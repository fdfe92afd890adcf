/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Containers as things on disk, as the files of this room share them.
 *
 * Marks tell of unfinished work: LXCPATH/NAME/partial, locked by whoever creates the container
 * (unlocked, and with our words in it: a leftover), and LXCPATH/.trash-NAME, what a destroy took out
 * of the way (always to be removed); 'restoring' (restore.c) and 'config.renamed' (rename.c).
 * store_tidy() looks for them whenever a container is opened.
 *
 * An unlocked 'partial' without our words is another program's: LXC leaves such files beside
 * containers that are whole, so it removes nothing and stands in nobody's way.
 */
#ifndef LXCORE_STORE_STORE_H
#define LXCORE_STORE_STORE_H

#include "life/container.h"
#include "parts/hooks.h"

#define STORE_PARTIAL "partial"
#define STORE_RESTORING "restoring"    /* restore.c */
#define STORE_RENAMED "config.renamed" /* rename.c */
#define STORE_PASSING "passing"        /* passing.c */
#define STORE_PARTIAL_WORDS "lxcore is creating this container\n"

/* The path as it will be used: absolute, the global default when NULL; to be freed. */
char *store_lxcpath(const char *lxcpath, struct error *err);
/* Who owns the root of its root filesystem on this host: the container's root, where that is known. */
void store_owner(const struct conf *conf, uid_t *uid, gid_t *gid);
/* Where what is to be removed is put; to be freed. */
char *store_trash_path(const struct lxcore_container *c);
/* Put right what a killed command left. */
void store_tidy(struct lxcore_container *c);
/* What a killed restore and rename left; the container's lock must be held. */
int restore_tidy(struct lxcore_container *c, struct error *err);
int rename_tidy(struct lxcore_container *c, struct error *err);
/* It is to be gone when it stops; until it runs *ret_hold keeps it. */
int passing_mark(const struct lxcore_container *c, int *ret_hold, struct error *err);
/* It was marked so, and nobody keeps it; unless it runs it is a leftover. */
bool passing_is_over(const struct lxcore_container *c);
/* The interfaces of those rows that run. */
int list_add_interfaces(struct lxcore_summary *rows, int n, struct error *err);
/* Is a create under way (its lock is held), or was one of ours killed? */
bool store_is_partial(struct lxcore_container *c, bool *ret_locked);
/* Take the container's directory out of the way and remove it; its lock must be held, or it must
 * be the caller's own half-made one. */
int store_remove_dir(struct lxcore_container *c, struct error *err);
/* The same for one that was never finished, with the storage that its mark names. */
int store_remove_partial(struct lxcore_container *c, struct error *err);
/* Remove a stopped container whole: storage outside its directory first.  The lock must be held. */
int store_remove(struct lxcore_container *c, struct error *err);
/* The same for one that goes when it stops, which nobody destroys. */
int store_remove_passing(struct lxcore_container *c, struct error *err);

/*
 * Run the hooks of a moment of a container on disk: create, clone, destroy, snapshot, ready.  What
 * those of create and clone change in its configuration is written.  A failure is the operation's.
 */
struct store_moment {
	const struct strv *env;  /* NAME=VALUE besides what the configuration tells; or NULL */
	const struct strv *args; /* the words of the user (lxc-copy ... -- WORDS), or NULL */
	const char *root;        /* where its root filesystem can be reached; NULL: lxc.rootfs.path */
};
int store_run_hooks(struct lxcore_container *c, enum hook_moment moment,
		    const struct store_moment *m, struct error *err);

#endif

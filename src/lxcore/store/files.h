/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files into a container and out of it, as the files of this errand share them:
 *
 *     files.c        the door: the container's root, whose the files become, one source after another
 *     files_place.c  where a path ends up below a root that someone else controls
 *     files_put.c    made aside first, then put in its place; directories are merged
 *
 * The host's side is a root too, its own; so both sides go through the same doors.
 */
#ifndef LXCORE_STORE_FILES_H
#define LXCORE_STORE_FILES_H

#include "base/copy.h"
#include "base/error.h"
#include "parts/idmap.h"

#include <stdbool.h>
#include <sys/stat.h>

/* ---- files_place.c ---- */

/* A name in a directory. */
struct file_place {
	int dir;
	char name[256]; /* "": the directory itself is meant */
	bool exists;
	struct stat st; /* when it exists; of the link, where it is one */
};
#define FILE_NOWHERE ((struct file_place){.dir = -1})
#define autoplace __attribute__((cleanup(file_place_close)))
void file_place_close(struct file_place *p);

/* The name of a path that a copy gets: its last one; "" when that is '.', '..' or the root. */
void file_base_name(const char *path, char ret[256]);
/* Does it end in '/' or '/.', so that it must be a directory? */
bool file_wants_directory(const char *path);
/* Find it below 'root'; with 'follow' where a link at its end leads to.  -1 with errno. */
int file_find(int root, const char *path, bool follow, struct file_place *ret);

/* ---- files_put.c ---- */

/*
 * A directory beside the place, ours alone, in which things are made; goes with files_aside_end(), or,
 * when we are killed, with the next one that is made there.
 */
struct files_aside {
	int dir;   /* in which it lies: the caller's */
	int fd;
	char name[32];
};
#define FILES_ASIDE_NONE ((struct files_aside){.dir = -1, .fd = -1})
int files_aside_begin(struct files_aside *a, int dir, struct error *err);
void files_aside_end(struct files_aside *a);

/* How things are put in their place. */
struct files_rules {
	bool keep; /* a file that is replaced leaves its owner and mode to the new one */
	/*
	 * Of a container in a user namespace, or NULL: nothing is put into directories in which its
	 * root could put nothing.  A link of its own may lead to one that the host shares with it.
	 */
	const struct idmaps *maps;
};
int files_may_write(const struct files_rules *rules, int dir, const char *name, struct error *err);

/*
 * Move what is called 'name' there to its place: 'to' in a->dir, or, when that is "", what is in it
 * into a->dir.  Whatever stands in the way is found before anything is moved.
 */
int files_put(const struct files_aside *a, const char *name, const char *to,
	      const struct files_rules *rules, struct error *err);

#endif

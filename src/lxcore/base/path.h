/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Paths below a root that someone else controls (a root filesystem, a template's output).
 *
 * Nothing here walks such a path by name: every step is resolved by the kernel with
 * openat2(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS) under the root's descriptor, so no symbolic link,
 * no '..' and no rename can lead outside (openat2(2); the class of CVE-2019-10152, CVE-2021-30465).
 * An absolute path means the same as one relative to the root.
 */
#ifndef LXCORE_BASE_PATH_H
#define LXCORE_BASE_PATH_H

#include "error.h"

#include <stdbool.h>
#include <sys/types.h>

/* Open 'path' inside 'root'; flags as of open(2), O_CLOEXEC is added.  -1 with errno. */
int path_open_in(int root, const char *path, int flags, mode_t mode);
/* Make a directory (with all its parents, 0755) inside root and open it with O_PATH; one that is there
 * is fine. */
int path_make_dir_in(int root, const char *path, mode_t mode);
/* Make an empty file (with parents) inside root and open it with O_PATH; an existing one is fine. */
int path_make_file_in(int root, const char *path, mode_t mode);
/* Open the parent directory of 'path' inside root (O_PATH) and give its last component's name. */
int path_parent_in(int root, const char *path, char ret_name[256]);

/* '//' and '/./' collapsed, trailing '/' dropped; '..' stays.  NULL when memory ran out. */
char *path_simplify(const char *path);
/* The path from the root, as path_simplify() leaves it; NULL with errno. */
char *path_absolute(const char *path);
/* A container's name: not empty, no leading '-' or '.', only [A-Za-z0-9_.:@+~-], < 200 bytes. */
int path_check_name(const char *name, struct error *err);
/* mkdir -p of a path of our own (never below a foreign root). */
int path_make_dirs(const char *path, mode_t mode);

#endif

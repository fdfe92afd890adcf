/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files that belong to the ids of a container rather than to the caller.
 *
 * Root of the host does with them what it likes.  An ordinary user may not even remove them, but is
 * master of a user namespace in which they and the user's own are mapped, each to itself; so what is to
 * be done with them is done there, by a child, with the numbers that they have here.
 */
#ifndef LXCORE_STORE_MAPPED_H
#define LXCORE_STORE_MAPPED_H

#include "base/copy.h"
#include "parts/idmap.h"
#include "storage/storage.h"

/* By which maps the files of its root filesystem are owned on the disk: none where it is the mount that
 * maps them (idmap=container). */
const struct idmaps *mapped_on_disk(const struct conf *conf);

/* The lines of one kind ('u', 'g') of an id map, for the copier; *ret to be freed.  None when 'maps' is
 * NULL or memory ran out. */
struct copy_map mapped_lines(const struct idmaps *maps, char kind, struct copy_ids **ret);

/* What shall be done; below 0 with the error: it failed.  What it writes to memory is not seen by the
 * caller, unless that is shared. */
typedef int mapped_act(void *data, struct error *err);

/* Do it as somebody who may do with files of all ids that the caller may map what the caller may do
 * with his own; its result. */
int mapped_do(mapped_act *act, void *data, struct error *err);
/* The same; what it writes to 'size' bytes at 'result' is seen by the caller. */
int mapped_do_for(mapped_act *act, void *data, void *result, size_t size, struct error *err);

/* As root of the container 'conf', 0 there, who may also do what the caller may; for programs, which
 * know nothing of mapped ids. */
int mapped_as_root(const struct conf *conf, mapped_act *act, void *data, struct error *err);

/* A storage driver's create and destroy, each as the one who may. */
int mapped_create(const struct storage *s, const struct storage_new *new, struct error *err);
int mapped_destroy(const struct storage *s, struct error *err);
/* Remove a directory of ours with all that is in it, whoever of ours owns it; not being there is
 * fine. */
int mapped_remove(const char *path, struct error *err);

/* overlay_make_upper() and overlay_is_written() likewise. */
struct overlay;
int mapped_make_upper(const struct overlay *o, struct error *err);
int mapped_is_written(const struct overlay *o, struct error *err);

#endif

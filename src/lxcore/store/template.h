/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Templates: the executables that fill a new container's root filesystem, found by name, told what
 * lxc-create promises them, and listed with what they need.
 */
#ifndef LXCORE_STORE_TEMPLATE_H
#define LXCORE_STORE_TEMPLATE_H

#include "life/container.h"

/* The template's path for a name or an absolute path; to be freed. */
int template_find(const char *name, char **ret, struct error *err);
/* What stands behind NAME= in a line NAME='TEXT' at the beginning of its text, to be freed; or NULL. */
char *template_line(const char *path, const char *name);
/*
 * Run it for a container whose config file is there.  It inherits 'partial', the descriptor that
 * marks the container as unfinished, and finds the detached mount 'tree' (or -1) on the directory
 * 'rootfs'.  When it fails the error has the last that it said.
 */
int template_run(struct lxcore_container *c, const char *template, const char *rootfs, int tree,
		 const struct lxcore_create *how, int partial, struct error *err);

#endif

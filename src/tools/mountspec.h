/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mounts on the command line of lxc-copy -e: -m bind=SRC[:DST][:ro],overlay=SRC[:DST]. */
#ifndef LXC_TOOLS_MOUNTSPEC_H
#define LXC_TOOLS_MOUNTSPEC_H

#include "cli.h"

/*
 * Add a setting 'lxc.mount.entry=...' for each mount; 'dir' is the new container's directory, which
 * holds what is written through an overlay.  0, or 1 after a message.  The words are the caller's to
 * free.
 */
int mountspec_add(const struct cli *cli, const struct words *specs, const char *dir,
		  struct words *settings);
/* The same for one directory: "bind" or "overlay". */
int mountspec_add_one(const struct cli *cli, const char *type, const char *spec, const char *dir,
		      struct words *settings);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every page of the manual, and the bash completion, made from the tables of the program. */
#ifndef LXC_DOC_PAGES_H
#define LXC_DOC_PAGES_H

#include "tools.h"

#include <stdio.h>

void page_of_tool(const struct tool *tool, FILE *out);
void page_container_conf(FILE *out); /* lxc.container.conf(5) */
void page_system_conf(FILE *out);    /* lxc.system.conf(5) */
void page_usernet(FILE *out);        /* lxc-usernet(5) */
void page_net_conf(FILE *out);       /* lxc.net.conf(5) */
void page_mirrors_conf(FILE *out);   /* lxc.mirrors.conf(5) */
void page_seccomp(FILE *out);        /* lxc.seccomp(5) */
void page_services(FILE *out);       /* lxc-services(7) */
void page_init(FILE *out);           /* init.lxc(8) */
void page_user_nic(FILE *out);       /* lxc-user-nic(8) */
void page_conf(FILE *out);           /* lxc.conf(5) */
void page_overview(FILE *out);       /* lxc(7) */
void page_completion(FILE *out);     /* tables of the bash completion */

extern const struct tool *const all_tools[]; /* ends with NULL */

#endif

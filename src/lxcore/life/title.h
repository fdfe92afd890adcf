/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What ps(1) shows of a supervisor: '[lxc monitor] LXCPATH NAME', as people look for it. */
#ifndef LXCORE_LIFE_TITLE_H
#define LXCORE_LIFE_TITLE_H

/* Only for a process of our own; does nothing where it is not safe. */
void title_set(const char *title);

#endif

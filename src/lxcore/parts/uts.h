/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The machine type that a container's processes see, also for attached ones (life/attach.c). */
#ifndef LXCORE_PARTS_UTS_H
#define LXCORE_PARTS_UTS_H

#include "parts/part.h"

#define UTS_PERSONALITY_UNCHANGED (~0UL)

/* What lxc.arch asks for, as of personality(2). */
unsigned long uts_personality_of(const struct conf *c);
/* The same for an architecture's name; false when there is none of that name. */
bool uts_personality_parse(const char *arch, unsigned long *ret);

#endif

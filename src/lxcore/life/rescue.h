/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Rescue: whoever finds a container whose supervisor is gone puts the host back as it was, from the
 * journal alone.  Every command that opens a container comes by here first.
 */
#ifndef LXCORE_LIFE_RESCUE_H
#define LXCORE_LIFE_RESCUE_H

#include "life/container.h"

/* 1: there was something and it is right now; 0: nothing to do (or it lives); -1: could not. */
int rescue(struct lxcore_container *c, struct error *err);

#endif

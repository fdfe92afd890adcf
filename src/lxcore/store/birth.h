/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How containers come about, whatever fills them (a template, a copy, an archive): between begin and
 * finish the container's directory has the locked mark 'partial' in it, so it is never taken for a
 * whole one, nor for a leftover while somebody still writes to it.  If its maker is killed, whoever
 * comes by next removes what there is: the storage that the mark names, and the directory.
 */
#ifndef LXCORE_STORE_BIRTH_H
#define LXCORE_STORE_BIRTH_H

#include "store/store.h"

struct birth {
	struct lxcore_container *c;
	int partial;      /* holds the mark's lock; may be inherited by those who write to it */
	int lock, rundir; /* of the container's run directory: nobody starts it */
};

/* EEXIST: there is one of that name; EBUSY: another command is making it. */
int birth_begin(struct lxcore_container *c, struct birth *ret, struct error *err);
/* Storage that is about to be made outside of its directory ('TYPE:SOURCE') goes when it is abandoned;
 * to be called before. */
int birth_makes(struct birth *b, const char *rootfs, struct error *err);
/* It was not made after all, but found: it is somebody else's. */
int birth_makes_nothing(struct birth *b, struct error *err);
/* From now on it is a container.  On failure nothing of it stays. */
int birth_finish(struct birth *b, struct error *err);
/* Nothing of it stays. */
void birth_abandon(struct birth *b);

#endif

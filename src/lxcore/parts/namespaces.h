/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Namespaces: what the clone of the first process needs around it (life/boot.c). */
#ifndef LXCORE_PARTS_NAMESPACES_H
#define LXCORE_PARTS_NAMESPACES_H

#include "parts/part.h"

/*
 * Put the supervisor into the namespaces that its next child shall be born in: those shared with
 * another container, and a fresh time namespace.  Whether it worked or not, namespaces_disarm()
 * brings the supervisor back; nothing but the clone may happen in between.
 *
 * A user namespace is not among them: who has joined one never comes back.  With b->shares_user a
 * process between calls namespaces_join_user(), which joins the others that only its root may join,
 * too.
 */
int namespaces_arm(struct boot *b, struct error *err);
int namespaces_join_user(struct boot *b, struct error *err);
void namespaces_disarm(struct boot *b);

#endif

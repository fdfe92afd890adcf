/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two kinds of labels, for label.c alone. */
#ifndef LXCORE_PARTS_LABEL_LSM_H
#define LXCORE_PARTS_LABEL_LSM_H

#include "parts/label/label.h"

struct label_conf {
	char *profile;           /* lxc.apparmor.profile */
	bool allow_incomplete, allow_nesting;
	struct strv raw;         /* lines for a generated profile */
	char *context, *keyring; /* lxc.selinux.context, lxc.selinux.context.keyring */
};

/* Is it the system's? */
bool apparmor_is_enabled(void);
bool selinux_is_enabled(void);

int apparmor_check(const struct boot *b, const struct label_conf *s, struct error *err);
int apparmor_prepare(struct boot *b, const struct label_conf *s, struct error *err);
int apparmor_enter(struct boot *b, const struct label_conf *s, struct error *err);
void apparmor_release(const struct release *r);
/* The text of a generated profile (apparmor_profile.c). */
char *apparmor_profile_text(const char *name, const struct label_conf *s, bool unprivileged);

int selinux_check(const struct boot *b, const struct label_conf *s, struct error *err);
int selinux_enter(struct boot *b, const struct label_conf *s, struct error *err);

#endif

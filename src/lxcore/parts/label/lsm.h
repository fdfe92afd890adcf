/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The two kinds of labels, for label.c alone. */
#ifndef LXCORE_PARTS_LABEL_LSM_H
#define LXCORE_PARTS_LABEL_LSM_H

#include "parts/label/label.h"

struct label_conf {
	char *profile;           /* lxc.apparmor.profile */
	bool allow_incomplete, allow_nesting;
	struct strv raw;         /* lines for a generated profile */
	/* lxc.selinux.context, lxc.selinux.context.keyring, lxc.selinux.context.rootfs */
	char *context, *keyring, *rootfs;
};

/* Is it the system's? */
bool apparmor_is_enabled(void);
bool selinux_is_enabled(void);

int apparmor_check(const struct boot *b, const struct label_conf *s, struct error *err);
int apparmor_prepare(struct boot *b, const struct label_conf *s, struct error *err);
int apparmor_enter(struct boot *b, const struct label_conf *s, struct error *err);
/* The profile that a container runs under; NULL: none. */
char *apparmor_name(const struct label_conf *s, const char *name, const char *lxcpath);
void apparmor_release(const struct release *r);
/* The text of a generated profile (apparmor_profile.c); 'stacks': it has policies of its own. */
char *apparmor_profile_text(const char *name, const struct label_conf *s, bool unprivileged,
			    bool stacks);

int selinux_check(const struct boot *b, const struct label_conf *s, struct error *err);
int selinux_prepare(struct boot *b, const struct label_conf *s, struct error *err);
int selinux_enter(struct boot *b, const struct label_conf *s, struct error *err);

/* Give all below a directory a context (relabel.c). */
int selinux_relabel(const char *path, const char *context, struct error *err);
/* What a record of a denial has when it is about this container; NULL: nothing confines it. */
char *label_name_in_log(const struct conf *c, const char *name, const char *lxcpath);

#endif

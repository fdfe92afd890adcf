/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The session keyring: a fresh one, so that the container cannot read the keys of whoever started it
 * (keyrings(7)).
 */
#include "parts/part.h"
#include "base/auto.h"
#include "base/fd.h"

#include <linux/keyctl.h>
#include <string.h>
#include <sys/syscall.h>

struct keyring_conf {
	bool keep; /* 1 keeps the caller's: the meaning that LXC's programs give it */
};

static const struct conf_key keys[] = {
	{"lxc.keyring.session", &conf_bool, offsetof(struct keyring_conf, keep), .preset = "0",
	 .summary = "1 leaves the container the session keyring of its starter; 0 gives it a new one."},
	{NULL},
};
static const struct conf_section section = {"keyring", sizeof(struct keyring_conf), keys};

/* Label of keys and keyrings made from now on (SELinux). */
static int label_keyring(struct boot *b, struct error *err)
{
	const char *key = "lxc.selinux.context.keyring";
	autobuf struct buf context = BUF_INIT;

	conf_get(b->conf, key, &context, NULL);
	if (!context.len) {
		key = "lxc.selinux.context";
		conf_get(b->conf, key, &context, NULL);
	}
	if (!context.len || strcmp(context.s, "unconfined_t") == 0)
		return 0;
	if (file_write(b->proc >= 0 ? b->proc : AT_FDCWD,
		       b->proc >= 0 ? "self/attr/keycreate" : "/proc/self/attr/keycreate",
		       context.s) < 0)
		return error_sys(err, "cannot label the session keyring \"%s\" (%s)",
				 context.s, key);
	return 0;
}

static int enter(struct boot *b, struct error *err)
{
	const struct keyring_conf *s = conf_of(b->conf, &section);

	if (s->keep)
		return 0;
	if (label_keyring(b, err) < 0)
		return -1;
	/* ENOSYS: a kernel without keyrings has none to leak. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS)
		return 0;
	error_sys(err, "cannot make a session keyring");
	if (errno == EDQUOT)
		return error_mend(err, "sysctl kernel.keys.maxkeys=2000      (more keys for a user)\n"
				       "lxc.keyring.session = 1      (do without one)");
	return error_mend(err, "lxc.keyring.session = 1      (do without one)");
}

const struct part part_keyring = {
	.name = "keyring",
	.section = &section,
	.enter = enter,
};

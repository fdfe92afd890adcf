/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SELinux: the context that init is executed in (attr/exec in proc(5), as setexeccon(3) does). */
#include "base/auto.h"
#include "base/fd.h"
#include "parts/label/lsm.h"

#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

bool selinux_is_enabled(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
}

static int refuse_without(const struct boot *b, const char *key, const char *value,
			  struct error *err)
{
	if (!value || selinux_is_enabled())
		return 0;
	error_set(err, ENOTSUP, "this host has no SELinux to put \"%s\" into effect (%s, %s)", value,
		  key, conf_where(b->conf, key));
	return error_mend(err, "remove %s", key);
}

int selinux_check(const struct boot *b, const struct label_conf *s, struct error *err)
{
	if (refuse_without(b, "lxc.selinux.context", s->context, err) < 0)
		return -1;
	if (refuse_without(b, "lxc.selinux.context.keyring", s->keyring, err) < 0)
		return -1;
	return refuse_without(b, "lxc.selinux.context.rootfs", s->rootfs, err);
}

int selinux_prepare(struct boot *b, const struct label_conf *s, struct error *err)
{
	autobuf struct buf path = BUF_INIT;

	if (!s->rootfs)
		return 0;
	conf_get(b->conf, "lxc.rootfs.path", &path, NULL);
	if (!path.len)
		return error_set(err, EINVAL, "lxc.selinux.context.rootfs is for a container with a "
					      "root filesystem of its own");
	return selinux_relabel(path.s, s->rootfs, err);
}

int selinux_enter(struct boot *b, const struct label_conf *s, struct error *err)
{
	struct statfs fs;

	if (!s->context || strcmp(s->context, "unconfined_t") == 0)
		return 0;
	/* A label written to something that merely looks like procfs would be no label at all. */
	if (b->proc < 0 || fstatfs(b->proc, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return error_set(err, ENOSYS, "cannot set the SELinux context: there is no procfs of "
					      "the container");
	if (file_write(b->proc, "self/attr/exec", s->context) < 0)
		return error_sys(err, "cannot execute init in SELinux context \"%s\" "
				      "(lxc.selinux.context)", s->context);
	return 0;
}

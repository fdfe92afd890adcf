/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mounts whose files have other owners inside than on the disk ('idmap=').
 *
 * The kernel asks for rights over the filesystem and a mount that is attached nowhere yet.  Only the
 * supervisor has the one, only the first process, in its own mount namespace and behind its hooks, has
 * the other; so it sends the mount over, and puts it in its place when it hears that it is done.
 */
#include "life/boot.h"
#include "base/auto.h"
#include "base/mount.h"

#include <stdio.h>
#include <string.h>

static bool is_container(const char *users)
{
	return strcmp(users, "container") == 0;
}

int boot_can_idmap(const struct boot *b, const char *users, struct error *err)
{
	autobuf struct buf map = BUF_INIT;
	autoclose int fd = -1;

	if (!is_container(users) && *users != '/')
		return error_set(err, EINVAL, "option \"idmap=%s\" is neither idmap=container nor the "
				 "absolute path of a user namespace", users);
	if (geteuid() != 0) {
		error_set(err, EPERM, "option \"idmap=%s\" needs root of the host, whose filesystem it "
			  "is", users);
		return error_mend(err, "leave the option out: what an ordinary user creates belongs to "
				       "the mapped ids already");
	}
	if (!is_container(users)) {
		fd = userns_open(users, err);
		return fd < 0 ? -1 : 0;
	}
	conf_get(b->conf, "lxc.idmap", &map, NULL);
	if (map.len)
		return 0;
	error_set(err, EINVAL, "option \"idmap=container\" needs a user namespace of the container");
	return error_mend(err, "lxc.idmap = u 0 100000 65536\nlxc.idmap = g 0 100000 65536");
}

int boot_open_users(const struct boot *b, const char *users, struct error *err)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", b->init.pid);
	return userns_open(is_container(users) ? path : users, err);
}

int boot_grant_idmap(const struct boot *b, const struct boot_idmap_wish *wish, int tree,
		     struct error *err)
{
	autoclose int users = boot_open_users(b, wish->users, err);

	return users < 0 ? -1 : mount_idmap(tree, users, wish->recursive, err);
}

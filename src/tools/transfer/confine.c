/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What lxc-transfer gives up before it has seen a byte: its root becomes an empty directory that
 * cannot be written, so no name leads anywhere; the descriptors that it is sent later are all that
 * there is.
 */
#include "transfer.h"
#include "base/mount.h"
#include "unpack/unpack.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

static int fail(struct error *err, const char *what)
{
	return error_sys(err, "cannot shut itself in: %s", what);
}

static int enter_nothing(struct error *err)
{
	autoclose int empty = -1;

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_FS) < 0)
		return fail(err, "unshare");
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(err, "private mounts");
	empty = mount_new("tmpfs", (const char *const[]){"size=4k", "nr_inodes=2", NULL},
			  MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				  MOUNT_ATTR_NOEXEC, err);
	if (empty < 0)
		return -1;
	if (mount_place(empty, AT_FDCWD, "/", NULL) < 0 || fchdir(empty) < 0)
		return fail(err, "mount");
	/* The host's tree goes; where the root is an initramfs it cannot, and chroot must do. */
	if (syscall(SYS_pivot_root, ".", ".") == 0)
		return umount2(".", MNT_DETACH) < 0 ? fail(err, "umount") : 0;
	return chroot(".") < 0 ? fail(err, "chroot") : 0;
}

int confine_blind(uint64_t keep, struct error *err)
{
	const struct rlimit none = {0, 0};

	if (enter_nothing(err) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    confine_capabilities(keep) < 0 || confine_memory() < 0)
		return fail(err, "capabilities and limits");
	return 0;
}

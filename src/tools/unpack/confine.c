/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What we give up before we look at the archive.  Whoever may make a mount namespace goes into one
 * in which the directory is all there is; others let Landlock forbid them everything else.
 */
#include "unpack.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#define MOST_MEMORY (1ul << 30) /* the largest dictionaries of xz and zstd, and many names */

static int fail(struct error *err, const char *what)
{
	return error_sys(err, "cannot keep the archive in its directory: %s", what);
}

/* ---- capabilities, new programs, memory ---- */

int confine_capabilities(uint64_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(keep >> (32 * i));
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (int)syscall(SYS_capset, &header, data);
}

int confine_memory(void)
{
#ifndef __SANITIZE_ADDRESS__
	struct rlimit memory;

	if (getrlimit(RLIMIT_DATA, &memory) < 0)
		return -1;
	if (memory.rlim_cur > MOST_MEMORY)
		memory.rlim_cur = MOST_MEMORY;
	return setrlimit(RLIMIT_DATA, &memory);
#else
	return 0;
#endif
}

static uint64_t needed(const struct options *o)
{
	uint64_t keep = 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER |
			1ull << CAP_FSETID | 1ull << CAP_SETFCAP;

	if (o->devices == DEVICES_MAKE)
		keep |= 1ull << CAP_MKNOD;
	if (o->all_xattrs)
		keep |= 1ull << CAP_SYS_ADMIN; /* trusted.* and security.* are its own */
	return keep;
}

/* ---- a view of our own ---- */

/* Nothing on it is executed, and no bit or device on it works for us. */
static struct mount_attr plain = {.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
						    MOUNT_ATTR_NOEXEC};

/* 1 when we may not. */
static int enter_directory(int directory, struct error *err)
{
	/* Copied before we leave the namespace that 'directory' is in, and put over its root. */
	int tree = open_tree(directory, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
			     AT_RECURSIVE);

	if (tree < 0 || unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0) {
		if (tree >= 0)
			close(tree);
		return errno == EPERM ? 1 : fail(err, "a mount namespace");
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &plain, sizeof(plain)) < 0)
		return fail(err, "mount_setattr");
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    move_mount(tree, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(tree) < 0)
		return fail(err, "move_mount");
	/* The host's tree goes; where the root is an initramfs it cannot, and chroot must do. */
	if (syscall(SYS_pivot_root, ".", ".") == 0) {
		if (umount2(".", MNT_DETACH) < 0)
			return fail(err, "umount");
	} else if (errno != EINVAL || chroot(".") < 0) {
		return fail(err, "pivot_root");
	}
	close(tree);
	return chdir("/") < 0 ? fail(err, "chdir") : 0;
}

/* ---- Landlock ---- */

#define LANDLOCK_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* all of its first version */

/* A kernel without it, or one whose Landlock forbids hard links, leaves us to openat2(2) alone. */
static int landlock(int directory, struct error *err)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr all = {
		.handled_access_fs = LANDLOCK_FIRST | LANDLOCK_ACCESS_FS_REFER,
	};
	struct landlock_path_beneath_attr here = {
		.allowed_access = all.handled_access_fs & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
		.parent_fd = directory,
	};
	autoclose int rules = -1;

	if (version < 2)
		return 0;
	rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (rules < 0 || syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &here,
				 0) < 0 || syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		return fail(err, "Landlock");
	return 0;
}

/* ---- the doors ---- */

int confine(const struct options *o, int *directory, struct error *err)
{
	const struct rlimit none = {0, 0};
	int outside = enter_directory(*directory, err);

	if (outside < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return fail(err, "no_new_privs");
	if (outside && landlock(*directory, err) < 0)
		return -1;
	if (!outside) {
		close_fd(directory);
		*directory = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (*directory < 0)
			return fail(err, "its root");
	}
	if (confine_capabilities(needed(o)) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    confine_memory() < 0)
		return fail(err, "capabilities and limits");
	return 0;
}

int confine_reader(struct error *err)
{
	struct mount_attr readonly = {.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID};

	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return fail(err, "unshare");
	if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &readonly, sizeof(readonly)) < 0)
		return fail(err, "mounts that cannot be written");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    confine_capabilities(1ull << CAP_DAC_READ_SEARCH) < 0)
		return fail(err, "capabilities");
	return 0;
}

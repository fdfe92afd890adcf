/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Root filesystems that are a plain directory of the host: mounted by a copy of what it shows. */
#include "storage/storage.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/mount.h"
#include "base/path.h"
#include "base/tree.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static int cannot_find(const char *source, struct error *err)
{
	if (errno != ENOENT && errno != ENOTDIR)
		return error_sys(err, "cannot open the root filesystem \"%s\"", source);
	if (errno == ENOTDIR && access(source, F_OK) == 0)
		return error_set(err, ENOTDIR,
				 "cannot use \"%s\" as root filesystem: "
				 "it is not a directory",
				 source);
	return error_set(err, ENOENT, "cannot find the root filesystem \"%s\"", source);
}

static int dir_look(const char *source, struct error *err)
{
	int fd = open(source, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? cannot_find(source, err) : fd;
}

static int dir_check(const char *source, struct error *err)
{
	autoclose int fd = -1;

	if (*source != '/')
		return error_set(err, EINVAL,
				 "cannot use \"%s\" as root filesystem: "
				 "it is not an absolute path",
				 source);
	fd = dir_look(source, err);
	return fd < 0 ? -1 : 0;
}

static int dir_mount(const char *source, const char *const *options, struct error *err)
{
	int tree;

	if (options && *options)
		return error_set(err, EINVAL, "cannot mount a directory with option \"%s\"", *options);
	/* Recursive: what the host mounted below the directory belongs to the tree. */
	tree = mount_copy(AT_FDCWD, source, true);
	return tree < 0 ? cannot_find(source, err) : tree;
}

static int dir_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	*ret_source = new->spec.dir ? strdup(new->spec.dir) :
		      str_printf("%s/rootfs%s", new->dir, new->variant ? new->variant : "");
	return *ret_source ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int dir_create(const char *source, const struct storage_new *new, struct error *err)
{
	if (path_make_dirs(source, 0755) < 0)
		return error_sys(err, "cannot make the root filesystem's directory \"%s\"", source);
	/* Whatever our caller's umask is: the container's users must get through its root. */
	if (chmod(source, 0755) < 0)
		return error_sys(err, "cannot set the mode of \"%s\"", source);
	if ((new->uid || new->gid) && chown(source, new->uid, new->gid) < 0)
		return error_sys(err, "cannot give \"%s\" to user %u", source, new->uid);
	return 0;
}

static int dir_destroy(const char *source, struct error *err)
{
	autoclose int top = open(source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (top < 0 && errno == ENOENT)
		return 0;
	if (top < 0)
		return cannot_find(source, err);
	if (tree_empty(top, err) < 0)
		return error_within(err, "cannot remove the root filesystem \"%s\"", source);
	if (rmdir(source) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove the root filesystem \"%s\"", source);
	return 0;
}

const struct storage_driver storage_dir = {
	.name = "dir",
	.check = dir_check,
	.look = dir_look,
	.mount = dir_mount,
	.place = dir_place,
	.create = dir_create,
	.destroy = dir_destroy,
};

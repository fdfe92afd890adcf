/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems in layers: what a source means, making layers, and the driver around them.  How they
 * are mounted is in overlay_mount.c.
 */
#include "storage/overlay.h"
#include "base/auto.h"
#include "base/path.h"
#include "base/tree.h"
#include "storage/storage.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>

/* ---- the source ---- */

void overlay_free(struct overlay *o)
{
	strv_free(&o->lower);
	free(steal_ptr(&o->upper));
	free(steal_ptr(&o->work));
}

/* Beside UPPER: 'work' for 'delta', 'work.3' for our 'delta.3', 'work' for anybody else's. */
static char *work_of(const char *upper)
{
	const char *base = strrchr(upper, '/') + 1;

	return str_printf("%.*swork%s", (int)(base - upper), upper,
			  str_starts(base, "delta.") ? base + strlen("delta") : "");
}

int overlay_parse(const char *source, struct overlay *ret, struct error *err)
{
	const char *at = source;

	*ret = (struct overlay){0};
	/* Each path is absolute, so a colon ends one only where the next begins with a slash. */
	while (*at == '/') {
		const char *end = strstr(at, ":/");
		char *path = end ? strndup(at, (size_t)(end - at)) : strdup(at);

		if (!end) {
			ret->upper = path;
			ret->work = path ? work_of(path) : NULL;
			break;
		}
		if (strv_take(&ret->lower, path) < 0)
			return error_set(err, ENOMEM, "out of memory");
		at = end + 1;
	}
	if (*source == '/' && ret->lower.n && ret->upper && ret->work)
		return 0;
	return error_set(err, EINVAL, "cannot use \"%s\" as layers of a root filesystem: they are "
			 "written LOWER:UPPER, absolute paths both", source);
}

char *overlay_source(const struct overlay *o)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < o->lower.n; i++)
		buf_addf(&text, "%s:", o->lower.v[i]);
	buf_puts(&text, o->upper);
	return buf_steal(&text);
}

/* ---- making layers ---- */

static bool is_shadow(const char *attribute)
{
	return str_starts(attribute, "trusted.overlay.") || str_starts(attribute, "user.overlay.");
}

/* An attribute that the other filesystem does not know is none of the tree's (labels, mostly). */
static int copy_xattr(int from, int to, const char *name)
{
	char value[4096];
	ssize_t n = fgetxattr(from, name, value, sizeof(value));

	return n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0 ?
		       (errno == EOPNOTSUPP || errno == ENODATA ? 0 : -1) : 0;
}

/* The tree's topmost directory shows the owner, mode and attributes of UPPER alone. */
static int copy_top(const char *lower, int to, struct error *err)
{
	autoclose int from = open(lower, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char names[4096];
	struct stat st;
	ssize_t n = from < 0 ? -1 : flistxattr(from, names, sizeof(names));

	if (from < 0 || fstat(from, &st) < 0)
		return error_sys(err, "cannot look at the layer \"%s\"", lower);
	if (fchown(to, st.st_uid, st.st_gid) < 0 || fchmod(to, st.st_mode & 07777) < 0)
		return error_sys(err, "cannot give a new layer the owner and mode of \"%s\"", lower);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(names + at) + 1)
		if (!is_shadow(names + at) && copy_xattr(from, to, names + at) < 0)
			return error_sys(err, "cannot give a new layer attribute \"%s\" of \"%s\"",
					 names + at, lower);
	return 0;
}

static int make_empty_dir(const char *path, mode_t mode, struct error *err)
{
	autofree char *parent = strndup(path, (size_t)(strrchr(path, '/') - path));

	if (!parent || (*parent && path_make_dirs(parent, 0755) < 0))
		return error_sys(err, "cannot make the directory of layers for \"%s\"", path);
	/* What is there was left by somebody who was killed before he could name it. */
	if (tree_remove(AT_FDCWD, path, err) < 0)
		return -1;
	if (mkdir(path, mode) < 0)
		return error_sys(err, "cannot make the layer \"%s\"", path);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int overlay_make_upper(const struct overlay *o, struct error *err)
{
	autoclose int work = make_empty_dir(o->work, 0700, err), upper = -1;
	struct stat st;

	if (work < 0)
		return -1;
	upper = make_empty_dir(o->upper, 0755, err);
	if (upper < 0 || copy_top(o->lower.v[0], upper, err) < 0)
		return -1;
	/* Who writes to the one writes to the other. */
	if (fstat(upper, &st) < 0 || fchown(work, st.st_uid, st.st_gid) < 0)
		return error_sys(err, "cannot give \"%s\" the owner of its layer", o->work);
	return 0;
}

int overlay_is_written(const struct overlay *o, struct error *err)
{
	autodir DIR *dir = opendir(o->upper);
	struct dirent *entry;

	if (!dir)
		return error_sys(err, "cannot look into the layer \"%s\"", o->upper);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return 1;
	return 0;
}

int overlay_fresh_upper(struct overlay *o, const char *dir, struct error *err)
{
	free(steal_ptr(&o->upper));
	free(steal_ptr(&o->work));
	for (unsigned n = 0; !o->upper; n++) {
		o->upper = n ? str_printf("%s/overlay/delta.%u", dir, n) :
			       str_printf("%s/overlay/delta", dir);
		if (!o->upper)
			return error_set(err, ENOMEM, "out of memory");
		if (access(o->upper, F_OK) == 0)
			free(steal_ptr(&o->upper));
	}
	o->work = work_of(o->upper);
	return o->work ? 0 : error_set(err, ENOMEM, "out of memory");
}

int overlay_push(struct overlay *o, const char *dir, const char *rootfs, struct error *err)
{
	struct strv lower = {0};
	bool failed = strv_add(&lower, o->upper ? o->upper : rootfs) < 0;

	for (size_t i = 0; i < o->lower.n; i++)
		failed |= strv_add(&lower, o->lower.v[i]) < 0;
	strv_free(&o->lower);
	o->lower = lower;
	return failed ? error_set(err, ENOMEM, "out of memory") : overlay_fresh_upper(o, dir, err);
}

/* ---- what this host can ---- */

/* Filesystems that can hold an UPPER; others are tried out. */
static bool is_known_place(long type)
{
	static const long known[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC,
				     TMPFS_MAGIC, F2FS_SUPER_MAGIC};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (type == known[i])
			return true;
	return false;
}

int overlay_check_place(const char *dir, struct error *err)
{
	struct statfs fs;
	autoclose int context = fsopen("overlay", FSOPEN_CLOEXEC);

	/* An ordinary user may mount it in a user namespace alone. */
	if (context < 0 && errno != EPERM)
		return error_set(err, ENOTSUP, "this kernel has no overlayfs");
	if (strstr(dir, ":/"))
		return error_set(err, ENOTSUP, "\":/\" in \"%s\" cannot be told from the end of a "
				 "layer's path", dir);
	if (statfs(dir, &fs) < 0)
		return error_sys(err, "cannot look at \"%s\"", dir);
	if (is_known_place(fs.f_type))
		return 0;
	return error_set(err, ENOTSUP, "the filesystem of \"%s\" cannot hold a layer", dir);
}

/* ---- the driver ---- */

static int overlay_usable(const struct storage_new *new, struct error *err)
{
	return overlay_check_place(new->dir, err);
}

static int overlay_check(const char *source, struct error *err)
{
	autooverlay struct overlay o = {0};

	if (overlay_parse(source, &o, err) < 0)
		return -1;
	for (size_t i = 0; i <= o.lower.n; i++) {
		autoclose int fd = overlay_open_layer(i < o.lower.n ? o.lower.v[i] : o.upper, err);

		if (fd < 0)
			return -1;
	}
	return 0;
}

static int overlay_look(const char *source, struct error *err)
{
	return overlay_mount(source, NULL, err);
}

/* Above 'from', which is sealed; or, when there is nothing to begin with, above an empty layer. */
static int overlay_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	autooverlay struct overlay o = {0};
	autofree char *first = new->from ? NULL : str_printf("%s/rootfs", new->dir);

	if (new->from && new->from->driver == &storage_overlay &&
	    overlay_parse(new->from->source, &o, err) < 0)
		return -1;
	free(steal_ptr(&o.upper));
	free(steal_ptr(&o.work));
	o.upper = str_printf("%s/overlay/delta", new->dir);
	if (!o.lower.n && strv_add(&o.lower, new->from ? new->from->source : first) < 0)
		return error_set(err, ENOMEM, "out of memory");
	*ret_source = o.upper ? overlay_source(&o) : NULL;
	return *ret_source ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int overlay_create(const char *source, const struct storage_new *new, struct error *err)
{
	autooverlay struct overlay o = {0};

	if (overlay_parse(source, &o, err) < 0 ||
	    storage_dir.create(o.lower.v[o.lower.n - 1], new, err) < 0)
		return -1;
	return overlay_make_upper(&o, err);
}

static int overlay_snapshot(const struct storage *from, const char *source,
			    const struct storage_new *new, struct error *err)
{
	autooverlay struct overlay o = {0};

	if (overlay_parse(source, &o, err) < 0)
		return -1;
	return overlay_make_upper(&o, err);
}

static bool overlay_depends(const char *source)
{
	return true;
}

/* The lower layers are others', or lie in the container's directory and go with that. */
static int overlay_destroy(const char *source, struct error *err)
{
	autooverlay struct overlay o = {0};

	if (overlay_parse(source, &o, err) < 0)
		return -1;
	if (tree_remove(AT_FDCWD, o.upper, err) < 0 || tree_remove(AT_FDCWD, o.work, err) < 0)
		return error_within(err, "cannot remove the layer \"%s\"", o.upper);
	return 0;
}

const struct storage_driver storage_overlay = {
	.name = "overlay",
	.mounted_outside = true,
	.usable = overlay_usable,
	.check = overlay_check,
	.look = overlay_look,
	.mount = overlay_mount,
	.mount_mapped = overlay_mount_mapped,
	.place = overlay_place,
	.create = overlay_create,
	.snapshot = overlay_snapshot,
	.depends = overlay_depends,
	.destroy = overlay_destroy,
};

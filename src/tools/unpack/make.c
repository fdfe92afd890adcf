/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files as the archive describes them: made anew, never written through what is there. */
#include "unpack.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/tree.h"

#include <string.h>
#include <sys/sysmacros.h>

static int cannot(struct error *err, const char *path, const char *what)
{
	char text[256];

	return error_sys(err, "cannot %s \"%s\"", what, member_text(path, text));
}

/* Free the name: 1 if a directory is there that may stay. */
static int clear(struct unpack *u, const struct place *p, const char *path, bool want_dir,
		 struct error *err)
{
	struct stat st;

	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : cannot(err, path, "look at");
	if (S_ISDIR(st.st_mode) && want_dir)
		return 1;
	if (S_ISDIR(st.st_mode) && u->o->oci)
		return tree_remove(p->dir, p->name, err);
	if (unlinkat(p->dir, p->name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		return cannot(err, path, "replace");
	return 0;
}

/* ---- kinds of files ---- */

static int write_block(int fd, const void *bytes, size_t n, int64_t offset)
{
	const char *from = bytes;

	while (n) {
		ssize_t done = pwrite(fd, from, n, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		from += done;
		offset += done;
		n -= (size_t)done;
	}
	return 0;
}

/* Where the archive has no bytes, the file has holes. */
static int write_data(struct unpack *u, int fd, const char *path, int64_t size, struct error *err)
{
	char text[256];
	const void *bytes;
	int64_t offset;
	size_t n;
	int result;

	while ((result = archive_read_data_block(u->archive, &bytes, &n, &offset)) == ARCHIVE_OK) {
		if (n && (offset < 0 || offset > size || n > (uint64_t)(size - offset)))
			return error_set(err, EINVAL, "cannot unpack \"%s\": it is longer than the "
					 "archive says", member_text(path, text));
		if (write_block(fd, bytes, n, offset) < 0)
			return cannot(err, path, "write");
		if (u->seen)
			u->seen(u, bytes, n, offset);
	}
	if (result != ARCHIVE_EOF)
		return error_set(err, EIO, "cannot unpack \"%s\": %s", member_text(path, text),
				 archive_error_string(u->archive));
	return ftruncate(fd, size) < 0 ? cannot(err, path, "write") : 0;
}

static int make_regular(struct unpack *u, const struct place *p, const char *path,
			struct archive_entry *entry, struct error *err)
{
	autoclose int fd = openat(p->dir, p->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
				  O_CLOEXEC, 0600);

	if (fd < 0)
		return cannot(err, path, "make");
	if (write_data(u, fd, path, archive_entry_size(entry), err) < 0)
		return -1;
	return attributes_set(u, p, fd, entry, err);
}

static int make_link(struct unpack *u, const struct place *p, const char *path, const char *to,
		     struct error *err)
{
	autofree char *target = NULL;
	char name[256], text[256];
	autoclose int dir = -1;

	if (member_path(u->o, to, &target, err) < 0)
		return -1;
	if (!target || !*target)
		return error_set(err, ENOENT, "cannot link \"%s\": what it shares its bytes with is "
				 "left out", member_text(path, text));
	dir = path_parent_in(u->root, target, name);
	if (dir < 0 || linkat(dir, name, p->dir, p->name, 0) < 0)
		return cannot(err, path, "link");
	return 0;
}

static int make_node(struct unpack *u, const struct place *p, const char *path,
		     struct archive_entry *entry, struct error *err)
{
	mode_t type = archive_entry_filetype(entry);

	if (type == AE_IFLNK) {
		const char *to = archive_entry_symlink(entry);

		if (symlinkat(to ? to : "", p->dir, p->name) < 0)
			return cannot(err, path, "make the link");
	} else if (mknodat(p->dir, p->name, type | 0600, archive_entry_rdev(entry)) < 0) {
		return cannot(err, path, type == AE_IFIFO ? "make the pipe" : "make the device");
	}
	return attributes_set(u, p, -1, entry, err);
}

/* Its attributes come last: what is made in it changes its times, and its mode may forbid it. */
static int postpone(struct unpack *u, const char *path, const struct stat *st,
		    struct archive_entry *entry, struct error *err)
{
	struct later *more;

	if ((u->n_later & (u->n_later - 1)) == 0) {
		more = realloc(u->later, (u->n_later ? u->n_later * 2 : 1) * sizeof(*more));
		if (!more)
			return error_set(err, ENOMEM, "out of memory");
		u->later = more;
	}
	more = &u->later[u->n_later];
	*more = (struct later){strdup(path), archive_entry_clone(entry), st->st_dev, st->st_ino};
	if (!more->path || !more->entry)
		return error_set(err, ENOMEM, "out of memory");
	u->n_later++;
	return 0;
}

static int make_dir(struct unpack *u, const struct place *p, const char *path, bool exists,
		    struct archive_entry *entry, struct error *err)
{
	struct stat st;

	if (!exists && mkdirat(p->dir, p->name, 0700) < 0)
		return cannot(err, path, "make the directory");
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(err, path, "look at");
	return postpone(u, path, &st, entry, err);
}

/* ---- one entry ---- */

static int count(struct unpack *u, const char *path, struct archive_entry *entry,
		 struct error *err)
{
	int64_t size = archive_entry_size(entry);
	char text[256];

	if (size < 0 || (uint64_t)size > u->o->max_size - u->size) {
		error_set(err, EFBIG, "cannot unpack \"%s\": with its %lld bytes the files have more "
			  "than %llu", member_text(path, text), (long long)size, u->o->max_size);
		return error_mend(err, "--max-size BYTES      (if this is what you expect)");
	}
	u->size += (uint64_t)size;
	return 0;
}

/* 1: leave it out. */
static int check_type(struct unpack *u, const char *path, mode_t type, struct error *err)
{
	char text[256];

	switch (type) {
	case AE_IFREG:
	case AE_IFDIR:
	case AE_IFLNK:
	case AE_IFIFO:
		return 0;
	case AE_IFCHR:
	case AE_IFBLK:
		if (u->o->devices != DEVICES_REFUSE)
			return u->o->devices == DEVICES_SKIP;
		error_set(err, EPERM, "cannot unpack \"%s\": it is a device",
			  member_text(path, text));
		return error_mend(err, "--devices=skip, or --devices=make if you trust the archive");
	default:
		return error_set(err, EINVAL, "cannot unpack \"%s\": it is of no known kind",
				 member_text(path, text));
	}
}

static int remember(struct unpack *u, const struct place *p, const char *path, struct error *err)
{
	struct stat st;

	if (!u->o->oci)
		return 0;
	if (fstatat(p->dir, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(err, path, "look at");
	return oci_remember(u, &st, err);
}

static int make_at(struct unpack *u, const struct place *p, const char *path,
		   struct archive_entry *entry, struct error *err)
{
	const char *link = archive_entry_hardlink(entry);
	mode_t type = archive_entry_filetype(entry);
	int exists = clear(u, p, path, !link && type == AE_IFDIR, err);

	if (exists < 0)
		return -1;
	if (link)
		return make_link(u, p, path, link, err);
	if (type == AE_IFDIR)
		return make_dir(u, p, path, exists, entry, err);
	if (type == AE_IFREG)
		return make_regular(u, p, path, entry, err);
	return make_node(u, p, path, entry, err);
}

static int make_named(struct unpack *u, const char *path, struct archive_entry *entry,
		      struct error *err)
{
	mode_t type = archive_entry_filetype(entry);
	struct place p = {.dir = -1};
	struct stat st;
	int result = 0;
	char text[256];

	if (!*path && (type != AE_IFDIR || archive_entry_hardlink(entry)))
		return error_set(err, EPERM, "cannot unpack an entry that has no name");
	if (!*path)
		return fstat(u->root, &st) < 0 ? error_sys(err, "cannot look at \"/\"")
					       : postpone(u, "", &st, entry, err);
	if (u->o->oci)
		result = oci_whiteout(u, path, err);
	if (result == 0 && !archive_entry_hardlink(entry))
		result = check_type(u, path, type, err);
	if (result)
		return result < 0 ? -1 : 0;
	if (strlen(path) >= 4096)
		return error_set(err, ENAMETOOLONG, "cannot unpack \"%s\": its name is too long",
				 member_text(path, text));
	if (count(u, path, entry, err) < 0 || place_open(u, path, &p, err) < 0)
		return -1;
	result = make_at(u, &p, path, entry, err);
	if (result == 0)
		result = remember(u, &p, path, err);
	close(p.dir);
	return result;
}

int make_member(struct unpack *u, struct archive_entry *entry, struct error *err)
{
	const char *name = archive_entry_pathname(entry);
	autofree char *path = NULL;

	if (++u->entries > u->o->max_entries) {
		error_set(err, EFBIG, "cannot unpack it: it has more than %llu entries",
			  u->o->max_entries);
		return error_mend(err, "--max-entries N      (if this is what you expect)");
	}
	if (!name || member_path(u->o, name, &path, err) < 0)
		return name ? -1 : error_set(err, EINVAL, "cannot unpack an entry without a name");
	return path ? make_named(u, path, entry, err) : 0;
}

/* ---- the end ---- */

/* Only if it is still the directory that was made: a later entry may have replaced it. */
static int finish_dir(struct unpack *u, const struct later *d, struct error *err)
{
	struct place p = {.dir = -1};
	autoclose int parent = -1, fd = -1;
	struct stat st;

	if (!*d->path) {
		fd = path_open_in(u->root, "", O_RDONLY | O_DIRECTORY, 0);
	} else {
		parent = p.dir = path_parent_in(u->root, d->path, p.name);
		if (parent >= 0)
			fd = openat(parent, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	}
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return cannot(err, d->path, "open the directory");
	if (st.st_dev != d->dev || st.st_ino != d->ino)
		return 0;
	return attributes_set(u, &p, fd, d->entry, err);
}

/* The innermost first, as they came last. */
int make_finish(struct unpack *u, struct error *err)
{
	int result = 0;

	for (size_t i = u->n_later; i-- > 0;) {
		if (result == 0)
			result = finish_dir(u, &u->later[i], err);
		archive_entry_free(u->later[i].entry);
		free(u->later[i].path);
	}
	free(u->later);
	u->later = NULL;
	u->n_later = 0;
	return result;
}

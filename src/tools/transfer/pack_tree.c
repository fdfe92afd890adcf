/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One tree of files into the archive.  It may be hostile and may change meanwhile: directories are
 * opened by the kernel below the tree's root, nothing else is followed, and no device is opened.
 * The root is a mount that shows no other mounts, cannot be written and has no devices (the library
 * sees to it).  Of the directories only the one that is being read is open, however deep they are.
 */
#include "transfer.h"
#include "base/path.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#define CHUNK (256 * 1024)
#define LONGEST_PATH 4095 /* no other can be unpacked */

struct link_name {
	dev_t dev;
	ino_t ino;
	char path[];
};

int tree_fail(const struct tree *t, const char *path, const char *what, struct error *err)
{
	return error_sys(err, "cannot %s \"%s%s%s\"", what, t->name, *path ? "/" : "", path);
}

/* ---- files with several names ---- */

static size_t link_place(const struct tree *t, const struct stat *st)
{
	size_t at = (st->st_ino * 0x9e3779b97f4a7c15u ^ st->st_dev) & (t->links_size - 1);

	while (t->links[at] &&
	       (t->links[at]->ino != st->st_ino || t->links[at]->dev != st->st_dev))
		at = (at + 1) & (t->links_size - 1);
	return at;
}

static int make_room(struct tree *t)
{
	struct link_name **old = t->links;
	size_t old_size = t->links_size;

	if (t->n_links * 2 < t->links_size)
		return 0;
	t->links_size = old_size ? old_size * 2 : 256;
	t->links = calloc(t->links_size, sizeof(struct link_name *));
	if (!t->links) {
		t->links = old;
		t->links_size = old_size;
		return -1;
	}
	for (size_t i = 0; i < old_size; i++)
		if (old[i])
			t->links[link_place(t, &(struct stat){.st_dev = old[i]->dev,
							      .st_ino = old[i]->ino})] = old[i];
	free(old);
	return 0;
}

/* The name by which it was met before; else NULL, and it is remembered.  -1 when memory ran out. */
static int first_name(struct tree *t, const struct stat *st, const char *path, const char **ret)
{
	struct link_name *new;
	size_t at;

	*ret = NULL;
	if (st->st_nlink < 2)
		return 0;
	if (make_room(t) < 0)
		return -1;
	at = link_place(t, st);
	if (t->links[at]) {
		*ret = t->links[at]->path;
		return 0;
	}
	new = malloc(sizeof(*new) + strlen(path) + 1);
	if (!new)
		return -1;
	new->dev = st->st_dev;
	new->ino = st->st_ino;
	strcpy(new->path, path);
	t->links[at] = new;
	t->n_links++;
	return 0;
}

static void free_links(struct tree *t)
{
	for (size_t i = 0; i < t->links_size; i++)
		free(t->links[i]);
	free(t->links);
}

/* ---- contents ---- */

/* Tell which parts have bytes; 0 when all of it has. */
static int map_holes(int fd, off_t size, struct archive_entry *entry)
{
	off_t data = lseek(fd, 0, SEEK_DATA), hole;
	bool any = false;

	if (data == 0 && lseek(fd, 0, SEEK_HOLE) >= size)
		return 0;
	while (data >= 0 && data < size) {
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0 || hole > size)
			hole = size;
		archive_entry_sparse_add_entry(entry, data, hole - data);
		any = true;
		data = lseek(fd, hole, SEEK_DATA);
	}
	if (data < 0 && errno != ENXIO && errno != EINVAL)
		return -1;
	if (!any && size)
		archive_entry_sparse_add_entry(entry, size, 0);
	return 0;
}

static int changed(const struct tree *t, const char *path, struct error *err)
{
	errno = ESTALE;
	return tree_fail(t, path, "read, while something writes to it, the file", err);
}

/* Some of a file's contents, holes included. */
static int add_bytes(struct tree *t, const void *bytes, size_t n, struct error *err)
{
	if (pack_bytes(t->pack, bytes, n, err) < 0)
		return -1;
	t->pack->count.bytes += n;
	pack_progress(t->pack);
	return 0;
}

static int copy_bytes(struct tree *t, const char *path, int fd, off_t from, off_t to,
		      struct error *err)
{
	static char chunk[CHUNK];

	while (from < to) {
		size_t want = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
		ssize_t n = pread(fd, chunk, want, from);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return tree_fail(t, path, "read", err);
		if (n == 0)
			return changed(t, path, err);
		digest_data(&t->digest, chunk, (size_t)n, from);
		if (add_bytes(t, chunk, (size_t)n, err) < 0)
			return -1;
		from += n;
	}
	return 0;
}

/* libarchive wants to be given them, and writes nothing of it. */
static int skip_hole(struct tree *t, off_t from, off_t to, struct error *err)
{
	static const char zeros[4 * CHUNK];

	for (; from < to; from += (off_t)sizeof(zeros)) {
		off_t left = to - from;

		if (add_bytes(t, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros),
			      err) < 0)
			return -1;
	}
	return 0;
}

static int copy_contents(struct tree *t, const char *path, int fd, off_t size,
			 struct archive_entry *entry, struct error *err)
{
	la_int64_t offset, length;
	off_t at = 0;

	if (archive_entry_sparse_reset(entry) == 0)
		return copy_bytes(t, path, fd, 0, size, err);
	while (archive_entry_sparse_next(entry, &offset, &length) == ARCHIVE_OK) {
		if (skip_hole(t, at, offset, err) < 0 ||
		    copy_bytes(t, path, fd, offset, offset + length, err) < 0)
			return -1;
		at = offset + length;
	}
	return skip_hole(t, at, size, err);
}

/* ---- one file ---- */

static int set_name(const struct tree *t, struct archive_entry *entry, const char *path)
{
	autofree char *name = str_printf("%s%s%s", t->name, *path ? "/" : "", path);

	if (!name)
		return -1;
	archive_entry_set_pathname(entry, name);
	return 0;
}

static int add_entry(struct tree *t, const char *path, struct archive_entry *entry,
		     struct error *err)
{
	if (digest_entry(&t->digest, path, entry) < 0)
		return error_set(err, ENOMEM, "out of memory");
	t->pack->count.files++;
	return pack_header(t->pack, entry, err);
}

static int add_link(struct tree *t, const char *path, const char *to, struct archive_entry *entry,
		    struct error *err)
{
	autofree char *target = str_printf("%s/%s", t->name, to);

	if (!target)
		return error_set(err, ENOMEM, "out of memory");
	archive_entry_set_hardlink(entry, target);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_size(entry, 0);
	return add_entry(t, path, entry, err);
}

static int add_regular(struct tree *t, int dir, const char *path, const char *name,
		       const struct stat *st, struct archive_entry *entry, struct error *err)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
				  O_CLOEXEC);
	struct stat now;

	if (fd < 0)
		return tree_fail(t, path, "open", err);
	if (fstat(fd, &now) < 0 || !S_ISREG(now.st_mode) || now.st_ino != st->st_ino)
		return changed(t, path, err);
	archive_entry_set_size(entry, now.st_size);
	if (map_holes(fd, now.st_size, entry) < 0)
		return tree_fail(t, path, "find the holes of", err);
	if (pack_attributes(t, path, fd, name, &now, entry, err) < 0 ||
	    add_entry(t, path, entry, err) < 0)
		return -1;
	return copy_contents(t, path, fd, now.st_size, entry, err);
}

static int add_other(struct tree *t, int dir, const char *path, const char *name,
		     const struct stat *st, struct archive_entry *entry, struct error *err)
{
	char target[PATH_MAX + 1];
	ssize_t n;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(dir, name, target, PATH_MAX);
		if (n < 0)
			return tree_fail(t, path, "read the link", err);
		target[n] = '\0';
		archive_entry_set_symlink(entry, target);
	}
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		archive_entry_set_rdevmajor(entry, major(st->st_rdev));
		archive_entry_set_rdevminor(entry, minor(st->st_rdev));
	}
	if (pack_attributes(t, path, -1, name, st, entry, err) < 0)
		return -1;
	return add_entry(t, path, entry, err);
}

static int add_named(struct tree *t, int dir, const char *path, const char *name,
		     const struct stat *st, struct archive_entry *entry, struct error *err)
{
	const char *first;

	if (set_name(t, entry, path) < 0 || first_name(t, st, path, &first) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (first)
		return add_link(t, path, first, entry, err);
	archive_entry_set_filetype(entry, st->st_mode & S_IFMT);
	archive_entry_set_perm(entry, st->st_mode & 07777);
	archive_entry_set_mtime(entry, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	archive_entry_set_atime(entry, st->st_atim.tv_sec, st->st_atim.tv_nsec);
	return S_ISREG(st->st_mode) ? add_regular(t, dir, path, name, st, entry, err) :
				      add_other(t, dir, path, name, st, entry, err);
}

static int add_file(struct tree *t, int dir, const char *path, const char *name,
		    const struct stat *st, struct error *err)
{
	struct archive_entry *entry = archive_entry_new();
	int result;

	if (!entry)
		return error_set(err, ENOMEM, "out of memory");
	result = add_named(t, dir, path, name, st, entry, err);
	archive_entry_free(entry);
	return result;
}

/* ---- directories ---- */

/* Names of subdirectories are put aside, the last one on top. */
static int visit_name(struct tree *t, int dir, const char *above, const char *name,
		      struct strv *subdirs, struct error *err)
{
	autofree char *path = str_printf("%s%s%s", above, *above ? "/" : "", name);
	struct stat st;

	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (strlen(t->name) + strlen(path) + 1 > LONGEST_PATH) {
		errno = ENAMETOOLONG;
		return tree_fail(t, path, "store", err);
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return tree_fail(t, path, "look at", err);
	if (S_ISDIR(st.st_mode)) {
		if (strv_take(subdirs, steal_ptr(&path)) < 0)
			return error_set(err, ENOMEM, "out of memory");
		return 0;
	}
	/* What listens there makes it again. */
	if (S_ISSOCK(st.st_mode)) {
		t->pack->count.left_out++;
		return 0;
	}
	return add_file(t, dir, path, name, &st, err);
}

static int read_names(int dir, struct strv *names)
{
	autodir DIR *list = fdopendir(dup(dir));
	struct dirent *entry;

	if (!list)
		return -1;
	while ((errno = 0, entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strv_add(names, entry->d_name) < 0)
			return -1;
	strv_sort(names); /* the same tree makes the same archive */
	return errno ? -1 : 0;
}

static int visit_dir(struct tree *t, const char *path, struct error *err)
{
	autoclose int dir = path_open_in(t->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	autostrv struct strv names = {0}, subdirs = {0};
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0 || fchdir(dir) < 0)
		return tree_fail(t, path, "open the directory", err);
	st.st_nlink = 1;
	if (add_file(t, dir, path, ".", &st, err) < 0)
		return -1;
	if (read_names(dir, &names) < 0)
		return tree_fail(t, path, "read the directory", err);
	for (size_t i = 0; i < names.n; i++)
		if ((*path || !strv_has(&t->skip, names.v[i])) &&
		    visit_name(t, dir, path, names.v[i], &subdirs, err) < 0)
			return -1;
	while (subdirs.n) {
		char *last = subdirs.v[--subdirs.n];

		subdirs.v[subdirs.n] = NULL;
		if (strv_take(&t->dirs, last) < 0)
			return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int visit_all(struct tree *t, struct error *err)
{
	int result = strv_add(&t->dirs, "");

	if (result < 0)
		return error_set(err, ENOMEM, "out of memory");
	while (result == 0 && t->dirs.n) {
		autofree char *path = t->dirs.v[--t->dirs.n];

		t->dirs.v[t->dirs.n] = NULL;
		result = visit_dir(t, path, err);
	}
	return result;
}

int pack_tree(struct pack *p, const struct wire *ask, int root, struct error *err)
{
	struct tree t = {.pack = p, .name = ask->name, .root = root, .ids = &ask->ids,
			 .value = malloc(XATTR_SIZE_MAX), .names = malloc(XATTR_LIST_MAX)};
	int result = -1;

	if (ask->ids.n_uid > WIRE_MOST_RANGES || ask->ids.n_gid > WIRE_MOST_RANGES)
		return error_set(err, EPROTO, "there are too many id maps");
	digest_begin(&t.digest);
	if (!t.value || !t.names || strv_split(&t.skip, ask->skip, " ") < 0)
		error_set(err, ENOMEM, "out of memory");
	else
		result = visit_all(&t, err);
	if (result == 0)
		digest_tree_line(&t.digest, t.name, &p->manifest);
	strv_free(&t.dirs);
	strv_free(&t.skip);
	free_links(&t);
	free(t.value);
	free(t.names);
	return result;
}

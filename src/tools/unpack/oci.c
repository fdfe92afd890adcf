/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Layers of OCI images: they remove what earlier ones left, by entries with names of their own.
 * Whatever this layer brought itself stays, in whichever order it comes.
 */
#include "unpack.h"
#include "base/path.h"
#include "base/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#define MARK ".wh."
#define OPAQUE ".wh..wh..opq"
#define MAX_DEPTH 512 /* each level holds a descriptor open */

static uint64_t key(const struct stat *st)
{
	uint64_t k = (uint64_t)st->st_ino * 0x9e3779b97f4a7c15u ^ (uint64_t)st->st_dev;

	return k ? k : 1;
}

/* Where 'k' is, or would be. */
static size_t slot(const struct inodes *set, uint64_t k)
{
	size_t at = k & (set->size - 1);

	while (set->v[at] && set->v[at] != k)
		at = (at + 1) & (set->size - 1);
	return at;
}

static bool is_ours(const struct inodes *set, const struct stat *st)
{
	return set->size && set->v[slot(set, key(st))];
}

static int grow(struct inodes *set)
{
	struct inodes larger = {.size = set->size ? set->size * 2 : 1024, .n = set->n};

	larger.v = calloc(larger.size, sizeof(*larger.v));
	if (!larger.v)
		return -1;
	for (size_t i = 0; i < set->size; i++)
		if (set->v[i])
			larger.v[slot(&larger, set->v[i])] = set->v[i];
	free(set->v);
	*set = larger;
	return 0;
}

int oci_remember(struct unpack *u, const struct stat *st, struct error *err)
{
	struct inodes *set = &u->inodes;
	size_t at;

	if (set->n * 2 >= set->size && grow(set) < 0)
		return error_set(err, ENOMEM, "out of memory");
	at = slot(set, key(st));
	if (!set->v[at])
		set->n++;
	set->v[at] = key(st);
	return 0;
}

static int remove_older_in(struct unpack *u, int dir, int depth);

/* What earlier layers left of 'name': a directory of ours keeps what is ours in it. */
static int remove_older(struct unpack *u, int dir, const char *name, int depth)
{
	struct stat st;
	int sub;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISDIR(st.st_mode))
		return is_ours(&u->inodes, &st) ? 0 : unlinkat(dir, name, 0);
	if (depth > MAX_DEPTH) {
		errno = ELOOP;
		return -1;
	}
	sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0 || remove_older_in(u, sub, depth + 1) < 0)
		return -1;
	if (is_ours(&u->inodes, &st) || unlinkat(dir, name, AT_REMOVEDIR) == 0 ||
	    errno == ENOTEMPTY)
		return 0;
	return -1;
}

/* Takes 'dir'. */
static int remove_older_in(struct unpack *u, int dir, int depth)
{
	autodir DIR *list = fdopendir(dir);
	struct dirent *entry;

	if (!list) {
		close(dir);
		return -1;
	}
	while ((errno = 0, entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (remove_older(u, dirfd(list), entry->d_name, depth) < 0)
			return -1;
	}
	return errno ? -1 : 0;
}

/* The directory that a whiteout is in; -1 with ENOENT: none, and so nothing to remove. */
static int open_above(struct unpack *u, const char *path)
{
	const char *slash = strrchr(path, '/');
	autofree char *above = slash ? strndup(path, (size_t)(slash - path)) : strdup(".");

	return above ? path_open_in(u->root, above, O_RDONLY | O_DIRECTORY, 0) : -1;
}

static bool is_no_name(const char *name)
{
	return !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int oci_whiteout(struct unpack *u, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	autoclose int dir = -1;
	char text[256];
	int result;

	if (!str_starts(name, MARK))
		return 0;
	/* Notes of the filesystem that the layer was made on. */
	if (str_starts(name, MARK MARK) && strcmp(name, OPAQUE) != 0)
		return 1;
	dir = open_above(u, path);
	if (dir < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 1;
	if (dir < 0)
		return error_sys(err, "cannot reach the directory of \"%s\"",
				 member_text(path, text));
	if (strcmp(name, OPAQUE) == 0)
		result = remove_older_in(u, steal_fd(&dir), 0);
	else if (is_no_name(name + strlen(MARK)))
		return error_set(err, EPERM, "cannot unpack \"%s\": what it removes has no name",
				 member_text(path, text));
	else
		result = remove_older(u, dir, name + strlen(MARK), 0);
	if (result < 0)
		return error_sys(err, "cannot do what \"%s\" says", member_text(path, text));
	return 1;
}

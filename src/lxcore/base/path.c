/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths below a root that someone else controls: resolved by the kernel, or by descriptors. */
#include "path.h"
#include "auto.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

/*
 * ---- without openat2(2) ----
 *
 * For kernels and system-call filters that do not know it: a walk by descriptors, name by name.  Each
 * name is opened without following a link; a link is read and its text walked in its place, an
 * absolute one from the root again.  '..' goes back to the descriptor that we came from and never asks
 * the filesystem, so a directory that is moved meanwhile leads nowhere else.
 */

#define MOST_LINKS 40   /* as the kernel (path_resolution(7)) */
#define MOST_DEPTH 512  /* descriptors that are held at most */

struct walk {
	int root;
	int dirs[MOST_DEPTH]; /* from below the root down to where we are */
	size_t depth;
	unsigned links;
	char *rest, *whole;   /* what is still to be walked, in the buffer that holds it */
};

static void walk_end(struct walk *w)
{
	while (w->depth)
		close(w->dirs[--w->depth]);
	free(w->whole);
}

static int here(const struct walk *w)
{
	return w->depth ? w->dirs[w->depth - 1] : w->root;
}

static int fail(int code)
{
	errno = code;
	return -1;
}

/* The next name, cut out of the rest; NULL at the end.  *ret_last: nothing but it is left, and
 * *ret_directory: a '/' follows, so it has to be one. */
static const char *next_name(struct walk *w, bool *ret_last, bool *ret_directory)
{
	char *name = w->rest + strspn(w->rest, "/"), *end = name + strcspn(name, "/");

	*ret_directory = *end == '/';
	*ret_last = !end[strspn(end, "/")];
	w->rest = *end ? end + 1 : end;
	*end = '\0';
	return *name ? name : NULL;
}

static int go_into(struct walk *w, int dir)
{
	if (w->depth == MOST_DEPTH) {
		close(dir);
		return fail(ENAMETOOLONG);
	}
	w->dirs[w->depth++] = dir;
	return 0;
}

static void go_up(struct walk *w)
{
	if (w->depth)
		close(w->dirs[--w->depth]);
}

/*
 * Links of procfs are what RESOLVE_NO_MAGICLINKS forbids, whatever their text says, but for the plain
 * ones in its root (self, mounts, net).
 */
static bool is_magic(int parent, int link)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(link, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	return fstat(parent, &st) < 0 || st.st_ino != 1;
}

/* The text of a link takes its place in front of the rest. */
static int follow(struct walk *w, int link, bool directory)
{
	char text[PATH_MAX];
	ssize_t n = readlinkat(link, "", text, sizeof(text) - 1);
	char *joined;

	if (++w->links > MOST_LINKS || is_magic(here(w), link))
		return fail(ELOOP);
	if (n < 0)
		return -1;
	if (n == 0)
		return fail(ENOENT);
	text[n] = '\0';
	while (*text == '/' && w->depth)
		go_up(w);
	joined = malloc((size_t)n + strlen(w->rest) + 2);
	if (!joined)
		return -1;
	memcpy(joined, text, (size_t)n + 1);
	if (directory)
		strcat(joined, "/");
	strcat(joined, w->rest);
	free(w->whole);
	w->whole = w->rest = joined;
	return 0;
}

enum { FOLLOWED = -2 };

/* The last name, opened as asked; FOLLOWED: it was a link, go on. */
static int open_last(struct walk *w, const char *name, bool directory, int flags, mode_t mode)
{
	autoclose int at = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st = {0};
	int fd;

	if (at < 0 && (errno != ENOENT || !(flags & O_CREAT)))
		return -1;
	if (at >= 0 && fstat(at, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode) && (directory || !(flags & O_NOFOLLOW))) {
		if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
			return fail(EEXIST);
		return follow(w, at, directory) < 0 ? -1 : FOLLOWED;
	}
	if (at >= 0 && !S_ISDIR(st.st_mode) && (directory || flags & O_DIRECTORY))
		return fail(ENOTDIR);
	if (flags & O_PATH)
		return steal_fd(&at);
	if (at < 0 && directory)
		return fail(EISDIR);
	/* What was a file a moment ago may be a link now: it is not followed either. */
	fd = openat(here(w), name, flags | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd;
}

/* A directory on the way. */
static int step_into(struct walk *w, const char *name, bool directory)
{
	autoclose int at = openat(here(w), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (at < 0 || fstat(at, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode))
		return follow(w, at, directory);
	if (!S_ISDIR(st.st_mode))
		return fail(ENOTDIR);
	return go_into(w, steal_fd(&at));
}

static int walk_all(struct walk *w, int flags, mode_t mode)
{
	for (;;) {
		bool last, directory;
		const char *name = next_name(w, &last, &directory);
		int fd;

		if (name && strcmp(name, "..") == 0)
			go_up(w);
		if (!name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
			if (name && !last)
				continue;
			if (flags & O_CREAT)
				return fail(EISDIR);
			return openat(here(w), ".", flags | O_CLOEXEC);
		}
		if (!last) {
			if (step_into(w, name, directory) < 0)
				return -1;
			continue;
		}
		fd = open_last(w, name, directory, flags, mode);
		if (fd != FOLLOWED)
			return fd;
	}
}

static int path_walk_in(int root, const char *path, int flags, mode_t mode)
{
	struct walk w = {.root = root, .whole = strdup(path)};
	int fd, code;

	w.rest = w.whole;
	fd = !w.whole ? -1 : !*path ? fail(ENOENT) : walk_all(&w, flags, mode);
	code = errno;
	walk_end(&w);
	errno = code;
	return fd;
}

/* ---- by the kernel, or by us ---- */

static int resolve_in(int root, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	/* The kernel answers EAGAIN when a rename anywhere raced with '..'; it asks us to try again. */
	for (int tries = 0; tries < 64; tries++) {
		int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

		/* A kernel before 5.6, or a filter that does not know the call. */
		if (fd < 0 && (errno == ENOSYS || errno == EPERM))
			return path_walk_in(root, path, flags, mode);
		if (fd >= 0 || errno != EAGAIN)
			return fd;
	}
	return -1;
}

int path_open_in(int root, const char *path, int flags, mode_t mode)
{
	return resolve_in(root, *path ? path : ".", flags, flags & O_CREAT ? mode : 0);
}

int path_parent_in(int root, const char *path, char ret_name[256])
{
	const char *end = path + strlen(path), *start;
	autofree char *parent = NULL;

	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/'; start--)
		;
	if (start == end || end - start > 255) {
		errno = start == end ? EINVAL : ENAMETOOLONG;
		return -1;
	}
	memcpy(ret_name, start, (size_t)(end - start));
	ret_name[end - start] = '\0';
	if (strcmp(ret_name, "..") == 0 || strcmp(ret_name, ".") == 0) {
		errno = EINVAL;
		return -1;
	}
	parent = strndup(path, (size_t)(start - path));
	if (!parent)
		return -1;
	return path_open_in(root, parent, O_PATH | O_DIRECTORY, 0);
}

int path_make_dir_in(int root, const char *path, mode_t mode)
{
	char name[256];
	autoclose int parent = -1;
	int fd = path_open_in(root, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	parent = path_parent_in(root, path, name);
	if (parent < 0 && errno == ENOENT) {
		const char *slash = strrchr(path, '/');
		autofree char *above = slash ? strndup(path, (size_t)(slash - path)) : NULL;

		if (!above)
			return -1;
		parent = path_make_dir_in(root, above, 0755);
	}
	if (parent < 0)
		return -1;
	if (mkdirat(parent, name, mode) < 0 && errno != EEXIST)
		return -1;
	/* 'name' may be a link that someone put there meanwhile: open under the root again. */
	return path_open_in(root, path, O_PATH | O_DIRECTORY, 0);
}

int path_make_file_in(int root, const char *path, mode_t mode)
{
	const char *slash = strrchr(path, '/');
	int fd = path_open_in(root, path, O_PATH, 0);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (slash && slash != path) {
		autofree char *above = strndup(path, (size_t)(slash - path));
		autoclose int parent = above ? path_make_dir_in(root, above, 0755) : -1;

		if (parent < 0)
			return -1;
	}
	fd = path_open_in(root, path, O_CREAT | O_WRONLY | O_NOCTTY | O_NONBLOCK, mode);
	if (fd < 0)
		return -1;
	close(fd);
	return path_open_in(root, path, O_PATH, 0);
}

char *path_simplify(const char *path)
{
	char *out = malloc(strlen(path) + 1), *to = out;
	const char *from = path;

	if (!out)
		return NULL;
	while (from[0] == '.' && from[1] == '/')
		for (from += 2; *from == '/'; from++)
			;
	while (*from) {
		if (from[0] == '/' && from[1] == '/')
			from++;
		else if (from[0] == '/' && from[1] == '.' && (from[2] == '/' || !from[2]))
			from += 2;
		else
			*to++ = *from++;
	}
	while (to > out + 1 && to[-1] == '/')
		to--;
	*to = '\0';
	if (!*out && *path == '/')
		strcpy(out, "/");
	return out;
}

char *path_absolute(const char *path)
{
	autofree char *here = NULL, *joined = NULL;

	if (*path == '/')
		return path_simplify(path);
	here = getcwd(NULL, 0);
	if (!here || asprintf(&joined, "%s/%s", here, path) < 0)
		return NULL;
	return path_simplify(joined);
}

int path_check_name(const char *name, struct error *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789_.:@+~-";
	size_t good = strspn(name, allowed);

	if (!*name)
		return error_set(err, EINVAL, "cannot use an empty container name");
	if (*name == '-' || *name == '.')
		error_set(err, EINVAL, "cannot use container name \"%s\": it begins with '%c'", name,
			  *name);
	else if (name[good])
		error_set(err, EINVAL, "cannot use container name \"%s\": it contains %s%.1s%s", name,
			  name[good] == ' ' ? "a blank" : "'", name[good] == ' ' ? "" : name + good,
			  name[good] == ' ' ? "" : "'");
	else if (good >= 200)
		error_set(err, ENAMETOOLONG, "cannot use container name \"%.32s...\": "
			  "it is longer than 199 bytes", name);
	else
		return 0;
	return error_mend(err, "use letters, digits and _.:@+~- only, beginning with a letter, "
			       "digit or _");
}

int path_make_dirs(const char *path, mode_t mode)
{
	autofree char *copy = strdup(path);

	if (!copy)
		return -1;
	for (char *at = copy + 1;; at++) {
		char saved = *at;

		if (saved != '/' && saved)
			continue;
		*at = '\0';
		if (mkdir(copy, saved ? 0755 : mode) < 0 && errno != EEXIST)
			return -1;
		if (!saved)
			return 0;
		*at = saved;
	}
}

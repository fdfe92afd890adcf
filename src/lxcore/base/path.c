/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Paths below a root that someone else controls: resolved by the kernel, never walked by name. */
#include "path.h"
#include "auto.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

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

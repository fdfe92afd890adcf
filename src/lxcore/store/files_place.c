/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where a path ends up below a root that someone else controls; see files.h. */
#include "store/files.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

#define MOST_LINKS 40 /* as the kernel, path_resolution(7) */

void file_place_close(struct file_place *p)
{
	close_fd(&p->dir);
}

void file_base_name(const char *path, char ret[256])
{
	const char *end = path + strlen(path), *start;

	*ret = '\0';
	if (str_ends(path, "/."))
		return;
	while (end > path && end[-1] == '/')
		end--;
	for (start = end; start > path && start[-1] != '/'; start--)
		;
	if (end - start > 255 || (end - start == 1 && *start == '.') ||
	    (end - start == 2 && strncmp(start, "..", 2) == 0))
		return;
	memcpy(ret, start, (size_t)(end - start));
	ret[end - start] = '\0';
}

bool file_wants_directory(const char *path)
{
	char name[256];

	file_base_name(path, name);
	return !*name || str_ends(path, "/");
}

/* The path of what a link in 'path' says, from the same root; to be freed. */
static char *beside(const char *path, const char *target)
{
	const char *end = path + strlen(path);

	if (*target == '/')
		return strdup(target);
	while (end > path && end[-1] == '/')
		end--;
	while (end > path && end[-1] != '/')
		end--;
	return str_printf("%.*s%s", (int)(end - path), path, target);
}

static int look_at(struct file_place *p)
{
	p->exists = fstatat(p->dir, p->name, &p->st, AT_SYMLINK_NOFOLLOW) == 0;
	return p->exists || errno == ENOENT ? 0 : -1;
}

int file_find(int root, const char *path, bool follow, struct file_place *ret)
{
	autoplace struct file_place p = FILE_NOWHERE;
	autofree char *at = strdup(path);

	for (int links = 0; at && links <= MOST_LINKS; links++) {
		char target[PATH_MAX], *next;
		ssize_t n;

		close_fd(&p.dir);
		p.dir = path_parent_in(root, at, p.name);
		if (p.dir < 0 || look_at(&p) < 0)
			return -1;
		if (!p.exists || !S_ISLNK(p.st.st_mode) || !follow) {
			*ret = p;
			p.dir = -1;
			return 0;
		}
		n = readlinkat(p.dir, p.name, target, sizeof(target) - 1);
		if (n < 0)
			return -1;
		target[n] = '\0';
		next = beside(at, target);
		free(at);
		at = next;
	}
	errno = at ? ELOOP : ENOMEM;
	return -1;
}

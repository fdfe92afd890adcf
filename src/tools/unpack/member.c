/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names and owners: what the archive says, and what that is below the directory. */
#include "unpack.h"
#include "base/path.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>

#define MAX_DEPTH 2000 /* no path of the kernel's has more parts */

const char *member_text(const char *name, char text[256])
{
	size_t n = 0;

	for (; *name && n < 250; name++) {
		unsigned char c = (unsigned char)*name;

		if (c >= ' ' && c < 0x7f)
			text[n++] = (char)c;
		else
			n += (size_t)snprintf(text + n, 256 - n, "\\%03o", c);
	}
	if (*name)
		n += (size_t)snprintf(text + n, 256 - n, "...");
	text[n] = '\0';
	return text;
}

static bool is_excluded(const struct options *o, const char *path)
{
	for (size_t i = 0; i < o->exclude.n; i++)
		if (fnmatch(o->exclude.v[i], path, FNM_LEADING_DIR) == 0)
			return true;
	return false;
}

/* The parts of 'name' one after another, without '.' and empty ones; false: it has a '..'. */
static bool tidy(const char *name, char *into)
{
	char *to = into;

	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && memcmp(name, "..", 2) == 0)
			return false;
		if (n && !(n == 1 && *name == '.')) {
			if (to > into)
				*to++ = '/';
			memcpy(to, name, n);
			to += n;
		}
		name += n + (name[n] == '/');
	}
	*to = '\0';
	return true;
}

int member_path(const struct options *o, const char *name, char **ret, struct error *err)
{
	autofree char *path = malloc(strlen(name) + 1);
	const char *rest = path;
	char text[256];

	*ret = NULL;
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (!tidy(name, path))
		return error_set(err, EPERM, "cannot unpack \"%s\": '..' is in its name",
				 member_text(name, text));
	if (is_excluded(o, path))
		return 0;
	for (unsigned i = 0; i < o->strip; i++) {
		rest = strchr(rest, '/');
		if (!rest)
			return 0;
		rest++;
	}
	*ret = strdup(rest);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

int map_id(const struct id_map *map, uint32_t id, uint32_t *ret)
{
	*ret = id;
	for (size_t i = 0; i < map->n; i++) {
		const struct range *r = &map->v[i];

		if (id < r->inside || id - r->inside >= r->count)
			continue;
		*ret = r->outside + (id - r->inside);
		return 0;
	}
	return map->n ? -1 : 0;
}

/* The root of the container owns what the archive has no entry for. */
static int make_directory(struct unpack *u, const struct place *p)
{
	uint32_t uid, gid;

	if (mkdirat(p->dir, p->name, 0755) < 0)
		return errno == EEXIST ? 0 : -1;
	if (!u->o->uid.n && !u->o->gid.n)
		return 0;
	if (map_id(&u->o->uid, 0, &uid) < 0 || map_id(&u->o->gid, 0, &gid) < 0) {
		errno = EOVERFLOW;
		return -1;
	}
	return fchownat(p->dir, p->name, uid, gid, AT_SYMLINK_NOFOLLOW);
}

/* From the top down, so that nothing recurses as deep as an archive wants. */
static int make_parents(struct unpack *u, const char *path)
{
	autofree char *above = strdup(path);
	unsigned depth = 0;

	if (!above)
		return -1;
	for (char *at = strchr(above, '/'); at; at = strchr(at + 1, '/')) {
		struct place p;
		autoclose int dir = -1;

		if (++depth > MAX_DEPTH) {
			errno = ENAMETOOLONG;
			return -1;
		}
		*at = '\0';
		dir = p.dir = path_parent_in(u->root, above, p.name);
		if (dir < 0 || make_directory(u, &p) < 0)
			return -1;
		*at = '/';
	}
	return 0;
}

int place_open(struct unpack *u, const char *path, struct place *ret, struct error *err)
{
	char text[256];

	ret->dir = path_parent_in(u->root, path, ret->name);
	if (ret->dir < 0 && errno == ENOENT && make_parents(u, path) == 0)
		ret->dir = path_parent_in(u->root, path, ret->name);
	if (ret->dir < 0)
		return error_sys(err, "cannot unpack \"%s\": cannot reach its directory",
				 member_text(path, text));
	return 0;
}

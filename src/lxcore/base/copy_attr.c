/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The copier, attributes: owner, extended attributes, mode, times; in this order, since chown(2)
 * and writing clear setuid bits and file capabilities, and everything changes times.
 */
#include "copy_inner.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

/* ---- ids ---- */

static bool inside_of(const struct copy_map *map, uint32_t id, uint32_t *ret)
{
	*ret = id;
	for (size_t i = 0; i < map->n; i++)
		if (id - map->v[i].outside < map->v[i].count && id >= map->v[i].outside) {
			*ret = map->v[i].inside + (id - map->v[i].outside);
			return true;
		}
	return !map->n;
}

static bool outside_of(const struct copy_map *map, uint32_t id, uint32_t *ret)
{
	*ret = id;
	for (size_t i = 0; i < map->n; i++)
		if (id - map->v[i].inside < map->v[i].count && id >= map->v[i].inside) {
			*ret = map->v[i].outside + (id - map->v[i].inside);
			return true;
		}
	return !map->n;
}

/* -1 with EOVERFLOW when a map does not have it. */
static int shift(const struct copy_options *o, bool group, uint32_t id, uint32_t *ret)
{
	uint32_t inside;

	if (inside_of(group ? &o->from_gid : &o->from_uid, id, &inside) &&
	    outside_of(group ? &o->to_gid : &o->to_uid, inside, ret))
		return 0;
	*ret = id;
	errno = EOVERFLOW;
	return o->keep_unmapped ? 0 : -1;
}

static int shift_owner(struct copy_worker *w, struct copy_node *dir, const char *name,
		       const struct stat *st, uint32_t ret[2])
{
	struct copier *c = w->c;
	char what[64];

	if (c->o->owned) {
		ret[0] = c->o->uid;
		ret[1] = c->o->gid;
		return 0;
	}
	ret[0] = st->st_uid;
	ret[1] = st->st_gid;
	for (int group = 0; group < 2 && c->shifting; group++) {
		if (shift(c->o, group, ret[group], &ret[group]) == 0)
			continue;
		snprintf(what, sizeof(what), "map %s id %u, the owner of", group ? "group" : "user",
			 ret[group]);
		return copy_fail(c, dir, name, what);
	}
	return 0;
}

/* posix_acl_xattr.h: a version, then entries; only named users and groups have an id. */
static int shift_acl(const struct copy_options *o, char *value, size_t n)
{
	for (size_t at = 4; at + 8 <= n; at += 8) {
		uint16_t tag;
		uint32_t id;

		memcpy(&tag, value + at, sizeof(tag));
		tag = le16toh(tag);
		if (tag != 0x02 && tag != 0x08)
			continue;
		memcpy(&id, value + at + 4, sizeof(id));
		if (shift(o, tag == 0x08, le32toh(id), &id) < 0)
			return -1;
		id = htole32(id);
		memcpy(value + at + 4, &id, sizeof(id));
	}
	return 0;
}

#define CAPS_REVISION 0xff000000u
#define CAPS_V2 0x02000000u /* 20 bytes: of the host's root */
#define CAPS_V3 0x03000000u /* and 4 more: the root of a user namespace, capabilities(7) */

/* Returns the new size, or -1 with EOVERFLOW. */
static ssize_t shift_capability(const struct copy_options *o, char *value, size_t n)
{
	uint32_t magic, root = 0;

	if (n < 20)
		return (ssize_t)n;
	memcpy(&magic, value, sizeof(magic));
	magic = le32toh(magic);
	if ((magic & CAPS_REVISION) == CAPS_V3 && n >= 24) {
		memcpy(&root, value + 20, sizeof(root));
		if (shift(o, false, le32toh(root), &root) < 0)
			return -1;
	} else if ((magic & CAPS_REVISION) != CAPS_V2) {
		return (ssize_t)n;
	} else if (!outside_of(&o->to_uid, 0, &root) && !o->keep_unmapped) {
		errno = EOVERFLOW;
		return -1;
	}
	n = root ? 24 : 20;
	magic = htole32((magic & ~CAPS_REVISION) | (root ? CAPS_V3 : CAPS_V2));
	memcpy(value, &magic, sizeof(magic));
	root = htole32(root);
	if (n == 24)
		memcpy(value + 20, &root, sizeof(root));
	return (ssize_t)n;
}

/* ---- extended attributes ---- */

/* A file: open on both sides, or (fd[] < 0) a name in 'dir'. */
struct place {
	struct copy_worker *w;
	struct copy_node *dir;
	const char *name;
	int fd[2];
};

/* There is no llistxattr(2) below a descriptor before Linux 6.13: by the thread's own directory. */
static int enter(const struct place *p, enum copy_side side)
{
	struct copy_worker *w = p->w;

	if (w->cwd == p->dir->serial && w->cwd_side == side)
		return 0;
	w->cwd = 0;
	if (fchdir(p->dir->fd[side]) < 0)
		return -1;
	w->cwd = p->dir->serial;
	w->cwd_side = side;
	return 0;
}

static ssize_t list(const struct place *p)
{
	if (p->fd[FROM] >= 0)
		return flistxattr(p->fd[FROM], p->w->names, XATTR_LIST_MAX);
	return enter(p, FROM) < 0 ? -1 : llistxattr(p->name, p->w->names, XATTR_LIST_MAX);
}

static ssize_t get(const struct place *p, const char *attribute)
{
	if (p->fd[FROM] >= 0)
		return fgetxattr(p->fd[FROM], attribute, p->w->buffer, XATTR_SIZE_MAX);
	return enter(p, FROM) < 0 ? -1
				  : lgetxattr(p->name, attribute, p->w->buffer, XATTR_SIZE_MAX);
}

static int set(const struct place *p, const char *attribute, size_t n)
{
	if (p->fd[TO] >= 0)
		return fsetxattr(p->fd[TO], attribute, p->w->buffer, n, 0);
	return enter(p, TO) < 0 ? -1 : lsetxattr(p->name, attribute, p->w->buffer, n, 0);
}

static bool starts(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

static bool is_acl(const char *attribute)
{
	return starts(attribute, "system.posix_acl_");
}

/* What a program put there must get over; the rest is the filesystem's or a security module's. */
static bool must_arrive(const char *attribute)
{
	return starts(attribute, "user.") || starts(attribute, "trusted.") || is_acl(attribute) ||
	       strcmp(attribute, "security.capability") == 0;
}

/* XFS lists its access control lists a second time, as it stores them: with ids that nobody maps.
 */
static bool is_shadow(const char *attribute)
{
	return starts(attribute, "trusted.SGI_ACL_");
}

static bool is_wanted(const struct copy_options *o, const char *attribute)
{
	return !is_shadow(attribute) &&
	       !(o->no_powers && strcmp(attribute, "security.capability") == 0);
}

static int copy_xattr(const struct place *p, const char *attribute)
{
	struct copier *c = p->w->c;
	char what[XATTR_NAME_MAX + 64];
	ssize_t n = get(p, attribute);

	if (n < 0 && (errno == ENODATA || (!must_arrive(attribute) && errno == EOPNOTSUPP)))
		return 0;
	snprintf(what, sizeof(what), "read %s of", attribute);
	if (n < 0)
		return copy_fail(c, p->dir, p->name, what);
	snprintf(what, sizeof(what), "map the ids in %s of", attribute);
	if (c->shifting && is_acl(attribute) && shift_acl(c->o, p->w->buffer, (size_t)n) < 0)
		return copy_fail(c, p->dir, p->name, what);
	if (c->shifting && strcmp(attribute, "security.capability") == 0) {
		n = shift_capability(c->o, p->w->buffer, (size_t)n);
		if (n < 0)
			return copy_fail(c, p->dir, p->name, what);
	}
	if (set(p, attribute, (size_t)n) == 0 ||
	    (!must_arrive(attribute) && (errno == EOPNOTSUPP || errno == EINVAL)))
		return 0;
	snprintf(what, sizeof(what), "set %s of", attribute);
	return copy_fail(c, p->dir, p->name, what);
}

static int copy_xattrs(const struct place *p)
{
	ssize_t n = list(p);

	if (n < 0 && errno == EOPNOTSUPP)
		return 0;
	if (n < 0)
		return copy_fail(p->w->c, p->dir, p->name, "list the extended attributes of");
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(p->w->names + at) + 1)
		if (is_wanted(p->w->c->o, p->w->names + at) &&
		    copy_xattr(p, p->w->names + at) < 0)
			return -1;
	return 0;
}

/* ---- all of them ---- */

static mode_t wanted_mode(const struct copy_options *o, const struct stat *st)
{
	mode_t mode = st->st_mode & 07777;

	if (o->fresh || (o->no_powers && !S_ISDIR(st->st_mode)))
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
	return o->fresh ? mode & ~(mode_t)o->mask : mode;
}

int copy_attributes(struct copy_worker *w, struct copy_node *dir, const char *name, const int fd[2],
		    const struct stat *st, mode_t mode_now)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	const struct place place = {w, dir, name, {fd[FROM], fd[TO]}};
	struct copier *c = w->c;
	mode_t mode = wanted_mode(c->o, st);
	uint32_t owner[2];

	if (shift_owner(w, dir, name, st, owner) < 0)
		return -1;
	if ((owner[0] != c->uid || owner[1] != c->gid) && fchown(fd[TO], owner[0], owner[1]) < 0)
		return copy_fail(c, dir, name, "set the owner of");
	if (!c->o->fresh && copy_xattrs(&place) < 0)
		return -1;
	if (mode != mode_now && fchmod(fd[TO], mode) < 0)
		return copy_fail(c, dir, name, "set the mode of");
	if (!c->o->fresh && futimens(fd[TO], times) < 0)
		return copy_fail(c, dir, name, "set the times of");
	return 0;
}

int copy_attributes_named(struct copy_worker *w, struct copy_node *dir, const char *name,
			  const struct stat *st)
{
	const struct timespec times[2] = {st->st_atim, st->st_mtim};
	const struct place place = {w, dir, name, {-1, -1}};
	struct copier *c = w->c;
	int to = dir->fd[TO];
	uint32_t owner[2];

	if (shift_owner(w, dir, name, st, owner) < 0)
		return -1;
	if ((owner[0] != c->uid || owner[1] != c->gid) &&
	    fchownat(to, name, owner[0], owner[1], AT_SYMLINK_NOFOLLOW) < 0)
		return copy_fail(c, dir, name, "set the owner of");
	if (!c->o->fresh && copy_xattrs(&place) < 0)
		return -1;
	/* A symbolic link has none. */
	if (!S_ISLNK(st->st_mode) && wanted_mode(c->o, st) != (st->st_mode & 0777) &&
	    fchmodat(to, name, wanted_mode(c->o, st), 0) < 0)
		return copy_fail(c, dir, name, "set the mode of");
	if (!c->o->fresh && utimensat(to, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_fail(c, dir, name, "set the times of");
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a file has besides its bytes.  In this order: the owner, since chown(2) takes setuid bits and
 * file capabilities away; extended attributes while the mode still lets us; the mode; the access
 * control list, which rules over the mode's bits of the group; the times, which all of it changes.
 */
#include "unpack.h"
#include "base/fd.h"
#include "base/path.h"

#include <endian.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/xattr.h>

#define ACL_ACCESS "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"
#define MOST_ACCOUNTS (1 << 20) /* bytes of /etc/passwd that we read */

/* posix_acl_xattr.h of the kernel */
struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};
enum {
	ACL_USER_OBJ = 1,
	ACL_USER = 2,
	ACL_GROUP_OBJ = 4,
	ACL_GROUP = 8,
	ACL_MASK = 16,
	ACL_OTHER = 32
};
#define ACL_VERSION 2u
#define MOST_ACL_ENTRIES 500

struct target {
	struct unpack *u;
	const struct place *place;
	int fd;
	struct archive_entry *entry;
	struct error *err;
};

static int cannot(const struct target *t, const char *what)
{
	char text[256];

	return error_sys(t->err, "cannot set the %s of \"%s\"", what,
			 member_text(archive_entry_pathname(t->entry), text));
}

static int not_mapped(const struct target *t, const char *kind, long long id)
{
	char text[256];

	error_set(t->err, EOVERFLOW, "cannot unpack \"%s\": %s id %lld is not in the map",
		  member_text(archive_entry_pathname(t->entry), text), kind, id);
	return error_mend(t->err, "give the container more ids (lxc.idmap), %lld among them", id);
}

/* By the name in a directory: a call on the descriptor would need /proc, which is not there. */
static int set_xattr(const struct target *t, const char *name, const void *value, size_t n)
{
	if (t->fd >= 0)
		return fsetxattr(t->fd, name, value, n, 0);
	return fchdir(t->place->dir) < 0 ? -1 : lsetxattr(t->place->name, name, value, n, 0);
}

/* ---- owner ---- */

static int map_owner(const struct target *t, bool group, int64_t id, uint32_t *ret)
{
	const struct options *o = t->u->o;

	if (id < 0 || id >= UINT32_MAX || map_id(group ? &o->gid : &o->uid, (uint32_t)id, ret) < 0)
		return not_mapped(t, group ? "group" : "user", id);
	return 0;
}

static int set_owner(const struct target *t)
{
	uint32_t uid, gid;
	int result;

	if (map_owner(t, false, archive_entry_uid(t->entry), &uid) < 0 ||
	    map_owner(t, true, archive_entry_gid(t->entry), &gid) < 0)
		return -1;
	if (t->fd >= 0)
		result = fchown(t->fd, uid, gid);
	else
		result = fchownat(t->place->dir, t->place->name, uid, gid, AT_SYMLINK_NOFOLLOW);
	return result < 0 ? cannot(t, "owner") : 0;
}

/* ---- extended attributes as they are stored ---- */

/* The ids in an access control list that stands in the archive as the kernel has it. */
static int shift_acl(const struct target *t, char *value, size_t n)
{
	for (size_t at = 4; at + sizeof(struct acl_entry) <= n; at += sizeof(struct acl_entry)) {
		struct acl_entry e;

		memcpy(&e, value + at, sizeof(e));
		if (le16toh(e.tag) != ACL_USER && le16toh(e.tag) != ACL_GROUP)
			continue;
		if (map_owner(t, le16toh(e.tag) == ACL_GROUP, le32toh(e.id), &e.id) < 0)
			return -1;
		e.id = htole32(e.id);
		memcpy(value + at, &e, sizeof(e));
	}
	return 0;
}

/* File capabilities are those of the root that owns the user namespace; 'value' has room for it. */
static int shift_capability(const struct target *t, char *value, size_t *n)
{
	struct vfs_ns_cap_data caps = {0};
	uint32_t revision, root;

	if (*n != XATTR_CAPS_SZ_2 && *n != XATTR_CAPS_SZ_3)
		return 0; /* the kernel will say what it thinks of it */
	memcpy(&caps, value, *n);
	revision = le32toh(caps.magic_etc) & VFS_CAP_REVISION_MASK;
	if (revision != VFS_CAP_REVISION_2 && revision != VFS_CAP_REVISION_3)
		return 0;
	if (map_owner(t, false, le32toh(caps.rootid), &root) < 0)
		return -1;
	*n = root ? XATTR_CAPS_SZ_3 : XATTR_CAPS_SZ_2;
	revision = root ? VFS_CAP_REVISION_3 : VFS_CAP_REVISION_2;
	caps.magic_etc = htole32((le32toh(caps.magic_etc) & ~VFS_CAP_REVISION_MASK) | revision);
	caps.rootid = htole32(root);
	memcpy(value, &caps, *n);
	return 0;
}

static bool is_acl(const char *name)
{
	return strcmp(name, ACL_ACCESS) == 0 || strcmp(name, ACL_DEFAULT) == 0;
}

static bool is_wanted(const struct options *o, const char *name)
{
	return o->all_xattrs || str_starts(name, "user.") || is_acl(name) ||
	       strcmp(name, "security.capability") == 0;
}

static int set_stored(const struct target *t, const char *name, const void *bytes, size_t n)
{
	autofree char *value = calloc(1, n + sizeof(struct vfs_ns_cap_data));
	char what[300], text[256];

	if (!value)
		return error_set(t->err, ENOMEM, "out of memory");
	memcpy(value, bytes, n);
	if (is_acl(name) && shift_acl(t, value, n) < 0)
		return -1;
	if (strcmp(name, "security.capability") == 0 && shift_capability(t, value, &n) < 0)
		return -1;
	snprintf(what, sizeof(what), "attribute %s", member_text(name, text));
	return set_xattr(t, name, value, n) < 0 ? cannot(t, what) : 0;
}

static int set_xattrs(const struct target *t)
{
	const void *bytes;
	const char *name;
	size_t n;

	archive_entry_xattr_reset(t->entry);
	while (archive_entry_xattr_next(t->entry, &name, &bytes, &n) == ARCHIVE_OK)
		if (is_wanted(t->u->o, name) && set_stored(t, name, bytes, n) < 0)
			return -1;
	return 0;
}

/* ---- access control lists as text ---- */

/* The third field of the line 'name:...' of a file in the archive itself; -1. */
static int64_t account_id(struct unpack *u, const char *file, const char *name)
{
	autoclose int fd = path_open_in(u->root, file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	autobuf struct buf text = BUF_INIT;
	unsigned long long id;
	struct stat st;
	char *save = NULL;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    fd_read_all(fd, &text, MOST_ACCOUNTS) < 0 || !text.s)
		return -1;
	for (char *line = strtok_r(text.s, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t n = strlen(name);
		char *field = strncmp(line, name, n) == 0 && line[n] == ':' ? strchr(line + n + 1, ':')
									     : NULL;

		if (!field)
			continue;
		field[1 + strcspn(field + 1, ":")] = '\0';
		return str_to_u64(field + 1, &id) && id < UINT32_MAX ? (int64_t)id : -1;
	}
	return -1;
}

static int read_entry(const struct target *t, int tag, int perm, int64_t id, const char *name,
		      struct acl_entry *ret)
{
	static const struct {
		int tag;
		uint16_t kernel;
	} tags[] = {
		{ARCHIVE_ENTRY_ACL_USER_OBJ, ACL_USER_OBJ}, {ARCHIVE_ENTRY_ACL_USER, ACL_USER},
		{ARCHIVE_ENTRY_ACL_GROUP_OBJ, ACL_GROUP_OBJ}, {ARCHIVE_ENTRY_ACL_GROUP, ACL_GROUP},
		{ARCHIVE_ENTRY_ACL_MASK, ACL_MASK}, {ARCHIVE_ENTRY_ACL_OTHER, ACL_OTHER},
	};
	uint32_t mapped = UINT32_MAX;
	char text[256];

	*ret = (struct acl_entry){0};
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		if (tags[i].tag == tag)
			ret->tag = tags[i].kernel;
	if (ret->tag == ACL_USER || ret->tag == ACL_GROUP) {
		bool group = ret->tag == ACL_GROUP;

		if (id < 0 && name)
			id = account_id(t->u, group ? "etc/group" : "etc/passwd", name);
		if (id < 0)
			return error_set(t->err, EINVAL, "cannot set the access control list: the "
					 "archive does not know \"%s\"",
					 member_text(name ? name : "", text));
		if (map_owner(t, group, id, &mapped) < 0)
			return -1;
	}
	ret->perm = (uint16_t)((perm & ARCHIVE_ENTRY_ACL_READ ? 4 : 0) |
			       (perm & ARCHIVE_ENTRY_ACL_WRITE ? 2 : 0) |
			       (perm & ARCHIVE_ENTRY_ACL_EXECUTE ? 1 : 0));
	ret->id = mapped;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;

	if (x->tag != y->tag)
		return x->tag < y->tag ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static int set_acl(const struct target *t, int want, const char *attribute)
{
	struct {
		uint32_t version;
		struct acl_entry v[MOST_ACL_ENTRIES];
	} list = {.version = htole32(ACL_VERSION)};
	int n = 0, type, perm, tag, id;
	const char *name;

	if (archive_entry_acl_count(t->entry, want) == 0)
		return 0;
	archive_entry_acl_reset(t->entry, want);
	while (archive_entry_acl_next(t->entry, want, &type, &perm, &tag, &id, &name) == ARCHIVE_OK) {
		if (n == MOST_ACL_ENTRIES)
			return error_set(t->err, E2BIG, "cannot set the access control list: it has "
					 "more than %d entries", n);
		if (read_entry(t, tag, perm, id, name, &list.v[n++]) < 0)
			return -1;
	}
	qsort(list.v, (size_t)n, sizeof(list.v[0]), compare);
	for (int i = 0; i < n; i++)
		list.v[i] = (struct acl_entry){htole16(list.v[i].tag), htole16(list.v[i].perm),
					       htole32(list.v[i].id)};
	if (set_xattr(t, attribute, &list, sizeof(list.version) + (size_t)n * sizeof(list.v[0])) < 0)
		return cannot(t, "access control list");
	return 0;
}

static int set_acls(const struct target *t)
{
	if (archive_entry_filetype(t->entry) == AE_IFLNK)
		return 0;
	if (set_acl(t, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACL_ACCESS) < 0)
		return -1;
	return set_acl(t, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, ACL_DEFAULT);
}

/* ---- mode and times ---- */

static int set_mode(const struct target *t)
{
	mode_t mode = archive_entry_mode(t->entry) & 07777;
	int result;

	if (archive_entry_filetype(t->entry) == AE_IFLNK)
		return 0;
	if (t->fd >= 0)
		result = fchmod(t->fd, mode);
	else
		result = fchmodat(t->place->dir, t->place->name, mode, 0);
	return result < 0 ? cannot(t, "mode") : 0;
}

static int set_times(const struct target *t)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_OMIT}};
	int result;

	if (archive_entry_mtime_is_set(t->entry))
		times[0] = times[1] = (struct timespec){archive_entry_mtime(t->entry),
							archive_entry_mtime_nsec(t->entry)};
	if (archive_entry_atime_is_set(t->entry))
		times[0] = (struct timespec){archive_entry_atime(t->entry),
					     archive_entry_atime_nsec(t->entry)};
	if (t->fd >= 0)
		result = futimens(t->fd, times);
	else
		result = utimensat(t->place->dir, t->place->name, times, AT_SYMLINK_NOFOLLOW);
	return result < 0 ? cannot(t, "times") : 0;
}

int attributes_set(struct unpack *u, const struct place *place, int fd, struct archive_entry *entry,
		   struct error *err)
{
	const struct target t = {u, place, fd, entry, err};

	if (set_owner(&t) < 0 || set_xattrs(&t) < 0 || set_mode(&t) < 0 || set_acls(&t) < 0)
		return -1;
	return set_times(&t);
}

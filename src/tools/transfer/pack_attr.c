/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What files have besides bytes.  Ids in the archive, of owners, in access control lists and in file
 * capabilities, are those that the container itself sees.
 */
#include "transfer.h"

#include <endian.h>
#include <linux/capability.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define ACL_USER 0x02 /* posix_acl_xattr.h of the kernel: only these two have an id */
#define ACL_GROUP 0x08

static int inside_of(const struct copy_ids *v, uint32_t n, uint32_t id, uint32_t *ret)
{
	*ret = id;
	for (uint32_t i = 0; i < n; i++) {
		if (id < v[i].outside || id - v[i].outside >= v[i].count)
			continue;
		*ret = v[i].inside + (id - v[i].outside);
		return 0;
	}
	errno = EOVERFLOW;
	return n ? -1 : 0;
}

static int to_inside(const struct tree *t, bool group, uint32_t id, uint32_t *ret)
{
	return group ? inside_of(t->ids->gid, t->ids->n_gid, id, ret) :
		       inside_of(t->ids->uid, t->ids->n_uid, id, ret);
}

static int not_mapped(const struct tree *t, const char *path, const char *what, struct error *err)
{
	tree_fail(t, path, what, err);
	return error_mend(err, "give it an owner that the container has (chown), or remove it");
}

/* ---- extended attributes ---- */

static int map_acl(const struct tree *t, char *value, size_t n)
{
	for (size_t at = 4; at + 8 <= n; at += 8) {
		uint16_t tag;
		uint32_t id;

		memcpy(&tag, value + at, sizeof(tag));
		tag = le16toh(tag);
		if (tag != ACL_USER && tag != ACL_GROUP)
			continue;
		memcpy(&id, value + at + 4, sizeof(id));
		if (to_inside(t, tag == ACL_GROUP, le32toh(id), &id) < 0)
			return -1;
		id = htole32(id);
		memcpy(value + at + 4, &id, sizeof(id));
	}
	return 0;
}

/* Those of the container's root are those of nobody in particular. */
static ssize_t map_capability(const struct tree *t, char *value, size_t n)
{
	struct vfs_ns_cap_data caps;
	uint32_t root;

	if (n != XATTR_CAPS_SZ_3)
		return (ssize_t)n;
	memcpy(&caps, value, sizeof(caps));
	if (to_inside(t, false, le32toh(caps.rootid), &root) < 0)
		return -1;
	if (root == 0) {
		n = XATTR_CAPS_SZ_2;
		caps.magic_etc = htole32((le32toh(caps.magic_etc) & ~VFS_CAP_REVISION_MASK) |
					 VFS_CAP_REVISION_2);
	}
	caps.rootid = htole32(root);
	memcpy(value, &caps, n);
	return (ssize_t)n;
}

static bool is_acl(const char *name)
{
	return str_starts(name, "system.posix_acl_");
}

/* What belongs to the storage or to this machine stays here: labels and hashes of security modules,
 * notes of an overlay, the access control lists that XFS shows a second time. */
static bool stays_here(const char *name)
{
	static const char *const starts[] = {
		"trusted.overlay.", "trusted.SGI_ACL_", "security.selinux", "security.ima",
		"security.evm", "security.apparmor", "security.SMACK64", "btrfs.",
	};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
		if (str_starts(name, starts[i]))
			return true;
	return str_starts(name, "system.") && !is_acl(name);
}

static int add_xattr(struct tree *t, const char *path, int fd, const char *name,
		     const char *attribute, struct archive_entry *entry, struct error *err)
{
	char what[XATTR_NAME_MAX + 64];
	ssize_t n = fd >= 0 ? fgetxattr(fd, attribute, t->value, XATTR_SIZE_MAX) :
			      lgetxattr(name, attribute, t->value, XATTR_SIZE_MAX);

	if (n < 0 && errno == ENODATA)
		return 0;
	snprintf(what, sizeof(what), "read %s of", attribute);
	if (n < 0)
		return tree_fail(t, path, what, err);
	snprintf(what, sizeof(what), "map the ids in %s of", attribute);
	if (is_acl(attribute) && map_acl(t, t->value, (size_t)n) < 0)
		return not_mapped(t, path, what, err);
	if (strcmp(attribute, "security.capability") == 0)
		n = map_capability(t, t->value, (size_t)n);
	if (n < 0)
		return not_mapped(t, path, what, err);
	archive_entry_xattr_add_entry(entry, attribute, t->value, (size_t)n);
	return 0;
}

static int add_xattrs(struct tree *t, const char *path, int fd, const char *name,
		      struct archive_entry *entry, struct error *err)
{
	ssize_t n = fd >= 0 ? flistxattr(fd, t->names, XATTR_LIST_MAX) :
			      llistxattr(name, t->names, XATTR_LIST_MAX);

	if (n < 0 && errno == EOPNOTSUPP)
		return 0;
	if (n < 0)
		return tree_fail(t, path, "list the extended attributes of", err);
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(t->names + at) + 1)
		if (!stays_here(t->names + at) &&
		    add_xattr(t, path, fd, name, t->names + at, entry, err) < 0)
			return -1;
	return 0;
}

int pack_attributes(struct tree *t, const char *path, int fd, const char *name,
		    const struct stat *st, struct archive_entry *entry, struct error *err)
{
	uint32_t uid, gid;
	char what[64];

	snprintf(what, sizeof(what), "map user id %u, the owner of", st->st_uid);
	if (to_inside(t, false, st->st_uid, &uid) < 0)
		return not_mapped(t, path, what, err);
	snprintf(what, sizeof(what), "map group id %u, the owner of", st->st_gid);
	if (to_inside(t, true, st->st_gid, &gid) < 0)
		return not_mapped(t, path, what, err);
	archive_entry_set_uid(entry, uid);
	archive_entry_set_gid(entry, gid);
	return add_xattrs(t, path, fd, name, entry, err);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Subvolumes of btrfs: see subvolume.h. */
#include "subvolume.h"
#include "auto.h"

#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

bool subvolume_possible(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == BTRFS_SUPER_MAGIC;
}

bool subvolume_is(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_ino == BTRFS_FIRST_FREE_OBJECTID &&
	       subvolume_possible(fd);
}

static int remove_by_id(int dir, uint64_t id)
{
	struct btrfs_ioctl_vol_args_v2 args = {.flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = id};

	return ioctl(dir, BTRFS_IOC_SNAP_DESTROY_V2, &args) == 0 || errno == ENOENT ? 0 : -1;
}

struct ids {
	uint64_t *v;
	size_t n, room;
};

static int add_id(struct ids *list, uint64_t id)
{
	if (list->n == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		uint64_t *v = reallocarray(list->v, room, sizeof(*v));

		if (!v)
			return -1;
		list->v = v;
		list->room = room;
	}
	list->v[list->n++] = id;
	return 0;
}

/* The items of one answer; where the next question begins. */
static int take_children(const struct btrfs_ioctl_search_args *args, uint64_t *next,
			 struct ids *list)
{
	const char *at = args->buf;

	for (uint32_t i = 0; i < args->key.nr_items; i++) {
		struct btrfs_ioctl_search_header h;

		memcpy(&h, at, sizeof(h));
		at += sizeof(h) + h.len;
		*next = h.offset + 1;
		if (h.type == BTRFS_ROOT_REF_KEY && add_id(list, h.offset) < 0)
			return -1;
	}
	return 0;
}

/* Add those that lie directly in a subvolume, by the references in the tree of trees. */
static int add_children(int fd, uint64_t parent, struct ids *list)
{
	uint64_t next = 0;

	for (;;) {
		struct btrfs_ioctl_search_args args = {.key = {
			.tree_id = BTRFS_ROOT_TREE_OBJECTID,
			.min_objectid = parent, .max_objectid = parent,
			.min_type = BTRFS_ROOT_REF_KEY, .max_type = BTRFS_ROOT_REF_KEY,
			.min_offset = next, .max_offset = UINT64_MAX,
			.max_transid = UINT64_MAX, .nr_items = 4096,
		}};

		if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &args) < 0)
			return -1;
		if (!args.key.nr_items)
			return 0;
		if (take_children(&args, &next, list) < 0)
			return -1;
	}
}

static int id_of(int fd, uint64_t *ret)
{
	struct btrfs_ioctl_ino_lookup_args args = {.objectid = BTRFS_FIRST_FREE_OBJECTID};

	if (ioctl(fd, BTRFS_IOC_INO_LOOKUP, &args) < 0)
		return -1;
	*ret = args.treeid;
	return 0;
}

int subvolume_has_others(int top)
{
	struct ids list = {0};
	uint64_t id;
	int result = id_of(top, &id) < 0 || add_children(top, id, &list) < 0 ? -1 : list.n > 0;

	free(list.v);
	return result;
}

int subvolume_remove(int dir, int top)
{
	struct ids list = {0};
	uint64_t id;
	int result = id_of(top, &id) < 0 || add_id(&list, id) < 0 ? -1 : 0;

	/* Children are added behind their parents. */
	for (size_t i = 0; result == 0 && i < list.n; i++)
		result = add_children(top, list.v[i], &list);
	while (result == 0 && list.n)
		result = remove_by_id(dir, list.v[--list.n]);
	free(list.v);
	return result;
}

int subvolume_counts(int top)
{
	struct btrfs_ioctl_search_args args = {.key = {
		.tree_id = BTRFS_QUOTA_TREE_OBJECTID,
		.max_objectid = UINT64_MAX, .max_type = UINT32_MAX, .max_offset = UINT64_MAX,
		.max_transid = UINT64_MAX, .nr_items = 1,
	}};

	if (ioctl(top, BTRFS_IOC_TREE_SEARCH, &args) == 0)
		return 1;
	return errno == ENOENT ? 0 : -1;
}

int subvolume_limit(int top, uint64_t bytes)
{
	struct btrfs_ioctl_qgroup_limit_args args = {
		.lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_RFER,
			.max_rfer = bytes ? bytes : UINT64_MAX},
	};

	return ioctl(top, BTRFS_IOC_QGROUP_LIMIT, &args);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps of a walk through somebody else's tree; see listing.h. */
#include "store/listing.h"
#include "base/auto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char type_of(mode_t mode)
{
	static const struct {
		mode_t mode;
		char type;
	} types[] = {{S_IFDIR, 'd'}, {S_IFREG, 'f'}, {S_IFLNK, 'l'}, {S_IFCHR, 'c'},
		     {S_IFBLK, 'b'}, {S_IFIFO, 'p'}};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((mode & S_IFMT) == types[i].mode)
			return types[i].type;
	return 's';
}

static uint32_t inside(const struct copy_map *map, uint32_t id)
{
	for (size_t i = 0; i < map->n; i++)
		if (id >= map->v[i].outside && id - map->v[i].outside < map->v[i].count)
			return map->v[i].inside + (id - map->v[i].outside);
	return map->n ? (uint32_t)-1 : id;
}

int listing_look(int dir, const char *name, const struct listing_maps *maps,
		 struct listing_entry *ret)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	*ret = (struct listing_entry){
		.type = type_of(st.st_mode), .name = name, .mode = st.st_mode & 07777,
		.uid = inside(&maps->uid, st.st_uid), .gid = inside(&maps->gid, st.st_gid),
	};
	if (ret->type == 'c' || ret->type == 'b')
		ret->device = st.st_rdev;
	if (ret->type == 'f') {
		ret->size = (uint64_t)st.st_size;
		ret->mtime = st.st_mtim;
	}
	return 0;
}

int listing_names(int dir, struct strv *ret)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	if (!list)
		return -1;
	while ((entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strv_add(ret, entry->d_name) < 0)
			return -1;
	strv_sort(ret);
	return 0;
}

int listing_open_dir(int dir, const char *name, int *ret)
{
	*ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*ret < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -1;
	return !listing_is_mount(*ret, "");
}

bool listing_is_mount(int fd, const char *name)
{
	const int flags = AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
	struct statx sx;

	return statx(fd, name, flags, 0, &sx) == 0 &&
	       sx.stx_attributes_mask & sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The container's files for a hook.  Whatever a path is, the kernel resolves it below the descriptor
 * of the root (base/path.h), so neither a link in the tree nor a '..' of the hook leads to the host.
 * New files belong to the container's root.
 */
#include "hook.h"
#include "base/auto.h"
#include "base/copy.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define READ_LIMIT (16 << 20)
#define MOST_LINKS 16

static const struct {
	mode_t type;
	const char *word;
} types[] = {
	{S_IFREG, "file"},     {S_IFDIR, "directory"}, {S_IFLNK, "link"},     {S_IFIFO, "fifo"},
	{S_IFSOCK, "socket"},  {S_IFCHR, "character"}, {S_IFBLK, "block"},
};

static int check_root(struct hook *h, struct error *err)
{
	if (h->root >= 0)
		return 0;
	error_set(err, ENOENT, "the root filesystem cannot be reached in a %s hook%s%s",
		  h->word[HELLO_MOMENT], *h->word[HELLO_ROOT] ? ": " : "", h->word[HELLO_ROOT]);
	return error_mend(err, "use the moment 'mount', when it is mounted");
}

static int cannot(struct error *err, const char *what, const char *path)
{
	return error_sys(err, "cannot %s \"%s\" in the container", what, path);
}

static int own(struct hook *h, int dir, const char *name, struct error *err)
{
	unsigned uid, gid;

	if (hook_map_id(h, 'u', 0, &uid, err) < 0 || hook_map_id(h, 'g', 0, &gid, err) < 0)
		return -1;
	if ((uid || gid) && fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return cannot(err, "give to its root", name);
	return 0;
}

/* ---- looking ---- */

static int open_file(struct hook *h, const char *path, int flags, struct stat *st, struct error *err)
{
	autoclose int fd = -1;

	if (check_root(h, err) < 0)
		return -1;
	fd = path_open_in(h->root, path, flags | O_NONBLOCK | O_NOCTTY, 0);
	if (fd < 0 || fstat(fd, st) < 0)
		return cannot(err, "open", path);
	if (S_ISREG(st->st_mode))
		return steal_fd(&fd);
	errno = S_ISDIR(st->st_mode) ? EISDIR : EINVAL;
	return cannot(err, "read", path);
}

/* read(PATH): its text */
static int root_read(lua_State *L)
{
	const char *path = hook_check_path(L, 1);
	struct error err = {0};
	struct buf text = BUF_INIT;
	struct stat st;
	int fd = open_file(hook_of(L), path, O_RDONLY, &st, &err), result;

	if (fd < 0)
		return hook_raise(L, &err);
	result = fd_read_all(fd, &text, READ_LIMIT);
	if (result < 0)
		cannot(&err, "read", path);
	close(fd);
	if (result == 0)
		lua_pushlstring(L, text.s ? text.s : "", text.len);
	buf_free(&text);
	return result < 0 ? hook_raise(L, &err) : 1;
}

/* stat(PATH, no_follow): a table, or nil when it is not there */
static int root_stat(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	int follow = lua_toboolean(L, 2) ? O_NOFOLLOW : 0;
	struct error err = {0};
	struct stat st;
	int fd = check_root(h, &err) < 0 ? -2 : path_open_in(h->root, path, O_PATH | follow, 0);

	if (fd == -1 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd == -1)
		cannot(&err, "look at", path);
	if (fd < 0)
		return hook_raise(L, &err);
	fstat(fd, &st);
	close(fd);
	lua_createtable(L, 0, 6);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if ((st.st_mode & S_IFMT) == types[i].type)
			lua_pushstring(L, types[i].word);
	lua_setfield(L, -2, "type");
	const struct {
		const char *name;
		lua_Integer value;
	} numbers[] = {
		{"mode", st.st_mode & 07777}, {"uid", st.st_uid}, {"gid", st.st_gid},
		{"size", st.st_size},         {"mtime", st.st_mtim.tv_sec},
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		lua_pushinteger(L, numbers[i].value);
		lua_setfield(L, -2, numbers[i].name);
	}
	return 1;
}

/* list(PATH): names, or nil when it is no directory */
static int root_list(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	struct error err = {0};
	struct strv names = {0};
	struct dirent *entry;
	int fd = check_root(h, &err) < 0 ? -2 : path_open_in(h->root, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd == -2)
		return hook_raise(L, &err);
	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			strv_add(&names, entry->d_name);
	closedir(dir);
	strv_sort(&names);
	lua_createtable(L, (int)names.n, 0);
	for (size_t i = 0; i < names.n; i++) {
		lua_pushstring(L, names.v[i]);
		lua_seti(L, -2, (lua_Integer)i + 1);
	}
	strv_free(&names);
	return 1;
}

static int root_readlink(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	struct error err = {0};
	char target[4096];
	int fd = check_root(h, &err) < 0 ? -2 : path_open_in(h->root, path, O_PATH | O_NOFOLLOW, 0);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target));

	if (n < 0 && fd != -2)
		cannot(&err, "read the link", path);
	close_fd(&fd);
	if (n < 0)
		return hook_raise(L, &err);
	lua_pushlstring(L, target, (size_t)n);
	return 1;
}

/* ---- making ---- */

/* The directory and name of what 'path' stands for when its links are followed, there or not. */
static int find_place(struct hook *h, const char *path, char name[256], struct error *err)
{
	autofree char *now = strdup(path);

	for (int links = 0; now && links < MOST_LINKS; links++) {
		autoclose int parent = path_parent_in(h->root, now, name);
		autofree char *above = NULL;
		char target[4096];
		ssize_t n;

		if (parent < 0)
			return cannot(err, "make", path);
		n = readlinkat(parent, name, target, sizeof(target) - 1);
		if (n < 0)
			return steal_fd(&parent);
		target[n] = '\0';
		above = strndup(now, strlen(now) - strlen(strrchr(now, '/') ? strrchr(now, '/') : now));
		free(now);
		now = *target == '/' ? strdup(target) : str_printf("%s/%s", above ? above : "", target);
	}
	errno = now ? ELOOP : ENOMEM;
	return cannot(err, "make", path);
}

static int fill(int fd, const struct buf *text, int from)
{
	ssize_t n = 1;

	if (from < 0)
		return text->len ? fd_write_all(fd, text->s, text->len) : 0;
	while (n > 0)
		n = sendfile(fd, from, NULL, 1 << 20);
	return n < 0 ? -1 : 0;
}

/* Fill a new file beside the old one, then let it take its place: owner and mode stay. */
static int put_in_place(struct hook *h, int dir, const char *name, const struct buf *text, int from,
			mode_t mode, struct error *err)
{
	autofree char *fresh = str_printf(".%.200s.lxc-%d", name, getpid());
	autoclose int fd = fresh ? openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
					  O_CLOEXEC, 0600) : -1;
	struct stat old;
	bool there = fstatat(dir, name, &old, AT_SYMLINK_NOFOLLOW) == 0;
	int result = fd < 0 ? cannot(err, "make", name) : 0;

	if (result == 0 && there && !S_ISREG(old.st_mode)) {
		errno = S_ISDIR(old.st_mode) ? EISDIR : EEXIST;
		result = cannot(err, "write", name);
	}
	if (result == 0 && fill(fd, text, from) < 0)
		result = cannot(err, "write", name);
	if (result == 0)
		result = there ? fchown(fd, old.st_uid, old.st_gid) : own(h, dir, fresh, err);
	if (result == 0 && (fchmod(fd, mode ? mode : there ? old.st_mode & 07777 : 0644) < 0 ||
			    renameat(dir, fresh, dir, name) < 0))
		result = cannot(err, "write", name);
	if (result < 0 && fd >= 0)
		unlinkat(dir, fresh, 0);
	return result;
}

static int write_file(struct hook *h, const char *path, const struct buf *text, int from, mode_t mode,
		      struct error *err)
{
	autoclose int dir = -1;
	char name[256];

	if (check_root(h, err) < 0)
		return -1;
	dir = find_place(h, path, name, err);
	return dir < 0 ? -1 : put_in_place(h, dir, name, text, from, mode, err);
}

/* write(PATH, TEXT, MODE or nil) */
static int root_write(lua_State *L)
{
	struct buf text = BUF_INIT;
	struct error err = {0};
	const char *path = hook_check_path(L, 1);
	mode_t mode = (mode_t)luaL_optinteger(L, 3, 0);

	text.s = (char *)luaL_checklstring(L, 2, &text.len); /* read only */
	return write_file(hook_of(L), path, &text, -1, mode, &err) < 0 ? hook_raise(L, &err) : 0;
}

/* mkdir(PATH, MODE): one level; true when it is new */
static int root_mkdir(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	mode_t mode = (mode_t)luaL_optinteger(L, 2, 0755);
	struct error err = {0};
	char name[256];
	int dir = check_root(h, &err) < 0 ? -2 : path_parent_in(h->root, path, name), result = 0;
	bool made = dir >= 0 && mkdirat(dir, name, mode) == 0;

	if (dir == -1 || (dir >= 0 && !made && errno != EEXIST))
		result = cannot(&err, "make", path);
	if (made)
		result = own(h, dir, name, &err);
	close_fd(&dir);
	if (dir == -2 || result < 0)
		return hook_raise(L, &err);
	lua_pushboolean(L, made);
	return 1;
}

/* symlink(TARGET, PATH): takes the place of another link */
static int root_symlink(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *target = hook_check_path(L, 1), *path = hook_check_path(L, 2);
	struct error err = {0};
	struct stat st;
	char name[256];
	int dir = check_root(h, &err), result = dir;

	if (result == 0) {
		dir = path_parent_in(h->root, path, name);
		if (dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISLNK(st.st_mode))
			unlinkat(dir, name, 0);
		if (dir < 0 || symlinkat(target, dir, name) < 0)
			result = cannot(&err, "make the link", path);
		if (result == 0)
			result = own(h, dir, name, &err);
		close_fd(&dir);
	}
	return result < 0 ? hook_raise(L, &err) : 0;
}

/* remove(PATH, everything below too): true when it was there */
static int root_remove(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	bool tree = lua_toboolean(L, 2), there;
	struct error err = {0};
	struct stat st;
	char name[256];
	int dir = check_root(h, &err), result = dir;

	if (dir < 0)
		return hook_raise(L, &err);
	dir = path_parent_in(h->root, path, name);
	there = dir >= 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
	if (there && tree)
		result = tree_remove(dir, name, &err);
	else if (there && unlinkat(dir, name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) < 0)
		result = cannot(&err, "remove", path);
	close_fd(&dir);
	if (result < 0)
		return hook_raise(L, &err);
	lua_pushboolean(L, there);
	return 1;
}

/* ---- changing ---- */

/* chmod(PATH, MODE): of files and directories */
static int root_chmod(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	mode_t mode = (mode_t)luaL_checkinteger(L, 2);
	struct error err = {0};
	struct stat st = {0};
	int fd = check_root(h, &err), result = fd;

	if (fd < 0)
		return hook_raise(L, &err);
	/* Opening a device could do something: it is looked at first. */
	fd = path_open_in(h->root, path, O_PATH, 0);
	if (fd >= 0 && fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
		close_fd(&fd);
		fd = path_open_in(h->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	} else if (fd >= 0) {
		close_fd(&fd);
		errno = EINVAL;
	}
	if (fd < 0 || fchmod(fd, mode & 07777) < 0)
		result = cannot(&err, "change the mode of", path);
	close_fd(&fd);
	return result < 0 ? hook_raise(L, &err) : 0;
}

/* chown(PATH, UID, GID): ids of the container; a link is followed */
static int root_chown(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *path = hook_check_path(L, 1);
	struct error err = {0};
	unsigned uid, gid;
	int fd;

	if (check_root(h, &err) < 0 ||
	    hook_map_id(h, 'u', (unsigned long)luaL_checkinteger(L, 2), &uid, &err) < 0 ||
	    hook_map_id(h, 'g', (unsigned long)luaL_checkinteger(L, 3), &gid, &err) < 0)
		return hook_raise(L, &err);
	fd = path_open_in(h->root, path, O_PATH, 0);
	if (fd < 0 || fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0) {
		cannot(&err, "change the owner of", path);
		close_fd(&fd);
		return hook_raise(L, &err);
	}
	close(fd);
	return 0;
}

/* ---- from the host ---- */

static int copy_dir(struct hook *h, int from, const char *to, struct error *err)
{
	struct copy_ids users = {0}, groups = {0};
	struct copy_options o = {.keep_unmapped = true, .workers = 1};
	autoclose int place = -1, into = -1;
	char name[256];

	place = path_parent_in(h->root, to, name);
	if (place < 0 || (mkdirat(place, name, 0700) < 0 && errno != EEXIST))
		return cannot(err, "make", to);
	into = openat(place, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (into < 0)
		return cannot(err, "open", to);
	/* Everything in it belongs to whom root's files belong to in there. */
	if (hook_map_id(h, 'u', 0, &users.outside, err) < 0 ||
	    hook_map_id(h, 'g', 0, &groups.outside, err) < 0)
		return -1;
	users.count = groups.count = users.outside ? 65536 : 0;
	if (users.count) {
		o.to_uid = (struct copy_map){&users, 1};
		o.to_gid = (struct copy_map){&groups, 1};
	}
	return copy_tree(from, into, &o, NULL, err);
}

/* copy_in(FROM on the host, PATH, MODE or nil): a file, or a directory with all that is in it */
static int root_copy_in(lua_State *L)
{
	struct hook *h = hook_of(L);
	const char *from = hook_check_path(L, 1), *to = hook_check_path(L, 2);
	mode_t mode = (mode_t)luaL_optinteger(L, 3, 0);
	struct error err = {0};
	struct stat st;
	int fd, result = check_root(h, &err);

	if (result < 0)
		return hook_raise(L, &err);
	fd = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		result = error_sys(&err, "cannot read \"%s\" on the host", from);
	else if (S_ISDIR(st.st_mode))
		result = copy_dir(h, fd, to, &err);
	else if (S_ISREG(st.st_mode))
		result = write_file(h, to, NULL, fd, mode ? mode : st.st_mode & 07777, &err);
	else
		result = error_set(&err, EINVAL, "cannot copy \"%s\": it is neither a file nor a "
				   "directory", from);
	close_fd(&fd);
	return result < 0 ? hook_raise(L, &err) : 0;
}

const luaL_Reg hook_root_functions[] = {
	{"read", root_read},       {"stat", root_stat},     {"list", root_list},
	{"readlink", root_readlink}, {"write", root_write}, {"mkdir", root_mkdir},
	{"symlink", root_symlink}, {"remove", root_remove}, {"chmod", root_chmod},
	{"chown", root_chown},     {"copy_in", root_copy_in}, {NULL, NULL},
};

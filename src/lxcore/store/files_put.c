/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Made aside first, then put in its place; see files.h.
 *
 * Nobody sees half of a file, and a whole tree that is new appears at once.  A directory that is there
 * already stays, and what is in the new one goes into it, name by name.
 */
#include "store/files.h"
#include "base/auto.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>

#define MOST_DEPTH 200 /* of directories that are merged; each holds two descriptors open */

/* ---- aside ---- */

#define PREFIX ".lxc-cp."
#define DIGITS 16

static bool is_aside(const char *name)
{
	const char *digits = name + strlen(PREFIX);

	return str_starts(name, PREFIX) && strspn(digits, "0123456789abcdef") == DIGITS &&
	       !digits[DIGITS];
}

/*
 * Whoever has one holds its lock, so one that nobody holds was left by somebody who was killed.  What
 * is called so and is not ours is removed as well: by descriptors alone, and no mount is entered.
 */
static void remove_left(int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		autoclose int left = -1;

		if (!is_aside(entry->d_name))
			continue;
		left = openat(dir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (left >= 0 && flock(left, LOCK_EX | LOCK_NB) == 0 && tree_empty(left, NULL) == 0)
			unlinkat(dir, entry->d_name, AT_REMOVEDIR);
	}
}

/* 1: it is ours, and empty; 0: somebody took it for one that was left, or put another there. */
static int open_aside(struct files_aside *a, int dir)
{
	struct stat st, now;

	a->fd = openat(dir, a->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (a->fd < 0 || flock(a->fd, LOCK_EX | LOCK_NB) < 0 || fstat(a->fd, &st) < 0 ||
	    fstatat(dir, a->name, &now, AT_SYMLINK_NOFOLLOW) < 0 || st.st_ino != now.st_ino ||
	    st.st_dev != now.st_dev || (st.st_mode & 0777) != 0700) {
		close_fd(&a->fd);
		return 0;
	}
	a->dir = dir;
	return 1;
}

int files_aside_begin(struct files_aside *a, int dir, struct error *err)
{
	*a = FILES_ASIDE_NONE;
	remove_left(dir);
	for (int tries = 0; tries < 16; tries++) {
		unsigned long long number;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			break;
		snprintf(a->name, sizeof(a->name), PREFIX "%016llx", number);
		if (mkdirat(dir, a->name, 0700) == 0 && open_aside(a, dir))
			return 0;
		if (errno == EROFS || errno == EACCES || errno == EPERM || errno == ENOSPC)
			break;
	}
	error_sys(err, "cannot make a directory beside it");
	return errno == EROFS ? error_mend(err, "copy to a place that is not read-only") : -1;
}

void files_aside_end(struct files_aside *a)
{
	if (a->fd >= 0)
		tree_empty(a->fd, NULL);
	if (a->dir >= 0)
		unlinkat(a->dir, a->name, AT_REMOVEDIR);
	close_fd(&a->fd);
}

/* ---- in its place ---- */

static bool is_mapped(const struct idmaps *maps, char kind, unsigned long id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->v[i].kind == kind && id >= maps->v[i].host &&
		    id - maps->v[i].host < maps->v[i].range)
			return true;
	return false;
}

int files_may_write(const struct files_rules *rules, int dir, const char *name, struct error *err)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return error_sys(err, "cannot look at \"%s\"", name);
	if (copy_is_made_up(dir))
		return error_set(err, ENOTSUP, "cannot copy to \"%s\": it lies in a filesystem that "
				 "the kernel makes up", name);
	if (!rules->maps || !rules->maps->n || st.st_mode & 0002 ||
	    (is_mapped(rules->maps, 'u', st.st_uid) && is_mapped(rules->maps, 'g', st.st_gid)))
		return 0;
	error_set(err, EACCES, "cannot copy to \"%s\": its directory belongs to user %u, group %u of "
		  "the host, and the container may not write there", name, st.st_uid, st.st_gid);
	return error_mend(err, "if the host shares it with the container: copy to its place on the "
			  "host");
}

struct move {
	int from, to; /* directories */
	bool really;  /* else it is only looked for what stands in the way */
	const struct files_rules *rules;
	unsigned depth;
};

static int merge(const struct move *m, const char *name, const char *to, struct error *err);

static int in_the_way(const char *to, const struct stat *mine, const struct stat *there,
		      struct error *err)
{
	if (S_ISDIR(there->st_mode))
		return error_set(err, EISDIR, "cannot replace the directory \"%s\" by a file", to);
	if (S_ISDIR(mine->st_mode))
		return error_set(err, ENOTDIR, "cannot put a directory where \"%s\" is a %s", to,
				 S_ISLNK(there->st_mode) ? "symbolic link" : "file");
	return error_set(err, EEXIST, "cannot replace \"%s\": it is a device, fifo or socket", to);
}

/* The new file is in a directory that is ours, but what somebody may do there he cannot do through a
 * descriptor. */
static int take_over(const struct move *m, const char *name, const struct stat *there,
		     struct error *err)
{
	autoclose int fd = openat(m->from, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    fchown(fd, there->st_uid, there->st_gid) < 0 ||
	    fchmod(fd, there->st_mode & 0777) < 0)
		return error_sys(err, "cannot give \"%s\" the owner and mode of the file that it "
				 "replaces", name);
	return 0;
}

static int replace(const struct move *m, const char *name, const char *to, const struct stat *mine,
		   const struct stat *there, struct error *err)
{
	if (m->rules->keep && S_ISREG(mine->st_mode) && S_ISREG(there->st_mode) &&
	    take_over(m, name, there, err) < 0)
		return -1;
	return renameat(m->from, name, m->to, to) < 0 ?
		       error_sys(err, "cannot put \"%s\" in its place", to) : 0;
}

static int put(const struct move *m, const char *name, const char *to, struct error *err)
{
	struct stat mine, there;
	bool is_there = fstatat(m->to, to, &there, AT_SYMLINK_NOFOLLOW) == 0;

	if ((!is_there && errno != ENOENT) || fstatat(m->from, name, &mine, AT_SYMLINK_NOFOLLOW) < 0)
		return error_sys(err, "cannot look at \"%s\"", to);
	if (!is_there && !m->really)
		return 0;
	if (!is_there && renameat2(m->from, name, m->to, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (!is_there && errno != EINVAL)
		return error_sys(err, "cannot put \"%s\" in its place", to);
	if (is_there && S_ISDIR(mine.st_mode) && S_ISDIR(there.st_mode))
		return merge(m, name, to, err);
	if (is_there && (S_ISDIR(mine.st_mode) ||
			 !(S_ISREG(there.st_mode) || S_ISLNK(there.st_mode))))
		return in_the_way(to, &mine, &there, err);
	return m->really ? replace(m, name, to, &mine, is_there ? &there : &mine, err) : 0;
}

static int put_all(const struct move *m, struct error *err)
{
	int again = openat(m->from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autodir DIR *list = again < 0 ? NULL : fdopendir(again);
	struct dirent *entry;

	if (!list)
		return error_sys(err, "cannot read what was copied");
	while ((entry = readdir(list))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (put(m, entry->d_name, entry->d_name, err) < 0)
			return -1;
	}
	return 0;
}

/* Nothing can be moved from one to another, even of the same filesystem. */
static uint64_t mount_of(int fd)
{
	struct statx sx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &sx) == 0 ? sx.stx_mnt_id : 0;
}

/* "": the directory itself. */
static int open_in(int dir, const char *name)
{
	return openat(dir, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static int merge(const struct move *m, const char *name, const char *to, struct error *err)
{
	autoclose int from = open_in(m->from, name), at = open_in(m->to, to);
	struct move in = {from, at, m->really, m->rules, m->depth + 1};

	if (from < 0 || at < 0)
		return error_sys(err, "cannot open the directory \"%s\"", to);
	if (files_may_write(m->rules, at, to, err) < 0)
		return -1;
	if (m->depth >= MOST_DEPTH)
		return error_set(err, ENAMETOOLONG, "cannot merge directories that lie more than %d "
				 "deep", MOST_DEPTH);
	if (mount_of(from) == mount_of(at))
		return put_all(&in, err) < 0 ? *to ? error_within(err, "%s", to) : -1 : 0;
	error_set(err, EXDEV, "cannot copy into \"%s\": another filesystem is mounted there", to);
	return error_mend(err, "copy what goes there by a command of its own");
}

int files_put(const struct files_aside *a, const char *name, const char *to,
	      const struct files_rules *rules, struct error *err)
{
	for (int really = 0; really < 2; really++) {
		const struct move m = {a->fd, a->dir, really, rules, 0};

		if ((*to ? put(&m, name, to, err) : merge(&m, name, to, err)) < 0)
			return -1;
	}
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Bringing a configuration file up to date (config/update.c has the words): the old text is kept beside
 * it, and the new one takes its place at once, with the same owner and mode, or nothing happens.
 */
#include "base/error.h"
#include "life/boot.h"
#include "lxcore.h"
#include "base/auto.h"
#include "base/fd.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LARGEST_FILE (4 << 20)
#define MOST_BACKUPS 100

/* A pipe or a terminal in the place of a file must not make anyone wait. */
static int read_whole(const char *file, struct buf *text, struct stat *st, struct error *err)
{
	autoclose int fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return error_sys(err, "cannot read configuration \"%s\"", file);
	if (!S_ISREG(st->st_mode))
		return error_set(err, EINVAL, "cannot update \"%s\": it is no regular file", file);
	if (fd_read_all(fd, text, LARGEST_FILE) < 0)
		return error_sys(err, "cannot read configuration \"%s\"", file);
	buf_add(text, "", 0);
	return text->failed ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* A new file with the owner and mode of the old one, on the disk when this returns. */
static int write_new(const char *path, const struct buf *text, const struct stat *like,
		     struct error *err)
{
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_sys(err, "cannot write \"%s\"", path);
	if (fd_write_all(fd, text->s, text->len) == 0 && fchown(fd, like->st_uid, like->st_gid) == 0 &&
	    fchmod(fd, like->st_mode & 07777) == 0 && fsync(fd) == 0)
		return 0;
	error_sys(err, "cannot write \"%s\"", path);
	unlink(path);
	return -1;
}

/* FILE.backup; where there is one already, it stays, and FILE.backup.1 is made. */
static char *free_name(const char *file)
{
	for (int i = 0; i < MOST_BACKUPS; i++) {
		char *name = i ? str_printf("%s.backup.%d", file, i) : str_printf("%s.backup", file);
		struct stat st;

		if (!name || (lstat(name, &st) < 0 && errno == ENOENT))
			return name;
		free(name);
	}
	return NULL;
}

static int replace(const char *file, const char *fresh, const struct stat *was, struct error *err)
{
	struct stat now;

	if (stat(file, &now) < 0 || now.st_ino != was->st_ino ||
	    now.st_mtim.tv_sec != was->st_mtim.tv_sec || now.st_mtim.tv_nsec != was->st_mtim.tv_nsec)
		return error_set(err, EAGAIN, "\"%s\" was changed meanwhile: nothing was done", file);
	return rename(fresh, file) < 0 ? error_sys(err, "cannot write \"%s\"", file) : 0;
}

/* The backup first: when it cannot be kept, nothing is changed. */
static int swap(struct lxcore_config_update *u, const struct buf *old, const struct buf *text,
		const struct stat *st, struct error *err)
{
	autofree char *backup = free_name(u->file), *fresh = str_printf("%s.updated", u->file);

	if (!backup || !fresh)
		return error_set(err, EEXIST, "cannot keep \"%s\": it has too many backups already "
				 "(%s.backup)", u->file, u->file);
	if (write_new(backup, old, st, err) < 0)
		return -1;
	unlink(fresh); /* of one that was killed */
	if (write_new(fresh, text, st, err) < 0 || replace(u->file, fresh, st, err) < 0) {
		unlink(fresh);
		unlink(backup);
		return -1;
	}
	u->backup = steal_ptr(&backup);
	return 0;
}

/* The lists have the same strings: they move. */
static int hand_over(struct conf_changes *c, struct lxcore_config_update *u)
{
	int changed = 0;

	u->changes = calloc(c->n + 1, sizeof(*u->changes));
	if (!u->changes)
		return -1;
	for (size_t i = 0; i < c->n; i++) {
		u->changes[i] = (struct lxcore_config_change){
			.line = c->v[i].line, .was = steal_ptr(&c->v[i].was),
			.now = steal_ptr(&c->v[i].now), .unknown = steal_ptr(&c->v[i].why),
		};
		changed += !u->changes[i].unknown;
	}
	return changed;
}

static int update(const char *file, bool look_only, struct lxcore_config_update *u, struct error *err)
{
	autobuf struct buf old = BUF_INIT, text = BUF_INIT;
	struct conf_changes changes = {0};
	struct boot_sections sections;
	struct conf *keys;
	struct stat st;
	int changed;

	u->file = realpath(file, NULL);
	if (!u->file)
		return error_sys(err, "cannot read configuration \"%s\"", file);
	if (read_whole(u->file, &old, &st, err) < 0)
		return -1;
	boot_list_sections(&sections);
	keys = conf_new(sections.v);
	changed = !keys ? error_set(err, ENOMEM, "out of memory") :
			  conf_update(keys, old.s, old.len, &text, &changes, err);
	conf_free(keys);
	if (changed < 0)
		error_within(err, "%s", u->file);
	else if ((changed = hand_over(&changes, u)) < 0)
		error_set(err, ENOMEM, "out of memory");
	conf_changes_free(&changes);
	if (changed > 0 && !look_only && swap(u, &old, &text, &st, err) < 0)
		return -1;
	u->old_text = buf_steal(&old);
	u->new_text = buf_steal(&text);
	return changed;
}

int lxcore_update_config(const char *file, bool look_only, struct lxcore_config_update *ret,
			 lxcore_error *err)
{
	int changed;

	*ret = (struct lxcore_config_update){0};
	changed = update(file, look_only, ret, err);
	if (changed < 0)
		lxcore_config_update_free(ret);
	return changed;
}

void lxcore_config_update_free(struct lxcore_config_update *u)
{
	for (struct lxcore_config_change *c = u->changes; c && c->line; c++) {
		free((char *)c->was);
		free((char *)c->now);
		free((char *)c->unknown);
	}
	free(u->changes);
	free(u->file);
	free(u->backup);
	free(u->old_text);
	free(u->new_text);
	*u = (struct lxcore_config_update){0};
}

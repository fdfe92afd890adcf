/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reading the record of a container's first state, name by name; see first.h. */
#include "store/first.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#define MOST_BYTES (1ul << 30)

static int damaged(struct error *err)
{
	return error_set(err, EBADMSG, "the record of its first state is damaged (\"" FIRST_FILE
			 "\")");
}

/* ---- bytes ---- */

static bool take_number(struct first *f, uint64_t most, uint64_t *ret)
{
	*ret = 0;
	for (unsigned shift = 0; shift < 64 && f->at < f->end; shift += 7) {
		unsigned char byte = (unsigned char)*f->at++;

		if (shift == 63 && byte > 1)
			return false;
		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return *ret <= most;
	}
	return false;
}

static bool take_signed(struct first *f, int64_t *ret)
{
	uint64_t n;

	if (!take_number(f, UINT64_MAX, &n))
		return false;
	*ret = (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
	return true;
}

static bool take_text(struct first *f, size_t longest, const char **ret)
{
	const char *end = memchr(f->at, '\0', (size_t)(f->end - f->at));

	if (!end || (size_t)(end - f->at) > longest)
		return false;
	*ret = f->at;
	f->at = end + 1;
	return true;
}

/* ---- an entry ---- */

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool take_file(struct first *f, struct listing_entry *e)
{
	uint64_t nsec;
	int64_t sec;

	if (!take_number(f, INT64_MAX, &e->size) || !take_signed(f, &sec) ||
	    !take_number(f, 999999999, &nsec))
		return false;
	e->mtime = (struct timespec){.tv_sec = sec, .tv_nsec = (long)nsec};
	return true;
}

static bool take_device(struct first *f, struct listing_entry *e)
{
	uint64_t numbers[2];

	if (!take_number(f, UINT32_MAX, &numbers[0]) || !take_number(f, UINT32_MAX, &numbers[1]))
		return false;
	e->device = makedev((unsigned)numbers[0], (unsigned)numbers[1]);
	return true;
}

static bool take_facts(struct first *f, struct listing_entry *e)
{
	uint64_t mode, uid, gid;

	if (!take_number(f, 07777, &mode) || !take_number(f, UINT32_MAX, &uid) ||
	    !take_number(f, UINT32_MAX, &gid))
		return false;
	e->mode = (mode_t)mode;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	if (e->type == 'f')
		return take_file(f, e);
	if (e->type == 'l')
		return take_text(f, PATH_MAX - 1, &e->link);
	return (e->type != 'c' && e->type != 'b') || take_device(f, e);
}

static bool take_entry(struct first *f)
{
	struct listing_entry e = {0};

	f->now = e;
	if (f->at == f->end)
		return false;
	e.type = *f->at++;
	if (e.type == 'e')
		return true;
	if (!strchr("dmflcbps", e.type) || !e.type || !take_text(f, NAME_MAX, &e.name) ||
	    !is_name(e.name) || strcmp(f->before, e.name) >= 0 || !take_facts(f, &e))
		return false;
	f->now = e;
	return true;
}

/* The next entry, which comes behind the one called 'before'. */
static int go_on(struct first *f, const char *before, struct error *err)
{
	/* 'before' may be what 'f->before' is. */
	memmove(f->before, before, strlen(before) + 1);
	return take_entry(f) ? 0 : damaged(err);
}

/* ---- the doors ---- */

int first_enter(struct first *f, struct error *err)
{
	if (f->depth++ >= LISTING_MOST_DEPTH)
		return damaged(err);
	return go_on(f, "", err);
}

int first_leave(struct first *f, const char *name, struct error *err)
{
	f->depth--;
	return go_on(f, name, err);
}

int first_skip(struct first *f, struct error *err)
{
	const char *name = f->now.name;

	if (f->now.type == 'd') {
		if (first_enter(f, err) < 0)
			return -1;
		while (f->now.type)
			if (first_skip(f, err) < 0)
				return -1;
		return first_leave(f, name, err);
	}
	return go_on(f, name, err);
}

bool first_is_there(const char *dir)
{
	autofree char *path = str_printf("%s/" FIRST_FILE, dir);

	return path && access(path, F_OK) == 0;
}

static int check(struct first *f, struct error *err)
{
	const size_t head = strlen(FIRST_HEAD);
	uint8_t digest[SHA256_BYTES];
	size_t n;

	if (f->text.len < head + sizeof(digest) || memcmp(f->text.s, FIRST_HEAD, head) != 0)
		return damaged(err);
	n = f->text.len - sizeof(digest);
	sha256(f->text.s, n, digest);
	if (memcmp(digest, f->text.s + n, sizeof(digest)) != 0)
		return damaged(err);
	f->at = f->text.s + head;
	f->end = f->text.s + n;
	return 0;
}

/* Only what is a file is read. */
static int open_record(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	errno = EINVAL;
	return S_ISREG(st.st_mode) ? steal_fd(&fd) : -1;
}

int first_open(const char *dir, struct first *ret, struct error *err)
{
	autofree char *path = str_printf("%s/" FIRST_FILE, dir);
	autoclose int fd = path ? open_record(path) : -1;
	struct first f = FIRST_NONE;

	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (fd < 0)
		return errno == ENOENT ? 0 : error_sys(err, "cannot read \"%s\"", path);
	if (fd_read_all(fd, &f.text, MOST_BYTES) < 0)
		error_sys(err, "cannot read \"%s\"", path);
	else if (check(&f, err) == 0 && first_enter(&f, err) == 0) {
		*ret = f;
		return 1;
	}
	first_free(&f);
	return -1;
}

void first_free(struct first *f)
{
	buf_free(&f->text);
	*f = FIRST_NONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Are two trees equal?  Slow and simple; see copy_compare.h. */
#include "copy_compare.h"
#include "base/auto.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

struct pair {
	dev_t dev;
	ino_t a, b;
};

struct compare {
	const struct compare_ids *ids;
	struct buf *out;
	bool reading;       /* the second time: reading changes times of access */
	struct pair *pairs; /* of files with several names */
	size_t n;
};

static uint32_t uid_of(const struct compare *c, uint32_t id)
{
	return id + c->ids->uid;
}

static uint32_t gid_of(const struct compare *c, uint32_t id)
{
	return id + (id >= 1000 && c->ids->gid_from_1000 ? c->ids->gid_from_1000 : c->ids->gid);
}

static void number(struct compare *c, const char *path, const char *what, long long a, long long b)
{
	if (a != b)
		buf_addf(c->out, "%s: %s %lld, %lld\n", path, what, a, b);
}

static void stats(struct compare *c, const char *path, const struct stat *a, const struct stat *b)
{
	number(c, path, "mode", a->st_mode, b->st_mode);
	number(c, path, "owner", uid_of(c, a->st_uid), b->st_uid);
	number(c, path, "group", gid_of(c, a->st_gid), b->st_gid);
	number(c, path, "links", (long long)a->st_nlink, (long long)b->st_nlink);
	number(c, path, "modified (s)", a->st_mtim.tv_sec, b->st_mtim.tv_sec);
	number(c, path, "modified (ns)", a->st_mtim.tv_nsec, b->st_mtim.tv_nsec);
	number(c, path, "accessed (s)", a->st_atim.tv_sec, b->st_atim.tv_sec);
	number(c, path, "accessed (ns)", a->st_atim.tv_nsec, b->st_atim.tv_nsec);
	if (S_ISCHR(a->st_mode) || S_ISBLK(a->st_mode))
		number(c, path, "device", (long long)a->st_rdev, (long long)b->st_rdev);
	if (!S_ISDIR(a->st_mode))
		number(c, path, "size", a->st_size, b->st_size);
	/* Holes: not one block more than a few of the filesystem's own. */
	if (S_ISREG(a->st_mode) && b->st_blocks > a->st_blocks + 64)
		number(c, path, "blocks", a->st_blocks, b->st_blocks);
}

/* The same two names of one file are two names of one file in the copy. */
static void identity(struct compare *c, const char *path, const struct stat *a,
		     const struct stat *b)
{
	struct pair *more;

	if (S_ISDIR(a->st_mode) || a->st_nlink < 2)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (c->pairs[i].a == a->st_ino && c->pairs[i].dev == a->st_dev) {
			number(c, path, "inode", (long long)c->pairs[i].b, (long long)b->st_ino);
			return;
		}
	more = reallocarray(c->pairs, c->n + 1, sizeof(*more));
	if (!more)
		abort();
	c->pairs = more;
	c->pairs[c->n++] = (struct pair){a->st_dev, a->st_ino, b->st_ino};
}

/* What 'value' becomes when ids shift. */
static ssize_t expected(const struct compare *c, const char *name, char *value, ssize_t n)
{
	struct vfs_ns_cap_data *cap = (void *)value;
	uint32_t *entry = (void *)(value + 4);

	if (strncmp(name, "system.posix_acl_", 17) == 0)
		for (ssize_t left = n - 4; left >= 8; left -= 8, entry += 2) {
			if ((entry[0] & 0xffff) == 2)
				entry[1] = uid_of(c, entry[1]);
			if ((entry[0] & 0xffff) == 8)
				entry[1] = gid_of(c, entry[1]);
		}
	if (strcmp(name, "security.capability") == 0 && c->ids->capability_root) {
		cap->magic_etc = VFS_CAP_REVISION_3 | VFS_CAP_FLAGS_EFFECTIVE;
		cap->rootid = c->ids->capability_root;
		return XATTR_CAPS_SZ_3;
	}
	return n;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void attribute_names(const char *file, struct strv *ret)
{
	char list[65536];
	ssize_t n = llistxattr(file, list, sizeof(list));

	/* XFS lists access control lists a second time, as it stores them. */
	for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1)
		if (strncmp(list + at, "trusted.SGI_ACL_", 16) != 0)
			strv_add(ret, list + at);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
}

static void attributes(struct compare *c, const char *path, const char *file_a, const char *file_b)
{
	autostrv struct strv a = {0}, b = {0};
	_Alignas(8) char va[65536], vb[65536];

	attribute_names(file_a, &a);
	attribute_names(file_b, &b);
	number(c, path, "extended attributes", (long long)a.n, (long long)b.n);
	for (size_t i = 0; i < a.n && i < b.n; i++) {
		ssize_t na = lgetxattr(file_a, a.v[i], va, sizeof(va));
		ssize_t nb = lgetxattr(file_b, b.v[i], vb, sizeof(vb));

		if (na >= 0)
			na = expected(c, a.v[i], va, na);
		if (strcmp(a.v[i], b.v[i]) != 0 || na != nb || na < 0 ||
		    memcmp(va, vb, (size_t)na) != 0)
			buf_addf(c->out, "%s: %s (%zd), %s (%zd)\n", path, a.v[i], na, b.v[i], nb);
	}
}

static void contents(struct compare *c, const char *path, int dir_a, int dir_b, const char *name)
{
	autoclose int a = openat(dir_a, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	autoclose int b = openat(dir_b, name, O_RDONLY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	static char block[2][1 << 20];
	ssize_t na, nb;
	off_t at = 0;

	do {
		na = read(a, block[0], sizeof(block[0]));
		nb = read(b, block[1], sizeof(block[1]));
		if (na != nb || na < 0 || memcmp(block[0], block[1], (size_t)na) != 0) {
			buf_addf(c->out, "%s: differs near %lld\n", path, (long long)at);
			return;
		}
		at += na;
	} while (na > 0);
}

static void read_target(int dir, const char *name, char text[4097])
{
	struct timespec t[2] = {{0}, {.tv_nsec = UTIME_OMIT}};
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (readlinkat(dir, name, text, 4096) < 0)
		text[0] = '\0';
	/* There is no O_NOATIME for links. */
	t[0] = st.st_atim;
	utimensat(dir, name, t, AT_SYMLINK_NOFOLLOW);
}

static void targets(struct compare *c, const char *path, int a, int b, const char *name)
{
	char ta[4097] = "", tb[4097] = "";

	read_target(a, name, ta);
	read_target(b, name, tb);
	if (!*ta || strcmp(ta, tb) != 0)
		buf_addf(c->out, "%s: points to %s, %s\n", path, ta, tb);
}

static void list(int dir, struct strv *ret)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
	autodir DIR *d = fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			strv_add(ret, e->d_name);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_text);
}

static void directories(struct compare *c, const char *path, int a, int b);

static void entry(struct compare *c, const char *above, int dir_a, int dir_b, const char *name)
{
	char path[1024], file_a[600], file_b[600];
	struct stat a, b;

	snprintf(path, sizeof(path), "%s/%s", above, name);
	snprintf(file_a, sizeof(file_a), "/proc/self/fd/%d/%s", dir_a, name);
	snprintf(file_b, sizeof(file_b), "/proc/self/fd/%d/%s", dir_b, name);
	if (fstatat(dir_a, name, &a, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fstatat(dir_b, name, &b, AT_SYMLINK_NOFOLLOW) < 0) {
		buf_addf(c->out, "%s: is not there\n", path);
		return;
	}
	if (!c->reading) {
		stats(c, path, &a, &b);
		identity(c, path, &a, &b);
	} else {
		attributes(c, path, file_a, file_b);
		if (S_ISREG(a.st_mode) && S_ISREG(b.st_mode))
			contents(c, path, dir_a, dir_b, name);
		if (S_ISLNK(a.st_mode) && S_ISLNK(b.st_mode))
			targets(c, path, dir_a, dir_b, name);
	}
	if (S_ISDIR(a.st_mode) && S_ISDIR(b.st_mode)) {
		autoclose int sub_a = openat(dir_a, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		autoclose int sub_b = openat(dir_b, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

		directories(c, path, sub_a, sub_b);
	}
}

static void directories(struct compare *c, const char *path, int a, int b)
{
	autostrv struct strv in_a = {0}, in_b = {0};

	list(a, &in_a);
	list(b, &in_b);
	number(c, path, "entries", (long long)in_a.n, (long long)in_b.n);
	for (size_t i = 0; i < in_a.n && i < in_b.n; i++)
		if (strcmp(in_a.v[i], in_b.v[i]) != 0) {
			buf_addf(c->out, "%s: has %s, %s\n", path, in_a.v[i], in_b.v[i]);
			return;
		}
	for (size_t i = 0; i < in_a.n; i++)
		entry(c, path, a, b, in_a.v[i]);
}

void compare_trees(int a, int b, const struct compare_ids *ids, struct buf *differences)
{
	static const struct compare_ids equal;
	struct compare c = {.ids = ids ? ids : &equal, .out = differences};
	size_t before = differences->len;

	entry(&c, "", a, b, ".");
	c.reading = true;
	entry(&c, "", a, b, ".");
	free(c.pairs);
	if (differences->len - before > 4000)
		buf_puts(differences, "...\n");
}

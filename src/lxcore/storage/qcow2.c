/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Disk images of qemu: see qcow2.h. */
#include "storage/qcow2.h"
#include "base/auto.h"
#include "base/buf.h"
#include "storage/tool.h"

#include <endian.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

#define MOST_BASES 64 /* each costs a look-up for what is not in those above it */
#define BASE_START ".base-"

/* The beginning of a qcow2 file, as its specification has it; big-endian. */
struct header {
	uint32_t magic, version;
	uint64_t backing_at;
	uint32_t backing_length, cluster_bits;
	uint64_t size;
};
#define MAGIC 0x514649fb

/* 1: it is one; 0: it is something else; -1 with errno. */
static int read_header(const char *file, struct header *ret, char backing[NAME_MAX + 1])
{
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	uint32_t length;
	ssize_t n;

	*backing = '\0';
	if (fd < 0 || (n = pread(fd, ret, sizeof(*ret), 0)) < 0)
		return -1;
	if (n < (ssize_t)sizeof(*ret) || be32toh(ret->magic) != MAGIC)
		return 0;
	length = be32toh(ret->backing_length);
	if (!ret->backing_at || length > NAME_MAX)
		return 1;
	n = pread(fd, backing, length, (off_t)be64toh(ret->backing_at));
	backing[n == (ssize_t)length ? length : 0] = '\0';
	return 1;
}

const char *qcow2_format(const char *file)
{
	char backing[NAME_MAX + 1];
	struct header h;
	int is = read_header(file, &h, backing);

	return is < 0 ? NULL : is ? "qcow2" : "raw";
}

uint64_t qcow2_size(const char *file)
{
	char backing[NAME_MAX + 1];
	struct header h;
	struct stat st;

	if (read_header(file, &h, backing) > 0)
		return be64toh(h.size);
	return stat(file, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int qcow2_create(const char *file, uint64_t size, struct error *err)
{
	autofree char *bytes = str_printf("%llu", (unsigned long long)size);
	const char *const argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", file, bytes, NULL};

	if (!bytes)
		return error_set(err, ENOMEM, "out of memory");
	if (access(file, F_OK) == 0)
		return error_set(err, EEXIST, "cannot make the image \"%s\": it is there already",
				 file);
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make the image \"%s\"", file);
	return 0;
}

/* ---- bases ---- */

static char *beside(const char *file, const char *name)
{
	return str_printf("%.*s%s", (int)(strrchr(file, '/') + 1 - file), file, name);
}

/* The bases below an image that lie beside it, nearest first, by name. */
static int list_bases(const char *file, struct strv *ret, struct error *err)
{
	autofree char *at = strdup(file);

	while (at) {
		char backing[NAME_MAX + 1];
		struct header h;

		if (read_header(at, &h, backing) <= 0 || !str_starts(backing, BASE_START) ||
		    strchr(backing, '/'))
			return 0;
		if (ret->n == MOST_BASES)
			return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\": it stands on "
					 "%d others already", file, MOST_BASES);
		free(at);
		at = beside(file, backing);
		if (strv_add(ret, backing) < 0)
			break;
	}
	return error_set(err, ENOMEM, "out of memory");
}

static bool same_directory(const char *a, const char *b)
{
	size_t n = (size_t)(strrchr(a, '/') - a);

	return n == (size_t)(strrchr(b, '/') - b) && memcmp(a, b, n) == 0;
}

/* Another name for a file, 'name' beside the copy. */
static int link_file(const char *old, const char *copy, const char *name, struct error *err)
{
	autofree char *new = beside(copy, name);

	if (!new)
		return error_set(err, ENOMEM, "out of memory");
	if (link(old, new) == 0 || errno == EEXIST)
		return 0;
	error_sys(err, "cannot make \"%s\" another name for \"%s\"", new, old);
	if (err && (err->code == EXDEV || err->code == EMLINK || err->code == EPERM))
		err->code = ENOTSUP;
	return -1;
}

static int link_bases(const char *from, const struct strv *bases, const char *file,
		      struct error *err)
{
	for (size_t i = 0; i < bases->n; i++) {
		autofree char *old = beside(from, bases->v[i]);

		if (!old)
			return error_set(err, ENOMEM, "out of memory");
		if (link_file(old, file, bases->v[i], err) < 0)
			return -1;
	}
	return 0;
}

/* A thin file above a base that lies beside it. */
static int make_above(const char *file, const char *base, const char *format, struct error *err)
{
	const char *const argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", format,
				    file, NULL};

	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make the image \"%s\"", file);
	return 0;
}

/* The present file becomes a base, and a thin file takes its name: in one moment, by rename. */
static int become_base(const char *file, const char *base, const char *format, struct error *err)
{
	autofree char *other = beside(file, base), *thin = str_printf("%s.new", file);

	if (!other || !thin)
		return error_set(err, ENOMEM, "out of memory");
	if (link(file, other) < 0)
		return error_sys(err, "cannot make \"%s\" another name for \"%s\"", other, file);
	unlink(thin);
	if (make_above(thin, base, format, err) == 0) {
		if (rename(thin, file) == 0)
			return 0;
		error_sys(err, "cannot replace \"%s\"", file);
		unlink(thin);
	}
	unlink(other);
	return -1;
}

int qcow2_snapshot(const char *from, const char *file, struct error *err)
{
	autostrv struct strv bases = {0};
	const char *format = qcow2_format(from);
	unsigned long long number;
	char name[32];

	if (!format)
		return error_sys(err, "cannot read the image \"%s\"", from);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return error_sys(err, "cannot find a name for what \"%s\" is now", from);
	snprintf(name, sizeof(name), BASE_START "%016llx", number);
	/* One directory has one link of each base: it goes with the first image that goes. */
	if (same_directory(from, file))
		return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\" in its own directory",
				 from);
	/* First what may fail: can the other directory have the same files? */
	if (list_bases(from, &bases, err) < 0 || link_bases(from, &bases, file, err) < 0 ||
	    link_file(from, file, name, err) < 0 || become_base(from, name, format, err) < 0)
		return -1;
	return make_above(file, name, format, err);
}

int qcow2_remove(const char *file, struct error *err)
{
	autostrv struct strv bases = {0};

	if (list_bases(file, &bases, NULL) < 0)
		return error_set(err, ENOMEM, "cannot remove the image \"%s\": out of memory", file);
	/* From below: what is left when we are killed still tells what is below it. */
	while (bases.n) {
		autofree char *path = beside(file, bases.v[bases.n - 1]);

		if (!path || (unlink(path) < 0 && errno != ENOENT))
			return error_sys(err, "cannot remove \"%s\"", path ? path : "");
		strv_remove(&bases, bases.n - 1);
	}
	if (unlink(file) < 0 && errno != ENOENT)
		return error_sys(err, "cannot remove the image \"%s\"", file);
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Recording what a container's tree is when it was made; see first.h. */
#include "store/first.h"
#include "base/auto.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/sha256.h"
#include "parts/rootfs.h"
#include "storage/storage.h"
#include "store/mapped.h"

#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PART 65536

struct writing {
	struct storage storage;
	struct listing_maps maps;
	int out;
	struct buf text; /* to be written */
	struct sha256 digest;
	unsigned depth;
	bool too_deep;
	struct error *err;
};

/* ---- bytes ---- */

static int flush(struct writing *w)
{
	if (w->text.failed)
		return error_set(w->err, ENOMEM, "out of memory");
	sha256_add(&w->digest, w->text.s, w->text.len);
	if (fd_write_all(w->out, w->text.s, w->text.len) < 0)
		return error_sys(w->err, "cannot write \"" FIRST_FILE "\"");
	w->text.len = 0;
	return 0;
}

/* Seven bits a byte, the lowest first; the eighth says that more follow. */
static void add_number(struct writing *w, uint64_t n)
{
	unsigned char bytes[10];
	size_t used = 0;

	do {
		bytes[used++] = (unsigned char)((n & 0x7f) | (n > 0x7f ? 0x80 : 0));
		n >>= 7;
	} while (n);
	buf_add(&w->text, bytes, used);
}

/* Numbers near 0 are short, be they above or below. */
static void add_signed(struct writing *w, int64_t n)
{
	add_number(w, ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0));
}

static void add_text(struct writing *w, const char *text)
{
	buf_add(&w->text, text, strlen(text) + 1);
}

/* ---- the walk ---- */

static int add_link(struct writing *w, int dir, const char *name)
{
	char link[PATH_MAX];
	ssize_t n = readlinkat(dir, name, link, sizeof(link) - 1);

	if (n < 0)
		return error_sys(w->err, "cannot read the link \"%s\"", name);
	link[n] = '\0';
	add_text(w, link);
	return 0;
}

static void add_device(struct writing *w, dev_t device)
{
	add_number(w, major(device));
	add_number(w, minor(device));
}

static void add_file(struct writing *w, const struct listing_entry *e)
{
	add_number(w, e->size);
	add_signed(w, e->mtime.tv_sec);
	add_number(w, (uint64_t)e->mtime.tv_nsec);
}

static int add_entry(struct writing *w, int dir, const struct listing_entry *e)
{
	buf_add(&w->text, &e->type, 1);
	add_text(w, e->name);
	add_number(w, e->mode);
	add_number(w, e->uid);
	add_number(w, e->gid);
	if (e->type == 'f')
		add_file(w, e);
	if (e->type == 'c' || e->type == 'b')
		add_device(w, e->device);
	return e->type == 'l' ? add_link(w, dir, e->name) : 0;
}

static int record_dir(struct writing *w, int dir);

static int record_name(struct writing *w, int dir, const char *name)
{
	autoclose int sub = -1;
	struct listing_entry e;
	int opened = 1;

	if (listing_look(dir, name, &w->maps, &e) < 0)
		return errno == ENOENT ? 0 : error_sys(w->err, "cannot look at \"%s\"", name);
	if (e.type == 'd')
		opened = listing_open_dir(dir, name, &sub);
	if (opened < 0)
		return error_sys(w->err, "cannot open \"%s\"", name);
	/* What is mounted there is not the container's. */
	if (!opened)
		e.type = 'm';
	if (add_entry(w, dir, &e) < 0)
		return -1;
	return e.type == 'd' ? record_dir(w, sub) : 0;
}

/* What is in a directory, and the mark of its end. */
static int record_dir(struct writing *w, int dir)
{
	autostrv struct strv names = {0};

	if (w->depth++ >= LISTING_MOST_DEPTH) {
		w->too_deep = true;
		return -1;
	}
	if (listing_names(dir, &names) < 0)
		return error_sys(w->err, "cannot read a directory");
	for (size_t i = 0; i < names.n; i++)
		if (record_name(w, dir, names.v[i]) < 0)
			return -1;
	w->depth--;
	buf_add(&w->text, "e", 1);
	return w->text.len >= PART ? flush(w) : 0;
}

static int record_tree(struct writing *w, int root)
{
	autoclose int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint8_t digest[SHA256_BYTES];

	if (dir < 0)
		return error_sys(w->err, "cannot open the root filesystem");
	sha256_begin(&w->digest);
	buf_puts(&w->text, FIRST_HEAD);
	if (record_dir(w, dir) < 0 || flush(w) < 0)
		return -1;
	sha256_end(&w->digest, digest);
	if (fd_write_all(w->out, digest, sizeof(digest)) < 0)
		return error_sys(w->err, "cannot write \"" FIRST_FILE "\"");
	return 0;
}

/* As somebody who may look. */
static int record(void *data, struct error *err)
{
	struct writing *w = data;
	const struct storage_driver *d = w->storage.driver;
	int root = d->look(w->storage.source, err), result = -1;

	w->err = err;
	if (root >= 0)
		result = record_tree(w, root);
	close_fd(&root);
	buf_free(&w->text);
	if (d->disconnect && d->disconnect(w->storage.source, result < 0 ? NULL : err) < 0)
		result = -1;
	/* Who made us knows no more than what is written: an empty file is none. */
	if (w->too_deep)
		return ftruncate(w->out, 0) < 0 ? error_sys(err, "cannot empty its file") : 0;
	return result;
}

/* ---- the doors ---- */

static int record_into(struct writing *w, const char *path, struct error *err)
{
	w->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (w->out < 0)
		return error_sys(err, "cannot make \"%s\"", path);
	if (mapped_do(record, w, err) < 0)
		return -1;
	if (lseek(w->out, 0, SEEK_END) == 0 && unlink(path) < 0)
		return error_sys(err, "cannot remove \"%s\"", path);
	return 0;
}

int first_record(struct lxcore_container *c, struct error *err)
{
	struct conf *conf = container_conf(c, err);
	const char *rootfs = conf ? rootfs_conf_of(conf)->path : NULL;
	autofree char *path = str_printf("%s/" FIRST_FILE, c->dir);
	autofree struct copy_ids *a = NULL, *b = NULL;
	struct writing w = {.out = -1};
	int result;

	if (!conf || !path)
		return conf ? error_set(err, ENOMEM, "out of memory") : -1;
	if (!rootfs)
		return 0;
	if (storage_parse(rootfs, &w.storage, err) < 0 ||
	    idmap_look(conf, c->lxcpath, c->name, err) < 0)
		return -1;
	w.maps.uid = mapped_lines(mapped_on_disk(conf), 'u', &a);
	w.maps.gid = mapped_lines(mapped_on_disk(conf), 'g', &b);
	result = record_into(&w, path, err);
	close_fd(&w.out);
	return result < 0 ? error_within(err, "cannot record its first state") : 0;
}

static int copy_record(const char *from, const char *to, struct error *err)
{
	autobuf struct buf bytes = BUF_INIT;
	autoclose int fd = -1;

	if (file_read(AT_FDCWD, from, &bytes) < 0)
		return error_sys(err, "cannot read \"%s\"", from);
	fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 || (bytes.len && fd_write_all(fd, bytes.s, bytes.len) < 0))
		return error_sys(err, "cannot write \"%s\"", to);
	return 0;
}

int first_take_along(const char *from, const char *to, struct error *err)
{
	autofree char *old = str_printf("%s/" FIRST_FILE, from);
	autofree char *new = str_printf("%s/" FIRST_FILE, to);

	if (!old || !new)
		return error_set(err, ENOMEM, "out of memory");
	/* It never changes, so both may have the same one. */
	if (linkat(AT_FDCWD, old, AT_FDCWD, new, 0) == 0 || errno == ENOENT)
		return 0;
	return copy_record(old, new, err);
}

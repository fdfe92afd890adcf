/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc.limit.disk: how much the root filesystem may hold.  Either its storage can count and refuse more
 * (a quota), or it is a device whose size that is, which is made larger where it is smaller.  What can
 * do neither - a plain directory - is refused.
 */
#include "parts/rootfs_disk.h"
#include "base/auto.h"
#include "storage/storage.h"

#include <string.h>
#include <strings.h>

/* ---- the value: kept as it was written ---- */

static int read_size(const char *value, unsigned long long *ret, struct error *err)
{
	*ret = 0;
	if (strcasecmp(value, "auto") != 0 && conf_size.set(ret, NULL, "", value, NULL) == 0 && *ret)
		return 0;
	return error_set(err, EINVAL, "\"%.80s\" is not a size: a number, which may have K, M or G "
			 "behind it", value);
}

static int set_disk(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	unsigned long long bytes;

	return read_size(value, &bytes, err) < 0 ? -1 : conf_string.set(field, key, sub, value, err);
}

static void get_disk(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_string.get(field, key, sub, out);
}

static void clear_disk(void *field, const struct conf_key *key, const char *sub)
{
	conf_string.clear(field, key, sub);
}

const struct conf_type rootfs_disk_type = {"SIZE", set_disk, get_disk, clear_disk, conf_replaces};

/* ---- what can be done ---- */

static bool has_size(const struct storage *s)
{
	return s->driver->grow && s->driver->size && s->driver->size(s->source);
}

static int cannot(const struct storage *s, struct error *err)
{
	error_set(err, ENOTSUP, "cannot limit the disk of a root filesystem of type %s: it has neither "
		  "a size of its own nor a quota", s->driver->name);
	return error_mend(err, "lxc-copy -n NAME -N NEW -B loop --fssize SIZE      (or btrfs, zfs)");
}

static int check_size(const struct storage *s, unsigned long long bytes, struct error *err)
{
	uint64_t now = s->driver->size(s->source);

	if (now <= bytes)
		return 0;
	error_set(err, EINVAL, "cannot make the root filesystem smaller: it has %llu bytes",
		  (unsigned long long)now);
	return error_mend(err, "lxc.limit.disk = %llu      (or more)", (unsigned long long)now);
}

/* The storage and the bytes, 0 when there is no limit. */
static int find(const struct conf *c, struct storage *ret, unsigned long long *ret_bytes,
		struct error *err)
{
	const struct rootfs_conf *rc = rootfs_conf_of(c);

	*ret_bytes = 0;
	if (rc->disk && !rc->path)
		return error_set(err, EINVAL, "cannot limit the disk: it shares the host's tree");
	if (rc->disk && read_size(rc->disk, ret_bytes, err) < 0)
		return -1;
	return storage_parse(rc->path, ret, err);
}

const char *rootfs_disk_limit(const struct conf *c, int64_t *ret_bytes)
{
	const char *text = rootfs_conf_of(c)->disk;
	unsigned long long bytes = 0;

	*ret_bytes = text && read_size(text, &bytes, NULL) == 0 ? (int64_t)bytes : -1;
	return text;
}

/* 'only_check': can it be done? */
static int limit_disk(const struct conf *c, bool only_check, struct error *err)
{
	struct storage s;
	unsigned long long bytes;

	if (!rootfs_conf_of(c)->disk)
		return 0;
	if (find(c, &s, &bytes, err) < 0)
		return -1;
	if (s.driver->limit)
		return s.driver->limit(s.source, bytes, only_check, err);
	if (!has_size(&s))
		return cannot(&s, err);
	if (check_size(&s, bytes, err) < 0)
		return -1;
	return !only_check && s.driver->size(s.source) < bytes ?
		       s.driver->grow(s.source, bytes, err) : 0;
}

int rootfs_disk_check(const struct conf *c, struct error *err)
{
	return limit_disk(c, true, err);
}

int rootfs_disk_apply(const struct conf *c, struct error *err)
{
	return limit_disk(c, false, err);
}

int rootfs_disk_change(const struct conf *from, const struct conf *to, bool running,
		       struct error *err)
{
	const char *old = rootfs_conf_of(from)->disk, *new = rootfs_conf_of(to)->disk;
	struct storage s;
	unsigned long long bytes;

	if (old == new || (old && new && strcmp(old, new) == 0))
		return 0;
	if (find(to, &s, &bytes, err) < 0)
		return -1;
	if (s.driver->limit)
		return s.driver->limit(s.source, bytes, false, err);
	if (!running || !new || s.driver->size(s.source) == bytes)
		return 0;
	return error_set(err, EBUSY, "cannot make a root filesystem of type %s larger while it is in "
			 "use: stop the container first", s.driver->name);
}

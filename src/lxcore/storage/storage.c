/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which driver a root filesystem has: by the name in front of its source, or by looking at it. */
#include "storage/storage.h"
#include "base/auto.h"
#include "base/buf.h"

#include <string.h>
#include <sys/stat.h>

/* Every type that LXC knows. */
static const struct {
	const char *name;
	const struct storage_driver *driver;
} types[] = {
	{"dir", &storage_dir},	   {"overlay", &storage_overlay}, {"overlayfs", &storage_overlay},
	{"btrfs", &storage_btrfs}, {"loop", &storage_loop},	  {"lvm", &storage_lvm},
	{"zfs", &storage_zfs},	   {"rbd", &storage_rbd},	  {"nbd", &storage_nbd},
};

/* What 'best' tries, in this order: what makes copies at once, then what always is there. */
static const char best[] = "btrfs,zfs,lvm,dir";

/* Length of 'TYPE' in '[TYPE:]SOURCE'; 0: there is none.  A path may contain colons, a type is a
 * plain word. */
static size_t type_length(const char *text)
{
	size_t n = strcspn(text, ":/.");

	return text[n] == ':' ? n : 0;
}

const char *storage_source(const char *text)
{
	size_t n = type_length(text);

	return n ? text + n + 1 : text;
}

const struct storage_driver *storage_driver_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].driver;
	return NULL;
}

static int no_such_type(const char *type, size_t n, struct error *err)
{
	error_set(err, EINVAL,
		  "cannot use a root filesystem of type \"%.*s\": there is no such type", (int)n,
		  type);
	return error_mend(err, "use a directory: lxc.rootfs.path = dir:/var/lib/lxc/NAME/rootfs");
}

/* The driver of the type that these n characters name. */
static const struct storage_driver *driver_of(const char *type, size_t n, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strlen(types[i].name) == n && strncmp(types[i].name, type, n) == 0)
			return types[i].driver;
	no_such_type(type, n, err);
	return NULL;
}

/* Without a type: what is there decides.  What is not there will be told by the driver's check. */
static const struct storage_driver *driver_by_look(const char *text)
{
	struct stat st;
	bool there = stat(text, &st) == 0;

	if (there && S_ISREG(st.st_mode))
		return &storage_loop;
	if (str_starts(text, "/dev/rbd/"))
		return &storage_rbd;
	return there && S_ISBLK(st.st_mode) ? &storage_lvm : &storage_dir;
}

int storage_parse(const char *text, struct storage *ret, struct error *err)
{
	size_t n = type_length(text);
	const struct storage_driver *driver = n ? driver_of(text, n, err) : driver_by_look(text);

	if (!driver)
		return -1;
	*ret = (struct storage){driver, storage_source(text)};
	return 0;
}

/* ---- for a new one ---- */

char *storage_new_name(const struct storage_new *new)
{
	static const char snaps[] = "/snaps/";
	const char *end = strrchr(new->dir, '/'), *variant = new->variant ? new->variant : "";
	const char *owner = end;

	if (end && end - new->dir >= 7 && memcmp(end - 6, snaps, 7) == 0) {
		end -= 6;
		for (owner = end; owner > new->dir && owner[-1] != '/'; owner--)
			;
		return str_printf("%.*s_%s%s", (int)(end - owner), owner, new->name, variant);
	}
	return str_printf("%s%s", new->name, variant);
}

const char *storage_beside(const struct storage_new *new, const struct storage_driver *driver)
{
	const struct storage *of = new->from ? new->from : new->model;

	return of && of->driver == driver ? of->source : NULL;
}

const struct storage_driver *storage_choose(const char *wanted, const struct storage_new *new,
					    struct error *err)
{
	autostrv struct strv list = {0};

	if (!wanted || strcmp(wanted, "none") == 0)
		return &storage_dir;
	if (strv_split(&list, strcmp(wanted, "best") == 0 ? best : wanted, ", ") < 0) {
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	if (!list.n)
		no_such_type(wanted, strlen(wanted), err);
	for (size_t i = 0; i < list.n; i++) {
		const struct storage_driver *d;

		/* Of several the last one's reason is told: it is what was left. */
		error_clear(err);
		d = driver_of(list.v[i], strlen(list.v[i]), err);
		if (d && (!d->usable || d->usable(new, err) == 0))
			return d;
		if (err && err->code == EINVAL)
			return NULL;
	}
	return NULL;
}

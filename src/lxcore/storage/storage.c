/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which driver a root filesystem has: by the name in front of its source, or by looking at it. */
#include "storage/storage.h"
#include "base/auto.h"
#include "base/buf.h"

#include <string.h>
#include <sys/stat.h>

/* Every type that LXC knows; those without a driver are refused by name. */
static const struct {
	const char *name;
	const struct storage_driver *driver;
} types[] = {
	{"dir", &storage_dir}, {"overlay", &storage_overlay}, {"overlayfs", &storage_overlay},
	{"btrfs", NULL},       {"loop", NULL},                {"lvm", NULL},
	{"zfs", NULL},         {"rbd", NULL},                 {"nbd", NULL},
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

static int not_supported(const char *type, struct error *err)
{
	error_set(err, ENOTSUP,
		  "cannot use a root filesystem of type \"%s\": "
		  "it is not supported yet",
		  type);
	return error_mend(err, "use a directory: lxc.rootfs.path = dir:/var/lib/lxc/NAME/rootfs");
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
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i].name) != n || strncmp(types[i].name, type, n) != 0)
			continue;
		if (!types[i].driver)
			not_supported(types[i].name, err);
		return types[i].driver;
	}
	no_such_type(type, n, err);
	return NULL;
}

/* Without a type: what is there decides.  What is not there will be told by the driver's check. */
static int parse_untyped(const char *text, struct storage *ret, struct error *err)
{
	const struct storage_driver *driver;
	struct stat st;
	bool there = stat(text, &st) == 0;
	const char *type = there && S_ISREG(st.st_mode)	  ? "loop"
			   : there && S_ISBLK(st.st_mode) ? "lvm"
							  : "dir";

	driver = driver_of(type, strlen(type), err);
	if (!driver)
		return error_within(err, "\"%s\" is a %s", text,
				    S_ISREG(st.st_mode) ? "file" : "block device");
	*ret = (struct storage){driver, text};
	return 0;
}

int storage_parse(const char *text, struct storage *ret, struct error *err)
{
	size_t n = type_length(text);
	const struct storage_driver *driver;

	if (!n)
		return parse_untyped(text, ret, err);
	driver = driver_of(text, n, err);
	if (!driver)
		return -1;
	*ret = (struct storage){driver, text + n + 1};
	return 0;
}

/* ---- for a new one ---- */

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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which driver a root filesystem has: by the name in front of its source, or by looking at it. */
#include "storage/storage.h"
#include "base/auto.h"

#include <string.h>
#include <sys/stat.h>

/* Every type that LXC knows; those without a driver are refused by name. */
static const struct {
	const char *name;
	const struct storage_driver *driver;
} types[] = {
	{"dir", &storage_dir}, {"overlay", NULL}, {"overlayfs", NULL},
	{"btrfs", NULL},       {"loop", NULL},    {"lvm", NULL},
	{"zfs", NULL},         {"rbd", NULL},     {"nbd", NULL},
};

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

/* Without a type: what is there decides.  What is not there will be told by the driver's check. */
static int parse_untyped(const char *text, struct storage *ret, struct error *err)
{
	struct stat st;
	bool there = stat(text, &st) == 0;
	const char *type = there && S_ISREG(st.st_mode)   ? "loop"
			   : there && S_ISBLK(st.st_mode) ? "lvm"
							  : NULL;

	if (!type) {
		*ret = (struct storage){&storage_dir, text};
		return 0;
	}
	not_supported(type, err);
	return error_within(err, "\"%s\" is a %s", text,
			    S_ISREG(st.st_mode) ? "file" : "block device");
}

int storage_parse(const char *text, struct storage *ret, struct error *err)
{
	size_t n = type_length(text);

	if (!n)
		return parse_untyped(text, ret, err);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (strlen(types[i].name) != n || strncmp(types[i].name, text, n) != 0)
			continue;
		if (!types[i].driver)
			return not_supported(types[i].name, err);
		*ret = (struct storage){types[i].driver, text + n + 1};
		return 0;
	}
	error_set(err, EINVAL,
		  "cannot use a root filesystem of type \"%.*s\": there is no such type", (int)n,
		  text);
	return error_mend(err, "use a directory: lxc.rootfs.path = dir:/var/lib/lxc/NAME/rootfs");
}

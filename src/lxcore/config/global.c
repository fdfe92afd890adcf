/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program's own configuration, lxc.conf(5).  Its file is read anew for each question: who asks,
 * asks once, and a long-lived program shall see what an administrator changed.
 */
#include "config/global.h"
#include "base/buf.h"
#include "base/fd.h"

#include <string.h>
#include <sys/stat.h>

#define BLANKS " \t\r\f\v"

static const char *const items[] = {"lxc.default_config",   "lxc.lxcpath",
				    "lxc.bdev.lvm.vg",      "lxc.bdev.lvm.thin_pool",
				    "lxc.bdev.zfs.root",    "lxc.bdev.rbd.rbdpool",
				    "lxc.bdev.rbd.rbduser", "lxc.cgroup.use",
				    "lxc.cgroup.pattern",   NULL};

const char *const *global_items(void)
{
	return items;
}

/* A path of root's, or the same thing below a user's home. */
static char *for_user(const char *roots, const char *below_home)
{
	const char *home = getenv("HOME");

	if (geteuid() == 0)
		return strdup(roots);
	return str_printf("%s/%s", home ? home : "", below_home);
}

static int default_of(const char *item, char **ret)
{
	if (strcmp(item, "lxc.default_config") == 0)
		*ret = for_user(LXCORE_SYSCONFDIR "/lxc/default.conf", ".config/lxc/default.conf");
	else if (strcmp(item, "lxc.lxcpath") == 0)
		*ret = for_user(LXCORE_LXCPATH, ".local/share/lxc");
	else if (str_starts(item, "lxc.bdev.") && strcmp(item, "lxc.bdev.rbd.rbduser") != 0)
		*ret = strdup("lxc");
	else {
		*ret = NULL;
		return 0;
	}
	return *ret ? 0 : -1;
}

/* What stands behind 'item =' in a line, or NULL. */
static char *value_in(char *line, const char *item)
{
	size_t n;

	line += strspn(line, BLANKS);
	if (!str_starts(line, item))
		return NULL;
	line += strlen(item);
	line += strspn(line, BLANKS);
	if (*line != '=')
		return NULL;
	line++;
	line += strspn(line, BLANKS);
	for (n = strlen(line); n && strchr(BLANKS, line[n - 1]); n--)
		;
	line[n] = '\0';
	return n ? line : NULL;
}

static int read_global(const char *path, struct buf *text, struct error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(err, "cannot read \"%s\"", path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "cannot read \"%s\": it is no regular file", path);
	if (fd_read_all(fd, text, 1 << 20) < 0)
		return error_sys(err, "cannot read \"%s\"", path);
	return 0;
}

static void cut_slashes(char *path)
{
	size_t n = path ? strlen(path) : 0;

	while (n > 1 && path[n - 1] == '/')
		path[--n] = '\0';
}

static int check_item(const char *item, struct error *err)
{
	autobuf struct buf all = BUF_INIT;

	for (const char *const *known = items; *known; known++) {
		if (strcmp(*known, item) == 0)
			return 0;
		buf_addf(&all, "%s%s", all.len ? ", " : "", *known);
	}
	return error_set(err, EINVAL, "unknown configuration item \"%.80s\"; there are %s", item,
			 all.s ? all.s : "");
}

/* The first line that has a value counts. */
static char *first_value(char *text, const char *item)
{
	char *found = NULL, *line;

	while (!found && text && (line = strsep(&text, "\n")))
		found = value_in(line, item);
	return found;
}

char *global_value(char *text, const char *item)
{
	const char *found = first_value(text, item);
	char *value = found ? strdup(found) : NULL;

	if (strcmp(item, "lxc.lxcpath") == 0)
		cut_slashes(value);
	return value;
}

int global_get(const char *item, char **ret, struct error *err)
{
	autofree char *path = for_user(LXCORE_SYSCONFDIR "/lxc/lxc.conf", ".config/lxc/lxc.conf");
	autobuf struct buf text = BUF_INIT;
	char *found, *value = NULL;

	if (check_item(item, err) < 0)
		return -1;
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	if (read_global(path, &text, err) < 0)
		return -1;
	found = first_value(text.s, item);
	if (found)
		value = strdup(found);
	if (found ? !value : default_of(item, &value) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (strcmp(item, "lxc.lxcpath") == 0)
		cut_slashes(value);
	*ret = value;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is written down of a container beside criu's images: see checkpoint.h. */
#include "life/checkpoint.h"
#include "base/fd.h"
#include "parts/idmap.h"

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define FACTS "lxcore.facts"
#define FORMAT "lxcore-checkpoint 1"

/* ---- its devpts ---- */

/* "85 66 0:46 /0 /dev/console rw,... - devpts devpts rw": mountinfo, proc(5).  False: none of it. */
static bool parse_mount(const char *line, unsigned long long *device, char root[32], char at[256])
{
	unsigned first, second;
	const char *type = strstr(line, " - ");

	if (!type || strncmp(type + 3, "devpts ", 7) != 0 ||
	    sscanf(line, "%*d %*d %u:%u %31s %255s", &first, &second, root, at) != 4)
		return false;
	*device = makedev(first, second);
	return true;
}

int checkpoint_find_pts(pid_t init, struct pts_mounts *ret, struct error *err)
{
	autofree char *path = str_printf("/proc/%d/mountinfo", init);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	*ret = (struct pts_mounts){0};
	if (!path || file_read(AT_FDCWD, path, &text) < 0 || strv_split(&lines, text.s, "\n") < 0)
		return error_sys(err, "cannot read what it has mounted");
	/* The whole stands before its pieces, unless someone else mounted there: not ours then. */
	for (size_t i = 0; i < lines.n; i++) {
		unsigned long long device;
		char root[32], at[256];
		int number = -1;

		if (!parse_mount(lines.v[i], &device, root, at))
			continue;
		if (!ret->device && strcmp(root, "/") == 0 && strcmp(at, "/dev/pts") == 0)
			ret->device = device;
		if (device != ret->device ||
		    (strcmp(root, "/") != 0 && sscanf(root, "/%d", &number) != 1))
			continue;
		if (ret->n == ARRAY_SIZE(ret->v))
			return error_set(err, E2BIG, "it has too many mounts of its terminals");
		strcpy(ret->v[ret->n].at, at);
		ret->v[ret->n++].number = number;
	}
	return 0;
}

/* ---- settings ---- */

/* What the images are made for.  Whole groups: all keys of them that are set. */
static const char *const groups[] = {
	"lxc.console.path", "lxc.tty.max", "lxc.tty.dir", "lxc.namespace", "lxc.net",
};
/* Of an interface these matter; the rest is the host's affair. */
static bool matters(const char *key)
{
	return !str_starts(key, "lxc.net") || str_ends(key, ".type") || str_ends(key, ".name");
}

/* As they are on the host: of 'auto', too. */
static int id_maps(const struct conf *conf, struct strv *ret)
{
	const struct idmaps *maps = idmap_of(conf);

	for (size_t i = 0; i < maps->n; i++) {
		const struct idmap_entry *e = &maps->v[i];

		if (strv_take(ret, str_printf("lxc.idmap = %c %lu %lu %lu", e->kind, e->ns, e->host,
					      e->range)) < 0)
			return -1;
	}
	return 0;
}

static int settings(const struct conf *conf, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
		autostrv struct strv keys = {0};

		if (conf_list_keys(conf, groups[i], &keys) < 0)
			return -1;
		for (size_t k = 0; k < keys.n; k++) {
			autobuf struct buf value = BUF_INIT;

			if (!matters(keys.v[k]) ||
			    conf_get(conf, keys.v[k], &value, NULL) < 0 || !value.len)
				continue;
			for (char *c = value.s; *c; c++) /* a list has a line for each */
				*c = *c == '\n' ? ',' : *c;
			if (strv_take(ret, str_printf("%s = %s", keys.v[k], value.s)) < 0)
				return -1;
		}
	}
	return id_maps(conf, ret);
}

int checkpoint_write_facts(const char *dir, const struct conf *conf, unsigned long long devpts,
			   struct error *err)
{
	autofree char *file = str_printf("%s/" FACTS, dir);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv lines = {0};

	buf_addf(&text, FORMAT "\ndevpts %llx\n", devpts);
	if (!file || settings(conf, &lines) < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.n; i++)
		buf_addf(&text, "%s\n", lines.v[i]);
	if (text.failed)
		return error_set(err, ENOMEM, "out of memory");
	if (file_replace(AT_FDCWD, file, text.s, 0600) < 0)
		return error_sys(err, "cannot write \"%s\"", file);
	return 0;
}

static int is_none(const char *dir, const char *why, struct error *err)
{
	error_set(err, EINVAL, "\"%s\" has no checkpoint: %s", dir, why);
	return error_mend(err, "the directory that lxc-checkpoint -D was given, without -p");
}

/* A line that one of the two has and the other has not. */
static int differs(const char *line, bool is_now, struct error *err)
{
	if (is_now)
		error_set(err, EINVAL, "it was made when the configuration did not say \"%s\"", line);
	else
		error_set(err, EINVAL, "it was made when the configuration said \"%s\"", line);
	return error_mend(err, is_now ? "without: %s" : "%s", line);
}

int checkpoint_read_facts(const char *dir, const struct conf *conf, unsigned long long *ret_devpts,
			  struct error *err)
{
	autofree char *file = str_printf("%s/" FACTS, dir);
	autobuf struct buf text = BUF_INIT;
	autostrv struct strv then = {0}, now = {0};

	if (!file || settings(conf, &now) < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (file_read(AT_FDCWD, file, &text) < 0)
		return errno == ENOENT ? is_none(dir, "there is no file \"" FACTS "\" in it", err) :
		       error_sys(err, "cannot read \"%s\"", file);
	if (strv_split(&then, text.s ? text.s : "", "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	if (then.n < 2 || strcmp(then.v[0], FORMAT) != 0 ||
	    sscanf(then.v[1], "devpts %llx", ret_devpts) != 1)
		return is_none(dir, "its file \"" FACTS "\" is of no known format", err);
	for (size_t i = 2; i < then.n; i++)
		if (!strv_has(&now, then.v[i]))
			return differs(then.v[i], false, err);
	for (size_t i = 0; i < now.n; i++)
		if (!strv_has(&then, now.v[i]))
			return differs(now.v[i], true, err);
	return 0;
}

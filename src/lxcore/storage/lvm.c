/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Root filesystems on a logical volume, SOURCE: /dev/GROUP/VOLUME.  A volume of a thin pool takes no
 * space before it is written and its snapshots are volumes like it; one that is not ("thick") has
 * its size from the beginning, as have its snapshots, of which there can be no further ones.
 */
#include "base/auto.h"
#include "config/global.h"
#include "storage/block.h"
#include "storage/tool.h"

#include <stdio.h>
#include <string.h>

/* ---- names ---- */

/* '/dev/GROUP/VOLUME' taken apart. */
struct volume {
	char group[128], name[128];
};

static int parse_volume(const char *source, struct volume *ret, struct error *err)
{
	char more;

	if (sscanf(source, "/dev/%127[A-Za-z0-9+_.-]/%127[A-Za-z0-9+_.-]%c", ret->group, ret->name,
		   &more) == 2 &&
	    *ret->group != '-' && *ret->name != '-')
		return 0;
	return error_set(err, EINVAL, "cannot use \"%s\" as a logical volume: that is not "
			 "/dev/GROUP/VOLUME", source);
}

/* An option's value, or that of lxc.conf(5). */
static int wanted_or_global(const char *wanted, const char *item, char **ret, struct error *err)
{
	if (!wanted)
		return global_get(item, ret, err);
	*ret = strdup(wanted);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* ---- what is there ---- */

struct facts {
	uint64_t size; /* bytes */
	char segment[32]; /* "linear", "thin", "thin-pool", "snapshot" is told by 'origin' */
	char pool[128], origin[128];
};

/* 1; 0: there is no such volume; -1. */
static int ask(const char *volume, struct facts *ret, struct error *err)
{
	const char *const argv[] = {"lvs", "--noheadings", "--nosuffix", "--units", "b",
				    "--separator", "/", "-o", "lv_size,segtype,pool_lv,origin",
				    volume, NULL};
	autobuf struct buf out = BUF_INIT;
	autofree char *line = NULL;
	unsigned long long size;
	int status = tool_run(argv, 5, &out, err);

	if (status < 0)
		return -1;
	line = tool_line(&out);
	if (!line)
		return error_set(err, ENOMEM, "out of memory");
	if (status && tool_said(&out, "Failed to find logical volume|not found"))
		return 0;
	*ret = (struct facts){0};
	if (status || sscanf(line, "%llu/%31[^/]/%127[^/]", &size, ret->segment, ret->pool) < 2)
		return error_set(err, EIO, "cannot look at the logical volume \"%s\": %s", volume,
				 line);
	ret->size = size;
	snprintf(ret->origin, sizeof(ret->origin), "%s", strrchr(line, '/') + 1);
	return 1;
}

static int ask_existing(const char *volume, struct facts *ret, struct error *err)
{
	int there = ask(volume, ret, err);

	return there == 0 ? error_set(err, ENOENT, "cannot find the logical volume \"%s\"", volume) :
			    there;
}

static int refuse_existing(const char *source, const struct volume *v, struct error *err)
{
	autofree char *path = str_printf("%s/%s", v->group, v->name);
	struct facts facts;
	int there = path ? ask(path, &facts, err) : error_set(err, ENOMEM, "out of memory");

	return there > 0 ? error_set(err, EEXIST, "cannot make the logical volume \"%s\": there is one "
				     "already", source) : there;
}

/* ---- the driver ---- */

static int lvm_check(const char *source, struct error *err)
{
	if (block_check(source, "logical volume", err) == 0)
		return 0;
	return err && err->code == ENOENT ?
		       error_mend(err, "lvchange -ay %s      (if it is there but not active)",
				  source) : -1;
}

static int lvm_mount(const char *source, const char *const *options, struct error *err)
{
	return lvm_check(source, err) < 0 ? -1 : block_mount(source, options, err);
}

static int lvm_look(const char *source, struct error *err)
{
	return lvm_mount(source, NULL, err);
}

static bool is_thin(const struct facts *facts)
{
	return strcmp(facts->segment, "thin") == 0;
}

static int check_origin(const char *source, struct facts *ret, struct error *err)
{
	if (ask_existing(source, ret, err) < 0)
		return -1;
	if (!*ret->origin || is_thin(ret))
		return 0;
	return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\": it is a snapshot itself, and "
			 "not of a thin pool", source);
}

static bool lvm_depends(const char *source)
{
	struct facts facts;

	return ask(source, &facts, NULL) > 0 && !is_thin(&facts);
}

/* For a new one: that of what it is made of, the one that was asked for, or the default. */
static int wanted_group(const struct storage_new *new, char **ret, struct error *err)
{
	const char *beside = storage_beside(new, &storage_lvm);
	struct volume volume;

	if (!beside)
		return wanted_or_global(new->spec.vg, "lxc.bdev.lvm.vg", ret, err);
	if (parse_volume(beside, &volume, err) < 0)
		return -1;
	*ret = strdup(volume.group);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int lvm_usable(const struct storage_new *new, struct error *err)
{
	autofree char *group = NULL;
	struct facts facts;

	if (tool_need("lvcreate", err) < 0)
		return -1;
	if (new->from && new->from->driver == &storage_lvm)
		return check_origin(new->from->source, &facts, err);
	if (block_need_mkfs(new, err) < 0 || wanted_group(new, &group, err) < 0)
		return -1;

	const char *const argv[] = {"vgs", "--noheadings", "-o", "vg_name", "--", group, NULL};

	if (tool_run(argv, 0, NULL, err) >= 0)
		return 0;
	error_within(err, "cannot use the volume group \"%s\"", group);
	return error_mend(err, "name one with --vgname, or with lxc.bdev.lvm.vg in lxc.conf; "
			  "vgs shows those that there are");
}

static int lvm_place(const struct storage_new *new, char **ret_source, struct error *err)
{
	autofree char *name = new->spec.lv ? strdup(new->spec.lv) : storage_new_name(new);
	autofree char *group = NULL;
	struct volume volume;

	if (wanted_group(new, &group, err) < 0)
		return -1;
	*ret_source = group && name ? str_printf("/dev/%s/%s", group, name) : NULL;
	if (!*ret_source)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_volume(*ret_source, &volume, err) == 0 &&
	    refuse_existing(*ret_source, &volume, err) == 0)
		return 0;
	free(*ret_source);
	*ret_source = NULL;
	return error_mend(err, "give it another name, of letters, digits and +_.-, with --lvname");
}

/* The thin pool to use, to be freed; NULL with 0: none.  The default one need not be there. */
static int find_pool(const struct storage_new *new, const char *group, char **ret, struct error *err)
{
	autofree char *pool = NULL, *path = NULL;
	struct facts facts;
	int there;

	*ret = NULL;
	if (wanted_or_global(new->spec.thinpool, "lxc.bdev.lvm.thin_pool", &pool, err) < 0)
		return -1;
	path = str_printf("%s/%s", group, pool);
	if (!path)
		return error_set(err, ENOMEM, "out of memory");
	there = ask(path, &facts, err);
	if (there < 0)
		return -1;
	if (there && strcmp(facts.segment, "thin-pool") == 0)
		*ret = steal_ptr(&pool);
	else if (new->spec.thinpool)
		return error_set(err, ENOENT, "cannot find the thin pool \"%s\"", path);
	return 0;
}

static int make_volume(const struct storage_new *new, const struct volume *v, struct error *err)
{
	autofree char *size = str_printf("%llub", (unsigned long long)block_wanted_size(new));
	autofree char *pool = NULL;
	const char *argv[14] = {"lvcreate", "-Wy", "--yes", "-n", v->name};
	size_t n = 5;

	if (!size)
		return error_set(err, ENOMEM, "out of memory");
	if (find_pool(new, v->group, &pool, err) < 0)
		return -1;
	if (pool) {
		argv[n++] = "--thinpool";
		argv[n++] = pool;
	}
	argv[n++] = pool ? "-V" : "-L";
	argv[n++] = size;
	argv[n++] = v->group;
	argv[n] = NULL;
	return tool_run(argv, 0, NULL, err) < 0 ? -1 : 0;
}

static int lvm_create(const char *source, const struct storage_new *new, struct error *err)
{
	autoclose int root = -1;
	struct volume v;

	if (parse_volume(source, &v, err) < 0)
		return -1;
	if (refuse_existing(source, &v, err) < 0)
		return -1;
	if (make_volume(new, &v, err) < 0)
		return error_within(err, "cannot make the logical volume \"%s\"", source);
	if (block_make_fs(source, new, err) < 0)
		return -1;
	root = lvm_look(source, err);
	return root < 0 ? -1 : block_give(root, source, new, err);
}

/* '-kn': LVM would not activate a thin snapshot by itself. */
static int make_snapshot(const struct volume *from, const struct facts *facts,
			 const struct volume *v, struct error *err)
{
	bool thin = is_thin(facts);
	autofree char *origin = str_printf("%s/%s", from->group, from->name);
	autofree char *size = str_printf("%llub", (unsigned long long)facts->size);
	const char *const thin_argv[] = {"lvcreate", "--yes", "-s", "-kn", "-n", v->name, origin, NULL};
	const char *const thick_argv[] = {"lvcreate", "--yes", "-s", "-L", size, "-n", v->name, origin,
					  NULL};

	if (!origin || !size)
		return error_set(err, ENOMEM, "out of memory");
	return tool_run(thin ? thin_argv : thick_argv, 0, NULL, err) < 0 ? -1 : 0;
}

static int lvm_snapshot(const struct storage *from, const char *source,
			const struct storage_new *new, struct error *err)
{
	struct volume old, v;
	struct facts facts;

	if (from->driver != &storage_lvm)
		return error_set(err, ENOTSUP, "cannot make a snapshot of %s storage in LVM",
				 from->driver->name);
	if (parse_volume(from->source, &old, err) < 0 || parse_volume(source, &v, err) < 0 ||
	    check_origin(from->source, &facts, err) < 0)
		return -1;
	if (strcmp(old.group, v.group) != 0)
		return error_set(err, ENOTSUP, "cannot make a snapshot of \"%s\" in another volume "
				 "group", from->source);
	if (make_snapshot(&old, &facts, &v, err) < 0)
		return error_within(err, "cannot make a snapshot of the logical volume \"%s\"",
				    from->source);
	return block_new_identity(source, err);
}

/* Thick snapshots are the differences from their origin; lvremove(8) would take them along. */
static int lvm_removable(const char *source, struct error *err)
{
	struct volume v;
	autofree char *select = NULL, *names = NULL;
	autobuf struct buf out = BUF_INIT;

	if (parse_volume(source, &v, err) < 0)
		return -1;
	select = str_printf("origin=%s && segtype!=thin", v.name);
	const char *const argv[] = {"lvs", "--noheadings", "-o", "lv_name", "--select", select,
				    v.group, NULL};

	if (!select)
		return error_set(err, ENOMEM, "out of memory");
	if (tool_run(argv, 0, &out, err) < 0)
		return error_within(err, "cannot tell what needs the logical volume \"%s\"", source);
	names = tool_line(&out);
	if (!names || !*names)
		return names ? 0 : error_set(err, ENOMEM, "out of memory");
	return error_set(err, EBUSY, "cannot remove the logical volume \"%s\": its snapshot \"%s\" "
			 "cannot be without it", source, names);
}

static int lvm_destroy(const char *source, struct error *err)
{
	const char *const argv[] = {"lvremove", "-f", source, NULL};
	struct facts facts;
	int there;

	if (tool_need("lvremove", err) < 0)
		return error_within(err, "cannot remove the logical volume \"%s\"", source);
	there = ask(source, &facts, err);
	if (there <= 0)
		return there;
	if (lvm_removable(source, err) < 0)
		return -1;
	if (tool_run_patiently(argv, "in use|busy", err) < 0)
		return error_within(err, "cannot remove the logical volume \"%s\"", source);
	return 0;
}

static int rename_volume(const struct volume *old, const struct volume *to, const char *source,
			 const char *renamed, struct error *err)
{
	const char *const argv[] = {"lvrename", old->group, old->name, to->name, NULL};
	autofree char *before = str_printf("%s/%s", old->group, old->name);
	autofree char *after = str_printf("%s/%s", to->group, to->name);
	struct facts facts;
	int there, taken;

	if (!before || !after)
		return error_set(err, ENOMEM, "out of memory");
	there = ask(before, &facts, err);
	taken = there < 0 ? -1 : ask(after, &facts, err);
	if (taken < 0)
		return -1;
	/* One that was killed half-way has renamed it already. */
	if (taken)
		return there ? refuse_existing(renamed, to, err) : 0;
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot rename the logical volume \"%s\"", source);
	return 0;
}

static int lvm_rename(const char *source, const struct storage_new *new, char **ret_source,
		      struct error *err)
{
	struct volume v, to;

	if (parse_volume(source, &v, err) < 0)
		return -1;

	autofree char *renamed = str_printf("/dev/%s/%s", v.group, new->name);

	if (!renamed)
		return error_set(err, ENOMEM, "out of memory");
	if (parse_volume(renamed, &to, err) < 0 || rename_volume(&v, &to, source, renamed, err) < 0)
		return -1;
	*ret_source = steal_ptr(&renamed);
	return 0;
}

static uint64_t lvm_size(const char *source)
{
	return block_size(source);
}

static int lvm_grow(const char *source, uint64_t size, struct error *err)
{
	autofree char *bytes = str_printf("%llub", (unsigned long long)size);
	const char *const argv[] = {"lvextend", "-L", bytes, source, NULL};
	autoclose int root = -1;

	if (!bytes)
		return error_set(err, ENOMEM, "out of memory");
	if (tool_run(argv, 0, NULL, err) < 0)
		return error_within(err, "cannot make the logical volume \"%s\" larger", source);
	root = lvm_look(source, err);
	return root < 0 ? -1 : block_grow_fs(root, source, block_size(source), err);
}

const struct storage_driver storage_lvm = {
	.name = "lvm",
	.mounted_outside = true,
	.usable = lvm_usable,
	.check = lvm_check,
	.look = lvm_look,
	.mount = lvm_mount,
	.place = lvm_place,
	.create = lvm_create,
	.snapshot = lvm_snapshot,
	.depends = lvm_depends,
	.removable = lvm_removable,
	.destroy = lvm_destroy,
	.rename = lvm_rename,
	.grow = lvm_grow,
	.size = lvm_size,
};

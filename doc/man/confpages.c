/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The pages on configuration files: their keys come from the library's own tables. */
#include "mdoc.h"
#include "pages.h"

#include <string.h>

/* ---- lxc.container.conf(5) ------------------------------------------------------------------- */

static const char container_grammar[] =
	"The file `config` in a container's directory says what the container is made of "
	"and what it may do. It is read when the container starts, and by tools that want "
	"to know something of it.\n\n"
	"A line is `KEY = VALUE`. Blanks around both do not matter; one pair of quotes "
	"around the whole value is removed. A line that begins with `#` is a comment; "
	"there are no comments behind a value, and a backslash does not join lines. Lines "
	"that do not begin with `lxc.` are kept and not read. An empty value clears what "
	"was set before, and makes a list empty.\n\n"
	"A key whose name ends with a dot below stands for a family: a word of your choice "
	"follows, as in `lxc.prlimit.nofile`.\n\n"
	"A key that is not known is an error that names file and "
	"line; it never passes silently. Names that old versions of LXC used are "
	"understood, and a notice says how they are called now.\n\n"
	"`lxc-checkconfig -n NAME` checks a configuration without starting anything; "
	"`lxc-start --explain NAME` shows what it means.";

/* lxc.include belongs to no part, but to the language. */
/* What 'lxc.rootfs.path' may say. */
static const struct meaning root_filesystems[] = {
	{"dir:DIRECTORY", "A directory with all that is mounted below it."},
	{"overlay:LOWER[:LOWER...]:UPPER", "Layers: what the container writes goes to the directory "
	 "UPPER, the others, the topmost first, never change. The directory `work` beside UPPER "
	 "belongs to the kernel."},
	{"btrfs:SUBVOLUME", "A subvolume of btrfs: copied and removed at once."},
	{"loop:FILE", "A file with a filesystem. Its loop device goes with the last mount of it."},
	{"lvm:/dev/GROUP/VOLUME", "A logical volume. Copies of one in a thin pool are made at once and "
	 "need nobody; a snapshot of another one needs its origin, and there is none of a snapshot."},
	{"zfs:DATASET", "A dataset of ZFS. A copy is a clone of it, which needs it."},
	{"rbd:/dev/rbd/POOL/NAME", "An image of a Ceph cluster, mapped while it is in use. A copy is a "
	 "clone of it, which needs it."},
	{"nbd:FILE[:PARTITION]", "A disk image of qemu, or its partition 1 to 9, connected by "
	 "qemu-nbd(8) while it is in use. Copies share what they have in common through files "
	 "`.base-...` beside them, and need nobody."},
	{0}
};

static void page_root_filesystems(FILE *out)
{
	fputs(".Sh ROOT FILESYSTEMS\n", out);
	mdoc_text(out,
		"`lxc.rootfs.path` is a SOURCE with a TYPE in front: `TYPE:SOURCE`. Without TYPE a "
		"directory, file or block device is taken for dir, loop or lvm. The filesystem on a "
		"device is recognised by its signature; `lxc.rootfs.options` go to it as well.");
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct meaning *m = root_filesystems; m->term; m++) {
		fprintf(out, ".It Li %s\n", m->term);
		mdoc_line(out, m->text);
	}
	fputs(".El\n", out);
}

/* What lxc.limit.* are on either kind of host. */
static const struct meaning limits[] = {
	{"lxc.limit.memory", "`memory.max`; v1: `memory.limit_in_bytes`. Caches count, and are dropped before "
	 "a process is killed. A size has K, M, G or T behind it, 1024 times each, or is a part of this "
	 "host's memory: `50%`."},
	{"lxc.limit.memory.weight", "A share of `lxc.limit.memory.pool`, which is the memory of this host "
	 "unless it is said otherwise: three running containers with the weights 1, 2 and 1 may use a "
	 "quarter, a half and a quarter of it. Those count that run below the same lxcpath and have a weight. "
	 "The kernel has no weights of memory, so each share is a limit (`memory.max`) that is set anew for all "
	 "whenever one of them starts, stops or is changed by lxc-update(1); what idle ones leave unused is not "
	 "lent to others. A container is not started when the share of one that runs would fall below what that "
	 "uses and cannot give back. Who starts must name the same pool as those that run; `lxc-update "
	 "--memory-pool` changes it for all that run."},
	{"lxc.limit.memory.soft", "`memory.low`; v1: `memory.soft_limit_in_bytes`. When this host is short of "
	 "memory: what v2 protects, v1 takes last. v2 protects only where every cgroup above protects as "
	 "much; where `lxc.cgroup.dir` puts the container below one that does not, it is refused."},
	{"lxc.limit.swap", "`memory.swap.max`; v1: `memory.memsw.limit_in_bytes`, which is the sum of both: a "
	 "container that uses less memory may there use more swap. Needs swap accounting."},
	{"lxc.limit.cpu", "`cpu.max`; v1: `cpu.cfs_quota_us`; in periods of a tenth of a second: 1.5 is 150 "
	 "milliseconds of all processors together in each."},
	{"lxc.limit.cpu.weight", "`cpu.weight`; v1: `cpu.shares`, 1024 for 100. Counts where processes want "
	 "more than there is; an idle neighbour's share is free for all."},
	{"lxc.limit.cpus", "`cpuset.cpus`, on v1 too."},
	{"lxc.limit.pids", "`pids.max`, on v1 too. Threads count."},
	{"lxc.limit.disk", "A quota of the subvolume (btrfs, on which `btrfs quota enable` was said) or "
	 "dataset (zfs); of loop, lvm, rbd and nbd their size, which is made larger at the next start and never "
	 "smaller. Other storage is refused. A quota stays when the line is taken out of the file: `lxc-update "
	 "--disk=` takes it away. With btrfs a subvolume that is made inside counts for itself, and is not "
	 "limited."},
	{"lxc.limit.io.read, lxc.limit.io.write", "`io.max` with rbps and wbps; v1: "
	 "`blkio.throttle.read_bps_device` and `write_bps_device`. DEVICE is a whole disk, and a loop device "
	 "or volume is one. On v1 the kernel does not know whose the pages are that it writes later, so only "
	 "what is written directly or at once is limited there."},
	{0}
};

static void page_limits(FILE *out)
{
	fputs(".Sh LIMITS\n", out);
	mdoc_text(out,
		"`lxc.limit.*` say how much of this host the container may use, and mean the same whether "
		"the host has cgroup v1, v2 or both. A limit that this host cannot keep - it has no such "
		"controller, or does not hand it down to the place of the container's cgroup; its kernel was "
		"built or booted without; there is no such device - is an error before anything is started, "
		"with the reason. An empty value is no limit. lxc-info(1) shows what is used.\n\n"
		"`lxc.cgroup.*` and `lxc.cgroup2.*` reach every file of a cgroup by its own name. What is "
		"said with one of them cannot be said with `lxc.limit.*` too.");
	fputs(".Bl -tag -width Ds\n", out);
	for (const struct meaning *m = limits; m->term; m++) {
		fprintf(out, ".It Li %s\n", m->term);
		mdoc_line(out, m->text);
	}
	fputs(".El\n", out);
}

static const char *section_of(const struct lxcore_key *key)
{
	return key->section ? key->section : "the language";
}

static bool known_before(const char *section, const char *const *seen, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(seen[i], section) == 0)
			return true;
	return false;
}

static void print_key(const struct lxcore_key *key, FILE *out)
{
	size_t n = strlen(key->name);
	bool family = n && key->name[n - 1] == '.';

	fprintf(out, ".It Li %s", key->name);
	if (key->member)
		fprintf(out, "N.%s", key->member);
	else if (family)
		fputc('*', out);
	if (key->syntax && *key->syntax) {
		fputs(" = ", out);
		mdoc_line(out, key->syntax);
	} else {
		fputc('\n', out);
	}
	mdoc_line(out, key->summary ? key->summary : "");
	if (key->preset && *key->preset) {
		fputs("Default:\n.Li ", out);
		mdoc_line(out, key->preset);
	}
	if (key->unsupported) {
		fputs(".Em Not supported yet:\n", out);
		mdoc_line(out, key->unsupported);
	}
}

static void print_section(const char *section, FILE *out)
{
	struct lxcore_key key;

	fprintf(out, ".Ss Keys of %s\n.Bl -tag -width Ds\n", section);
	for (size_t state = 0; lxcore_next_key(&state, &key);)
		if (strcmp(section_of(&key), section) == 0)
			print_key(&key, out);
	fputs(".El\n", out);
}

void page_container_conf(FILE *out)
{
	const char *seen[64];
	struct lxcore_key key;
	size_t n = 0;

	mdoc_begin(out, "lxc.container.conf", 5, "configuration of one container");
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out, container_grammar);
	fputs(".Sh KEYS\nThey stand with the part of the container that they belong to,\n"
	      "in the order in which a start asks the parts.\n", out);
	for (size_t state = 0; lxcore_next_key(&state, &key);) {
		if (known_before(section_of(&key), seen, n) || n == 64)
			continue;
		seen[n++] = section_of(&key);
		print_section(section_of(&key), out);
	}
	page_root_filesystems(out);
	page_limits(out);
	mdoc_see_also(out, "lxc-checkconfig lxc-info lxc-net lxc-start lxc-create lxc.conf lxc.net.conf "
		      "lxc.seccomp lxc.system.conf lxc-usernet lxc");
}

/* ---- lxc.system.conf(5) ---------------------------------------------------------------------- */

static const struct meaning items[] = {
	{"lxc.lxcpath", "Directory that holds the containers. Default: /var/lib/lxc for root, "
	 "`~/.local/share/lxc` for others"},
	{"lxc.default_config", "Configuration that lxc-create copies into a new container. "
	 "Default: default.conf beside this file"},
	{"lxc.cgroup.pattern", "Cgroup of a container below each hierarchy, unless "
	 "`lxc.cgroup.dir` says otherwise; `%n` is the container's name"},
	{"lxc.cgroup.use", "Controllers of cgroup v1 that are used, joined by commas. Default: all "
	 "that are mounted"},
	{"lxc.bdev.lvm.vg", "LVM volume group for containers. Default: lxc"},
	{"lxc.bdev.lvm.thin_pool", "LVM thin pool for containers. Default: lxc"},
	{"lxc.bdev.zfs.root", "ZFS dataset that holds containers. Default: lxc"},
	{"lxc.bdev.rbd.rbdpool", "Ceph pool for containers. Default: lxc"},
	{"lxc.bdev.rbd.rbduser", "Ceph user for containers"},
	{0}
};

static const char *item_text(const char *name)
{
	for (const struct meaning *m = items; m->term; m++)
		if (strcmp(m->term, name) == 0)
			return m->text;
	/* An item without a word here must not get into a page: the build stops. */
	fprintf(stderr, "mkman: confpages.c says nothing on \"%s\"\n", name);
	exit(1);
}

void page_system_conf(FILE *out)
{
	mdoc_begin(out, "lxc.system.conf", 5, "settings that hold for all containers");
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out,
		"Root's tools read `/etc/lxc/lxc.conf`, those of other users "
		"`~/.config/lxc/lxc.conf`. The files may be missing. A line is `ITEM = VALUE`; the "
		"first one of an item counts; a line that begins with `#` is a comment. "
		"lxc-config(1) shows what is in force.");
	fputs(".Sh ITEMS\n.Bl -tag -width Ds\n", out);
	for (const char *const *item = lxcore_global_items(); *item; item++) {
		fprintf(out, ".It Li %s\n", *item);
		mdoc_line(out, item_text(*item));
	}
	fputs(".El\n", out);
	mdoc_see_also(out, "lxc-config lxc-create lxc.conf lxc.container.conf lxc");
}

/* ---- lxc.conf(5), lxc(7) --------------------------------------------------------------------- */

void page_conf(FILE *out)
{
	mdoc_begin(out, "lxc.conf", 5, "configuration files of LXC");
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out,
		"The settings of one container stand in the file `config` in its directory: "
		"lxc.container.conf(5). A new container gets a copy of `/etc/lxc/default.conf`, or of "
		"`~/.config/lxc/default.conf` when an ordinary user makes it.\n\n"
		"Settings that hold for all containers, such as where they live, stand in files of their own.");
	fputs(".Sh FILES\n.Bl -tag -width Ds\n"
	      ".It Pa /var/lib/lxc/NAME/config\nthe container NAME:\n.Xr lxc.container.conf 5\n"
	      ".It Pa /etc/lxc/default.conf\nfirst configuration of new containers; the same keys\n"
	      ".It Pa /etc/lxc/lxc.conf\nsettings of the tools:\n.Xr lxc.system.conf 5\n"
	      ".It Pa /etc/lxc/mirrors.conf\nwhere templates fetch from:\n.Xr lxc.mirrors.conf 5\n"
	      ".It Pa /etc/lxc/lxc\\-usernet\nnetwork interfaces of ordinary users:\n.Xr lxc\\-usernet 5\n"
	      ".It Pa /etc/default/lxc\\-net\nthe default network:\n.Xr lxc.net.conf 5\n"
	      ".It Pa /etc/default/lxc\ncontainers that start with the machine:\n.Xr lxc\\-services 7\n", out);
	fprintf(out, ".It Pa %s\nconfiguration that templates include, and the usual policy for system calls:\n"
		".Xr lxc.seccomp 5\n.El\n", lxcore_install_dir("config"));
	mdoc_see_also(out, "lxc-config lxc-create lxc.container.conf lxc.mirrors.conf lxc.net.conf lxc.seccomp "
		      "lxc.system.conf lxc-usernet lxc lxc-services");
}

static const char overview[] =
	"A container is a group of processes with an init of their own, that sees its own "
	"files, processes, network, host name and users, and gets its share of the host's "
	"resources. It runs on the host's kernel.\n\n"
	"A container is a directory below the lxcpath, with a configuration and a root "
	"filesystem. A start walks through the parts that the container is made of: "
	"identity maps, cgroup, network, root filesystem, mounts, devices, terminals, "
	"limits, capabilities, filter, hooks, init. All of them check first; then each "
	"claims what it needs of the host, writing it down before it does so; then the "
	"container's first process makes its view of the world and becomes init. One small "
	"process of the host, the supervisor, stays and waits. When init ends, or the "
	"supervisor is killed, what was written down is given back in reverse.\n\n"
	"A container is in one of the states STOPPED, STARTING, RUNNING, STOPPING, "
	"ABORTING, FREEZING, FROZEN and THAWED.";

void page_overview(FILE *out)
{
	mdoc_begin(out, "lxc", 7, "system containers");
	fputs(".Sh DESCRIPTION\n", out);
	mdoc_text(out, overview);
	fputs(".Sh TOOLS\n.Bl -tag -width lxc\\-checkconfig\n", out);
	for (const struct tool *const *t = all_tools; *t; t++)
		fprintf(out, ".It Xr %s 1\n%s\n", (*t)->name, (*t)->purpose);
	fputs(".El\n.Sh FILES\n.Xr lxc.conf 5\nlists them.\n.Sh EXAMPLES\n"
	      ".Dl lxc\\-create \\-n web \\-t debian\n"
	      ".Dl lxc\\-start \\-n web\n"
	      ".Dl lxc\\-attach \\-n web\n"
	      ".Dl lxc\\-stop \\-n web\n"
	      ".Dl lxc\\-destroy \\-n web\n", out);
	mdoc_see_also(out, "lxc-create lxc-start lxc.conf lxc.container.conf lxc.system.conf lxc-services init.lxc "
		      "lxc-user-nic");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a generated AppArmor profile (apparmor.d(5)).  Its idea: inside, everything is allowed
 * that stays inside; what reaches the host's kernel through a file is denied, and so are mounts but
 * those that an init and its services need.
 *
 * Older parsers make far more of a mount rule than it says (CVE-2016-1585): with 'rw' among the options
 * of a propagation rule, or with any rule for bind remounts, every mount is allowed.  So there are
 * none; who needs such mounts inside says lxc.apparmor.allow_nesting.
 */
#include "base/auto.h"
#include "parts/label/lsm.h"

static const char base[] =
	"  capability,\n"
	"  dbus,\n"
	"  file,\n"
	"  network,\n"
	"  umount,\n"
	"  unix,\n"
	"\n"
	"  # Filesystems that are the container's own, and propagation.\n"
	"  mount options=(make-shared) -> **,\n"
	"  mount options=(make-rshared) -> **,\n"
	"  mount options=(make-slave) -> **,\n"
	"  mount options=(make-rslave) -> **,\n"
	"  mount options=(make-private) -> **,\n"
	"  mount options=(make-rprivate) -> **,\n"
	"  mount options=(make-unbindable) -> **,\n"
	"  mount options=(make-runbindable) -> **,\n"
	"  mount fstype=tmpfs,\n"
	"  mount fstype=ramfs,\n"
	"  mount fstype=hugetlbfs,\n"
	"  mount fstype=mqueue,\n"
	"  mount fstype=devpts,\n"
	"  mount fstype=fuse,\n"
	"  mount fstype=fuse.*,\n"
	"  mount fstype=overlay,\n"
	"  mount fstype=binfmt_misc -> /proc/sys/fs/binfmt_misc/,\n"
	"  mount fstype=proc -> /proc/,\n"
	"  mount fstype=sysfs -> /sys/,\n"
	"  mount fstype=cgroup -> /sys/fs/cgroup/**,\n"
	"  mount fstype=cgroup2 -> /sys/fs/cgroup/**,\n"
	"  deny mount fstype=debugfs,\n"
	"  deny mount fstype=tracefs,\n"
	"  deny mount fstype=efivarfs,\n"
	"\n"
	"  # The host's kernel behind files.\n"
	"  deny /proc/sysrq-trigger rwklx,\n"
	"  deny /proc/kcore rwklx,\n"
	"  deny /proc/kmem rwklx,\n"
	"  deny /proc/mem rwklx,\n"
	"  deny /proc/sys/fs/** wklx,\n"
	"  deny /proc/acpi/** wklx,\n"
	"  deny /sys/firmware/** rwklx,\n"
	"  deny /sys/firmware/efi/efivars/** rwklx,\n"
	"  deny /sys/kernel/debug/** rwklx,\n";

/* Policies: with a namespace of its own the kernel shows it that alone. */
static const char no_policies[] =
	"  deny mount fstype=securityfs,\n"
	"  deny /sys/kernel/security/** rwklx,\n";

/* Settings of the kernel that no namespace separates. */
static const char restricted[] =
	"  deny /proc/sys/kernel/core_pattern wklx,\n"
	"  deny /proc/sys/kernel/modprobe wklx,\n"
	"  deny /proc/sys/kernel/hotplug wklx,\n"
	"  deny /proc/sys/kernel/panic* wklx,\n"
	"  deny /proc/sys/kernel/yama/** wklx,\n"
	"  deny /proc/sys/vm/** wklx,\n"
	"  deny /sys/module/** wklx,\n"
	"  deny /sys/power/** wklx,\n"
	"  deny /sys/fs/[^c]*/** wklx,\n"
	"  deny /sys/fs/c[^g]*/** wklx,\n";

static const char nesting[] =
	"\n"
	"  # Containers of its own.\n"
	"  mount,\n"
	"  pivot_root,\n"
	"  ptrace,\n"
	"  signal,\n"
	"  change_profile -> **,\n";

char *apparmor_profile_text(const char *name, const struct label_conf *s, bool unprivileged,
			    bool stacks)
{
	autobuf struct buf text = BUF_INIT;

	buf_addf(&text, "profile \"%s\" flags=(attach_disconnected,mediate_deleted) {\n", name);
	buf_puts(&text, base);
	if (!stacks)
		buf_puts(&text, no_policies);
	if (!unprivileged)
		buf_puts(&text, restricted);
	else
		buf_puts(&text, "  pivot_root,\n  mount options=(bind),\n  mount options=(rbind),\n");
	if (s->allow_nesting)
		buf_puts(&text, nesting);
	else
		buf_addf(&text, "\n  # Others are not to be traced, and only the host signals it.\n"
			 "  ptrace (trace, read, tracedby, readby) peer=\"%s\",\n"
			 "  ptrace (tracedby, readby) peer=unconfined,\n"
			 "  signal peer=\"%s\",\n"
			 "  signal (receive) peer=unconfined,\n", name, name);
	for (size_t i = 0; i < s->raw.n; i++)
		buf_addf(&text, "  %s\n", s->raw.v[i]);
	buf_puts(&text, "}\n");
	return buf_steal(&text);
}

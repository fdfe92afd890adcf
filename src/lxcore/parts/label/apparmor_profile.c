/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The text of a generated AppArmor profile (apparmor.d(5)).  Its idea: inside, everything is allowed
 * that stays inside; what reaches the host's kernel through a file is denied, and so are mounts but
 * those that an init and its services need.
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
	"  # Propagation, and filesystems that are the container's own.\n"
	"  mount options=(rw, make-shared) -> **,\n"
	"  mount options=(rw, make-rshared) -> **,\n"
	"  mount options=(rw, make-slave) -> **,\n"
	"  mount options=(rw, make-rslave) -> **,\n"
	"  mount options=(rw, make-private) -> **,\n"
	"  mount options=(rw, make-rprivate) -> **,\n"
	"  mount options=(rw, make-unbindable) -> **,\n"
	"  mount options=(rw, make-runbindable) -> **,\n"
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
	"  deny mount fstype=securityfs,\n"
	"  deny mount fstype=efivarfs,\n"
	"  mount options=(ro, nosuid, nodev, noexec, remount, strictatime) -> /dev/shm/,\n"
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
	"  deny /sys/kernel/debug/** rwklx,\n"
	"  deny /sys/kernel/security/** rwklx,\n";

/* A read-only bind remount of something that one sees takes nothing from anybody. */
static const char *const remounts[] = {
	"ro, remount, bind", "ro, remount, bind, nosuid", "ro, remount, bind, nodev",
	"ro, remount, bind, noexec", "ro, remount, bind, nosuid, nodev",
	"ro, remount, bind, nosuid, noexec", "ro, remount, bind, nodev, noexec",
	"ro, remount, bind, nosuid, nodev, noexec",
};

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

char *apparmor_profile_text(const char *name, const struct label_conf *s, bool unprivileged)
{
	autobuf struct buf text = BUF_INIT;

	buf_addf(&text, "profile \"%s\" flags=(attach_disconnected,mediate_deleted) {\n", name);
	buf_puts(&text, base);
	for (size_t i = 0; i < ARRAY_SIZE(remounts); i++)
		buf_addf(&text, "  mount options=(%s) -> **,\n", remounts[i]);
	if (!unprivileged)
		buf_puts(&text, restricted);
	else
		buf_puts(&text, "  pivot_root,\n  mount options=(rw, bind),\n"
				"  mount options=(rw, rbind),\n");
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

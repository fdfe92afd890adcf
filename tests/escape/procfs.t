#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks with a false /proc, and on what in the kernel no namespace separates.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
bait
again() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }

# ----------------------------------------------------------------------------------------------------
row CVE-2015-1334 'the container puts a false /proc before an attach, which then takes on no label and no limits' \
	'an attach reads and writes the /proc of the host, before it enters'
armed "$C" 'lxc.cap.drop = sys_time' "lxc.seccomp.profile = $TMP/policy"
printf '2\ndenylist\nmknod errno 5\nmknodat errno 5\n' >"$TMP/policy"
lxc start -n "$C"
inside "$C" sh -c 'mount -t tmpfs none /proc && mkdir -p /proc/self/attr/apparmor /proc/1/attr/apparmor /proc/1/ns /proc/sys/kernel &&
	for f in self/attr/current self/attr/exec self/attr/apparmor/exec 1/attr/current 1/status 1/ns/user; do echo unconfined >/proc/$f; done
	printf "CapBnd:\tffffffffffffffff\n" >/proc/1/status'
is "$CVE: the container has a false /proc" "$(inside "$C" cat /proc/1/attr/current)" unconfined
run lxc attach -n "$C" -- mknod /tmp/made p
like "$CVE: who attaches is filtered all the same" "$err" 'Input/output error'
like "$CVE: ... and may not set the clock" "$(lxc attach -n "$C" -- date -s @0 2>&1 </dev/null)" 'Operation not permitted'
is "$CVE: nothing was written to the false /proc" \
	"$(inside "$C" cat /proc/self/attr/current /proc/self/attr/exec /proc/self/attr/apparmor/exec | sort -u)" unconfined
again

# ----------------------------------------------------------------------------------------------------
row CVE-2019-16884 'the tree has a false /proc when the container starts, and labels are written there' \
	'labels and settings go through a procfs of our own, verified by its magic'
armed "$C" "lxc.mount.entry = $victim proc none bind 0 0" 'lxc.mount.auto = ' 'lxc.sysctl.kernel.domainname = inside'
run lxc start -n "$C"
is "$CVE: it starts with $victim for its /proc" "$status" 0
is "$CVE: ... which it sees" "$(inside "$C" cat /proc/sys/kernel/domainname)" secret
is "$CVE: the setting went to the kernel" \
	"$(nsenter -t "$(init_pid "$C")" -u cat /proc/sys/kernel/domainname)" inside
lxc stop -k -n "$C"
unharmed "$CVE"
again

# ----------------------------------------------------------------------------------------------------
row CVE-2025-52881 'links in a false /proc lead what is written there to the host' \
	'the same: nothing is written through a name in the container'"'"'s tree'
armed "$C" 'lxc.mount.auto = ' 'lxc.sysctl.kernel.domainname = inside'
root=$P/$C/rootfs
mkdir -p "$root/proc/self/attr/apparmor" "$root/proc/sys/kernel" "$root/proc/1"
for file in self/attr/current self/attr/exec self/attr/apparmor/current self/attr/keycreate 1/oom_score_adj; do
	ln -s "$victim/file" "$root/proc/$file"
done
ln -s /proc/sys/kernel/core_pattern "$root/proc/sys/kernel/domainname"
run lxc start -n "$C"
is "$CVE: it starts" "$status" 0
is "$CVE: the setting went to the kernel" \
	"$(nsenter -t "$(init_pid "$C")" -u cat /proc/sys/kernel/domainname)" inside
lxc stop -k -n "$C"
unharmed "$CVE"
again

# ----------------------------------------------------------------------------------------------------
row CVE-2022-0811 'a setting carries a second one, or is one of the whole machine (kernel.core_pattern)' \
	'settings are written one by one, and only those that a namespace has for itself'
# Written are the values that the host has already: an attack that succeeds shows, and does no harm.
core=$(cat /proc/sys/kernel/core_pattern) oom=$(cat /proc/sys/vm/panic_on_oom)
for line in "kernel.core_pattern = $core" "kernel.shm_rmid_forced = 1+kernel.core_pattern=$core" \
	"kernel.domainname+kernel.core_pattern = $core" "kernel/../../sys/kernel/core_pattern = $core" \
	"kernel.domainname/../core_pattern = $core" "../kernel/core_pattern = $core" "vm.panic_on_oom = $oom"; do
	armed "$C" "lxc.sysctl.$line"
	run lxc start -n "$C"
	is "$CVE: lxc.sysctl.$line is refused" "$status" 1
	again
done
unharmed "$CVE"

# ----------------------------------------------------------------------------------------------------
row CVE-2022-0492 'a container makes a user namespace, mounts a v1 hierarchy in it and sets release_agent' \
	'it sees no cgroup above its own; the id-mapped one owns none of what a release agent needs'
cat >"$TMP/agent" <<AGENT
mkdir -p /tmp/cg
for options in rdma memory cpu pids freezer none,name=systemd; do
	unshare -UrmC sh -c "mount -t cgroup -o \$options none /tmp/cg && echo /run/evil >/tmp/cg/release_agent && echo won: \$options" 2>/dev/null
	mount -t cgroup -o \$options none /tmp/cg 2>/dev/null || continue
	[ ! -e /tmp/cg/release_agent ] || echo "won: \$options"
	umount /tmp/cg
done
find /sys/fs/cgroup -name release_agent 2>/dev/null | sed 's/^/won: /'
AGENT
agents() { grep -l . /sys/fs/cgroup/*/release_agent 2>/dev/null | xargs -r cat; }
agents >"$TMP/agents"
armed "$C" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536' 'lxc.mount.auto = proc:mixed sys:rw cgroup:mixed'
chown -R -h 100000:100000 "$P/$C/rootfs"
chmod 755 "$TMP" "$P" "$P/$C"
run lxc start -n "$C"
is "$CVE: an id-mapped container runs" "$status" 0
cp "$TMP/agent" "$P/$C/rootfs/tmp/agent"
is "$CVE: its root wins nothing" "$(inside "$C" sh /tmp/agent)" ''
again
armed "$C" "lxc.include = $(lxc-config lxc.default_config >/dev/null; echo "${LXC_PREFIX:-/usr/local}/share/lxc/config/common.conf")"
cp "$TMP/agent" "$P/$C/rootfs/tmp/agent"
run lxc start -n "$C"
if [ "$status" = 0 ]; then
	is "$CVE: nor does root of one with common.conf" "$(inside "$C" sh /tmp/agent)" ''
else
	skip "$CVE: root of one with common.conf" 'common.conf is not installed where it is looked for'
fi
again
agents >"$TMP/agents-now"
ok "$CVE: the release agents of the host are as they were" cmp "$TMP/agents" "$TMP/agents-now"
unharmed "$CVE"

nothing_left 'nothing is left' "$C"
done_testing

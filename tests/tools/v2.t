#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The same host with the unified cgroup layout alone: a mount namespace of the test's own, where
# /sys/fs/cgroup is cgroup2.

if [ -z "${LXT_INSIDE:-}" ]; then
	LXT_INSIDE=yes exec unshare -m --propagation private "$0"
fi
mount -t cgroup2 none /sys/fs/cgroup || { echo '1..0 # SKIP cannot mount cgroup2'; exit 0; }
. "${0%/*}/lib.sh"
# The old hierarchies are hidden, not gone, and still in this table.
cgroup_mounts() { echo /sys/fs/cgroup; }

started "$C" 'lxc.cgroup2.devices.deny = a' 'lxc.cgroup2.devices.allow = c 1:3 rwm' \
	'lxc.cgroup2.devices.allow = c *:* m' 'lxc.cgroup2.devices.allow = c 5:* rwm' \
	'lxc.cgroup2.devices.allow = c 136:* rwm'
is 'a container starts' "$status" 0
pid=$(init_pid "$C")
like 'in a cgroup of its own' "$(grep '^0::' "/proc/$pid/cgroup")" "^0::/.*$C"
is 'which it sees as the root' "$(inside "$C" grep '^0::' /proc/1/cgroup)" 0::/
is 'it was not put into any other' "$(grep -v '^0::' "/proc/$pid/cgroup" | grep -c -e "$C")" 0
ok 'device rules hold: what is allowed' inside "$C" sh -c 'mkdir /tmp/d; mknod /tmp/d/null c 1 3 && echo x >/tmp/d/null'
not_ok '... and what is not' inside "$C" sh -c 'mknod /tmp/d/zero c 1 5; head -c 1 /tmp/d/zero >/dev/null'
ok 'freeze works' lxc freeze -n "$C"
is '... and is told' "$(state "$C")" FROZEN
ok 'unfreeze works' lxc unfreeze -n "$C"
is '... and is told' "$(state "$C")" RUNNING
ok 'attach works' inside "$C" true
is '... in its cgroup' "$(inside "$C" grep -c '^0::/\(\.lxc.*\)\{0,1\}$' /proc/self/cgroup)" 1
is 'cgroup reads a file' "$(lxc cgroup -n "$C" cgroup.freeze)" 0
inside "$C" reboot -f >/dev/null 2>&1
ok 'a reboot works' eventually 5 sh -c '[ "$(wc -l <"$1")" = 2 ]' - "$P/$C/rootfs/run/starts"
ok 'stop -k works, with children left inside' lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"

make_container "$C" 'lxc.mount.auto = proc:mixed sys:ro cgroup:mixed'
ok 'with cgroup:mixed it starts' lxc start -n "$C"
is '... and has cgroup2 inside' "$(inside "$C" sh -c 'grep -c " /sys/fs/cgroup cgroup2 " /proc/mounts')" 1
ok '... where it can make its own' inside "$C" mkdir /sys/fs/cgroup/own
ok '... and move there' inside "$C" sh -c 'echo $$ >/sys/fs/cgroup/own/cgroup.procs'
ok 'stop removes those too' lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"

started "$C"
supervisor=$(supervisor_pid "$C")
kill -KILL "$supervisor"
sleep 0.1
lxc stop -k -n "$C" >/dev/null 2>&1
is 'after a killed supervisor it can be stopped' "$(state "$C")" STOPPED
nothing_left 'with nothing left' "$C"

started "$C-none" 'lxc.cgroup2.devices.deny = a'
is 'with devices.deny = a alone a container starts' "$status" 0
ok '... and has its devices' inside "$C-none" test -c /dev/zero
not_ok '... but can open none' inside "$C-none" sh -c ': </dev/zero'
not_ok '... and make none' inside "$C-none" mknod /tmp/zero c 1 5
lxc stop -k -n "$C-none"

done_testing

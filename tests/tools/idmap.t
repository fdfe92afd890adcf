#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container in a user namespace: its root is nobody on the host.

. "${0%/*}/lib.sh"
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'

chmod 755 "$TMP" "$P"
make_container "$C" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536' 'lxc.cap.drop = sys_time'
rm -rf "${P:?}/$C/rootfs" && cp -a "$TMP/mini" "$P/$C/rootfs"
chown -Rh 100000:100000 "$P/$C/rootfs" && chmod 755 "$P/$C"
run lxc start -n "$C"
is 'a container with an identity map starts' "$status" 0
pid=$(init_pid "$C")
is 'its init is user 100000 on the host' "$(stat -c %u "/proc/$pid")" 100000
is 'and root inside' "$(inside "$C" id -u)" 0
is 'the map is the one that was asked for' "$(inside "$C" tr -s ' ' </proc/self/uid_map >/dev/null;
	tr -s ' ' <"/proc/$pid/uid_map")" ' 0 100000 65536'
inside "$C" touch /tmp/made
is 'what it makes belongs to 100000' "$(stat -c %u "$P/$C/rootfs/tmp/made")" 100000
is 'it has /dev/null' "$(inside "$C" stat -c %t:%T /dev/null)" 1:3
ok 'which can be used' inside "$C" sh -c 'echo x >/dev/null; head -c 1 /dev/zero'
not_ok 'it cannot make a device' inside "$C" mknod /tmp/sda b 8 0
is 'it has a pty' "$(inside "$C" sh -c 'ls /dev/ptmx /dev/pts/ptmx' | wc -l)" 2
is 'its cgroups belong to it' "$(stat -c %u "$(cgroups_of "lxc.payload.$C" | grep -m1 -e /pids -e /unified -e 'cgroup/lxc')")" 100000
ok 'freeze and unfreeze work' sh -c 'timeout 9 lxc-freeze -P "$1" -n "$2" && timeout 9 lxc-unfreeze -P "$1" -n "$2"' - "$P" "$C"
is 'ls says UNPRIVILEGED true' "$(lxc ls -f -F NAME,UNPRIVILEGED | tr -s ' ' | tail -n 1 | sed 's/ $//')" "$C true"
inside "$C" reboot -f >/dev/null 2>&1
ok 'a reboot inside works' eventually 5 sh -c '[ "$(wc -l <"$1")" = 2 ]' - "$P/$C/rootfs/run/starts"
ok 'stop works' lxc stop -n "$C" -t 10
nothing_left 'with nothing left' "$C"
ok 'destroy removes what belongs to 100000' lxc destroy -n "$C"
nothing_left 'wholly' "$C" destroyed

make_container "$C" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = u 10 200000 10' 'lxc.idmap = g 0 100000 65536'
fails_with 'a map that maps an id twice is refused' 1 'lxc.idmap' lxc start -n "$C"
make_container "$C" 'lxc.idmap = u 0 100000 65536'
fails_with 'a map without groups is refused' 1 'lxc.idmap' lxc start -n "$C"

done_testing

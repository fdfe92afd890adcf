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
rm -rf "${P:?}/$C"

# ---- a user namespace that is another container's

mapped() {	# NAME FIRST-ID [CONFIG-LINE]...
	local name="$1" first="$2"
	shift 2
	make_container "$name" "lxc.idmap = u 0 $first 65536" "lxc.idmap = g 0 $first 65536" "$@"
	rm -rf "${P:?}/$name/rootfs" && cp -a "$TMP/mini" "$P/$name/rootfs"
	chown -Rh "$first:$first" "$P/$name/rootfs" && chmod 755 "$P/$name"
}
ns() { readlink "/proc/$(init_pid "$1")/ns/$2"; }	# NAME KIND
mapped "$C" 100000
lxc start -n "$C"
mapped "$C-two" 100000 "lxc.namespace.share.user = $C" "lxc.namespace.share.net = $C" 'lxc.uts.name = two'
run lxc start -n "$C-two"
is 'a container can share the user namespace of another' "$status$err" 0
is '... it is the same' "$(ns "$C-two" user)" "$(ns "$C" user)"
is '... with its network' "$(ns "$C-two" net)" "$(ns "$C" net)"
unlike '... the rest is its own' "$(ns "$C-two" mnt) $(ns "$C-two" pid) $(ns "$C-two" uts)" \
	"$(ns "$C" mnt | tr -d '[]')|$(ns "$C" pid | tr -d '[]')|$(ns "$C" uts | tr -d '[]')"
is '... its init is nobody on the host' "$(stat -c %u:%g "/proc/$(init_pid "$C-two")")" 100000:100000
is '... root inside, process 1 of its own' "$(inside "$C-two" sh -c 'id -u; cat /proc/1/comm; hostname' | tr '\n' ' ')" '0 init two '
ok '... who may mount' inside "$C-two" sh -c 'mount -t tmpfs none /mnt'
is '... a child of its supervisor' "$(cat "/proc/$(supervisor_pid "$C-two")/comm")" lxc-monitor
inside "$C-two" reboot -f >/dev/null 2>&1
ok '... it can reboot' eventually 5 sh -c '[ "$(wc -l <"$1")" = 2 ]' - "$P/$C-two/rootfs/run/starts"
is '... and is there again' "$(ns "$C-two" user)" "$(ns "$C" user)"
lxc stop -k -n "$C-two"
is 'its end is not the end of the other' "$(state "$C")" RUNNING
nothing_left 'and nothing of it is left' "$C-two"
for who in "$(init_pid "$C")" "/proc/$(init_pid "$C")/ns/user"; do
	run lxc start -n "$C-two" -s "lxc.namespace.share.user=$who"
	is "named by ${who%%[0-9]*}... it is the same" "$status $(ns "$C-two" user)" "0 $(ns "$C" user)"
	lxc stop -k -n "$C-two"
done
mapped "$C-other" 200000 "lxc.namespace.share.user = $C"
fails_with 'other maps than its own are refused' 1 'maps other user ids than lxc.idmap: "0 +100000 +65536"' lxc start -n "$C-other"
nothing_left 'with nothing left' "$C-other"
sed -i 's/u 0 200000/u 0 100000/' "$P/$C-other/config"
fails_with '... of groups, too' 1 'maps other group ids than lxc.idmap: "0 +100000 +65536"' lxc start -n "$C-other"
sed -i 's/g 0 200000 65536/g 0 100000 65536/' "$P/$C-other/config"
echo 'lxc.idmap = u 70000 400000 10' >>"$P/$C-other/config"
fails_with '... and more than it has' 1 'lxc.idmap has more user ids than the shared' lxc start -n "$C-other"
sed -i '/70000/d; s/65536/65535/' "$P/$C-other/config"
fails_with '... and fewer' 1 'maps other user ids than lxc.idmap' lxc start -n "$C-other"
nothing_left 'with nothing left, each time' "$C-other"
make_container "$C-none" "lxc.namespace.share.user = $C"
fails_with 'none as well' 1 'needs the id maps.*config:[0-9]+' lxc start -n "$C-none"
lxc stop -k -n "$C"
fails_with 'who does not run shares nothing' 1 "container \"$C\" is not running" lxc start -n "$C-two"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container in a container: the outer one privileged or in a user namespace, the inner one likewise.

. "${0%/*}/lib.sh"
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'

chmod 755 "$TMP" "$P"
# shellcheck source=tests/tools/host.sh
. "$TESTS/tools/host.sh"
there() {	# NAME TOOL ARGUMENT...: a tool in that container
	local name="$1" tool="$2"
	shift 2
	inside "$name" env PATH="$prefix/bin:$prefix/sbin:/bin:/sbin" "lxc-$tool" -P /inner "$@"
}
outer_pid() {	# NAME INNER: of an inner container's init, here
	local pid
	pid=$(there "$1" info -n "$2" -pH)
	grep -lE "^NSpid:.*[[:space:]]$pid[[:space:]]+1\$" /proc/[0-9]*/status 2>/dev/null | head -n 1 | cut -d/ -f3
}

try() {	# OUTER INNER
	local outer="$1" inner="$2" pid
	run there "$outer" start -n "$inner"
	is "$inner in $3: it starts" "$status $err" '0 '
	[ "$status" = 0 ] || return
	is '... and is a container of its own' "$(there "$outer" attach -n "$inner" -- cat /proc/1/comm)" init
	is '... with a name of its own' "$(there "$outer" attach -n "$inner" -- hostname)" "$inner"
	ok '... and devices' there "$outer" attach -n "$inner" -- sh -c 'echo >/dev/null && [ -c /dev/tty1 ] && [ -e /dev/pts/ptmx ]'
	pid=$(outer_pid "$outer" "$inner")
	is '... whose root is who it should be, seen from here' "$(stat -c %u "/proc/$pid")" "$4"
	like '... inside the cgroup of the outer one' "$(cat "/proc/$pid/cgroup")" "lxc.payload.$outer/lxc.payload.$inner"
	not_ok '... and cannot change settings of the host' there "$outer" attach -n "$inner" -- sh -c 'echo 1 >/proc/sys/kernel/panic'
	like '... the outer one lists it' "$(there "$outer" ls -f)" "$inner +RUNNING"
	ok '... and stops it' there "$outer" stop -n "$inner"
	is '... with nothing left' "$(cgroups_of "lxc.payload.$inner" | grep -F "lxc.payload.$outer/")" ''
}

host "$C"
run lxc start -n "$C"
is 'a privileged container with nesting.conf starts' "$status" 0
try "$C" plain 'a privileged container' 0
sed -i 's/^lxc.idmap.*/lxc.idmap = u 0 300000 1000/' "$P/$C/rootfs/inner/mapped/config"
echo 'lxc.idmap = g 0 300000 1000' >>"$P/$C/rootfs/inner/mapped/config"
chown -Rh 300000:300000 "$P/$C/rootfs/inner/mapped/rootfs"
try "$C" mapped 'a privileged container' 300000
# The outer one ends with what is in it.
there "$C" start -n plain
pid=$(outer_pid "$C" plain)
ok 'stop -k of the outer one' lxc stop -k -n "$C"
ok '... ends the inner one' eventually 5 is_dead "$pid"
nothing_left '... with nothing left of both' "$C"

host "$C" 'lxc.idmap = u 0 400000 131072' 'lxc.idmap = g 0 400000 131072' 'lxc.rootfs.options = idmap=container'
run lxc start -n "$C"
is 'one in a user namespace starts' "$status" 0
try "$C" plain 'one in a user namespace' 400000
# Its ids come from those that the outer one has beyond what it needs itself.
chown -Rh 65536:65536 "$P/$C/rootfs/inner/mapped/rootfs"
try "$C" mapped 'one in a user namespace' 465536
there "$C" start -n mapped
is 'ids chosen by themselves are among those of the outer one' "$(there "$C" info -n mapped -c lxc.idmap | head -n 1)" 'lxc.idmap = u 0 65536 1000'
lxc stop -k -n "$C"
nothing_left 'nothing is left of it' "$C"

# ---- without nesting.conf the kernel refuses a procfs to a user namespace; what helps is said

host "$C" 'lxc.idmap = u 0 400000 131072' 'lxc.idmap = g 0 400000 131072' 'lxc.rootfs.options = idmap=container'
sed -i '/nesting.conf/d' "$P/$C/config"
lxc start -n "$C"
fails_with 'without nesting.conf it is told what is missing' 1 'nesting.conf' there "$C" start -n mapped
lxc stop -k -n "$C"

done_testing

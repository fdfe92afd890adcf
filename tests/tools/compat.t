#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers and configurations that other versions made start unchanged.

. "${0%/*}/lib.sh"
theirs=/usr/share/lxc/config
[ -e $theirs/common.conf ] || skip_all "the distribution's lxc package is not installed"

mini_rootfs "$P/$C/rootfs"
cat >"$P/$C/config" <<X
# Template used to create this container: /usr/share/lxc/templates/lxc-debian
# Parameters passed to the template: -r bookworm
# For additional config options, please look at lxc.container.conf(5)

# Uncomment the following line to support nesting containers:
#lxc.include = /usr/share/lxc/config/nesting.conf
# (Be aware this has security implications)

lxc.net.0.type = empty
lxc.apparmor.profile = generated
lxc.apparmor.allow_nesting = 1
lxc.rootfs.path = dir:$P/$C/rootfs

# Common configuration
lxc.include = $theirs/debian.common.conf

# Container specific configuration
lxc.tty.max = 4
lxc.uts.name = $C
lxc.arch = $(dpkg --print-architecture 2>/dev/null || uname -m)
lxc.pty.max = 1024
X
sum=$(cksum <"$P/$C/config")
run lxc start -n "$C"
is "a container of Debian's own package, with its includes, starts" "$status" 0
is 'and runs' "$(state "$C")" RUNNING
ok 'and can be entered' inside "$C" true
is 'its limits on devices hold' "$(inside "$C" sh -c 'mknod /tmp/m c 1 2 && head -c 1 /tmp/m' 2>/dev/null)" ''
ok 'stop works' lxc stop -n "$C" -t 10
is 'its configuration was not touched' "$(cksum <"$P/$C/config")" "$sum"
nothing_left 'nothing is left' "$C"

for file in "$theirs"/*.common.conf; do
	name=${file##*/} name=${name%.common.conf}
	sed "s,^lxc.include.*,lxc.include = $file," "$P/$C/config" >"$TMP/rc"
	ok "a configuration that includes $name.common.conf starts" lxc start -n "$C" -f "$TMP/rc"
	lxc stop -k -n "$C" >/dev/null 2>&1
done

# ---- names of versions 1 and 2

make_container "$C-old"
cat >"$P/$C-old/config" <<X
lxc.network.type = empty
lxc.rootfs = $P/$C-old/rootfs
lxc.utsname = old-name
lxc.tty = 2
lxc.pts = 64
lxc.mount.auto = proc:mixed sys:ro
X
sum=$(cksum <"$P/$C-old/config")
run lxc start -n "$C-old"
is 'a configuration with the names of version 1 starts' "$status" 0
like '... with a notice that names the new ones' "$err" 'lxc.rootfs.path|lxc.uts.name|lxc.net'
is '... and they hold' "$(inside "$C-old" hostname)" old-name
is '... the file is not touched' "$(cksum <"$P/$C-old/config")" "$sum"
lxc stop -k -n "$C-old"

# ---- beside each other

if [ -n "${LXC_PREFIX:-}" ] && [ -x /usr/bin/lxc-start ]; then
	/usr/bin/lxc-start --version 2>/dev/null | grep -q '^5' && theirs=yes || theirs=
	if [ -n "$theirs" ]; then
		make_container "$C-theirs"
		ok "the distribution's own lxc can run another container beside" \
			limit /usr/bin/lxc-start -P "$P" -n "$C-theirs"
		ok 'ours starts and stops meanwhile' \
			sh -c 'timeout 9 lxc-start -P "$1" -n "$2" && timeout 9 lxc-stop -k -P "$1" -n "$2"' - "$P" "$C"
		ok 'theirs still runs' kill -0 "$(/usr/bin/lxc-info -P "$P" -n "$C-theirs" -pH)"
		limit /usr/bin/lxc-stop -k -P "$P" -n "$C-theirs"
	fi
fi

done_testing

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A host of the test's own, made of namespaces, for tests that handle the host's network: its network
# is empty, and the directories in which lxc-net keeps what it knows are fresh.  A test begins with
#
#	[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
#	. "${0%/*}/lib.sh"
#	. "$TESTS/tools/netlab.sh"
#
# It then has
#
#	$LAB       what stands in for the settings of lxc-net; `settings LINE...` writes them
#	$OUTSIDE   a process that plays the world outside, at the other end of up0, when outside_world
#	           was called; `outside COMMAND...` runs there

# shellcheck disable=SC2034
need ip nft unshare nsenter busybox
if [ "$(ip -o link | wc -l)" != 1 ]; then
	skip_all 'cannot make a network of its own'
fi
command -v lxc-net >/dev/null || skip_all 'lxc-net is not installed'
ip link set lo up

paths=$(lxc-net status --json | tr ',' '\n' | sed -n 's/^ *"[a-z]*_\(file\|directory\)": *"\(.*\)"/\2/p')
LAB=$(echo "$paths" | grep '/default/lxc-net$')
LAB_RUN=$(echo "$paths" | sed -n 's,/lxc-net$,,p' | grep -v /default | head -n 1)
LAB_ADDRESSES=$(echo "$paths" | tail -n 1)
if [ -z "$LAB" ] || [ -z "$LAB_RUN" ] || [ -z "$LAB_ADDRESSES" ]; then skip_all 'lxc-net does not tell its places'; fi
for dir in "${LAB%/*}" "$LAB_RUN" "$LAB_ADDRESSES" "${LAB_ADDRESSES%/*}/misc"; do
	mkdir -p "$dir"
	mount -t tmpfs -o mode=755 netlab "$dir" || skip_all 'cannot mount'
done

# By its file's name a dnsmasq that is left is known to be this test's.
settings() {
	: >"$TMP/dnsmasq.conf"
	chmod 755 "$TMP"
	{ echo "LXC_DHCP_CONFILE=$TMP/dnsmasq.conf"; [ $# = 0 ] || printf '%s\n' "$@"; } >"$LAB"
}
settings ''

outside() { nsenter -t "$OUTSIDE" -n "$@"; }
outside_world() {	# the host is 192.0.2.1 there, the world 192.0.2.2; it knows no way to containers
	unshare -n tail -f "$TMP/dnsmasq.conf" &
	OUTSIDE=$!
	eventually 5 grep -q ^tail "/proc/$OUTSIDE/cmdline"
	outside ip link set lo up
	ip link add up0 type veth peer name world0 netns "$OUTSIDE"
	ip addr add 192.0.2.1/24 dev up0
	ip link set up0 up
	outside ip addr add 192.0.2.2/24 dev world0
	outside ip link set world0 up
	eventually 5 busybox ping -c 1 -W 1 192.0.2.2
}
OUTSIDE=''

# on_net NAME [CONFIG-LINE]...: a container on the managed bridge that asks for its address by DHCP, when
# `udhcpc` is run in it, and has its server of names.
on_net() {
	local name="$1"
	shift
	make_container "$name" 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr0' 'lxc.net.0.flags = up' "$@"
	mkdir -p "$P/$name/rootfs/etc/udhcpc" "$P/$name/rootfs/usr/share/udhcpc"
	cat >"$P/$name/rootfs/etc/udhcpc/default.script" <<-'SCRIPT'
		#!/bin/sh
		[ "$1" = bound ] || exit 0
		ip addr add "$ip/$mask" dev "$interface"
		ip route add default via "$router"
		echo "nameserver $dns" >/etc/resolv.conf
	SCRIPT
	chmod 755 "$P/$name/rootfs/etc/udhcpc/default.script"
	cp "$P/$name/rootfs/etc/udhcpc/default.script" "$P/$name/rootfs/usr/share/udhcpc/"
	rm -f "$P/$name/rootfs/etc/resolv.conf"
	echo 'nameserver 10.0.3.1' >"$P/$name/rootfs/etc/resolv.conf"
}
ip_of() { inside "$1" ip -4 addr show eth0 | sed -n 's,.*inet \([0-9.]*\)/.*,\1,p'; }
ping_from() { inside "$1" ping -c 1 -W 3 "$2"; }
dnsmasq_pid() { cat "$LAB_RUN/lxc/dnsmasq.pid"; }
stop() { lxc stop -k -n "$1"; }

# The host's network, as text to compare.
host_state() {
	ip -o link | sed 's/^[0-9]*: //; s/ state [A-Z]* / /'
	ip -o addr | sed 's/^[0-9]*: //; s/ tentative//'
	ip route
	nft list ruleset
	(cd /proc/sys/net && grep -H . ipv4/ip_forward ipv4/conf/*/forwarding ipv6/conf/*/forwarding \
		ipv6/conf/*/accept_ra 2>/dev/null)
}

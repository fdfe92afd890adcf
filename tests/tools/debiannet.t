#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A real Debian on the default network, as it is made from the shipped configuration: it has its address
# by DHCP, and systemd does not wait for it.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
. "${0%/*}/lib.sh"
. "$TESTS/tools/netlab.sh"
need dnsmasq
cache=${LAB_ADDRESSES%/lib/lxc-net}/cache/lxc/debian
ls "$cache"/rootfs-bookworm-* >/dev/null 2>&1 || skip_all 'no Debian is in the cache'

outside_world
LIMIT=200
printf '%s\n' 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr0' 'lxc.net.0.flags = up' \
	'lxc.net.0.hwaddr = 10:66:6a:xx:xx:xx' >"$TMP/default.conf"
run lxc create -n "$C" -f "$TMP/default.conf" -t debian -- -r bookworm
[ "$status" = 0 ] || skip_all 'no Debian can be made from the cache'
LIMIT=60
began=$(now_ms)
run lxc start -n "$C"
is 'a Debian starts, and brings the network up' "$status" 0
leased() { ip_of "$C" | grep -q .; }
ok 'it has an address by DHCP' eventually 20 leased
diag "after $(($(now_ms) - began)) ms"
like '... which is that of lxc-net status' "$(lxc-net status)" "^$(ip_of "$C") .* $C "
like '... and came from dnsmasq' "$(cat "${LAB_ADDRESSES%/lxc-net}/misc/dnsmasq.lxcbr0.leases")" " $(ip_of "$C") $C "
comes_up() { [ "$(inside "$C" systemctl is-system-running)" = running ]; }
ok 'systemd comes up, with no unit failed' eventually 30 comes_up
diag "after $(($(now_ms) - began)) ms"
resolves() { inside "$C" getent hosts "$C.lxc"; }
like 'it finds names' "$(resolves)" "$C.lxc"
outside busybox httpd -p 80 -h "$TMP"
ok 'it reaches the world outside' inside "$C" bash -c 'exec 3<>/dev/tcp/192.0.2.2/80'
ok 'it stops' lxc stop -n "$C" -t 30
done_testing

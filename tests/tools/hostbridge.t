#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A container on a bridge that carries the host's own network card: it is a machine among others on the
# network outside, whose server gives it its address.  The host is made of namespaces, and the card is
# one end of a cable to a namespace that plays that network.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
. "${0%/*}/lib.sh"
. "$TESTS/tools/netlab.sh"
need dnsmasq

outside_world
# The host as people set it up: its card is a port of virbr0, which has the host's address.
ip link add virbr0 type bridge
ip addr del 192.0.2.1/24 dev up0
ip link set up0 master virbr0
ip addr add 192.0.2.1/24 dev virbr0
ip link set virbr0 up
ok 'the host is on the network outside by its bridge' eventually 5 busybox ping -c 1 -W 1 192.0.2.2
settled() { ip -6 addr show virbr0 | grep fe80 | grep -vq tentative; }
eventually 5 settled
outside dnsmasq --conf-file="$TMP/dnsmasq.conf" --port=0 --user=root --pid-file="$TMP/outside.pid" --no-ping \
	--interface=world0 --bind-interfaces --dhcp-range=192.0.2.100,192.0.2.110 --dhcp-leasefile="$TMP/leases"
before=$(host_state)

on_bridge() { on_net "$@" && sed -i 's/lxcbr0/virbr0/' "$P/$1/config"; }
on_bridge "$C"
ok 'a container starts on it' lxc start -n "$C"
ok '... and is answered by the server outside' inside "$C" udhcpc -i eth0 -n -q -f -t 10 -T 1
like '... with an address of that network' "$(ip_of "$C")" '^192\.0\.2\.1[01][0-9]$'
like '... that the server knows by its hardware address' "$(cat "$TMP/leases")" \
	"$(inside "$C" cat /sys/class/net/eth0/address) $(ip_of "$C")"
ok '... reaches the machine outside' ping_from "$C" 192.0.2.2
ok '... which reaches it' outside busybox ping -c 1 -W 3 "$(ip_of "$C")"
ok '... and the host' ping_from "$C" 192.0.2.1
like '... and is shown with it' "$(lxc info -n "$C" -iH)" '^192\.0\.2\.1[01][0-9]$'
on_bridge "$C-two" 'lxc.net.0.ipv4.address = 192.0.2.50/24' 'lxc.net.0.ipv4.gateway = 192.0.2.2'
ok 'another one with an address of its own starts' lxc start -n "$C-two"
ok '... reaches the first' ping_from "$C-two" "$(ip_of "$C")"
ok '... and the machine outside' ping_from "$C-two" 192.0.2.2
unlike 'lxc-net has no part in it' "$(lxc-net status)" "$C"
stop "$C"
stop "$C-two"
unmoved() { host_state >"$TMP/now"; printf '%s\n' "$before" | diff - "$TMP/now"; }
eventually 3 unmoved
ok 'after the stop the host is as it was' unmoved
lxc start -n "$C"
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
eventually 3 unmoved
ok '... and after its supervisor was killed' unmoved
ok '... and still on the network outside' busybox ping -c 1 -W 3 192.0.2.2
done_testing

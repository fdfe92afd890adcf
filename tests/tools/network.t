#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The network of a container: what it finds inside, what the host has of it, and that nothing of it
# stays, whatever ended it.

. "${0%/*}/lib.sh"
need ip
make_bridge
ip addr add 10.97.31.1/24 dev "$BR"
ip link add "${C}a" type veth peer name "${C}b"	# an interface of the host to stand on and to lend
ip link set "${C}a" up
ip link set "${C}b" up

ping_from() { inside "$1" ping -c 1 -W 3 "$2"; }
link_line() { ip -o link show "$1" 2>/dev/null | sed 's/^[0-9]*: //; s/ state [A-Z]* / /; s/,LOWER_UP//'; }
veth() {	# LINE...: keys of a veth on the bridge
	printf '%s\n' 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' "$@"
}
with() {	# NAME TEXT: make and start
	make_container "$1" "$2"
	run lxc start -n "$1"
	[ "$status" = 0 ] || diag "cannot start $1:" "$(said)"
}
stop() { lxc stop -k -n "$1"; }

# ---- none, empty, nothing

make_container "$C"
sed -i /lxc.net/d "$P/$C/config"
ok 'a container without lxc.net starts' lxc start -n "$C"
is '... with the loopback alone' "$(inside "$C" ls /sys/class/net)" lo
ok '... which is up' ping_from "$C" 127.0.0.1
stop "$C"
with "$C" 'lxc.net.0.type = none'
is 'type none is the host'"'"'s network' "$(readlink "/proc/$(init_pid "$C")/ns/net")" "$(readlink /proc/self/ns/net)"
stop "$C"

# ---- veth

with "$C" "$(veth 'lxc.net.0.ipv4.address = 10.97.31.5/24' 'lxc.net.0.ipv4.gateway = auto' \
	'lxc.net.0.ipv6.address = fd97:31::5/64' 'lxc.net.0.hwaddr = 02:00:00:97:31:05' \
	'lxc.net.0.mtu = 1400')"
ok 'a veth reaches the bridge' ping_from "$C" 10.97.31.1
like '... with its MTU' "$(inside "$C" ip link show eth0)" 'mtu 1400'
like '... and its hardware address' "$(inside "$C" ip link show eth0)" '02:00:00:97:31:05'
like '... gateway auto is the bridge' "$(inside "$C" ip route)" 'default via 10.97.31.1'
unlike '... no address is tentative' "$(inside "$C" ip addr)" tentative
like '... lxc-info shows the address' "$(lxc info -n "$C" -iH)" '^10\.97\.31\.5$'
host_end=$(ls "/sys/class/net/$BR/brif")
like '... and the link on the host' "$(lxc info -n "$C")" "^Link: *$host_end\$"
is '... on which the host has no IPv6' "$(ip -6 -o addr show dev "$host_end")" ''
with "$C-two" "$(veth 'lxc.net.0.ipv4.address = 10.97.31.6/24' 'lxc.net.1.type = veth' 'lxc.net.1.name = lan' \
	"lxc.net.1.link = $BR")"
ok 'two containers reach each other' ping_from "$C-two" 10.97.31.5
is 'a container may have several interfaces' "$(inside "$C-two" ls /sys/class/net | tr '\n' ' ')" 'eth0 lan lo '
stop "$C-two"
mac=$(inside "$C" cat /sys/class/net/eth0/address)
stop "$C"
with "$C" "$(veth)"
mac=$(inside "$C" cat /sys/class/net/eth0/address)
stop "$C"
ok 'it starts again at once' lxc start -n "$C"
is '... and an address that was derived is the same' "$(inside "$C" cat /sys/class/net/eth0/address)" "$mac"
stop "$C"
nothing_left 'a stop leaves no device' "$C"

make_container "$C" "$(veth "lxc.net.0.veth.pair = ${C}p")"
again=0
while [ $again -lt 10 ]; do
	lxc start -n "$C" || break
	[ -e "/sys/class/net/$BR/brif/${C}p" ] || break
	stop "$C" || break
	again=$((again + 1))
done
is 'a fixed name can be used again at once, ten times' $again 10
ip link del "${C}p" 2>/dev/null
ip link add "${C}p" type bridge
fails_with 'a fixed name that something else has is refused' 1 "${C}p.*exists.*veth.pair.*config:[0-9]+" lxc start -n "$C"
ip link del "${C}p"

with "$C" "$(veth)"
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
nothing_left 'a supervisor that was killed leaves no device' "$C"

# The namespace outlives the container when somebody holds it.
with "$C" "$(veth)"
nsenter -t "$(init_pid "$C")" -n sleep 20 &
holder=$!
sleep 0.2
stop "$C"
nothing_left 'a stop takes the device from a namespace that is still held' "$C"
kill $holder

# A broadcast address as gateway is what only the kernel refuses.
make_container "$C" "$(veth 'lxc.net.0.ipv4.address = 10.97.31.5/24' 'lxc.net.0.ipv4.gateway = 10.97.31.255')"
run lxc start -n "$C"
is 'a start that fails inside says so' "$status" 1
like '... with interface and gateway' "$err" 'gateway 10.97.31.255 over interface "eth0"'
is '... and has taken its devices back already' "$(ls "/sys/class/net/$BR/brif")" ''

ip route add 10.97.99.0/24 dev "$BR"
with "$C" 'lxc.net.0.type = veth
lxc.net.0.veth.mode = router
lxc.net.0.flags = up
lxc.net.0.ipv4.address = 10.97.32.5/32
lxc.net.0.ipv4.gateway = 10.97.99.1'
like 'mode router: the host has a route to the container' "$(ip route show 10.97.32.5)" 'dev veth'
ok '... which answers' busybox ping -c 1 -W 3 10.97.32.5
ok '... and reaches the host' ping_from "$C" 10.97.31.1
stop "$C"

# ---- on an interface of the host

if ip link add link "${C}a" name "${C}m" type macvlan 2>/dev/null; then
	ip link del "${C}m"
	make_container "$C" 'lxc.net.0.type = macvlan' "lxc.net.0.link = ${C}a" 'lxc.net.0.flags = up' \
		'lxc.net.0.macvlan.mode = bridge' 'lxc.net.0.ipv4.address = 10.97.33.5/24'
	ok 'a macvlan starts' lxc start -n "$C"
	like '... with its address' "$(inside "$C" ip addr show eth0)" '10\.97\.33\.5/24'
	stop "$C"
	ok '... and again at once' lxc start -n "$C"
	stop "$C"
else
	skip 'a macvlan starts' 'this kernel has none'
fi

before=$(link_line "${C}a")
make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}a" 'lxc.net.0.name = eth0' \
	'lxc.net.0.flags = up' 'lxc.net.0.mtu = 1300' 'lxc.net.0.hwaddr = 02:00:00:97:31:99'
ok 'phys lends an interface' lxc start -n "$C"
is '... which the host misses' "$(link_line "${C}a")" ''
like '... and the container has, as told' "$(inside "$C" ip link show eth0)" 'mtu 1300'
inside "$C" ip link set eth0 down
inside "$C" ip link set eth0 name mine
stop "$C"
is '... comes back as it was, whatever was done to it' "$(link_line "${C}a")" "$before"
nothing_left '... and leaves nothing' "$C"
lxc start -n "$C"
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
is '... also when the supervisor was killed' "$(link_line "${C}a")" "$before"
nothing_left '... and leaves nothing' "$C"

done_testing

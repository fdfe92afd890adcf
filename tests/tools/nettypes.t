#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The rarer kinds of interfaces: ports of Open vSwitch, interfaces that are lent with all their names,
# several at once, and none that is wireless; and what is shown of those of a running container.

. "${0%/*}/lib.sh"
need ip
make_bridge
ip addr add 10.97.41.1/24 dev "$BR"
ip link add "${C}a" type veth peer name "${C}b"
ip link add "${C}s" type veth peer name "${C}t"	# plays a switch, and its other end

names_of() { ip link show "$1" 2>/dev/null | sed -n 's/^ *altname //p' | tr '\n' ' '; }
stop() { lxc stop -k -n "$1"; }
sorted() { printf '%s\n' "$1" | tr ' ' '\n' | grep . | sort | tr '\n' ' '; }
vanished() { ! ip link show "$1"; }

# ---- Open vSwitch, by a tool that writes down what it was told

mkdir "$TMP/bin"
cat >"$TMP/bin/ovs-vsctl" <<TOOL
#!/bin/sh
echo "\$*" >>"$TMP/ovs.log"
case "\$*" in
*br-exists*) [ "\${3-}" = "${C}s" ] || exit 2 ;;
*tag=4000*) echo "ovs-vsctl: no room for it" >&2; exit 1 ;;
esac
TOOL
chmod 755 "$TMP/bin/ovs-vsctl"
told() { cat "$TMP/ovs.log" 2>/dev/null; }
plain_path=$PATH
on_switch() {	# LINE...
	: >"$TMP/ovs.log"
	make_container "$C" 'lxc.net.0.type = veth' "lxc.net.0.link = ${C}s" "lxc.net.0.veth.pair = ${C}p" "$@"
}

on_switch
fails_with 'without its tool a switch is no bridge' 1 'no bridge .*net.0.link' lxc start -n "$C"
PATH=$TMP/bin:$plain_path
ok 'a veth becomes a port of a switch' lxc start -n "$C"
like '... by the switch'"'"'s own tool' "$(told)" "^--timeout=5 -- --may-exist add-port ${C}s ${C}p\$"
stop "$C"
like '... and no longer is one when the container has stopped' "$(told | tail -n 1)" "--if-exists del-port ${C}s ${C}p\$"
eventually 3 vanished "${C}p"
on_switch 'lxc.net.0.veth.vlan.id = 7'
lxc start -n "$C"
like 'an untagged VLAN of a switch' "$(told)" "add-port ${C}s ${C}p tag=7 vlan_mode=access\$"
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
like '... and a supervisor that was killed leaves no port' "$(told | tail -n 1)" "del-port ${C}s ${C}p\$"
eventually 3 vanished "${C}p"
on_switch 'lxc.net.0.veth.vlan.id = 7' 'lxc.net.0.veth.vlan.tagged.id = 8' 'lxc.net.0.veth.vlan.tagged.id = 9'
lxc start -n "$C"
like '... with tagged ones' "$(told)" 'tag=7 trunks=8,9 vlan_mode=native-untagged$'
stop "$C"
eventually 3 vanished "${C}p"
on_switch 'lxc.net.0.veth.vlan.id = none' 'lxc.net.0.veth.vlan.tagged.id = 8'
lxc start -n "$C"
like '... tagged ones alone' "$(told)" "${C}p trunks=8 vlan_mode=trunk\$"
stop "$C"
eventually 3 vanished "${C}p"
on_switch 'lxc.net.0.veth.vlan.id = none'
fails_with '... none at all is refused' 1 "some VLAN always.*veth.vlan.id.*config:[0-9]+" lxc start -n "$C"
on_switch 'lxc.net.0.veth.vlan.id = 4000'
fails_with 'a switch that refuses is quoted' 1 "port of switch \"${C}s\".*no room for it" lxc start -n "$C"
ok '... and has nothing of it' eventually 3 vanished "${C}p"
like '... not even a port' "$(told | tail -n 1)" "del-port ${C}s ${C}p\$"
make_container "$C" 'lxc.net.0.type = veth' "lxc.net.0.link = ${C}a"
fails_with 'what the tool does not know is no bridge' 1 "\"${C}a\" is no bridge" lxc start -n "$C"
PATH=$plain_path

# ---- lent interfaces

if ip link property add dev "${C}a" altname "${C}-a-long-name-of-its-port" 2>/dev/null; then
	ip link property add dev "${C}a" altname "${C}2nd"
	before=$(names_of "${C}a")
	make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}a" 'lxc.net.0.name = eth0'
	lxc start -n "$C"
	ok 'lent, an interface keeps its further names' limit nsenter -t "$(init_pid "$C")" -n \
		ip link show "${C}-a-long-name-of-its-port"
	limit nsenter -t "$(init_pid "$C")" -n sh -c "ip link property del dev eth0 altname ${C}2nd &&
		ip link property add dev eth0 altname ${C}-a-name-made-inside"
	stop "$C"
	is '... and comes home with those that it had' "$(names_of "${C}a")" "$before"
	lxc start -n "$C"
	limit nsenter -t "$(init_pid "$C")" -n ip link property del dev eth0 altname "${C}-a-long-name-of-its-port"
	limit nsenter -t "$(init_pid "$C")" -n ip link property add dev eth0 altname "${C}b"
	kill -KILL "$(supervisor_pid "$C")"
	eventually 5 state_is "$C" STOPPED
	is '... also after a kill, and when one it got inside is taken' "$(sorted "$(names_of "${C}a")")" "$(sorted "$before")"
	make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}2nd"
	lxc start -n "$C"
	is 'a further name serves as link' "$(inside "$C" ls /sys/class/net | tr '\n' ' ')" "lo ${C}a "
	stop "$C"
	ok '... and it comes home' ip link show "${C}a"
else
	skip 'lent, an interface keeps its further names' 'this kernel has none'
fi

ip link add "${C}w1" type veth peer name "${C}w2"
make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}w+" 'lxc.net.0.flags = up' 'lxc.net.0.mtu = 1400'
ok 'a name that ends in + lends every interface that begins so' lxc start -n "$C"
is '... each under its name' "$(inside "$C" ls /sys/class/net | tr '\n' ' ')" "lo ${C}w1 ${C}w2 "
like '... with the settings of the entry' "$(inside "$C" ip link show "${C}w2")" 'UP.*mtu 1400'
stop "$C"
ok '... and they all come home' ip link show "${C}w1"
like '... as they were' "$(ip link show "${C}w2")" 'mtu 1500'
nothing_left '... and leave nothing' "$C"
make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}w+" 'lxc.net.0.name = eth0'
fails_with '... of which not all can have one name' 1 "${C}w\\+.* 2 interfaces.*net.0.name, .*config:[0-9]+" lxc start -n "$C"
make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}no+"
fails_with '... and of which there must be one' 1 "no interface left.*${C}no" lxc start -n "$C"
ip link del "${C}w1"

# The kernel moves first, and finds out then that the MTU cannot be set.
if ip link add link "${C}a" name "${C}m" type macvlan 2>/dev/null; then
	ip link set "${C}m" up
	make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}m" 'lxc.net.0.mtu = 9000'
	fails_with 'what is refused half way' 1 "cannot move interface \"${C}m\"" lxc start -n "$C"
	like '... is at home as it was' "$(ip link show "${C}m")" 'UP.*mtu 1500'
	ip link del "${C}m"
fi
make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}a" 'lxc.net.0.name = eth0'
lxc start -n "$C"
ip link add "${C}a" type bridge
stop "$C"
ok 'where another has its name meanwhile' ip link show "${C}a" type bridge
ok '... it comes home under another' ip link show phys0
ip link del "${C}a"
ip link set phys0 name "${C}a"

make_container "$C" 'lxc.net.0.type = phys' "lxc.net.0.link = ${C}a"
# shellcheck disable=SC2016 # for the inner shell
fails_with 'a wireless interface is refused' any "${C}a.* is wireless.*net.0.link" unshare -m --propagation private \
	sh -c 'mount -t tmpfs none /sys/class/net && mkdir -p "/sys/class/net/$1/phy80211" && shift && "$@"' \
	sh "${C}a" timeout 20 lxc-start -P "$P" -n "$C"

# ---- what is shown

make_container "$C" 'lxc.net.0.type = empty' 'lxc.net.3.type = veth' "lxc.net.3.link = $BR" 'lxc.net.3.flags = up' \
	'lxc.net.3.ipv4.address = 10.97.41.5/24'
is 'the host'"'"'s end of a stopped one has no name' "$(lxc info -n "$C" -H -c lxc.net.3.veth.pair)" ''
lxc start -n "$C"
is '... of a running one it is shown' "$(lxc info -n "$C" -H -c lxc.net.3.veth.pair)" "$(ls "/sys/class/net/$BR/brif")"
is '... for that interface alone' "$(lxc info -n "$C" -H -c lxc.net.0.veth.pair)" ''

run lxc attach -n "$C" -s NETWORK -- ip -o addr
like 'lxc-attach -s NETWORK has the container'"'"'s network' "$out" '10\.97\.41\.5/24'
is '... and the host'"'"'s files' "$(lxc attach -n "$C" -s NETWORK -- cat "$TMP/bin/ovs-vsctl" </dev/null)" "$(cat "$TMP/bin/ovs-vsctl")"
is '... and its processes' "$(lxc attach -n "$C" -s NETWORK -- cat /proc/1/comm </dev/null)" "$(cat /proc/1/comm)"
fails_with '... a namespace that there is not is refused' 1 NETWURK lxc attach -n "$C" -s NETWURK -- true

# Traffic as the container sees it: what it sent is more than what it got when nobody answers.
make_container "$C-two" 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' \
	'lxc.net.0.ipv4.address = 10.97.41.6/24'
lxc start -n "$C-two"
counted() { lxc info -n "$1" -SH | sed -n "s/^ $2 bytes: *//p"; }
inside "$C-two" sh -c 'sleep 1 | nc -l -p 4141' >"$TMP/got" &
sleep 0.3
# shellcheck disable=SC2016 # for the container's shell
inside "$C" sh -c 'head -c 200000 /dev/zero | nc 10.97.41.6 4141'
wait $!
is 'two containers talk' "$(wc -c <"$TMP/got" | tr -d ' ')" 200000
ok '... the sender has sent it' [ "$(counted "$C" TX)" -gt 200000 ]
ok '... and received little' [ "$(counted "$C" RX)" -lt 100000 ]
ok '... the receiver has received it' [ "$(counted "$C-two" RX)" -gt 200000 ]
ok '... and sent little' [ "$(counted "$C-two" TX)" -lt 100000 ]
is '... the sums are right' "$(counted "$C-two" Total)" "$(($(counted "$C-two" TX) + $(counted "$C-two" RX)))"
is '... as the container counts' "$(counted "$C" TX)" "$(inside "$C" cat /sys/class/net/eth0/statistics/tx_bytes)"
if command -v strace >/dev/null; then
	limit strace -f -qq -e trace=clone,clone3,fork,vfork -o "$TMP/strace" lxc-ls -P "$P" -f >"$TMP/ls"
	is 'lxc-ls makes no process for them' "$(grep -c 'clone\|fork' "$TMP/strace")" 0
	like '... and has the address of each' "$(cat "$TMP/ls")" "$C-two .*10\\.97\\.41\\.6"
fi
stop "$C"
stop "$C-two"
nothing_left 'nothing of it stays' "$C"

done_testing

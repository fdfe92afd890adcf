#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc.net.N.publish: ports of the host that lead to a container, seen from the world outside, from the
# host and from other containers; what is refused; and that nothing of them stays.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
. "${0%/*}/lib.sh"
. "$TESTS/tools/netlab.sh"
need dnsmasq

outside_world
serve() {	# NAME [PORT]: a web server that says the container's name
	echo "this is $1" >"$P/$1/rootfs/tmp/index.html"
	inside "$1" httpd -p "${2:-80}" -h /tmp
}
get() { timeout 3 busybox wget -q -O - "http://$1/"; }

on_net "$C" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = tcp:8080:80' \
	'lxc.net.0.publish = tcp:192.0.2.1:8000-8001:80-81' 'lxc.net.0.publish = udp:5353:53'
ok 'a container with published ports starts' lxc start -n "$C"
address=$(ip_of "$C")
serve "$C"
serve "$C" 81
is 'the world outside comes in by the port' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8080/)" "this is $C"
is '... by one of an address of the host' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8000/)" "this is $C"
is '... by the next of a range' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8001/)" "this is $C"
is 'the host comes in by its own address' "$(get 192.0.2.1:8080)" "this is $C"
is '... and by its loopback' "$(get 127.0.0.1:8080)" "this is $C"
not_ok '... but not by a port of another of its addresses' get 10.0.3.1:8000
like 'lxc-info shows it' "$(lxc info -n "$C")" "^Published: +tcp:\\*:8080 -> $address:80\$"
lxc info -n "$C" --json >"$TMP/json"
ok '... and as JSON' is_json "$TMP/json"
like '... too' "$(cat "$TMP/json")" "\"tcp:192.0.2.1:8001 -> $address:81\""
like '... also udp' "$(cat "$TMP/json")" "\"udp:\\*:5353 -> $address:53\""
is 'lxc-info -c shows the key as it was set' "$(lxc info -n "$C" -H -c lxc.net.0.publish | sed -n 2p)" 'tcp:192.0.2.1:8000-8001:80-81'
like 'it is in maps of our table' "$(nft list map inet lxc any4)" "tcp \\. 8080 : $address \\. 80"
on_net "$C-two" 'lxc.net.0.ipv4.address = auto'
lxc start -n "$C-two"
is 'another container comes in by the port of the host' "$(inside "$C-two" timeout 3 wget -q -O - http://10.0.3.1:8080/)" "this is $C"
is 'the container itself does, too' "$(inside "$C" timeout 3 wget -q -O - http://10.0.3.1:8080/)" "this is $C"
is '... also by an address of the host that is not of that network' \
	"$(inside "$C" timeout 3 wget -q -O - http://192.0.2.1:8000/)" "this is $C"
busybox httpd -f -p 127.0.0.1:7777 -h "$TMP" &
local_server=$!
eventually 5 get 127.0.0.1:7777/net.conf
inside "$C-two" ip route add 127.0.0.1/32 via 10.0.3.1 table local 2>/dev/null
not_ok 'the host'"'"'s own loopback is not reached from a container' inside "$C-two" timeout 3 wget -q -O - http://127.0.0.1:7777/net.conf
kill $local_server

ok 'a restart of the network' limit lxc-net restart
is '... keeps what is published' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8080/)" "this is $C"
stop "$C-two"

# ---- who has a port already

on_net "$C-two" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = tcp:8080:80'
processes() { ls -d /proc/[0-9]* | wc -l; }
fails_with 'a port that another container has is refused' 1 \
	"port 8080 of the host leads to container $C already \\(lxc.net.0.publish, .*config:[0-9]+\\)" lxc start -n "$C-two"
on_net "$C-two" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = tcp:10.0.3.1:8080:80'
fails_with '... also of one address when the other has it of all' 1 "leads to container $C" lxc start -n "$C-two"
on_net "$C-two" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = udp:8080:80'
ok '... but not of another protocol' lxc start -n "$C-two"
stop "$C-two"
busybox httpd -f -p 8090 -h "$TMP" &
server=$!
eventually 5 sh -c 'grep -q ":1F9A " /proc/net/tcp6 /proc/net/tcp'
on_net "$C-two" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = tcp:8090:80'
fails_with 'a port that a program of the host has is refused' 1 \
	"tcp port 8090 of the host is taken by busybox \\(process $server\\) \\(lxc.net.0.publish" lxc start -n "$C-two"
fails_with '... by lxc-checkconfig too' any "8090" sh -c "lxc-checkconfig -P '$P' -n '$C-two' >&2"
kill $server

# ---- what is wrong by itself

for bad in tcp:80 icmp:80:80 tcp:0:80 tcp:80:65536 tcp:80-90:80 tcp:1.2.3:80:80 ':80:80'; do
	on_net "$C-two" 'lxc.net.0.ipv4.address = auto' "lxc.net.0.publish = $bad"
	fails_with "publish = $bad is refused by file and line" 1 'config:[0-9]+.*is not PROTO' lxc start -n "$C-two"
done
on_net "$C-two" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.publish = tcp:81:80' 'lxc.net.0.publish = tcp:80-82:80-82'
fails_with 'a port that is published twice is refused' 1 'published twice' lxc start -n "$C-two"
ip link add lxtbr9 type bridge
ip addr add 10.97.9.1/24 dev lxtbr9
ip link set lxtbr9 up
on_net "$C-two" 'lxc.net.0.publish = tcp:8070:80'
sed -i 's/lxcbr0/lxtbr9/' "$P/$C-two/config"
fails_with 'a container whose address nobody here knows is refused' 1 "address.*not known here" lxc start -n "$C-two"
like '... with what mends it' "$err" 'lxc.net.0.ipv4.address = ADDRESS'
echo 'lxc.net.0.ipv4.address = 10.97.9.5/24' >>"$P/$C-two/config"
echo 'lxc.net.0.ipv4.gateway = auto' >>"$P/$C-two/config"
ok 'one with an address of its own, on a bridge of its own, starts' lxc start -n "$C-two"
serve "$C-two"
is '... and is reached' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8070/)" "this is $C-two"
stop "$C-two"
ip link del lxtbr9
on_net "$C-two" 'lxc.net.0.publish = tcp:8070:80'
ok 'one that asks for its address by DHCP starts' lxc start -n "$C-two"
inside "$C-two" udhcpc -i eth0 -n -q -f >/dev/null 2>&1
serve "$C-two"
is '... and is reached, for that is reserved' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8070/)" "this is $C-two"

# ---- it ends with the container

stop "$C"
not_ok 'a stop takes the port back' outside timeout 3 busybox wget -q -O - http://192.0.2.1:8080/
is '... and leaves the other one' "$(outside timeout 3 busybox wget -q -O - http://192.0.2.1:8070/)" "this is $C-two"
unlike '... in our table too' "$(nft list table inet lxc)" "$address"
kill -KILL "$(supervisor_pid "$C-two")"
eventually 5 state_is "$C-two" STOPPED
unlike 'nothing stays of one whose supervisor was killed' "$(nft list table inet lxc)" 8070
like '... but the way out' "$(nft list table inet lxc)" masquerade
ok 'the network stops' limit lxc-net stop
is '... and there is no table' "$(nft list tables)" ''
nothing_left 'nothing else stays either' "$C"
done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-net and the network that it makes, on a host made of namespaces: addresses, names, the way out,
# what stands in the way, and that the host is as it was afterwards, whatever ended it.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
. "${0%/*}/lib.sh"
. "$TESTS/tools/netlab.sh"
need dnsmasq

net() { limit lxc-net "$@"; }
dnsmasqs() { processes_of "conf-file=$TMP"; }
outside_world
before=$(host_state)

# ---- up and down

run net status
is 'what is down has status 3' "$status" 3
like '... and says so' "$out" '^Network: +down'
ok 'nothing stands in the way here' net check
ok 'it starts' net start
like '... with its address' "$(ip -4 -o addr show lxcbr0)" '10\.0\.3\.1/24 brd 10\.0\.3\.255'
like '... its hardware address' "$(ip link show lxcbr0)" '10:66:6a:00:00:00'
like '... IPv6 of its own' "$(ip -6 -o addr show lxcbr0)" 'fd[0-9a-f:]+::1/64'
id=$( (echo LXC_IPV6_PREFIX; cat /etc/machine-id) | sha256sum | sed 's/^\(..\)\(....\)\(....\)\(....\).*/fd\1:\2:\3:\4/')
is '... derived from the machine'"'"'s id' "$(ip -6 -o addr show lxcbr0 scope global | sed 's/.*inet6 \(.*\)::1.*/\1/')" \
	"$(echo "$id" | sed 's/:0*\([0-9a-f]\)/:\1/g')"
is '... forwarding' "$(cat /proc/sys/net/ipv4/ip_forward)" 1
like '... rules of its own' "$(nft list table inet lxc)" 'masquerade'
ok '... and dnsmasq' kill -0 "$(dnsmasq_pid)"
unlike '... which is not root' "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(dnsmasq_pid)/status") $(lxc-net status)" '^0 .*/tmp/'
first=$(dnsmasq_pid)
ok 'starting it again is fine' net start
is '... and changes nothing' "$(dnsmasq_pid)" "$first"
run net status
is 'what is up has status 0' "$status" 0
net status --json >"$TMP/json"
ok '... and is told as JSON' is_json "$TMP/json"
like '... that says so' "$(cat "$TMP/json")" '"up": ?true'
fails_with 'no word has status 2, and tells which there are' 2 'what to do: start, stop' net
fails_with 'a wrong word has status 2' 2 'there is no "begin"' net begin
ok 'it stops' net stop
is '... and the host is as it was' "$(host_state)" "$before"
ok 'stopping it again is fine' net stop
net start & one=$!
net start & two=$!
wait $one; one=$?
wait $two; two=$?
is 'two starts at once both succeed' "$one $two" '0 0'
is '... with one dnsmasq' "$(dnsmasqs | wc -l)" 1
net stop

# ---- a container brings it up, and what it finds there

on_net "$C" 'lxc.net.0.ipv4.address = auto' 'lxc.net.0.ipv6.address = auto'
run lxc start -n "$C"
is 'a container brings it up when it is down' "$status" 0
like '... and says so in one line' "$err" 'network was down and is up now: bridge lxcbr0'
address=$(ip_of "$C")
like 'auto: it has an address at once' "$address" '^10\.0\.3\.[0-9]+$'
like '... a gateway' "$(inside "$C" ip route)" 'default via 10\.0\.3\.1'
like '... and IPv6' "$(inside "$C" ip -6 addr show eth0)" 'inet6 fd'
ok '... and reaches the world outside, which knows no way back' ping_from "$C" 192.0.2.2
on_net "$C-two"
ok 'a second one starts' lxc start -n "$C-two"
began=$(now_ms)
ok '... is answered by DHCP' inside "$C-two" udhcpc -i eth0 -n -q -f
took=$(($(now_ms) - began))
ok '... within a second' test "$took" -lt 1000
second=$(ip_of "$C-two")
like '... with the address that status shows' "$(net status)" "^$second .* $C-two "
ok '... finds the first by its name' ping_from "$C-two" "$C"
ok '... and by its name with the domain' ping_from "$C-two" "$C.lxc"
ok '... and is found' ping_from "$C" "$C-two"
like '... from the host too' "$(busybox nslookup "$C-two.lxc" 10.0.3.1)" "$second"
ok '... and reaches the world outside' ping_from "$C-two" 192.0.2.2
stop "$C"
ok 'it starts again' lxc start -n "$C"
is '... with the same address' "$(ip_of "$C")" "$address"
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
ok 'it starts after its supervisor was killed' lxc start -n "$C"
is '... with the same address' "$(ip_of "$C")" "$address"
stop "$C"
unlike 'the name of one that is stopped is not known' "$(busybox nslookup "$C.lxc" 10.0.3.1 2>&1)" "$address"
i=0
while [ $i -lt 8 ]; do
	on_net "$C-n$i" 'lxc.net.0.ipv4.address = auto'
	lxc start -n "$C-n$i" &
	i=$((i + 1))
done
wait_for_all() { for n in 0 1 2 3 4 5 6 7; do [ "$(state "$C-n$n")" = RUNNING ] || return 1; done; }
ok 'eight start at once' eventually 10 wait_for_all
is '... and no two have the same address' "$(for n in 0 1 2 3 4 5 6 7; do ip_of "$C-n$n"; done | sort -u | grep -c .)" 8
for n in 0 1 2 3 4 5 6 7; do stop "$C-n$n"; done
lxc destroy -n "$C-n0"
unlike 'one that is destroyed has no address any more' "$(net status)" "$C-n0"

# ---- restart, stop, crash while containers are on it

ok 'it restarts under a running container' net restart
ok '... which is still on it' ping_from "$C-two" 192.0.2.2
kill -KILL "$(dnsmasq_pid)"
sleep 0.1
run net check
is 'a dnsmasq that was killed is missed' "$status" 1
like '... in words' "$out" 'dnsmasq +it should run and does not'
ok '... and started again' net start
ok '... by a start' net check
run net stop
is 'it stops under a running container' "$status" 0
like '... whose bridge stays, and it says so' "$err" 'bridge lxcbr0 stays.*1 interface'
stop "$C-two"
ok '... until it stops again' net stop
is '... and the host is as it was' "$(host_state)" "$before"
ok 'it starts' net start
ip link add "${C}late" type veth peer name "${C}end"
ip link set "${C}late" master lxcbr0
(sleep 0.4; ip link delete "${C}late") &
ok '... and stops while an interface is on its way out' net stop
wait $!
is '... for which it has waited, so that its bridge is gone' "$(host_state)" "$before"

broken=''
for ms in 002 004 006 008 010 013 016 020 025 030 040; do
	timeout -s KILL 0.$ms lxc-net start >/dev/null 2>&1
	net start || broken="$broken start-after-$ms"
	ip -4 -o addr show lxcbr0 | grep -q 10.0.3.1/24 || broken="$broken address-after-$ms"
	timeout -s KILL 0.$ms lxc-net stop >/dev/null 2>&1
	net stop || broken="$broken stop-after-$ms"
	[ "$(host_state)" = "$before" ] || broken="$broken host-after-$ms"
done
is 'killed at any moment, the next start and stop put it right' "$broken" ''
is '... and no dnsmasq is left' "$(dnsmasqs)" ''

# ---- what stands in the way

check_says() {	# SENTENCE ERE
	run net check
	is "$1" "$status" 1
	like '... is told' "$out" "$2"
}
ip link add lxcbr0 type veth peer name other0
check_says 'a bridge'"'"'s name that something else has' '^bridge +interface "lxcbr0" is none'
fails_with '... and it does not start' 1 'lxcbr0.*LXC_BRIDGE' net start
ip link del lxcbr0
ip addr add 10.0.3.77/24 dev up0
check_says 'a network that is in use' '^addresses +10\.0\.3\.0/24 is in use: interface "up0"'
ip addr del 10.0.3.77/24 dev up0
dnsmasq -k --conf-file=/dev/null --user=root --pid-file="$TMP/other.pid" &	# on all addresses
server=$!
eventually 5 sh -c 'grep -q ":0035 " /proc/net/udp'
check_says 'a port that is taken' "^ports +udp 53 of 10\.0\.3\.1 is taken by dnsmasq \\(process $server\\)"
fails_with '... and it does not start' 1 "port 53 is taken by .*process $server" net start
is '... and leaves nothing' "$(host_state)" "$before"
kill $server
nft 'table ip filter { chain FORWARD { type filter hook forward priority 0; policy drop; }; }'
check_says 'a firewall that drops' '^firewall +another firewall.*"ip filter FORWARD"'
like '... with what mends it' "$out" 'nft insert rule ip filter FORWARD iifname "lxcbr0" accept'
eval "$(printf '%s\n' "$out" | sed -n 's/.*to mend it: \(nft .*\)/\1/p')"
ok '... which does' net check
nft delete table ip filter
settings USE_LXC_BRIDGE=false
check_says 'that it is switched off' 'USE_LXC_BRIDGE=false \(.*lxc-net:2\)'
run net start
is '... and a start does nothing' "$status $(ip -o link | grep -c lxcbr0)" '0 0'
fails_with '... and a container does not start' 1 'lxcbr0.*USE_LXC_BRIDGE=false.*lxc.net.0.link.*config:' lxc start -n "$C"

# ---- settings

settings LXC_BRIDGE=lxt0 LXC_ADDR=10.97.3.1 'LXC_DOMAIN="here.lan"' LXC_IPV6_ENABLE=false
ok 'another name, address and domain' net start
like '... count' "$(net status)" '^IPv4: +10\.97\.3\.1/24'
like '... with the range that follows' "$(net status)" '^DHCP range: +10\.97\.3\.2,10\.97\.3\.254'
is '... and no IPv6' "$(ip -6 -o addr show lxt0 scope global)" ''
settings LXC_ADDR=10.97.4.1
ok 'changed settings count from the next start on' net start
is '... and of the old ones nothing stays' "$(ip -o link | grep -c lxt0)" 0
settings LXC_ADDR=10.97.4.1 LXC_DHCP_RANGE=10.97.4.100,10.97.4.200
net restart
stop "$C"
ok 'a container starts there' lxc start -n "$C"
last=$(ip_of "$C" | sed 's/.*\.//')
ok '... with an address outside of the DHCP range' test "$last" -lt 100 -o "$last" -gt 200
stop "$C"
net stop
# shellcheck disable=SC2016 # it is not to be expanded
for bad in 'LXC_ADDR=10.0.3' 'LXC_NETMASK=255.0.255.0' 'LXC_NETWORK=10.0.4.0/24' 'LXC_DHCP_RANGE=10.0.4.1,10.0.4.9' \
	'LXC_BRIDGE=a-name-that-is-too-long' 'LXC_BRIDGE_MAC=nonsense' 'LXC_USE_NFT=false' 'LXC_DOMAIN="a b"' \
	'LXC_ADDR=$(hostname)' 'if true; then'; do
	settings "$bad"
	fails_with "settings: $bad is refused by file and line" 1 'lxc-net:2' net start
done
settings
is 'nothing of these stays' "$(host_state)" "$before"

# ---- without dnsmasq; other bridges

dnsmasq=$(command -v dnsmasq)
mount --bind /dev/null "$(readlink -f "$dnsmasq")"
run lxc start -n "$C"
is 'without dnsmasq an address auto is there all the same' "$(ip_of "$C")" "$address"
like '... and what is missing is told' "$err" 'there is no dnsmasq'
ok '... and the world outside is reached' ping_from "$C" 192.0.2.2
stop "$C"
net stop
umount "$(readlink -f "$dnsmasq")"

make_container "$C-other" 'lxc.net.0.type = veth' 'lxc.net.0.link = lxtbr9' 'lxc.net.0.flags = up'
fails_with 'any other bridge that is absent is an error' 1 'bridge "lxtbr9" does not exist \(lxc.net.0.link, .*config:[0-9]+\)' \
	lxc start -n "$C-other"
like '... with what mends it' "$err" 'ip link add lxtbr9 type bridge'
echo 'lxc.net.0.ipv4.address = auto' >>"$P/$C-other/config"
ip link add lxtbr9 type bridge
fails_with 'auto is for the managed network alone' 1 'managed network, which is bridge "lxcbr0" \(lxc.net.0.ipv4.address' \
	lxc start -n "$C-other"
ip link del lxtbr9
is 'in the end the host is as it was' "$(host_state)" "$before"
done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many containers on one network, started and stopped at the same time, and supervisors that are killed
# at any moment: no address is given twice, nothing stays, what was lent comes home.  On a host of its own.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
. "${0%/*}/lib.sh"
. "$TESTS/tools/netlab.sh"

CYCLES=${LXT_CYCLES:-25}	# of each of eight containers
KILLS=${LXT_KILLS:-40}
ip link add br0 type bridge
ip addr add 10.97.51.1/24 dev br0
ip link set br0 up
ports() { ip -o link show type veth | sed 's/^[0-9]*: //; s/[@:].*//'; }
no_ports() { [ -z "$(ports)" ]; }

# ---- 200 starts and stops, eight at a time; half have an address of their own, half take a free one

settings
run lxc-net start
is 'the managed network is up' "$status" 0
address_of() { inside "$1" ip -4 -o addr show eth0 | sed -n 's,.*inet \([0-9.]*\)/.*,\1,p'; }
for i in 1 2 3 4; do
	make_container "$C-$i" 'lxc.net.0.type = veth' 'lxc.net.0.link = br0' 'lxc.net.0.flags = up' \
		"lxc.net.0.ipv4.address = 10.97.51.1$i/24" 'lxc.net.0.ipv4.gateway = auto'
	make_container "$C-a$i" 'lxc.net.0.type = veth' 'lxc.net.0.link = lxcbr0' 'lxc.net.0.flags = up' \
		'lxc.net.0.ipv4.address = auto'
done
mkdir "$TMP/held" "$TMP/log"
# Whoever has an address holds a directory of its name: of two who have the same, one cannot make it.
cycles() {	# NAME
	local name="$1" n=0 address
	while [ $n -lt "$CYCLES" ]; do
		lxc start -n "$name" || { echo "cycle $n: no start"; return; }
		address=$(address_of "$name")
		if [ -z "$address" ]; then echo "cycle $n: no address"; return; fi
		mkdir "$TMP/held/$address" || { echo "cycle $n: $address is taken"; return; }
		[ $((n % 5)) != 0 ] || inside "$name" ping -c 1 -W 3 "${address%.*}.1" >/dev/null || {
			echo "cycle $n: no way out"
			return
		}
		rmdir "$TMP/held/$address"
		lxc stop -k -n "$name" || { echo "cycle $n: no stop"; return; }
		n=$((n + 1))
	done
	echo "done $address"
}
began=$(now_ms)
workers=''
for i in 1 2 3 4; do
	for name in "$C-$i" "$C-a$i"; do
		cycles "$name" >"$TMP/log/$name" 2>&1 &
		workers="$workers $!"
	done
done
# shellcheck disable=SC2086 # a list
wait $workers
diag "$((8 * CYCLES)) starts and stops in $(($(now_ms) - began)) ms"
is 'eight containers start and stop again and again, all at once' "$(cat "$TMP"/log/* | grep -vc '^done ')" 0 ||
	diag "$(head "$TMP"/log/*)"
is '... each with an address of its own' "$(cat "$TMP"/log/* | sed -n 's/^done //p' | sort -u | wc -l)" 8
ok '... and no device stays' eventually 3 no_ports
for i in 1 a1; do nothing_left "... nor anything else of $C-$i" "$C-$i"; done

# ---- supervisors that are killed at any moment

ip link add lent type veth peer name other
ip link set lent mtu 1420 up
ip link property add dev lent altname "$C-a-long-name-of-the-lent-one" 2>/dev/null
link_line() { ip -o link show "$1" 2>/dev/null | sed 's/^[0-9]*: //; s/ state [A-Z]* / /; s/,LOWER_UP//; s/link-netnsid [0-9]*//'; }
before=$(link_line lent)
make_container "$C" 'lxc.net.0.type = veth' 'lxc.net.0.link = br0' 'lxc.net.0.flags = up' \
	'lxc.net.0.ipv4.address = 10.97.51.50/24' 'lxc.net.1.type = phys' 'lxc.net.1.link = lent' \
	'lxc.net.1.name = eth1' 'lxc.net.1.flags = up' 'lxc.net.1.mtu = 1300'
# Its supervisor's process id, as soon as that is written down; "" when it does not come.
lxc start -n "$C"
state_file=$(find "$LAB_RUN/lxc" -path "*/$C/state")
lxc stop -k -n "$C"
supervisor() {
	local tries=0
	until [ -s "$state_file" ] || [ $tries = 2000 ]; do tries=$((tries + 1)); done
	sed -n 's/^supervisor \([0-9]*\) .*/\1/p' "$state_file" 2>/dev/null
}
# Whoever looks puts right what is dead; it is dead when the kernel has ended its last call.
is_home() {
	lxc stop -k -n "$C" >/dev/null 2>&1
	[ "$(link_line lent)" = "$before" ]
}
delays=$(awk -v n="$KILLS" 'BEGIN { srand(42); for (i = 0; i < n; i++) printf "0.%04d ", rand() * 250 }')
killed=0 running=0 lost='' round=0
for delay in $delays; do
	round=$((round + 1))
	limit lxc-start -P "$P" -n "$C" >/dev/null 2>&1 &
	starter=$!
	pid=$(supervisor)
	sleep "$delay"
	if [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; then killed=$((killed + 1)); fi
	wait $starter && running=$((running + 1))
	eventually 3 is_home || lost="$lost $round:$(link_line lent)"
done
diag "$killed of $KILLS were killed, $((killed - running)) of them before it ran"
ok 'supervisors are killed while they start, and after' [ "$killed" -gt $((KILLS / 2)) ]
is 'what was lent is home after each, with its names, address and MTU' "$lost" ''
only_lent() { [ "$(ports | sort | tr '\n' ' ')" = 'lent other ' ]; }
ok '... and no other device stays' eventually 3 only_lent
nothing_left '... nor anything else' "$C"
ok 'it starts as if nothing had happened' lxc start -n "$C"
ok '... and reaches the bridge' inside "$C" ping -c 1 -W 3 10.97.51.1
lxc stop -k -n "$C"
lxc-net stop >/dev/null 2>&1

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# start: its options, what it prints, and the output of the tools that programs read.

. "${0%/*}/lib.sh"
need_ptyrun

# ---- foreground

make_container "$C"
run timeout -k 2 20 lxc-start -P "$P" -n "$C" -F -- /bin/sh -c 'echo from inside; exit 0'
is '-F runs a command and shows what it says' "$status/$out" '0/from inside'
run ptyrun 'expect up and ready
send halt\r
end' -- lxc-start -P "$P" -n "$C" -F -- /bin/sh -c 'echo up and ready; read line; echo "got $line"'
is '-F on a terminal is its console' "$status" 0
like '... both ways' "$out" 'got halt'
nothing_left '... with nothing left' "$C"
timeout -k 2 20 lxc-start -P "$P" -n "$C" -F >"$TMP/fg" 2>&1 &
job=$!
ok '-F starts it' eventually 5 state_is "$C" RUNNING
[ "$(state "$C")" = RUNNING ] || diag "$(cat "$TMP/fg")"
lxc stop -k -n "$C"
wait $job
is '... and returns when it is stopped, with 0' $? 0
timeout -k 2 20 lxc-start -P "$P" -n "$C" -F >/dev/null 2>&1 &
job=$!
eventually 5 state_is "$C" RUNNING
kill -TERM $job
wait $job 2>/dev/null
ok 'SIGTERM to it stops the container' eventually 5 state_is "$C" STOPPED
nothing_left '... with nothing left' "$C"

# ---- detached

ok 'start closes what it inherits: a pipe does not hang on it' \
	sh -c 'timeout 15 lxc-start -P "$1" -n "$2" | timeout 10 cat' - "$P" "$C"
lxc stop -k -n "$C"
ok '-p writes the pid of the supervisor' lxc start -n "$C" -p "$TMP/pid"
is '... rightly' "$(cat "$TMP/pid")" "$(supervisor_pid "$C")"
lxc stop -k -n "$C"
ok '... and removes the file at the end' eventually 2 test ! -e "$TMP/pid"
ok '-s sets a key' lxc start -n "$C" -s lxc.uts.name=defined -s lxc.environment=X=1
is '... which holds' "$(inside "$C" hostname)" defined
is '... and is not stored' "$(grep -c defined "$P/$C/config")" 0
is 'info -c shows the value of the running one' "$(lxc info -n "$C" -c lxc.uts.name)" 'lxc.uts.name = defined'
ok '--share-net takes the network of another' sh -c 'true'
make_container "$C-two"
sed -i /lxc.net/d "$P/$C-two/config"
ok '... by name' lxc start -n "$C-two" --share-net "$C"
is '... which it then has' "$(readlink "/proc/$(init_pid "$C-two")/ns/net")" \
	"$(readlink "/proc/$(init_pid "$C")/ns/net")"
ok '... and no other namespace' test "$(readlink "/proc/$(init_pid "$C-two")/ns/pid")" != \
	"$(readlink "/proc/$(init_pid "$C")/ns/pid")"
lxc stop -k -n "$C-two"
lxc stop -k -n "$C"
ok '-L keeps what the console says' lxc start -n "$C" -L "$TMP/log" -- /bin/sh -c 'echo to the log; sleep 1000'
ok '... in that file' eventually 3 grep -q 'to the log' "$TMP/log"
lxc stop -k -n "$C"
ok '-f takes another configuration' sh -c 'sed s/uts.name.*/uts.name=other/ "$1/$2/config" >"$3" &&
	timeout 9 lxc-start -P "$1" -n "$2-new" -f "$3"' - "$P" "$C" "$TMP/rc"
is '... for a container that is not defined' "$(state "$C-new")" RUNNING
is '... which has it' "$(inside "$C-new" hostname)" other
lxc stop -k -n "$C-new"
nothing_left '... and goes when it is stopped' "$C-new" destroyed
cd "$TMP" || exit 99
ok 'a relative -P works, detached' limit lxc-start -P path -n "$C"
is '... and is the same container' "$(state "$C")" RUNNING
cd / || exit 99
lxc stop -k -n "$C"

make_container "$C-eph" 'lxc.ephemeral = 1'
lxc start -n "$C-eph"
lxc stop -k -n "$C-eph"
nothing_left 'an ephemeral one is destroyed when it stops' "$C-eph" destroyed

# ---- a network

make_bridge
started "$C-net" 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' 'lxc.net.0.name = eth7' \
	'lxc.net.0.hwaddr = 10:66:6a:00:00:07' 'lxc.net.0.mtu = 1400' 'lxc.net.0.ipv4.address = 10.98.76.7/24' \
	'lxc.net.0.ipv4.gateway = 10.98.76.1' "lxc.net.0.veth.pair = ${C}v0"
is 'a container with a veth starts' "$status" 0
ok '... which hangs on the bridge' test -e "/sys/class/net/$BR/brif/${C}v0"
like '... has name, address and mtu inside' "$(inside "$C-net" ip addr show dev eth7)" 'mtu 1400'
like '... the address' "$(inside "$C-net" ip addr show dev eth7)" 'inet 10.98.76.7/24'
like '... the hardware address' "$(inside "$C-net" ip addr show dev eth7)" '10:66:6a:00:00:07'
like '... and the gateway' "$(inside "$C-net" ip route)" 'default via 10.98.76.1'
is 'info -i tells the address' "$(lxc info -n "$C-net" -iH)" 10.98.76.7
like 'ls -f tells it too' "$(lxc ls -f | tr -s ' ')" "$C-net RUNNING 0 - 10.98.76.7"
like 'info tells the link and its traffic' "$(lxc info -n "$C-net")" "^Link: +${C}v0"
lxc stop -k -n "$C-net"
ok 'it starts again at once, under the same name of the device' lxc start -n "$C-net"
lxc stop -k -n "$C-net"
nothing_left 'when it is stopped the device goes' "$C-net"

# ---- what programs read

lxc start -n "$C"
pid=$(init_pid "$C")
run lxc info -n "$C"
like 'info has its labels' "$(printf '%s ' $out)" "^Name: $C State: RUNNING PID: $pid "
is 'info -p has one label' "$(lxc info -n "$C" -p | tr -s ' ')" "PID: $pid"
is 'info -pH has none' "$(lxc info -n "$C" -pH)" "$pid"
is 'ls -f has a header and columns' "$(lxc ls -f -F NAME,STATE,PID --filter "^$C\$" | tr -s ' ' |
	sed 's/ $//' | tr '\n' ';')" "NAME STATE PID;$C RUNNING $pid;"
is 'ls -1 has a name a line' "$(lxc ls -1 --running)" "$C"
for tool in "info -n $C" 'ls' 'ls -f' "cgroup -n $C pids.current" "checkconfig"; do
	# shellcheck disable=SC2086
	set -- $tool
	name=$1
	shift
	if [ "$name" = checkconfig ]; then
		run limit lxc-checkconfig --json
	else
		run lxc "$name" --json "$@"
	fi
	is "$tool --json succeeds" "$status" 0
	ok '... with JSON' is_json "$TMP/.out"
done
run lxc info --json -n "$C"
like '... which names the state' "$out" '"state": *"RUNNING"'
like '... and the pid as a number' "$out" "\"pid\": *$pid"
fails_with 'an error is JSON too' 1 '"error"|"text"|"message"' lxc info --json -n "$C-absent"
run lxc ls --json
like 'ls --json names them all' "$out" "\"$C\".*|$C-net"
lxc stop -k -n "$C"
run lxc start -n "$C" --explain
is '--explain explains' "$status" 0
like '... which parts act' "$out" 'rootfs'
like '... with which settings' "$out" "$P/$C/rootfs|lxc.rootfs.path"
is '... and starts nothing' "$(state "$C")" STOPPED
run lxc start -n "$C" --timing
is '--timing starts it' "$(state "$C")" RUNNING
like '... and tells what each part took' "$out$err" 'network.*[0-9]'
lxc stop -k -n "$C"

for tool in start stop info ls attach console create destroy freeze unfreeze execute wait monitor cgroup config checkconfig; do
	run limit lxc-$tool --help
	is "lxc-$tool --help succeeds" "$status" 0
	like '... and helps' "$out$err" "lxc-$tool"
done
like '--version tells one' "$(limit lxc-start --version)" '^[0-9]+\.[0-9]+'
like 'lxc-config knows the path' "$(limit lxc-config lxc.lxcpath)" '^/'
fails_with 'lxc-config refuses what it does not know' any '.*' limit lxc-config lxc.nothing

done_testing

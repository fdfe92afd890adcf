#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-top: what running containers use, on a terminal and for scripts.

. "${0%/*}/lib.sh"
need jq
need_ptyrun
top() { limit lxc-top -P "$P" "$@"; }

run top --json -c 1
is 'without a running container there is nothing to show' "$status$out$err" 0
started "$C"
started "$C-busy"
make_container "$C-off"

run top -b -c 1
is 'batch mode needs no terminal' "$status" 0
is 'its first line names the columns' "$(printf '%s\n' "$out" | head -n 1)" \
	'time_ms,container,cpu_nanos,cpu_sys_userhz,cpu_user_userhz,blkio_bytes,blkio_iops,mem_used_bytes,memsw_used_bytes,kernel_mem_used_bytes'
is 'then there is a line for each that runs, sorted by name' \
	"$(printf '%s\n' "$out" | sed 1d | cut -d, -f2 | tr '\n' ' ')" "$C $C-busy "
is 'each has all values' "$(printf '%s\n' "$out" | awk -F, '{ print NF }' | sort -u)" 10
like 'the time is in milliseconds since 1970' "$(printf '%s\n' "$out" | sed -n 2p)" '^1[0-9]{12},'

inside "$C-busy" sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done' &
busy=$!
run top --json -c 3 -d 1
wait "$busy"
is 'with --json there is an object for each container and round' "$(printf '%s\n' "$out" | jq -s length)" 6
is 'what is not known yet is null' "$(printf '%s\n' "$out" | head -n 1 | jq .cpu_permille)" null
is 'who works uses the processor' \
	"$(printf '%s\n' "$out" | jq -s --arg n "$C-busy" '[.[] | select(.name == $n) | .cpu_ns] | .[2] > .[0]')" true
is 'and user time grows with it' \
	"$(printf '%s\n' "$out" | jq -s --arg n "$C-busy" '[.[] | select(.name == $n) | .cpu_user_ns] | .[2] > .[0]')" true
is 'who sleeps does not use much' \
	"$(printf '%s\n' "$out" | jq -s --arg n "$C" '[.[] | select(.name == $n) | .cpu_permille // 0] | max < 200')" true
is 'it has processes' "$(printf '%s\n' "$out" | jq -s 'all(.pids == null or .pids > 0)')" true
is 'it agrees with lxc-info' "$(lxc info -n "$C" -S | awk '/CPU use/ { print ($3 >= 0) }')" 1

is '-s c puts who used most first' "$(top -b -c 1 -s c | sed -n 2p | cut -d, -f2)" "$C-busy"
is '-r turns that round' "$(top -b -c 1 -s c -r | sed -n 2p | cut -d, -f2)" "$C"
is '-n shows only those that match' "$(top -b -c 1 -n '*-busy' | sed 1d | cut -d, -f2)" "$C-busy"
fails_with 'a column that there is not is refused' 1 'cannot sort by "x"' top -b -s x
fails_with 'no time between rounds is refused' 1 'cannot wait 0 seconds' top -b -d 0
fails_with 'without a terminal it says what to do' 1 'Failed to setup terminal' top

run ptyrun -s 24x200 "expect Container +CPU +CPU time +Mem
expect $C +
expect $C-busy +
expect TOTAL 2 of 2
send c
expect $C-busy .*
expect $C +
send q
end" -- env NO_COLOR=1 lxc-top -P "$P"
is 'on a terminal it shows a table, sorts at a key, and q ends it' "$status" 0
run ptyrun -s 4x40 "expect TOTAL 1 of 2
end" -- sh -c 'lxc-top -P "$1" -c 1; stty -a | grep -o " echo "' - "$P"
is 'what does not fit is left out, and counted' "$status" 0
like 'the terminal is put back as it was' "$out" ' echo '
unlike 'NO_COLOR is respected' "$(NO_COLOR=1 ptyrun end -- lxc-top -P "$P" -c 1)" '\[7m'
like 'else the column that is sorted by stands out' \
	"$(ptyrun end -- env -u NO_COLOR lxc-top -P "$P" -c 1 -s m)" '\[7m +Mem'

# What it has open of a container must not be taken for that of another boot, be there descriptors to keep
# or not.
rounds="$TMP/rounds"
last() { tail -n 1 "$rounds" | jq "$1"; }
last_is() { [ "$(last "$1")" = true ]; }
watches_boots() {	# SENTENCE DESCRIPTORS
	local pid=''
	(ulimit -n "$2" && exec timeout 60 lxc-top -P "$P" --json -d 1 -n "$C-busy") >"$rounds" 2>&1 &
	pid=$!
	eventually 5 last_is '.cpu_ns > 0'
	spent=$(last .cpu_ns) few=$(last .pids)
	lxc stop -k -n "$C-busy"
	lxc start -n "$C-busy"
	ok "$1: started again it has spent little" eventually 5 last_is ".cpu_ns > 0 and .cpu_ns < $spent / 2"
	inside "$C-busy" sh -c 'sleep 100 & sleep 100 & :'
	ok "$1: what happens in it now is seen" eventually 5 last_is ".pids == $few + 2"
	kill -INT "$(init_pid "$C-busy")"
	ok "$1: after a reboot as well" eventually 5 last_is ".pids == $few and .cpu_ns > 0"
	kill "$pid"
	wait "$pid" 2>/dev/null
	is "$1: no use was told that it cannot have had" \
		"$(jq -s 'all(.cpu_permille == null or .cpu_permille >= 0)' "$rounds")" true
}
work() { inside "$C-busy" sh -c 'i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done'; }
watches_boots 'files stay open' 1024
work
watches_boots 'no file stays open' 16
made_of() { jq -sc 'map([.name, (to_entries | map(select(.value == null) | .key))]) | sort | unique'; }
started "$C-third"
all=$(top --json -c 2 -d 1 | made_of)
(exec timeout 60 lxc-top -P "$P" --json -d 1 -n "$C-third") >"$rounds" &
watcher=$!
eventually 5 test -s "$rounds"
kill -9 "$(supervisor_pid "$C-third")"
told() { wc -l <"$rounds"; }
quiet() { before=$(told) && sleep 1.2 && [ "$(told)" = "$before" ]; }
ok 'one whose supervisor was killed is told of no more' eventually 5 quiet
kill "$watcher"
wait "$watcher" 2>/dev/null
nothing_left 'and what was left of it is put right' "$C-third"
lxc start -n "$C-third"
is 'with descriptors for some, all are told of' "$( (ulimit -n 40; top --json -c 2 -d 1) | made_of)" "$all"
is 'with descriptors for none, too' "$( (ulimit -n 16; top --json -c 2 -d 1) | made_of)" "$all"
few=4 wrong=''
while [ $few -le 24 ]; do
	run sh -c 'ulimit -n "$1" && exec timeout 20 lxc-top -P "$2" --json -c 1' - $few "$P"
	case $status/$(printf '%s\n' "$out" | grep -c '"name"')/$err in
	0/3/) ;;
	1/0/*'Too many open files'*) ;;
	*) wrong="$wrong $few: $status $out$err" ;;
	esac
	few=$((few + 1))
done
is 'with few it tells of all, or says that it cannot' "$wrong" ''
lxc stop -k -n "$C-third"

started "$C-net" 'lxc.net.0.type = veth' 'lxc.net.0.flags = up' 'lxc.net.0.ipv4.address = 10.255.9.2/24'
inside "$C-net" sh -c 'ping -c 3 -W 1 -s 1400 10.255.9.255 >/dev/null 2>&1'
traffic() { lxc info -n "$C-net" --json | jq ".interfaces | map(.$1) | add"; }
# Said to all, and nobody answers.
is 'it sends more than it receives' "$(($(traffic tx_bytes) > $(traffic rx_bytes)))" 1
for way in tx_bytes rx_bytes; do
	before=$(traffic $way) between=$(top --json -c 1 -n "$C-net" | jq .$way) after=$(traffic $way)
	is "$way are what info tells ($before, $between, $after)" "$((before <= between && between <= after))" 1
done
lxc stop -k -n "$C-net"

lxc stop -k -n "$C"
is 'one that has stopped is gone' "$(top -b -c 1 | sed 1d | cut -d, -f2)" "$C-busy"
lxc stop -k -n "$C-busy"

done_testing

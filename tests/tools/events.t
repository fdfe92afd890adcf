#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# monitor and wait: who asks hears of every change, in order.

. "${0%/*}/lib.sh"

make_container "$C"
make_container "$C-two"
timeout -k 2 60 lxc-monitor -P "$P" -n "$C" >"$TMP/one" 2>/dev/null &
one=$!
timeout -k 2 60 lxc-monitor -P "$P" -n "$C.*" >"$TMP/all" 2>/dev/null &
all=$!
sleep 0.5
lxc start -n "$C"
lxc start -n "$C-two"
lxc freeze -n "$C"
lxc unfreeze -n "$C"
lxc stop -k -n "$C"
eventually 3 grep -q STOPPED "$TMP/one"
is 'monitor shows every state of one container, in order' \
	"$(sed -n "s/^'$C' changed state to \[\(.*\)\]/\1/p" "$TMP/one" | uniq | tr '\n' ' ' |
		sed 's/THAWED RUNNING/THAWED/')" \
	'STARTING RUNNING FREEZING FROZEN THAWED STOPPING STOPPED '
like 'and how it ended' "$(cat "$TMP/one")" "^'$C' exited with status \[[0-9]+\]"
unlike 'it does not show the other one' "$(cat "$TMP/one")" "$C-two"
like 'a pattern shows both' "$(tr '\n' ' ' <"$TMP/all")" "'$C' changed.*'$C-two' changed"
kill $one $all
wait $one $all 2>/dev/null

(cd "$TMP" && exec timeout -k 2 60 lxc-monitor -P path) >"$TMP/relative" 2>/dev/null &
relative=$!
sleep 0.5
lxc start -n "$C"
lxc stop -k -n "$C"
ok 'monitor takes a relative path' eventually 3 grep -q "'$C' changed state to .STOPPED" "$TMP/relative"
kill $relative
wait $relative 2>/dev/null

ok 'wait for a state that it has returns at once' lxc wait -n "$C" -s STOPPED -t 2
is 'wait for one that it does not reach gives 1' "$(lxc wait -n "$C" -s RUNNING -t 1 2>/dev/null; echo $?)" 1
is '-t 0 only looks' "$(lxc wait -n "$C" -s RUNNING -t 0 2>/dev/null; echo $?)" 1
lxc wait -n "$C" -s RUNNING -t 10 &
job=$!
lxc start -n "$C"
wait $job
is 'wait returns when the state comes' $? 0
lxc wait -n "$C" -s 'STOPPED|FROZEN' -t 10 &
job=$!
sleep 0.2
lxc freeze -n "$C"
wait $job
is 'one of several states is enough' $? 0
lxc unfreeze -n "$C"
ok 'THAWED means RUNNING' lxc wait -n "$C" -s THAWED -t 2
fails_with 'a state that is none is refused, by name' 1 'SLEEPING' lxc wait -n "$C" -s SLEEPING
lxc wait -n "$C" -s STOPPED -t 10 &
job=$!
sleep 0.2
kill -KILL "$(init_pid "$C")"
wait $job
is 'wait sees an init that was killed' $? 0
ok 'wait takes a container that does not exist: it is stopped' lxc wait -n "$C-absent" -s STOPPED -t 1
lxc stop -k -n "$C-two"
is 'no helper of monitor stays behind' "$(sleep 0.3; processes_of "$P" | wc -l)" 0

done_testing

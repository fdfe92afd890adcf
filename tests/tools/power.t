#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Reboot and halt, from inside and from outside, and what is kept of how it ended.

. "${0%/*}/lib.sh"

started "$C"
starts() { wc -l <"$P/$C/rootfs/run/starts" | tr -d ' '; }
booted() { [ "$(starts)" = "$1" ] && state_is "$C" RUNNING; }
pid=$(init_pid "$C")
supervisor=$(supervisor_pid "$C")

inside "$C" reboot -f >/dev/null 2>&1
ok 'reboot inside starts it again' eventually 5 booted 2
ok 'with another init' test "$(init_pid "$C")" != "$pid"
is 'under the same supervisor' "$(supervisor_pid "$C")" "$supervisor"
ok 'stop -r asks init to reboot' lxc stop -r -n "$C" -t 10
ok 'which it did' eventually 5 booted 3
number=4
while [ $number -le 8 ]; do
	inside "$C" reboot -f >/dev/null 2>&1
	eventually 5 booted $number || break
	number=$((number + 1))
done
is 'it can be done again and again' "$(starts)" 8
is 'without more cgroups' "$(cgroups_of "$C" | grep -Ec -- '-[0-9]+$')" 0
ok 'and without more descriptors' test "$(ls "/proc/$supervisor/fd" | wc -l)" -le 60
inside "$C" poweroff -f >/dev/null 2>&1
ok 'poweroff inside stops it' eventually 5 state_is "$C" STOPPED
nothing_left 'with nothing left' "$C"
lxc start -n "$C"
eventually 3 booted 9
inside "$C" halt -f >/dev/null 2>&1
ok 'halt inside stops it too' eventually 5 state_is "$C" STOPPED

# ---- how it ended

timeout -k 2 60 lxc-monitor -P "$P" -n "$C" >"$TMP/events" 2>/dev/null &
monitor=$!
sleep 0.5
lxc start -n "$C"
eventually 3 booted 10
kill -USR1 "$(init_pid "$C")"
ok 'an init that ends with a status ends the container' eventually 5 state_is "$C" STOPPED
ok 'the status is told to those who listen' eventually 3 grep -q "'$C' exited with status \[7\]" "$TMP/events"
kill $monitor
wait $monitor 2>/dev/null
run lxc info -n "$C" --json
if [ "$status" = 0 ]; then
	like 'and kept: info --json tells it afterwards' "$out" '"[a-z_]*(status|code)": *7'
else
	report 1 'info --json tells it afterwards' || diag "$err"
fi
nothing_left 'nothing is left' "$C"

# ---- the signal that fits

# An init that takes SIGRTMIN+3 (as systemd) and says which signal it got.
signal_init() {	# TRAP-NAMES
	rm -f "$P/$C/rootfs/sbin/init"
	cat >"$P/$C/rootfs/sbin/init" <<-X
		#!/bin/sh
		for s in $1; do trap "echo \$s >/run/got; exit 0" \$s; done
		echo up >/run/up
		while :; do sleep 1000 & wait \$!; done
	X
	chmod 755 "$P/$C/rootfs/sbin/init"
	rm -f "$P/$C/rootfs/run/got" "$P/$C/rootfs/run/up"
}
signal_init 'PWR TERM USR2 INT'
lxc start -n "$C"
eventually 3 test -e "$P/$C/rootfs/run/up"
ok 'a clean stop asks by signal' lxc stop -n "$C" -t 5
like '... that init takes' "$(cat "$P/$C/rootfs/run/got" 2>/dev/null)" '^(PWR|TERM|USR2)$'
signal_init 'PWR TERM WINCH'
echo 'lxc.signal.halt = SIGWINCH' >>"$P/$C/config"
lxc start -n "$C"
eventually 3 test -e "$P/$C/rootfs/run/up"
ok 'a configured signal' lxc stop -n "$C" -t 5
is '... is the one that it gets' "$(cat "$P/$C/rootfs/run/got" 2>/dev/null)" WINCH
sed -i /lxc.signal.halt/d "$P/$C/config"

# An init that does not hear (a shell that waits catches INT unless it is told not to).
signal_init ''
sed -i '2i trap "" INT' "$P/$C/rootfs/sbin/init"
lxc start -n "$C"
eventually 3 test -e "$P/$C/rootfs/run/up"
began=$(now_ms)
fails_with 'stop --nokill gives up after its time, with a word' 1 "$C" lxc stop -n "$C" -t 1 --nokill
took=$(($(now_ms) - began))
ok '... after no more than that' test $took -lt $((3000 * SLOW))
is '... and it runs on' "$(state "$C")" RUNNING
ok 'stop -t 1 kills it then' lxc stop -n "$C" -t 1
is '... and it is stopped' "$(state "$C")" STOPPED
nothing_left '... with nothing left' "$C"

done_testing

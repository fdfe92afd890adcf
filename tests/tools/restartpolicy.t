#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc.start.restart: a container that ended is started again by its supervisor, or is not.

. "${0%/*}/lib.sh"

# Its init takes signals from the line in 'starts' on.
starts() { wc -l <"$P/$1/rootfs/run/starts" | tr -d ' '; }
booted() { [ "$(starts "$1")" -ge "$2" ] && state_is "$1" RUNNING; }
# It waits, and will for some time.
waits() {
	local ms=''
	ms=$(lxc info -n "$1" --json | sed -n 's/.*"next_ms": \([0-9]*\).*/\1/p')
	[ "${ms:-0}" -ge 1500 ]
}
crash() { kill -USR1 "$(init_pid "$1")"; }	# its init ends with status 7
begin() {	# START-NUMBER POLICY
	lxc start -n "$C" -s "lxc.start.restart=$2"
	eventually 5 booted "$C" "$1" || diag "start $1 does not come up"
}
# From now on its init ends at once, so that its tries come more and more slowly.
loops() {
	printf '%s\n' '#!/bin/sh' 'echo failed >>/run/failed' 'exit 7' >"$P/$1/rootfs/sbin/init.new"
	chmod 755 "$P/$1/rootfs/sbin/init.new"
	mv "$P/$1/rootfs/sbin/init.new" "$P/$1/rootfs/sbin/init"
	crash "$1"
}
failures() { wc -l 2>/dev/null <"$P/$1/rootfs/run/failed" | tr -d ' '; }
while_waiting() { eventually 15 waits "$1" || diag "$1 does not wait"; }

make_container "$C"
for bad in maybe on-failure: on-failure:0 on-failure:x always:3 on-failure:1000001; do
	fails_with "\"$bad\" is refused" 1 "lxc.start.restart: \"$bad\" says not when" \
		lxc start -n "$C" -s "lxc.start.restart=$bad"
done
is 'and nothing was started' "$(state "$C")" STOPPED

# These fail again and again while other things are looked at.
for one in stop kill rescue shutdown restart; do
	started "$C-$one" 'lxc.start.restart = always' "lxc.hook.post-stop = $TMP/post-stop"
done
printf '%s\n' '#!/bin/sh' "echo \"\$LXC_NAME \$LXC_TARGET\" >>$TMP/stopped" >"$TMP/post-stop"
chmod 755 "$TMP/post-stop"
lxc stop -k -n "$C-rescue"
rm -f "$P/$C-rescue/rootfs/run/starts"
lxc start -n "$C-rescue" -p "$TMP/pid"
for one in stop kill rescue shutdown restart; do
	eventually 5 booted "$C-$one" 1
	loops "$C-$one"
done

# ---- how it ended decides

started "$C"
eventually 5 booted "$C" 1
crash "$C"
ok 'without the key a failure is the end' eventually 5 state_is "$C" STOPPED
unlike 'and lxc-info says nothing of it' "$(lxc info -n "$C")" Restart
begin 2 on-failure
pid=$(init_pid "$C") supervisor=$(supervisor_pid "$C")
like 'lxc-info shows the policy' "$(lxc info -n "$C")" '^Restart: +on-failure, 0 so far$'
crash "$C"
ok 'on-failure: a status is a failure' eventually 5 booted "$C" 3
is 'it has another init' "$([ "$(init_pid "$C")" != "$pid" ] && echo yes)" yes
is 'under the same supervisor' "$(supervisor_pid "$C")" "$supervisor"
kill -KILL "$(init_pid "$C")"
ok '... a signal is one, too' eventually 5 booted "$C" 4
like 'lxc-info counts' "$(lxc info -n "$C")" '^Restart: +on-failure, 2 so far$'
inside "$C" reboot -f
ok 'a reboot is none' eventually 5 booted "$C" 5
run lxc info -n "$C" --json
like '... and not counted' "$out" '"restart": \{"policy": "on-failure", "restarts": 2, "next_ms": null\}'
inside "$C" poweroff -f
ok 'nor is a poweroff, after which it stays down' eventually 5 state_is "$C" STOPPED
nothing_left 'with nothing left' "$C"
begin 6 on-failure
kill -TERM "$(init_pid "$C")"
ok 'nor is status 0' eventually 5 state_is "$C" STOPPED
is 'all that was' "$(starts "$C")" 6

begin 7 always
inside "$C" poweroff -f
ok 'always: it comes back after a poweroff inside' eventually 5 booted "$C" 8
kill -TERM "$(init_pid "$C")"
ok '... and after status 0' eventually 5 booted "$C" 9
ok 'lxc-stop is final' lxc stop -n "$C"
nothing_left '... with nothing left' "$C"
is '... and no further start' "$(starts "$C")" 9
begin 10 always
ok 'so is lxc-stop -k' lxc stop -k -n "$C"
nothing_left '... with nothing left' "$C"
begin 11 always
supervisor=$(supervisor_pid "$C")
kill -TERM "$supervisor"
ok 'so is a signal to its supervisor' eventually 5 state_is "$C" STOPPED
begin 12 always
ok 'so is a request that nobody waits for' lxc stop -W -n "$C"
ok '... which it obeys' eventually 5 state_is "$C" STOPPED
is 'no start more' "$(starts "$C")" 12

# ---- so many tries

begin 13 on-failure:2
cp "$P/$C/rootfs/sbin/init" "$TMP/init"
timeout -k 2 60 lxc-monitor -P "$P" -n "$C()" >"$TMP/events" &
monitor=$!
eventually 5 sh -c '[ -n "$(ls "$1"/.monitors 2>/dev/null)" ]' - "$(dirname "$(run_entries_of "$C" | head -1)")"
loops "$C"
ok 'on-failure:2 gives up' eventually 5 state_is "$C" STOPPED
is '... after two tries in a row' "$(failures "$C")" 2
nothing_left '... with nothing left' "$C"
like '... and lxc-info tells how it ended' "$(lxc info -n "$C")" '^Last exit: +7 at'
eventually 5 grep -q '\[STOPPED\]' "$TMP/events"
kill $monitor
wait $monitor 2>/dev/null
is 'lxc-monitor showed all of it' "$(sed "s/.* changed state to //; s/^'$C' //" "$TMP/events" | tr '\n' ' ')" \
	"exited with status [7] [STOPPING] restarts in [0.1] seconds [STARTING] [RUNNING] exited with\
 status [7] [STOPPING] restarts in [0.2] seconds [STARTING] [RUNNING] exited with\
 status [7] [STOPPING] [STOPPED] "
like 'lxc-info shows the policy of one that is stopped' \
	"$(echo 'lxc.start.restart = always' >>"$P/$C/config"; lxc info -n "$C")" '^Restart: +always$'
fails_with 'a first start that fails is not tried again' 1 'ended at once|cannot|exit' \
	lxc start -n "$C" -- /bin/false
is '... it is stopped' "$(state "$C")" STOPPED
cp "$TMP/init" "$P/$C/rootfs/sbin/init"
is 'a command of lxc-execute runs once' \
	"$(lxc execute -n "$C" -- /bin/sh -c 'echo once; exit 3'; echo $?)" "once
3"

# ---- hooks, and a boot that fails

printf '%s\n' '#!/bin/sh' "echo \"pre-start\" >>$TMP/hooks" "! [ -e $TMP/broken ]" >"$TMP/hook"
printf '%s\n' '#!/bin/sh' "echo \"post-stop \$LXC_TARGET\" >>$TMP/hooks" >"$TMP/hook-stop"
chmod 755 "$TMP/hook" "$TMP/hook-stop"
printf 'lxc.hook.pre-start = %s\nlxc.hook.post-stop = %s\n' "$TMP/hook" "$TMP/hook-stop" >>"$P/$C/config"
n=$(starts "$C")
lxc start -n "$C"
eventually 5 booted "$C" $((n + 1))
touch "$TMP/broken"
crash "$C"
tried() { [ "$(grep -c pre-start "$TMP/hooks")" -ge "$1" ]; }
ok 'a boot that fails is tried again' eventually 5 tried 3
rm "$TMP/broken"
ok '... until it works' eventually 10 booted "$C" $((n + 2))
lxc stop -k -n "$C"
is 'hooks ran as at each boot and end' "$(head -2 "$TMP/hooks" | tr '\n' ' ')" 'pre-start post-stop stop '
nothing_left 'and nothing is left' "$C"

# ---- in the foreground

n=$(starts "$C")
lxc start -n "$C" -F >"$TMP/said" 2>&1 </dev/null &
job=$!
eventually 5 booted "$C" $((n + 1))
crash "$C"
ok 'in the foreground it is started again, too' eventually 5 booted "$C" $((n + 2))
inside "$C" reboot -f
ok '... and reboots' eventually 5 booted "$C" $((n + 3))
ok '... while lxc-start stays' kill -0 $job
lxc stop -k -n "$C"
wait $job
is '... until it was asked to stop' "$? $(state "$C")" '0 STOPPED'

# ---- while it waits

while_waiting "$C-stop"
like 'lxc-info shows when the next try is' "$(lxc info -n "$C-stop")" \
	'^Restart: +always, [0-9]+ so far, next try in [0-9.]+ s$'
unlike '... and no process' "$(lxc info -n "$C-stop")" '^PID'
is 'its state is STARTING' "$(state "$C-stop")" STARTING
while_waiting "$C-restart"
fails_with 'lxc-start says that it waits' 1 'ended, and is started again in' lxc start -n "$C-restart"
like '... and how to have it at once' "$err" "lxc-restart -n $C-restart"
fails_with 'lxc-attach finds nothing to attach to' 1 "$C-stop" lxc attach -n "$C-stop" -- true
while_waiting "$C-stop"
before=$(grep -c "^$C-stop " "$TMP/stopped")
ok 'lxc-stop ends it' lxc stop -n "$C-stop"
is '... at once' "$(state "$C-stop")" STOPPED
nothing_left '... with nothing left' "$C-stop"
is '... and without its hooks running twice' "$(grep -c "^$C-stop " "$TMP/stopped")" "$before"
while_waiting "$C-kill"
ok 'lxc-stop -k as well' lxc stop -k -n "$C-kill"
is '... at once' "$(state "$C-kill")" STOPPED
nothing_left '... with nothing left' "$C-kill"
while_waiting "$C-shutdown"
ok 'lxc-stop -W as well' lxc stop -W -n "$C-shutdown"
ok '... at once' eventually 2 state_is "$C-shutdown" STOPPED
while_waiting "$C-restart"
cp "$TMP/init" "$P/$C-restart/rootfs/sbin/init"
ok 'lxc-restart does not wait for it' lxc restart -n "$C-restart"
is '... it runs' "$(state "$C-restart")" RUNNING
lxc stop -k -n "$C-restart"
while_waiting "$C-rescue"
before=$(grep -c "^$C-rescue " "$TMP/stopped")
supervisor=$(cat "$TMP/pid")
ok 'its pid file is kept while it waits' kill -0 "$supervisor"
kill -KILL "$supervisor"
eventually 5 is_dead "$supervisor"
is 'when the supervisor is killed meanwhile it is stopped' "$(state "$C-rescue")" STOPPED
nothing_left '... with nothing left' "$C-rescue"
not_ok '... no pid file either' test -e "$TMP/pid"
is '... and its hooks do not run again' "$(grep -c "^$C-rescue " "$TMP/stopped")" "$before"

done_testing

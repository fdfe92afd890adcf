#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Many containers at once: a pattern in place of the name, side by side, and a summary of what came of
# each.

. "${0%/*}/lib.sh"
need_ptyrun

# ---- a pattern

for n in 1 2 3 4 5 6; do make_container "$C-node$n"; done
make_container "$C-other"
all="$C-node1 $C-node2 $C-node3 $C-node4 $C-node5 $C-node6"
running() { lxc ls -1 --running | tr '\n' ' ' | sed 's/ $//'; }

run lxc start -n "$C-node*"
is 'start with a pattern starts what matches it' "$status $(running)" "0 $all"
like '... and sums up in one line' "$err" '^lxc-start: 6 of 6 started in [0-9]+\.[0-9]+ s$'
is '... with nothing on standard output' "$out" ''
run lxc start -n "$C-*[r7]"
is 'classes of characters are patterns too' "$status $(running)" "0 $all $C-other"
run lxc start -n "$C-node?"
is 'those that run already are no failure' "$status" 0
like '... and are counted' "$err" '^lxc-start: 0 of 6 started in .*, 6 were running already$'
fails_with 'a single name that runs already is one, as ever' 1 "$C-node1: .*running already" \
	lxc start -n "$C-node1"

run lxc freeze -n "$C-node[12]"
is 'freeze takes a pattern' "$status $(state "$C-node1") $(state "$C-node2") $(state "$C-node3")" \
	'0 FROZEN FROZEN RUNNING'
run lxc unfreeze -n "$C-node[12]"
is 'unfreeze takes one' "$status $(state "$C-node1") $(state "$C-node2")" '0 RUNNING RUNNING'

run lxc stop -n "$C-node*" -t 15 --json
is 'stop takes one, and leaves the rest alone' "$status $(running)" "0 $C-other"
printf '%s\n' "$out" >"$TMP/json"
ok '... with --json it writes one object' is_json "$TMP/json"
like '... with the sums' "$out" '"total": ?6, ?"worked": ?6, ?"already": ?0, ?"failed": ?0'
like '... and a row for each' "$out" "\"name\": ?\"$C-node3\", ?\"result\": ?\"stopped\""
run lxc stop -k -n "$C-node*"
like 'stopping what does not run is no failure' "$status $err" '^0 .*6 were not running$'
run lxc freeze -n "$C-node[12]"
like 'but freezing it is one' "$status $err" '^1 lxc-freeze: 0 of 2 frozen'

# ---- what does not match

fails_with 'a pattern that matches nothing is an error' 1 "no container matches \"$C-x\\*\"" \
	lxc stop -n "$C-x*"
like '... that says where to look' "$err" 'to mend it: lxc-ls'
fails_with 'a name that does not exist is told as ever' 1 "$C-none" lxc stop -n "$C-none"
fails_with '-j without a pattern is refused' 1 '-j has a meaning for many' lxc stop -j 2 -n "$C-other"
fails_with 'no job at a time is refused' 1 'Invalid number of jobs: 0' lxc stop -j 0 -n "$C-*"
is '... and changed nothing' "$(running)" "$C-other"
fails_with 'what is for one is refused for many' 1 '-F is for one container' lxc start -F -n "$C-node*"
fails_with '... as is a configuration' 1 'rcfile is for one' lxc stop --rcfile /dev/null -n "$C-node*"

# ---- what fails

for n in 2 4; do echo "lxc.net.0.type = veth
lxc.net.0.link = ${C}nobridge" >>"$P/$C-node$n/config"; done
sed -i '/empty/d' "$P/$C-node2/config" "$P/$C-node4/config"
echo 'lxc.no.such.key = 1' >>"$P/$C-node5/config"
run lxc start -n "$C-node*"
is 'what fails does not keep the others from starting' "$status $(running)" \
	"1 $C-node1 $C-node3 $C-node6 $C-other"
like '... the sums tell it' "$err" '^lxc-start: 3 of 6 started in .*, 3 failed$'
like 'failures of one reason stand together' "$err" "2 failed: .*${C}nobridge"
like '... with the names behind' "$err" "^  $C-node2 $C-node4\$"
like '... and another reason for itself' "$err" '1 failed: .*lxc\.no\.such\.key'
run lxc start -n "$C-node*" --json
printf '%s\n' "$out" >"$TMP/json"
ok 'with --json failures are in the object' is_json "$TMP/json"
like '... with words and code' "$out" "\"name\": ?\"$C-node4\", ?\"result\": ?\"failed\".*\"code\": ?\"[A-Z]+\""
is '... and nothing is written for people' "$err" ''
run lxc start -q -n "$C-node*"
is 'with -q the exit code alone tells it' "$status$out$err" 1

# ---- what hangs and crashes

cat >"$TMP/hang" <<'HOOK'
#!/bin/sh
exec sleep 1000
HOOK
chmod 755 "$TMP/hang"
run lxc stop -k -n "$C-node*"
for n in 2 4 5; do make_container "$C-node$n"; done
echo "lxc.hook.pre-start = $TMP/hang" >>"$P/$C-node3/config"
run lxc start -n "$C-node*" --limit 2
is 'one that hangs does not keep the others from starting' "$status $(running)" \
	"1 $C-node1 $C-node2 $C-node4 $C-node5 $C-node6 $C-other"
like '... and is given up at the limit, by name' "$err" '1 failed: .* 2 seconds'
like '... (node3)' "$err" "^  $C-node3\$"
is 'it is stopped' "$(state "$C-node3")" STOPPED
nothing_left 'and nothing of it is left' "$C-node3"
ok '... not even the hook' eventually 5 sh -c '! grep -qszxF "LXC_NAME=$1" /proc/[0-9]*/environ' \
	- "$C-node3"

# An init that hears no request to stop, so that whoever waits for it waits for long.
make_container "$C-node3"
rm "$P/$C-node3/rootfs/sbin/init"
cat >"$P/$C-node3/rootfs/sbin/init" <<'INIT'
#!/bin/sh
trap : PWR TERM
while :; do sleep 1000 & wait $!; done
INIT
chmod 755 "$P/$C-node3/rootfs/sbin/init"
lxc start -n "$C-node3"
run lxc stop -n "$C-node*" --nokill -t 1000 --limit 2
is 'a wait that is longer than the limit does not keep the others from stopping' \
	"$status $(running)" "1 $C-node3 $C-other"
like '... and is given up' "$err" '1 failed: it was not done within 2 seconds, and was given up'

child() { tr -d ' ' <"/proc/$1/task/$1/children"; }
has_child() { [ -n "$(child "$1")" ]; }
lxc-stop -P "$P" -n "$C-node[3]" --nokill -t 1000 >"$TMP/said" 2>&1 &
job=$!
eventually 10 has_child "$job"
worker=$(child "$job")
kill -SEGV "$worker"
wait "$job"
is 'one whose process crashes is a failure like others' "$?" 1
like '... that says what happened to it' "$(cat "$TMP/said")" \
	'its process ended without a word: killed by signal 11'
lxc-stop -P "$P" -n "$C-node[3]" --nokill -t 1000 >"$TMP/said" 2>&1 &
job=$!
eventually 10 has_child "$job"
worker=$(child "$job")
kill -KILL "$job"
wait "$job" 2>/dev/null
ok 'what works for a tool that is killed ends with it' eventually 5 is_dead "$worker"
lxc stop -k -n "$C-node3"

# ---- side by side

cat >"$TMP/meet" <<HOOK
#!/bin/sh
# Two that wait for each other: each ends when the other was there.
touch "$TMP/met-\$LXC_NAME"
for i in \$(seq 200); do
	[ "\$(ls "$TMP" | grep -c '^met-')" -ge 2 ] && exit 0
	sleep 0.05
done
exit 1
HOOK
chmod 755 "$TMP/meet"
lxc stop -k -q -n "$C-node*"
for n in 1 2; do echo "lxc.hook.pre-start = $TMP/meet" >>"$P/$C-node$n/config"; done
ok 'two at a time are worked on side by side' lxc start -j 2 -n "$C-node[12]"
lxc stop -k -q -n "$C-node*"
rm -f "$TMP"/met-*
sed -i 's/200/20/' "$TMP/meet"
not_ok 'one at a time are not' lxc start -j 1 -n "$C-node[12]"
lxc stop -k -q -n "$C-node*"
sed -i '/hook/d' "$P/$C-node1/config" "$P/$C-node2/config"

# ---- a terminal

ptyrun end -- lxc-start -P "$P" -n "$C-node*" >"$TMP/tty" 2>&1
like 'a terminal is shown how far it is' "$(tr '\r' '\n' <"$TMP/tty")" '^lxc-start: [0-6] of 6 started'
like '... and in the end the sum alone stays' "$(tail -n 1 "$TMP/tty" | tr '\r' '\n' | tail -n 2)" \
	'6 of 6 started in'

# ---- destroy

fails_with 'destroy with a pattern refuses what runs' 1 '6 failed: .*running' \
	lxc destroy -n "$C-node*"
run lxc destroy -f -n "$C-node*"
is 'with -f it stops and removes them all' "$status $(lxc ls -1)" "0 $C-other"
for n in 1 2 3 4 5 6; do nothing_left "nothing is left of node $n" "$C-node$n" destroyed; done
lxc destroy -f -n "$C-other"

done_testing

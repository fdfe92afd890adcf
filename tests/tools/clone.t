#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The old forms, lxc-clone and lxc-start-ephemeral, and a command in a clone that is gone afterwards.

. "${0%/*}/lib.sh"

make_container "$C"
echo golden >"$P/$C/rootfs/root/file"

# ---- lxc-clone

run limit lxc-clone -p "$P" "$C" "$C-copy"
is 'lxc-clone ORIG NEW copies' "$status $out" "0 Created container $C-copy as copy of $C"
is '... with its files' "$(lxc start -n "$C-copy" && inside "$C-copy" cat /root/file)" golden
is '... and its own hostname' "$(inside "$C-copy" hostname)" "$C-copy"
lxc stop -k -n "$C-copy"
run limit lxc-clone -s -p "$P" -o "$C" -n "$C-shared"
is 'lxc-clone -s -o ORIG -n NEW shares' "$status $out" "0 Created container $C-shared as copy of $C"
like '... as ls knows' "$(lxc ls --json | grep "\"$C-shared\",")" "\"parents\": *\[\"$P/$C\"\]"
mkdir "$TMP/other"
run limit lxc-clone -p "$P" -P "$TMP/other" "$C" "$C"
is '-P says where the new one is' "$status $(cat "$TMP/other/$C/rootfs/root/file")" '0 golden'
lxc-destroy -P "$TMP/other" -n "$C"
run limit lxc-clone -p "$P" -R "$C-copy" "$C-renamed"
is '-R renames' "$status $(lxc ls -1 | tr '\n' ' ')" "0 $C $C-renamed $C-shared "
fails_with 'without a new name nothing is done' 1 'the new name is missing' \
	limit lxc-clone -p "$P" "$C"
fails_with 'a name that is taken is refused' 1 'exists' limit lxc-clone -p "$P" "$C" "$C-shared"
lxc destroy -n "$C-renamed"
lxc destroy -n "$C-shared"

# ---- lxc-start-ephemeral

mkdir "$TMP/dir"
echo host >"$TMP/dir/file"
run limit lxc-start-ephemeral -P "$P" -o "$C" -n "$C-e" -d
is 'lxc-start-ephemeral -d starts a clone' "$status $(state "$C-e")" '0 RUNNING'
lxc stop -k -n "$C-e"
nothing_left '... of which nothing is left when it stops' "$C-e" destroyed
run limit lxc-start-ephemeral -P "$P" -o "$C" -n "$C-e" -b "$TMP/dir" -- \
	sh -c "cat '$TMP/dir/file'; exit 3"
like 'with a command it runs that, with a directory of the host' "$status $out" '^3 '
like '... that it reads' "$out" '^host$'
run limit lxc-start-ephemeral -P "$P" -o "$C" -n "$C-e" --cdir "$TMP/dir" -- \
	sh -c "echo inside >'$TMP/dir/file'"
is 'with --cdir what it writes does not come out' "$status $(cat "$TMP/dir/file")" '0 host'
run limit lxc-start-ephemeral -P "$P" -o "$C" -n "$C-e" -k -- sh -c 'echo kept >/root/file'
is 'with -k it stays' "$status $(state "$C-e")" '0 STOPPED'
lxc destroy -n "$C-e"
fails_with 'aufs is refused' 1 'overlayfs alone' limit lxc-start-ephemeral -P "$P" -o "$C" -U aufs
fails_with 'a key for ssh is refused' 1 'not supported' limit lxc-start-ephemeral -P "$P" -o "$C" -S /x

# ---- lxc-execute --ephemeral

run lxc execute --ephemeral -n "$C" -- /bin/sh -c 'hostname; cat /root/file; echo changed >/root/file; exit 5'
is 'execute --ephemeral has the exit code of the command' "$status" 5
like '... its output' "$out" "^${C}_[a-z0-9]{6}\$"
like '... and the files' "$out" '^golden$'
is '... and the container stays as it was' "$(cat "$P/$C/rootfs/root/file")" golden
is '... and nothing else is there' "$(ls -A "$P")" "$C"
run sh -c "printf 'in\nput\n' | timeout 20 lxc-execute -P '$P' --ephemeral -n '$C' -- /bin/wc -l"
is 'what comes through a pipe reaches the command' "$(echo $out)" 2
run lxc execute --ephemeral -n "$C" -- /bin/sh -c 'kill -9 $$'
is 'a command that a signal killed: 128 and the signal' "$status" 137
fails_with 'a command that does not exist is told' any 'nosuch' \
	lxc execute --ephemeral -n "$C" -- /bin/nosuch
is '... and leaves nothing' "$(ls -A "$P")" "$C"
fails_with 'a container that does not exist as well' 1 "$C-none" \
	lxc execute --ephemeral -n "$C-none" -- /bin/true
fails_with 'another configuration is refused' 1 'exclude each other' \
	lxc execute --ephemeral -n "$C" -f "$NET" -- /bin/true

# Killed: it cannot clean up, so the next command does it.
clone_runs() { lxc ls -1 --running | grep -q "^${C}_"; }
lxc-execute -P "$P" --ephemeral -n "$C" -- /bin/sleep 1000 </dev/null >/dev/null 2>&1 &
job=$!
ok 'while a command runs its clone does' eventually 10 clone_runs
kill -KILL "$job"
wait "$job" 2>/dev/null
# shellcheck disable=SC2317 # called by eventually
is_alone() { [ "$(lxc ls -1)" = "$C" ] && [ "$(ls -A "$P")" = "$C" ]; }
ok 'when the tool is killed the next command removes the clone' eventually 10 is_alone
lxc-execute -P "$P" --ephemeral -n "$C" -- /bin/sleep 1000 </dev/null >/dev/null 2>&1 &
job=$!
eventually 10 clone_runs
name=$(lxc ls -1 --running | grep "^${C}_")
# shellcheck disable=SC2317 # called by eventually
has_supervisor() { [ "$(supervisor_pid "$name" 2>/dev/null)" -gt 1 ] 2>/dev/null; }
eventually 10 has_supervisor
kill -KILL "$(supervisor_pid "$name")"
kill -KILL "$job"
wait "$job" 2>/dev/null
ok '... also when its supervisor is killed with it' eventually 10 is_alone
# Killed before it runs: a hook holds its start up.
cat >"$TMP/hang" <<HOOK
#!/bin/sh
touch "$TMP/hung"
exec sleep 1000
HOOK
chmod 755 "$TMP/hang"
echo "lxc.hook.pre-start = $TMP/hang" >>"$P/$C/config"
lxc-execute -P "$P" --ephemeral -n "$C" -- /bin/true </dev/null >/dev/null 2>&1 &
job=$!
eventually 10 test -e "$TMP/hung"
is 'a clone that is about to start is no leftover' "$(lxc ls -1 | wc -l)" 2
for pid in $(processes_of "$P"); do kill -KILL "$pid" 2>/dev/null; done
kill -KILL "$job"
wait "$job" 2>/dev/null
ok '... when all that is at work on it is killed, it is' eventually 10 is_alone
is 'the container was not touched by it all' "$(cat "$P/$C/rootfs/root/file")" golden

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# attach: a command inside, with the bytes, the status, the identity and the terminal that it would
# have there.

. "${0%/*}/lib.sh"
need_ptyrun

started "$C" 'lxc.environment = FROM_CONFIG=yes' 'lxc.cap.drop = sys_time mknod'
attach() { lxc attach -n "$C" "$@"; }
pid=$(init_pid "$C")

# ---- status

attach -- true </dev/null
is 'a command that succeeds gives 0' $? 0
attach -- sh -c 'exit 42' </dev/null
is 'the status is passed' $? 42
attach -- sh -c 'exit 255' </dev/null
is 'also 255' $? 255
attach -- sh -c 'kill -TERM $$' </dev/null
is 'killed by a signal: 128 and the signal' $? 143
run attach -- sh -c 'kill -KILL $$'
is 'also by SIGKILL' "$status" 137
fails_with 'a command that is not there gives 127, by name' 127 'no-such-command' attach -- no-such-command
echo text >"$P/$C/rootfs/tmp/plain"
fails_with 'one that may not be executed gives 126, by name' 126 '/tmp/plain' attach -- /tmp/plain

# ---- bytes

awk 'BEGIN { srand(7); for (i = 0; i < 300000; i++) printf "%c", int(rand() * 256) }' >"$TMP/in"
LC_ALL=C attach -- cat <"$TMP/in" >"$TMP/through"
ok 'bytes pass through unchanged, in and out' cmp "$TMP/in" "$TMP/through"
# shellcheck disable=SC2002
cat "$TMP/in" | attach -- cat | cat >"$TMP/through"
ok 'also through pipes' cmp "$TMP/in" "$TMP/through"
run attach -- sh -c 'echo one; echo two >&2'
is 'stdout and stderr stay apart' "$out/$err" one/two
is 'stdin ends when it ends' "$(printf abc | attach -- wc -c | tr -d ' ')" 3
is 'a command that does not read leaves the rest' "$(printf 'a\nb\n' | (attach -- true; cat) | wc -l)" 2

# ---- where it is

is 'it is in the pid namespace' "$(attach -- readlink /proc/self/ns/pid)" "$(readlink "/proc/$pid/ns/pid")"
for ns in mnt uts ipc net cgroup; do
	is "it is in the $ns namespace" "$(attach -- readlink "/proc/self/ns/$ns")" \
		"$(readlink "/proc/$pid/ns/$ns")"
done
attach -- sleep 30 </dev/null >/dev/null 2>&1 &
job=$!
inner=
find_inner() {
	inner=$(attach -- ps </dev/null | awk '/ sleep 30$/ { print $1 }')
	[ -n "$inner" ]
}
eventually 3 find_inner
for line in $(cut -d: -f2 "/proc/$pid/cgroup" | tr , _ | sort -u); do
	mine=$(attach -- grep ":$(echo "$line" | tr _ ,):" "/proc/$inner/cgroup")
	init=$(attach -- grep ":$(echo "$line" | tr _ ,):" /proc/1/cgroup)
	is "it is in init's cgroup ($line)" "$mine" "$init"
done
ok 'its cgroups hold no path of the host' \
	sh -c '! timeout 9 lxc-attach -P "$1" -n "$2" -- cat /proc/self/cgroup | grep -q "/\.\."' - "$P" "$C"
attach -- kill "$inner" </dev/null
wait $job
is 'a command killed inside ends the tool' $? 143
is 'it has lost the capabilities that init has lost' \
	"$(attach -- sed -n 's/^CapBnd:.//p' /proc/self/status)" \
	"$(sed -n 's/^CapBnd:.//p' "/proc/$pid/status")"
not_ok 'so it cannot make a device' attach -- mknod /tmp/null c 1 3
ok 'with -e it can' attach -e -- mknod /tmp/null c 1 3
is 'it has no descriptor of the host but the three' \
	"$(attach -- ls /proc/self/fd </dev/null | tr '\n' ' ')" '0 1 2 3 '
is 'the directory is that of the caller if it exists inside' "$(cd /tmp && attach -- pwd)" /tmp
is 'else the root' "$(attach -- pwd)" /
is 'umask is passed' "$(umask 027; attach -- sh -c umask)" 0027

# ---- environment and identity

is 'the environment has container=lxc' "$(attach -- sh -c 'echo $container')" lxc
is 'and what the configuration sets' "$(attach -- sh -c 'echo $FROM_CONFIG')" yes
is 'the caller'\''s is kept' "$(FROM_CALLER=1 attach -- sh -c 'echo $FROM_CALLER')" 1
is 'not with --clear-env' "$(FROM_CALLER=1 attach --clear-env -- /bin/sh -c 'echo $FROM_CALLER$container')" lxc
is 'but what --keep-var names' \
	"$(FROM_CALLER=1 attach --clear-env --keep-var FROM_CALLER -- /bin/sh -c 'echo $FROM_CALLER')" 1
is 'and what -v sets' "$(attach --clear-env -v 'A=b c' -- /bin/sh -c 'echo $A')" 'b c'
is 'the user is root' "$(attach -- id -u)" 0
is '-u and -g name another' "$(attach -u 1000 -g 1001 -- sh -c 'id -u; id -g' | tr '\n' ' ')" '1000 1001 '
is 'no supplementary group of the caller comes along' "$(attach -- id -G)" 0
is 'without a command there is a shell' "$(echo 'echo $((6*7))' | attach)" 42
is '-s joins only what is named' "$(attach -s 'NETWORK|UTSNAME' -- sh -c 'hostname; readlink /proc/self/ns/mnt' | tr '\n' ' ')" \
	"$C $(readlink /proc/self/ns/mnt) "
is '-R without the mount namespace: a /proc of the pid namespace joined, with our files around it' \
	"$(attach -R -s PID -- sh -c 'cat /proc/1/comm; test -e "$1/config" && echo ours' - "$P/$C" | tr '\n' ' ')" 'init ours '
is '... a /sys of the network namespace joined' \
	"$(attach -R -s 'PID|NETWORK' -- sh -c 'cat /proc/1/comm; ls /sys/class/net' | tr '\n' ' ')" 'init lo '
is '... and of ours when none was joined' \
	"$(attach -R -s UTSNAME -- sh -c 'hostname; ls /sys/class/net' | tr '\n' ' ')" \
	"$( (echo "$C"; ls /sys/class/net) | tr '\n' ' ')"
ok '... while nothing changes for us' sh -c 'test -d /proc/$$'
fails_with 'a container that is not there' 1 "^lxc-attach: $C-none: there is no such container" \
	lxc attach -n "$C-none" -- true
fails_with '-s refuses what is no namespace' 1 'NOTHING' attach -s NOTHING -- true
fails_with '-e refuses what is no privilege' 1 'NOTHING' attach -eNOTHING -- true

# ---- a terminal

run ptyrun -s 33x101 'expect 33 101
end' -- lxc-attach -P "$P" -n "$C" -- stty size
is 'on a terminal it has a terminal of the same size' "$status" 0
run ptyrun 'end' -- lxc-attach -P "$P" -n "$C" -- tty
like '... a device of the container' "$out" '^/dev/(pts/[0-9]+|console)'
run ptyrun 'end' -- lxc-attach -P "$P" -n "$C" -- sh -c 'exit 9'
is '... and the status is passed' "$status" 9
run ptyrun 'expect [#$] 
size 40x50
sleep 300
send stty size\r
expect 40 50
send exit 5\r
end' -- lxc-attach -P "$P" -n "$C" -- sh
is 'a new size of the window arrives' "$status" 5
run ptyrun 'expect [#$] 
send sleep 50\r
sleep 300
send \x03
expect [#$] 
send echo a""live\r
expect ^alive
send exit\r
end' -- lxc-attach -P "$P" -n "$C" -- sh
is 'Ctrl+C ends what runs inside, not the shell' "$status" 0
run ptyrun 'expect [$#] $
send stty -a >before; lxc-attach -P "$P" -n "$C" -- true; stty -a >after; cmp before after && echo sa""me\r
expect ^same
send exit\r
end' -- env P="$P" C="$C" sh -c 'cd "$0" && PS1="# " exec sh -i' "$TMP"
is 'the terminal is put back as it was' "$status" 0
run ptyrun 'expect [#$] 
send sleep 1000 &\r
send echo $! >/tmp/bgpid; echo sto""red\r
expect stored' -- lxc-attach -P "$P" -n "$C" -- sh
ok 'when the terminal goes, the tool ends' test "$status" != 124
not_ok 'and so does the shell' inside "$C" sh -c 'for p in /proc/[0-9]*; do
	[ "$(readlink $p/fd/0)" = /dev/pts/0 ] && grep -q "^sh" $p/comm && exit 0; done; exit 1'

# ---- frozen

lxc freeze -n "$C"
began=$(now_ms)
run lxc attach -n "$C" -- true
ok 'attach to a frozen container does not hang' test "$status" != 124
like 'and says why' "$err" "$C.*frozen"
lxc unfreeze -n "$C"
ok 'afterwards it works' attach -- true
ok 'no process of the failed one is left behind' \
	sh -c '[ -z "$(pgrep -f "lxc-attach.*-P $1" || :)" ]' - "$P"

done_testing

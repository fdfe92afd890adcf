#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# execute: one command in a container, under a small init.

. "${0%/*}/lib.sh"
need_ptyrun

make_container "$C"
execute() { lxc execute -n "$C" "$@"; }

run execute -- echo hello
is 'a command runs, and its output comes' "$status/$out" 0/hello
is 'its status is the tool'\''s' "$(execute -- sh -c 'exit 42' </dev/null; echo $?)" 42
execute -- sh -c 'kill -TERM $$' </dev/null
is 'killed by a signal: 128 and the signal' $? 143
fails_with 'a command that is not there is an error, by name' any 'no-such-command' execute -- no-such-command
run execute -- sh -c 'echo $$; tr "\000" " " </proc/1/cmdline'
like 'it is not process 1, which is an init' "$out" '^[2-9]'
like '... by name' "$out" 'init'
run execute -- sh -c '(sleep 0.2 &) ; exit 3'
is 'orphans are waited for' "$status" 3
is 'input is passed' "$(printf 'one two' | execute -- wc -w | tr -d ' ')" 2
run execute -- sh -c 'echo one; echo two >&2'
is 'stdout and stderr stay apart' "$out/$err" one/two
is 'the environment has container=lxc' "$(execute -- sh -c 'echo $container')" lxc
is '-u and -g name another user' "$(execute -u 1000 -g 1001 -- sh -c 'id -u; id -g' | tr '\n' ' ')" '1000 1001 '
is '-s sets a key' "$(execute -s lxc.uts.name=other -- hostname)" other
run ptyrun 'end' -- lxc-execute -P "$P" -n "$C" -- sh -c 'tty; exit 6'
is 'on a terminal the status is passed too' "$status" 6
like '... and it has a terminal' "$out" '^/dev/'
if command -v strace >/dev/null; then
	# It has ended long before the one who started it asks for its terminal.
	run ptyrun 'end' -- strace -qq -o /dev/null -e trace=connect -e inject=connect:delay_enter=700000 \
		lxc-execute -P "$P" -n "$C" -- sh -c 'tty; exit 6'
	like '... and what it says is seen, however short it is' "$status $out" '^6 /dev/'
fi
nothing_left 'afterwards nothing is left' "$C"

ok '-d returns at once' execute -d -- sleep 100
is '... while it runs' "$(state "$C")" RUNNING
ok '... and can be stopped' lxc stop -k -n "$C"
nothing_left '... with nothing left' "$C"
ok '-d again' execute -d -- sleep 100
ok 'a clean stop ends it' lxc stop -n "$C" -t 5
nothing_left '... with nothing left' "$C"

echo 'lxc.execute.cmd = /bin/echo from the configuration' >>"$P/$C/config"
is 'without a command, lxc.execute.cmd runs' "$(execute)" 'from the configuration'
cat >"$TMP/rc" <<-X
	lxc.rootfs.path = dir:$P/$C/rootfs
	lxc.net.0.type = empty
X
is 'with -f it need not exist' "$(lxc execute -n "$C-new" -f "$TMP/rc" -- echo hi)" hi
nothing_left '... and does not afterwards' "$C-new" destroyed
fails_with 'without either there is no configuration, and it says so' 1 "$C-new" \
	lxc execute -n "$C-new" -- true

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# console: a login at a terminal of the container, typed at a pseudo-terminal.

. "${0%/*}/lib.sh"
need_ptyrun

make_container "$C" 'lxc.init.cmd = /bin/busybox init' "lxc.console.logfile = $TMP/console.log" \
	'lxc.console.buffer.size = 64KB'
etc=$P/$C/rootfs/etc
# shellcheck disable=SC2016 # the word 'secret'
hash='$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA'
rm -f "$etc/passwd"
echo "root:$hash:0:0:root:/root:/bin/sh" >"$etc/passwd"
cat >"$etc/inittab" <<-'X'
	::sysinit:/bin/echo system is up
	tty1::respawn:/bin/getty -L 38400 tty1 vt100
	tty2::respawn:/bin/getty -L 38400 tty2 vt100
	console::respawn:/bin/getty -L 38400 console vt100
X
run lxc start -n "$C"
is 'a container with logins on its terminals starts' "$status" 0

# talk TTY SCRIPT: types at a terminal of the container.
talk() {
	run ptyrun -s 24x80 "expect itself
$2" -- lxc-console -P "$P" -n "$C" -t "$1"
}

login='send \r
expect login: $
send root\r
expect Password: $
send secret\r
expect # '

talk 1 "$login
send echo he\"\"llo from \$(hostname) \$(tty)\r
expect hello from $C /dev/tty1
send exit\r
expect login: \$
send \x01q
end"
is 'a login can be typed at tty1, and Ctrl+a q leaves' "$status" 0
like 'it tells to which terminal, and how to leave' "$out" 'Type <Ctrl\+a q> to exit the console'
talk 1 'send \r
expect login: $
send root\r
expect Password: $
send wrong\r
expect ncorrect
send \x01q
end'
is 'a wrong password is refused' "$status" 0
talk 2 "$login
send stty size\r
expect 24 80
size 40x132
sleep 300
send stty size\r
expect 40 132
send \x01\x01
sleep 100
send \r
expect #
send exit\r
expect login: \$
send \x01q
end"
is 'tty2 has the size of the window, also of a new one' "$status" 0
talk 0 "$login
send echo con\"\"sole of \$(hostname)\r
expect console of $C
send exit\r
expect login: \$
send \x01q
end"
is 'a login can be typed at the console, -t 0' "$status" 0

# In a user namespace nobody may take a terminal from its session, so init itself must not have the console.
make_container "$C-u" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
rm -rf "${P:?}/$C-u/rootfs" && cp -a "$TMP/mini" "$P/$C-u/rootfs"
ln -sf /bin/busybox "$P/$C-u/rootfs/sbin/init"
echo "root:$hash:0:0:root:/root:/bin/sh" >"$P/$C-u/rootfs/etc/passwd"
echo 'console::respawn:/bin/getty -L 38400 console vt100' >"$P/$C-u/rootfs/etc/inittab"
chown -Rh 100000:100000 "$P/$C-u/rootfs" && chmod 755 "$TMP" "$P" "$P/$C-u"
run lxc start -n "$C-u"
is 'a container of a user namespace with a login on its console starts' "$status" 0
is '... whose init leaves the console to the login' \
	"$(cut -d' ' -f7 "/proc/$(init_pid "$C-u")/stat")" 0
run ptyrun -s 24x80 "expect itself
$login
send echo wait\"\"ing && sleep 100 </dev/tty\r
expect waiting
send \x03
expect #
send exit\r
expect login: \$
send \x01q
end" -- lxc-console -P "$P" -n "$C-u" -t 0
is '... and a login can be typed there, with Ctrl+c for what it runs' "$status" 0
lxc stop -k -n "$C-u"

run ptyrun 'expect <Ctrl.b q>
expect itself
send \x02q
end' -- lxc-console -P "$P" -n "$C" -t 1 -e '^b'
is '-e names another key to leave by' "$status" 0
run ptyrun 'expect Connected to tty 1
expect itself
send \x01q
end' -- lxc-console -P "$P" -n "$C"
is 'without -t it is the first free terminal' "$status" 0

# One client a terminal, but many on the console.

timeout -k 2 40 "$LXT_PTYRUN" -t 15 'expect Connected to tty 1
expect NEVER' -- lxc-console -P "$P" -n "$C" -t 1 >"$TMP/first" 2>&1 &
first=$!
eventually 5 grep -q Connected "$TMP/first"
run ptyrun -t 5 'end' -- lxc-console -P "$P" -n "$C" -t 1
is 'a terminal that is taken is refused' \
	"$([ "$status" != 0 ] && [ "$status" != 124 ] && echo refused)" refused
like '... by its number' "$out" 'tty ?1'
run ptyrun 'expect Connected to tty 2
expect itself
send \x01q
end' -- lxc-console -P "$P" -n "$C"
is 'without -t the next one is taken' "$status" 0
kill $first
wait $first 2>/dev/null
ok 'one whose client died is free again' eventually 3 \
	timeout 5 "$LXT_PTYRUN" 'expect Connected to tty 1
expect itself
send \x01q
end' -- lxc-console -P "$P" -n "$C" -t 1

timeout -k 2 40 "$LXT_PTYRUN" -t 15 'expect to all of you
send \x01q
end' -- lxc-console -P "$P" -n "$C" -t 0 >"$TMP/first" 2>&1 &
first=$!
timeout -k 2 40 "$LXT_PTYRUN" -t 15 'expect to all of you
send \x01q
end' -- lxc-console -P "$P" -n "$C" -t 0 >"$TMP/second" 2>&1 &
second=$!
eventually 5 grep -q Connected "$TMP/first"
eventually 5 grep -q Connected "$TMP/second"
sleep 0.2
inside "$C" sh -c 'echo to all of you >/dev/console'
wait $first
is 'several can be at the console: the first sees what it prints' $? 0
wait $second
is 'and so does the second' $? 0

is 'what it prints is in the log file' "$(tr -d '\r' <"$TMP/console.log" | grep -c 'system is up')" 1
like 'which is not for strangers' "$(stat -c %a "$TMP/console.log")" '^6[04]0$'
fails_with 'a terminal that it does not have is refused, by number' 1 '99' lxc console -n "$C" -t 99
run lxc console -n "$C" -t 1
ok 'stdin need not be a terminal' test "$status" = 0

# The console ends with the container.
timeout -k 2 40 "$LXT_PTYRUN" -t 15 'expect Connected
end' -- lxc-console -P "$P" -n "$C" -t 1 >"$TMP/first" 2>&1 &
first=$!
eventually 5 grep -q Connected "$TMP/first"
lxc stop -k -n "$C"
wait $first
is 'when the container ends, the tool ends, with 0' $? 0
nothing_left 'nothing is left' "$C"

done_testing

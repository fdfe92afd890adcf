#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks through terminals.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
need_ptyrun

# ----------------------------------------------------------------------------------------------------
row CVE-2016-10124 'a command in the container types at the terminal of whoever attached it (TIOCSTI)' \
	'an attached command always gets a terminal of the container'"'"'s own'
armed "$C"
lxc start -n "$C"
cat >"$TMP/session" <<-SESSION
	lxc-attach -P "$P" -n "$C" -- /bin/attack tiocsti "touch $TMP/typed"
	echo back
	if read -r line; then echo "typed: \$line"; fi
SESSION
run ptyrun 'expect back
	sleep 500
	send own\r
	expect typed: .*
	end' -- sh "$TMP/session"
like "$CVE: the shell outside reads what is typed outside" "$out" 'typed: own'
unlike "$CVE: ... and nothing from inside" "$out" 'typed: touch'
# The attack works where it is not kept out.
run ptyrun 'expect typed: .*
	end' -- sh -c "'$ATTACK' tiocsti own 2>/dev/null; if read -r line; then echo \"typed: \$line\"; fi"
if printf '%s' "$out" | grep -q 'typed: own'; then report 0 "$CVE: ... which the kernel would allow"
else skip "$CVE: ... which the kernel would allow" 'dev.tty.legacy_tiocsti = 0'; fi
run ptyrun 'expect (/dev/[a-z/0-9]+|not a tty)
	end' -- lxc-attach -P "$P" -n "$C" -- tty
like "$CVE: the terminal is one of the container's" "$out" '/dev/pts/[0-9]'
like "$CVE: so is that of init" "$(inside "$C" sh -c 'readlink /proc/1/fd/0')" '^/dev/pts/[0-9]+$'

# ----------------------------------------------------------------------------------------------------
row CVE-2025-52565 'a terminal of the container is one of the host' 'it is allocated in a devpts of the container'
is "$CVE: /dev/console is a device of the container's devpts" \
	"$(inside "$C" sh -c 'awk "\$5 == \"/dev/console\" { print \$9 }" /proc/self/mountinfo')" devpts
host=$(stat -c %d /dev/pts)
is "$CVE: ... which is not the host's" "$(inside "$C" stat -c %d /dev/pts | grep -cvx "$host")" 1
not_ok "$CVE: no terminal of the host can be opened by its number" \
	inside "$C" sh -c 'for n in $(seq 0 60); do [ -e /dev/pts/$n ] || continue; echo won >/dev/pts/$n; done; test -e /dev/pts/60'
lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"
done_testing

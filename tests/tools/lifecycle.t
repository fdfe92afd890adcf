#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The main road: a container is created, started, looked at, frozen, entered, stopped and destroyed.

. "${0%/*}/lib.sh"

# ---- create

ok 'create makes a container from the busybox template without any network' \
	lxc create -n "$C" -f "$NET" -t busybox
ok 'its configuration, root filesystem and init are there' \
	test -s "$P/$C/config" -a -x "$P/$C/rootfs/sbin/init"
like 'its directory is closed to strangers' "$(stat -c %a "$P/$C")" '^7[0-7]0$'
fails_with 'a second one of the same name is refused, by name' 1 "$C.*exists" \
	lxc create -n "$C" -f "$NET" -t busybox
is 'one that is stopped has the state STOPPED' "$(state "$C")" STOPPED
is 'ls shows it' "$(lxc ls -1)" "$C"
is 'ls --stopped shows it, ls --running does not' "$(lxc ls -1 --stopped)$(lxc ls -1 --running)" "$C"

# ---- start

ok 'start starts it' lxc start -n "$C"
is 'then it is RUNNING' "$(state "$C")" RUNNING
pid=$(init_pid "$C")
ok 'info tells the pid of its init, which lives' kill -0 "$pid"
is 'its init runs in a pid namespace of its own, as process 1' \
	"$(sed -n 's/^NSpid:[[:space:]]*[0-9]*[[:space:]]*//p' "/proc/$pid/status")" 1
is 'its root is its own root filesystem' \
	"$(stat -L -c %i "/proc/$pid/root")" "$(stat -c %i "$P/$C/rootfs")"
is 'its hostname is its name' "$(inside "$C" hostname)" "$C"
is 'it sees no process but its own' "$(inside "$C" sh -c 'ls -d /proc/1 && head -c4 /proc/1/comm')" \
	'/proc/1
init'
for ns in mnt pid uts ipc net cgroup; do
	ok "it has a $ns namespace of its own" \
		test "$(readlink "/proc/$pid/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")"
done
is 'it has a network of its own, with nothing but the loopback' \
	"$(inside "$C" sh -c 'sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d " "')" lo
is 'ls --active shows it' "$(lxc ls -1 --active)" "$C"
is 'a second container started beside it is another one' "$(
	make_container "$C-two" && lxc start -n "$C-two" &&
		[ "$(init_pid "$C-two")" != "$pid" ] && echo yes)" yes
is 'ls sorts them' "$(lxc ls -1 | tr '\n' ' ')" "$C $C-two "
is 'ls --filter takes a pattern' "$(lxc ls -1 --filter 'two$')" "$C-two"

# ---- freeze

before=$(inside "$C" sh -c 'while :; do echo >>/tmp/ticks; sleep 0.02; done >/dev/null 2>&1 &')
ok 'freeze freezes it' lxc freeze -n "$C"
is 'then it is FROZEN' "$(state "$C")" FROZEN
before=$(wc -c <"$P/$C/rootfs/tmp/ticks")
sleep 0.2
is 'a frozen one does nothing' "$(wc -c <"$P/$C/rootfs/tmp/ticks")" "$before"
is 'ls --frozen shows it' "$(lxc ls -1 --frozen)" "$C"
ok 'freezing it again is no error' lxc freeze -n "$C"
ok 'unfreeze thaws it' lxc unfreeze -n "$C"
is 'then it is RUNNING again' "$(state "$C")" RUNNING
sleep 0.2
ok 'and goes on with its work' test "$(wc -c <"$P/$C/rootfs/tmp/ticks")" -gt "$before"

# ---- stop

fails_with 'destroy refuses one that runs, by name' 1 "$C.* running" lxc destroy -n "$C"
is 'and it still runs' "$(state "$C")" RUNNING
ok 'stop -k stops it' lxc stop -k -n "$C"
is 'then it is STOPPED' "$(state "$C")" STOPPED
ok 'its init is gone' is_dead "$pid"
nothing_left 'no cgroup, mount, process or record of it is left' "$C"
ok 'it starts again' lxc start -n "$C"
ok 'a clean stop works too' lxc stop -n "$C" -t 15
is 'and it is STOPPED' "$(state "$C")" STOPPED
is 'the other one was not touched' "$(state "$C-two")" RUNNING
started=$(now_ms)
ok 'a clean stop of an init that obeys' lxc stop -n "$C-two"
ok 'takes less than a second' test $(($(now_ms) - started)) -lt $((1000 * SLOW))
nothing_left 'nothing of it is left' "$C-two"

# ---- destroy

ok 'destroy removes it' lxc destroy -n "$C"
not_ok 'with its directory' test -e "$P/$C"
nothing_left 'and nothing at all is left' "$C" destroyed
fails_with 'info then says that there is no such container' 1 "$C" lxc info -n "$C"
lxc start -n "$C-two"
ok 'destroy -f stops and removes one that runs' lxc destroy -f -n "$C-two"
nothing_left 'and nothing at all is left' "$C-two" destroyed
is 'ls shows nothing in an empty path' "$(lxc ls)" ''
P=$P/absent
ok 'nor in a path that does not exist' lxc ls

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers of an ordinary user whose systemd gives them cgroups: asked for over the user's bus, limited,
# frozen, entered from elsewhere, divided inside, and gone with the container.

# shellcheck disable=SC2016,SC2154 # scripts for other shells; what user.sh sets
if [ -z "${LXT_USER:-}" ]; then
	unfit() { echo "1..0 # SKIP $1"; exit 0; }
	[ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] || unfit 'needs root and systemd as process 1'
	[ -e /sys/fs/cgroup/cgroup.controllers ] || unfit 'needs cgroup v2 alone'
	for program in useradd userdel loginctl systemctl python3; do
		command -v "$program" >/dev/null || unfit "$program is not installed"
	done
	LXT_USER=lxtu$$
	end_user() {
		loginctl disable-linger "$LXT_USER"
		loginctl terminate-user "$LXT_USER"
		userdel "$LXT_USER"
	} >/dev/null 2>&1
	trap end_user EXIT
	trap 'exit 130' INT TERM HUP
	useradd -M "$LXT_USER" || unfit 'cannot make a user'
	grep -q "^$LXT_USER:" /etc/subuid || usermod --add-subuids 900000-965535 --add-subgids 900000-965535 "$LXT_USER"
	systemctl start systemd-logind && loginctl enable-linger "$LXT_USER" || unfit 'logind does not work'
	export LXT_USER
	"$0"
	exit
fi
. "${0%/*}/../tools/user.sh"
need busybox python3
BUS=/run/user/$UID_/bus
eventually 20 test -S "$BUS" || skip_all 'the systemd of the user has no bus (dbus-user-session)'

place_of() { sed -n 's/^0:://p' "/proc/$(pid_of "$1")/cgroup"; }
manager() { user env XDG_RUNTIME_DIR="${BUS%/bus}" systemctl --user "$@"; }
no_scope() { [ -z "$(find /sys/fs/cgroup/user.slice -type d -name "lxc-$1*.scope")" ]; }
stop() { lxc_ stop -k -n "$1"; }

echo 'lxc.net.0.type = empty' >"$TMP/conf"
ok 'the user has a container' lxc_ create -n one -t busybox -f "$TMP/conf"
run lxc_ start -n one
is 'it starts, asked from a cgroup that is not the user'"'"'s' "$status" 0
is '... and goes without nothing' "$err" ''
like 'its cgroup is in a scope of the user'"'"'s systemd' "$(place_of one)" \
	"/user@$UID_.service/(.*/)?lxc-one.scope/lxc.payload.one\$"
is '... which knows it' "$(manager is-active lxc-one.scope)" active
is '... and leaves it alone' "$(manager show -p Delegate --value lxc-one.scope)" yes
scope=/sys/fs/cgroup$(place_of one)
scope=${scope%/*}
is 'its supervisor is beside it' "$(cat "$scope/supervisor/cgroup.procs")" \
	"$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$(pid_of one)/status")"
ok 'a limit is set while it runs' lxc_ cgroup -n one pids.max 60
is '... and holds' "$(cat "$scope/lxc.payload.one/pids.max")" 60
ok 'it is frozen' lxc_ freeze -n one
is '... whole' "$(lxc_ info -n one -sH)" FROZEN
ok '... and thawed' lxc_ unfreeze -n one
like 'what it uses is known' "$(lxc_ info -n one)" 'Memory use'
is 'a command from another cgroup is put into that of the container' "$(within one cat /proc/self/cgroup)" 0::/
within one sleep 1000 &
in_payload() { [ "$(wc -l <"$scope/lxc.payload.one/cgroup.procs")" -gt "$1" ]; }
before=$(wc -l <"$scope/lxc.payload.one/cgroup.procs")
within one sh -c 'sleep 1001' &
ok '... as the host sees it, too' eventually 10 in_payload "$before"

# Its root divides it.
within one sh -c 'mkdir /sys/fs/cgroup/in /sys/fs/cgroup/in/deeper
	for pid in $(cat /sys/fs/cgroup/cgroup.procs); do echo $pid >/sys/fs/cgroup/in/cgroup.procs; done' 2>/dev/null
drained() { [ -z "$(cat "$scope/lxc.payload.one/cgroup.procs")" ]; }
eventually 10 drained
echo +pids >"$scope/lxc.payload.one/cgroup.subtree_control"
is 'where it is divided, a command has a part of its own' "$(within one cat /proc/self/cgroup)" 0::/.lxc
ok '... again' within one true

within one sh -c 'kill -TERM 1' >/dev/null
pid=$(pid_of one)
is_other() { [ -n "$(pid_of one)" ] && [ "$(pid_of one)" != "$pid" ]; }
lxc_ stop -r -n one
ok 'a reboot works' eventually 20 is_other
like '... in the same scope' "/sys/fs/cgroup$(place_of one)" "^$scope/lxc.payload.one"
ok 'it stops' stop one
ok '... and its scope goes, whatever its root made in it' eventually 20 no_scope one

ok 'another path' user mkdir "$HOME_/other"
ok '... has a container of the same name' lxc_ copy -n one -N one -p "$HOME_/other"
run lxc_ start -n one -s lxc.cgroup2.memory.max=100000000 -s lxc.cgroup2.pids.max=50
is 'it starts with limits' "$status" 0
is '... of memory' "$(cat "/sys/fs/cgroup$(place_of one)/memory.max")" 99999744
is '... and of processes' "$(cat "/sys/fs/cgroup$(place_of one)/pids.max")" 50
run lxc_ start -P "$HOME_/other" -n one
is 'the container of the same name runs, too' "$status$err" 0
is '... in a scope of its own' "$(manager is-active lxc-one-1.scope)" active
ok '... and stops' lxc_ stop -k -P "$HOME_/other" -n one
pid=$(pid_of one)
kill -9 "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")"
ok 'without its supervisor it ends' eventually 20 is_dead "$pid"
ok '... its scope as well' eventually 20 no_scope one
run lxc_ start -n one
is '... and it starts again' "$status$err" 0
stop one
fails_with 'a controller that the user has not is named' 1 'cpuset.*|to mend it: .*Delegate=' \
	lxc_ start -n one -s lxc.cgroup2.cpuset.cpus=0
run lxc_ execute -n one -s lxc.cgroup2.pids.max=50 -- cat /proc/self/cgroup
is 'in the foreground it has one, too' "$status $out" '0 0::/'
like 'the doctor knows' "$(lxc_ checkconfig 2>&1 | grep -i cgroup)" 'systemd gives each container its own'

# Who answers, and who does not.
run user env DBUS_SESSION_BUS_ADDRESS=unix:path=/nonexistent lxc-start -n one
is 'an address that leads nowhere: the usual one' "$status$err" 0
stop one
eventually 20 no_scope one
run user env DBUS_SESSION_BUS_ADDRESS="unix:abstract=nobody$$;unix:path=/run%2Fuser/$UID_/bus,guid=0" lxc-start -n one
is 'a list of addresses: the first that answers' "$status$err" 0
stop one
eventually 20 no_scope one
touch "$TMP/none" && mount --bind "$TMP/none" "$BUS"
run lxc_ start -n one
is 'without a bus it starts' "$status" 0
like '... and says what it goes without, and why' "$err" "without a cgroup of its own.*cannot reach the bus at.*$BUS.*loginctl"
ok '... a command runs in it' within one true
stop one
fails_with '... and what needs one is refused' 1 'cannot make a cgroup.*' lxc_ start -n one -s lxc.cgroup2.pids.max=50
cat >"$TMP/silent" <<'PYTHON'
import socket, sys, os
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(8); os.chmod(sys.argv[1], 0o777)
held = []
while True:
    held.append(s.accept()[0])
    if sys.argv[2] == "nonsense": held[-1].sendall(b"OK 0\r\n" + b"l" + b"\xff" * 300)
PYTHON
for manner in silent nonsense; do
	chmod 644 "$TMP/silent"
	user python3 "$TMP/silent" "$HOME_/$manner" $manner >/dev/null 2>&1 &
	server=$!
	eventually 10 test -S "$HOME_/$manner"
	run user env DBUS_SESSION_BUS_ADDRESS="unix:path=$HOME_/$manner" lxc-start -n one
	is "a bus that is $manner: it starts" "$status" 0
	like '... without a cgroup' "$err" 'without a cgroup of its own'
	stop one
	kill $server
	wait $server 2>/dev/null
done
umount "$BUS"
ok 'it can be destroyed' lxc_ destroy -n one
ok '... the other, too' lxc_ destroy -P "$HOME_/other" -n one
ok 'no scope is left' no_scope one
done_testing

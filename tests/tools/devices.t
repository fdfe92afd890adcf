#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-device: devices and interfaces of the host that come and go while a container runs.

. "${0%/*}/lib.sh"
need ip
ip link add "${C}a" type veth peer name "${C}b"
ip link set "${C}a" mtu 1420 up
ip link set "${C}b" up
DENY='lxc.cgroup2.devices.deny = a'
[ ! -d /sys/fs/cgroup/devices ] || DENY='lxc.cgroup.devices.deny = a'
ALLOW=$(echo "$DENY" | sed 's/deny = a/allow = c 1:3 rwm/')

device() { lxc device -n "$@"; }
stop() { lxc stop -k -n "$1"; }
link_line() { ip -o link show "$1" 2>/dev/null | sed 's/^[0-9]*: //; s/ state [A-Z]* / /; s/,LOWER_UP//'; }
read_one() { inside "$1" head -c 1 "$2"; }
owner_of() { stat -c '%u:%g' "/proc/$(init_pid "$1")/root$2"; }
mapped() { # NAME [LINE]...: with a user namespace
	make_container "$@" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
	chown -R 100000:100000 "$P/$1/rootfs/dev" "$P/$1/rootfs/run" "$P/$1/rootfs/mnt" "$P/$1/rootfs/tmp"
}

# ---- devices

make_container "$C" "$DENY" "$ALLOW"
lxc start -n "$C"
inside "$C" mknod /dev/made c 1 5 2>/dev/null
not_ok 'a device that the rules forbid does not open' read_one "$C" /dev/made
run device "$C" add /dev/full /dev/sub/full
is 'a device is given to a running container' "$status" 0
is '... silently' "$out$err" ''
is '... with the same numbers, at another path' "$(inside "$C" stat -c '%F %t:%T' /dev/sub/full)" 'character special file 1:7'
ok '... and opens' read_one "$C" /dev/sub/full
is '... as its root'"'"'s' "$(owner_of "$C" /dev/sub/full)" 0:0
ok 'adding it once more is fine' device "$C" add /dev/full /dev/sub/full
inside "$C" rm -f /dev/made
ok 'the path inside is that of the host unless told' device "$C" add /dev/zero
inside "$C" touch /dev/there
fails_with 'what is there is not replaced' 1 '"/dev/there" is in it already' device "$C" add /dev/full /dev/there
fails_with '... and what is another device is not removed' 1 'another device \(1:5\) than "/dev/full" \(1:7\)' \
	device "$C" del /dev/full /dev/zero
ok 'a device is taken away' device "$C" del /dev/full /dev/sub/full
not_ok '... its node is gone' inside "$C" test -e /dev/sub/full
inside "$C" mknod /dev/full2 c 1 7 2>/dev/null
not_ok '... and its rule' read_one "$C" /dev/full2
fails_with '... and cannot be taken twice' 1 'cannot find device "/dev/sub/full" in it' device "$C" del /dev/full /dev/sub/full
fails_with 'what is no device is not removed' 1 '"/etc/passwd" in it is not a device' device "$C" del /dev/null /etc/passwd
fails_with 'a file is no device' 1 '"/etc/passwd" is not a device' device "$C" add /etc/passwd
fails_with 'a device that there is not is named' 1 '"/dev/nosuch" on the host: No such file' device "$C" add /dev/nosuch
fails_with 'the path inside is a whole one' 1 'not a whole path' device "$C" add /dev/full full

# A link cannot lead out of the container.
inside "$C" ln -s "../../../../../../../../../../../tmp" /dev/out
ok 'a path over a link stays inside' device "$C" add /dev/full "/dev/out/$C"
not_ok '... so the host has no such node' test -e "/tmp/$C"
ok '... and the container has it' inside "$C" test -c "/tmp/$C"
ok 'a frozen container gets a device too' sh -c "lxc-freeze -P '$P' -n '$C' && lxc-device -P '$P' -n '$C' add /dev/kmsg /dev/k; s=\$?; lxc-unfreeze -P '$P' -n '$C'; exit \$s"
stop "$C"

make_container "$C" "$DENY" "$ALLOW" 'lxc.mount.entry = none mnt tmpfs nodev,create=dir 0 0'
lxc start -n "$C"
fails_with 'where no devices are allowed none is made' 1 "allows no devices" device "$C" add /dev/full /mnt/full
ok '... and the rules stay as they are' inside "$C" sh -c 'mknod /dev/full2 c 1 7; ! head -c 1 /dev/full2'
stop "$C"

if unshare -U true 2>/dev/null; then
	mapped "$C"
	run lxc start -n "$C"
	is 'a container with a user namespace' "$status" 0
	ok '... gets a device' device "$C" add /dev/full /dev/sub/full
	ok '... that opens' read_one "$C" /dev/sub/full
	is '... and belongs to its root' "$(inside "$C" stat -c '%u:%g' /dev/sub/full)" 0:0
	ok '... and is taken away' device "$C" del /dev/full /dev/sub/full
	not_ok '... whole' inside "$C" test -e /dev/sub/full
	ok '... an interface comes' device "$C" add "${C}a"
	ok '... and goes' device "$C" del "${C}a"
	stop "$C"
fi

# ---- interfaces

before=$(link_line "${C}a")
make_container "$C"
lxc start -n "$C"
run device "$C" add "${C}a" lan
is 'an interface moves into a running container' "$status" 0
is '... silently' "$out$err" ''
ok '... under the name that was asked for' inside "$C" ip link show lan
is '... and the host has it no more' "$(link_line "${C}a")" ''
fails_with '... so it cannot be given twice' 1 "no network interface \"${C}a\"" device "$C" add "${C}a"
fails_with 'a name that is taken inside is refused' 1 "cannot move interface \"${C}b\".* has a \"lan\" already" device "$C" add "${C}b" lan
ok '... and the interface stays' ip link show "${C}b"
inside "$C" ip link set lan name wan
inside "$C" ip link set wan mtu 1300
ok 'it goes home by the name that it has inside' device "$C" del wan
is '... as it was' "$(link_line "${C}a")" "$before"
ip link set "${C}a" mtu 1410
device "$C" add "${C}a" lan
ok 'it comes again, and goes home under a name that is asked for' device "$C" del lan "${C}c"
like '... as it was this time' "$(link_line "${C}c")" 'mtu 1410'
ip link set "${C}c" mtu 1430
ip link set "${C}c" down
ip link set "${C}c" name "${C}a"
stop "$C"
like 'what came home before the stop is left alone by it' "$(link_line "${C}a")" 'mtu 1430'
ip link set "${C}a" mtu 1420 up
nothing_left '... which leaves nothing' "$C"

lxc start -n "$C"
device "$C" add "${C}a" lan
stop "$C"
is 'a stop gives it back' "$(link_line "${C}a")" "$before"
lxc start -n "$C"
device "$C" add "${C}a" lan
inside "$C" ip link set lan name other
kill -KILL "$(supervisor_pid "$C")"
eventually 5 state_is "$C" STOPPED
is '... so does whoever finds its supervisor dead' "$(link_line "${C}a")" "$before"
nothing_left '... and nothing stays' "$C"
lxc start -n "$C"
device "$C" add "${C}a" lan
pid=$(init_pid "$C")
kill -INT "$pid"
rebooted() { [ "$(init_pid "$C")" != "$pid" ] && state_is "$C" RUNNING; }
eventually 5 rebooted
is '... and a reboot' "$(link_line "${C}a")" "$before"

fails_with 'the loopback stays on the host' 1 'loopback cannot be given away' device "$C" add lo lo2
fails_with '... and in the container' 1 'loopback cannot be taken away' device "$C" del lo
fails_with 'an interface that it has not is named' 1 "$C: it has no interface \"eth7\"" device "$C" del eth7
fails_with 'a name that is too long is refused' 1 'longer than 15' device "$C" add "${C}a" sixteenletters16
fails_with 'what is neither is told how to be a device' 1 'no network interface "ttyUSB7"' device "$C" add ttyUSB7
like '... in the mending line' "$err" 'by its path'

# ---- words

fails_with 'verbs are whole words' 1 "'a' is neither 'add DEVICE' nor 'del DEVICE'" device "$C" a /dev/full
fails_with 'something must be named' 1 "neither 'add DEVICE'" device "$C" add
fails_with 'four words are too many' 1 '' device "$C" add a b c
ok 'the help needs no container' limit lxc-device --help
stop "$C"
fails_with 'a container that does not run gets nothing' 1 'is not running' device "$C" add /dev/full
fails_with '... nor one that there is not' 1 'no such container' device "$C-no" add "${C}a"
make_container "$C" 'lxc.net.0.type = none'
lxc start -n "$C"
fails_with 'in the host'"'"'s network there is nothing to move' 1 'shares the host' device "$C" add "${C}a"
stop "$C"
nobody() { limit setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if nobody lxc-device --version >/dev/null 2>&1; then
	fails_with 'only root may' 1 'must be run as root' nobody lxc-device -n "$C" add /dev/full
else
	skip 'only root may' 'nobody else can read this directory'
fi

done_testing

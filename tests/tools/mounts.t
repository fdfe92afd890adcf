#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Mounts: entries, files of them, the automatic ones, and /dev.

. "${0%/*}/lib.sh"

mkdir "$TMP/source" "$TMP/source/sub"
echo from the host >"$TMP/source/file"
echo "$TMP/source mnt/fstab none bind,create=dir 0 0" >"$TMP/fstab"
started "$C" "lxc.mount.fstab = $TMP/fstab" \
	"lxc.mount.entry = $TMP/source mnt/bind none bind,create=dir 0 0" \
	"lxc.mount.entry = $TMP/source mnt/ro none bind,ro,create=dir 0 0" \
	"lxc.mount.entry = $TMP/source/file mnt/one none bind,create=file 0 0" \
	'lxc.mount.entry = tmpfs mnt/tmpfs tmpfs size=1m,nosuid,nodev,noexec,create=dir 0 0' \
	"lxc.mount.entry = $TMP/absent mnt/absent none bind,optional 0 0" \
	"lxc.mount.entry = $TMP/source mnt/deep/er/still none bind,create=dir 0 0" \
	"lxc.mount.entry = etc mnt/relative none bind,relative,create=dir 0 0" \
	"lxc.mount.entry = $TMP/source $P/$C/rootfs/var none bind 0 0" \
	'lxc.mount.auto = proc:mixed sys:ro'
is 'a container with many mounts starts' "$status" 0
for at in bind ro fstab deep/er/still; do
	is "mnt/$at shows the source" "$(inside "$C" cat "/mnt/$at/file")" 'from the host'
done
is 'create=file makes a file' "$(inside "$C" cat /mnt/one)" 'from the host'
is 'a target may be named by its whole path on the host' "$(inside "$C" cat /var/file)" 'from the host'
not_ok 'ro is read-only' inside "$C" sh -c ': >/mnt/ro/file'
ok 'a bind is not' inside "$C" sh -c ': >/mnt/bind/new'
like 'options of a tmpfs hold' "$(inside "$C" grep ' /mnt/tmpfs ' /proc/mounts)" \
	'rw,nosuid,nodev,noexec.*size=1024k'
not_ok 'optional and absent is passed over' inside "$C" test -e /mnt/absent
ok 'relative is from its own directory' inside "$C" test -e /mnt/relative/passwd
mounts=$(inside "$C" cat /proc/mounts)
unlike 'no mount of the host is to be seen' "$mounts" "$TMP/path|/sys/fs/cgroup/unified .*/lxc"
is 'nothing is mounted on the host' "$(grep -c -e "$TMP/" /proc/self/mountinfo)" 0

# ---- automatic

not_ok 'proc:mixed: /proc/sys cannot be written' inside "$C" sh -c 'echo 1 >/proc/sys/kernel/panic'
not_ok '... nor /proc/sysrq-trigger' inside "$C" sh -c 'echo h >/proc/sysrq-trigger'
not_ok 'sys:ro: /sys cannot be written' inside "$C" sh -c 'mkdir /sys/fs/cgroup/x || : >/sys/kernel/uevent_seqnum'
is '/proc is of its own pid namespace' "$(inside "$C" sh -c 'head -c 4 /proc/1/comm')" init
lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"
started "$C" 'lxc.mount.auto = proc:rw sys:rw cgroup:mixed'
is 'with proc:rw sys:rw cgroup:mixed it starts' "$status" 0
ok 'proc:rw: its /proc/sys can be written' inside "$C" sh -c 'echo other >/proc/sys/kernel/hostname'
lxc stop -k -n "$C"

# ---- what is mounted on the host later

shmounts() {	# [CONFIG-LINE]...: what is mounted while it runs, in a mount namespace of the test's own
	local name="$C-sh"
	make_container "$name" "$@"
	limit unshare -m --propagation private sh -c '
		mkdir -p "$1/before" && mount --bind "$1" "$1" && mount --make-shared "$1" && mount -t tmpfs before "$1/before" || exit 99
		echo before >"$1/before/file"
		lxc-start -P "$2" -n "$3" || exit
		mkdir "$1/later" && mount -t tmpfs later "$1/later" && echo later >"$1/later/file"
		lxc-attach -P "$2" -n "$3" -- cat "$4/before/file" "$4/later/file"
		lxc-attach -P "$2" -n "$3" -- sh -c "mkdir \"\$1/inside\" && mount -t tmpfs inside \"\$1/inside\"" - "$4" 2>/dev/null
		grep -c " inside " /proc/self/mountinfo
		umount "$1/later" && lxc-attach -P "$2" -n "$3" -- test ! -e "$4/later/file" && echo gone
		lxc-stop -k -P "$2" -n "$3"' - "$TMP/travel" "$P" "$name" "$at"
	rm -rf "$TMP/travel" "$P/$name"
}
at=/dev/.lxc-mounts
is 'shmounts: what is mounted in the directory, before and later, comes and goes; nothing comes back' \
	"$(shmounts "lxc.mount.auto = shmounts:$TMP/travel" | tr '\n' ' ')" 'before later 0 gone '
at=/mnt/travel
is '... in a directory of my choice, beside other words' \
	"$(shmounts "lxc.mount.auto = proc:mixed shmounts:$TMP/travel:/mnt/travel" | tr '\n' ' ')" 'before later 0 gone '
if unshare -U true 2>/dev/null; then
	chmod 755 "$TMP" "$P"
	is '... and in a container with a user namespace' \
		"$(at=/mnt shmounts "lxc.mount.auto = shmounts:$TMP/travel:/mnt" 'lxc.idmap = u 0 100000 65536' \
			'lxc.idmap = g 0 100000 65536' | tr '\n' ' ')" 'before later 0 gone '
else
	skip '... and in a container with a user namespace' 'there are none here'
fi
mkdir "$TMP/travel"
make_container "$C-sh" "lxc.mount.auto = shmounts:$TMP/travel"
fails_with 'a directory on a private mount is refused, for nothing would come of it' 1 \
	'to mend it: mount --bind .*travel && mount --make-shared' limit unshare -m --propagation private lxc-start -P "$P" -n "$C-sh"
rmdir "$TMP/travel"
fails_with '... and one that is not there' 1 'cannot find the source' lxc start -n "$C-sh"
nothing_left 'nothing is left' "$C-sh"

# ---- /dev

started "$C"
is '/dev has what it must' "$(inside "$C" sh -c 'cd /dev && stat -c %n:%t:%T null zero full random urandom tty' | tr '\n' ' ')" \
	'null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 '
is '... with links' "$(inside "$C" sh -c 'cd /dev; for l in fd stdin stdout stderr; do readlink $l; done' | tr '\n' ' ')" \
	'/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 '
is '... for all to use' "$(inside "$C" stat -c %a /dev/null /dev/zero | tr '\n' ' ')" '666 666 '
ok '... with a devpts of its own' inside "$C" sh -c 'grep -q " /dev/pts devpts .*gid=5.*ptmxmode=666" /proc/mounts && test -c /dev/pts/ptmx'
is '... four terminals' "$(inside "$C" sh -c 'ls -d /dev/tty[1-4]' | wc -l | tr -d ' ')" 4
ok '... and a console' inside "$C" sh -c 'test -c /dev/console'
not_ok 'but no disk' inside "$C" sh -c 'ls /dev/vda /dev/sda'
is 'on the host its /dev stays empty' "$(ls "$P/$C/rootfs/dev" | grep -v '^pts$' | wc -l)" 0
lxc stop -k -n "$C"
started "$C" 'lxc.autodev = 0' 'lxc.tty.max = 0'
is 'with lxc.autodev = 0 /dev is the one of the root filesystem' \
	"$(inside "$C" sh -c 'ls /dev | grep -c -e null -e zero')" 0
lxc stop -k -n "$C"
started "$C" 'lxc.rootfs.options = ro'
not_ok 'lxc.rootfs.options = ro holds' inside "$C" touch /etc/new
lxc stop -k -n "$C"
started "$C" "lxc.mount.entry = tmpfs tmp tmpfs defaults 0 0" "lxc.mount.entry = $TMP/source tmp/inner none bind,create=dir 0 0"
is 'entries are done in order: one can lie in another' "$(inside "$C" cat /tmp/inner/file)" 'from the host'
lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"

done_testing

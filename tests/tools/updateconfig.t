#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-update-config: keys get the names of today, and everything else stays as it was written.

. "${0%/*}/lib.sh"

f=$TMP/old.conf
# Every old name, once; what it becomes stands in $TMP/expected.
cat >"$f" <<END
# Template used: debian
lxc.rootfs.backend = overlay
  lxc.rootfs=$TMP/nowhere/rootfs
lxc.utsname   =   web	
lxc.pts = 1024
lxc.tty = 4
lxc.devttydir = lxc
lxc.console = none

lxc.mount = $TMP/fstab
lxc.id_map = u 0 100000 65536
lxc.aa_profile = unconfined
lxc.aa_allow_incomplete = 1
lxc.se_context = system_u:system_r:lxc_t:s0
lxc.seccomp = /dev/null
lxc.haltsignal = SIGPWR
lxc.rebootsignal = SIGINT
lxc.stopsignal = SIGKILL
lxc.loglevel = 1
lxc.logfile = $TMP/log
lxc.init_cmd = /sbin/init splash
lxc.init_uid = 0
lxc.init_gid = 0
lxc.limit.nofile = 50000
lxc.pivotdir = mnt
lxc.kmsg = 0
# lxc.utsname is the name
#lxc.utsname = other
# lxc.tty = 9
lxc.cgroup.memory.limit_in_bytes = 512M
lxc.cgroup2.memory.max = 512M
lxc.network.type = veth
lxc.network.link = lxcbr0
#lxc.network.type = phys
#lxc.network.link = eth9
lxc.network.ipv4 = 10.0.3.2/24
lxc.network.type = empty
lxc.network.7.ipv6 = fd00::2/64
lxc.net.8.ipv4 = 10.0.3.3/24
lxc.arch = amd64
END
cat >"$TMP/expected" <<END
# Template used: debian
  lxc.rootfs.path=overlay:$TMP/nowhere/rootfs
lxc.uts.name   =   web	
lxc.pty.max = 1024
lxc.tty.max = 4
lxc.tty.dir = lxc
lxc.console.path = none

lxc.mount.fstab = $TMP/fstab
lxc.idmap = u 0 100000 65536
lxc.apparmor.profile = unconfined
lxc.apparmor.allow_incomplete = 1
lxc.selinux.context = system_u:system_r:lxc_t:s0
lxc.seccomp.profile = /dev/null
lxc.signal.halt = SIGPWR
lxc.signal.reboot = SIGINT
lxc.signal.stop = SIGKILL
lxc.log.level = 1
lxc.log.file = $TMP/log
lxc.init.cmd = /sbin/init splash
lxc.init.uid = 0
lxc.init.gid = 0
lxc.prlimit.nofile = 50000
# lxc.utsname is the name
#lxc.uts.name = other
# lxc.tty = 9
lxc.cgroup.memory.limit_in_bytes = 512M
lxc.cgroup2.memory.max = 512M
lxc.net.0.type = veth
lxc.net.0.link = lxcbr0
#lxc.net.1.type = phys
#lxc.net.1.link = eth9
lxc.net.0.ipv4.address = 10.0.3.2/24
lxc.net.1.type = empty
lxc.net.7.ipv6.address = fd00::2/64
lxc.net.8.ipv4.address = 10.0.3.3/24
lxc.arch = amd64
END
cp "$f" "$TMP/was"
chmod 640 "$f"
chown 12:34 "$f"

# ---- looking only

run lxc-update-config -c "$f" --dry-run
is '--dry-run changes nothing' "$status $(cmp "$f" "$TMP/was" && echo same)" '0 same'
is '... keeps no backup' "$(ls "$TMP" | grep -c backup)" 0
printf '%s\n' "$out" >"$TMP/diff"
diff -u "$f" "$TMP/expected" >"$TMP/real"
is '... and prints what diff -u would' "$(tail -n +3 "$TMP/diff")" "$(tail -n +3 "$TMP/real")"

# ---- updating

run lxc-update-config -c "$f"
is 'it updates' "$status" 0
like '... and says how much, and where the old text is' "$err" "old.conf: $(diff "$TMP/was" "$TMP/expected" | grep -c '^<') lines updated; as it was: .*old.conf.backup"
ok '... each old name, and nothing else' diff "$f" "$TMP/expected"
ok '... with a backup' cmp "$f.backup" "$TMP/was"
is '... with owner and mode as they were' "$(stat -c '%u:%g %a' "$f" "$f.backup")" "12:34 640
12:34 640"
cp "$f" "$TMP/once"
inode=$(stat -c %i "$f")
run lxc-update-config -c "$f"
is 'a second time it does nothing' "$status $(stat -c %i "$f") $(cmp "$f" "$TMP/once" && echo same)" "0 $inode same"
is '... and keeps the backup' "$(ls "$TMP" | grep -c 'old.conf.')" 1
cp "$TMP/was" "$f"
lxc-update-config -q -c "$f"
ok 'an older backup is not overwritten' test -e "$f.backup.1"
ok '... nor lost' cmp "$f.backup" "$TMP/was"

# What lxc.rootfs becomes without lxc.rootfs.backend.
root_becomes() {	# SENTENCE LINE NEW-LINE
	printf '%s\n' "$2" >"$TMP/r.conf"
	rm -f "$TMP"/r.conf.backup*
	lxc-update-config -q -c "$TMP/r.conf"
	is "$1" "$(cat "$TMP/r.conf")" "$3"
}
root_becomes 'a root filesystem is a directory' "lxc.rootfs = $TMP/x" "lxc.rootfs.path = dir:$TMP/x"
root_becomes '... within its quotes' "lxc.rootfs = \"$TMP/x y\"" "lxc.rootfs.path = \"dir:$TMP/x y\""
root_becomes '... unless it is none' "lxc.rootfs = $TMP/was" "lxc.rootfs.path = $TMP/was"
root_becomes '... or says what it is' 'lxc.rootfs = overlayfs:/a:/b' 'lxc.rootfs.path = overlayfs:/a:/b'
root_becomes '... or is cleared' 'lxc.rootfs =' 'lxc.rootfs.path ='
root_becomes 'networks are cleared' 'lxc.network =' 'lxc.net ='
printf 'lxc.utsname = a\r\nlxc.kmsg = 1\r\nlxc.tty = 1' >"$TMP/crlf.conf"
lxc-update-config --dry-run -c "$TMP/crlf.conf" >"$TMP/diff"
cp "$TMP/crlf.conf" "$TMP/by-patch"
ok 'patch understands what --dry-run prints' patch -s "$TMP/by-patch" "$TMP/diff"
lxc-update-config -q -c "$TMP/crlf.conf"
is 'ends of lines stay as they were' "$(od -c "$TMP/crlf.conf")" "$(printf 'lxc.uts.name = a\r\nlxc.tty.max = 1' | od -c)"
ok '... as by patch' cmp "$TMP/crlf.conf" "$TMP/by-patch"

# ---- unknown keys, and what is no configuration

printf '%s\n' 'lxc.utsname = a' '' 'lxc.utz.name = b' 'lxc.net.0.type = empty' >"$TMP/unknown.conf"
run lxc-update-config -c "$TMP/unknown.conf"
is 'an unknown key is no obstacle' "$status $(sed -n 3p "$TMP/unknown.conf")" '0 lxc.utz.name = b'
like '... it is named with its line' "$err" 'unknown.conf:3: unknown key "lxc.utz.name"; the nearest is "lxc.uts.name"'
printf '%s\n' 'lxc.utsname = a' 'lxc.nonsense = 1' >"$TMP/j.conf"
run lxc-update-config -c "$TMP/j.conf" --json
printf '%s\n' "$out" >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... with changes' "$out" '"line": 1, "was": "lxc.utsname = a", "now": "lxc.uts.name = a"'
like '... and unknown keys' "$out" '"line": 2, "text": "lxc.nonsense = 1"'
fails_with 'a file that is not there is told' 1 "cannot read configuration \"$TMP/none\"" \
	lxc-update-config -c "$TMP/none"
fails_with 'so is a directory' 1 'no regular file' lxc-update-config -c "$TMP"
mkfifo "$TMP/pipe"
fails_with 'a pipe keeps nobody waiting' 1 'no regular file' limit lxc-update-config -c "$TMP/pipe"
printf 'lxc.utsname = a\n\000' >"$TMP/binary"
fails_with 'what is no text is left alone' 1 'no text file' lxc-update-config -c "$TMP/binary"
fails_with 'two things at once are refused' 1 'exclude each other' lxc-update-config -c "$f" -a
run lxc-update-config
is 'without anything it shows its usage' "$status" 0
like '... on standard error' "$err" 'update-config'
printf 'lxc.utsname = a\n' >"$TMP/real.conf"
ln -s real.conf "$TMP/link.conf"
lxc-update-config -q -c "$TMP/link.conf"
is 'a symbolic link stays one' "$(readlink "$TMP/link.conf") $(cat "$TMP/real.conf")" 'real.conf lxc.uts.name = a'
chmod 644 "$TMP/was"
mkdir "$TMP/closed" && cp "$TMP/was" "$TMP/closed/config" && chmod 755 "$TMP" "$TMP/closed"
if command -v setpriv >/dev/null; then
	fails_with 'who may not write the directory is told, and nothing changes' 1 'cannot write' \
		setpriv --reuid=65534 --clear-groups -- "$(command -v lxc-update-config)" -c "$TMP/closed/config"
	ok '... indeed' cmp "$TMP/closed/config" "$TMP/was"
fi

# ---- containers

for one in "$C" "$C-two" "$C-new"; do
	make_container "$one"
	[ "$one" = "$C-new" ] || sed -i 's/^lxc.uts.name/lxc.utsname/; s/^lxc.net.0.type/lxc.network.type/' "$P/$one/config"
done
ok '-n updates a container' lxc update-config -n "$C"
is '... that one alone' "$(grep -l '^lxc.utsname' "$P"/*/config)" "$P/$C-two/config"
ok '... which starts' lxc start -n "$C"
lxc stop -k -n "$C"
fails_with '... one that does not exist is refused' 1 'no such container' lxc update-config -n "$C-none"
run lxc update-config -a --dry-run
is '-a looks at all of them' "$(printf '%s\n' "$out" | grep -c '^---')" 1
run lxc update-config -n "$C*"
is 'a pattern updates those that match' "$status $(grep -l '^lxc.utsname' "$P"/*/config)" '0 '
is '... and touches no other' "$(ls "$P"/*/config.backup)" "$P/$C-two/config.backup
$P/$C/config.backup"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems in a file (-B loop): made, started, stopped, destroyed, privileged and with id maps;
# what fails or is killed leaves nothing, and no loop device outlives its container.

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
need mkfs.ext4 mkfs.xfs mkfs.btrfs
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

# ---- create

ok 'create -B loop makes a container' create "$C" -B loop --fssize 64M
is 'its configuration names the file' "$(sed -n 's/^lxc.rootfs.path *= *//p' "$P/$C/config")" \
	"loop:$P/$C/rootdev"
is 'the file has the size that was asked for, is sparse, and root alone may read it' \
	"$(stat -c '%s %a' "$P/$C/rootdev")" "$((64 * 1024 * 1024)) 600"
ok 'it takes less space than it has' test "$(stat -c %b "$P/$C/rootdev")" -lt $((64 * 2048))
is 'what the template wrote is in the file, not beside it' "$(ls -A "$P/$C/rootfs")" ''
ok 'nothing of it is mounted' test -z "$(grep -F "$P/$C" /proc/self/mountinfo)"
ok 'no loop device is left' eventually 5 no_loops
is 'it is an ext4 unless something else is asked for' \
	"$(blkid -o value -s TYPE "$P/$C/rootdev")" ext4

for case in --fssize=0 --fssize=-1 --fssize=3X --fssize=1MM --fssize= --fssize=99999999999T; do
	fails_with "create refuses $case" 1 'fssize should be a number' create "$C-bad" -B loop "$case"
done
fails_with 'a filesystem that nobody makes is refused by name' 1 'mkfs\.nosuch' \
	create "$C-bad" -B loop --fstype nosuch
fails_with 'and one that is no name' 1 'no name of one' create "$C-bad" -B loop --fstype '../sh -c x'
fails_with 'an option of another storage is refused' 1 'vgname belongs to -B lvm' \
	create "$C-bad" -B loop --vgname x
fails_with 'and this one without -B' 1 'fssize belongs to -B loop' create "$C-bad" --fssize 1G
fails_with 'a storage that is none is refused' 1 'there is no such type' create "$C-bad" -B tape
fails_with 'storage without a template has no meaning' 1 'no meaning with -t none' \
	lxc create -n "$C-bad" -t none -B loop
nothing_left 'nothing is left of what was refused' "$C-bad" destroyed
ok 'of a list the first that this host can make is taken' create "$C-list" -B zfs,lvm,loop --fssize 32M
ok 'which was loop' test -f "$P/$C-list/rootdev"
ok 'destroy removes it' lxc destroy -n "$C-list"
ok '-B best makes a container here' create "$C-best" -B best
ok 'which destroy removes' lxc destroy -n "$C-best"

# ---- start

ok 'it starts' lxc start -n "$C"
is 'what the template wrote is there' "$(inside "$C" head -n 1 /etc/passwd)" root:x:0:0:root:/root:/bin/sh
like 'its root is a loop device' "$(inside "$C" awk '$2 == "/" { print $1, $3 }' /proc/mounts)" \
	'^/dev/loop[0-9]+ ext4$'
like 'the device is bound to the file' "$(loops_left)" "^$P/$C/rootdev"
ok 'the host does not see the mount' test -z "$(grep -F "$P/$C" /proc/self/mountinfo)"
ok 'it can write' inside "$C" sh -c 'echo kept >/kept'
ok 'stop stops it' lxc stop -n "$C"
nothing_left 'nothing of it is left' "$C"
ok 'its loop device is gone' eventually 5 no_loops
ok 'it starts again' lxc start -n "$C"
is 'what it wrote is there' "$(inside "$C" cat /kept)" kept
supervisor=$(supervisor_pid "$C")
kill -KILL "$supervisor"
ok 'when its supervisor is killed' eventually 5 is_dead "$supervisor"
ok 'the next command puts things right' eventually 5 state_is "$C" STOPPED
ok 'and its loop device is gone' eventually 5 no_loops

echo 'lxc.rootfs.options = noatime,commit=7' >>"$P/$C/config"
ok 'mount options reach mount and filesystem' lxc start -n "$C"
like 'both' "$(inside "$C" awk '$2 == "/" { print $4 }' /proc/mounts)" 'noatime.*commit=7'
lxc stop -k -n "$C"
echo 'lxc.rootfs.options = nosuchoption=7' >>"$P/$C/config"
fails_with 'one that the filesystem does not know is named' any nosuchoption lxc start -n "$C"
sed -i /nosuchoption/d "$P/$C/config"
nothing_left 'nothing is left of that start' "$C"
ok 'no loop device either' eventually 5 no_loops

ok 'it runs again' lxc start -n "$C"
fails_with 'while it runs it is not copied, and what to do is told' 1 'while it is running' \
	lxc copy -a -n "$C" -N "$C-no"
like '... in words' "$err" 'lxc-stop'
lxc stop -k -n "$C"

# ---- id maps

ok 'an id-mapped container' sh -c "printf '%s\n' 'lxc.idmap = u 0 200000 65536' \
	'lxc.idmap = g 0 200000 65536' >>'$NET'; chmod o+x '$TMP' '$P'"
cat >>"$FILL" <<'MORE'
chown -hR 0:0 "$rootfs/"
MORE
ok 'is made in a file too' create "$C-map" -B loop --fssize 64M
ok 'starts' lxc start -n "$C-map"
is 'its files are its root'"'"'s' "$(inside "$C-map" stat -c '%u %g' / /sbin/init | tr '\n' ' ')" '0 0 0 0 '
ok 'it can write' inside "$C-map" touch /written
ok 'stops' lxc stop -n "$C-map"
ok 'is destroyed' lxc destroy -n "$C-map"
nothing_left 'and nothing is left' "$C-map" destroyed
sed -i /idmap/d "$NET"
sed -i '/^chown/d' "$FILL"

# ---- other filesystems

for type in ext2 xfs btrfs; do
	ok "a file with $type" create "$C-$type" -B loop --fstype "$type" --fssize 400M
	ok "$type starts" lxc start -n "$C-$type"
	like "$type is its root" "$(inside "$C-$type" awk '$2 == "/" { print $3 }' /proc/mounts)" \
		"^(ext4|$type)\$"
	ok "$type is destroyed" lxc destroy -f -n "$C-$type"
	nothing_left "nothing is left of $type" "$C-$type" destroyed
done
cp "$P/$C/rootdev" "$TMP/noise"
dd if=/dev/zero of="$P/$C/rootdev" bs=1024 count=4 conv=notrunc 2>/dev/null
fails_with 'a file without a filesystem is told' any 'no filesystem that this kernel knows' lxc start -n "$C"
cp "$TMP/noise" "$P/$C/rootdev"

# ---- destroy

ok 'destroy removes it' lxc destroy -n "$C"
nothing_left 'and its file' "$C" destroyed
fails_with 'a missing file is named' any "$P/$C-gone/rootdev" sh -c "
	mkdir '$P/$C-gone' && sed 's,^,,' >'$P/$C-gone/config' <<E
lxc.rootfs.path = loop:$P/$C-gone/rootdev
lxc.net.0.type = empty
E
	lxc-start -P '$P' -n '$C-gone'"

# ---- what fails or is killed

echo 'exit 3' >>"$FILL"
fails_with 'a template that fails' 1 'exit status 3' create "$C-fail" -B loop --fssize 32M
nothing_left 'leaves nothing' "$C-fail" destroyed
ok 'and no loop device' eventually 5 no_loops
sed -i '/^exit 3/d' "$FILL"

touch "$TMP/wait"
rm -f "$TMP/filling"
create "$C-kill" -B loop --fssize 32M >/dev/null 2>&1 &
creating=$!
eventually 20 test -e "$TMP/filling"
pid=$(processes_of "$P" | while read -r p; do
	case "$(tr '\0' ' ' <"/proc/$p/cmdline")" in *lxc-create*"$C-kill"*) echo "$p" ;; esac
done | tail -n 1)
like 'a create that is filling a file has a loop device' "$(loops_left)" "$C-kill/rootdev"
kill -KILL "$pid"
wait "$creating"
rm "$TMP/wait"
ok 'when it is killed the next command removes all of it' eventually 10 sh -c \
	"lxc-ls -P '$P' >/dev/null; lxc-info -P '$P' -n '$C-kill' >/dev/null 2>&1; ! test -e '$P/$C-kill'"
ok 'and no loop device is left' eventually 5 no_loops

mounted_file "$TMP/small" ext4 24M || skip_all 'cannot mount a small filesystem'
dd if=/dev/zero of="$TMP/small/full" bs=1M 2>/dev/null
fails_with 'on a full disk' 1 '(No space|cannot)' limit lxc-create -P "$TMP/small/p" -n "$C" -f "$NET" -t "$FILL" \
	-B loop
ok 'nothing is left' test ! -e "$TMP/small/p/$C"
ok 'no loop device either' eventually 5 no_loops
fails_with 'a root filesystem that is too small for what the template writes' 1 'No space left' \
	create "$C-full" -B loop --fssize 1M
nothing_left 'leaves nothing' "$C-full" destroyed
ok 'and no loop device' eventually 5 no_loops

done_testing

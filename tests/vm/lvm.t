#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems on logical volumes (-B lvm), thick and thin, with the real lvm2 on a volume group of
# the test's own: made, started, copied, destroyed; what is somebody else's stays.

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/../tools/lib.sh"
need vgcreate lvcreate losetup mkfs.ext4
modprobe dm-thin-pool 2>/dev/null
[ -c /dev/mapper/control ] || skip_all 'there is no device mapper here'
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

truncate -s 4G "$TMP/disk"
device=$(losetup -f --show "$TMP/disk") && vgcreate -q "$C" "$device" >/dev/null 2>&1 ||
	skip_all 'cannot make a volume group'
end_volumes() { vgremove -q -f "$C" >/dev/null 2>&1; losetup -d "$device"; }
trap 'end_volumes; finish' EXIT

field() { lvs --noheadings -o "$1" "$C/$2" 2>/dev/null | tr -d ' '; }
no_volume() { ! lvs "$C/$1" >/dev/null 2>&1; }

# ---- thick

ok 'create -B lvm makes a container' create "$C-a" -B lvm --vgname "$C" --fssize 64M
is 'on a volume that its configuration names' \
	"$(sed -n 's/^lxc.rootfs.path *= *//p' "$P/$C-a/config")" "lvm:/dev/$C/$C-a"
is 'of the size that was asked for' "$(lvs --noheadings --nosuffix --units b -o lv_size "$C/$C-a" |
	tr -d ' ')" $((64 * 1024 * 1024))
is 'which is a linear one' "$(field segtype "$C-a")" linear
ok 'it starts' lxc start -n "$C-a"
is 'and has what the template wrote' "$(inside "$C-a" head -n 1 /etc/passwd)" root:x:0:0:root:/root:/bin/sh
like 'its root is the volume' "$(inside "$C-a" awk '$2 == "/" { print $3 }' /proc/mounts)" '^ext4$'
inside "$C-a" touch /kept
ok 'it stops' lxc stop -n "$C-a"
nothing_left 'and leaves nothing' "$C-a"
fails_with 'without a volume group of that name' 1 "volume group \"$C-none\"" \
	create "$C-b" -B lvm --vgname "$C-none"
fails_with 'and without a thin pool that was asked for' 1 "thin pool \"$C/none\"" \
	create "$C-b" -B lvm --vgname "$C" --thinpool none
lvcreate -q -L 8M -n taken "$C" >/dev/null 2>&1
fails_with 'and on a volume that is there already, nothing is made' 1 'there is one already' \
	create "$C-b" -B lvm --vgname "$C" --lvname taken
nothing_left 'nothing is left of them' "$C-b" destroyed
ok 'and the other volume is there still' lvs "$C/taken"
fails_with 'a group that is too small' 1 '(insufficient|Insufficient)' \
	create "$C-b" -B lvm --vgname "$C" --fssize 100G
ok 'leaves nothing' test ! -e "$P/$C-b"
ok 'and no volume' no_volume "$C-b"

# ---- thin

lvcreate -q -L 1G -T "$C/pool" >/dev/null 2>&1 || skip_all 'cannot make a thin pool'
ok 'a volume of a thin pool' create "$C-t" -B lvm --vgname "$C" --thinpool pool --fssize 2G
is 'is a thin one' "$(field segtype "$C-t")/$(field pool_lv "$C-t")" thin/pool
ok 'it starts' lxc start -n "$C-t"
inside "$C-t" touch /kept
ok 'and stops' lxc stop -n "$C-t"

# ---- snapshots of the container

which_of() {
	lxc start -n "$1" && inside "$1" cat /which
	lxc stop -k -n "$1"
}
keep() {	# NAME WORD: write it, and take a snapshot
	lxc start -n "$1"
	inside "$1" sh -c "echo $2 >/which; sync"
	lxc stop -k -n "$1"
	lxc snapshot -n "$1"
}
ok 'a snapshot of a container on a thin volume' keep "$C-t" one
ok 'and another one' keep "$C-t" two
ok 'the first can be put back' lxc snapshot -n "$C-t" -r snap0
is '... and is what it was' "$(which_of "$C-t")" one
ok 'so can the second' lxc snapshot -n "$C-t" -r snap1
is '... and is what it was' "$(which_of "$C-t")" two
ok 'they go' lxc snapshot -n "$C-t" -d ALL
ok 'one of a container on a thick volume' keep "$C-a" one
lxc start -n "$C-a" && inside "$C-a" sh -c 'echo two >/which'
lxc stop -k -n "$C-a"
fails_with 'which cannot be put back in place: it is made of what the container has' any 'cannot be without it' \
	lxc snapshot -n "$C-a" -r snap0
is '... nothing has changed' "$(which_of "$C-a")" two
ok 'but becomes a container of its own' lxc snapshot -n "$C-a" -r snap0 -N "$C-s"
is '... with what it was' "$(which_of "$C-s")" one
ok 'and goes' lxc snapshot -n "$C-a" -d ALL

# ---- xfs and btrfs

for type in xfs btrfs; do
	ok "$type on a thin volume" create "$C-$type" -B lvm --vgname "$C" --thinpool pool --fssize 400M \
		--fstype "$type"
	ok 'starts' lxc start -n "$C-$type"
	is 'as what it is' "$(inside "$C-$type" awk '$2 == "/" { print $3 }' /proc/mounts)" "$type"
	ok 'stops' lxc stop -n "$C-$type"
done

# ---- copies

copies() {	# SOURCE NEW SEGTYPE
	ok "a copy that shares its contents with $1" lxc copy -s -n "$1" -N "$2"
	is 'is a volume of its kind' "$(field segtype "$2")" "$3"
	ok 'it starts' lxc start -n "$2"
	ok 'while its source runs as well' lxc start -n "$1"
	ok 'it has what that wrote' inside "$2" test -e /kept
	inside "$2" rm /kept
	ok 'and what it removes that keeps' inside "$1" test -e /kept
	lxc stop -k -n "$1"
	lxc stop -k -n "$2"
}
if [ -x "${LXC_PREFIX:-/usr/local}/bin/lxc-copy" ]; then
	copies "$C-a" "$C-a2" linear
	fails_with 'a snapshot of a thick snapshot is refused' any 'snapshot itself' \
		lxc copy -s -n "$C-a2" -N "$C-a3"
	fails_with 'what a thick snapshot needs is not destroyed' any "$C-a2" lxc destroy -n "$C-a"
	copies "$C-t" "$C-t2" thin
	lxc start -n "$C-t2" && inside "$C-t2" touch /kept && lxc stop -n "$C-t2"
	copies "$C-t2" "$C-t3" thin
	for type in xfs btrfs; do
		lxc start -n "$C-$type" && inside "$C-$type" touch /kept && lxc stop -n "$C-$type"
		copies "$C-$type" "$C-${type}2" thin
	done
	ok 'a thin origin can be destroyed, its copies stay' lxc destroy -n "$C-t"
	ok 'which start' lxc start -n "$C-t3"
	ok 'and stop' lxc stop -k -n "$C-t3"
	ok 'a renamed container' lxc copy -R -n "$C-t3" -N "$C-t4"
	ok 'has a renamed volume' lvs "$C/$C-t4"
	ok 'and starts' lxc start -n "$C-t4"
fi

# ---- destroy

for name in $(lxc ls -1 | sort -r); do
	ok "destroy -f removes ${name#"$C"-}" lxc destroy -f -n "$name"
	ok 'with its volume' no_volume "$name"
	nothing_left 'and nothing is left' "$name" destroyed
done

done_testing

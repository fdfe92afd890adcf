#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems that are datasets (-B zfs), with the real ZFS on a pool of the test's own: made, started,
# copied, snapshots taken and put back, renamed, destroyed; what is somebody else's stays.  The guest's
# image has ZFS when it was built with it (tests/vm/run).

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/../tools/lib.sh"
need zpool zfs
modprobe zfs 2>/dev/null
[ -c /dev/zfs ] || skip_all 'there is no ZFS here'
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

pool=${C}pool
truncate -s 1G "$TMP/disk"
zpool create -m none "$pool" "$TMP/disk" || skip_all 'cannot make a pool'
trap 'zpool destroy -f "$pool"; finish' EXIT

value() { zfs get -H -p -o value "$1" "$pool/$2" 2>/dev/null; }
no_dataset() { ! zfs list "$pool/$1" >/dev/null 2>&1; }
source_of() { sed -n 's/^lxc.rootfs.path *= *//p' "$P/$1/config"; }

ok 'create -B zfs makes a container' create "$C-a" -B zfs --zfsroot "$pool/lxc/all"
is 'on a dataset that its configuration names' "$(source_of "$C-a")" "zfs:$pool/lxc/all/$C-a"
is 'datasets on the way were made, and this one is not mounted by itself' "$(value canmount "lxc/all/$C-a")" noauto
ok 'it starts' lxc start -n "$C-a"
is 'and has what the template wrote' "$(inside "$C-a" head -n 1 /etc/passwd)" root:x:0:0:root:/root:/bin/sh
like 'its root is the dataset' "$(inside "$C-a" awk '$2 == "/" { print $3 }' /proc/mounts)" '^zfs$'
inside "$C-a" sh -c 'echo one >/which'
ok 'it stops' lxc stop -k -n "$C-a"
nothing_left 'and leaves nothing' "$C-a"
fails_with 'a pool that is not there is told of' 1 "no such pool|$pool-none" \
	create "$C-b" -B zfs --zfsroot "$pool-none"
zfs create -p "$pool/lxc/all/$C-b"
fails_with 'and a dataset that is there already' 1 'there is one already' \
	create "$C-b" -B zfs --zfsroot "$pool/lxc/all"
nothing_left 'nothing is left of them' "$C-b" destroyed
ok 'and that one is there still' zfs list "$pool/lxc/all/$C-b"
zfs destroy "$pool/lxc/all/$C-b"

# ---- snapshots

ok 'a snapshot' lxc snapshot -n "$C-a"
lxc start -n "$C-a"
inside "$C-a" sh -c 'echo two >/which'
ok 'one of a running container' lxc snapshot -n "$C-a"
inside "$C-a" sh -c 'echo three >/which'
lxc stop -k -n "$C-a"
which_of() {
	lxc start -n "$1" && inside "$1" cat /which
	lxc stop -k -n "$1"
}
ok 'the first one can be put back' lxc snapshot -n "$C-a" -r snap0
is '... and is what it was' "$(which_of "$C-a")" one
ok 'so can the second' lxc snapshot -n "$C-a" -r snap1
is '... and is what it was' "$(which_of "$C-a")" two
ok 'and the first as a container of its own' lxc snapshot -n "$C-a" -r snap0 -N "$C-r"
is '... which starts' "$(which_of "$C-r")" one

# ---- clones of clones

ok 'a clone that shares its contents' lxc copy -s -n "$C-a" -N "$C-2"
like 'is a dataset with an origin' "$(value origin "lxc/all/$C-2")" "@$C-2\$"
ok 'one of that' lxc copy -s -n "$C-2" -N "$C-3"
ok 'and one of that' lxc copy -s -n "$C-3" -N "$C-4"
is 'which starts' "$(which_of "$C-4")" two
lxc start -n "$C-2"
inside "$C-2" sh -c 'echo other >/which'
lxc stop -k -n "$C-2"
is 'what one writes the others have not' "$(which_of "$C-3")$(which_of "$C-a")" twotwo
ok 'a full copy needs nobody' lxc copy -n "$C-4" -N "$C-f" -B dir
is 'and starts' "$(which_of "$C-f")" two
fails_with 'what others need is not destroyed' any "$C-3|depend|needs" lxc destroy -n "$C-2"
is 'it is whole' "$(which_of "$C-2")" other
ok 'a renamed one' lxc copy -R -n "$C-4" -N "$C-5"
is 'has a renamed dataset' "$(source_of "$C-5")" "zfs:$pool/lxc/all/$C-5"
ok 'and the old name is gone' no_dataset "lxc/all/$C-4"
is 'and starts' "$(which_of "$C-5")" two

# ---- destroy

for name in "$C-f" "$C-5" "$C-3" "$C-2" "$C-r"; do
	dataset=$(source_of "$name")
	ok "destroy removes ${name#"$C"-}" lxc destroy -n "$name"
	ok 'with its dataset' sh -c '! zfs list "$1" 2>/dev/null' - "${dataset#zfs:}"
	nothing_left 'and nothing is left' "$name" destroyed
done
ok 'with -s its snapshots go too' lxc destroy -s -n "$C-a"
is 'and of ZFS nothing is left but the datasets on the way' "$(zfs list -H -t all -o name -r "$pool")" "$pool
$pool/lxc
$pool/lxc/all"

done_testing

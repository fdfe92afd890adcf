#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems on images of Ceph (-B rbd): made, started, copied, snapshots taken and put back, renamed,
# destroyed, with a program in the place of rbd(8) that keeps its images in files (rbd.sh).

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
need mkfs.ext4 python3
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

# Clean-up knows of the directory of devices by the test's name.
pool=$C
mkdir -p "$TMP/bin" "$TMP/cluster/$pool"
ln -s "$TESTS/tools/rbd.sh" "$TMP/bin/rbd"
export RBD_CLUSTER="$TMP/cluster" PATH="$TMP/bin:$PATH"

images() { (cd "$RBD_CLUSTER/$pool" && ls | tr '\n' ' '); }
mapped() { ls "/dev/rbd/$pool" 2>/dev/null | tr '\n' ' '; }
source_of() { sed -n 's/^lxc.rootfs.path *= *//p' "$P/$1/config"; }
which_of() {
	lxc start -n "$1" && inside "$1" cat /which
	lxc stop -k -n "$1"
}

ok 'create -B rbd makes a container' create "$C-a" -B rbd --rbdpool "$pool" --rbduser me --fssize 64M
is 'on an image that its configuration names' "$(source_of "$C-a")" "rbd:/dev/rbd/$pool/$C-a"
is '... which is there' "$(images)" "$C-a "
ok 'it starts' lxc start -n "$C-a"
like 'its root is the device' "$(inside "$C-a" awk '$2 == "/" { print $3 }' /proc/mounts)" '^ext4$'
inside "$C-a" sh -c 'echo one >/which'
ok 'it stops' lxc stop -k -n "$C-a"
nothing_left 'and leaves nothing' "$C-a"
fails_with 'a pool that is not there is told of' 1 "No such file" \
	create "$C-b" -B rbd --rbdpool "$pool-none" --fssize 64M
truncate -s 1M "$RBD_CLUSTER/$pool/$C-b"
fails_with 'and an image that is there already' 1 'there is one already' \
	create "$C-b" -B rbd --rbdpool "$pool" --fssize 64M
nothing_left 'nothing is left of them' "$C-b" destroyed
is 'and that one is there still' "$(images)" "$C-a $C-b "
rm "$RBD_CLUSTER/$pool/$C-b"

# ---- snapshots and clones

ok 'a snapshot' lxc snapshot -n "$C-a"
lxc start -n "$C-a"
inside "$C-a" sh -c 'echo two >/which'
ok 'one of a running container' lxc snapshot -n "$C-a"
inside "$C-a" sh -c 'echo three >/which'
lxc stop -k -n "$C-a"
ok 'the first one can be put back' lxc snapshot -n "$C-a" -r snap0
is '... and is what it was' "$(which_of "$C-a")" one
ok 'so can the second' lxc snapshot -n "$C-a" -r snap1
is '... and is what it was' "$(which_of "$C-a")" two
ok 'a clone that shares its contents' lxc copy -s -n "$C-a" -N "$C-2"
is 'is a clone of a snapshot' "$(cat "$RBD_CLUSTER/$pool/$C-2.parent" | sed 's/.*@//')" "$C-2"
ok 'and one of that' lxc copy -s -n "$C-2" -N "$C-3"
lxc start -n "$C-2"
inside "$C-2" sh -c 'echo other >/which'
ok 'both run at the same time' lxc start -n "$C-3"
is 'what one writes the others have not' "$(inside "$C-3" cat /which)" two
lxc stop -k -n "$C-2"
lxc stop -k -n "$C-3"
fails_with 'what others need is not destroyed' any "$C-3" lxc destroy -n "$C-2"
is 'it is whole' "$(which_of "$C-2")" other
ok 'a full copy needs nobody' lxc copy -n "$C-3" -N "$C-f" -B dir
is 'and starts' "$(which_of "$C-f")" two
ok 'a renamed one' lxc copy -R -n "$C-3" -N "$C-4"
is 'has a renamed image' "$(source_of "$C-4")" "rbd:/dev/rbd/$pool/$C-4"
is 'and starts' "$(which_of "$C-4")" two

# ---- destroy

for name in "$C-f" "$C-4" "$C-2"; do
	ok "destroy removes ${name#"$C"-}" lxc destroy -n "$name"
	nothing_left 'and nothing is left' "$name" destroyed
done
ok 'with -s its snapshots go too' lxc destroy -s -n "$C-a"
is 'no image is left, and no snapshot' "$(images)" ''
is 'and nothing is mapped' "$(mapped)" ''

done_testing

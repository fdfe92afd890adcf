#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems in disk images of qemu (-B nbd), with the real qemu-nbd: made, started, copied,
# destroyed; an image is connected to a device only while somebody needs it.

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/../tools/lib.sh"
need qemu-nbd qemu-img mkfs.ext4
modprobe nbd max_part=8 2>/dev/null
[ -e /sys/block/nbd0 ] || skip_all 'there are no devices /dev/nbdN here'
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

connected() { cat /sys/block/nbd*/pid 2>/dev/null | wc -l; }
none_connected() { [ "$(connected)" = 0 ]; }
served() { qemu-img info -U --output=json "$1" | jq -r '.["virtual-size"]'; }

ok 'create -B nbd makes a container' create "$C-a" -B nbd --fssize 64M
is 'in an image that its configuration names' \
	"$(sed -n 's/^lxc.rootfs.path *= *//p' "$P/$C-a/config")" "nbd:$P/$C-a/rootdev.qcow2"
is 'of the size that was asked for' "$(served "$P/$C-a/rootdev.qcow2")" $((64 * 1024 * 1024))
ok 'nothing is connected' none_connected
ok 'it starts' lxc start -n "$C-a"
is 'then one image is connected' "$(connected)" 1
like 'its root is that' "$(inside "$C-a" awk '$2 == "/" { print $1, $3 }' /proc/mounts)" '/dev/nbd[0-9]+ ext4'
inside "$C-a" touch /kept
ok 'it stops' lxc stop -n "$C-a"
ok 'and nothing is connected' eventually 10 none_connected
ok 'it starts again' lxc start -n "$C-a"
ok 'with what it wrote' inside "$C-a" test -e /kept
kill -KILL "$(supervisor_pid "$C-a")"
ok 'when its supervisor is killed the next command disconnects it' eventually 20 sh -c \
	"lxc-info -P '$P' -n '$C-a' >/dev/null; ! cat /sys/block/nbd*/pid"

# A disk with partitions, not made by us.
truncate -s 200M "$TMP/disk.raw"
at() { dd of="$TMP/disk.raw" bs=1 seek="$1" conv=notrunc 2>/dev/null; }
# Type 83, 2048 sectors from 2048 on; type 83, 397312 sectors from 4096 on.
printf '\0\0\0\0\203\0\0\0\0\010\0\0\0\010\0\0\0\0\0\0\203\0\0\0\0\020\0\0\0\020\006\0' | at 446
printf '\125\252' | at 510
qemu-nbd -c /dev/nbd0 -f raw "$TMP/disk.raw"
eventually 10 test -e /dev/nbd0p2
mkfs.ext4 -q /dev/nbd0p2
mkdir "$TMP/part"
mount /dev/nbd0p2 "$TMP/part" && cp -a "$TMP/mini/." "$TMP/part/" && umount "$TMP/part"
qemu-nbd -d /dev/nbd0 >/dev/null
eventually 10 none_connected
make_container "$C-p"
sed -i "s,^lxc.rootfs.path.*,lxc.rootfs.path = nbd:$TMP/disk.raw:2," "$P/$C-p/config"
ok 'the second partition of a raw disk starts' lxc start -n "$C-p"
like 'as root' "$(inside "$C-p" awk '$2 == "/" { print $1 }' /proc/mounts)" 'nbd[0-9]+p2$'
ok 'and stops' lxc stop -n "$C-p"
ok 'nothing is connected' eventually 10 none_connected
sed -i 's/:2$/:7/' "$P/$C-p/config"
fails_with 'a partition that is not there is named' any 'partition 7' lxc start -n "$C-p"
ok 'and nothing stays connected' eventually 10 none_connected
rm -r "$P/$C-p"

if [ -x "${LXC_PREFIX:-/usr/local}/bin/lxc-copy" ]; then
	ok 'a copy that shares its contents' lxc copy -s -n "$C-a" -N "$C-b"
	ok 'a copy of that' lxc copy -s -n "$C-b" -N "$C-c"
	ok 'nothing is connected' eventually 10 none_connected
	for name in "$C-a" "$C-b" "$C-c"; do ok "$name starts" lxc start -n "$name"; done
	inside "$C-b" rm /kept
	ok 'what one removes the others keep' inside "$C-a" test -e /kept
	ok 'all of them' inside "$C-c" test -e /kept
	fails_with 'while it runs there is no such copy' 1 'it is running.*|to mend it: lxc-stop' \
		lxc copy -s -n "$C-a" -N "$C-d"
	for name in "$C-a" "$C-b" "$C-c"; do lxc stop -k -n "$name"; done
	ok 'the first can go' lxc destroy -n "$C-a"
	ok 'the last still starts' lxc start -n "$C-c"
	ok 'with all it had' inside "$C-c" test -e /kept
	lxc stop -k -n "$C-c"
fi
for name in $(lxc ls -1); do
	ok "destroy removes $name" lxc destroy -n "$name"
	nothing_left 'and nothing is left' "$name" destroyed
done
ok 'nothing is connected' eventually 10 none_connected

fails_with 'an image that is too small for the template' 1 'No space left' create "$C-full" -B nbd --fssize 1M
nothing_left 'leaves nothing' "$C-full" destroyed
ok 'and nothing connected' eventually 10 none_connected

done_testing

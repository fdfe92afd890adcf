#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Root filesystems that are subvolumes of btrfs (-B btrfs), on a filesystem of the test's own: made,
# started, stopped, destroyed with all subvolumes in them; what fails or is killed leaves nothing.

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
need mkfs.btrfs
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
mounted_file "$TMP/btrfs" btrfs 300M || skip_all 'btrfs cannot be mounted here'
chmod o+x "$TMP" "$TMP/btrfs"
PLAIN=$P P=$TMP/btrfs/path
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

is_subvolume() { [ "$(stat -c %i "$1")" = 256 ]; }
not_one() { ! is_subvolume "$1"; }
subvolumes() { btrfs subvolume list "$TMP/btrfs" | wc -l; }

# ---- create, start, destroy

before=$(subvolumes)
ok 'create -B btrfs makes a container' create "$C" -B btrfs
is 'its configuration names the subvolume' "$(sed -n 's/^lxc.rootfs.path *= *//p' "$P/$C/config")" \
	"btrfs:$P/$C/rootfs"
ok 'which is one' is_subvolume "$P/$C/rootfs"
is 'anybody may pass its topmost directory, root alone may write there' \
	"$(stat -c '%a %u %g' "$P/$C/rootfs")" '755 0 0'
ok 'it starts' lxc start -n "$C"
is 'and has what the template wrote' "$(inside "$C" head -n 1 /etc/passwd)" root:x:0:0:root:/root:/bin/sh
ok 'it can write' inside "$C" touch /kept
ok 'it stops' lxc stop -n "$C"
nothing_left 'and nothing of it is left' "$C"
btrfs subvolume create "$P/$C/rootfs/var/inner" >/dev/null
btrfs subvolume create "$P/$C/rootfs/var/inner/most" >/dev/null
touch "$P/$C/rootfs/var/inner/most/file"
btrfs subvolume snapshot -r "$P/$C/rootfs/var/inner/most" "$P/$C/rootfs/var/fixed" >/dev/null
is 'subvolumes in subvolumes, one of them read-only' "$(subvolumes)" $((before + 4))
ok 'are removed by destroy' lxc destroy -n "$C"
nothing_left 'and nothing is left' "$C" destroyed
is 'no subvolume either' "$(subvolumes)" "$before"

ok 'on btrfs -B best makes a subvolume' create "$C-best" -B best
ok 'indeed' is_subvolume "$P/$C-best/rootfs"
ok 'which goes' lxc destroy -n "$C-best"
ok 'elsewhere it makes a directory' limit lxc-create -P "$PLAIN" -n "$C-best" -f "$NET" -t "$FILL" -B best
like 'indeed' "$(grep rootfs.path "$PLAIN/$C-best/config")" 'dir:'
ok 'which goes' limit lxc-destroy -P "$PLAIN" -n "$C-best"
fails_with 'and -B btrfs is refused there' 1 'it is not on a btrfs filesystem' \
	limit lxc-create -P "$PLAIN" -n "$C" -f "$NET" -t "$FILL" -B btrfs
ok 'which leaves nothing' test ! -e "$PLAIN/$C"

create "$C-dir"
sed -i 's/= dir:/= btrfs:/' "$P/$C-dir/config"
fails_with 'a plain directory is no subvolume, and what to do is told' any 'it is none' lxc start -n "$C-dir"
like 'with the line to write' "$err" 'dir:'
ok 'it can be destroyed all the same' lxc destroy -n "$C-dir"
nothing_left 'and nothing is left' "$C-dir" destroyed

# ---- id maps

printf '%s\n' 'lxc.idmap = u 0 200000 65536' 'lxc.idmap = g 0 200000 65536' >>"$NET"
# shellcheck disable=SC2016 # for the template
echo 'chown -hR 0:0 "$rootfs/"' >>"$FILL"
ok 'an id-mapped container is made on btrfs too' create "$C-map" -B btrfs
is 'its topmost directory is its root'"'"'s' "$(stat -c '%u %g' "$P/$C-map/rootfs")" '200000 200000'
chmod o+x "$P" "$P/$C-map"
ok 'it starts' lxc start -n "$C-map"
ok 'it can write' inside "$C-map" touch /written
ok 'it stops' lxc stop -n "$C-map"
ok 'and is destroyed' lxc destroy -n "$C-map"
nothing_left 'with nothing left' "$C-map" destroyed
sed -i /idmap/d "$NET"
sed -i '/^chown/d' "$FILL"

# ---- what fails or is killed

echo 'exit 3' >>"$FILL"
fails_with 'a template that fails' 1 'exit status 3' create "$C-fail" -B btrfs
nothing_left 'leaves nothing' "$C-fail" destroyed
sed -i '/^exit 3/d' "$FILL"
touch "$TMP/wait"
rm -f "$TMP/filling"
create "$C-kill" -B btrfs >/dev/null 2>&1 &
creating=$!
eventually 20 test -e "$TMP/filling"
pid=$(processes_of "$P" | while read -r p; do
	case "$(tr '\0' ' ' <"/proc/$p/cmdline")" in *lxc-create*"$C-kill"*) echo "$p" ;; esac
done | tail -n 1)
ok 'a create that is filling a subvolume has one' is_subvolume "$P/$C-kill/rootfs"
kill -KILL "$pid"
wait "$creating"
rm "$TMP/wait"
ok 'when it is killed the next command removes all of it' eventually 10 sh -c \
	"lxc-info -P '$P' -n '$C-kill' >/dev/null 2>&1; ! test -e '$P/$C-kill'"
is 'and no subvolume is left' "$(subvolumes)" "$before"
echo 'dd if=/dev/zero of="$rootfs/full" bs=1M' >>"$FILL"
fails_with 'a full disk' 1 'No space left' create "$C-full" -B btrfs
nothing_left 'leaves nothing' "$C-full" destroyed
is 'no subvolume either' "$(subvolumes)" "$before"

done_testing

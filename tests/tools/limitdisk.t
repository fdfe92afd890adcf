#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc.limit.disk: a quota or a size, by the storage, or a refusal that names it.

. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
need mkfs.btrfs mkfs.ext4 btrfs
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
mounted_file "$TMP/btrfs" btrfs 300M || skip_all 'btrfs cannot be mounted here'
chmod o+x "$TMP" "$TMP/btrfs"
kept() { sed -n 's/^lxc.limit.disk = //p' "$P/$1/config"; }
fills() { inside "$1" dd if=/dev/zero of=/tmp/big bs=1M count="$2" conv=fsync; }

# ---- a directory

make_container "$C" 'lxc.limit.disk = 100M'
fails_with 'a plain directory cannot be limited, and is named' 1 'root filesystem of type dir.*lxc.limit.disk' lxc start -n "$C"
nothing_left '... and nothing is left' "$C"
make_container "$C"
fails_with '... nor by update' 1 'root filesystem of type dir' lxc update -n "$C" --disk 100M
is '... which keeps nothing' "$(kept "$C")" ''

# ---- a file with a filesystem

ok 'a container in a file is made' create "$C-loop" -B loop --fssize 32M --fstype ext4
before=$(stat -c %s "$P/$C-loop/rootdev")
fails_with 'it cannot become smaller' 1 "cannot make the root filesystem smaller: it has $before bytes" \
	lxc update -n "$C-loop" --disk 10M
ok 'it can become larger' lxc update -n "$C-loop" --disk 64M
is '... as is kept' "$(kept "$C-loop")" 64M
caps=$(sed -n 's/^CapEff:[[:space:]]*/0x/p' /proc/self/status)
if [ $((caps >> 24 & 1)) = 0 ]; then	# a filesystem that is mounted grows for CAP_SYS_RESOURCE alone
	fails_with '... at its start, by who may do that' 1 'Operation not permitted.*lxc.limit.disk' lxc start -n "$C-loop"
	lxc update -n "$C-loop" --disk=
	lxc start -n "$C-loop"
	skip '... which makes it so' 'this root has no CAP_SYS_RESOURCE'
	skip '... with its filesystem' 'this root has no CAP_SYS_RESOURCE'
else
	ok '... at its start' lxc start -n "$C-loop"
	is '... which makes it so' "$(stat -c %s "$P/$C-loop/rootdev")" 67108864
	is '... with its filesystem' "$(($(inside "$C-loop" stat -f -c '%b * %S' /) > 40000000))" 1
fi
now=$(kept "$C-loop")
fails_with 'while it runs it stays as it is' 1 'type loop larger while it is in use' lxc update -n "$C-loop" --disk 80M
is '... which keeps nothing' "$(kept "$C-loop")" "$now"
not_ok 'more than that does not fit' fills "$C-loop" 80
lxc stop -k -n "$C-loop"

# ---- a subvolume

PLAIN=$P P=$TMP/btrfs/path
mkdir -p "$P"
ok 'a container in a subvolume is made' create "$C-sub" -B btrfs
fails_with 'without quotas it cannot be limited, and that is told' 1 'quotas are not enabled.*|btrfs quota enable' \
	lxc update -n "$C-sub" --disk 40M
btrfs quota enable "$TMP/btrfs"
ok 'with quotas it can' lxc update -n "$C-sub" --disk 40M
ok '... and starts' lxc start -n "$C-sub"
not_ok 'more than that does not fit' fills "$C-sub" 60
inside "$C-sub" rm -f /tmp/big
ok 'while it runs it is changed' lxc update -n "$C-sub" --disk 120M
ok '... at once' fills "$C-sub" 60
inside "$C-sub" rm -f /tmp/big
ok '... and taken away' lxc update -n "$C-sub" --disk=
ok '... at once' fills "$C-sub" 130
is '... and for ever' "$(kept "$C-sub")" ''
inside "$C-sub" rm -f /tmp/big
lxc stop -k -n "$C-sub"
echo 'lxc.limit.disk = 50M' >>"$P/$C-sub/config"
ok 'a start puts the limit of its configuration into force' lxc start -n "$C-sub"
not_ok '... so more does not fit' fills "$C-sub" 80
lxc stop -k -n "$C-sub"
lxc destroy -n "$C-sub"
P=$PLAIN
lxc destroy -n "$C-loop"

done_testing

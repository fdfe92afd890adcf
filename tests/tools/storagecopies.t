#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers on storage of each kind that this host can have, copied, copied again, snapshot, restored,
# renamed and destroyed: every time the tree is the same, and what one writes no other sees.

# shellcheck disable=SC2016,SC2154 # awk scripts; what lib.sh sets
. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
need mkfs.ext4 mkfs.btrfs
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
mounted_file "$TMP/btrfs" btrfs 600M || skip_all 'btrfs cannot be mounted here'
chmod o+x "$TMP" "$TMP/btrfs"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"
PLAIN=$P

# Names, kinds, modes, owners, links and contents of what the template wrote.  Not sizes: a directory's
# are the filesystem's own business.
listing() {	# NAME
	inside "$1" sh -c 'cd / && find bin sbin etc kept -exec stat -c "%n %F %a %u %g %N" {} + |
		sort; find etc kept sbin -type f -exec md5sum {} + | sort' | md5sum
}
seen_running() {	# NAME
	lxc start -n "$1" && listing "$1" && lxc stop -k -n "$1"
}

round() {	# KIND WHAT OPTION...
	local kind="$1" what="$2" golden="$C-$1" tree=''
	shift 2
	ok "$what: a container" create "$golden" "$@"
	lxc start -n "$golden" && inside "$golden" sh -c 'echo first >/kept' && lxc stop -k -n "$golden"
	tree=$(seen_running "$golden")
	ok "$what: a full copy" lxc copy -n "$golden" -N "$golden-a"
	is "$what: has the same tree" "$(seen_running "$golden-a")" "$tree"
	run lxc copy -s -n "$golden" -N "$golden-b"
	if [ "$status" = 0 ]; then
		is "$what: a copy that shares has the same tree" "$(seen_running "$golden-b")" "$tree"
		ok "$what: a copy of that" lxc copy -s -n "$golden-b" -N "$golden-c"
		is "$what: has the same tree" "$(seen_running "$golden-c")" "$tree"
	else
		like "$what: where a copy cannot share it says so, and how to go on" "$err" 'full copy'
		nothing_left "$what: and leaves nothing" "$golden-b" destroyed
	fi
	ok "$what: a snapshot" lxc snapshot -n "$golden"
	lxc start -n "$golden" && inside "$golden" rm /kept && lxc stop -k -n "$golden"
	is "$what: what it removes a copy keeps" "$(seen_running "$golden-a")" "$tree"
	ok "$what: the snapshot restored" lxc snapshot -n "$golden" -r snap0
	is "$what: has the tree of then" "$(seen_running "$golden")" "$tree"
	ok "$what: the snapshot goes" lxc snapshot -n "$golden" -d snap0
	ok "$what: a renamed copy" lxc copy -R -n "$golden-a" -N "$golden-z"
	is "$what: has the same tree" "$(seen_running "$golden-z")" "$tree"
	for name in $(lxc ls -1 | sort -r); do
		ok "$what: destroy of ${name#"$C"-}" lxc destroy -n "$name"
		nothing_left "$what: leaves nothing of it" "$name" destroyed
	done
	ok "$what: no loop device is left" eventually 5 no_loops
}

round loop 'loop' -B loop --fssize 64M
P=$TMP/btrfs/path
round btrfs 'btrfs' -B btrfs
round reflink 'loop on btrfs' -B loop --fssize 64M
P=$PLAIN

done_testing

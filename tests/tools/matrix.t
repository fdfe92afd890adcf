#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The matrix: each kind of storage, privileged and in user namespaces, stopped and running, copied,
# snapshot, restored, renamed and destroyed, and cloned three deep, after each clone has written,
# removed and replaced.  What must be seen inside is made beside it, on plain directories.

# shellcheck disable=SC2016,SC2154 # scripts for other shells; what lib.sh sets
. "${0%/*}/lib.sh"
[ -w /dev/loop-control ] || skip_all 'there are no loop devices here'
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'
need mkfs.ext4 mkfs.btrfs
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
mounted_file "$TMP/btrfs" btrfs 1G || skip_all 'btrfs cannot be mounted here'
mkdir "$TMP/btrfs/path"
chmod 755 "$TMP" "$TMP/btrfs" "$TMP/btrfs/path" "$P"
PLAIN=$P

# ---- what is written, and what must be seen

# Contents, kinds, modes, owners, links (names and how many) of all that a change may touch.
LIST='cd / && find m bin sbin etc/passwd -exec stat -c "%n %F %a %u %g %N" {} + | sort
	find m ! -type d -exec stat -c "%n %h" {} + | sort; find m sbin -type f -exec md5sum {} + | sort'
cat >"$TMP/change" <<'CHANGE'
# change N: as root inside.  It removes no name of a file that has another one in a lower layer: how many
# names are left overlayfs does not tell (index=off).
cd /m || exit
case $1 in
0)	for n in 1 2 3 4; do
		mkdir -p gone-$n full-$n/sub moved-$n && echo $n >gone-$n/file && echo $n >file-$n
		echo a >full-$n/a && echo b >full-$n/sub/b && ln -s ../a full-$n/sub/link
		echo $n >moved-$n/inner && chown 5:6 file-$n full-$n/a && chmod 4750 full-$n/a
	done
	echo x >x && ln x y && mkfifo fifo && chmod 1777 full-4 ;;
*)	echo "changed $1" >"file-$1" && rm "gone-$1/file" && rm -r "gone-$1"
	rm -r "full-$1" && mkdir -m 2710 "full-$1" && chown 7:8 "full-$1"	# opaque
	mv "moved-$1" "new-$1" && echo "$1" >"written-$1" && ln "written-$1" "same-$1"
	last=$(($1 - 1))
	[ $last = 0 ] || { echo late >full-$last/late && echo again >gone-$last && rm new-$last/inner; } ;;
esac
CHANGE
model=$TMP/model
cp -a "$TMP/mini" "$model"
chmod 755 "$model"
mkdir "$model/m"
cp "$TMP/change" "$model/change"
for n in 0 1 2 3 4; do
	chroot "$model" /bin/sh /change $n || skip_all 'the model cannot be made'
	chroot "$model" /bin/sh -c "$LIST" >"$TMP/tree-$n" 2>&1
done

# The template's files are of the ids that the container has on the disk.
cat >>"$FILL" <<TEMPLATE
mkdir -p "\$rootfs/m" && cp "$TMP/change" "\$rootfs/change"
[ ! -e "$TMP/shift" ] || chown -hR 0:0 "\$rootfs/"
TEMPLATE

# ---- one row

see() {		# NAME: of a running one, what differs from tree $2
	inside "$1" sh -c "$LIST" >"$TMP/seen" 2>&1
	diff "$TMP/tree-$2" "$TMP/seen" | head -n 12
}
same() {	# WHAT NAME TREE: started for it when it is stopped
	local was=''
	was=$(state "$2")
	[ "$was" = RUNNING ] || lxc start -n "$2" >"$TMP/start" 2>&1
	is "$row: $1" "$(see "$2" "$3")" ''
	[ "$was" = RUNNING ] || lxc stop -k -n "$2"
}
change() {	# NAME N
	lxc start -n "$1" && inside "$1" sh /change "$2" && lxc stop -k -n "$1"
}

# All that can be done with a container whose tree is N, while it runs, and when it is stopped.
operations() {	# NAME N
	local name="$1" n="$2" next=$(($2 + 1))
	lxc start -n "$name"
	ok "$row, running: copy" lxc copy -a -n "$name" -N "$name-r"
	ok "$row, running: snapshot" lxc snapshot -n "$name"
	fails_with "$row, running: restore is refused" 1 running lxc snapshot -n "$name" -r snap0
	fails_with "$row, running: rename is refused" 1 running lxc copy -R -n "$name" -N "$name-x"
	fails_with "$row, running: destroy is refused" 1 running lxc destroy -n "$name"
	same 'running: it has its tree all the while' "$name" "$n"
	lxc stop -k -n "$name"
	same 'the copy of the running one has its tree' "$name-r" "$n"
	ok "$row: rename" lxc copy -R -n "$name-r" -N "$name-z"
	same 'the renamed one has its tree' "$name-z" "$n"
	ok "$row: copy" lxc copy -n "$name" -N "$name-s"
	ok "$row: snapshot" lxc snapshot -n "$name"
	ok "$row: it goes on" change "$name" "$next"
	same 'and has another tree' "$name" "$next"
	same 'which its copy has not' "$name-s" "$n"
	ok "$row: restore of what was kept stopped" lxc snapshot -n "$name" -r snap1
	same 'has the tree of then' "$name" "$n"
	ok "$row: restore of what was kept running" lxc snapshot -n "$name" -r snap0
	same 'has the tree of then, too' "$name" "$n"
	ok "$row: no snapshot is left" lxc snapshot -n "$name" -d ALL
	for copy in "$name-s" "$name-z"; do
		ok "$row: destroy" lxc destroy -n "$copy"
		nothing_left "$row: leaves nothing" "$copy" destroyed
	done
}

round() {	# KIND MAP SHARE CREATE-OPTION...
	local name="$C-$1-$2" share="$3" row="$1 $2" depth=0 last=''
	rm -f "$TMP/shift"
	printf '%s\n' 'lxc.net.0.type = empty' 'lxc.mount.auto = proc:mixed' >"$NET"
	case $2 in
	mapped)	printf '%s\n' 'lxc.idmap = u 0 200000 65536' 'lxc.idmap = g 0 200000 65536' >>"$NET"
		touch "$TMP/shift" ;;
	auto)	printf '%s\n' 'lxc.idmap = auto' 'lxc.rootfs.options = idmap=container' >>"$NET" ;;
	esac
	shift 3
	ok "$row: create" create "$name" "$@"
	ok "$row: it writes" change "$name" 0
	operations "$name" 0
	while [ $depth -lt 3 ]; do
		depth=$((depth + 1)) last=$name name=$name-c
		# shellcheck disable=SC2086 # a word or none
		ok "$row: clone at depth $depth" lxc copy $share -n "$last" -N "$name"
		same "clone at depth $depth has the tree of its source" "$name" $((depth - 1))
		ok "$row: clone at depth $depth writes, removes, replaces" change "$name" $depth
		same "clone at depth $depth has its own tree" "$name" $depth
		same "its source at depth $depth kept its tree" "$last" $((depth - 1))
	done
	row="$row, depth 3"
	operations "$name" 3
	for name in $(lxc ls -1 | sort -r); do
		ok "$row: destroy of ${name#"$C"-}" lxc destroy -n "$name"
		nothing_left "$row: leaves nothing of it" "$name" destroyed
	done
	ok "$row: no loop device is left" eventually 5 no_loops
}

# ---- the table

for map in privileged mapped auto; do
	P=$PLAIN
	round dir $map '' -B dir
	round dir-shared $map -s -B dir
	round overlay $map -s -B overlay
	P=$TMP/btrfs/path
	round btrfs $map -s -B btrfs
done
P=$PLAIN

done_testing

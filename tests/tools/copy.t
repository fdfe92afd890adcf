#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-copy: a container of its own, a clone that shares, one that goes when it stops, another name, many
# at once.

. "${0%/*}/lib.sh"
need_ptyrun

# What stands for a tree: names, kinds, modes, owners, links, contents; but for what is a copy's own.
tree() {
	(cd "$1" && find . ! -path ./etc/hostname ! -path ./etc/machine-id ! -path ./run/starts \
		-printf '%P %y %m %U:%G %l\n' | sort
		cd "$1" && find . -type f ! -path ./etc/hostname ! -path ./etc/machine-id ! -path ./run/starts \
			-print0 | sort -z | xargs -0 md5sum)
}
differences() {	# DIR DIR
	tree "$1" >"$TMP/tree-1"
	tree "$2" >"$TMP/tree-2"
	diff "$TMP/tree-1" "$TMP/tree-2"
}
of_config() { sed -n "s/^$2 *= *//p" "$P/$1/config"; }

make_container "$C" 'lxc.net.0.type = veth' 'lxc.net.0.hwaddr = 02:00:00:11:22:33' \
	'lxc.net.0.flags = up'
golden=$P/$C/rootfs
echo "$C" >"$golden/etc/hostname"
echo 0123456789abcdef0123456789abcdef >"$golden/etc/machine-id"
echo golden >"$golden/root/file"
ln "$golden/root/file" "$golden/root/other-name"
ln -s file "$golden/root/link"
chmod 4755 "$golden/root/file"
mknod "$golden/root/null" c 1 3
mkfifo "$golden/root/fifo"
touch -d '2001-02-03 04:05:06.123456789' "$golden/root/file"

# ---- a copy

run lxc copy -n "$C" -N "$C-copy"
is 'copy makes another container, without a word' "$status$out$err" 0
is '... whose files are those of the first one' "$(differences "$P/$C-copy/rootfs" "$golden")" ''
is '... with its hard links' "$(stat -c %i "$P/$C-copy/rootfs/root/file")" \
	"$(stat -c %i "$P/$C-copy/rootfs/root/other-name")"
is '... to the nanosecond' "$(stat -c %y "$P/$C-copy/rootfs/root/file")" \
	"$(stat -c %y "$golden/root/file")"
is '... and are its own' "$(echo changed >"$P/$C-copy/rootfs/root/link"; cat "$golden/root/file")" golden
is '... with a hostname of its own' "$(of_config "$C-copy" lxc.uts.name)" "$C-copy"
is '... in its files, too' "$(cat "$P/$C-copy/rootfs/etc/hostname")" "$C-copy"
unlike '... a machine id of its own' "$(cat "$P/$C-copy/rootfs/etc/machine-id")" '^0123456789abcdef'
like '... and a MAC address of its own' "$(of_config "$C-copy" lxc.net.0.hwaddr)" '^..:..:..:..:..:..$'
unlike '... (not the old one)' "$(of_config "$C-copy" lxc.net.0.hwaddr)" '02:00:00:11:22:33'
is 'it runs' "$(lxc start -n "$C-copy" && inside "$C-copy" hostname)" "$C-copy"
is '... beside the first one' "$(lxc start -n "$C" && inside "$C" hostname)" "$C"
lxc stop -k -n "$C-copy"
fails_with 'a running one is refused' 1 "$C.*running" lxc copy -n "$C" -N "$C-two"
is '... and nothing was made' "$(test -e "$P/$C-two"; echo $?)" 1
run lxc copy -n "$C" -N "$C-two" -a
like 'with -a it stands still meanwhile, which is told' "$status $err" \
	"^0 lxc-copy: $C stood still for [0-9]+\.[0-9]{3} ms \(.*\)$"
is '... and runs on' "$(state "$C")" RUNNING
lxc stop -k -n "$C"

run lxc copy -n "$C" -N "$C-kept" -K -M
is 'with -K it keeps the hostname' "$(of_config "$C-kept" lxc.uts.name)" "$C"
is 'with -M it keeps the MAC address' "$(of_config "$C-kept" lxc.net.0.hwaddr)" '02:00:00:11:22:33'
run lxc copy -n "$C" -N "$C-three" --json
printf '%s\n' "$out" >"$TMP/json"
ok 'with --json it writes what was made' is_json "$TMP/json"
like '... and how' "$out" "\"new\": ?\"$C-three\", ?\"way\": ?\"[a-z ]+\""
mkdir "$TMP/elsewhere"
printf 'a\0b\n' >"$P/$C/data"
echo "lxc.environment = DATA=$P/$C/data" >>"$P/$C/config"
ok 'with -p it is made elsewhere' lxc copy -n "$C" -N "$C" -p "$TMP/elsewhere"
is '... with its root filesystem' "$(cat "$TMP/elsewhere/$C/rootfs/root/other-name")" golden
ok '... and the files that it names, byte for byte' cmp "$P/$C/data" "$TMP/elsewhere/$C/data"
lxc-destroy -P "$TMP/elsewhere" -n "$C"

# ---- what is refused

fails_with 'without a new name nothing is copied' 1 'You must provide a NEWNAME' lxc copy -n "$C"
fails_with 'a name that is taken is refused' 1 "$C-copy.*exists" lxc copy -n "$C" -N "$C-copy"
fails_with 'one that is no name as well' 1 '\.\./esc' lxc copy -n "$C" -N ../esc
fails_with 'a container that does not exist cannot be copied' 1 "$C-none" \
	lxc copy -n "$C-none" -N "$C-new"
fails_with 'a size that is none is refused' 1 '-L should be a number' lxc copy -n "$C" -N "$C-n" -L 12x
fails_with '-D without -e is refused' 1 '-D has a meaning with -e only' lxc copy -n "$C" -N "$C-n" -D
fails_with '-t with -D is refused' 1 'exclude each other' lxc copy -n "$C" -e -t -D
fails_with '-t with other storage than overlay is refused' 1 'needs overlay' \
	lxc copy -n "$C" -e -t -B dir
fails_with 'a storage that does not exist is refused' 1 'nosuch' lxc copy -n "$C" -N "$C-n" -B nosuch
is 'and nothing was made of it all' "$(lxc ls -1 | tr '\n' ' ')" \
	"$C $C-copy $C-kept $C-three $C-two "

# ---- a clone that shares

run lxc copy -n "$C" -N "$C-shared" -s
is 'with -s it shares the contents' "$status$err" 0
run lxc start -n "$C-shared"
is '... and starts' "$status" 0
is '... with a hostname of its own' "$(inside "$C-shared" hostname)" "$C-shared"
is '... which stands in its files, too' "$(inside "$C-shared" cat /etc/hostname)" "$C-shared"
is '... the files of the first one' "$(inside "$C-shared" cat /root/file)" golden
is '... and what it writes stays its own' \
	"$(inside "$C-shared" sh -c 'echo mine >/root/file'; cat "$golden/root/file")" golden
lxc stop -k -n "$C-shared"
ok 'a clone can be cloned' lxc copy -n "$C-shared" -N "$C-deep" -s
is '... with what it wrote' "$(lxc start -n "$C-deep" && inside "$C-deep" cat /root/file)" mine
lxc stop -k -n "$C-deep"
run lxc ls --json
printf '%s\n' "$out" >"$TMP/json"
ok 'ls --json is still JSON' is_json "$TMP/json"
like '... it says whom a clone needs' "$(printf '%s\n' "$out" | grep "\"name\": *\"$C-shared\"")" \
	"\"parents\": *\[\"$P/$C\"\]"
like '... and who needs the first one' "$(printf '%s\n' "$out" | grep "\"name\": *\"$C\",")" \
	"\"dependants\": *\[.*\"$P/$C-shared\".*\]"
fails_with 'what others need is not destroyed, and they are named' 1 "$C-shared" lxc destroy -n "$C"
fails_with '... nor with -f' 1 "$C-shared" lxc destroy -f -n "$C"
fails_with '... nor gets it another name' 1 'cannot' lxc copy -n "$C" -N "$C-renamed" -R
is '... and it still starts' "$(lxc start -n "$C"; state "$C")" RUNNING
lxc stop -k -n "$C"

# ---- rename

run lxc copy -n "$C-three" -N "$C-renamed" -R
is 'rename gives another name' "$status$err $(lxc ls -1 | grep -cE -- '-(three|renamed)$')" '0 1'
is '... with its files' "$(cat "$P/$C-renamed/rootfs/root/file")" golden
is '... and starts under it' "$(lxc start -n "$C-renamed" && inside "$C-renamed" hostname)" "$C-renamed"
fails_with 'one that runs keeps its name' 1 'running' lxc copy -n "$C-renamed" -N "$C-x" -R
lxc stop -k -n "$C-renamed"
fails_with 'the name of another one is refused' 1 'one of that name already' lxc copy -n "$C-renamed" -N "$C-copy" -R

# ---- one that goes when it stops

mkdir "$TMP/shared-dir"
echo host >"$TMP/shared-dir/file"
run lxc copy -n "$C" -e
like 'with -e a clone of any name is started' "$status $out" "^0 Created ${C}_[a-z0-9]{6} as clone of $C$"
name=$(printf '%s\n' "$out" | sed 's/^Created \([^ ]*\) .*/\1/')
is '... and runs' "$(state "$name")" RUNNING
ok '... it stops' lxc stop -k -n "$name"
nothing_left '... and nothing of it is left' "$name" destroyed
run lxc copy -n "$C" -N "$C-e" -e -- /bin/sh -c 'hostname; echo to stderr >&2; exit 7'
is 'with a command that is run, and its exit code is told' "$status" 7
like '... with its output' "$out" "^$C-e\$"
is '... on both ways' "$err" 'to stderr'
nothing_left '... and nothing is left' "$C-e" destroyed
run lxc copy -q -n "$C" -N "$C-e" -e -m "bind=$TMP/shared-dir:/srv:ro" -- cat /srv/file
is 'a directory can be mounted in it' "$status $out" '0 host'
run lxc copy -q -n "$C" -N "$C-e" -e -m "bind=$TMP/shared-dir:/srv:ro" -- sh -c 'echo >/srv/x'
is '... read-only' "$status $(ls "$TMP/shared-dir")" '1 file'
run lxc copy -q -n "$C" -N "$C-e" -e -m "overlay=$TMP/shared-dir:/srv" -- \
	sh -c 'cat /srv/file; echo inside >/srv/file; cat /srv/file'
is '... or as overlay, from which nothing comes out' "$status $out $(cat "$TMP/shared-dir/file")" \
	'0 host
inside host'
fails_with 'what is not there is not mounted' 1 'cannot mount "/no/such"' \
	lxc copy -n "$C" -e -m bind=/no/such
fails_with 'nor what is no absolute path' 1 'not absolute' lxc copy -n "$C" -e -m bind=etc
run lxc copy -n "$C" -N "$C-mem" -e -t
is 'with -t what it writes is in memory' "$status" 0
inside "$C-mem" sh -c 'dd if=/dev/zero of=/root/big bs=1024 count=300 2>/dev/null'
is '... where it finds it again' "$(inside "$C-mem" wc -c /root/big)" '307200 /root/big'
is '... not on the disk' "$(find "$P/$C-mem" -name big -size +200k 2>/dev/null)" ''
lxc stop -k -n "$C-mem"
nothing_left '... and gone with it' "$C-mem" destroyed
run lxc copy -q -n "$C" -N "$C-data" -e -D -- sh -c 'echo kept >/root/data'
is 'with -D it stays' "$status $(state "$C-data")" '0 STOPPED'
is '... with its data' "$(lxc start -n "$C-data" && inside "$C-data" cat /root/data)" kept
lxc destroy -f -n "$C-data"

# ---- many

run lxc copy -n "$C" -N "$C-n%02d" --count 6 -s --start --wait=running
is 'many are made and started at once' "$status $(lxc ls -1 --running | tr '\n' ' ')" \
	"0 $C-n01 $C-n02 $C-n03 $C-n04 $C-n05 $C-n06 "
like '... with one line' "$err" '^lxc-copy: 6 of 6 made and started in .* \(overlay\)$'
is '... each with its own name' "$(inside "$C-n04" hostname)" "$C-n04"
is '... and a MAC address that no other has' \
	"$(for n in 1 2 3 4 5 6; do of_config "$C-n0$n" lxc.net.0.hwaddr; done | sort -u | wc -l)" 6
run lxc copy -n "$C" -N "$C-n%02d" --count 8 -s --json
printf '%s\n' "$out" >"$TMP/json"
is 'names that are taken are failures, the others are made' "$status" 1
ok '... as the object says' is_json "$TMP/json"
like '... (two were free)' "$out" '"worked": ?2, ?"already": ?0, ?"failed": ?6'
fails_with 'without a number in the name it is refused' 1 'all be the same' \
	lxc copy -n "$C" -N "$C-x" --count 2
fails_with 'what is no pattern of names as well' 1 'cannot make names' \
	lxc copy -n "$C" -N "$C-%n%d" --count 2
run lxc copy -n "$C-n0[78]" -N '%s-bak'
is 'those that match a pattern are copied, %s being the name' "$status $(lxc ls -1 | grep -c -- '-bak$')" \
	'0 2'
fails_with 'a clone that never has an address is told at once' 1 'no network interface|no address' \
	lxc copy -n "$C" -N "$C-net" -s --wait=network --timeout 1
run lxc destroy -f -n "$C-n*"
is 'and all of them go at once, clones first' "$status $(lxc ls -1 | grep -c -- "-n0")" '0 0'

# ---- the end

run lxc destroy -f -s -n "$C"
is 'with -s what depends on it goes, too' "$status $(lxc ls -1 | grep -cE -- '-(shared|deep|net)$')" '0 0'
is '... and copies of their own stay' "$(lxc ls -1 | tr '\n' ' ')" \
	"$C-copy $C-kept $C-renamed $C-two "
is '... whole' "$(cat "$P/$C-two/rootfs/root/other-name")" golden

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-cp: files and trees into containers and out of them, running and stopped.

. "${0%/*}/lib.sh"

U=$C-u S=$C-s
cp() { command cp "$@"; }
facts() { stat -c '%U:%G %a %Y %F' "$@"; }

# A tree to carry about.
src=$TMP/src
mkdir -p "$src/sub/deep" "$src/empty"
printf 'one\n' >"$src/one"
printf 'two\n' >"$src/sub/two"
dd if=/dev/urandom of="$src/sub/deep/big" bs=64k count=20 2>/dev/null
ln "$src/one" "$src/sub/hard"
ln -s ../one "$src/sub/soft"
chmod 640 "$src/one"
chown 7:8 "$src/sub/two"
chmod 4755 "$src/sub/two"
touch -d '2020-02-02 02:02:02' "$src/one" "$src/sub/deep"
setfattr -n user.mark -v here "$src/one" 2>/dev/null && marked=1 || marked=

make_container "$C"
make_container "$U" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
chown -R -h 100000:100000 "$P/$U/rootfs"
chmod 755 "$TMP" "$P" "$P/$U"
make_container "$S"
for name in "$C" "$U"; do
	run lxc start -n "$name"
	is "$name starts" "$status" 0
done

# ---- in, wherever it is
for name in "$C" "$U" "$S"; do
	root=$P/$name/rootfs own=0
	[ "$name" = "$U" ] && own=100000
	run lxc cp "$src/one" "$name:/etc/one"
	is "$name: a file goes in" "$status $out$err" '0 '
	ok '... whole' cmp "$src/one" "$root/etc/one"
	is '... belongs to its root, with the mode of the source' \
		"$(stat -c '%u:%g %a' "$root/etc/one")" "$own:$own 640"
	run lxc cp "$src/one" "$src/sub/two" "$name:/tmp"
	is '... several go into a directory' "$status $(ls "$root/tmp" | tr '\n' ' ')" '0 one two '
	is '... without setuid' "$(stat -c %a "$root/tmp/two")" 755
	run lxc cp -r "$src" "$name:/srv"
	is '... a tree, under a new name' "$status$err" 0
	ok '... equal' diff -r "$src" "$root/srv"
	is '... all of it belongs to its root' "$(find "$root/srv" ! -uid $own -o ! -gid $own | wc -l)" 0
	run lxc cp -r "$src/." "$name:/etc"
	is '... contents are added to what is there' \
		"$status $(cat "$root/etc/sub/two") $(ls "$root/etc/group")" "0 two $root/etc/group"
	run lxc cp -a "$src" "$name:/"
	is '... a tree as it is' "$status$err" 0
	is '... with owners, as ids inside' "$(stat -c '%u:%g %a' "$root/src/sub/two")" "$((own + 7)):$((own + 8)) 4755"
	is '... and times' "$(stat -c %Y "$root/src/sub/deep" "$root/src/one")" \
		"$(stat -c %Y "$src/sub/deep" "$src/one")"
	is '... and hard links' "$(stat -c %i "$root/src/one")" "$(stat -c %i "$root/src/sub/hard")"
	is '... and links' "$(readlink "$root/src/sub/soft")" ../one
	[ -z "$marked" ] || is '... and attributes' \
		"$(getfattr --only-values -n user.mark "$root/src/one" 2>/dev/null)" here
	run lxc cp --owner=5:6 "$src/one" "$name:/etc/owned"
	is '... whose it shall be can be said' "$(stat -c '%u:%g' "$root/etc/owned")" "$((own + 5)):$((own + 6))"
	chown $((own + 3)):$((own + 4)) "$root/etc/one"
	chmod 604 "$root/etc/one"
	before=$(stat -c %i "$root/etc/one")
	run lxc cp "$src/sub/deep/big" "$name:/etc/one"
	is '... who is replaced hands down owner and mode' \
		"$(stat -c '%u:%g %a' "$root/etc/one")" "$((own + 3)):$((own + 4)) 604"
	unlike '... and is another file: who has it open keeps the old one' "$(stat -c %i "$root/etc/one")" "^$before\$"
	is '... a stream goes in' "$(echo hello | lxc cp - "$name:/etc/said"; cat "$root/etc/said")" hello
	is '... and out' "$(lxc cp "$name:/etc/said" -)" hello

	# ---- and out
	rm -rf "$TMP/out"
	mkdir "$TMP/out"
	run lxc cp "$name:/etc/one" "$TMP/out"
	ok "$name: a file comes out" cmp "$src/sub/deep/big" "$TMP/out/one"
	is '... and belongs to the caller' "$(stat -c '%u:%g' "$TMP/out/one")" 0:0
	run lxc cp -r "$name:/src" "$TMP/out/tree"
	ok '... a tree' diff -r "$src" "$TMP/out/tree"
	run lxc cp -a "$name:/src" "$TMP/out"
	is '... as it is: ids inside are those here' "$(stat -c '%u:%g' "$TMP/out/src/sub/two")" 7:8
	is '... but nothing that acts for its owner' "$(stat -c %a "$TMP/out/src/sub/two")" 755
	run lxc cp -a --special "$name:/src/sub/two" "$TMP/out/special"
	is '... unless it is asked for' "$(stat -c %a "$TMP/out/special")" 4755
	run lxc cp -n "$name" :/etc/said :/etc/group "$TMP/out"
	is '... -n and several' "$status $(cat "$TMP/out/said")" '0 hello'
	(cd "$TMP/out" && lxc cp "$name:etc/said" here)
	is '... to a relative path' "$(cat "$TMP/out/here")" hello
	is 'nothing is left beside' "$(find "$root" "$TMP/out" -name '.lxc-cp*' | wc -l)" 0
done

# ---- links, and what is no file
ln -s /etc/said "$P/$C/rootfs/tmp/link"
ln -s ../etc "$P/$C/rootfs/tmp/etcdir"
is 'a link is followed' "$(lxc cp "$C:/tmp/link" -)" hello
lxc cp -r "$C:/tmp/link" "$TMP/out/link"
is '... and copied as one with -r' "$(readlink "$TMP/out/link")" /etc/said
echo new | lxc cp - "$C:/tmp/link"
is 'a file is written where a link leads' "$(cat "$P/$C/rootfs/etc/said") $(readlink "$P/$C/rootfs/tmp/link")" 'new /etc/said'
lxc cp "$src/one" "$C:/tmp/etcdir/through"
ok '... and in the directory to which one leads' cmp "$src/one" "$P/$C/rootfs/etc/through"
mknod "$P/$S/rootfs/tmp/node" c 1 3
run lxc cp -r "$S:/tmp" "$TMP/out/tmp"
like 'devices are left out, and that is said' "$err" '1 device was left out'
ok '... and the rest is there' cmp "$src/one" "$TMP/out/tmp/one"
run lxc cp -r --special "$S:/tmp/node" "$TMP/out/node"
is '... unless they are asked for' "$(stat -c '%F %t:%T' "$TMP/out/node")" 'character special file 1:3'

# ---- as its processes see it
inside "$C" sh -c 'mount -t tmpfs none /mnt && mkdir /mnt/d && echo mounted >/mnt/d/file'
is 'what is mounted inside is seen' "$(lxc cp "$C:/mnt/d/file" -)" mounted
lxc cp "$src/one" "$C:/mnt/d/"
is '... and written to' "$(inside "$C" cat /mnt/d/one)" one
run lxc cp -r "$C:/mnt" "$TMP/out/mnt"
is '... as a part of a tree too' "$(cat "$TMP/out/mnt/d/file")" mounted
run lxc cp -r "$C:/" "$TMP/out/all"
is 'the whole tree comes out' "$status $(cat "$TMP/out/all/mnt/d/file")" '0 mounted'
is '... without what the kernel makes up' "$(ls -A "$TMP/out/all/proc" "$TMP/out/all/sys" | grep -vc :)" 1
inside "$U" sh -c 'mount -t tmpfs none /mnt && echo mounted >/mnt/file'
lxc cp "$src/one" "$U:/mnt/"
is 'a filesystem of a user namespace can be written' "$(inside "$U" stat -c '%u:%g' /mnt/one)" 0:0
lxc freeze -n "$C"
is 'a frozen one is no obstacle' "$(lxc cp "$C:/etc/said" -)" new
lxc unfreeze -n "$C"

# ---- storage
run lxc copy -n "$S" -N "$C-o" -s
lxc cp "$src/sub/deep/big" "$C-o:/etc/one"
ok 'a stopped clone in layers is written in its own' cmp "$src/sub/deep/big" "$P/$C-o/overlay/delta/etc/one"
lxc cp "$C-o:/etc/owned" "$TMP/out/from-below"
ok '... and read from all of them' cmp "$src/one" "$TMP/out/from-below"
run lxc start -n "$C-o"
is '... and starts after' "$status" 0
ok '... with what was copied' cmp "$src/sub/deep/big" "/proc/$(init_pid "$C-o")/root/etc/one"
lxc stop -k -n "$C-o"

# ---- refusals
fails_with 'a directory wants -r' 1 'it is a directory' lxc cp "$src" "$C:/tmp"
like '... and that is said' "$err" 'lxc-cp -r'
fails_with 'what is not there' 1 "find \"$C:/nowhere\": No such file" lxc cp "$C:/nowhere" "$TMP/out"
fails_with 'a place that is not there' 1 "copy to \"$C:/no/where/\"" lxc cp "$src/one" "$C:/no/where/"
fails_with 'several want a directory' 1 'copy to' lxc cp "$src/one" "$src/sub/two" "$C:/etc/said"
fails_with 'a tree does not replace a file' 1 'cannot put a directory where "src" is a file' \
	sh -c "echo x | lxc-cp -P '$P' - '$S:/etc/src'; lxc-cp -P '$P' -r '$src' '$S:/etc'"
mkdir -p "$TMP/clash/sub/deep/big" "$TMP/clash/aa"
fails_with 'a merge that cannot be is not begun' 1 'cannot put a directory where "big" is a file' \
	lxc cp -r "$TMP/clash/." "$S:/src"
not_ok '... no name of it is there' test -e "$P/$S/rootfs/src/aa"
fails_with 'a file does not replace a directory' 1 'cannot replace the directory' \
	sh -c "mkdir '$TMP/f'; echo x >'$TMP/f/sub'; lxc-cp -P '$P' '$TMP/f/sub' '$S:/src/'"
fails_with 'nor a device' 1 'device, fifo or socket' lxc cp "$src/one" "$C:/dev/null"
fails_with 'what the kernel makes up is no file' 1 'the kernel makes it up' lxc cp "$C:/proc/version" "$TMP/out"
like '... and how to have it' "$err" "lxc-attach -n $C -- cat /proc/version"
fails_with 'nor is anything copied there' 1 'kernel makes up' lxc cp "$src/one" "$C:/proc/sys/kernel/"
fails_with 'two paths of the host' 1 'neither is in a container' lxc cp "$src/one" "$TMP/out"
fails_with 'two containers' 1 'at once' lxc cp "$C:/etc/said" "$S:/etc"
fails_with 'a container that is not there' 1 'no such container' lxc cp "$src/one" "$C-none:/etc"
fails_with 'an owner that is none' 1 'UID:GID' lxc cp --owner=root "$src/one" "$C:/etc"
fails_with 'an owner that the map does not have' 1 'the id map does not have it' \
	lxc cp --owner=70000:0 "$src/one" "$U:/etc"
fails_with 'no container is named' 1 'which container' lxc cp "$src/one" :/etc
chown 70000 "$src/sub/two"
fails_with '-a with an owner that the map does not have' 1 'user id 70000' lxc cp -a "$src" "$U:/tmp/over"
not_ok '... and nothing of it is there' test -e "$P/$U/rootfs/tmp/over"
is 'nothing is left beside' "$(find "$P" -name '.lxc-cp*' | wc -l)" 0

lxc cp --json -r "$src" "$C:/tmp/json" >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... with the sums' "$(cat "$TMP/json")" '"files": 9, "bytes": 1310728'

# Whoever ends it leaves nothing of it behind.
mkfifo "$TMP/slow"
sh -c 'exec lxc-cp -P "$1" - "$2:/etc/slow" <"$3"' - "$P" "$C" "$TMP/slow" 2>/dev/null &
copying=$!
exec 9>"$TMP/slow"
echo begun >&9
eventually 5 sh -c "ls -d '$P/$C/rootfs/etc'/.lxc-cp*"
kill -TERM $copying
wait $copying
is 'ended by a signal: its status' "$?" 143
exec 9>&-
is '... nothing of it is there' "$(ls -d "$P/$C/rootfs/etc/slow" "$P/$C/rootfs/etc"/.lxc-cp* 2>/dev/null)" ''

# ... and who is killed at least for no longer than to the next copy.
sh -c 'exec lxc-cp -P "$1" - "$2:/etc/slow" <"$3"' - "$P" "$C" "$TMP/slow" 2>/dev/null &
copying=$!
exec 9>"$TMP/slow"
echo begun >&9
eventually 5 sh -c "ls -d '$P/$C/rootfs/etc'/.lxc-cp*"
lxc cp "$src/one" "$C:/etc/beside"
ok 'a copy beside another leaves that alone' sh -c "ls -d '$P/$C/rootfs/etc'/.lxc-cp*"
kill -KILL $copying
wait $copying 2>/dev/null
exec 9>&-
lxc cp "$src/one" "$C:/etc/beside"
is 'what a killed one left goes with the next' "$(ls -d "$P/$C/rootfs/etc/slow" "$P/$C/rootfs/etc"/.lxc-cp* 2>/dev/null)" ''

for name in "$C" "$U"; do lxc stop -k -n "$name"; done
nothing_left 'nothing is left' "$C"
done_testing

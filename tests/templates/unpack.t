#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-unpack: what is in an archive arrives exactly, and what a hostile one tries changes nothing
# outside the directory.
# shellcheck disable=SC2154 # from tap.sh

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=archives.sh
. "$(dirname "$0")/archives.sh"
[ "$(id -u)" = 0 ] || skip_all 'needs root'
unpack=${LXC_PREFIX:-/usr}/libexec/lxc/lxc-unpack
[ -x "$unpack" ] || skip_all 'needs an installed lxc-unpack'
dir=$scratch/to outside=$scratch/outside

# fresh: an empty directory, and something outside that must stay as it is
fresh() {
	rm -rf "$dir" "$outside" "$scratch/x.tar"
	mkdir "$dir" "$outside"
	echo precious >"$outside/file"
}

unpack() {
	run "$unpack" "$@" "$dir"
}

# told WORDS: it failed with them, in the grammar of all messages
told() {
	[ "$status" -eq 1 ] && grep -q "^lxc-unpack: cannot .*$1" "$err" ||
		{ echo "status $status:"; cat "$err"; return 1; }
}

unharmed() {
	same 'precious file' "$(cat "$outside/file") $(ls -A "$outside")"
}

# hostile SENTENCE WORDS OPTION...: x.tar is refused with these words, and harms nothing
hostile() {
	sentence=$1 words=$2
	shift 2
	finish "$scratch/x.tar"
	unpack "$@" "$scratch/x.tar"
	ok "refuses $sentence" told "$words"
	ok "changes nothing outside: $sentence" unharmed
}

# ---- an honest archive, in every wrapping ----

tree=$scratch/tree
mkdir -p "$tree/etc" "$tree/with blank" "$tree/closed"
echo text >"$tree/etc/file"
ln "$tree/etc/file" "$tree/etc/second"
ln -s /etc/passwd "$tree/absolute"
ln -s ../.. "$tree/etc/up"
mkfifo "$tree/pipe"
truncate -s 50M "$tree/holes"
echo end >>"$tree/holes"
touch "$tree/$(printf 'e\314\201')" "$tree/$(printf 'latin\351')"
chown 1:2 "$tree/etc/file"
chown -h 3:4 "$tree/absolute"
chmod 4755 "$tree/etc/file"
chmod 1777 "$tree/with blank"
chmod 500 "$tree/closed"
command -v setcap >/dev/null && setcap cap_net_raw+ep "$tree/etc/file"
touch -d '2001-02-03 04:05:06.789' "$tree/etc/file" "$tree/pipe"
touch -h -d '2002-02-03 04:05:06.5' "$tree/absolute"
touch -d '2003-02-03 04:05:06.25' "$tree/etc" "$tree/closed" "$tree/with blank" "$tree"

# look DIR: all that can be seen of the files in it
look() {
	(cd "$1" && find . -printf '%p %y %m %U:%G %n %s %T@ %l\n' |
		sed '/ d /s/ \([0-9]*:[0-9]*\) [0-9]* [0-9]* / \1 /' | sort
		find . -type f ! -name holes -exec md5sum {} + | sort
		! command -v getcap >/dev/null || getcap -r . | sort)
}

for kind in none gzip bzip2 xz zstd; do
	fresh
	case $kind in
	none) tar --format=pax --xattrs --xattrs-include='*' -S -C "$tree" -cf "$scratch/x.tar" . ;;
	*) tar --format=pax --xattrs --xattrs-include='*' -S --$kind -C "$tree" -cf "$scratch/x.tar" . ;;
	esac
	unpack "$scratch/x.tar"
	ok "unpacks ($kind)" same 0 "$status"
	ok "unpacks exactly what was packed ($kind)" same "$(look "$tree")" "$(look "$dir")"
done
ok 'keeps holes' test "$(stat -c %b "$dir/holes")" -lt 1000
fresh
tar --format=gnu -C "$tree" -cf - . | "$unpack" - "$dir"
ok 'unpacks what it reads from standard input' test -p "$dir/pipe"
fresh
tar -C "$tree" -cf "$scratch/x.tar" etc
unpack --strip 1 "$scratch/x.tar"
ok 'leaves out the first parts of names' same 'file second up' "$(cd "$dir" && echo *)"
fresh
tar -C "$tree" -cf "$scratch/x.tar" .
unpack --exclude './etc/s*' --exclude 'with blank' "$scratch/x.tar"
ok 'leaves out what it is told' test ! -e "$dir/etc/second" -a ! -e "$dir/with blank" -a -e "$dir/etc/file"
fresh
tar --xattrs --xattrs-include='*' -C "$tree" -cf "$scratch/x.tar" etc
unpack --uid-map 0:100000:10 --gid-map 0:200000:10 "$scratch/x.tar"
ok 'shifts owners' same '100001:200002 100000:200000' \
	"$(stat -c %u:%g "$dir/etc/file" "$dir/etc" | tr '\n' ' ' | sed 's/ $//')"
if command -v getcap >/dev/null; then
	ok 'gives file capabilities to the root of the map' same "$dir/etc/file cap_net_raw=ep [rootid=100000]" \
		"$(getcap -n "$dir/etc/file")"
fi
rm -rf "$dir"
mkdir "$dir"
unpack --uid-map 0:100000:1 --gid-map 0:200000:10 "$scratch/x.tar"
ok 'refuses an owner that no range has' told 'id 1 is not in the map'
if command -v sqfs2tar >/dev/null && command -v mksquashfs >/dev/null; then
	fresh
	mksquashfs "$tree" "$scratch/x.sqfs" -quiet -no-progress >/dev/null
	touch -d '2003-02-03 04:05:06.25' "$tree"
	unpack "$scratch/x.sqfs"
	ok 'unpacks a squashfs image' same "$(cat "$tree/etc/file") 4755 500" \
		"$(cat "$dir/etc/file") $(stat -c %a "$dir/etc/file" "$dir/closed" | tr '\n' ' ' | sed 's/ $//')"
	head -c 600 "$scratch/x.sqfs" >"$scratch/cut.sqfs"
	unpack "$scratch/cut.sqfs"
	ok 'refuses half an image' told ''
fi

# ---- hostile ones ----

fresh
member "$scratch/x.tar" ../outside/file 0 '' 644 4
bytes "$scratch/x.tar" evil
hostile 'a name that goes up' "'\.\.'"
fresh
member "$scratch/x.tar" a/../../outside/file 0 '' 644 4
bytes "$scratch/x.tar" evil
hostile 'a name that goes up in its middle' "'\.\.'"
fresh
member "$scratch/x.tar" way 2 "$outside" 777
member "$scratch/x.tar" way/file 0 '' 644 4
bytes "$scratch/x.tar" evil
hostile 'a file through an absolute link' ''
fresh
member "$scratch/x.tar" way 2 ../outside 777
member "$scratch/x.tar" way/file 0 '' 644 4
bytes "$scratch/x.tar" evil
hostile 'a file through a relative link' ''
fresh
member "$scratch/x.tar" file 2 "$outside/file" 777
member "$scratch/x.tar" file 0 '' 644 4
bytes "$scratch/x.tar" evil
finish "$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'replaces a link rather than writing through it' same evil "$(cat "$dir/file")"
ok 'changes nothing outside: a file in the place of a link' unharmed
fresh
member "$scratch/x.tar" "$outside/file" 0 '' 644 4
bytes "$scratch/x.tar" evil
finish "$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'takes an absolute name for one in the directory' same evil "$(cat "$dir$outside/file")"
ok 'changes nothing outside: an absolute name' unharmed
fresh
member "$scratch/x.tar" stolen 1 ../outside/file 644
hostile 'a hard link that goes up' "'\.\.'"
fresh
member "$scratch/x.tar" stolen 1 "$outside/file" 644
hostile 'a hard link to an absolute name' ''
fresh
member "$scratch/x.tar" way 2 "$outside" 777
member "$scratch/x.tar" stolen 1 way/file 644
hostile 'a hard link through a symbolic one' ''
fresh
member "$scratch/x.tar" d 5 '' 755
member "$scratch/x.tar" d/in 5 '' 755
member "$scratch/x.tar" d/in 2 "$outside" 777
finish "$scratch/x.tar"
chmod 700 "$outside"
unpack "$scratch/x.tar"
ok 'sets no attribute of a directory that became a link' same 700 "$(stat -c %a "$outside")"
fresh
member "$scratch/x.tar" disk 4 '' 666 0 1
hostile 'a device' 'is a device'
ok 'makes no device' test ! -e "$dir/disk"
unpack --devices=skip "$scratch/x.tar"
ok 'leaves a device out when told' test "$status" = 0 -a ! -e "$dir/disk"
unpack --devices=make "$scratch/x.tar"
ok 'makes a device when told' test "$status" = 0 -a -b "$dir/disk"
rm "$dir/disk"
unpack --uid-map 0:100000:9 --gid-map 0:100000:9 "$scratch/x.tar"
ok 'leaves devices out where ids are mapped' test "$status" = 0 -a ! -e "$dir/disk"
fresh
member "$scratch/x.tar" huge 0 '' 644 77777777777
hostile 'a file larger than all that may be' 'bytes' --max-size 7G
fresh
truncate -s 300G "$scratch/holes"
tar -S -C "$scratch" -cf "$scratch/x.tar" holes
rm "$scratch/holes"
unpack "$scratch/x.tar"
ok 'refuses a giant of holes' told 'bytes'
ok 'does not begin it' test ! -e "$dir/holes"
fresh
for n in 1 2 3 4 5; do member "$scratch/x.tar" "file$n" 0 '' 644; done
hostile 'too many entries' 'more than 4 entries' --max-entries 4
fresh
member "$scratch/x.tar" one 0 '' 644 4
bytes "$scratch/x.tar" 1234
member "$scratch/x.tar" two 0 '' 644 4
bytes "$scratch/x.tar" 1234
hostile 'more bytes than may be' 'more than 7' --max-size 7
fresh
long=$(printf '%0256d' 0)
(mkdir "$scratch/l" && cd "$scratch/l" && : >a &&
	tar --format=pax --transform "s,^,$long/," -cf "$scratch/x.tar" a)
unpack "$scratch/x.tar"
ok 'refuses a name that no filesystem has' told 'File name too long'
fresh
deep=$(printf '%02100d' 0 | sed 's,0,d/,g')
(cd "$scratch/l" && tar --format=pax --transform "s,^,$deep," -cf "$scratch/x.tar" a)
unpack "$scratch/x.tar"
ok 'refuses a path that no kernel takes' told 'too long'
fresh
member "$scratch/x.tar" bomb 0 '' 6777 4
bytes "$scratch/x.tar" evil
member "$scratch/x.tar" other 1 bomb 6777
member "$scratch/x.tar" other 0 '' 4777 4
bytes "$scratch/x.tar" EVIL
finish "$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'makes a new file in the place of a hard link' same 'evil EVIL' "$(cat "$dir/bomb") $(cat "$dir/other")"
fresh
member "$scratch/x.tar" "$(printf 'a\033[2Jb')/../x" 0 '' 644
hostile 'a name with an escape sequence' '\\033'
ok 'sends nothing to the terminal that the archive wants there' not grep -q "$(printf '\033')" "$err"
fresh
echo 'this is no archive' >"$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'refuses what is no archive' told 'format'
fresh
tar -C "$tree" -czf "$scratch/whole.tar" etc
head -c 150 "$scratch/whole.tar" >"$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'refuses half an archive' told 'read'
fresh
member "$scratch/x.tar" a/b 0 '' 644
: >"$dir/a"
hostile 'a directory where a file is' 'Not a directory'

# ---- layers ----

# layer: x.tar on what is there
layer() {
	finish "$scratch/x.tar"
	unpack --oci "$scratch/x.tar"
	rm "$scratch/x.tar"
}
# below: what an earlier layer left
below() {
	fresh
	mkdir -p "$dir/a/sub" "$dir/b"
	: >"$dir/a/old"
	: >"$dir/a/sub/old"
	: >"$dir/b/old"
}
below
member "$scratch/x.tar" a/.wh.old 0 '' 644
layer
ok 'removes what a whiteout names, and no more' same 'a a/sub a/sub/old b b/old' \
	"$(cd "$dir" && find . -mindepth 1 | sort | sed 's,./,,' | tr '\n' ' ' | sed 's/ $//')"
below
member "$scratch/x.tar" .wh.a 0 '' 644
layer
ok 'removes a whole directory' same b "$(ls "$dir")"
below
member "$scratch/x.tar" a/new 0 '' 644
member "$scratch/x.tar" a/.wh..wh..opq 0 '' 644
layer
ok 'keeps of an opaque directory what the layer itself brought' same new "$(ls "$dir/a")"
ok 'leaves other directories alone' test -e "$dir/b/old"
below
member "$scratch/x.tar" a 0 '' 644 1
bytes "$scratch/x.tar" x
layer
ok 'puts a file in the place of a directory' test -f "$dir/a"
below
ln -s "$outside" "$dir/way"
member "$scratch/x.tar" way/.wh.file 0 '' 644
layer
ok 'removes nothing through a link' unharmed
below
member "$scratch/x.tar" a/.wh... 0 '' 644
layer
ok 'refuses a whiteout of the directory above' told 'no name'
below
member "$scratch/x.tar" a/.wh.old 0 '' 644
finish "$scratch/x.tar"
unpack "$scratch/x.tar"
ok 'takes whiteouts for files where layers are not meant' test -f "$dir/a/.wh.old" -a -f "$dir/a/old"

# ---- what it is told ----

for option in --strip=x --max-size=1X --uid-map=0:1 --uid-map=0:0:0 --devices=all --xattrs=none --colour; do
	run "$unpack" "$option" "$scratch/whole.tar" "$dir"
	ok "refuses $option" told ''
done
run "$unpack" /nonexistent "$dir"
ok 'tells which archive is not there' told '"/nonexistent": No such file'
run "$unpack" "$scratch/whole.tar" /nonexistent
ok 'tells which directory is not there' told '"/nonexistent": No such file'
run "$unpack" --help
ok 'explains itself' same '0 0' "$status $(wc -c <"$err")"
plan

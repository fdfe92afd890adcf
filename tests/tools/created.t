#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-diff against what a container was when it was created: what is recorded, who has the record, and
# what a record that is not to be trusted does.

# shellcheck disable=SC2154 # what lib.sh sets
. "${0%/*}/lib.sh"
# shellcheck source=tests/tools/storage.sh
. "$TESTS/tools/storage.sh"
echo 'lxc.mount.auto = proc:mixed' >>"$NET"

# A template whose tree has something of everything.
odd=$(printf 'new\nline')
cat >"$TMP/odd" <<TEMPLATE
#!/bin/sh
set -e
for arg; do case \$arg in --rootfs=*) cd "\${arg#*=}" ;; esac; done
cp -a "$TMP/mini/." .
mkdir -p opt/gone/deep opt/kept srv
touch opt/gone/deep/file opt/same opt/mode opt/owner opt/time opt/kind "opt/$odd" opt/kept/.hidden
touch "opt/\$(printf 'no\377\374utf8')"
printf 12345 >opt/size
touch -d '2001-01-01 00:00:00.123456789' opt/nano
touch -d '1931-01-01' opt/old
ln -s nowhere opt/link
ln opt/same opt/hard
mkfifo opt/fifo
chown 7:8 opt/owner
mknod opt/null c 1 3 2>/dev/null || :
TEMPLATE
chmod 755 "$TMP/odd"
make() {	# NAME OPTION...
	local name="$1"
	shift
	lxc create -n "$name" -f "$NET" -t "$TMP/odd" "$@"
}
since() { lxc diff --since-create -n "$@" 2>&1 | grep -a -v ' /run'; }
change='
	rm -r /opt/gone
	chmod 700 /opt/mode
	chown 5:6 /opt/owner
	printf 123456 >/opt/size
	touch -d 2001-01-01 /opt/nano
	ln -snf elsewhere /opt/link
	rm /opt/kind; mkdir /opt/kind; touch /opt/kind/file
	rm /opt/fifo; touch /opt/fifo
	mkdir -p /srv/new/er'
expected='C /opt
C /opt/fifo
D /opt/gone
D /opt/kind
A /opt/kind
A /opt/kind/file
C /opt/link
C /opt/mode
C /opt/nano
C /opt/owner
C /opt/size
C /srv
A /srv/new
A /srv/new/er'

# ---- what is recorded
run make "$C"
is 'a container is created' "$status" 0
record=$P/$C/created.tree
is 'its record is as readable as its configuration' "$(stat -c %a "$record")" 640
is 'nothing changed since' "$(lxc diff -n "$C" 2>&1)" ''
lxc start -n "$C"
inside "$C" sh -c "$change"
is 'what changed in a running one' "$(since "$C")" "$expected"
inside "$C" sh -c 'mount -t tmpfs none /mnt && touch /mnt/file'
is '... without what is mounted in it' "$(since "$C")" "$expected"
lxc stop -k -n "$C"
is '... and in a stopped one, where it is what is compared with' "$(lxc diff -n "$C" | grep -v ' /run')" "$expected"
lxc diff -n "$C" --json >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... and says what it was compared with' "$(cat "$TMP/json")" '"against": "creation"'
rm "$P/$C/rootfs/opt/$odd" "$P/$C/rootfs/opt/no"*utf8
is 'names of any bytes are known' "$(since "$C" | grep -a -A1 -e 'D /opt/ne' -e 'D /opt/no' | head -n 3 | od -An -c | tr -d ' \n')" \
	'D/opt/new\nline\nD/opt/no377374utf8\n'
echo x >"$P/$C/rootfs/opt/same"
is 'both names of one file' "$(since "$C" | grep -c -e '/opt/same' -e '/opt/hard')" 2
if mv "$P/$C/rootfs/opt/null" "$TMP/null" 2>/dev/null; then
	mknod -m "$(stat -c %a "$TMP/null")" "$P/$C/rootfs/opt/null" c 1 5
	is 'a device that is another one' "$(since "$C" | grep null)" 'C /opt/null'
	mv "$TMP/null" "$P/$C/rootfs/opt/null"
fi
fails_with 'bytes were not recorded' 1 'cannot compare bytes.*were recorded' lxc diff -n "$C" -c
fails_with 'one thing at a time' 1 'not with both' lxc diff -n "$C" -s snap0 --since-create
was=$(since "$C")

# ---- who has it
lxc copy -n "$C" -N "$C-full" >/dev/null 2>&1
is 'a full copy was created when its source was' "$(since "$C-full")" "$was"
lxc snapshot -n "$C" >/dev/null 2>&1
is 'a snapshot changes nothing of it' "$(since "$C")" "$was"
lxc copy -n "$C" -N "$C-layer" -s >/dev/null 2>&1
is 'a clone that shares contents is compared with its origin' "$(lxc diff -n "$C-layer" 2>&1)" ''
is '... unless it is asked for' "$(since "$C-layer")" "$was"
is '... and its record takes no space' "$(stat -c %i "$P/$C-layer/created.tree")" "$(stat -c %i "$record")"
lxc start -n "$C"
inside "$C" rm -r /srv/new
lxc stop -k -n "$C"
unlike 'it goes on changing' "$(since "$C")" /srv/new
lxc snapshot -n "$C" -r snap0 >/dev/null 2>&1
is 'a restored one is what it was' "$(since "$C")" "$was"
lxc snapshot -n "$C" -r snap0 -N "$C-restored" >/dev/null 2>&1
is '... under another name, too' "$(since "$C-restored")" "$was"
lxc rename "$C-full" "$C-named" >/dev/null 2>&1
is 'a renamed one has it' "$(since "$C-named")" "$was"
ok 'export' lxc export -n "$C-named" -q -o "$TMP/archive"
ok '... and import' lxc import -q -n "$C-came" "$TMP/archive"
is '... keep it, for all but the device that import left out' "$(since "$C-came" | grep -v 'D /opt/null')" "$was"
ok 'destroy removes it' lxc destroy -n "$C-came"
nothing_left '... with all the rest' "$C-came" destroyed

# ---- owners
printf 'lxc.idmap = %s 0 200000 65536\n' u g | cat "$NET" - >"$TMP/mapped.conf"
run lxc create -n "$C-map" -f "$TMP/mapped.conf" -t "$TMP/odd"
is 'a container with an id map' "$status $(since "$C-map")" '0 '
is '... of which ids inside were recorded' "$(stat -c %u:%g "$P/$C-map/rootfs/opt/owner")" 200007:200008
sed -i 's/200000/300000/' "$P/$C-map/config"
like '... whose files would be nobody in another map' "$(since "$C-map")" '^C /opt/owner$'
for ids in $(find "$P/$C-map/rootfs" -printf '%U:%G\n' | sort -u); do
	chown -h -R --from="$ids" $((${ids%:*} + 100000)):$((${ids#*:} + 100000)) "$P/$C-map/rootfs"
done
is '... and are the same ones when they follow it' "$(since "$C-map")" ''

# ---- where the tree is only there when it is mounted
if [ -w /dev/loop-control ] && command -v mkfs.ext4 >/dev/null; then
	run make "$C-loop" -B loop --fssize 32M
	is 'one in a file' "$status $(since "$C-loop")" '0 '
	lxc start -n "$C-loop"
	inside "$C-loop" sh -c "$change"
	is '... that runs' "$(since "$C-loop")" "$expected"
	lxc stop -k -n "$C-loop"
	is '... and is stopped' "$(since "$C-loop")" "$expected"
	ok '... leaves no device' eventually 5 no_loops
else
	skip 'one in a file' 'no loop devices here'
fi
if mounted_file "$TMP/btrfs" btrfs 128M 2>/dev/null; then
	is 'one in a subvolume' "$(lxc-create -P "$TMP/btrfs" -n "$C-b" -f "$NET" -t "$TMP/odd" -B btrfs 2>&1
		lxc-diff -P "$TMP/btrfs" -n "$C-b" 2>&1)" ''
	lxc-copy -P "$TMP/btrfs" -n "$C-b" -N "$C-bb" -s >/dev/null 2>&1
	is '... whose clone is compared with the same' "$(touch "$TMP/btrfs/$C-bb/rootfs/srv/x"
		lxc-diff -P "$TMP/btrfs" -n "$C-bb" 2>&1)" 'C /srv
A /srv/x'
	umount "$TMP/btrfs"
else
	skip 'one in a subvolume' 'no btrfs here'
fi

# ---- what was not recorded
run lxc create -n "$C-none" -f "$NET" -t none
is 'one without a template has no record' "$status $(ls "$P/$C-none")" '0 config'
echo "lxc.rootfs.path = dir:$P/$C/rootfs" >>"$P/$C-none/config"
fails_with '... which is told' 1 'first state was not recorded' lxc diff -n "$C-none"
like '... with what helps' "$err" "lxc-snapshot -n $C-none "
cat >"$TMP/deep" <<TEMPLATE
#!/bin/sh
for arg; do case \$arg in --rootfs=*) cd "\${arg#*=}" ;; esac; done
n=0
while [ \$n -lt 301 ]; do mkdir d && cd d || exit; n=\$((n + 1)); done
TEMPLATE
chmod 755 "$TMP/deep"
run lxc create -n "$C-deep" -f "$NET" -t "$TMP/deep"
is 'nor has one that is too deep to be compared' "$status $(ls "$P/$C-deep" | tr '\n' ' ')" '0 config rootfs '

# ---- a create that was killed
touch "$TMP/wait"
setsid lxc-create -q -P "$P" -n "$C-killed" -f "$NET" -t "$FILL" >/dev/null 2>&1 &
creator=$!
eventually 10 test -e "$TMP/filling"
head -c 60 "$record" >"$P/$C-killed/created.tree"	# as it would be if it was killed a moment later
kill -9 "$creator"
touch "$TMP/go"
wait "$creator" 2>/dev/null
gone() { lxc ls >/dev/null; lxc info -n "$C-killed" >/dev/null 2>&1; [ ! -e "$P/$C-killed" ]; }
ok 'half a record goes with the half-made container' eventually 10 gone

# ---- a record that is damaged, or an enemy's
enemy() {	# BYTES: a record of them whose digest is right
	{
		printf 'lxcore tree 1\n'
		printf "$1"
	} >"$TMP/enemy"
	sum=$(sha256sum <"$TMP/enemy")
	printf '%s' "${sum%% *}" | sed 's/../\\x&/g' >"$TMP/sum"
	env printf "$(cat "$TMP/sum")" >>"$TMP/enemy"
	cp "$TMP/enemy" "$P/$C-named/created.tree"
}
refused() { fails_with "$1" 1 'record of its first state is damaged' lxc diff -n "$C-named"; }
enemy 'e'
ok 'a record of nothing is one' lxc diff -n "$C-named"
for case in 'a name that leads away:fa/b\000\001\001\001\001\001\001e' 'a name that is none:d..\000\001\001\001ee' \
	'a name twice:pa\000\001\001\001pa\000\001\001\001e' 'names out of order:pb\000\001\001\001pa\000\001\001\001e' \
	'a type that is none:za\000\001\001\001e' 'no end:da\000\001\001\001e' 'nothing at all:' \
	'a number of more than 64 bits:fa\000\001\001\001\377\377\377\377\377\377\377\377\377\002\001\001e' \
	'a number without an end:pa\000\201\201\201\201\201\201\201\201\201\201\201\201e' \
	'a mode that is none:pa\000\200\200\001\001\001e' 'a name without an end:paaaaaaa' \
	'nanoseconds that are more than a second:fa\000\001\001\001\001\001\377\377\377\377\017e'; do
	enemy "${case#*:}"
	refused "refuses ${case%%:*}"
done
deep='' n=0
while [ $n -lt 400 ]; do deep="${deep}da\\000\\001\\001\\001" n=$((n + 1)); done
enemy "$deep"
refused 'refuses directories without an end'
while [ $n -ge 0 ]; do deep="${deep}e" n=$((n - 1)); done
enemy "$deep"
refused '... and those that are deeper than any that is recorded'
like '... and tells what helps' "$err" 'lxc-snapshot -n'
damaged=$P/$C-named/created.tree
enemy 'pa\000\001\001\001e'
sed -i 's/pa/pb/' "$damaged"
refused 'refuses one in which a name became another'
head -c -1 "$record" >"$damaged"
refused 'refuses one that was cut'
{ head -c 200 "$record"; printf x; tail -c +202 "$record"; } >"$damaged"
refused '... or changed'
: >"$damaged"
refused '... or emptied'
rm "$damaged"
mkfifo "$damaged"
fails_with '... or that is no file' 1 'cannot read' lxc diff -n "$C-named"
rm "$damaged"
ln -s "$record" "$damaged"
fails_with '... or another one' 1 'cannot read' lxc diff -n "$C-named"

nothing_left 'nothing is left' "$C"
done_testing

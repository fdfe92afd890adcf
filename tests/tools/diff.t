#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-diff: what changed in a container's tree since a snapshot, or since it was cloned.

. "${0%/*}/lib.sh"

# Without what its init writes.
diff() { lxc diff "$@" 2>&1 | grep -v ' /run'; }

# change COMMAND...: what is done to a tree, by COMMAND sh -c, and what that looks like.
changes='
	echo new >/etc/new
	mkdir -p /srv/a/b; echo x >/srv/a/b/file
	echo more >>/etc/group
	rm /etc/passwd
	rm -r /opt/gone
	chmod 700 /opt/mode
	chown 5:6 /opt/owner
	rm -r /opt/opaque; mkdir /opt/opaque; echo y >/opt/opaque/other
	ln -snf elsewhere /opt/link
	rm /opt/kind; mkdir /opt/kind
	touch -d "2001-01-01" /opt/time
	mv /opt/moved /opt/away'
expected='C /etc
C /etc/group
A /etc/new
D /etc/passwd
C /opt
A /opt/away
D /opt/gone
D /opt/kind
A /opt/kind
C /opt/link
C /opt/mode
D /opt/moved
C /opt/opaque
D /opt/opaque/one
A /opt/opaque/other
D /opt/opaque/two
C /opt/owner
C /opt/time
C /srv
A /srv/a
A /srv/a/b
A /srv/a/b/file'
fill() {	# ROOTFS
	mkdir -p "$1/opt/gone/deep" "$1/opt/mode" "$1/opt/opaque" "$1/srv"
	touch "$1/opt/gone/deep/file" "$1/opt/owner" "$1/opt/opaque/one" "$1/opt/opaque/two" "$1/opt/kind" \
		"$1/opt/time" "$1/opt/moved" "$1/opt/same"
	ln -s nowhere "$1/opt/link"
}
here() { lxc start -n "$1" && inside "$1" sh -c "$changes" && { [ "${2:-}" = running ] || lxc stop -k -n "$1"; }; }

make_container "$C"
fill "$P/$C/rootfs"

# ---- what was not recorded
fails_with 'the first state is not recorded' 1 'its first state was not recorded' lxc diff -n "$C"
like '... and how to keep one is told' "$err" "lxc-snapshot -n $C "
fails_with 'a snapshot that is not there' 1 'no snapshot "snap7"' lxc diff -n "$C" -s snap7
fails_with 'a container that is not there' 1 'no such container' lxc diff -n "$C-none"

# ---- since a snapshot, in layers
run lxc snapshot -n "$C"
like 'a snapshot is taken' "$out$err" overlay
is 'nothing changed' "$(diff -n "$C" -s snap0)" ''
here "$C" running
is 'what changed in a running one' "$(diff -n "$C" -s snap0)" "$expected"
like '... sorted' "$(diff -n "$C" -s snap0 | sed 's/^. //' | LC_ALL=C sort -c 2>&1 || echo in the order of names)" '^$|names'
inside "$C" sh -c 'mount -t tmpfs none /mnt && touch /mnt/file'
is '... without what is mounted in it' "$(diff -n "$C" -s snap0)" "$expected"
lxc stop -k -n "$C"
is '... and in a stopped one' "$(diff -n "$C" -s snap0)" "$expected"
fails_with 'without a snapshot it is told which there is' 1 'first state' lxc diff -n "$C"
like '... by name' "$err" "lxc-diff -n $C --snapshot=snap0"
run lxc snapshot -n "$C"
is 'since the next snapshot nothing changed' "$(diff -n "$C" -s snap1)" ''
is '... since the first what did before' "$(diff -n "$C" -s snap0)" "$expected"
lxc diff -n "$C" -s snap0 --json >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... with kinds in words' "$(cat "$TMP/json")" '"kind": "deleted", "path": "/etc/passwd"'
like '... and what it was compared with' "$(cat "$TMP/json")" '"against": "snapshot snap0"'

# ---- contents
touch -d 2002-02-02 "$TMP/stamp"
lxc cp -n "$C" "$TMP/stamp" :/opt/bytes
lxc snapshot -n "$C" >/dev/null 2>&1
layer=$(sed -n 's/^lxc.rootfs.path.*:\(.*\)$/\1/p' "$P/$C/config")
mkdir -p "$layer/opt"
command cp -p "$P/$C/rootfs/opt/same" "$layer/opt/same"
touch "$layer/opt/same"
like 'another time is a change' "$(diff -n "$C" -s snap2)" '^C /opt/same$'
unlike '... but not with -c, if the bytes are as they were' "$(diff -n "$C" -s snap2 -c)" '/opt/same'
echo z >"$layer/opt/same"
like '... which they are not' "$(diff -n "$C" -s snap2 -c)" '^C /opt/same$'

# ---- a clone
make_container "$C-o"
fill "$P/$C-o/rootfs"
run lxc copy -n "$C-o" -N "$C-c" -s
is 'a clone that shares contents' "$status" 0
is '... has no changes' "$(diff -n "$C-c")" ''
here "$C-c"
is '... then has some' "$(diff -n "$C-c")" "$expected"
is '... which its origin has not' "$(lxc diff -n "$C-c" --json | grep -o '"against": "[^"]*"')" "\"against\": \"origin $C-o\""
lxc snapshot -n "$C-c" >/dev/null 2>&1
is '... and has them when it was sealed' "$(diff -n "$C-c")" "$expected"
run lxc copy -n "$C-c" -N "$C-cc" -s
is 'a clone of it has none' "$status $(diff -n "$C-cc")" '0 '
lxc cp "$TMP/stamp" "$C-cc:/opt/mine"
is '... but its own' "$(diff -n "$C-cc")" 'C /opt
A /opt/mine'

# ---- a full copy: owners that are mapped are no change
make_container "$C-u" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
fill "$P/$C-u/rootfs"
chown -R -h 100000:100000 "$P/$C-u/rootfs"
chmod 755 "$TMP" "$P" "$P/$C-u"
run lxc snapshot -n "$C-u" --full
is 'a full snapshot' "$status" 0
is '... is equal' "$(diff -n "$C-u" -s snap0)" ''
here "$C-u" running
is '... and differs after' "$(diff -n "$C-u" -s snap0)" "$expected"
lxc stop -k -n "$C-u"

# ---- hostile trees
mkdir -p "$TMP/victim"
inside_out=$P/$C-o/rootfs
run lxc copy -n "$C-o" -N "$C-h" -s
lxc start -n "$C-h"
inside "$C-h" sh -c "rm -r /opt/opaque && ln -s $TMP/victim /opt/opaque && mkfifo /opt/fifo && ln -s /proc/1/root /opt/root
	n=0; mkdir /deep && cd /deep && while [ \$n -lt 350 ]; do n=\$((n + 1)); mkdir d && cd d || exit; done"
fails_with 'a tree that is too deep is refused, not overrun' 1 'more than 300 deep' lxc diff -n "$C-h"
inside "$C-h" rm -rf /deep
is 'no link is followed, and nothing is waited for' "$(diff -n "$C-h" | grep /opt)" 'C /opt
A /opt/fifo
C /opt/opaque
A /opt/root'
lxc stop -k -n "$C-h"

nothing_left 'nothing is left' "$C"
done_testing

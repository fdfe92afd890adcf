#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-snapshot: a state of a container is kept, listed, put back, removed; nothing that was is lost.

. "${0%/*}/lib.sh"

make_container "$C"
golden=$P/$C/rootfs
echo one >"$golden/root/file"
seen() { lxc start -n "$1" >/dev/null 2>&1 && inside "$1" cat /root/file; lxc stop -k -n "$1"; }
names() { lxc snapshot -n "$C" -L | sed 's/ .*//' | tr '\n' ' ' | sed 's/ $//'; }

# ---- create and list

run lxc snapshot -n "$C" -L
is 'a container without snapshots says so' "$status $out" '0 No snapshots'
run lxc snapshot -n "$C"
is 'the first one is snap0' "$status $out" '0 '
like '... and it is told which way was taken' "$err" '^lxc-snapshot: made snap0 \([a-z ]+\)$'
echo 'before the lesson' >"$TMP/comment"
inside_write() { lxc start -n "$C" && inside "$C" sh -c "echo $1 >/root/file" && lxc stop -k -n "$C"; }
inside_write two
run lxc snapshot -n "$C" -c "$TMP/comment"
like 'the next one is snap1' "$status $err" '^0 .*snap1'
inside_write three
like 'the list has name, place and time' "$(lxc snapshot -n "$C" -L | head -n 1)" \
	"^snap0 \($P/$C/snaps\) [0-9]{4}:[0-9]{2}:[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\$"
is '... a line each' "$(names)" 'snap0 snap1'
like 'with -C comes the comment' "$(lxc snapshot -n "$C" -L -C)" '^before the lesson$'
unlike '... and without it does not' "$(lxc snapshot -n "$C" -L)" 'lesson'
run lxc snapshot -n "$C" -L --json
printf '%s\n' "$out" >"$TMP/json"
ok 'with --json it is an object' is_json "$TMP/json"
like '... with the comment' "$out" '"name": ?"snap1".*"comment": ?"before the lesson'
like 'ls --json names them' "$(lxc ls --json)" '"snapshots": ?\["snap0", ?"snap1"\]'
run lxc snapshot -n "$C" -L --tree
like 'as a tree, with the container at its root' "$out" "^$C\$"
like '... and a branch for each' "$out" '-- snap1  [0-9]{4}:'
is 'the container itself has what was written last' "$(seen "$C")" three

# ---- restore

ok 'a snapshot becomes a new container' lxc snapshot -n "$C" -r snap0 -N "$C-new"
is '... with what was then' "$(seen "$C-new")" one
ok '... its name may be the last word' lxc snapshot -n "$C" -r snap1 "$C-word"
is '... with what was then' "$(seen "$C-word")" two
is 'the container is as it was' "$(seen "$C")" three
ok 'restore in place' lxc snapshot -n "$C" -r snap0
is '... makes it what it was then' "$(seen "$C")" one
is '... with all snapshots there' "$(names)" 'snap0 snap1'
ok '... and back to the other one' lxc snapshot -n "$C" -r snap1
is '... which was not touched' "$(seen "$C")" two
fails_with 'a snapshot that does not exist is not restored' 1 'snap7' lxc snapshot -n "$C" -r snap7
is '... and the container is as it was' "$(seen "$C")" two
lxc start -n "$C"
fails_with 'a running one is not restored in place' 1 'running' lxc snapshot -n "$C" -r snap0
is '... and runs on' "$(state "$C")" RUNNING

# ---- of a running one

inside "$C" sh -c 'echo alive >/root/file; while :; do echo >>/tmp/ticks; sleep 0.02; done >/dev/null 2>&1 &'
run lxc snapshot -n "$C"
like 'a running one is kept, too, and the pause is told' "$status $err" \
	'^0 lxc-snapshot: made snap2 \(.*\), which stood still for [0-9]+\.[0-9]{3} ms$'
is '... and runs on' "$(state "$C")" RUNNING
before=$(inside "$C" wc -c /tmp/ticks)
# shellcheck disable=SC2317 # called by eventually
went_on() { [ "$(inside "$C" wc -c /tmp/ticks)" != "$before" ]; }
ok '... with its work' eventually 5 went_on
if command -v strace >/dev/null && strace -qq -o /dev/null -e inject=getpid:error=EIO true 2>/dev/null; then
	# The first call of the copier: it is frozen by then.
	timeout 20 strace -f -qq -o /dev/null -e inject=fchmod:signal=KILL:when=1 \
		lxc-snapshot -P "$P" -n "$C" --full >/dev/null 2>&1
	not_ok 'one who is killed while it stands still' test -e "$P/$C/snaps/snap3/config" -a \
		! -e "$P/$C/snaps/snap3/partial"
	ok '... does not leave it so' eventually 5 state_is "$C" RUNNING
	before=$(inside "$C" wc -c /tmp/ticks)
	ok '... it goes on' eventually 5 went_on
fi
lxc stop -k -n "$C"
ok '... its snapshot can be restored' lxc snapshot -n "$C" -r snap2
is '... with what was there' "$(seen "$C")" alive
run lxc snapshot -n "$C" --full
like 'with --full all is copied' "$status $err" '^0 .*snap3 \(copy'

# ---- destroy

fails_with 'what has snapshots is not destroyed' 1 'snapshot|clones' lxc destroy -n "$C"
fails_with 'a snapshot that does not exist is not removed' 1 'snap7' lxc snapshot -n "$C" -d snap7
fails_with 'an empty name removes nothing' 1 'empty' lxc snapshot -n "$C" -d ''
fails_with '... nor does the beginning of ALL' 1 'A' lxc snapshot -n "$C" -d A
is '... all are there' "$(names)" 'snap0 snap1 snap2 snap3'
ok 'one is removed' lxc snapshot -n "$C" -d snap3
is '... and no other' "$(names)" 'snap0 snap1 snap2'
run lxc snapshot -n "$C" -d snap0
if [ "$status" = 0 ]; then
	is 'what was made of a removed one still works' "$(seen "$C-new")" one
else
	like 'one that a container needs is not removed, by name' "$err" "$C-new"
	is '... and that container still works' "$(seen "$C-new")" one
fi
fails_with 'forms that exclude each other are refused' 1 'exclude' lxc snapshot -n "$C" -L -d ALL
fails_with '... and so is a comment where none is made' 1 'belongs to a new' \
	lxc snapshot -n "$C" -d ALL -c "$TMP/comment"
lxc destroy -n "$C-new"
lxc destroy -n "$C-word"
ok 'ALL removes all of them' lxc snapshot -n "$C" -d ALL
is '... indeed' "$(lxc snapshot -n "$C" -L)" 'No snapshots'
is '... but not what the container is' "$(seen "$C")" alive
fails_with 'a container that does not exist has none' 1 "$C-none" lxc snapshot -n "$C-none"

# ---- many

make_container "$C-m1"
make_container "$C-m2"
run lxc snapshot -n "$C-m*"
like 'those that match a pattern are kept at once' "$status $err" '^0 lxc-snapshot: 2 of 2 kept in'
run lxc snapshot -n "$C-m*" -r snap0
like '... and put back' "$status $err" '^0 lxc-snapshot: 2 of 2 restored in'
fails_with '... but not listed' 1 'is for one container' lxc snapshot -n "$C-m*" -L
run lxc destroy -s -n "$C*"
is 'with -s containers go with their snapshots' "$status $(lxc ls -1)" '0 '
is 'nothing is left' "$(ls -A "$P")" ''

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-events: what happens to containers, and what happened before.

. "${0%/*}/lib.sh"

plain() { sed 's/^[^ ]* //' "$1"; }
kinds() { plain "$1" | tr '\n' ',' | sed "s/$C/N/g"; }
begin=$(date +%s.%3N)

# ---- as it happens
timeout -k 2 60 lxc-events -P "$P" >"$TMP/all" 2>"$TMP/all.err" &
all=$!
timeout -k 2 60 lxc-events -P "$P" "$C" -t state,exit >"$TMP/some" 2>/dev/null &
some=$!
timeout -k 2 60 lxc-events -P "$P" "$C-*" --json >"$TMP/json" 2>/dev/null &
json=$!
timeout -k 2 60 lxc-events -P "$P" -1 -t create >"$TMP/first" 2>/dev/null &
first=$!
listening() { [ "$(find /run/lxc ${LXC_PREFIX:+"$LXC_PREFIX/../run/lxc"} -path "*$C*/.monitors/*" 2>/dev/null | wc -l)" -ge 4 ]; }
ok 'four listen' eventually 10 listening

make_container "$C"
lxc start -n "$C"
lxc stop -k -n "$C"
lxc snapshot -n "$C" >/dev/null 2>&1
lxc snapshot -n "$C" -r snap0
lxc copy -n "$C" -N "$C-two" -s
lxc rename -n "$C-two" -N "$C-three" >/dev/null 2>&1 || lxc rename -n "$C-two" "$C-three"
lxc destroy -n "$C-three"
lxc snapshot -n "$C" -d snap0
lxc create -n "$C-made" -t none -f "$NET"
lxc destroy -n "$C-made"
ok 'the last one is heard' eventually 5 grep -q "$C-made destroy" "$TMP/all"
wait $first
is '-1 ends after one' "$? $(kinds "$TMP/first")" "0 N-two create N,"
kill $all $some $json
wait $all $some $json 2>/dev/null
is 'all is shown, in order' "$(kinds "$TMP/all")" \
	'N state STARTING,N state RUNNING,N exit 137,N state STOPPING,N state STOPPED,N snapshot snap0,N restore snap0,N-two create N,N-two rename N-three,N-three destroy,N forget snap0,N-made create,N-made destroy,'
like '... with the time' "$(head -n 1 "$TMP/all")" '^20[0-9-]*T[0-9:]*[+-][0-9:]* '
is 'types are chosen' "$(kinds "$TMP/some")" \
	'N state STARTING,N state RUNNING,N exit 137,N state STOPPING,N state STOPPED,'
is 'names too' "$(sed 's/.*"name": "\([^"]*\)".*/\1/' "$TMP/json" | sort -u | tr '\n' ' ')" "$C-made $C-three $C-two "
head -n 1 "$TMP/json" >"$TMP/json1"
ok '--json has an object a line' is_json "$TMP/json1"
like '... with all that is known' "$(cat "$TMP/json1")" "\"ms\": [0-9]{13}, \"lxcpath\": \"$P\", \"name\": \"$C-two\", \"type\": \"create\", \"from\": \"$C\""
like '... each in words of its own' "$(cat "$TMP/json")" "\"type\": \"rename\", \"to\": \"$C-three\""

# ---- what happened before
run lxc events --since="@$begin" --count=0
is 'what happened is known later' "$status" 0
is '... all of it' "$out" "$(cat "$TMP/all")"
run lxc events --since="@$begin" --count=2 -t snapshot,restore
is '... chosen, and counted' "$(printf '%s\n' "$out" | sed 's/^[^ ]* //')" "$C snapshot snap0
$C restore snap0"
run lxc events --since="@$(($(date +%s) + 100))" --count=0
is '... nothing of the future' "$status $out" '0 '
timeout -k 2 60 lxc-events -P "$P" --since="@$begin" >"$TMP/both" 2>/dev/null &
both=$!
ok 'then it goes on' eventually 5 grep -q "$C-made destroy" "$TMP/both"
sleep 1.1 # times are seconds: the same again within one would look like the same
lxc start -n "$C"
ok '... with what happens' eventually 5 sh -c "[ \$(grep -c RUNNING '$TMP/both') = 2 ]"
is '... each once' "$(sort "$TMP/both" | uniq -d)" ''
kill $both
wait $both 2>/dev/null
sleep 1.1
now=$(date +%s.%3N)
lxc freeze -n "$C"
lxc unfreeze -n "$C"
lxc stop -k -n "$C"
is 'a freeze is known too' "$(lxc events --since="@$now" -c 0 -t state | sed 's/.* //' | tr '\n' ' ')" \
	'FREEZING FROZEN THAWED RUNNING STOPPING STOPPED '

# Two paths, in the order of time.
Q=$TMP/other
mkdir "$Q"
now=$(date +%s.%3N)
lxc-create -P "$Q" -n "$C-q" -t none -f "$NET"
lxc create -n "$C-p" -t none -f "$NET"
lxc-destroy -P "$Q" -n "$C-q"
is 'of several paths' "$(limit lxc-events -P "$P" -P "$Q" --since="@$now" -c 0 | sed 's/^[^ ]* //' | tr '\n' ',')" \
	"$C-q create,$C-p create,$C-q destroy,"

# One that goes when it stops.
now=$(date +%s.%3N)
lxc copy -n "$C" -N "$C-e" -e >/dev/null 2>&1
lxc stop -k -n "$C-e"
ok 'a passing one is destroyed' eventually 5 test ! -e "$P/$C-e"
is '... and that is told' "$(eventually 5 sh -c "lxc-events -P '$P' --since=@$now -c 0 -t destroy | grep -q ." && lxc events --since="@$now" -c 0 -t create,destroy | sed 's/^[^ ]* //' | tr '\n' ',')" \
	"$C-e create $C,$C-e destroy,"

# What is kept is bounded.
place=$(find /run/lxc ${LXC_PREFIX:+"$LXC_PREFIX/../run/lxc"} -path "*$C*path/.events" 2>/dev/null | head -n 1)
ok 'it is kept beside the run directories' test -s "$place"
is '... for its owner alone' "$(stat -c %a "$place")" 600
yes "1700000000000000 0 0 $C-old -" | head -c 140000 >>"$place"
echo >>"$place"
now=$(date +%s.%3N)
lxc destroy -n "$C-p"
is 'what is too much is put away' "$(stat -c %s "$place" 2>/dev/null || echo 0) $(test -s "$place.1" && echo kept)" '0 kept'
is '... and still read' "$(lxc events --since="@$now" -c 0 | sed 's/^[^ ]* //')" "$C-p destroy"

# ---- refusals
fails_with 'a type that is none' 1 'no type of events "stat"' lxc events -t state,stat
like '... with those that are' "$err" 'state, exit, restart'
fails_with 'a time that is none' 1 'cannot use "soon" as a time' lxc events --since=soon
fails_with 'a count that is none' 1 'from 0 on' lxc events -c -3
fails_with 'none of nothing' 1 '\-\-since' lxc events -c 0
fails_with 'two counts' 1 'exclude each other' lxc events -1 -c 2

nothing_left 'nothing is left' "$C"
done_testing

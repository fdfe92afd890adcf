#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-logs: what a container printed on its console, from its log and from its buffer.

. "${0%/*}/lib.sh"
need_ptyrun

log=$TMP/log/console
mkdir "$TMP/log"
# print LINE...: and wait until the last one is seen, for the supervisor reads when it likes.
print() {
	inside "$C" sh -c 'for line; do echo "$line" >/dev/console; done' - "$@"
	for last; do :; done
	is_printed "$last"
}
is_printed() { eventually 5 sh -c 'lxc-logs -P "$1" -n "$2" | tr -d "\r" | grep -qx -e "$3"' - "$P" "$C" "$1"; }
count_to() {	# FROM TO
	inside "$C" sh -c 'n=$1; while [ $n -lt $2 ]; do n=$((n + 1)); echo "this is line number $n" >/dev/console; done' - "$1" "$2"
	is_printed "this is line number $2"
}
logs() { lxc logs -n "$C" "$@" 2>&1 | tr -d '\r'; }
shown() { logs "$@" | tr '\n' ' '; }
# Times are kept to the second: what is said after this has another one.
next_second() { sleep 1.1; }

# ---- nothing is kept
make_container "$C"
fails_with 'what is not kept cannot be shown' 1 'is not kept' lxc logs -n "$C"
like '... and both ways to keep it are told' "$err" 'lxc.console.logfile = FILE'
like '... each' "$err" 'lxc.console.buffer.size = auto'
fails_with 'a container that is not there' 1 'no such container' lxc logs -n "$C-none"

# ---- a log
echo "lxc.console.logfile = $log" >>"$P/$C/config"
fails_with 'before the first start there is none' 1 'nothing was logged yet' lxc logs -n "$C"
lxc start -n "$C"
print one two three
is 'a log is shown' "$(shown)" 'one two three '
is '... its last lines' "$(shown --tail=2)" 'two three '
is '... none of them' "$(shown --tail=0)" ''
is '... more than there are' "$(shown --tail=10)" 'one two three '
lxc stop -k -n "$C"
is 'also of a stopped one' "$(shown)" 'one two three '
lxc logs -n "$C" --json >"$TMP/json"
is '--json has an object a line' "$(wc -l <"$TMP/json")" 3
head -n 1 "$TMP/json" >"$TMP/json1"
ok '... which is JSON' is_json "$TMP/json1"
like '... with a time' "$(cat "$TMP/json1")" '^\{"time": "20[0-9-]*T[0-9:]*[+-][0-9:]*", "text": "one"\}$'
like '-t writes it in front' "$(logs -t --tail=1)" '^20[0-9-]*T[0-9:]*[+-][0-9:]* three$'

# ---- since
next_second
lxc start -n "$C"
then=$(date +%s.%3N)
print four
is 'since a moment' "$(shown --since="@$then")" 'four '
is '... long ago' "$(shown --since=1h)" 'one two three four '
is '... and of that the last line' "$(shown --since=1h --tail=1)" 'four '
is '... and to come' "$(shown --since="@$((${then%.*} + 1000))")" ''
is '... as a date' "$(shown --since="$(date -d "@$((${then%.*} + 1))" '+%Y-%m-%d %H:%M:%S')")" 'four '
is '... as a date of elsewhere' "$(shown --since="$(date -u -d "@$((${then%.*} + 1))" '+%Y-%m-%dT%H:%M:%SZ')")" 'four '
fails_with 'a time that is none' 1 'cannot use "yesterday" as a time' lxc logs -n "$C" --since=yesterday
fails_with 'nor minus lines' 1 'last -2 lines' lxc logs -n "$C" --tail=-2
is 'times stand beside the log, for whoever may read that' "$(stat -c %a "$log.times")" "$(stat -c %a "$log")"

# What has no times is not guessed.
lxc stop -k -n "$C"
mv "$log" "$TMP/kept"
mv "$log.times" "$TMP/kept.times"
printf 'old\n' >"$log"
fails_with 'a log without times' 1 'not all of .* has times' lxc logs -n "$C" --since=1h
like '... which from now on has some' "$err" 'from the next start on'
is '... is shown all the same' "$(logs -t)" '- old'
lxc start -n "$C"
print new
fails_with '... in part: the old lines may be meant, or not' 1 'has times' lxc logs -n "$C" --since=1h
is '... but not since there are' "$(shown --since="@$(date +%s.%3N)")" 'new '
lxc stop -k -n "$C"
rm -f "$log" "$log.times"

# ---- follow: across lines, starts, and the log's renaming
lxc start -n "$C"
print before
timeout -k 2 60 lxc-logs -P "$P" -n "$C" -f >"$TMP/followed" 2>"$TMP/followed.err" &
follower=$!
follows() { eventually 5 grep -q "^$1.\$" "$TMP/followed"; }
ok 'following begins with what is there' follows before
print after
ok '... and goes on' follows after
lxc stop -k -n "$C"
lxc start -n "$C"
print again
ok '... after the next start' follows again
mv "$log" "$log.1"
mv "$log.times" "$log.1.times"
printf 'renamed\r\n' >"$log"
ok '... in the file that takes its name' follows renamed
: >"$log"
printf 'empty\r\n' >>"$log"
ok '... and when that is emptied' follows empty
is '... each line once' "$(sort "$TMP/followed" | uniq -d)" ''
kill $follower
wait $follower 2>/dev/null
lxc stop -k -n "$C"
rm -f "$log" "$log.1" "$log.times" "$log.1.times"

# ---- its limit
lxc start -n "$C" -s lxc.console.size=4096 -s lxc.console.rotate=1
print begin
timeout -k 2 60 lxc-logs -P "$P" -n "$C" -f >"$TMP/followed" 2>/dev/null &
follower=$!
follows begin
count_to 100 360
ok 'at its limit the log is renamed' test -s "$log.1"
ok '... with its times' test -s "$log.1.times"
ok 'following misses nothing' eventually 5 sh -c "[ \$(grep -c 'line number' '$TMP/followed') = 260 ]"
is '... nor changes the order' "$(tr -d '\r' <"$TMP/followed" | grep number | sort -c 2>&1)" ''
kill $follower
wait $follower 2>/dev/null
files() { cat "$log.1" "$log" | tr -d '\r'; }
is 'both files are shown, in order' "$(logs)" "$(files)"
for n in 1 50 100 150 1000; do
	is "... the last $n lines" "$(logs --tail=$n)" "$(files | tail -n $n)"
done
is '... and what is old enough' "$(logs --since=1h 2>/dev/null | tail -n 1)" 'this is line number 360'
lxc stop -k -n "$C"
lxc start -n "$C" -s lxc.console.size=4096 -s lxc.console.rotate=0
print begin
timeout -k 2 60 lxc-logs -P "$P" -n "$C" -f >"$TMP/followed" 2>/dev/null &
follower=$!
follows begin
count_to 1000 1200
ok 'following goes on when it is emptied at its limit' eventually 5 grep -q 'number 1200' "$TMP/followed"
kill $follower
wait $follower 2>/dev/null
is 'a log that was emptied at its limit has the times of what is in it' \
	"$(logs --since=1h | tail -n 1) $(sort -c -n -k 2 "$log.times" 2>&1)" 'this is line number 1200 '
lxc stop -k -n "$C"

# ---- a buffer
sed -i '/logfile/d' "$P/$C/config"
echo 'lxc.console.buffer.size = 4096' >>"$P/$C/config"
fails_with 'of a stopped one the buffer is gone' 1 'kept in memory' lxc logs -n "$C"
lxc start -n "$C"
print one two three
is 'a buffer is shown' "$(shown)" 'one two three '
is '... its last lines' "$(shown --tail=1)" 'three '
fails_with '... which has no times' 1 'no times' lxc logs -n "$C" --since=1m
timeout -k 2 60 lxc-logs -P "$P" -n "$C" -f --tail=1 >"$TMP/followed" 2>/dev/null &
follower=$!
ok '... and followed' follows three
print four
ok '... as it grows' follows four
lxc stop -k -n "$C"
lxc start -n "$C"
print five
ok '... after the next start' follows five
count_to 100 200
print six
ok '... when it runs over' follows six
is '... each line once' "$(sort "$TMP/followed" | uniq -d)" ''
kill $follower
wait $follower 2>/dev/null

# ---- at a terminal
inside "$C" sh -c 'printf "\033[31mred\033[0m\n" >/dev/console'
eventually 5 sh -c 'lxc-logs -P "$1" -n "$2" | grep -q red' - "$P" "$C"
like 'a terminal is not moved by what the container printed' \
	"$(ptyrun end -- lxc-logs -P "$P" -n "$C" --tail=1 | tr -d '\r')" '^\\x1b\[31mred\\x1b\[0m$'
like '... unless that is asked for' \
	"$(ptyrun end -- lxc-logs -P "$P" -n "$C" --tail=1 --raw | tr -d '\r' | cat -v)" '^\^\[\[31mred'
inside "$C" sh -c 'printf "login: " >/dev/console'
run ptyrun 'expect login: $
send \x03
end' -- lxc-logs -P "$P" -n "$C" -f
is 'a prompt is seen before its line ends, and Ctrl+C ends it' "$status" 130

lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"
done_testing

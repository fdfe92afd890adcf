#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# ls, info and stop work whatever is broken: a configuration that does not parse, a supervisor that
# hangs, leftovers of one that was killed.  Nothing waits without a limit.

. "${0%/*}/lib.sh"
LIMIT=$((12 * SLOW))

# quickly SENTENCE COMMAND...: succeeds in less than three seconds.
quickly() {
	local what="$1" began
	shift
	began=$(now_ms)
	run "$@"
	[ "$status" = 0 ] && [ $(($(now_ms) - began)) -lt $((3000 * SLOW)) ]
	report $? "$what" || diag "$(($(now_ms) - began)) ms" "$(said)"
}

# ---- a configuration that does not parse

started "$C"
pid=$(init_pid "$C")
make_container "$C-stopped"
echo 'lxc.no.such.key = 1' | tee -a "$P/$C-stopped/config" >>"$P/$C/config"
is 'with an unknown key in its file, info still tells the state' "$(state "$C")" RUNNING
is 'and the pid' "$(init_pid "$C")" "$pid"
is 'info tells that the other one is stopped' "$(state "$C-stopped")" STOPPED
like 'ls shows both' "$(lxc ls -1 | tr '\n' ' ')" "^$C $C-stopped $"
like 'ls -f shows their states' "$(lxc ls -f | tr -s ' ' | tr '\n' ';')" \
	"$C RUNNING.*$C-stopped STOPPED"
ok 'attach works' inside "$C" true
ok 'freeze works' lxc freeze -n "$C"
ok 'unfreeze works' lxc unfreeze -n "$C"
quickly 'stop -k works' lxc stop -k -n "$C"
is 'it is stopped' "$(state "$C")" STOPPED
nothing_left 'with nothing left' "$C"
fails_with 'start refuses it, by key and place' 1 'config:[0-9]+.*lxc.no.such.key|lxc.no.such.key.*config:[0-9]+' \
	lxc start -n "$C"
ok 'destroy removes it' lxc destroy -n "$C"
not_ok 'wholly' test -e "$P/$C"

# ---- random bytes

seed=1
while [ $seed -le 6 ]; do
	# First a root filesystem of its own without an init: should a program take the rest for an empty
	# configuration, it must not boot this host's.
	make_container "$C-r$seed"
	rm -f "$P/$C-r$seed/rootfs/sbin/init"
	echo "lxc.rootfs.path = dir:$P/$C-r$seed/rootfs" >"$P/$C-r$seed/config"
	awk -v seed=$seed 'BEGIN { srand(seed)
		for (i = 0; i < 3000; i++) printf "%c", (seed % 2) ? rand() * 256 : 9 + rand() * 118 }' \
		>>"$P/$C-r$seed/config"
	[ $seed != 5 ] || head -c 200000 /dev/zero >>"$P/$C-r5/config"
	[ $seed != 6 ] || { printf 'lxc.rootfs.path = '; head -c 100000 /dev/zero | tr '\0' x; } >>"$P/$C-r6/config"
	sum=$(cksum <"$P/$C-r$seed/config")
	run lxc start -n "$C-r$seed"
	is "start refuses a configuration of random bytes (seed $seed)" \
		"$([ "$status" -gt 0 ] && [ "$status" -lt 124 ] && [ -n "$err" ] && echo refused)" refused
	is '... info calls it stopped' "$(state "$C-r$seed")" STOPPED
	is '... its file was not touched' "$(cksum <"$P/$C-r$seed/config")" "$sum"
	is '... no control character of it reaches the terminal' \
		"$(tr -d '\t\n\040-\176\200-\377' <"$TMP/.err" | wc -c)" 0
	nothing_left '... nothing is left' "$C-r$seed"
	seed=$((seed + 1))
done
is 'ls shows them all' "$(lxc ls -1 | grep -c -e "$C-r")" 6
ok 'ls -f too' lxc ls -f
ok 'destroy removes one' lxc destroy -n "$C-r1"

# ---- other broken places

mkdir "$P/$C-empty"
ln -s /nowhere "$P/$C-link"
mkfifo "$P/$C-fifo"
mkdir "$P/$C-fifoconf" && mkfifo "$P/$C-fifoconf/config"
quickly 'a directory without configuration, a dead link and a pipe do not hold up ls' lxc ls -f
unlike 'and are no containers' "$out" "$C-(empty|link|fifo) "
quickly 'a configuration that is a pipe does not hold up info' lxc info -n "$C-fifoconf" -s
rm -rf "$P/$C-fifoconf" "$P/$C-fifo" "$P/$C-link" "$P/$C-empty"

# ---- a supervisor that hangs

started "$C"
started "$C-two"
pid=$(init_pid "$C")
supervisor=$(supervisor_pid "$C")
kill -STOP "$supervisor"
quickly 'with a stopped supervisor info answers' lxc info -n "$C" -sH
is '... rightly' "$out" RUNNING
quickly '... with everything' lxc info -n "$C"
like '... also the pid' "$out" "PID: +$pid"
quickly 'ls -f answers' lxc ls -f
like '... for all' "$(printf %s "$out" | tr -s ' ' | tr '\n' ';')" "$C RUNNING.*$C-two RUNNING"
quickly 'attach works' lxc attach -n "$C" -- true
quickly 'freeze works' lxc freeze -n "$C"
quickly 'unfreeze works' lxc unfreeze -n "$C"
quickly 'cgroup works' lxc cgroup -n "$C" pids.current
quickly 'a wait for a state that it has works' lxc wait -n "$C" -s RUNNING -t 1
run lxc console -n "$C" -t 1
is 'console gives up, with a word' "$([ "$status" != 124 ] && [ "$status" != 0 ] && [ -n "$err" ] && echo yes)" yes
began=$(now_ms)
run lxc stop -k -n "$C"
is 'stop -k stops it' "$status" 0
ok '... in less than 8 seconds' test $(($(now_ms) - began)) -lt $((8000 * SLOW))
ok '... its init is gone' is_dead "$pid"
is '... and info says so' "$(state "$C")" STOPPED
nothing_left '... with nothing left' "$C"
ok '... and it starts again' lxc start -n "$C"

# ---- a supervisor that was killed

pid=$(init_pid "$C")
kill -KILL "$(supervisor_pid "$C")"
sleep 0.1
run lxc info -n "$C" -s
is 'after the death of its supervisor info answers' "$status" 0
ok 'start brings it up again, or says that its init still lives' \
	sh -c 'timeout 10 lxc-start -P "$1" -n "$2" || timeout 10 lxc-stop -k -P "$1" -n "$2"' - "$P" "$C"
run lxc stop -k -n "$C"
is 'then it can be stopped' "$(state "$C")" STOPPED
ok '... its first init is gone' is_dead "$pid"
nothing_left '... with nothing left' "$C"
is '... and the other one runs' "$(state "$C-two")" RUNNING

# ---- an operation that was killed

: >"$P/$C/partial"
ok 'a stale "partial" file does not hold up a start' lxc start -n "$C"
lxc stop -k -n "$C"
rm -f "$P/$C/partial"

done_testing

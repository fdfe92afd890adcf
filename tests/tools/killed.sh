# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Creates that are killed: wherever it happens neither processes, nor mounts, nor a container are left,
# and the next create finds the cache in order. On top of lib.sh, with LXC_CACHE_PATH below $TMP.
# shellcheck disable=SC2154 # lib.sh's variables

# What runs, or is mounted, for this test's creates.
at_work() {
	processes_of "$P"
	processes_of "$LXC_CACHE_PATH"
	grep -F -e "$LXC_CACHE_PATH" -e "$P" /proc/self/mountinfo
}
at_rest() { [ -z "$(at_work)" ]; }
# Whoever looks puts right what a killed one left.
all_gone() { lxc ls >/dev/null && [ -z "$(find "$P" -mindepth 1)" ]; }

# killed_anywhere WHAT TEMPLATE OPTION...: kills creates at 20 moments of the time that one takes; every
# other one fetches anew.
killed_anywhere() {
	local what="$1" template="$2" moments='' left='' killed=0 i=0 ms='' flush='' pid='' takes=''
	shift 2
	takes=$(now_ms)
	run lxc create -n "$C-k0" -f "$NET" -t "$template" -- "$@" --flush-cache
	is "$what is made when nobody kills it" "$status" 0
	takes=$(($(now_ms) - takes + 10))
	lxc destroy -n "$C-k0"
	while [ $i -lt 20 ]; do
		i=$((i + 1))
		ms=$(($(od -An -N4 -tu4 /dev/urandom) % takes))
		moments="$moments $ms"
		flush=
		[ $((i % 2)) = 0 ] || flush=--flush-cache
		# shellcheck disable=SC2086 # no word when it is empty
		lxc-create -P "$P" -n "$C-k$i" -f "$NET" -t "$template" -- "$@" $flush >"$TMP/killed" 2>&1 &
		pid=$!
		sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
		if kill -KILL $pid 2>/dev/null && ! wait $pid 2>/dev/null; then
			killed=$((killed + 1))
			eventually 5 at_rest || left="$left
$i at $ms ms: $(at_work)"
			# It may have been complete a moment before.
			! lxc info -n "$C-k$i" >/dev/null 2>&1 || lxc destroy -n "$C-k$i"
			eventually 5 all_gone || left="$left
$i at $ms ms: $(find "$P" -mindepth 1 -maxdepth 2)"
		else	# it was quicker
			wait $pid 2>/dev/null
			lxc destroy -n "$C-k$i"
		fi
	done
	is "$what: killed at 20 moments, a create leaves neither processes, nor mounts, nor a container" "$left" ''
	ok '... (some were killed before they had finished)' test $killed -ge 5
	diag "killed $killed of 20, after (ms):$moments"
	run lxc create -n "$C-k0" -f "$NET" -t "$template" -- "$@"
	is '... and the next one is made' "$status" 0
	is '... after which the cache has nothing half done' "$(find "$LXC_CACHE_PATH" -maxdepth 2 -name 'partial-*')" ''
	lxc destroy -n "$C-k0"
}

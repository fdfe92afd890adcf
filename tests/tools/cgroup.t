#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Resources: limits and device rules, on whatever cgroup layout this host has.

. "${0%/*}/lib.sh"

# Is a controller on a v1 hierarchy of its own, on v2, or nowhere?
layout() {	# CONTROLLER
	if grep -Eq "^[0-9]+:([a-z,]*,)?$1(,|:)" /proc/self/cgroup; then
		echo v1
	elif grep -qw "$1" "$(v2_mount)/cgroup.controllers" 2>/dev/null; then
		echo v2
	else
		echo none
	fi
}
v2_mount() { awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts; }
pids=$(layout pids) memory=$(layout memory)

# ---- limits

# limits SENTENCE KEY=VALUE... : starts with them
case $pids in
v1) set -- 'lxc.cgroup.pids.max = 30' ;;
v2) set -- 'lxc.cgroup2.pids.max = 30' ;;
none) set -- ;;
esac
started "$C" "$@"
is 'a container with a limit on processes starts' "$status" 0
if [ "$pids" = none ]; then
	skip 'a limit on processes is in force' 'this host has no pids controller'
else
	is 'cgroup reads the limit' "$(lxc cgroup -n "$C" pids.max)" 30
	run inside "$C" sh -c 'i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done'
	like 'the limit is in force' "$err" "can't fork|Resource temporarily"
	eventually 6 sh -c '[ "$(timeout 9 lxc-cgroup -P "$1" -n "$2" pids.current)" -lt 10 ]' - "$P" "$C"
	ok 'cgroup sets another one, silently' lxc cgroup -n "$C" pids.max 40
	is '... which it then reads' "$(lxc cgroup -n "$C" pids.max)" 40
fi
fails_with 'cgroup refuses a value that the kernel refuses, by name and value' 1 'pids.max.*many|many.*pids.max' \
	lxc cgroup -n "$C" pids.max many
fails_with 'cgroup refuses a file that is not there, by name' 1 'pids.nothing' lxc cgroup -n "$C" pids.nothing
fails_with 'cgroup refuses a path' 1 '\.\./' lxc cgroup -n "$C" ../pids.max
run lxc cgroup -n "$C"
is 'cgroup without a file is wrong usage' "$status" 1
lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"

# A limit of the other layout is put into force or refused; never taken and ignored.
case $memory in
v1) key=lxc.cgroup2.memory.max file=memory.limit_in_bytes ;;
*) key=lxc.cgroup.memory.limit_in_bytes file=memory.max ;;
esac
make_container "$C-other" "$key = 67108864"
run lxc start -n "$C-other"
if [ "$status" = 0 ]; then
	is "$key is in force here too" "$(lxc cgroup -n "$C-other" $file)" 67108864
else
	like "$key is refused here by name" "$err" "$key"
fi
lxc stop -k -n "$C-other" 2>/dev/null

# ---- where it is

started "$C" 'lxc.cgroup.dir = '"$C"dir
pid=$(init_pid "$C")
like 'lxc.cgroup.dir puts it below' "$(cat "/proc/$pid/cgroup")" "/${C}dir/"
lxc stop -k -n "$C"
is '... and nothing of it stays' "$(cgroups_of "${C}dir" | wc -l)" 0
started "$C"
pid=$(init_pid "$C")
is 'every hierarchy has a cgroup of its own for it' \
	"$(cut -d: -f2- "/proc/$pid/cgroup" | grep -vc -e "$C")" 0
is 'inside, that is the root of what it sees' \
	"$(inside "$C" cut -d: -f3 /proc/1/cgroup | sort -u)" /
supervisor=$(supervisor_pid "$C")
is 'the supervisor is not in it' \
	"$(grep -c "lxc.payload.$C" "/proc/$supervisor/cgroup")" 0
lxc stop -k -n "$C"

# ---- device rules

if [ "$(layout devices)" = v1 ]; then rules=lxc.cgroup.devices; else rules=lxc.cgroup2.devices; fi
started "$C" "$rules.deny = a" "$rules.allow = c 1:3 rwm" "$rules.allow = c 1:7 r" "$rules.allow = c *:* m" \
	"$rules.allow = c 5:* rwm" "$rules.allow = c 136:* rwm"
is 'a container with device rules starts' "$status" 0
inside "$C" sh -c 'mkdir /tmp/d; for d in null:3 zero:5 full:7; do mknod /tmp/d/${d%:*} c 1 ${d#*:}; done'
ok 'what is allowed can be used' inside "$C" sh -c 'echo x >/tmp/d/null'
not_ok 'what is not allowed cannot' inside "$C" sh -c 'head -c 1 /tmp/d/zero >/dev/null'
ok 'what may be read can be read' inside "$C" sh -c 'head -c 1 /tmp/d/full | wc -c'
not_ok '... but not written' inside "$C" sh -c ': >/tmp/d/full'
not_ok 'a block device cannot be made' inside "$C" mknod /tmp/d/block b 8 0
ok 'a rule can be added while it runs' lxc cgroup -n "$C" devices.allow 'c 1:5 r'
ok '... and is in force' inside "$C" sh -c 'head -c 1 /tmp/d/zero >/dev/null'
ok '... and taken away' lxc cgroup -n "$C" devices.deny 'c 1:5 r'
not_ok '... which is in force too' inside "$C" sh -c 'head -c 1 /tmp/d/zero >/dev/null'
lxc stop -k -n "$C"
started "$C" "$rules.deny = c 1:5 rwm"
inside "$C" sh -c 'mkdir -p /tmp/e; mknod /tmp/e/zero c 1 5; mknod /tmp/e/full c 1 7'
not_ok 'a single deny denies' inside "$C" sh -c 'head -c 1 /tmp/e/zero >/dev/null'
ok '... only what it names' inside "$C" sh -c 'head -c 1 /tmp/e/full >/dev/null'
lxc stop -k -n "$C"
make_container "$C" "$rules.allow = c nothing rwm"
run lxc start -n "$C"
is 'a rule that is none is refused' "$([ "$status" = 1 ] && echo "$err" | grep -c "$rules")" 1

# ---- statistics

started "$C"
run lxc info -n "$C" -S
is 'info -S tells statistics' "$status" 0
[ "$memory" = none ] || like '... of memory' "$out" '^Memory use: +[0-9.]+ (bytes|KiB|MiB)'
like '... of processor time' "$out" '^CPU use: +[0-9.]+ seconds'
run lxc info -n "$C" -S -H
[ "$memory" = none ] || like '... as plain numbers with -H' "$out" '^Memory use: +[0-9]+$'

done_testing

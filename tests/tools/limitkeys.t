#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc.limit.*: the same words on cgroup v1, on both and on v2, in force or refused, never taken and ignored.

. "${0%/*}/lib.sh"

# has CONTROLLER: there is one, on whichever version.
has() {
	grep -Eq "^[0-9]+:([a-z,]*,)?$1(,|:)" /proc/self/cgroup ||
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null
}
for controller in memory cpu cpuset pids; do
	has $controller || skip_all "this host has no cgroup controller $controller"
done
on_v1() { grep -Eq "^[0-9]+:([a-z,]*,)?$1(,|:)" /proc/self/cgroup; }
limit_of() { lxc cgroup -n "${2:-$C}" "$1"; }
word_of() { limit_of "$1" "${3:-$C}" | sed -n "s/^$2 //p"; }	# FILE WORD [NAME]
cpu_ns() { lxc info -n "$1" -SH | sed -n 's/^CPU use: *//p'; }

# ---- all of them are in force

disk=$(lsblk -dno PATH,TYPE 2>/dev/null | awk '$2 == "disk" { print $1; exit }')
numbers=$(lsblk -dno MAJ:MIN "${disk:-/none}" 2>/dev/null | tr -d ' ')
set -- 'lxc.limit.memory = 64M' 'lxc.limit.memory.soft = 32M' 'lxc.limit.cpu = 1.5' \
	'lxc.limit.cpu.weight = 300' 'lxc.limit.cpus = 0' 'lxc.limit.pids = 20'
[ -z "$disk" ] || set -- "$@" "lxc.limit.io.read = $disk:10M" "lxc.limit.io.write = $numbers:1048576"
started "$C" "$@"
is 'a container with limits of every kind starts' "$status" 0
is 'lxc.limit.memory is in force' "$(limit_of memory.max)" 67108864
on_v1 memory && soft=memory.soft_limit_in_bytes || soft=memory.low
is 'lxc.limit.memory.soft is' "$(limit_of $soft)" 33554432
is 'lxc.limit.cpu is' "$(limit_of cpu.max)" '150000 100000'
is 'lxc.limit.cpu.weight is' "$(limit_of cpu.weight)" 300
is 'lxc.limit.cpus is' "$(inside "$C" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/self/status)" 0
is 'lxc.limit.pids is' "$(limit_of pids.max)" 20
if [ -n "$disk" ]; then
	like 'lxc.limit.io.read is, for a device by its path' "$(limit_of io.max)" "$numbers .*rbps=10485760"
	like 'lxc.limit.io.write is, for one by its numbers' "$(limit_of io.max)" "$numbers .*wbps=1048576"
else
	skip 'lxc.limit.io is' 'this host has no disk'
fi
is 'info shows what was asked for' "$(lxc info -n "$C" -c lxc.limit.memory -H)" 64M

# ---- info tells of them

told() { lxc info -n "$C" "$@" | grep -E '(limit|weight|s):' | grep -v '^Last' | sed 's/  */ /g' | tr '\n' ';'; }
rates="${disk:+Read limit: $numbers 10.00 MiB/s;Write limit: $numbers 1024.00 KiB/s;}"
limits="CPU limit: 1.5;CPU weight: 300;CPUs: 0;${rates}Memory limit: 64.00 MiB;Soft limit: 32.00 MiB;PIDs limit: 20;"
is 'info tells of each limit' "$(told)" "$limits"
is '... with what is used' "$(told -S)" "${limits}OOM kills: 0;"
like '... of processes too, where they are limited' "$(lxc info -n "$C" -S)" '^PIDs use: +[1-9][0-9]*$'
like '... in plain numbers' "$(lxc info -n "$C" -SH)" '^Memory limit: +67108864$'
run lxc info -n "$C" --json
like '... as JSON' "$out" '"memory": \{"configured": "64M", "bytes": 67108864\}'
like '... the processor by its thousandths' "$out" '"cpu": \{"configured": "1.5", "permille": 1500\}'
like '... the list of processors' "$out" '"cpus": \{"configured": "0", "list": "0"\}'
[ -z "$disk" ] || like '... devices in lists' "$out" \
	"\"io.read\": \[\{\"device\": \"$numbers\", \"configured\": \"$disk:10M\", \"bytes_per_second\": 10485760\}\]"
lxc cgroup -n "$C" pids.max 25
lxc cgroup -n "$C" cpu.max max
is 'where the kernel keeps another one, it says both' "$(told | grep -Eo '(CPU|PIDs) limit: [^;]*' | tr '\n' ';')" \
	'CPU limit: none (configured: 1.5);PIDs limit: 25 (configured: 20);'
like '... as JSON too' "$(lxc info -n "$C" --json)" '"pids": \{"configured": "20", "count": 25\}'
lxc cgroup -n "$C" pids.max 20
lxc update -n "$C" --memory 50000001
is '... though not for the rest of a page' "$(told | grep -o 'Memory limit: [^;]*')" 'Memory limit: 47.68 MiB'
lxc update -n "$C" --memory 64M

timeout 60 lxc-monitor -P "$P" -n "$C" >"$TMP/events" 2>&1 &
monitor=$!
heard() { grep -q "'$C' ran out of memory, \\[$1\\] killed" "$TMP/events"; }
listens() { ls "$(run_entries_of "$C" | sed -n "s,/$C\$,,p" | head -n 1)/.monitors/" | grep -q .; }
eventually 5 listens
like 'info -S tells that none was killed for want of memory' "$(lxc info -n "$C" -S)" '^OOM kills: +0$'
run inside "$C" dd if=/dev/zero of=/dev/null bs=100M count=1
is 'a process that wants more memory is killed' "$status" 137
ok '... and no other' inside "$C" true
ok '... which monitor tells' eventually 5 heard 1
like '... and info' "$(lxc info -n "$C")" '^OOM kills: +1$'
like '... as JSON too' "$(lxc info -n "$C" --json)" '"oom_kills": ?1[,}]'
inside "$C" dd if=/dev/zero of=/dev/null bs=100M count=1 >/dev/null 2>&1
ok 'a second one counts' eventually 5 heard 2
kill $monitor
wait $monitor 2>/dev/null
inside "$C" dd if=/dev/zero of=/dev/null bs=100M count=1 >/dev/null 2>&1
lxc stop -k -n "$C"
run lxc info -n "$C" --json
like 'stopped right after a kill it did not end by that' "$out" '"last_exit_out_of_memory": ?false'
like '... though those killed are known' "$(lxc info -n "$C")" '^Last OOM kills: +3$'
nothing_left 'nothing is left' "$C"
is 'of one that is stopped info tells what is configured' "$(told)" "$limits"
like '... as JSON too' "$(lxc info -n "$C" --json)" '"memory": \{"configured": "64M", "bytes": 67108864\}'
started "$C"
is 'one without limits has no such line' "$(told)" ''
is '... but for what others set, for which nothing is configured' \
	"$(lxc cgroup -n "$C" pids.max 40; told)" 'PIDs limit: 40;'
like '... which JSON says' "$(lxc info -n "$C" --json)" '"limits": \{"pids": \{"configured": null, "count": 40\}\}'
lxc stop -k -n "$C"

# ---- an end for want of memory

make_container "$C" 'lxc.limit.memory = 32M' 'lxc.init.cmd = /sbin/hungry'
cat >"$P/$C/rootfs/sbin/hungry" <<-'X'
	#!/bin/sh
	while [ ! -e /run/eat ]; do sleep 0.1; done
	exec dd if=/dev/zero of=/dev/null bs=100M count=1
X
chmod 755 "$P/$C/rootfs/sbin/hungry"
ok 'a container whose init will want too much starts' lxc start -n "$C"
inside "$C" touch /run/eat
ok '... ends' lxc wait -n "$C" -s STOPPED -t 10
like '... and info says of what' "$(lxc info -n "$C")" '^Last exit: +137 at .*, out of memory$'
run lxc info -n "$C" --json
like '... as JSON too' "$out" '"last_exit_out_of_memory": ?true'
make_container "$C" 'lxc.limit.memory = 16K'
fails_with 'one whose limit is too small to build it says so' 1 'memory' lxc start -n "$C"
nothing_left 'nothing is left' "$C"

# ---- processor time: by what the kernel counts, for this machine may be busy with other things

started "$C" 'lxc.limit.cpu = 0.25'
inside "$C" sh -c '(while :; do :; done) >/dev/null 2>&1 &'
throttled_often() { [ "$(word_of cpu.stat nr_throttled)" -ge 12 ]; }
ok 'a busy loop reaches its part of a processor' eventually 60 throttled_often
# Each period in which it was stopped it had used up its 25 ms, and in none it can have had more.
before=$(word_of cpu.stat nr_throttled) used=$(cpu_ns "$C") after=$(word_of cpu.stat nr_periods)
is '... gets what it has a right to' "$((used / 1000000 >= before * 25 * 9 / 10))" 1
is '... and no more' "$((used / 1000000 <= (after + 1) * 25 * 11 / 10))" 1
lxc stop -k -n "$C"

started "$C" 'lxc.limit.cpus = 0' 'lxc.limit.cpu.weight = 50'
started "$C-two" 'lxc.limit.cpus = 0' 'lxc.limit.cpu.weight = 150'
for name in "$C" "$C-two"; do inside $name sh -c '(while :; do :; done) >/dev/null 2>&1 &'; done
one=$(cpu_ns "$C") two=$(cpu_ns "$C-two")
enough=$((SLOW > 1 ? 30000000000 : 3000000000))	# reading the counters takes a slow machine long
ran_enough() { [ $(($(cpu_ns "$C") + $(cpu_ns "$C-two") - one - two)) -ge $enough ]; }
ok 'two busy loops on one processor run' eventually 90 ran_enough
one=$(($(cpu_ns "$C") - one)) two=$(($(cpu_ns "$C-two") - two))
is "... by their weights, 1:3 (it was 1000:$((two * 1000 / one)))" \
	"$((two * 10 >= one * 27 && two * 10 <= one * 33))" 1
lxc stop -k -n "$C"
lxc stop -k -n "$C-two"

# ---- percent, and what overrules what

started "$C" 'lxc.limit.memory = 50%' 'lxc.limit.pids = 10' 'lxc.limit.pids = 30'
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
is 'a size can be a part of the memory of this host' \
	"$(($(limit_of memory.max) / 1024 >= total / 2 - 8 && $(limit_of memory.max) / 1024 <= total / 2 + 8))" 1
is 'the last line of a limit counts' "$(limit_of pids.max)" 30
run inside "$C" sh -c 'i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done'
like 'a fork bomb stops at the limit' "$err" "can't fork|Resource temporarily"
is '... which is not passed' "$(($(limit_of pids.current) <= 30))" 1
lxc stop -k -n "$C"

if [ -e "$(cgroup_mounts | head -n 1)" ] && on_v1 memory && [ ! -e /sys/fs/cgroup/memory/memory.memsw.limit_in_bytes ]; then
	make_container "$C" 'lxc.limit.memory = 64M' 'lxc.limit.swap = 16M'
	fails_with 'a limit of swap is refused where swap is not counted' 1 'lxc.limit.swap.*|swapaccount=1' lxc start -n "$C"
else
	started "$C" 'lxc.limit.memory = 64M' 'lxc.limit.swap = 16M'
	is 'lxc.limit.swap is in force' "$(limit_of memory.swap.max)" 16777216
	lxc stop -k -n "$C"
fi

# ---- refusals: before any process is born

refused() {	# SENTENCE ERE LINE...
	local what="$1" ere="$2"
	shift 2
	make_container "$C" "$@"
	fails_with "$what" 1 "$ere" lxc start -n "$C"
	[ "$status" != 0 ] || lxc stop -k -n "$C"
}
refused 'a size that is none is refused, by file and line' "$C/config:[0-9]+: lxc.limit.memory" 'lxc.limit.memory = lots'
refused 'swap without memory is refused' 'lxc.limit.memory' 'lxc.limit.swap = 1M'
refused 'a soft limit above the hard one is refused' 'above lxc.limit.memory' 'lxc.limit.memory = 32M' 'lxc.limit.memory.soft = 64M'
refused 'a processor that is not there is refused, with those that are' 'no processor 4095.*|some of those that there are' 'lxc.limit.cpus = 4095'
refused 'a device that is not there is refused' '/dev/nothing-there.*No such file' 'lxc.limit.io.read = /dev/nothing-there:1M'
refused '... by its numbers too' 'no block device 4000:5' 'lxc.limit.io.write = 4000:5:1M'
refused 'what is no block device is refused' '/dev/null. is no block device' 'lxc.limit.io.read = /dev/null:1M'
refused 'saying the same thing twice is refused' 'lxc.limit.pids and lxc.cgroup2.pids.max together' \
	'lxc.limit.pids = 10' 'lxc.cgroup2.pids.max = 20'
refused '... also with the name of v1' 'lxc.limit.memory and lxc.cgroup.memory.limit_in_bytes together' \
	'lxc.limit.memory = 10M' 'lxc.cgroup.memory.limit_in_bytes = 20M'
refused 'a limit that is none is refused' 'unknown key "lxc.limit.nothing"' 'lxc.limit.nothing = 1'
partition=$(lsblk -lno PATH,TYPE 2>/dev/null | awk '$2 == "part" { print $1; exit }')
if [ -n "$partition" ]; then
	refused 'a partition is refused, with the name of its disk' 'is a partition.*|use its disk: /dev/' "lxc.limit.io.read = $partition:1M"
else
	skip 'a partition is refused' 'this host has none'
fi
nothing_left 'nothing is left of those' "$C"
if [ -e /sys/fs/cgroup/unified/cgroup.controllers ] && ! grep -qw memory /sys/fs/cgroup/unified/cgroup.controllers; then
	make_container "$C" 'lxc.limit.memory = 64M'
	fails_with 'a limit whose controller this host has not is refused, by both names' 1 \
		'no cgroup controller "memory" \(lxc.limit.memory' \
		limit unshare -m --propagation private sh -c 'mount -t cgroup2 none /sys/fs/cgroup && lxc-start -P "$1" -n "$2"' - "$P" "$C"
	nothing_left '... and nothing is left' "$C"
else
	skip 'a limit whose controller this host has not is refused' 'this host has them all'
fi

# The names that limits of setrlimit(2) had once are still understood.
started "$C" 'lxc.limit.nofile = 512' 'lxc.limit.pids = 50'
is 'info does not take them for others' "$(told)" 'PIDs limit: 50;'
like 'an old lxc.limit.nofile is a resource limit' "$(inside "$C" sed 's/  */ /g' /proc/1/limits)" 'Max open files 512 512'
lxc stop -k -n "$C"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-update: limits of running and stopped containers, all or nothing.

. "${0%/*}/lib.sh"

has() {
	grep -Eq "^[0-9]+:([a-z,]*,)?$1(,|:)" /proc/self/cgroup ||
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2>/dev/null
}
for controller in memory cpu cpuset pids; do
	has $controller || skip_all "this host has no cgroup controller $controller"
done
limit_of() { lxc cgroup -n "${2:-$C}" "$1"; }
kept() { grep '^lxc\.limit' "$P/${1:-$C}/config" | tr '\n' ';'; }
all_of() { for file in memory.max cpu.max cpu.weight pids.max; do limit_of $file; done | tr '\n' ';'; }
starts() { [ "$(wc -l <"$P/$C/rootfs/run/starts")" = "$1" ] && state_is "$C" RUNNING; }

# ---- of one that runs

started "$C" 'lxc.limit.pids = 100' '# the last line'
ok 'limits of a running container are changed' lxc update -n "$C" --memory 64M --cpu 0.5 --pids=50
is '... at once' "$(all_of)" '67108864;50000 100000;100;50;'
is '... and kept, where they stood' "$(kept)" 'lxc.limit.pids = 50;lxc.limit.memory = 64M;lxc.limit.cpu = 0.5;'
like '... with the rest of the file' "$(cat "$P/$C/config")" '^# the last line$'
is 'info shows what it runs with' "$(lxc info -n "$C" -H -c lxc.limit.memory)" 64M
ok 'keys have their own names, too' lxc update "$C" lxc.limit.cpu.weight=200 lxc.limit.cpus=0
is '... and are in force' "$(limit_of cpu.weight);$(inside "$C" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status)" '200;0'
ok 'nothing takes a limit away' lxc update -n "$C" --cpu= lxc.limit.cpus= --memory=
is '... at once' "$(all_of)" 'max;max 100000;200;50;'
is '... and for ever' "$(kept)" 'lxc.limit.pids = 50;lxc.limit.cpu.weight = 200;'
is '... also of processors' "$(inside "$C" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status)" \
	"$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status)"
inside "$C" reboot -f >/dev/null 2>&1
ok 'it reboots from inside' eventually 10 starts 2
is '... into what was changed' "$(all_of)" 'max;max 100000;200;50;'

cp "$P/$C/config" "$TMP/before"
ok 'with --runtime they are changed' lxc update -n "$C" --runtime --pids 60 --memory 96M
is '... at once' "$(all_of)" '100663296;max 100000;200;60;'
ok '... and the configuration stays' cmp "$P/$C/config" "$TMP/before"
inside "$C" reboot -f >/dev/null 2>&1
ok 'a reboot from inside' eventually 10 starts 3
is '... keeps them' "$(all_of)" '100663296;max 100000;200;60;'
lxc stop -k -n "$C"
lxc start -n "$C"
is 'a new start does not' "$(all_of)" 'max;max 100000;200;50;'

# ---- devices

disks=$(lsblk -dno MAJ:MIN,TYPE 2>/dev/null | awk '$2 == "disk" || $2 == "loop" { print $1 }' | head -n 2)
one=$(echo "$disks" | sed -n 1p) two=$(echo "$disks" | sed -n 2p)
rates() { limit_of io.max | awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^[rw]bps=[0-9]/) printf "%s %s;", $1, $i }'; }
if [ -n "$two" ]; then
	ok 'rates of devices are changed' lxc update -n "$C" --io-read "$one:10M" --io-read "$two:20M" --io-write "$one:1M"
	like '... at once' "$(limit_of io.max)" "^$one rbps=10485760 wbps=1048576"
	ok '... one alone' lxc update -n "$C" --io-read "$one:unlimited"
	unlike '... is unlimited' "$(rates)" "$one rbps"
	like '... the others stay' "$(rates)" "$one wbps=1048576"
	like '... both' "$(rates)" "$two rbps=20971520"
	is '... as is kept' "$(kept)" "lxc.limit.pids = 50;lxc.limit.cpu.weight = 200;lxc.limit.io.write = $one:1M;lxc.limit.io.read = $two:20M;"
	ok '... all are taken away' lxc update -n "$C" --io-read= --io-write=
	is '... at once' "$(rates)" ''
else
	skip 'rates of devices are changed' 'this host has less than two disks'
fi

# ---- all or nothing

# A variable of a shell is memory that cannot be taken away where there is no swap.
lxc update -n "$C" --memory 256M --swap 0
inside "$C" sh -c '(x=$(head -c 48000000 /dev/zero | tr "\000" x); echo >/run/full; sleep 1000; :) >/dev/null 2>&1 &'
ok 'a process takes memory' eventually 20 test -e "$P/$C/rootfs/run/full"
before="$(all_of)$(limit_of memory.swap.max)" conf=$(kept)
fails_with 'memory that is in use is not taken away' 1 'lxc.limit.memory.*bytes are in use' lxc update -n "$C" --memory 16M --pids 77
is '... the limits are as they were' "$(all_of)$(limit_of memory.swap.max)" "$before"
is '... so is what is kept' "$(kept)" "$conf"
like '... and nobody was killed' "$(lxc info -n "$C" -S)" '^OOM kills: +0$'
fails_with 'what cannot be kept' 1 'Read-only file system' limit unshare -m --propagation private sh -c '
	mount --bind "$1/$2" "$1/$2" && mount -o remount,ro,bind "$1/$2" || exit 9
	lxc-update -P "$1" -n "$2" --memory 300M --swap 5M --cpu 0.3 --cpu-weight 7 --cpus 0 --pids 88 ${3:+--io-read "$3:7M"}' - "$P" "$C" "$one"
is '... is taken back' "$(all_of)$(limit_of memory.swap.max)" "$before"
is '... for devices' "$(rates)" ''
is '... for processors' "$(inside "$C" sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status)" \
	"$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' /proc/1/status)"
is '... and from what it runs with' "$(lxc info -n "$C" -H -c lxc.limit.memory)" 256M

refused() {	# SENTENCE ERE WORD...
	local what="$1" ere="$2"
	shift 2
	fails_with "$what" 1 "$ere" lxc update -n "$C" --pids 66 "$@"
}
refused 'a value that is none is refused' '"lots" is not a size' --memory lots
refused 'a key that is no limit is refused' '"lxc.uts.name" is not a limit' lxc.uts.name=x
refused 'a limit that is none is refused' 'unknown key "lxc.limit.nothing"' lxc.limit.nothing=1
refused 'what is no setting is refused' '"4G" is not KEY=VALUE' 4G
refused 'a device that is not there is refused' 'No such file' --io-write /dev/nothing-there:1M
refused 'a processor that is not there is refused' 'no processor 4095' --cpus 4095
refused 'swap without memory is refused' 'lxc.limit.swap without lxc.limit.memory' --memory=
fails_with 'nothing to change is wrong usage' 1 'no limit named' lxc update -n "$C"
is '... none of which has changed anything' "$(all_of)$(limit_of memory.swap.max)" "$before"
is '... nor is any kept' "$(kept)" "$conf"

# ---- of one that is stopped

lxc stop -k -n "$C"
ok 'limits of a stopped container are changed' lxc update -n "$C" --pids 40 --memory= --swap=
is '... in its configuration' "$(kept)" 'lxc.limit.pids = 40;lxc.limit.cpu.weight = 200;'
fails_with 'with --runtime it has to run' 1 "$C is not running" lxc update -n "$C" --runtime --pids 41
fails_with 'bad values are refused there as well' 1 'no processor 4095' lxc update -n "$C" --pids 41 --cpus 4095
is '... which changes nothing' "$(kept)" 'lxc.limit.pids = 40;lxc.limit.cpu.weight = 200;'
fails_with 'a container that is not there is an error' 1 'no such container' lxc update -n "$C-none" --pids 41
lxc start -n "$C"
is 'the next start has them' "$(limit_of pids.max)" 40
nothing_left 'nothing is left of what is not there' "$C-none"

# ---- many

make_container "$C-two"
run lxc update -n "$C*" --pids 33
is 'a pattern changes many' "$status" 0
is '... one that runs at once' "$(limit_of pids.max)" 33
is '... and others' "$(kept "$C-two")" 'lxc.limit.pids = 33;'
run lxc update -n "$C*" --pids 0
is 'what none can have fails for all' "$status" 1
lxc stop -k -n "$C"

like 'its options are the keys' "$(lxc-update --help 2>&1)" '--memory-soft=SIZE'
done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Memory by weights: lxc.limit.memory.weight and lxc.limit.memory.pool.

. "${0%/*}/lib.sh"

grep -Eq '^[0-9]+:([a-z,]*,)?memory(,|:)' /proc/self/cgroup ||
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
	skip_all 'this host has no cgroup controller memory'
A=$C-a B=$C-b D=$C-c
mib() { echo $(($(lxc cgroup -n "$1" memory.max) / 1048576)); }
shares() { for name in "$@"; do mib "$name"; done | tr '\n' ' '; }
shares_are() { [ "$(shares "$A" "$B" "$D")" = "$1" ]; }

started "$A" 'lxc.limit.memory.weight = 1' 'lxc.limit.memory.pool = 256M'
is 'who is alone has the whole pool' "$(shares "$A")" '256 '
started "$B" 'lxc.limit.memory.weight = 2' 'lxc.limit.memory.pool = 256M'
started "$D" 'lxc.limit.memory.weight = 1' 'lxc.limit.memory.pool = 256M'
is 'with the weights 1, 2, 1 they get a quarter, a half and a quarter' "$(shares "$A" "$B" "$D")" '64 128 64 '
inside "$D" reboot -f >/dev/null 2>&1
eventually 10 sh -c '[ "$(wc -l <"$1")" = 2 ]' - "$P/$D/rootfs/run/starts"
ok 'a reboot changes nothing' eventually 5 shares_are '64 128 64 '
run inside "$A" dd if=/dev/zero of=/dev/null bs=100M count=1
is 'a share is a limit' "$status" 137

is 'info tells the weight, and what comes of it' \
	"$(lxc info -n "$B" | sed -n 's/^\(Memory limit\|Memory weight\): */\1 /p' | tr '\n' ';')" \
	'Memory limit 128.00 MiB;Memory weight 2;'
ok 'a weight is changed while they run' lxc update -n "$D" --memory-weight 5
is '... and so are the shares of all' "$(shares "$A" "$B" "$D")" '32 64 160 '
ok '... as is the pool' lxc update -n "$D" --memory-pool 512M
is '... for all' "$(shares "$A" "$B" "$D")" '64 128 320 '
ok 'one that gets a limit of its own leaves it' lxc update -n "$D" --memory-weight= --memory 48M
is '... to the others' "$(shares "$A" "$B" "$D")" '170 341 48 '
ok '... and comes back' lxc update -n "$D" --memory= --memory-weight 1
is '... to its share' "$(shares "$A" "$B" "$D")" '128 256 128 '
lxc update -n "$C-*" --memory-pool 256M >/dev/null 2>&1
is 'a pattern changes the pool of all' "$(shares "$A" "$B" "$D")" '64 128 64 '

lxc stop -k -n "$B"
is 'who stops leaves his share to the others' "$(shares "$A" "$D")" '128 128 '
kill -KILL "$(supervisor_pid "$D")"
ok '... so does one whose supervisor was killed, once somebody looks' eventually 10 sh -c '
	timeout 9 lxc-ls -P "$1" >/dev/null && [ "$(timeout 9 lxc-cgroup -P "$1" -n "$2" memory.max)" = 268435456 ]' - "$P" "$A"

# ---- what nobody gives up cannot be taken

lxc update -n "$A" --swap 0 >/dev/null 2>&1
inside "$A" sh -c '(x=$(head -c 80000000 /dev/zero | tr "\000" x); echo >/run/full; sleep 1000; :) >/dev/null 2>&1 &'
ok 'one that runs uses much of its share' eventually 30 test -e "$P/$A/rootfs/run/full"
kills() { lxc info -n "$1" -S | sed -n 's/^OOM kills: *//p'; }
before=$(kills "$A")
make_container "$B" 'lxc.limit.memory.weight = 3' 'lxc.limit.memory.pool = 256M'
fails_with 'another whose start would take that is not started' 1 "to \"$A\".*bytes are in use.*lxc.limit.memory.weight" lxc start -n "$B"
is '... the share is as before' "$(shares "$A")" '256 '
is '... and nobody was killed' "$(kills "$A")" "$before"
nothing_left '... nor is anything left' "$B"
make_container "$B" 'lxc.limit.memory.weight = 1' 'lxc.limit.memory.pool = 300M'
fails_with 'another pool beside this one is refused, with who has it' 1 "\"$A\", which runs, shares one of 268435456" lxc start -n "$B"

# ---- what cannot be said

make_container "$B" 'lxc.limit.memory.weight = 1' 'lxc.limit.memory = 64M'
fails_with 'a share and a limit together are refused' 1 'lxc.limit.memory and lxc.limit.memory.weight together' lxc start -n "$B"
fails_with 'a weight that is none is refused' 1 'not a number between 1 and 10000' lxc update -n "$A" --memory-weight 0
is '... and changes nothing' "$(shares "$A")" '256 '
lxc stop -k -n "$A"
nothing_left 'nothing is left' "$A"

started "$A" 'lxc.limit.memory.weight = 3'
total=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
is 'without a pool it is the memory of this host' "$(($(mib "$A") / 16))" "$((total / 16384))"
lxc stop -k -n "$A"

done_testing

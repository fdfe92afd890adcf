#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A real Debian with systemd: made by debootstrap (from the template's cache when it is warm), booted,
# logged into at its terminals, and stopped cleanly.

. "${0%/*}/lib.sh"
need debootstrap
need_ptyrun
need_ours
cache=$(dirname "$(lxc-config lxc.lxcpath)")/../cache/lxc/debian
ls "$cache"/rootfs-bookworm-* >/dev/null 2>&1 || [ -n "$(ip route show default)" ] ||
	skip_all 'no Debian is in the cache, and there is no network to get one by'
make_bridge

# Until its systemd can be asked there is nothing to wait on; then it says when it is up.
comes_up() {
	eventually 20 inside "$1" systemctl show-environment >/dev/null 2>&1
	run limit lxc-attach -P "$P" -n "$1" -- systemctl is-system-running --wait
}

LIMIT=$((400 * SLOW))
cat >"$TMP/veth.conf" <<X
lxc.net.0.type = veth
lxc.net.0.link = $BR
lxc.net.0.flags = up
X
run lxc create -n "$C" -f "$TMP/veth.conf" -t debian -- -r bookworm --password=s3cret
is 'create makes a Debian' "$status" 0
[ "$status" = 0 ] || { diag "$(said)"; done_testing; }
LIMIT=$((60 * SLOW))
machine_id=$(cat "$P/$C/rootfs/etc/machine-id" 2>/dev/null)

began=$(now_ms)
ok 'it starts' lxc start -n "$C"
# Nobody answers DHCP on that bridge.
comes_up "$C"
is 'systemd comes up, with no unit failed' "$out" running
took=$(($(now_ms) - began))
ok 'in less than 20 s, though nobody answers DHCP' test $took -lt $((20000 * SLOW))
diag "booted in $took ms"
[ "$out" = running ] || diag "$(inside "$C" systemctl --failed --no-legend --plain)"
is 'it knows that it is a container' "$(inside "$C" systemd-detect-virt)" lxc
like 'it has a machine-id of its own' "$(inside "$C" cat /etc/machine-id)" '^[0-9a-f]{32}$'
is 'systemd has its cgroups' "$(inside "$C" systemctl show -P ActiveState systemd-journald)" active

# ---- logins

login='expect login: $
send root\r
expect Password: $
send s3cret\r
expect [#] '
for tty in 1 0 2 4; do
	run ptyrun -t 20 "expect itself
send \\r
$login
send echo he\"\"llo \$(hostname)\\r
expect hello $C
send exit\\r
expect login: \$
send \\x01q
end" -- lxc-console -P "$P" -n "$C" -t $tty
	is "a login can be typed at -t $tty" "$status" 0
done
run ptyrun -t 20 'expect # 
send tty; stty size\r
expect 24 80
send exit 4\r
end' -- lxc-attach -P "$P" -n "$C"
is 'attach gives a shell on a terminal' "$status" 4

# ---- life

ok 'freeze works' lxc freeze -n "$C"
ok 'unfreeze works' lxc unfreeze -n "$C"
is 'it still runs' "$(inside "$C" systemctl is-system-running)" running
pid=$(init_pid "$C")
inside "$C" systemctl reboot >/dev/null 2>&1
rebooted() { [ "$(init_pid "$C")" != "$pid" ] && state_is "$C" RUNNING; }
ok 'systemctl reboot starts it again' eventually 20 rebooted
comes_up "$C"
is '... to running' "$out" running
began=$(now_ms)
ok 'stop stops it cleanly' lxc stop -n "$C"
took=$(($(now_ms) - began))
ok '... in less than 10 seconds' test $took -lt $((10000 * SLOW))
diag "stopped in $took ms"
is '... STOPPED' "$(state "$C")" STOPPED
nothing_left '... with nothing left' "$C"
ok 'its journal says that it was clean' grep -aqr 'Reached target.*Power Off\|poweroff.target\|Journal stopped' "$P/$C/rootfs/var/log" "$P/$C/rootfs/run"
ok 'it starts again' lxc start -n "$C"
sleep 0.1
began=$(now_ms)
ok 'stop in the middle of its boot stops it too' lxc stop -n "$C"
ok '... in less than 15 seconds' test $(($(now_ms) - began)) -lt $((15000 * SLOW))
ok 'destroy removes it' lxc destroy -n "$C"
nothing_left 'wholly' "$C" destroyed

# ---- a second one, from the warm cache

began=$(now_ms)
LIMIT=$((120 * SLOW))
run lxc create -n "$C-two" -f "$NET" -t debian -- -r bookworm
is 'a second one is made from the cache' "$status" 0
diag "made in $(($(now_ms) - began)) ms"
ok 'with another machine-id or none yet' test "$(cat "$P/$C-two/rootfs/etc/machine-id" 2>/dev/null)" != "${machine_id:-x}"
like 'with root locked' "$(sed -n '/^root:/p' "$P/$C-two/rootfs/etc/shadow")" '^root:[*!]'
LIMIT=$((60 * SLOW))
ok 'it starts without a network' lxc start -n "$C-two"
comes_up "$C-two"
is '... to running' "$out" running
began=$(now_ms)
ok 'and stops' lxc stop -n "$C-two"
ok '... in less than 10 seconds' test $(($(now_ms) - began)) -lt $((10000 * SLOW))

done_testing

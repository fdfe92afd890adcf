#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-start --wait: it returns when the container has come up so far as was asked for.

. "${0%/*}/lib.sh"

# An init that goes by the name of systemd, with a systemctl that says what /run/state says.
be_systemd() {	# NAME
	rm -f "$P/$1/rootfs/bin/systemctl"
	cp "$P/$1/rootfs/sbin/init" "$P/$1/rootfs/sbin/systemd"
	printf '%s\n' '#!/bin/sh' '[ "$1" = is-system-running ] && cat /run/state && exit 1' \
		>"$P/$1/rootfs/bin/systemctl"
	chmod 755 "$P/$1/rootfs/bin/systemctl"
	echo starting >"$P/$1/rootfs/run/state"
	echo 'lxc.init.cmd = /sbin/systemd' >>"$P/$1/config"
}
says() {	# NAME STATE
	echo "$2" >"$P/$1/rootfs/run/state.new"
	mv "$P/$1/rootfs/run/state.new" "$P/$1/rootfs/run/state"
}

# ---- running

make_container "$C"
run lxc start -n "$C" --wait=running
is 'it waits until the container runs' "$status $(state "$C")" '0 RUNNING'
lxc stop -k -n "$C"
fails_with 'there is nothing else to wait for' 1 'none of running, network, ready' \
	lxc start -n "$C" --wait=forever
fails_with '--timeout alone has no meaning' 1 'with --wait only' lxc start -n "$C" --timeout 3
fails_with '--wait and -F exclude each other' 1 'exclude' lxc start -n "$C" -F --wait=running
is '... and nothing was started' "$(state "$C")" STOPPED

# ---- network

fails_with 'without an interface it is told at once that there will be no address' 1 \
	'no network interface' lxc start -n "$C" --wait=network
is '... and the container runs' "$(state "$C")" RUNNING
lxc stop -k -n "$C"
make_bridge
make_container "$C-net" 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' \
	'lxc.net.0.ipv4.address = 10.9.8.7/24'
ok 'with an address it waits until it is there' lxc start -n "$C-net" --wait=network
lxc stop -k -n "$C-net"
sed -i '/ipv4/d' "$P/$C-net/config"
fails_with 'where none comes it waits no longer than it is told' 1 \
	'runs, but has no address after 1 seconds' lxc start -n "$C-net" --wait=network --timeout 1
lxc stop -k -n "$C-net"
lxc-start -P "$P" -n "$C-net" --wait=network --timeout 60 >/dev/null 2>&1 &
job=$!
eventually 10 state_is "$C-net" RUNNING
ok 'it waits while there is none' kill -0 "$job"
inside "$C-net" ip addr add 10.9.8.6/24 dev eth0
wait "$job"
is '... and returns when one comes' "$?" 0
lxc stop -k -n "$C-net"

# ---- ready

fails_with 'an init that does not tell is told' 1 'does not tell when it is ready' \
	lxc start -n "$C" --wait=ready
lxc stop -k -n "$C"
be_systemd "$C"
fails_with 'systemd that is still starting is waited for' 1 'is not ready after 1 seconds' \
	lxc start -n "$C" --wait=ready --timeout 1
lxc stop -k -n "$C"
lxc-start -P "$P" -n "$C" --wait=ready --timeout 60 >/dev/null 2>&1 &
job=$!
eventually 10 state_is "$C" RUNNING
says "$C" running
wait "$job"
is 'when it says that it runs, the wait is over' "$?" 0
lxc stop -k -n "$C"
says "$C" degraded
ok '... as when some unit failed' lxc start -n "$C" --wait=ready
lxc stop -k -n "$C"
says "$C" starting
lxc-start -P "$P" -n "$C" --wait=ready --timeout 60 >"$TMP/said" 2>&1 &
job=$!
eventually 10 state_is "$C" RUNNING
lxc stop -k -n "$C"
wait "$job"
is 'when it ends meanwhile, so does the wait' "$?" 1
like '... with the reason' "$(cat "$TMP/said")" "$C: .*(ended|not run)"

done_testing

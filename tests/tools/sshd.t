#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The sshd template: a container of nothing but this host's ssh server, with root inside and with an id
# map; who may log in, and what of the host it can change.

. "${0%/*}/lib.sh"
need sshd ssh ssh-keygen ip
need_ours
[ "$(id -u)" = 0 ] || skip_all 'needs root'
LIMIT=$((40 * SLOW))
ssh-keygen -q -t ed25519 -N '' -f "$TMP/key"

# From inside, over the container's own loopback: no packet leaves it.
logs_in() {	# NAME KEY COMMAND...
	local name="$1"
	cp "$2" "$P/$name/rootfs/tmp/key" && chmod 600 "$P/$name/rootfs/tmp/key"
	shift 2
	chown --reference="$P/$name/rootfs/root" "$P/$name/rootfs/tmp/key"
	lxc attach -n "$name" --clear-env -- /usr/bin/ssh -i /tmp/key -o StrictHostKeyChecking=no -o BatchMode=yes \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@127.0.0.1 "$@" </dev/null
}

# serves SENTENCE NAME UID
serves() {
	run lxc start -n "$2"
	is "$1 starts" "$status" 0
	[ "$status" = 0 ] || diag "$(said)"
	ok '... and serves' eventually 10 logs_in "$2" "$TMP/key" true
	is '... whom the key lets in' "$(logs_in "$2" "$TMP/key" 'id -un; hostname' | tr '\n' ' ')" "root $2 "
	not_ok '... and nobody else' logs_in "$2" "$TMP/other" true
	not_ok '... and cannot write where the programs are' inside "$2" touch "/usr/bin/$2"
	like '... is who the map says on this host' "$(sed -n 's/^Uid://p' "/proc/$(init_pid "$2")/status")" "^[[:space:]]$3"
	is '... sees no homes of the host' "$(inside "$2" sh -c 'ls -d /home /root/.ssh/* 2>/dev/null')" /root/.ssh/authorized_keys
	like '... has the server as the child of its init' "$(inside "$2" sh -c 'cat /proc/1/comm')" '^init'
	ok '... stops' lxc stop -n "$2" -t 10
	ok '... cleanly, of itself' state_is "$2" STOPPED
	nothing_left '... with nothing left' "$2"
	ok '... is destroyed' lxc destroy -n "$2"
	nothing_left '... wholly' "$2" destroyed
}
ssh-keygen -q -t ed25519 -N '' -f "$TMP/other"

run lxc create -n "$C" -f "$NET" -t sshd -- --ssh-key "$TMP/key.pub"
is 'create makes it' "$status" 0
[ "$status" = 0 ] || { diag "$(said)"; done_testing; }
ok '... without copies of programs' test "$(du -sk "$P/$C/rootfs" | cut -f1)" -lt 200
like '... with no password' "$(cat "$P/$C/rootfs/etc/shadow")" '^root:\*:'
ok '... and with keys of its own' test -s "$P/$C/rootfs/etc/ssh/ssh_host_ed25519_key"
serves 'a server' "$C" 0

printf '%s\n' 'lxc.net.0.type = empty' 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536' \
	'lxc.rootfs.options = idmap=container' >"$TMP/mapped.conf"
chmod 711 "$TMP" "$P"	# the ids of the map must get there
run lxc create -n "$C-map" -f "$TMP/mapped.conf" -t sshd -- --ssh-key "$TMP/key.pub"
is 'create makes one with an id map' "$status" 0
serves 'a server with an id map' "$C-map" 100000

fails_with 'refuses a private key' 1 'private half' lxc create -n "$C-no" -f "$NET" -t sshd -- --ssh-key "$TMP/key"
nothing_left '... and leaves nothing' "$C-no" destroyed

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Id-mapped mounts: one tree, several containers in user namespaces, nothing is given to anybody.

. "${0%/*}/lib.sh"
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'

chmod 755 "$TMP" "$P"
owner() { stat -c %u:%g "$@"; }
mini_rootfs "$TMP/shared"
rm -rf "$TMP/shared" && cp -a "$TMP/mini" "$TMP/shared"	# not by links: its owners must be its own
shares() {	# NAME FIRST-ID [CONFIG-LINE]...
	local name="$1" first="$2"
	shift 2
	make_container "$name" "lxc.rootfs.path = dir:$TMP/shared" 'lxc.rootfs.options = idmap=container' \
		"lxc.idmap = u 0 $first 65536" "lxc.idmap = g 0 $first 65536" "$@"
	chmod 755 "$P/$name"
}

mkdir "$TMP/data" "$TMP/data/sub" "$TMP/plain"
echo yes >"$TMP/data/file"
chown 7:7 "$TMP/data/sub"
shares "$C" 100000 "lxc.mount.entry = $TMP/data mnt/mapped none bind,idmap=container,create=dir" \
	"lxc.mount.entry = $TMP/data mnt/ro none bind,ro,idmap=container,create=dir" \
	"lxc.mount.entry = $TMP/plain mnt/plain none bind,create=dir"
run lxc start -n "$C"
if [ "$status" != 0 ] && printf '%s' "$err" | grep -q 'no id-mapped mounts'; then
	skip_all 'no id-mapped mounts here'
fi
is 'a container whose root filesystem belongs to root of the host starts' "$status" 0
shares "$C-two" 300000
run lxc start -n "$C-two"
is '... and a second one, with other ids, on the same tree' "$status" 0
is 'its init is nobody on the host' "$(stat -c %u "/proc/$(init_pid "$C")")" 100000
is '... another nobody than the other' "$(stat -c %u "/proc/$(init_pid "$C-two")")" 300000
is 'inside the files belong to root' "$(inside "$C" stat -c %u:%g /etc/passwd)" 0:0
is '... in both' "$(inside "$C-two" stat -c %u:%g /etc/passwd)" 0:0
is '... on the host to root of the host' "$(owner "$TMP/shared/etc/passwd")" 0:0
inside "$C" sh -c 'echo one >/tmp/one; chown 5:6 /tmp/one'
is 'what one makes has on the disk the owner that it has inside' "$(owner "$TMP/shared/tmp/one")" 5:6
is '... and has it in the other' "$(inside "$C-two" stat -c %u:%g /tmp/one)" 5:6
inside "$C" sh -c 'cp /bin/busybox /tmp/su; chmod 4755 /tmp/su'
is 'even a set-user-ID program' "$(owner "$TMP/shared/tmp/su")" 0:0

is 'a mount entry shows the owners of the disk' "$(inside "$C" stat -c %u:%g /mnt/mapped/file /mnt/mapped/sub)" "$(printf '0:0\n7:7')"
is 'without the option they are nobody' "$(inside "$C" stat -c %u /mnt/plain)" 65534
ok 'it can be written' inside "$C" sh -c 'echo new >/mnt/mapped/new'
is '... in its name' "$(owner "$TMP/data/new")" 0:0
not_ok 'further options hold: ro' inside "$C" sh -c ': >/mnt/ro/other'
lxc stop -k -n "$C"
lxc stop -k -n "$C-two"
nothing_left 'nothing is left' "$C"

# ---- another user namespace

setsid unshare -U sleep 300 </dev/null >/dev/null 2>&1 &
sleeper=$!
trap 'kill "$sleeper" 2>/dev/null; finish' EXIT
lives_apart() { [ "$(readlink "/proc/$sleeper/ns/user")" != "$(readlink /proc/self/ns/user)" ]; }
eventually 5 lives_apart
echo '0 500 10' >"/proc/$sleeper/uid_map"
echo '0 500 10' >"/proc/$sleeper/gid_map"
started "$C" "lxc.mount.entry = $TMP/data mnt none bind,idmap=/proc/$sleeper/ns/user"
is 'any user namespace can map' "$(inside "$C" stat -c %u:%g /mnt/file /mnt/sub)" "$(printf '500:500\n507:507')"
lxc stop -k -n "$C"

# ---- what cannot be

refused() {	# SENTENCE ERE CONFIG-LINE...
	local what="$1" ere="$2"
	shift 2
	make_container "$C-bad" "$@"
	fails_with "refused: $what" 1 "$ere" lxc start -n "$C-bad"
}
refused 'idmap=container without a user namespace' 'needs a user namespace.*|to mend it: lxc.idmap' \
	"lxc.mount.entry = $TMP/data mnt none bind,idmap=container"
refused '... for a root filesystem' 'lxc.rootfs.options' 'lxc.rootfs.options = idmap=container'
refused 'neither container nor a path' 'neither idmap=container nor' "lxc.mount.entry = $TMP/data mnt none bind,idmap=1000"
refused 'a path that is no user namespace' 'no user namespace' "lxc.mount.entry = $TMP/data mnt none bind,idmap=/proc/self/ns/net"
refused '... or that there is not' 'No such file' "lxc.mount.entry = $TMP/data mnt none bind,idmap=$TMP/absent"
refused 'a filesystem that is made' 'for bind mounts alone' 'lxc.mount.entry = tmpfs mnt tmpfs idmap=container'
refused 'a filesystem that has none' 'no id-mapped mounts in this kernel' \
	"lxc.mount.entry = /proc/fs mnt none bind,idmap=/proc/$sleeper/ns/user"
make_container "$C-bad" "lxc.mount.entry = /proc/fs mnt none bind,optional,idmap=/proc/$sleeper/ns/user"
run lxc start -n "$C-bad"
is 'optional and impossible is passed over' "$status" 0
lxc stop -k -n "$C-bad"
nothing_left 'nothing is left of it' "$C-bad"

done_testing

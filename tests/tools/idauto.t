#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc.idmap = auto: each container has ids that no other has, and keeps them while it exists.

. "${0%/*}/lib.sh"
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'

chmod 755 "$TMP" "$P"
rm -rf "$TMP/shared" && mini_rootfs "$TMP/other" && cp -a "$TMP/mini" "$TMP/shared"
auto() {	# NAME [CONFIG-LINE]...: with a tree that all of them share
	local name="$1"
	shift
	mkdir -p "$P/$name"
	printf '%s\n' "lxc.rootfs.path = dir:$TMP/shared" 'lxc.rootfs.managed = 0' 'lxc.net.0.type = empty' \
		'lxc.rootfs.options = idmap=container' 'lxc.mount.auto = proc:mixed sys:ro' "$@" >"$P/$name/config"
	chmod 755 "$P/$name"
}
map() { tr -s ' ' <"/proc/$(init_pid "$1")/uid_map" | tr '\n' ';'; }
first() { map "$1" | cut -d' ' -f3; }
apart() { [ $(($1 + 65536)) -le "$2" ] || [ $(($2 + 65536)) -le "$1" ]; }

auto "$C" 'lxc.idmap = auto'
run lxc start -n "$C"
is 'a container with automatic ids starts' "$status" 0
one=$(first "$C")
is 'it has 65536 of them' "$(map "$C")" " 0 $one 65536;"
is '... none of them root of the host' "$((one > 65535))" 1
is '... groups as many' "$(tr -s ' ' <"/proc/$(init_pid "$C")/gid_map" | cut -d' ' -f2,4)" '0 65536'
is 'attach knows them' "$(inside "$C" id -u)" 0
is 'the running configuration shows them' "$(lxc info -n "$C" -c lxc.idmap | head -n 1)" "lxc.idmap = u 0 $one 65536"
like 'the file says what was asked for' "$(cat "$P/$C/config")" '^lxc.idmap = auto$'
is 'ls says UNPRIVILEGED true' "$(lxc ls -f -F NAME,UNPRIVILEGED | tr -s ' ' | tail -n 1 | sed 's/ $//')" "$C true"

auto "$C-two" 'lxc.idmap = auto:70000'
lxc start -n "$C-two"
two=$(first "$C-two")
is 'another container has as many as it asks for' "$(map "$C-two")" " 0 $two 70000;"
ok '... and no id of the first one' apart "$one" "$two"
lxc stop -k -n "$C"
lxc start -n "$C"
is 'after a restart it has the same ones' "$(first "$C")" "$one"
inside "$C" reboot -f >/dev/null 2>&1
ok '... and after a reboot' eventually 5 sh -c '[ "$(wc -l <"$1")" -ge 4 ]' - "$TMP/shared/run/starts"
is '... the very same' "$(first "$C")" "$one"
lxc stop -k -n "$C"

# ---- while it exists

lxc stop -k -n "$C-two"
auto "$C-three" 'lxc.idmap = auto'
lxc start -n "$C-three"
three=$(first "$C-three")
ok 'what stopped containers have is not given to others' apart "$one" "$three"
ok '... none of it' apart "$two" "$three"
lxc stop -k -n "$C-three"
sed -i 's/idmap = auto$/idmap = auto:99999/' "$P/$C/config"
fails_with 'it cannot have more than it was given once' 1 'its files are of the 65536.*|to mend it: lxc.idmap = auto:65536' lxc start -n "$C"
sed -i 's/auto:99999/auto:1000/' "$P/$C/config"
lxc start -n "$C"
is '... but less' "$(map "$C")" " 0 $one 1000;"
lxc stop -k -n "$C"
lxc destroy -n "$C"
auto "$C" 'lxc.idmap = auto'
auto "$C-four" 'lxc.idmap = auto'
lxc start -n "$C-four"
is 'destroying gives them to the next one' "$(first "$C-four")" "$one"
lxc stop -k -n "$C-four"

# What a neighbour's configuration names itself is not taken either.
lxc destroy -n "$C-four"
auto "$C-five" "lxc.idmap = u 0 $one 65536" 'lxc.idmap = g 0 200000 65536'
lxc start -n "$C"
ok 'ids that a neighbour has written down are not given' apart "$one" "$(first "$C")"
lxc stop -k -n "$C"

# ---- a configuration of a moment

cat >"$TMP/moment" <<EOF
lxc.rootfs.path = dir:$TMP/shared
lxc.rootfs.options = idmap=container
lxc.net.0.type = empty
lxc.idmap = auto
EOF
before=$(cat /var/lib/lxc-idmap/ranges "$(lxc-config lxc.lxcpath)/../lxc-idmap/ranges" 2>/dev/null)
run lxc execute -n "$C-moment" -f "$TMP/moment" -- /bin/id -u
is 'lxc-execute has them, too' "$status $out" '0 0'
is '... and leaves no record of them' "$(cat /var/lib/lxc-idmap/ranges "$(lxc-config lxc.lxcpath)/../lxc-idmap/ranges" 2>/dev/null)" "$before"

# ---- where they come from

with_subids() {	# FILE COMMAND...: with FILE in place of /etc/subuid and /etc/subgid
	[ -e /etc/subuid ] && [ -e /etc/subgid ] || return 99
	unshare -m --propagation private sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@"' - "$@"
}
printf '%s\n' '# subuid' 'somebody:700000000:65536' 'root:700000000:200000' >"$TMP/subids"
auto "$C-six" 'lxc.idmap = auto'
if with_subids "$TMP/subids" true; then
	with_subids "$TMP/subids" timeout 20 lxc-start -P "$P" -n "$C-six"
	is 'they are root'"'"'s in /etc/subuid, without what is others'"'" "$(first "$C-six")" 700065536
	lxc stop -k -n "$C-six"
	auto "$C-seven" 'lxc.idmap = auto:200000'
	fails_with 'where there are not so many it says so' 1 'no 200000 user ids in a row are free.*|to mend it: usermod --add-subuids' \
		with_subids "$TMP/subids" timeout 20 lxc-start -P "$P" -n "$C-seven"
	lxc destroy -n "$C-seven"
else
	skip 'they are root'"'"'s in /etc/subuid' 'there is no such file to be covered'
fi

# ---- create

cat >"$TMP/auto.conf" <<EOF
lxc.net.0.type = empty
lxc.idmap = auto
lxc.rootfs.options = idmap=container
EOF
if command -v busybox >/dev/null; then
	chmod 755 "$P"
	run lxc create -n "$C-new" -t busybox -f "$TMP/auto.conf"
	is 'a template fills one' "$status" 0
	chmod 755 "$P/$C-new"
	is '... with files of root' "$(stat -c %u "$P/$C-new/rootfs/etc/passwd")" 0
	ok '... that starts' lxc start -n "$C-new"
	is '... as another' "$(stat -c %u "/proc/$(init_pid "$C-new")")" "$(first "$C-new")"
	lxc stop -k -n "$C-new"
fi

# ---- values

refused() {
	local what="$1" ere="$2"
	shift 2
	auto "$C-bad" "$@"
	fails_with "refused: $what" 1 "$ere" lxc start -n "$C-bad"
}
refused 'what is no count' 'neither auto nor auto:COUNT' 'lxc.idmap = auto:many'
refused 'no ids at all' 'neither auto nor auto:COUNT' 'lxc.idmap = auto:0'
refused 'another word' 'neither auto nor auto:COUNT' 'lxc.idmap = automatic'
refused 'both' 'excludes' 'lxc.idmap = auto' 'lxc.idmap = u 0 100000 65536'
for name in "$C" "$C-two" "$C-three" "$C-five" "$C-six" "$C-new"; do
	[ -e "$P/$name" ] && lxc destroy -n "$name"
done
unlike 'what is destroyed is forgotten' "$(cat "$(lxc-config lxc.lxcpath)/../lxc-idmap/ranges" 2>/dev/null)" "$C"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-usernsexec and lxc-unshare, by root and by an ordinary user.

. "${0%/*}/user.sh"

map_of() { tr -s ' ' <"/proc/self/${1}id_map"; }

# ---- by an ordinary user

run user lxc-usernsexec -- id
is 'without -m the user'"'"'s first ranges are mapped' "$out" 'uid=0(root) gid=0(root) groups=0(root)'
is '... from 0 on' "$(user lxc-usernsexec -- cat /proc/self/uid_map /proc/self/gid_map | tr -s ' ')" \
	"$(printf ' 0 %s 65536\n 0 %s 65536' "$SUB" "$SUB")"
is 'what it makes belongs to the mapped id' "$(user lxc-usernsexec -- sh -c 'touch /tmp/'"$C"'.made')$(stat -c %u "/tmp/$C.made")" "$SUB"
not_ok '... which the user cannot remove' user rm -f "/tmp/$C.made"
ok '... but inside can' user lxc-usernsexec rm "/tmp/$C.made"
is 'the status of the command is its own' "$(user lxc-usernsexec sh -c 'exit 7'; echo $?)" 7
is '... 128 and the signal that killed it' "$(user lxc-usernsexec sh -c 'kill -9 $$' 2>/dev/null; echo $?)" 137
is 'options behind the command are the command'"'"'s' "$(user lxc-usernsexec echo -s -m x)" '-s -m x'
is '-s maps the caller behind' "$(user lxc-usernsexec -s -- cat /proc/self/uid_map | tr -s ' ')" \
	"$(printf ' 0 %s 65536\n 65536 %s 1' "$SUB" "$UID_")"
user sh -c 'mkdir -m 700 own && echo secret >own/file'
is '... so its root may go where the caller may' "$(user lxc-usernsexec -s -- cat own/file)" secret
not_ok '... which without it may not' user lxc-usernsexec -- cat own/file
is '-u and -g are who it becomes' "$(user lxc-usernsexec -u 5 -g 6 -- sh -c 'id -u; id -g' | tr '\n' ' ')" '5 6 '
is '-m maps what it says' "$(user lxc-usernsexec -m "u:0:$SUB:10" -m "g:0:$((SUB + 5)):20" -- cat /proc/self/uid_map /proc/self/gid_map | tr -s ' ')" \
	"$(printf ' 0 %s 10\n 0 %s 20' "$SUB" "$((SUB + 5))")"
is '-m b: both' "$(user lxc-usernsexec -m "b:0:$SUB:10" -- cat /proc/self/uid_map /proc/self/gid_map | tr -s ' ' | sort -u)" " 0 $SUB 10"
is 'no command: a shell' "$(echo 'echo "$0"; id -u' | user lxc-usernsexec | tr '\n' ' ')" '/bin/sh 0 '
ok 'it can mount' user lxc-usernsexec -- mount -t tmpfs x /mnt
unlike '... what nobody else sees' "$(cat /proc/self/mountinfo)" ' /mnt .*tmpfs x'
fails_with 'ids of somebody else are refused' 1 'cannot map user ids.*|to mend it' user lxc-usernsexec -m b:0:0:10 -- true
fails_with 'what is no map is refused' 1 'is no map' user lxc-usernsexec -m x:0:0:10 -- true
fails_with '... an empty one, too' 1 'is no map' user lxc-usernsexec -m "u:0:$SUB:0" -- true
fails_with '... or with something behind' 1 'is no map' user lxc-usernsexec -m "u:0:$SUB:10:" -- true
fails_with 'an id that is not mapped cannot be taken' 1 'no id of the host stands for it' user lxc-usernsexec -u 70000 -- true
fails_with 'a command that there is not' 1 'cannot run nonesuch' user lxc-usernsexec nonesuch
fails_with 'without an entry in /etc/subuid it says so' 1 'cannot find subordinate ids.*|to mend it: as root: usermod' \
	setpriv --reuid $((UID_ + 1)) --regid $((UID_ + 1)) --clear-groups lxc-usernsexec -- true

# ---- by root

is 'root maps any ids' "$(limit lxc-usernsexec -m b:0:100000:65536 -- sh -c 'id -u; touch "$1"' - "$TMP/roots" 2>&1 | head -n 1)" 0
is 'root of the host is not root there' "$(limit lxc-usernsexec -m b:0:100000:65536 -- stat -c %u /etc/passwd)" 65534

# ---- lxc-unshare

is 'lxc-unshare: a user namespace for an ordinary user' "$(user lxc-unshare -s USER -u 7 -- id -u)" 7
is '... with a host name' "$(user lxc-unshare -s 'USER|UTSNAME' -u 0 -H "$C" -- hostname)" "$C"
is '... without -u nobody is mapped' "$(user lxc-unshare -s user -- id -u)" 65534
is 'the command is process 1' "$(limit lxc-unshare -s 'pid|mnt' -M -- sh -c 'echo $$; ls -d /proc/[0-9]* | wc -l' | head -n 1)" 1
is '... and sees no other' "$(limit lxc-unshare -s 'PID|MOUNT' -M -- sh -c 'set -- /proc/[0-9]*; echo $#')" 1
is 'a new network has lo alone' "$(limit lxc-unshare -s NETWORK -- sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' ')" lo
if command -v ip >/dev/null && ip link add "${C}v" type veth peer name "${C}w" 2>/dev/null; then
	is '-i moves an interface there' "$(limit lxc-unshare -s NETWORK -i "${C}v" -- sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d ' ' | sort | tr '\n' ' ')" \
		"$(printf '%s\n' lo "${C}v" | sort | tr '\n' ' ')"
	eventually 5 sh -c '! ip link show "$1"' - "${C}w"
fi
is 'the status of the command is its own' "$(limit lxc-unshare -s MOUNT -- sh -c 'exit 7'; echo $?)" 7
run limit lxc-unshare -d -s MOUNT -- sh -c 'sleep 0.3; touch "$1"' - "$TMP/late"
is '-d does not wait' "$status $(ls "$TMP/late" 2>/dev/null)" '0 '
ok '... for what goes on' eventually 5 test -e "$TMP/late"
fails_with '-H needs UTSNAME' 1 'needs a UTSNAME' lxc-unshare -s MOUNT -H x -- true
fails_with '-i needs NETWORK' 1 'need a NETWORK' lxc-unshare -s MOUNT -i lo -- true
fails_with '-M needs MOUNT' 1 'need a MOUNT' lxc-unshare -s PID -M -- true
fails_with '-u needs USER' 1 'needs a user namespace' lxc-unshare -s PID -u 0 -- true
fails_with 'an interface that there is not' 1 'there is no such interface' lxc-unshare -s NETWORK -i nonesuch -- true
fails_with 'no namespaces' 1 'no namespaces are given' lxc-unshare -- true
fails_with '... unknown ones' 1 'invalid namespaces: "FOO"' lxc-unshare -s FOO -- true
fails_with 'no command' 1 'no command is given' lxc-unshare -s MOUNT
fails_with 'a command that there is not' 1 'cannot run nonesuch' lxc-unshare -s MOUNT -- nonesuch
fails_with 'an ordinary user gets none without USER' 1 'run it as root, or add USER' user lxc-unshare -s MOUNT -- true

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-user-nic, the setuid helper: what a user who may nothing gets of it, and what not.

. "${0%/*}/lib.sh"
need ip setpriv flock
bin=$(dirname "$(command -v lxc-start)")
installed=$bin/../libexec/lxc/lxc-user-nic
[ -x "$installed" ] || skip_all 'lxc-user-nic is not installed'
usernet=$(dirname "$(lxc-config lxc.default_config)")/lxc-usernet
# Another test writes the same file.
exec 9<"$(dirname "$usernet")"
flock -w 120 9 || skip_all "$usernet is in use"
OURS='# written by a test'	# which may have been killed
grep -qsx "$OURS" "$usernet" || [ ! -e "$usernet" ] || skip_all "$usernet is there already"
[ "$usernet" != /etc/lxc/lxc-usernet ] || [ -n "${LXT_OWN_HOST:-}" ] || skip_all 'this host'"'"'s own lxc-usernet would have to be written'
user() { limit setpriv --reuid 65534 --regid 65534 --init-groups "$@"; }
user unshare -Urn true 2>/dev/null || skip_all 'users cannot make user namespaces here'
name=$(user id -un) group=$(user id -gn)

make_bridge
ip link set "$BR" mtu 1400
chmod 755 "$TMP"
helper=$TMP/lxc-user-nic	# its own directory may be closed to others
install -m 4755 "$installed" "$helper"
user "$helper" 2>/dev/null
[ "$(user "$helper" create / c 1 veth none 2>&1)" != '' ] || skip_all 'programs in /tmp cannot be setuid'

# Processes of that user in networks of their own.
in_network() { setsid setpriv --reuid 65534 --regid 65534 --init-groups unshare -Urn sleep 60 </dev/null >/dev/null 2>&1 & }
in_network
pid=$!
in_network
pid2=$!
setsid unshare -Urn sleep 60 </dev/null >/dev/null 2>&1 &	# root's
roots=$!
trap 'kill "$pid" "$pid2" "$roots" 2>/dev/null; rm -f "$usernet"; finish' EXIT
lives_apart() {
	[ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/self/ns/user)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]
}
eventually 5 lives_apart $pid
eventually 5 lives_apart $pid2
eventually 5 lives_apart $roots

nic() { user "$helper" "$@"; }
create() { nic create /home/u/lxc c1 "$@"; }
ANSWER='^lxc-user-nic: not permitted'
answers='' # each refusal's, to be compared
refused() {	# SENTENCE WORD...
	local what="$1"
	shift
	fails_with "$what" 1 "$ANSWER" nic "$@"
	answers="$answers$out$err
"
}

rm -f "$usernet"
refused 'without lxc-usernet nothing is granted' create /p c $pid veth "$BR"
printf '%s\n' "$OURS" "$name veth ${BR}x 5" "$name veth" "other veth $BR 5" "$name veth $BR 2" "@$group veth $BR 1" \
	"$name veth none 1" "$name veth ${C}d 1" "$name veth ${C}no 1" >"$usernet"

# ---- create

run create $pid veth "$BR"
is 'a granted veth is made' "$status" 0
like '... and told with both ends' "$out" '^eth0:[0-9]+:veth65534_[0-9a-f]{4}:[0-9]+$'
host=$(echo "$out" | cut -d: -f3)
is '... its number is right' "$(cat "/sys/class/net/$host/ifindex")" "$(echo "$out" | cut -d: -f4)"
ok '... one end is on the bridge' test -e "/sys/class/net/$BR/brif/$host"
like '... up, with the bridge'"'"'s MTU and a high address' "$(ip -o link show "$host")" 'UP.*mtu 1400.*link/ether fe:'
like '... the other in the user'"'"'s network' "$(nsenter -t $pid -n ip -o link show eth0)" "^$(echo "$out" | cut -d: -f2): eth0@.* mtu 1400"
ok '... where the user may set it up' user nsenter -t $pid -U --preserve-credentials -n ip link set eth0 up
run create $pid veth "$BR" lan
like 'a second one has the name that was asked for' "$out" '^lan:'
second=$(echo "$out" | cut -d: -f3)
refused 'a name that is taken there is refused' create /p c $pid veth "$BR" lan
is '... and leaves nothing' "$(ls "/sys/class/net/$BR/brif" | wc -l)" 2
run create $pid2 veth "$BR"
is 'the group'"'"'s account comes after the user'"'"'s' "$status" 0
refused 'the quota ends' create /p c $pid2 veth "$BR"
ip link del "$second"
run create $pid2 veth "$BR"
is 'what is gone does not count' "$status" 0
run create $pid veth none free
like 'a veth without a bridge' "$out" '^free:'
is '... has none' "$(ip -o link show "$(echo "$out" | cut -d: -f3)" | grep -c master)" 0

ip link add "${C}d" type veth peer name "${C}e"
refused 'what is no bridge is refused, though it is granted' create /p c $pid veth "${C}d"
refused '... and what is not there' create /p c $pid veth "${C}no"
refused 'a bridge that is not granted' create /p c $pid veth "${BR}y"
refused 'another type' create /p c $pid phys "$BR"
refused 'the host'"'"'s network' create /p c $$ veth none
refused '... that of pid 1' create /p c 1 veth none
refused 'a network of another user' create /p c $roots veth none
refused 'a process that there is not' create /p c 999999999 veth none
user env LD_PRELOAD=/nonexistent.so "$helper" >"$TMP/o" 2>&1
unlike 'the environment does not count' "$(cat "$TMP/o")" preload

# ---- delete

gone() { nic delete /home/u/lxc c1 "/proc/$pid/ns/net" veth "$@"; }
refused 'another container'"'"'s device is not deleted' delete /home/u/lxc c2 /proc/$pid/ns/net veth "$BR" "$host"
refused '... nor one of another path' delete /home/v/lxc c1 /proc/$pid/ns/net veth "$BR" "$host"
refused '... nor by another bridge' delete /home/u/lxc c1 /proc/$pid/ns/net veth none "$host"
refused '... nor what was never made' delete /home/u/lxc c1 /proc/$pid/ns/net veth "$BR" "${C}e"
refused '... nor from the host'"'"'s network' delete /home/u/lxc c1 /proc/1/ns/net veth "$BR" "$host"
if setpriv --reuid 65533 --regid 65534 --clear-groups true 2>/dev/null; then
	fails_with '... nor by another user' 1 "$ANSWER" limit setpriv --reuid 65533 --regid 65534 --clear-groups \
		"$helper" delete /home/u/lxc c1 /proc/$pid/ns/net veth "$BR" "$host"
fi
ok 'it is all still there' test -e "/sys/class/net/$BR/brif/$host"
ok 'the one who made it deletes it' gone "$BR" "$host"
not_ok '... whole' test -e "/sys/class/net/$host"
refused '... once' delete /home/u/lxc c1 /proc/$pid/ns/net veth "$BR" "$host"
# A device of the same name that came later is not theirs.
run create $pid veth "$BR"
host=$(echo "$out" | cut -d: -f3)
ip link del "$host"
ip link add "$host" type veth peer name "${C}f"
refused 'a device that has the name by now is left alone' delete /home/u/lxc c1 /proc/$pid/ns/net veth "$BR" "$host"
ok '... it is still there' test -e "/sys/class/net/$host"
ip link del "$host"

# ---- one answer

is 'every refusal has the same answer' "$(printf '%s' "$answers" | sort -u | wc -l)" 1
for path in /root/.profile /nonexistent "/proc/$pid/ns/mnt" "/proc/self/ns/net" "/proc/$pid/ns/net/../net"; do
	fails_with "no path is opened: $path" 1 '^Usage:' nic delete /p c "$path" veth "$BR" veth0
done
if command -v strace >/dev/null; then
	limit strace -f -qq -e trace=%file -o "$TMP/trace" "$helper" delete /p c /root/secret veth "$BR" veth0 2>/dev/null
	unlike '... not even looked at' "$(cat "$TMP/trace")" 'open.*/root/secret'
fi
fails_with 'a name of sixteen letters is none' 1 '^Usage:' nic create /p c $pid veth "$BR" sixteenletters16
fails_with 'two words are no request' 1 '^Usage:' nic create
install -m 755 "$installed" "$TMP/plain"
fails_with 'without its set-user-ID bit it does nothing' 1 "$ANSWER" user "$TMP/plain" create /p c $pid veth "$BR"

# ---- many at once

printf '%s\n' "$OURS" "$name veth $BR 5" >"$usernet"
ip -o link show master "$BR" | sed 's/^[0-9]*: //; s/[@:].*//' | while read -r left; do ip link del "$left"; done
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do nic create /p "c$i" $pid2 veth "$BR" "n$i" >>"$TMP/made" 2>/dev/null & done
sleep 0.1
eventually 10 sh -c '! pgrep -f "^$1" >/dev/null' - "$helper"
is 'twelve at once get what is granted, and no more' "$(ls "/sys/class/net/$BR/brif" | wc -l)" 5
is '... each told' "$(sort -u "$TMP/made" | wc -l)" 5
kill $pid $pid2
eventually 5 sh -c '[ -z "$(ls "/sys/class/net/$1/brif")" ]' - "$BR"
is 'with its network a veth goes' "$(ls "/sys/class/net/$BR/brif")" ''

done_testing

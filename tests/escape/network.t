#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks by an ordinary user through lxc-user-nic, which is setuid root.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
need ip setpriv unshare flock
bin=$(dirname "$(command -v lxc-start)")
installed=$bin/../libexec/lxc/lxc-user-nic
[ -x "$installed" ] || skip_all 'lxc-user-nic is not installed'
usernet=$(dirname "$(lxc-config lxc.default_config)")/lxc-usernet
# Another test writes the same file.
exec 9<"$(dirname "$usernet")"
flock -w 120 9 || skip_all "$usernet is in use"
OURS='# written by a test'
grep -qsx "$OURS" "$usernet" || [ ! -e "$usernet" ] || skip_all "$usernet is there already"
[ "$usernet" != /etc/lxc/lxc-usernet ] || skip_all 'this host'"'"'s own lxc-usernet would have to be written'
user() { limit setpriv --reuid 65534 --regid 65534 --init-groups "$@" 9<&-; }
other() { limit setpriv --reuid 65533 --regid 65533 --clear-groups "$@" 9<&-; }
user unshare -Urn true 2>/dev/null || skip_all 'users cannot make user namespaces here'
name=$(user id -un)
bait
make_bridge
chmod 755 "$TMP"
helper=$TMP/lxc-user-nic
install -m 4755 "$installed" "$helper"
[ "$(user "$helper" create / c 1 veth none 2>&1)" != '' ] || skip_all 'programs in /tmp cannot be setuid'
printf '%s\n' "$OURS" "$name veth $BR 5" >"$usernet"
setsid setpriv --reuid 65534 --regid 65534 --init-groups unshare -Urn sleep 100 </dev/null >/dev/null 2>&1 9<&- &
own=$!
setsid unshare -Urn sleep 100 </dev/null >/dev/null 2>&1 9<&- &
roots=$!
trap 'kill "$own" "$roots" 2>/dev/null; rm -f "$usernet"; finish' EXIT
apart() { [ "$(readlink "/proc/$1/ns/user")" != "$(readlink /proc/self/ns/user)" ] && [ "$(cat "/proc/$1/comm")" = sleep ]; }
eventually 5 apart "$own"
eventually 5 apart "$roots"
ANSWER='lxc-user-nic: not permitted      (lxc-usernet(5) says what is)'
networks() { nsenter -t "$roots" -n ip -o link show | sed 's/qlen.*//'; }
networks >"$TMP/networks"
nets_unharmed() {
	networks >"$TMP/networks-now"
	ok "$1: no network that is not the user's has changed" cmp "$TMP/networks" "$TMP/networks-now"
}

# ----------------------------------------------------------------------------------------------------
row CVE-2017-5985 'a user has a device put into a network that is not his' \
	'the network is verified through its descriptor: the caller owns its user namespace'
for pid in 1 $$ "$roots"; do
	run user "$helper" create /p c "$pid" veth "$BR"
	is "$CVE: into that of process $([ "$pid" = "$roots" ] && echo 'of root' || echo "$pid")" "$status $err" "1 $ANSWER"
done
# The process changes between the look and the use.
i=0
while [ $i -lt 40 ]; do
	setpriv --reuid 65534 --regid 65534 --init-groups unshare -Urn true 2>/dev/null 9<&- &
	user "$helper" create /p c $! veth "$BR" >/dev/null 2>&1
	wait $!
	i=$((i + 1))
done
nets_unharmed "$CVE"

# ----------------------------------------------------------------------------------------------------
row CVE-2018-6556 'a user has files opened that he may not open, by naming them as a network' \
	'no word of the caller is a path that is opened; a process id is a number'
chmod 700 "$victim"
mkfifo "$victim/pipe"
picture >"$TMP/before"
# What is no request at all gets the usage; what is one gets the one answer.
USAGE='Usage: lxc-user-nic create LXCPATH NAME PID veth BRIDGE [CONTAINER-NIC]
       lxc-user-nic delete LXCPATH NAME /proc/PID/ns/net veth BRIDGE HOST-NIC'
refused() { [ "$status" = 1 ] && { [ "$err" = "$ANSWER" ] || [ "$err" = "$USAGE" ]; } && [ -z "$out" ]; }
for word in "$victim/pipe" "../$$/ns/net" "$own/../../$victim/pipe" "self" "/proc/1/ns/net" "$own " "0x1" "-1" ''; do
	run user timeout 5 "$helper" create /p c "$word" veth "$BR"
	ok "$CVE: '$word' is refused at once" refused
	run user timeout 5 "$helper" delete "$word" c "$word" veth "$BR" eth0
	ok "$CVE: ... by a deletion too" refused
done
unharmed "$CVE"

# ----------------------------------------------------------------------------------------------------
row CVE-2022-47952 'the answer tells whether a file is there that the user cannot see' 'there is one answer to everything'
user "$helper" delete /p c "/proc/$own/root$victim/file" veth "$BR" eth0 >"$TMP/there" 2>&1
there=$?
user "$helper" delete /p c "/proc/$own/root$victim/none" veth "$BR" eth0 >"$TMP/absent" 2>&1
is "$CVE: the same status" "$there" $?
ok "$CVE: ... and the same words" cmp "$TMP/there" "$TMP/absent"
unlike "$CVE: ... which say nothing of it" "$(cat "$TMP/there")" 'No such|denied|file'

# ----------------------------------------------------------------------------------------------------
row CVE-2026-39402 'a user has the device of another user deleted, by its name alone' \
	'a deletion names the whole of a recorded line, and the line is its maker'"'"'s'
run user "$helper" create /home/u/lxc c1 "$own" veth "$BR"
is "$CVE: the user has a device" "$status" 0
nic=$(echo "$out" | cut -d: -f3)
for words in "/home/u/lxc c1 /proc/$own/ns/net veth $BR $nic" "/p c /proc/$own/ns/net veth $BR $nic" "/home/u/lxc c1 /proc/1/ns/net veth $BR $nic"; do
	# shellcheck disable=SC2086 # words
	run other "$helper" delete $words
	is "$CVE: another user's deletion is refused" "$status $err" "1 $ANSWER"
done
printf '%s\n' "$(id -nu 65533 2>/dev/null || echo 65533) veth $BR 5" >>"$usernet"
run other "$helper" delete /home/u/lxc c1 "/proc/$own/ns/net" veth "$BR" "$nic"
is "$CVE: ... also when he is granted devices on the bridge" "$status $err" "1 $ANSWER"
for words in "/home/v/lxc c1 /proc/$own/ns/net veth $BR $nic" "/home/u/lxc c2 /proc/$own/ns/net veth $BR $nic" "/home/u/lxc c1 /proc/$own/ns/net veth none $nic"; do
	# shellcheck disable=SC2086 # words
	run user "$helper" delete $words
	is "$CVE: the maker's own with another container, path or bridge is refused" "$status $err" "1 $ANSWER"
done
ok "$CVE: the device is still there" test -e "/sys/class/net/$BR/brif/$nic"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-checkconfig, the doctor: what it finds for root and for an ordinary user, and that what it
# prescribes is what is wrong.

. "${0%/*}/user.sh"

diagnosis() { printf '%s\n' "$out" | sed -n "/--- Host/,\$p" | grep -A 2 "^$1: "; }	# SUBJECT

run limit lxc-checkconfig
is 'root asks' "$status" 0
like '... about the host, for root' "$out" '^--- Host, for root ---'
for subject in kernel cgroups 'user namespaces' /etc/subuid /etc/subgid newuidmap newgidmap lxc-user-nic paths 'run directory' 'security modules'; do
	like "$subject is looked at" "$(diagnosis "$subject")" "^$subject: (fine|advice|wrong): ."
done
like 'the kernel is fine' "$(diagnosis kernel)" "^kernel: fine: Linux $(uname -r | cut -d. -f1,2)"
limit lxc-checkconfig --json >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... with the host' "$(cat "$TMP/json")" '"subject": "newuidmap", "verdict": "fine", "found": ".*/newuidmap", "mend": ""'

run user lxc-checkconfig
is 'an ordinary user asks' "$status" 0
like '... for himself' "$out" '^--- Host, for an ordinary user ---'
like 'ids that are there are fine' "$(diagnosis /etc/subuid)" "fine: 65536 ids from $SUB on"
like 'no cgroup: advice' "$(diagnosis cgroups)" 'advice: .*you may make none'
like '... and what mends it' "$(diagnosis cgroups)" 'to mend it: loginctl enable-linger'
like 'no interface granted: advice' "$(diagnosis lxc-user-nic)" "to mend it: as root: (echo '$U veth lxcbr0 10'|chown root)"
like 'no XDG_RUNTIME_DIR: advice' "$(diagnosis 'run directory')" 'advice: XDG_RUNTIME_DIR is not set'
like '... for instance' "$(diagnosis 'run directory')" "loginctl enable-linger $U"
like 'a home directory closed to mapped ids: advice' "$(diagnosis paths)" "advice: \"$HOME_\""
chmod 711 "$HOME_"
user mkdir -p .local/share/lxc
run user lxc-checkconfig
like '... opened: fine' "$(diagnosis paths)" 'fine: the way to'
XDG_RUNTIME_DIR_=$HOME_ run user lxc-checkconfig
like 'a run directory: fine' "$(diagnosis 'run directory')" "fine: $HOME_/lxc"

# ---- what is broken is found, and what is prescribed mends it

echo "intruder:$((SUB + 5)):10" >>/etc/subuid
run user lxc-checkconfig
like 'ids that somebody else has, too: advice' "$(diagnosis /etc/subuid)" "advice: 10 ids from $((SUB + 5)) on are somebody else's"
sed "/^intruder/d; s/^$U:.*/$U:$SUB:1000/" /etc/subuid >"$TMP/few" && cat "$TMP/few" >/etc/subuid
run user lxc-checkconfig
like 'few ids: advice' "$(diagnosis /etc/subuid)" 'advice: 1000 ids are fewer than a whole system has'
grep -v "^$U:" /etc/subuid >"$TMP/none"
cat "$TMP/none" >/etc/subuid
run user lxc-checkconfig
like 'no ids: wrong' "$(diagnosis /etc/subuid)" 'wrong: there is no entry'
like '... with what mends it' "$(diagnosis /etc/subuid)" "to mend it: as root: usermod --add-subuids 100000-165535 $U"
echo "$U:$SUB:65536" >>/etc/subuid
run user lxc-checkconfig
like '... which mends it' "$(diagnosis /etc/subuid)" '/etc/subuid: fine'

helper=$(command -v newuidmap)
cp "$helper" "$TMP/newuidmap" && chmod 755 "$TMP/newuidmap"
if mount --bind "$TMP/newuidmap" "$helper"; then
	run user lxc-checkconfig
	like 'newuidmap without its bit: wrong' "$(diagnosis newuidmap)" 'wrong: .*neither setuid root nor has file capabilities'
	mend=$(diagnosis newuidmap | sed -n 's/^  to mend it: as root: //p')
	like '... with what mends it' "$mend" '^chmod u\+s /'
	sh -c "$mend"
	run user lxc-checkconfig
	like '... which mends it' "$(diagnosis newuidmap)" 'newuidmap: fine'
	run limit lxc-checkconfig
	like 'with file capabilities it is fine, too' "$(chmod u-s "$TMP/newuidmap"; setfattr -n security.capability -v 0sAQAAAoAAAAAAAAAAAAAAAAAAAAA= "$TMP/newuidmap" 2>/dev/null && limit lxc-checkconfig | sed -n 's/^newuidmap: //p' || echo fine)" '^fine'
	umount "$helper"
else
	skip 'newuidmap without its bit: wrong' 'it cannot be covered'
fi
echo 0 >"$TMP/zero"
if mount --bind "$TMP/zero" /proc/sys/user/max_user_namespaces 2>/dev/null; then
	run user lxc-checkconfig
	like 'no user namespaces: wrong' "$(diagnosis 'user namespaces')" 'wrong: nobody may make one'
	like '... with what mends it' "$(diagnosis 'user namespaces')" 'to mend it: as root: sysctl -w user.max_user_namespaces'
	umount /proc/sys/user/max_user_namespaces
else
	skip 'no user namespaces: wrong' 'the switch cannot be covered'
fi

done_testing

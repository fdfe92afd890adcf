#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What starts and stops containers with the machine: the script of the services, and the services.

. "${0%/*}/lib.sh"
script=${LXC_PREFIX:-/usr}/libexec/lxc/lxc-containers
[ -x "$script" ] || skip_all 'the services are not installed'
export LXC_DEFAULTS="$TMP/default" LXC_LOCK="$TMP/lock/started"
containers() { limit "$script" "$@"; }
running() { lxc ls -1 --running | sed "s/^$C-//" | tr '\n' ' '; }

cat >"$LXC_DEFAULTS" <<CONF
OPTIONS='-P $P'
STOPOPTS='-P $P -a -A -s'
SHUTDOWNDELAY=10
CONF
make_container "$C-a" 'lxc.start.auto = 1'
make_container "$C-b" 'lxc.start.auto = 1' 'lxc.group = onboot'
make_container "$C-c" 'lxc.start.auto = 1' 'lxc.group = other'
make_container "$C-d"

ok 'start starts the group onboot and those without a group' containers start
is '  and no other' "$(running)" 'a b '
lxc stop -k -n "$C-a"
ok 'start once more does nothing' containers start
is '  even where one was stopped meanwhile' "$(running)" 'b '
lxc start -n "$C-d"
run containers status
is 'status says that it was started' "$status" 0
is '  and what runs' "$(printf '%s\n' "$out" | sed "1d; s/^$C-//" | sort | tr '\n' ' ')" 'b d '
ok 'stop shuts all down' containers stop
is '  those that were started by hand, too' "$(running)" ''
run containers status
is 'status says that it was not started' "$status$out" '3containers are not started'
ok 'restart starts again' containers restart
is '  what it started before' "$(running)" 'a b '
containers stop
echo 'BOOTGROUPS=other' >>"$LXC_DEFAULTS"
containers start
is 'which groups are started is a setting' "$(running)" 'c '
containers stop
echo 'LXC_AUTO=false' >>"$LXC_DEFAULTS"
ok 'LXC_AUTO=false starts nothing' containers start
is '  at all' "$(running)" ''
sed -i '/LXC_AUTO/d' "$LXC_DEFAULTS"
echo 'lxc.no.such = key' >>"$P/$C-c/config"
not_ok 'what fails is told by the exit status' containers start
fails_with 'a word that it does not know is refused' 2 'Usage' containers begin

# ---- the services themselves

units=${LXC_PREFIX:-/usr}/lib/systemd/system
if [ -e "$units/lxc.service" ]; then
	for unit in lxc.service lxc@.service lxc-net.service; do
		is "$unit has no place left open" "$(grep -c '@[A-Z]*@' "$units/$unit")" 0
		for program in $(sed -n 's/^Exec[A-Za-z]*=\([^ ]*\).*/\1/p' "$units/$unit" | sort -u); do
			ok "$unit runs what is there: ${program##*/}" test -x "$program"
		done
	done
	if command -v systemd-analyze >/dev/null; then
		mkdir "$TMP/units"
		cp "$units"/lxc*.service "$TMP/units"
		mv "$TMP/units/lxc@.service" "$TMP/units/lxc@x.service"
		run systemd-analyze verify --man=no "$TMP/units"/*.service
		is 'systemd understands them' "$(printf '%s\n' "$err" | grep "$TMP/units")" ''
	else
		skip 'systemd understands them' 'no systemd-analyze here'
	fi
else
	skip 'the units' 'not installed'
fi

done_testing

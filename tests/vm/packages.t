#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The packages of Debian on a machine that is up: they take the place of the distribution's lxc, their services
# and their AppArmor profiles are in force at once, an upgrade leaves all alone, and they go without a trace.
# It changes the machine, so it runs in one that nobody else has, after `make deb`:
# tests/vm/check unified apparmor -- vm/packages.t.  In a root of their own tests/packages/deb.t says more.

unset LXC_PREFIX	# What is below /usr is what is meant.
# shellcheck disable=SC2154 # what lib.sh sets
. "${0%/*}/../tools/lib.sh"
[ -d /run/vm-run ] || skip_all 'only in a virtual machine of its own'
[ -d /run/systemd/system ] || skip_all 'systemd is not init here'
debs=${LXC_BUILD:-.}/packages/deb
ls "$debs"/lxcore_*.deb >/dev/null 2>&1 || skip_all 'there are no packages (make deb)'
dpkg -s lxc 2>/dev/null | grep -q '^Version: 1:' || skip_all "the distribution's lxc is not installed"
export DEBIAN_FRONTEND=noninteractive

names=$(cd "$debs" && for deb in *.deb; do echo "${deb%%_*}"; done)
long() { timeout $((60 * SLOW)) "$@"; }
install_them() { long dpkg -i --force-confold "$debs"/*.deb; }
active() { systemctl is-active "$@" | tr '\n' ' '; }
confined() { [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; }
profiles() { cat /sys/kernel/security/apparmor/profiles; }
lxc() {		# The default lxcpath, as for everybody.
	local tool="$1"
	shift
	limit "lxc-$tool" "$@"
}
end_machine() {
	local rc=$?
	! command -v lxc-destroy >/dev/null || lxc-destroy -f -n "$C" >/dev/null 2>&1
	(exit "$rc")
	finish
}
trap end_machine EXIT
rm -f /var/lib/man-db/auto-update

# ---- over the distribution's

systemctl start lxc-net.service
is "the distribution's network is up" "$(active lxc-net)" 'active '
ok 'they install' install_them
is '... all' "$(dpkg-query -W -f '${db:Status-Abbrev}' $names | tr -d ' ')" iiiiiiiiiiii
is 'what is called is ours' "$(command -v lxc-clone)" /usr/bin/lxc-clone
is 'the services are up' "$(active lxc-net lxc)" 'active active '
is '... and will be at the next boot' "$(systemctl is-enabled lxc-net lxc | tr '\n' ' ')" 'enabled enabled '
is '... and none failed' "$(systemctl list-units --failed --plain --no-legend 'lxc*')" ''
is 'there is one network, and it is ours' "$(lxc-net status | sed -n 's/^Bridge: *//p')" lxcbr0
ok '... with nothing in its way' lxc net check
if confined; then
	like 'the profiles of containers are in the kernel' "$(profiles)" '^lxc-container-default-cgns '
	unlike "... that of the distribution's lxc-start is not" "$(profiles)" '^/usr/bin/lxc-start '
fi
ok 'checkconfig finds what it wants' lxc checkconfig

# ---- they serve

ok 'a container is made of nothing but a template' lxc create -n "$C" -t busybox
echo 'lxc.start.auto = 1' >>"/var/lib/lxc/$C/config"
ok '... starts by the service' long systemctl restart lxc.service
is '... runs' "$(lxc info -n "$C" -sH)" RUNNING
has_address() { lxc info -n "$C" -iH | grep -q '^10\.0\.3\.'; }
ok '... and gets an address' eventually 20 has_address
if confined; then
	like '... confined' "$(cat "/proc/$(lxc info -n "$C" -pH)/attr/current")" '^lxc-container-default.* \(enforce\)'
fi

# ---- once more, as an upgrade does it

pid=$(lxc info -n "$C" -pH)
dnsmasq=$(systemctl show -P MainPID lxc-net)$(pgrep -d, -x dnsmasq)
ok 'they install over themselves' install_them
is '... the container runs on' "$(lxc info -n "$C" -pH)" "$pid"
is '... and so does its network' "$(systemctl show -P MainPID lxc-net)$(pgrep -d, -x dnsmasq)" "$dnsmasq"
is '... and the services' "$(active lxc-net lxc)" 'active active '

# ---- and away

# shellcheck disable=SC2086 # words
ok 'they are purged' long dpkg --purge $names
is '... no container runs on' "$(test -e "/proc/$pid" && echo "$pid")" ''
not_ok '... the network is down' test -e /sys/class/net/lxcbr0
is '... no process of it is left' "$(pgrep -x dnsmasq)" ''
is '... nor a service' "$(systemctl list-units --all --plain --no-legend 'lxc*.service' | grep -v not-found)" ''
ok '... but the container is there' test -f "/var/lib/lxc/$C/config"
rm -rf --one-file-system "/var/lib/lxc/${C:?}"
done_testing

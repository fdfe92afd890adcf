#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The five minutes of README.md: its commands, as they stand there, in a network of their own. Left out
# are those that want a person at a terminal (lxc-console) and the real Debian (debian.t has that).

[ -n "${README_NET:-}" ] || README_NET=1 exec unshare -n "$0" "$@"
. "${0%/*}/lib.sh"
[ -f "$TESTS/../README.md" ] || skip_all 'README.md is not here'
need_ours
ip link set lo up

tour() {
	sed -n '/^## Five minutes/,/^A real Debian/p' "$TESTS/../README.md" |
		sed -n 's/^    \(lxc-.*\)/\1/p' | grep -v '^lxc-console'
}

# The bridge of the default configuration, which the tour takes for granted.
bridge=$(sed -n 's/^lxc.net.0.link *= *//p' "$(lxc-config lxc.default_config)")
[ -z "$bridge" ] || ip link show "$bridge" >/dev/null 2>&1 || {
	ip link add "$bridge" type bridge && ip link set "$bridge" up
}

lxc-destroy -f -s -n demo >/dev/null 2>&1
tour >"$TMP/tour"
ok 'the tour has commands' test "$(wc -l <"$TMP/tour")" -ge 12
while IFS= read -r command; do
	run limit sh -c "$command"
	is "$command" "$status" 0
	[ "$status" = 0 ] || diag "$(said)"
	case $command in
	'lxc-info -n demo -s') like '... shows it frozen' "$out" FROZEN ;;
	'lxc-cgroup -n demo memory.max') is '... as it was set' "$out" 268435456 ;;
	*hostname*) is '... from inside' "$out" 'hello from demo' ;;
	*--json) printf '%s\n' "$out" >"$TMP/json"; ok '... is JSON' is_json "$TMP/json" ;;
	esac
done <"$TMP/tour"
ok 'nothing is left of demo' test ! -e "$(lxc-config lxc.lxcpath)/demo"
lxc-destroy -f -s -n demo >/dev/null 2>&1

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What init sees in a container of an ordinary user; see tests/escape/golden.t.

. "${0%/*}/user.sh"
. "$TESTS/escape/golden.sh"
need busybox
own=$HOME_/.local/share/lxc
printf '%s\n' 'lxc.net.0.type = empty' >"$TMP/user.conf"
run user lxc-create -n "$C" -t busybox -f "$TMP/user.conf"
[ "$status" = 0 ] || run user lxc-create -n "$C" -t busybox
[ "$status" = 0 ] || skip_all "an ordinary user can create no containers here: $(printf %s "$err" | head -n 1)"
cp "$TMP/dump" "$own/$C/rootfs/bin/dump"
chmod 755 "$own/$C/rootfs/bin/dump"
run user lxc-start -n "$C" -- /bin/sleep 1000
is 'the unprivileged container runs' "$status" 0
{
	echo '# SPDX-License-Identifier: LGPL-2.1-or-later'
	user lxc-attach -n "$C" -- /bin/dump </dev/null | normal | sed "s/ $SUB / SUBID /; s/ $UID_ / UID /"
} >"$TMP/unprivileged"
compare unprivileged
user lxc-stop -k -n "$C"
user lxc-destroy -n "$C"
done_testing

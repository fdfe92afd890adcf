#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What init sees: descriptors, capabilities, mounts, devices, filter, label and cgroups of the default,
# the id-mapped and the unprivileged container, compared with the expected text in tests/escape/golden/.
# Whatever a change adds to what a container has, or takes from what it has not, shows here.
#
#	GOLDEN_UPDATE=1 tests/escape/golden.t	writes the texts anew, to be looked at before they are kept
#
# What differs from host to host is left out or written as a word: ids, the host's filesystem, kernel
# features that come with its version.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
. "$TESTS/escape/golden.sh"
common=${LXC_PREFIX:-/usr/local}/share/lxc/config

dump() {	# KIND: of the container $C, which is made
	local kind="$1"
	cp "$TMP/dump" "$P/$C/rootfs/bin/dump"
	chmod 755 "$P/$C/rootfs/bin/dump"
	run lxc start -n "$C"
	is "the $kind container runs" "$status" 0
	{ echo '# SPDX-License-Identifier: LGPL-2.1-or-later'; inside "$C" /bin/dump | normal; } >"$TMP/$kind"
	compare "$kind"
	lxc stop -k -n "$C"
}

make_container "$C" "lxc.include = $common/common.conf" 'lxc.hook.clone =' 'lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed'
dump default
rm -rf "${P:?}/$C"

make_container "$C" "lxc.include = $common/common.conf" "lxc.include = $common/userns.conf" 'lxc.hook.clone =' \
	'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536' 'lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed'
chown -R -h 100000:100000 "$P/$C/rootfs"
chmod 755 "$TMP" "$P" "$P/$C"
dump id-mapped
nothing_left 'nothing is left' "$C"
rm -rf "${P:?}/$C"

done_testing

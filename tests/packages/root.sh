# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A root file system of their own for the packages to be installed in: a copy in memory of one that has the
# distribution's lxc, with processes, mounts and network devices that are nobody else's and end with us.
#
#	LXT_PACKAGES_ROOT=DIR	that one (tests/packages/check makes one); default: what this host has.  It is
#				only read: what is written is in memory.

# shellcheck disable=SC2154 # what lib.sh sets
lower=${LXT_PACKAGES_ROOT:-/} root=$TMP/root upper=$TMP/disk/upper
LIMIT_IN_ROOT=120

# alone ARG...: starts this file once more, in namespaces of its own.
alone() {
	[ -z "${LXT_ALONE:-}" ] || return 0
	need unshare
	[ "$(id -u)" = 0 ] || skip_all 'a root of its own wants root'
	# Cgroups are all in one tree, and pids in there say nothing out here, where none begins with 0.
	export LXT_ALONE=yes LXT_SPACE="0$(($$ % 9 + 1))"
	trap - EXIT
	kill "$watchdog" 2>/dev/null
	cd / && rm -rf "$TMP"
	exec unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
		"$TESTS/packages/${0##*/}" "$@"
}

# Has it the distribution's lxc, to be replaced?
need_their_lxc() {
	dpkg --root="$lower" -s lxc 2>/dev/null | grep -q '^Status: install ok installed' ||
		skip_all "the distribution's lxc is not in $lower"
	case $(dpkg --root="$lower" -s lxc | sed -n 's/^Version: //p') in
	1:*) ;;
	*) skip_all "this is not the distribution's lxc" ;;
	esac
}

make_root() {	# DEBS: a directory; they are in /tmp/debs of the new root, and the sources in /tmp/source
	mkdir "$TMP/disk" "$root"
	mount -t tmpfs -o mode=755 none "$TMP/disk" && mkdir "$upper" "$TMP/disk/work" &&
		mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$TMP/disk/work" none "$root" ||
		skip_all "cannot make a copy of $lower in memory"
	mount -t proc none "$root/proc"
	mount -t sysfs none "$root/sys"
	mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs -o mode=755 none "$root/run"
	mount -t tmpfs -o mode=1777 none "$root/tmp"
	# What is set there is this host's - but for the network's, which is ours.
	mount --bind "$root/proc/sys" "$root/proc/sys" && mount -o remount,bind,ro "$root/proc/sys" &&
		mount --bind /proc/sys/net "$root/proc/sys/net"
	ip link set lo up
	mkdir "$root/tmp/source" "$root/tmp/debs" "$root/run/lock" "$root/run/old"
	mount --bind "$TESTS/.." "$root/tmp/source"
	cp "$1"/*.deb "$root/tmp/debs"
	# Not by chroot alone: the root shall be the root of its mounts.
	cat >"$root/tmp/enter" <<-'ENTER'
		cd "$1" && shift && pivot_root . run/old && umount -l /run/old && cd / &&
			exec env -u LXC_PREFIX -u TMPDIR HOME=/root DEBIAN_FRONTEND=noninteractive LXT_OWN_HOST=yes \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c "$@"
	ENTER
	# Services are not run here, and the index of the manual takes longer than all the rest.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 755 "$root/usr/sbin/policy-rc.d"
	rm -f "$root/var/lib/man-db/auto-update"
	# Of a machine that has never been up.
	[ -s "$root/etc/machine-id" ] || tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
}

in_root() {
	timeout -k 2 "$LIMIT_IN_ROOT" unshare --mount --propagation private sh "$root/tmp/enter" "$root" "$@" </dev/null
}

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Archives of others become trees through lxc-unpack, which can write nowhere but in the directory
# that it is given.
# shellcheck shell=sh disable=SC2154

# unpack ARCHIVE DIRECTORY [OPTION...]: DIRECTORY is made if it is not there.
unpack() {
	unpacked=$1 into=$2
	shift 2
	[ -d "$into" ] || mkdir -p "$into" || die "make $into"
	[ -x "$LXC_LIBEXEC_DIR/lxc-unpack" ] ||
		die "unpack ${unpacked##*/}: $LXC_LIBEXEC_DIR/lxc-unpack is not installed"
	work "$LXC_LIBEXEC_DIR/lxc-unpack" "$@" "$unpacked" "$into" || die "unpack ${unpacked##*/}"
}

# unpack_rootfs ARCHIVE [OPTION...]: into the root filesystem, without the device nodes that it may
# have: /dev is made at each start.
unpack_rootfs() {
	unpacked=$1
	shift
	unpack "$unpacked" "$rootfs" --devices=skip "$@"
	for word in etc usr bin; do
		[ ! -d "$rootfs/$word" ] && [ ! -L "$rootfs/$word" ] || return 0
	done
	die "use ${unpacked##*/}: there is no system in it (no /etc, /usr or /bin)"
}

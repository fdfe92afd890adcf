# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Copying and removing whole trees.
# shellcheck shell=sh disable=SC2154

# copy_tree FROM TO: the content of FROM into the empty directory TO, with owners, modes, times, extended
# attributes, ACLs, hard links and holes; blocks are shared where the filesystem can.
copy_tree() {
	if [ -x "$LXC_LIBEXEC_DIR/lxc-copytree" ]; then
		work "$LXC_LIBEXEC_DIR/lxc-copytree" "$1" "$2" || die "copy $1 to $2"
	else	# a checkout that was not built
		work cp -a --reflink=auto "$1/." "$2/" || die "copy $1 to $2"
	fi
}

# remove_tree DIR: never past a mount point, since what is mounted below belongs to somebody else.
# A second try, for what a process that was just killed was still writing.
remove_tree() {
	if [ -e "$1" ] || [ -L "$1" ]; then
		rm -rf --one-file-system -- "$1" 2>/dev/null ||
			{ sleep 1; rm -rf --one-file-system -- "$1"; }
	fi
}

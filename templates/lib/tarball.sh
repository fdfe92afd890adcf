# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Distributions that publish a whole root filesystem as one archive: which is the newest, whether it
# is theirs, and the last good one when the server cannot be reached.
# shellcheck shell=sh disable=SC2034,SC2154

# Rows that templates of this kind declare.
option_tarball='
|sha256|SUM|sha256|hash that the archive must have, in place of a signature
|no-validate||no_validate|ask for no signature'
sha256='' no_validate=''

# need_mirror DISTRIBUTION: the last word about a mirror that nobody said.
need_mirror() {
	[ -n "$mirror" ] || die "fetch $1: no mirror is known" \
		"--mirror URL, or a line '$1 archive URL' in $LXC_SYSCONF_DIR/mirrors.conf"
}

# root_only DISTRIBUTION: for what was not made to be installed in a user namespace.
root_only() {
	if [ -n "$mapped_uid$mapped_gid" ]; then
		die "install $1 in a user namespace: its files have owners that it may not have" \
			'create it as root without lxc.idmap, or from an image with -t download'
	fi
	[ "$(id -u)" = 0 ] || die "install $1: only root can" 'sudo lxc-create …'
}

# tarball_tree KEY LOOK BUILD: as cache_tree, for the version that LOOK finds; it sets `newest`, or
# answers 1 when the server cannot be reached, and then the last good tree serves.
tarball_tree() {
	if "$2"; then
		cache_system "$1" "$newest" "$3"
		return 0
	fi
	cache_lock -s
	tree=$cache/rootfs-$1 placed=''
	[ -z "$mapped_uid" ] || tree=$cache/mapped-$1.tar
	[ -e "$tree.made-from" ] || die "fetch it from $mirror: $fetch_said"
	warn "cannot reach $mirror ($fetch_said); taking what was fetched before"
}

# tarball_checked URL FILE NAME LIST: fetches an archive that a list of hashes has under NAME.
# With --sha256 the user has said it already.
tarball_checked() {
	if [ -n "$sha256" ]; then
		sum=$sha256
	else
		hash_of "$3" "$4"
	fi
	say "fetching $3"
	fetch_hashed "$1" "$2" "$sum"
}

# tarball_list URL SIGNATURE-URL FILE: fetches a list of hashes and checks its detached signature.
tarball_list() {
	[ -z "$sha256" ] || return 0
	fetch_must "$1" "$3" '--sha256 SUM, if the server has no list of hashes'
	[ -z "$no_validate" ] || return 0
	fetch_must "$2" "$3.signature" \
		'a server without signatures: --sha256 SUM, or --no-validate if you trust it and the way to it'
	signature_check "$keyring" "$3.signature" "$3"
}

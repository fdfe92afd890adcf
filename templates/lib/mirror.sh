# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Where to fetch from. The library names no mirror of its own. In this order: the option, the
# environment (MIRROR, SECURITY_MIRROR), mirrors.conf, what this host's own package tool uses for
# the same distribution; and when none says anything, nothing, which leaves the choice to the
# distribution's installer.
#
# mirrors.conf has lines 'DISTRIBUTION archive|security URL' and 'DISTRIBUTION keyring FILE'; '#'
# starts a comment.
# shellcheck shell=sh disable=SC2034,SC2154

# mirror_choose DISTRIBUTION HOST-FUNCTION: sets `mirror` and `security_mirror`, empty when nobody
# says one. HOST-FUNCTION DISTRIBUTION archive|security reads the host's configuration and sets
# `mirror_found`.
mirror_choose() {
	mirror=${mirror:-${MIRROR-}}
	security_mirror=${security_mirror:-${SECURITY_MIRROR-}}
	if [ -z "$mirror" ]; then
		mirror_listed "$1" archive
		[ -n "$mirror_found" ] || "$2" "$1" archive
		mirror=$mirror_found
	fi
	if [ -z "$security_mirror" ]; then
		mirror_listed "$1" security
		[ -n "$mirror_found" ] || "$2" "$1" security
		security_mirror=$mirror_found
	fi
	mirror=${mirror%/} security_mirror=${security_mirror%/}
	mirror_check "$mirror"
	mirror_check "$security_mirror"
}

# mirror_check ADDRESS
mirror_check() {
	case $1 in
	'' | http://?* | https://?* | ftp://?* | file:/?*) ;;
	*) die "fetch from '$1': it is no URL" ;;
	esac
	case $1 in
	*[[:space:]]* | *[[:cntrl:]]*) die 'fetch from a mirror whose address has a blank in it' ;;
	esac
}

# mirror_listed DISTRIBUTION KIND: sets `mirror_found` from mirrors.conf.
mirror_listed() {
	mirror_found=''
	[ -r "$LXC_SYSCONF_DIR/mirrors.conf" ] || return 0
	while read -r word kind url _; do
		if [ "$word $kind" = "$1 $2" ]; then
			mirror_found=$url
			return 0
		fi
	done <"$LXC_SYSCONF_DIR/mirrors.conf"
}

# mirror_none: a HOST-FUNCTION for hosts that cannot tell.
mirror_none() {
	mirror_found=''
}

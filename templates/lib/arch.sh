# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every distribution has names of its own for the same processors. `arch` is what the user wrote in
# any of the spellings, or nothing for this host.
# shellcheck shell=sh disable=SC2034,SC2154

# arch_debian: sets `arch` and `arch_host` to Debian's names.
arch_debian() {
	arch_debian_name "$(uname -m)"
	arch_host=$arch_name
	arch_debian_name "${arch:-$arch_host}"
	arch=$arch_name
}

arch_debian_name() {
	case $1 in
	x86_64) arch_name=amd64 ;;
	i?86 | x86) arch_name=i386 ;;
	aarch64) arch_name=arm64 ;;
	armv7* | armv8l | armhf) arch_name=armhf ;;
	arm*l | arm) arch_name=armel ;;
	ppc64le) arch_name=ppc64el ;;
	loongarch64) arch_name=loong64 ;;
	*[!a-z0-9]* | '') die "use the architecture '$1': no such name" ;;
	*) arch_name=$1 ;;
	esac
}

# arch_runs_here: can this processor run programs of `arch` as they are?
arch_runs_here() {
	case $arch_host/$arch in
	"$arch/$arch_host" | amd64/i386 | arm64/armhf | arm64/armel | armhf/armel) return 0 ;;
	esac
	return 1
}

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What CentOS, AlmaLinux, Rocky and Oracle have in common: which packages make a small system of each
# generation, and how that is told to live in a container. `major` is the generation, 6 to 10.
# shellcheck shell=sh disable=SC2034,SC2154

# Other names of releases, where a distribution has them.
el_release_names() {
	:
}

# el_release DEFAULT: sets `release`, if nobody gave it, and `major`.
el_release() {
	if [ -z "$release" ]; then
		release=$1
		for host in "${1%%[!0-9]*}" 10 9 8 7 6; do
			release=$host
			! rpm_host_is_same || break
			release=$1
		done
	fi
	major=${release%%[!0-9]*} platform=el${release%%[!0-9]*}
	case $major in
	[6-9] | 10) ;;
	*) die "install the release '$release': there is none of that name" "lxc-create … -- -R $1" ;;
	esac
}

# el_packages RELEASE-PACKAGE: sets `base`.
el_packages() {
	base="$1 passwd rootfiles openssh-server openssh-clients iproute hostname vim-minimal less"
	case $major in
	6) base="$1 upstart initscripts yum passwd rootfiles openssh-server openssh-clients dhclient iproute
		net-tools procps vim-minimal less" ;;
	7) base="$base systemd initscripts yum dhclient procps-ng" ;;
	*) base="$base systemd dnf NetworkManager procps-ng glibc-minimal-langpack" ;;
	esac
}

configure() {
	case $major in
	6) el_sixth ;;
	7)
		network_ifcfg
		put_link etc/systemd/system/multi-user.target.wants/network.service /etc/rc.d/init.d/network ;;
	*) network_manager ;;
	esac
	if systemd_has getty@.service; then
		systemd_container
		systemd_mask systemd-remount-fs.service dev-hugepages.mount
		[ ! -e "$rootfs/usr/sbin/sshd" ] || systemd_enable sshd.service
	fi
	# An audit session cannot be begun in a container; without this nobody can log in.
	for file in login sshd remote crond; do
		inside "etc/pam.d/$file"
		if [ -f "$target" ] && [ ! -L "$target" ]; then
			sed -i '/pam_loginuid/s/^[^#]/#&/' "$target" || die "write $target"
		fi
	done
}

# The last one with upstart and SysV scripts: it starts udev itself, and checks filesystems.
el_sixth() {
	network_ifcfg
	put_link sbin/start_udev /bin/true
	put etc/sysconfig/readonly-root 644 READONLY=no
	for level in 2 3 4 5; do
		for file in "$rootfs/etc/rc.d/rc$level.d"/S*udev-post "$rootfs/etc/rc.d/rc$level.d"/S*netfs; do
			[ ! -L "$file" ] || rm -f "$file"
		done
		put_link "etc/rc.d/rc$level.d/S10network" ../init.d/network
	done
}

# el_main NAME RELEASE-PACKAGE DEFAULT-RELEASE WORD...: the whole of it, for the template's own words.
el_main() {
	what=$1 package=$2 default=$3 installer=dnf
	shift 3
	options_parse "$@"
	el_release_names
	el_release "$default"
	el_release_names
	rpm_check "$what"
	el_packages "$package"
	# shellcheck disable=SC2086 # one word a package
	rpm_create "$what" $base
}

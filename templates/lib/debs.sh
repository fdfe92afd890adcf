# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What Debian and its relatives have in common: a tree by debootstrap or mmdebstrap from an archive
# whose signature is checked, and what makes a container of it.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

option_deb='
|mirror|URL|mirror|where to fetch; default: $MIRROR, mirrors.conf, what this host uses
|security-mirror|URL|security_mirror|the same for security updates ($SECURITY_MIRROR)
|keyring|FILE|keyring|keys that must have signed the archive ($KEYRING, mirrors.conf)
|no-gpg||no_gpg|trust whatever comes: no signature is looked at
I|interpreter-path|FILE|interpreter|static qemu for an architecture that this host cannot run'

# deb_check WHAT: what the options mean together, before anything is made.
deb_check() {
	what=$1
	case $release in
	'' | *[!a-z0-9.-]*)
		die "install the release '$release': no such name" "lxc-create -t ${template#lxc-} -h" ;;
	esac
	arch_debian
	if ! arch_runs_here && [ -z "$interpreter" ]; then
		die "install $arch: this host ($arch_host) cannot run it" \
			'apt-get install qemu-user-static, and give --interpreter-path=/usr/bin/qemu-…-static'
	fi
	[ -z "$interpreter" ] || [ -x "$interpreter" ] ||
		die "use the interpreter $interpreter: no such program"
	keys_told
	need_root "$what"
}

# deb_signer: which keys the archive must be signed with. debootstrap goes on without a word of harm
# when it has none.
deb_signer() {
	signed_by=$keyring
	[ -z "$no_gpg$keyring" ] || return 0
	signed_by=$signer
	[ ! -r "$signer" ] || return 0
	fetch_open
	side_dir=$cache_side/partial-keys
	remove_tree "$side_dir" || die "remove $side_dir"
	mkdir "$side_dir" || die "make $side_dir"
	signed_by=$side_dir/${signer##*/}
	keys_known "$signed_by" --no-armor "$mirror"
}

deb_fetch() {
	say "fetching $what $release ($arch) into the cache; this takes a minute"
	[ -z "$no_gpg" ] || warn 'no signature is looked at (--no-gpg)'
	deb_signer
	debootstrap_tree "$1" "$base"
	if [ -n "$side_dir" ]; then	# apt inside goes on with the keys that were found
		mkdir -p "$1/etc/apt/keyrings" && cp "$signed_by" "$1/etc/apt/keyrings/" || die "copy $signed_by"
		remove_tree "$side_dir" || die "remove $side_dir"
		side_dir=''
	fi
}

# deb_packages: the administrator's own, with the network of the host.
deb_packages() {
	[ -n "$packages" ] || return 0
	say "installing $packages"
	IFS=','
	# shellcheck disable=SC2086 # one word a package
	set -- $packages
	unset IFS
	apt_install "$@"
}

# deb_create: all of it, for a template whose options were parsed and checked. `suites` tells apt
# inside where to go on.
deb_create() {
	cache_open "$distribution"
	options_container
	need_all
	config_open
	rootfs_fresh
	login_check
	archives_read
	mirror_choose "$distribution" apt_host_mirror
	mirror=${mirror:-$archive_root}
	cache_system "$release-$arch" "$base${no_gpg:+ unchecked}${keyring:+ $keyring}" deb_fetch
	say "copying $what $release ($arch)"
	cache_place
	say "configuring $name"
	if [ ! -e "$rootfs$signer" ] && [ -e "$rootfs/etc/apt/keyrings/${signer##*/}" ]; then
		signer=/etc/apt/keyrings/${signer##*/}
	fi
	suites
	identity_names
	identity_machine
	if systemd_has getty@.service; then
		systemd_container
	fi
	deb_network
	ttys_by_init
	locale_debian
	locale_timezone
	deb_login
	deb_packages
	identity_ssh
	config_identity "lxc.include = $LXC_CONFIG_DIR/$distribution.common.conf"
	config_hwaddr
	login_announce
}

deb_network() {
	if systemd_has systemd-networkd.service; then
		network_networkd
	else
		network_interfaces
	fi
}

deb_login() {
	login_root
	login_key
}

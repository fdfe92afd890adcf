# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees made by pacman on any host that has it, with a configuration and keys of their own: what the
# host trusts is not what the container trusts. Every package must be signed.
# shellcheck shell=sh disable=SC2034,SC2154

# pacman_host_mirror: as a HOST-FUNCTION of mirror.sh; LXC_PACMAN_DIR is for the tests.
pacman_host_mirror() {
	mirror_found=''
	list=${LXC_PACMAN_DIR:-/etc/pacman.d}/mirrorlist
	[ "$2" = archive ] && [ -r "$list" ] || return 0
	# shellcheck disable=SC2016 # words of pacman's
	while IFS= read -r line; do
		config_split "$line"
		case $key=$value in
		Server=*@*) ;;	# somebody's password
		Server=*'/$repo/os/$arch') mirror_found=${value%'/$repo/os/$arch'}; return 0 ;;
		esac
	done <"$list"
}

# arch_pacman: sets `arch`, and `pacman_path`, where below a mirror its repositories are.
arch_pacman() {
	arch_debian
	arch_runs_here || die "install $arch: this host ($arch_host) cannot run it"
	# shellcheck disable=SC2016 # words of pacman's
	case $arch in
	amd64) arch=x86_64 pacman_path='$repo/os/$arch' ;;
	arm64) arch=aarch64 pacman_path='$arch/$repo' ;;
	armhf) arch=armv7h pacman_path='$arch/$repo' ;;
	i386) arch=i686 pacman_path='$arch/$repo' ;;
	*) die "install $arch: there is no such Arch Linux" ;;
	esac
}

# pacman_keys: makes `gnupg`, the keys that packages may be signed with, and sets `trust`. A keyring of
# the user's is trusted as a whole; that of the distribution says itself which of its keys count.
pacman_keys() {
	gnupg=$pieces/gnupg trust=TrustedOnly
	remove_tree "$gnupg" && mkdir -m 700 "$gnupg" || die "make $gnupg"
	if [ -n "$keyring" ]; then
		trust=TrustAll
		work gpg --homedir "$gnupg" --batch --quiet --no-autostart --import "$keyring" 2>/dev/null ||
			die "read the keyring $keyring"
		return 0
	fi
	for directory in /usr/share/pacman/keyrings /usr/share/keyrings ''; do
		[ ! -r "$directory/archlinux.gpg" ] || break
	done
	[ -n "$directory" ] || die 'check packages: the keys of Arch Linux are not here' \
		'install archlinux-keyring, or give --keyring FILE'
	have pacman-key || die 'check packages: pacman-key is not installed' 'give --keyring FILE'
	say 'preparing the keys of Arch Linux'
	# gpg leaves a process that serves it; in a namespace of its own that ends with us.
	{ work own_namespaces pacman-key --gpgdir "$gnupg" --init &&
		work own_namespaces pacman-key --gpgdir "$gnupg" --populate-from "$directory" --populate archlinux; } \
		>"$cache/pacman.log" 2>&1 || die "prepare the keys of Arch Linux: see $cache/pacman.log"
}

# pacman_config FILE: sets up pacman for this tree.
pacman_config() {
	if [ -n "$pacman_conf" ]; then
		cp "$pacman_conf" "$1" || die "copy $pacman_conf"
		return 0
	fi
	{
		printf '[options]\nArchitecture = %s\nSigLevel = Required DatabaseOptional %s\n' "$arch" "$trust"
		for repository in core extra; do
			printf '\n[%s]\nServer = %s/%s\n' "$repository" "$mirror" "$pacman_path"
		done
	} >"$1" || die "write $1"
}

# pacman_install DIR PACKAGE...: a new tree. Scripts of packages run in it, with /proc and /dev.
pacman_install() {
	directory=$1
	shift
	pacman_config "$pieces/pacman.conf"
	mkdir -p "$directory/var/lib/pacman" "$directory/var/log" "$directory/proc" "$directory/sys" \
		"$directory/dev" "$directory/run" "$directory/tmp" "$directory/etc/pacman.d" "$pieces/packages" &&
		chmod 1777 "$directory/tmp" || die "fill $directory"
	# shellcheck disable=SC2016 # the inner shell expands it
	work own_namespaces sh -eu -c '
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		mount -t tmpfs tmpfs "$1/run"
		shift
		exec "$@" </dev/null' sh "$directory" pacman --root "$directory" \
		--dbpath "$directory/var/lib/pacman" --config "$pieces/pacman.conf" --gpgdir "$gnupg" \
		--cachedir "$pieces/packages" --logfile "$directory/var/log/pacman.log" --noconfirm \
		--noprogressbar --sync --refresh "$@" >"$cache/pacman.log" 2>&1 || {
		grep '^error' "$cache/pacman.log" | tail -n 5 >&2
		die "install $*: pacman failed, see above" \
			"see whether the mirror and the keys are right; all it said: $cache/pacman.log"
	}
	remove_tree "$pieces/packages"
}

# pacman_inside: the container fetches from the same place, and makes keys of its own at its first
# boot, since pacman's private key must not be the same everywhere.
pacman_inside() {
	put etc/pacman.d/mirrorlist 644 "Server = $mirror/$pacman_path"
	inside usr/bin/pacman-key
	[ -e "$target" ] || return 0
	put etc/systemd/system/pacman-init.service 644 '[Unit]' \
		'Description=Keys for the packages of this system' \
		'ConditionPathExists=!/etc/pacman.d/gnupg/trustdb.gpg' '' '[Service]' 'Type=oneshot' \
		'ExecStart=/usr/bin/pacman-key --init' 'ExecStart=/usr/bin/pacman-key --populate'
	put_link etc/systemd/system/multi-user.target.wants/pacman-init.service \
		/etc/systemd/system/pacman-init.service
}

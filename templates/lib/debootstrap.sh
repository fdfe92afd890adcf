# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Building a tree of the Debian family with debootstrap, or with mmdebstrap where only that is
# installed. When nobody says a mirror, none is passed on: the tool knows its own. Its many lines go
# to a log in the cache, of which the end is shown if it fails.
# shellcheck shell=sh disable=SC2154

# debootstrap_tree DIR PACKAGES: the release `release` for `arch` from `mirror`, if set, signed by
# `signed_by` or, with `no_gpg`, by nobody; its programs run by `interpreter`, if set. `like` is a
# release that the tool is sure to know.
debootstrap_tree() {
	directory=$1
	cache_log debootstrap.log
	set -- --variant="${variant:-minbase}" "--include=$2" "--components=${components:-main}"
	apt_host_proxy
	# So that debootstrap takes the host's device nodes in place of making some.
	[ -z "$mapped_uid" ] || export container=lxc
	if have debootstrap; then
		# A release that is younger than the tool is made as the one before it.
		scripts=/usr/share/debootstrap/scripts script=''
		[ -e "$scripts/$release" ] || [ ! -e "$scripts/${like-}" ] || script=$scripts/$like
		[ -z "$signed_by" ] || set -- "$@" --keyring="$signed_by"
		[ -z "$no_gpg" ] || set -- "$@" --no-check-gpg
		set -- "$@" "$release" "$directory"
		[ -z "$mirror$script" ] || set -- "$@" "$mirror" ${script:+"$script"}
		work own_namespaces debootstrap --arch="$arch" ${interpreter:+--foreign} "$@" >"$log" 2>&1 ||
			debootstrap_failed
		[ -z "$interpreter" ] || debootstrap_second_stage
	elif have mmdebstrap && [ -z "$interpreter" ]; then
		[ -z "$signed_by" ] || set -- "$@" --keyring="$signed_by"
		set -- "$@" "$release" "$directory"
		[ -z "$no_gpg" ] || mirror="deb [trusted=yes] $mirror $release ${components:-main}"
		work own_namespaces mmdebstrap --mode=root --architectures="$arch" "$@" \
			${mirror:+"$mirror"} >"$log" 2>&1 || debootstrap_failed
	else
		die "fetch $release: debootstrap is not installed" 'apt-get install debootstrap'
	fi
	# Packages and lists are half of the tree, and out of date when they are used.
	rm -rf "$directory"/var/cache/apt/*.bin "$directory"/var/cache/apt/archives/*.deb \
		"$directory"/var/lib/apt/lists/*
}

# The interpreter is needed at the same place inside.
debootstrap_second_stage() {
	mkdir -p "$directory${interpreter%/*}" && cp "$interpreter" "$directory$interpreter" ||
		die "copy $interpreter"
	work own_namespaces chroot "$directory" /debootstrap/debootstrap --second-stage \
		>>"$log" 2>&1 || debootstrap_failed
}

debootstrap_failed() {
	grep -E '^(E:|W: Failure|mmdebstrap: )|[Ss]ignature|[Cc]orrupt' "$log" >&2 || tail -n 5 "$log" >&2
	die "fetch $release for $arch: the installer failed, see above" \
		"see whether the release and the mirror are right (--release, --mirror); all it said: $log"
}

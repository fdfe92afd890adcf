# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Image servers, in the form of those that users of LXC know: meta/1.0/index-system (index-user for
# images that work in a user namespace) has lines DISTRIBUTION;RELEASE;ARCH;VARIANT;BUILD;PATH, and
# PATH has meta.tar.xz, rootfs.tar.xz and their hashes in SHA256SUMS. The index and SHA256SUMS are
# signed, by files of the same name with .asc behind it.
# shellcheck shell=sh disable=SC2034,SC2154

# server_choose: a name alone means https; sets `mirror`.
server_choose() {
	case $mirror in
	'' | *://*) ;;
	*) mirror=https://$mirror ;;
	esac
	mirror_choose download mirror_none
	[ -n "$mirror" ] || [ -n "$force_cache" ] || die 'fetch an image: no image server is known' \
		"--server URL, or a line 'download archive URL' in $LXC_SYSCONF_DIR/mirrors.conf"
}

# signed FILE URL: FILE is there; its signature is fetched from URL.asc
signed() {
	[ -z "$no_validate" ] || return 0
	fetch_must "$2.asc" "$1.asc" \
		'a server without signatures: --no-validate, if you trust it and the way to it'
	signature_check "$keyring" "$1.asc" "$1"
}

# index_fetch: 1 if the server cannot be reached.
index_fetch() {
	image_mode
	index=$pieces/index.$$
	for suffix in ".$image_level" ''; do
		url=$mirror/meta/1.0/index-$mode$suffix
		fetch_file "$url" "$index" || continue
		[ -n "$unsigned_index" ] || signed "$index" "$url"
		return 0
	done
	return 1
}

# index_choose: sets `build` and `place`, of the image that the options name.
index_choose() {
	build='' place=''
	while IFS=';' read -r a b c d e f _; do
		[ "$a;$b;$c;$d" != "$dist;$release;$arch;$variant" ] || build=$e place=${f%/}
	done <"$index"
	[ -n "$place" ] || die "fetch $dist $release ($arch, $variant): the server does not have it" \
		"lxc-create -t download … -- --list -d $dist"
	case $place in
	/*..* | *[!A-Za-z0-9/._:+~-]*) die "fetch the image at '$place': a strange path" ;;
	esac
}

index_print() {
	printf '%-15s %-12s %-8s %-10s %s\n' DIST RELEASE ARCH VARIANT BUILD
	while IFS=';' read -r a b c d e _; do
		case $a in "${dist:-$a}") ;; *) continue ;; esac
		[ "$b;$c" != "${release:-$b};${arch:-$c}" ] ||
			printf '%-15s %-12s %-8s %-10s %s\n' "$a" "$b" "$c" "$d" "$e"
	done <"$index" | tr -d '\000-\010\013-\037\177'
}

# image_fetch DIR: the archives and the list of their hashes.
image_fetch() {
	fetch_must "$mirror$place/SHA256SUMS" "$1/SHA256SUMS"
	signed "$1/SHA256SUMS" "$mirror$place/SHA256SUMS"
	for file in meta.tar.xz rootfs.tar.xz; do
		hash_of "$file" "$1/SHA256SUMS"
		say "fetching $file of $dist $release ($arch, $build)"
		fetch_hashed "$mirror$place/$file" "$1/$file" "$sum"
	done
	printf '%s\n' "$build" >"$1/build"
}

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Alpine's packages on a host that has no apk: a static one is fetched from the repository itself.
# Packages and indexes are gzip streams one behind another, of which the first has the signature of
# the second; so what is fetched is checked here, with openssl, before it runs.
# shellcheck shell=sh disable=SC2034,SC2154

# Alpine's own keys, by their SHA-256. The repository has the keys in a package, of which nothing is
# believed but that they have these hashes.
apk_known_keys='
9c102bcc376af1498d549b77bdbfa815ae86faa1d2d82f040e616b18ef2df2d4 4a6a0840 x86 x86_64
ebf31683b56410ecc4c00acd9f6e2839e237a3b62b5ae7ef686705c7ba0396a9 5243ef4b x86
12f899e55a7691225603d6fb3324940fc51cd7f133e7ead788663c2b7eecb00c 5261cecb x86_64
207e4696d3c05f7cb05966aee557307151f1f00217af4143c1bcaf33b8df733f 6165ee59 x86_64
73867d92083f2f8ab899a26ccda7ef63dfaa0032a938620eda605558958a8041 58199dcc aarch64
d11f6b21c61b4274e182eb888883a8ba8acdbf820dcc7a6d82a7d9fc2fd2836d 616ae350 aarch64
1bb2a846c0ea4ca9d0e7862f970863857fc33c32f5506098c636a62a726a847b 524d27bb armhf armv7
9a4cd858d9710963848e6d5f555325dc199d1c952b01cf6e64da2c15deedbd97 58cbb476 ppc64le
780b3ed41786772cbc7b68136546fa3f897f28a23b30c72dde6225319c44cfff 58e4f17d s390x'

# arch_alpine: sets `arch` and `arch_host` to Alpine's names.
arch_alpine() {
	arch_debian
	if ! arch_runs_here; then
		die "install $arch: this host ($arch_host) cannot run it"
	fi
	arch=$(arch_alpine_name "$arch")
	arch_host=$(arch_alpine_name "$arch_host")
}

arch_alpine_name() {
	case $1 in
	amd64) echo x86_64 ;;
	i386) echo x86 ;;
	arm64) echo aarch64 ;;
	armhf) echo armv7 ;;
	armel) echo armhf ;;
	ppc64el) echo ppc64le ;;
	*) echo "$1" ;;
	esac
}

# apk_host_mirror: as a HOST-FUNCTION of mirror.sh; LXC_APK_DIR is for the tests.
apk_host_mirror() {
	mirror_found=''
	[ "$2" = archive ] && [ -r "${LXC_APK_DIR:-/etc/apk}/repositories" ] || return 0
	while read -r url _; do
		case $url in
		*@*) ;;	# a repository with a tag, or with somebody's password
		http*/*/main) mirror_found=${url%/*/main}; return 0 ;;
		esac
	done <"${LXC_APK_DIR:-/etc/apk}/repositories"
}

# apk_streams FILE: sets `streams`, where its gzip streams begin.
apk_streams() {
	streams=0 last=0
	# shellcheck disable=SC2013 # numbers
	for at in $(LC_ALL=C grep -abo "$(printf '\037\213\010')" "$1" | cut -d: -f1); do
		[ "$at" -gt "$last" ] || continue
		if tail -c "+$((last + 1))" "$1" | head -c "$((at - last))" | gzip -t 2>/dev/null; then
			streams="$streams $at" last=$at
		fi
	done
}

# apk_verify FILE WORK: the second stream is signed by one of `keys`; sets `second` and `third`, the
# places of the second and third one (of an index: its end).
apk_verify() {
	apk_streams "$1"
	# shellcheck disable=SC2086 # numbers
	set -- "$1" "$2" $streams "$(stat -c %s "$1")"
	[ $# -ge 5 ] || die "use ${1##*/}: it is not signed"
	second=$4 third=$5
	remove_tree "$2" && mkdir "$2" || die "make $2"
	head -c "$second" "$1" >"$2/first.gz"
	head -c "$third" "$1" | tail -c "+$((second + 1))" >"$2/signed"
	unpack "$2/first.gz" "$2/signature" --devices=refuse --max-size=64K --max-entries=16
	for signature in "$2"/signature/.SIGN.RSA*; do
		key=${signature##*/.SIGN.} kind=${key%%.*} key=${key#*.}
		[ -f "$signature" ] && [ ! -L "$signature" ] && [ -f "$keys/$key" ] || continue
		case $kind in RSA) kind=sha1 ;; RSA256) kind=sha256 ;; RSA512) kind=sha512 ;; *) continue ;; esac
		openssl dgst "-$kind" -verify "$keys/$key" -signature "$signature" "$2/signed" \
			>/dev/null 2>&1 && return 0
		die "use ${1##*/}: its signature is not right" \
			'try again; if it stays so, the file was changed on its way or on the server'
	done
	die "use ${1##*/}: it is not signed by a key in $keys" '--keys DIRECTORY'
}

# apk_package FILE SUM DIR: checks and unpacks a package that the index says SUM of.
apk_package() {
	apk_verify "$1" "$pieces/verify"
	[ "Q1$(openssl dgst -sha1 -binary "$pieces/verify/signed" | base64)" = "$2" ] ||
		die "use ${1##*/}: it is not the package that the index lists"
	unpack "$pieces/verify/signed" "$pieces/verify/control" --devices=refuse --max-size=1M
	datahash=$(sed -n 's/^datahash = //p' "$pieces/verify/control/.PKGINFO")
	[ "$(tail -c "+$((third + 1))" "$1" | sha256sum | cut -d' ' -f1)" = "$datahash" ] ||
		die "use ${1##*/}: its files are not those that were signed"
	unpack "$1" "$3" --devices=refuse --exclude '.[A-Z]*'
}

# apk_lookup NAME: sets `version` and `sum` from the index that is unpacked in $pieces/index.
apk_lookup() {
	eval "$(awk -v name="$1" '
		/^C:/ { sum = substr($0, 3) } /^P:/ { p = substr($0, 3) } /^V:/ { v = substr($0, 3) }
		/^$/ { if (p == name) { print "version=" v " sum=" sum; exit } }' "$pieces/index/APKINDEX" |
		tr -cd 'A-Za-z0-9._=+/ -')"
	[ -n "${version-}" ] || die "fetch $1: the repository does not have it"
}

# apk_keys URL: sets `keys`, a directory of keys: one's own, this host's, or Alpine's by their hashes.
apk_keys() {
	for keys in "$keys" "$LXC_SYSCONF_DIR/keyrings/alpine" "${LXC_APK_DIR:-/etc/apk}/keys"; do
		for key in "$keys"/*.rsa.pub; do
			[ -z "$keys" ] || [ ! -f "$key" ] || return 0
		done
	done
	keys=$pieces/keys
	remove_tree "$keys" && mkdir "$keys" || die "make $keys"
	apk_lookup alpine-keys
	fetch_must "$1/alpine-keys-$version.apk" "$pieces/alpine-keys.apk"
	unpack "$pieces/alpine-keys.apk" "$pieces/offered" --devices=refuse --max-size=1M --exclude '.[A-Z]*'
	for key in "$pieces"/offered/usr/share/apk/keys/*.rsa.pub "$pieces"/offered/etc/apk/keys/*.rsa.pub; do
		[ -f "$key" ] && [ ! -L "$key" ] || continue
		offered=$(sha256sum <"$key")
		case $apk_known_keys in
		*"${offered%% *}"*) cp "$key" "$keys/" ;;
		esac
	done
	remove_tree "$pieces/offered"
}

# apk_tool DIR: fetches a static apk into DIR and sets `apk`, unless the host has one.
apk_tool() {
	need openssl openssl
	url=$mirror/$release/main/$arch_host
	fetch_must "$url/APKINDEX.tar.gz" "$pieces/APKINDEX.tar.gz"
	remove_tree "$pieces/index"
	unpack "$pieces/APKINDEX.tar.gz" "$pieces/index" --devices=refuse --max-size=256M --max-entries=16
	apk_keys "$url"
	apk_verify "$pieces/APKINDEX.tar.gz" "$pieces/verify"
	apk=${apk:-$(command -v apk)} || {
		apk_lookup apk-tools-static
		fetch_must "$url/apk-tools-static-$version.apk" "$pieces/apk-tools-static.apk"
		apk_package "$pieces/apk-tools-static.apk" "$sum" "$1"
		apk=$1/sbin/apk.static
		[ -x "$apk" ] || die 'run apk: the package apk-tools-static does not have it'
	}
}

# apk_install DIR PACKAGE...: a new tree. Scripts of packages run in it, with /proc and /dev.
apk_install() {
	directory=$1
	shift
	mkdir -p "$directory/etc/apk/keys" "$directory/proc" "$directory/dev" &&
		cp "$keys"/*.rsa.pub "$directory/etc/apk/keys/" || die "make $directory/etc/apk"
	printf '%s\n' "$mirror/$release/main" "$mirror/$release/community" \
		>"$directory/etc/apk/repositories"
	cache_log apk.log
	# shellcheck disable=SC2016 # the inner shell expands it
	work own_namespaces sh -eu -c '
		mount --bind /proc "$1/proc"
		mount --rbind /dev "$1/dev"
		shift
		exec "$@" </dev/null' sh "$directory" "$apk" --root "$directory" --arch "$arch" \
		--keys-dir "$keys" --repositories-file "$directory/etc/apk/repositories" --initdb \
		--update-cache --no-progress add "$@" >"$log" 2>&1 || {
		tail -n 5 "$log" >&2
		die "install $*: apk failed, see above" "see whether the mirror is right; all it said: $log"
	}
	rm -f "$directory"/var/cache/apk/*
}

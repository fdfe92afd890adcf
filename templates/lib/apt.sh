# SPDX-License-Identifier: LGPL-2.1-or-later
#
# apt's configuration, read from the host and written into the container. A host's list mixes its
# distribution with strangers that use the same suite names, so an entry counts only if it is signed
# by that distribution's archive keyring or, unsigned, has its usual form. Entries with credentials
# are passed over: those belong to the host, not to every container on it.
# shellcheck shell=sh disable=SC2034,SC2154

# apt_host_mirror DISTRIBUTION archive|security: sets `mirror_found`. LXC_APT_DIR is for the tests.
apt_host_mirror() {
	mirror_found=''
	apt=${LXC_APT_DIR:-/etc/apt}
	want=$1 kind=$2
	set --
	for file in "$apt/sources.list" "$apt"/sources.list.d/*.list "$apt"/sources.list.d/*.sources; do
		[ ! -r "$file" ] || set -- "$@" "$file"
	done
	[ $# -gt 0 ] || return 0
	apt_usual "$want"
	mirror_found=$(awk -v want="$want" -v kind="$kind" -v usual="$usual" "$apt_entries" "$@")
}

# What the address of an archive usually ends with.
apt_usual() {
	case $1 in
	devuan) usual='/(merged|devuan)/*$' ;;
	*) usual="/$1/*\$" ;;
	esac
}

# Reads both forms, one line an entry and deb822; prints the first fitting URI.
# shellcheck disable=SC2016
apt_entries='
function offer(uri, suite, components, signed) {
	if (done || uri !~ /^(https?|ftp):\/\// || uri ~ /^[a-z]+:\/\/[^\/]*@/)
		return
	if ((" " components " ") !~ / main /)
		return
	if (signed != "" && signed !~ (want "-archive-keyring"))
		return
	if (kind == "security" && suite !~ /(-security|\/updates)$/)
		return
	if (kind == "archive" && (suite ~ /[-\/]/ && suite !~ /^kali-/ || (signed == "" && uri !~ usual)))
		return
	sub(/\/+$/, "", uri)
	print uri
	done = 1
}
function flush_paragraph(    u, s, i, j, uris, suites) {
	if (field["types"] ~ /(^| )deb( |$)/ && tolower(field["enabled"]) !~ /^(no|false|0|off)$/) {
		u = split(field["uris"], uris, " ")
		s = split(field["suites"], suites, " ")
		for (i = 1; i <= u; i++)
			for (j = 1; j <= s; j++)
				offer(uris[i], suites[j], field["components"], field["signed-by"])
	}
	split("", field)
	name = ""
}
FNR == 1 { flush_paragraph(); deb822 = FILENAME ~ /\.sources$/ }
{ sub(/\r$/, "") }
!deb822 {
	sub(/#.*/, "")
	if ($1 != "deb") next
	sub(/^[ \t]*deb[ \t]+/, "")
	signed = ""
	if (match($0, /^\[[^]]*\]/)) {
		options = substr($0, 2, RLENGTH - 2)
		$0 = substr($0, RLENGTH + 1)
		if (match(options, /signed-by=[^ \t]+/))
			signed = substr(options, RSTART + 10, RLENGTH - 10)
	}
	components = ""
	for (i = 3; i <= NF; i++) components = components " " $i
	offer($1, $2, components, signed)
	next
}
/^#/ { next }
/^[ \t]*$/ { flush_paragraph(); next }
/^[ \t]/ { field[name] = field[name] " " $0; gsub(/[ \t]+/, " ", field[name]); next }
{
	name = tolower($0)
	sub(/[ \t]*:.*/, "", name)
	sub(/^[^:]*:[ \t]*/, "")
	gsub(/[ \t]+/, " ")
	sub(/ $/, "")
	field[name] = $0
}
END { flush_paragraph() }'

# apt_host_proxy: debootstrap takes a proxy from the environment only, apt may have one of its own.
apt_host_proxy() {
	[ -z "${http_proxy-}" ] && have apt-config || return 0
	apt_proxy=''
	eval "$(apt-config shell apt_proxy Acquire::http::Proxy 2>/dev/null)"
	case $apt_proxy in
	http*) export http_proxy="$apt_proxy" ;;
	esac
}

# apt_archive_of_tree: the archive that the tree was built from, as its installer noted it there;
# sets `mirror_found`. This is how a container learns an installer's own default.
apt_archive_of_tree() {
	LXC_APT_DIR=$rootfs/etc/apt apt_host_mirror "$1" archive
}

# apt_sources SUITES COMPONENTS SECURITY-SUITE SIGNER: what apt inside uses. SECURITY-SUITE is empty
# where there is none. A mirror that nobody said is the one that the installer chose, and beside
# such a one the security archive stands, under the same name with `security_suffix`; where it is for
# a mirror of our own, only the user can say, unless the suffix is empty.
apt_sources() {
	if [ -z "$mirror" ]; then
		apt_archive_of_tree "$distribution"
		[ -n "$mirror_found" ] || return 0	# what the installer left there is all we have
		mirror=$mirror_found
		security_mirror=${security_mirror:-$mirror$security_suffix}
	fi
	[ -n "$security_suffix" ] || security_mirror=${security_mirror:-$mirror}
	apt_extra=''
	if [ -n "$no_gpg" ]; then
		apt_extra='
Trusted: yes'
	elif [ -n "$keyring" ] && [ "$keyring" != "$4" ]; then
		put "etc/apt/keyrings/${keyring##*/}" 644 ''
		cp "$keyring" "$target" || die "copy $keyring"
		set -- "$1" "$2" "$3" "/etc/apt/keyrings/${keyring##*/}"
	fi
	apt_text=''
	apt_paragraph "$mirror" "$1" "$2" "$4"
	if [ -n "$3" ] && [ -n "$security_mirror" ]; then
		apt_paragraph "$security_mirror" "$3" "$2" "$4"
	elif [ -n "$3" ]; then
		warn 'no mirror known for security updates: give --security-mirror or use mirrors.conf'
	fi
	inside etc/apt/sources.list
	rm -f "$target"
	put "etc/apt/sources.list.d/$distribution.sources" 644 "$apt_text"
}

apt_paragraph() {
	apt_text="${apt_text:+$apt_text

}Types: deb
URIs: $1
Suites: $2
Components: $3
Signed-By: $4$apt_extra"
}

# apt_install 'PACKAGE PACKAGE...': into the container, with the network of the host.
apt_install() {
	put usr/sbin/policy-rc.d 755 '#!/bin/sh' 'exit 101'
	# shellcheck disable=SC2016 # the container's shell expands it
	work enter_networked sh -eu -c 'apt-get -qq update
		apt-get -qq -y -o Dpkg::Use-Pty=0 --no-install-recommends install "$@" >/dev/null
		apt-get clean' sh "$@" || die "install $*: apt-get failed as it said above" \
		"check the names, and that the mirror can be reached"
	rm -f "$rootfs/usr/sbin/policy-rc.d"
}

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What tests of whole templates share, on top of tests/tools/lib.sh: a web server on loopback, keys
# that sign, and the root filesystem of a small system that really boots.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

[ "$(id -u)" = 0 ] || skip_all 'needs root'
need_ours
need busybox gpg gpgv xz curl
busybox httpd --help >/dev/null 2>&1 || skip_all 'this busybox serves no files'
export LXC_CACHE_PATH="$TMP/cache" GNUPGHOME="$TMP/gnupg"
unset MIRROR SECURITY_MIRROR KEYRING http_proxy https_proxy 2>/dev/null
libexec=$(dirname "$(command -v lxc-create)")/../libexec/lxc
www=$TMP/www

# shellcheck source=tests/tools/killed.sh
. "$TESTS/tools/killed.sh"

# serve: what is in $www, at $url, until unserve
serve() {
	mkdir -p "$www"
	tries=0
	while [ $tries -lt 20 ]; do
		port=$(($(od -An -N2 -tu2 /dev/urandom) % 20000 + 20000))
		url=http://127.0.0.1:$port
		busybox httpd -f -p "127.0.0.1:$port" -h "$www" >/dev/null 2>&1 &
		server=$!
		: >"$www/ready"
		! eventually 3 serves || return 0
		kill "$server" 2>/dev/null
		tries=$((tries + 1))
	done
	skip_all 'no port is free on loopback'
}
serves() {
	kill -0 "$server" 2>/dev/null && curl -sf "$url/ready" -o /dev/null
}
unserve() {
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
}

# make_keys: $TMP/keys.gpg trusts `good`; `bad` signs as well as anybody
make_keys() {
	mkdir -m 700 "$GNUPGHOME"
	for who in good bad; do
		gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-gen-key "$who@test.example" \
			ed25519 sign never 2>/dev/null || skip_all 'gpg makes no keys here'
	done
	gpg -q --export good@test.example >"$TMP/keys.gpg"
	gpg -q --armor --export good@test.example >"$TMP/keys.asc"
}

# sign WHO FILE [KIND]: makes FILE.asc; KIND is --detach-sign or --clearsign
sign() {
	rm -f "$2.asc"
	gpg -q --batch --pinentry-mode loopback --passphrase '' --local-user "$1@test.example" --armor \
		"${3:---detach-sign}" --output "$2.asc" "$2"
}

# small_system DIR: what the busybox template makes, as the root filesystem of an image
small_system() {
	run lxc create -n "$C-seed" -f "$NET" -t busybox
	[ "$status" = 0 ] || skip_all 'the busybox template does not work here'
	mkdir -p "$1"
	cp -a "$P/$C-seed/rootfs/." "$1/"
	run lxc destroy -n "$C-seed"
}

# boots NAME: it starts, runs a command, stops and goes
boots() {
	ok "$1 starts" lxc start -n "$1"
	eventually 10 inside "$1" true
	is "$1 runs a command" "$(inside "$1" sh -c 'echo from $((40 + 2))')" 'from 42'
	ok "$1 stops" lxc stop -n "$1" -k
	ok "$1 is destroyed" lxc destroy -n "$1"
	nothing_left "nothing of $1 is left" "$1" destroyed
}

# create NAME TEMPLATE OPTION...
create() {
	new=$1 kind=$2
	shift 2
	run lxc create -n "$new" -f "$NET" -t "$kind" -- "$@"
}

# mapped SENTENCE NAME TEMPLATE OPTION...: the same with ids of the container's own, twice: anew and as it
# is kept
mapped() {
	sentence=$1 new=$2 kind=$3
	shift 3
	chmod 755 "$TMP" "$P"
	printf '%s\n' 'lxc.net.0.type = empty' 'lxc.idmap = auto' >"$TMP/auto.conf"
	for turn in anew again; do
		run lxc create -n "$new-$turn" -f "$TMP/auto.conf" -t "$kind" -- "$@"
		is "$sentence is made in a user namespace, $turn" "$status" 0
		is '... its root is none of the host' "$(find "$P/$new-$turn/rootfs/bin/" -maxdepth 1 -user 0)" ''
	done
	[ "$kind" != gentoo ] || cp "$TMP/system/etc/inittab" "$P/$new-again/rootfs/etc/inittab"
	boots "$new-again"
	lxc destroy -n "$new-anew"
}

# refused SENTENCE ERE NAME TEMPLATE OPTION...: no container comes of it
refused() {
	sentence=$1 words=$2 new=$3
	shift 2
	create "$@"
	if [ "$status" = 0 ]; then lxc destroy -n "$new" >/dev/null 2>&1; fi
	isnt_made "$sentence" "$words" "$new"
}
isnt_made() {
	if [ "$status" = 1 ] && [ ! -e "$P/$3" ] && printf '%s\n' "$err" | grep -Eq -e "$2"; then
		report 0 "$1"
	else
		report 1 "$1" || diag "expected a failure with: $2" "$(said)"
	fi
}

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Ubuntu, Devuan and Kali from an archive of the test's own, served on loopback and signed: created
# with debootstrap and with mmdebstrap, started, logged into, and one package more installed inside
# from the same archive. What is not signed as it should be, or was changed, makes nothing; and
# wherever a create is killed, nothing is left.

. "${0%/*}/lib.sh"
# shellcheck source=tests/tools/lab.sh
. "$TESTS/tools/lab.sh"
# shellcheck source=tests/tools/debrepo.sh
. "$TESTS/tools/debrepo.sh"
# shellcheck source=tests/tools/killed.sh
. "$TESTS/tools/killed.sh"
need debootstrap mmdebstrap apt-ftparchive dpkg-deb gpg busybox
need_ptyrun
need_ours
[ "$(id -u)" = 0 ] || skip_all 'needs root'

LIMIT=$((180 * SLOW))
export LXC_CACHE_PATH="$TMP/cache"
unset MIRROR SECURITY_MIRROR KEYRING http_proxy
KEY=$TMP/lab.gpg
lab_key "$GPG" "$KEY" lab || skip_all 'gpg makes no key'
lab_key "$TMP/other" "$TMP/other.gpg" other
lab_system && ESSENTIAL=1 lab_names required base-passwd dpkg libc6 perl-base mawk debconf &&
	lab_names optional apt systemd-sysv dbus iproute2 netbase ca-certificates locales openssh-server sudo \
		netplan.io systemd-resolved kali-archive-keyring devuan-keyring sysvinit-core init ifupdown \
		isc-dhcp-client || exit 1
lab_hello
lab_deb hello "$TMP/hello" 'Priority: optional' || exit 1
for suite in noble noble-updates noble-security excalibur excalibur-updates excalibur-security kali-rolling; do
	lab_suite "$suite" || exit 1
done
lab_serve || exit 1
echo 'lxc.net.0.type = none' >"$TMP/host.conf"	# the archive is on this host's loopback

# make TEMPLATE NAME OPTION...
make() {
	local template="$1" name="$2"
	shift 2
	lxc create -n "$name" -f "$TMP/host.conf" -t "$template" -- --mirror "$URL" "$@"
}

# lives NAME: it starts, installs from the archive, stops, goes
lives() {
	ok '... starts' lxc start -n "$1"
	ok '... to the end of its boot' eventually 20 inside "$1" test -e /run/booted
	inside "$1" apt-get update >"$TMP/apt.log" 2>&1
	inside "$1" apt-get -qq -y install hello >>"$TMP/apt.log" 2>&1
	is '... and installs one package more from the same archive' "$(inside "$1" hello 2>"$TMP/err")" \
		'hello from the mirror'
	[ ! -s "$TMP/err" ] || diag 'apt said:' "$(cat "$TMP/apt.log")"
	like '... whose signature its own apt checks' "$(cat "$P/$1/rootfs"/etc/apt/sources.list.d/*)" \
		'^Signed-By: /etc/apt/keyrings/lab.gpg'
}
ends() {
	ok '... stops' lxc stop -k -n "$1"
	ok '... and is destroyed' lxc destroy -n "$1"
	nothing_left '... wholly' "$1" destroyed
}

# ---- three relatives

run make ubuntu "$C" -r noble --keyring "$KEY" --password
is 'an Ubuntu' "$status" 0
[ "$status" = 0 ] || { diag "$(said)" "$(cat "$TMP/cache/ubuntu/debootstrap.log")"; done_testing; }
is '... is made without a word of trouble' "$err" ''
password=$(printf '%s\n' "$out" | sed -n "s/.*ubuntu's password is \([^ ]*\) .*/\1/p")
lives "$C"
can_log_in '... lets its user in at a terminal' "$C" 1 ubuntu "$password" '[$]'
like '... who may become root' "$(cat "$P/$C/rootfs/etc/group")" '^sudo:.*[:,]ubuntu$'
like '... while root itself is locked' "$(cat "$P/$C/rootfs/etc/shadow")" '^root:\*:'
ends "$C"

run make devuan "$C-dev" -r excalibur --keyring "$KEY" --password=s3cret
is 'a Devuan' "$status" 0
lives "$C-dev"
can_log_in '... lets root in at the console' "$C-dev" 0 root s3cret '#'
like '... asks for an address by ifupdown' "$(cat "$P/$C-dev/rootfs/etc/network/interfaces")" 'iface eth0 inet dhcp'
ends "$C-dev"

# mmdebstrap is used where debootstrap is not.
mkdir "$TMP/sbin"
ln -s /usr/sbin/* "$TMP/sbin/"
rm "$TMP/sbin/debootstrap"
path=$PATH
PATH=$(printf %s "$PATH" | sed "s,/usr/sbin,$TMP/sbin,; s,:/sbin,:$TMP/sbin,")
run make kali "$C-kali" --keyring "$KEY" --password=s3cret
PATH=$path
is 'a Kali, by mmdebstrap' "$status" 0
[ "$status" = 0 ] || diag "$(said)" "$(tail -n 20 "$TMP/cache/kali/debootstrap.log")"
lives "$C-kali"
can_log_in '... lets root in at tty4' "$C-kali" 4 root s3cret '#'
ends "$C-kali"

# ---- the cache, users, keys

lab_stop_serving
mkdir -p "$TMP/home"
echo 'ssh-ed25519 AAAA me@home' >"$TMP/key.pub"
run make ubuntu "$C-two" -r noble --keyring "$KEY" --user me --ssh-key "$TMP/key.pub"
is 'another user in another one, while the archive is away' "$status" 0
is '... may log in by key' "$(cat "$P/$C-two/rootfs/home/me/.ssh/authorized_keys")" 'ssh-ed25519 AAAA me@home'
like '... and has no password' "$(cat "$P/$C-two/rootfs/etc/shadow")" '^me:\*:'
ok '... it goes' lxc destroy -n "$C-two"
run make ubuntu "$C-two" -r noble --keyring "$KEY" --bindhome nobody
is 'a user of this host' "$status" 0
like '... has the home of here there' "$(cat "$P/$C-two/config")" '^lxc.mount.entry = /.* none bind,create=dir 0 0$'
ok '... it goes, too' lxc destroy -n "$C-two"
lab_serve || exit 1

# ---- whose word counts

# refused SENTENCE ERE TEMPLATE OPTION...
refused() {
	local what="$1" ere="$2" template="$3"
	shift 3
	fails_with "refuses $what" 1 "$ere" make "$template" "$C-no" --flush-cache "$@"
	nothing_left '... and nothing is left' "$C-no" destroyed
	is '... nor in the cache' "$(find "$TMP/cache" -name 'partial-*')" ''
}
refused 'an archive that another key has signed' '[Rr]elease signed by unknown key|[Ss]ignature' ubuntu \
	-r noble --keyring "$TMP/other.gpg"
refused 'an archive whose keys nobody knows' 'no key with the fingerprint 827C8569' kali
cp "$WWW/pool/locales_1_all.deb" "$TMP/locales.deb"
printf X | dd of="$WWW/pool/locales_1_all.deb" bs=1 seek=100 conv=notrunc 2>/dev/null
refused 'a package that was changed on the way' "[Cc]orrupt|Couldn.t download" ubuntu -r noble --keyring "$KEY"
cp "$TMP/locales.deb" "$WWW/pool/locales_1_all.deb"
packages=$(find "$WWW/dists/noble/main" -name Packages)
cp "$packages" "$TMP/Packages"
sed -i 's/^Description: sudo/&x/' "$packages"
refused 'an index that was changed after it was signed' "[Cc]orrupt|Couldn.t download|[Hh]ash" ubuntu \
	-r noble --keyring "$KEY"
cp "$TMP/Packages" "$packages"
rm "$WWW/dists/noble/InRelease" "$WWW/dists/noble/Release.gpg"
refused 'an archive without a signature' 'Release' ubuntu -r noble --keyring "$KEY"
run make ubuntu "$C-any" -r noble --no-gpg
is 'takes it when it is told to trust anything' "$status" 0
like '... and says so' "$err" 'no signature is looked at'
like '... and goes on so inside' "$(cat "$P/$C-any/rootfs"/etc/apt/sources.list.d/*)" '^Trusted: yes'
ok 'destroy removes that, too' lxc destroy -n "$C-any"
lab_suite noble

# ---- killed

killed_anywhere 'an Ubuntu' ubuntu --mirror "$URL" -r noble --keyring "$KEY"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Templates that take a whole root filesystem from a mirror: gentoo, altlinux, voidlinux, ubuntu-cloud, cirros
# and nixos, each with a mirror on loopback in its distribution's own format and signatures.
# shellcheck disable=SC2016,SC2154 # expressions, lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
[ "$(uname -m)" = x86_64 ] || skip_all 'the test makes archives for x86_64'
LIMIT=$((60 * SLOW))
export XZ_OPT=-0
small_system "$TMP/system"
make_keys
serve
echo 'ssh-ed25519 AAAATEST me@test.example' >"$TMP/key.pub"

# archive FILE: of the system
archive() {
	mkdir -p "${1%/*}"
	tar -C "$TMP/system" -cJf "$1" .
}
damage() {
	printf x | dd of="$1" bs=1 seek=2000 conv=notrunc 2>/dev/null
}
# offline TEMPLATE OPTION...: the last good one serves
offline() {
	unserve
	create "$C" "$@"
	is "$1: makes the next one without the mirror" "$status" 0
	like "$1: says that it cannot be reached" "$err" 'cannot reach'
	lxc destroy -n "$C"
	rm -rf "$LXC_CACHE_PATH"
}
online() {
	serve
	rm -rf "$LXC_CACHE_PATH"
}

# ---- gentoo ----

mkdir -p "$TMP/system/etc/init.d" "$TMP/system/etc/runlevels/default" "$TMP/system/etc/conf.d"
echo '#rc_sys=""' >"$TMP/system/etc/rc.conf"
touch "$TMP/system/etc/init.d/net.lo"
builds=$www/gentoo/releases/amd64/autobuilds
gentoo() {
	rm -rf "$builds"
	stage=20240101T000000Z/stage3-amd64-openrc-20240101T000000Z.tar.xz
	archive "$builds/$stage"
	printf '# of the test\n%s 1234\n' "$stage" >"$builds/latest-stage3-amd64-openrc.txt"
	{
		echo '# BLAKE2B HASH'
		(cd "$builds/${stage%/*}" && b2sum "${stage##*/}")
		echo '# SHA512 HASH'
		(cd "$builds/${stage%/*}" && sha512sum "${stage##*/}")
	} >"$builds/$stage.DIGESTS"
	for file in "$builds/latest-stage3-amd64-openrc.txt" "$builds/$stage.DIGESTS"; do
		sign good "$file" --clearsign
		mv "$file.asc" "$file"
	done
}
gentoo
options="--mirror $url/gentoo --keyring $TMP/keys.gpg"
# shellcheck disable=SC2086 # words
create "$C" gentoo $options --password=s3cret
is 'gentoo: makes a container from a stage3' "$status" 0
root=$P/$C/rootfs
is 'gentoo: starts the network at boot' "$(readlink "$root/etc/runlevels/default/net.eth0")" /etc/init.d/net.eth0
like 'gentoo: is told that it is a container' "$(cat "$root/etc/rc.conf")" '^rc_sys="lxc"$'
is 'gentoo: has a login on each terminal' "$(grep -c agetty "$root/etc/inittab")" 5
ttys=$(grep getty "$root/etc/inittab")
like 'gentoo: in the form of its init' "$ttys" '^1:2345:respawn:/sbin/agetty 38400 tty1 vt220$'
cp "$TMP/system/etc/inittab" "$root/etc/inittab"	# busybox reads another form
boots "$C"
# shellcheck disable=SC2086
offline gentoo $options
online
options="--mirror $url/gentoo --keyring $TMP/keys.gpg"
attempt() {	# SENTENCE ERE TEMPLATE OPTION...
	sentence=$1 words=$2 kind=$3
	shift 3
	rm -rf "$LXC_CACHE_PATH"
	# shellcheck disable=SC2086
	refused "$kind: $sentence" "$words" "$C" "$kind" $options "$@"
}
# shellcheck disable=SC2086
mapped 'a Gentoo' "$C" gentoo $options
# shellcheck disable=SC2086
killed_anywhere 'a Gentoo' gentoo $options
damage "$builds/$stage"
attempt 'refuses an archive that was changed' 'its hash is' gentoo
gentoo
sed -i 's/1234/1235/' "$builds/latest-stage3-amd64-openrc.txt"
attempt 'refuses a list that was changed' 'signature is not right' gentoo
gentoo
sed -i "s/^[0-9a-f]\{128\}/$(printf '%0128d' 0)/" "$builds/$stage.DIGESTS"
attempt 'refuses hashes that were changed' 'signature is not right' gentoo
gentoo
{
	sed -n '/^-----BEGIN PGP SIGNED/,$!p' "$builds/$stage.DIGESTS"
	printf '# SHA512 HASH\n%0128d  %s\n' 0 "${stage##*/}"
	cat "$builds/$stage.DIGESTS"
} >"$TMP/digests"
cp "$TMP/digests" "$builds/$stage.DIGESTS"
# shellcheck disable=SC2086
create "$C" gentoo $options
is 'gentoo: believes nothing that stands beside the signed text' "$status" 0
lxc destroy -n "$C"
printf '%s 1\n' "$stage" >"$builds/latest-stage3-amd64-openrc.txt"
attempt 'refuses a list without signature' 'not signed' gentoo
create "$C" gentoo --tarball "$builds/$stage"
is 'gentoo: takes a stage3 of the user' "$status" 0
lxc destroy -n "$C"
refused 'gentoo: says how to name a mirror' 'no mirror is known' "$C" gentoo

# ---- altlinux ----

mkdir -p "$TMP/system/etc/systemd/system" "$TMP/system/usr/lib/systemd/system"
touch "$TMP/system/usr/lib/systemd/system/getty@.service" "$TMP/system/usr/lib/systemd/system/systemd-networkd.service"
images=$www/alt/p11/images/cloud/x86_64
alt() {
	archive "$images/alt-p11-rootfs-systemd-x86_64.tar.xz"
	(cd "$images" && sha256sum ./*.tar.xz | sed 's,\./,,' >SHA256SUMS)
	sign good "$images/SHA256SUMS"
	mv "$images/SHA256SUMS.asc" "$images/SHA256SUMS.gpg"
}
alt
options="--mirror $url/alt --keyring $TMP/keys.gpg"
# shellcheck disable=SC2086 # words
create "$C" altlinux $options -R p11 --password=s3cret
is 'altlinux: makes a container from what the cloud team signed' "$status" 0
root=$P/$C/rootfs
like 'altlinux: asks for an address' "$(cat "$root/etc/systemd/network/eth0.network")" '^DHCP=yes$'
ok 'altlinux: has a login on the terminals' test -L "$root/etc/systemd/system/getty.target.wants/getty@tty1.service"
like 'altlinux: has the password' "$(cat "$root/etc/shadow")" '^root:\$6\$'
boots "$C"
# shellcheck disable=SC2086
offline altlinux $options
online
options="--mirror $url/alt --keyring $TMP/keys.gpg"
damage "$images/alt-p11-rootfs-systemd-x86_64.tar.xz"
attempt 'refuses an archive that was changed' 'its hash is' altlinux
sum=$(sha256sum <"$images/alt-p11-rootfs-systemd-x86_64.tar.xz")
sed -i "s/^[0-9a-f]*/${sum%% *}/" "$images/SHA256SUMS"
attempt 'refuses hashes that were changed' 'signature is not right' altlinux
rm "$images/SHA256SUMS.gpg"
attempt 'refuses a server without signatures' 'fetch SHA256SUMS.gpg' altlinux
alt
sign bad "$images/SHA256SUMS"
mv "$images/SHA256SUMS.asc" "$images/SHA256SUMS.gpg"
attempt 'refuses the signature of a stranger' 'not signed by a key' altlinux
alt
mkdir -p "$www/alt/images/Sisyphus/cloud" && cp -a "$images" "$www/alt/images/Sisyphus/cloud/"
attempt 'finds what is developed at its own place' 'says nothing of it' altlinux -R Sisyphus
refused 'altlinux: says how to name a mirror' 'no mirror is known' "$C" altlinux
rm -rf "$TMP/system/etc/systemd" "$TMP/system/usr/lib/systemd"

# ---- voidlinux ----

mkdir -p "$TMP/system/etc/sv/agetty-tty1" "$TMP/system/etc/runit/runsvdir/default"
if command -v signify-openbsd >/dev/null; then
	live=$www/void/live/current
	signify-openbsd -G -n -p "$TMP/void.pub" -s "$TMP/void.sec"
	signify-openbsd -G -n -p "$TMP/bad.pub" -s "$TMP/bad.sec"
	void() {	# SECRET
		rm -rf "$live"
		archive "$live/void-x86_64-ROOTFS-20240314.tar.xz"
		archive "$live/void-x86_64-musl-ROOTFS-20240314.tar.xz"
		(cd "$live" && sha256sum --tag ./*.xz | sed 's,(\./,(,') >"$TMP/sums"
		cp "$TMP/sums" "$live/sha256sum.txt"
		signify-openbsd -S -s "$TMP/$1.sec" -m "$live/sha256sum.txt" -x "$live/sha256sum.sig"
	}
	void void
	options="--mirror $url/void --key $TMP/void.pub"
	# shellcheck disable=SC2086
	create "$C" voidlinux $options --ssh-key "$TMP/key.pub"
	is 'voidlinux: makes a container from a root filesystem' "$status" 0
	is 'voidlinux: has a login' "$(readlink "$P/$C/rootfs/etc/runit/runsvdir/default/agetty-tty1")" /etc/sv/agetty-tty1
	ok 'voidlinux: enables no service that it does not have' test ! -L "$P/$C/rootfs/etc/runit/runsvdir/default/dhcpcd"
	ok 'voidlinux: lets the key in' grep -q AAAATEST "$P/$C/rootfs/root/.ssh/authorized_keys"
	boots "$C"
	# shellcheck disable=SC2086
	offline voidlinux $options
	online
	options="--mirror $url/void --key $TMP/void.pub"
	damage "$live/void-x86_64-ROOTFS-20240314.tar.xz"
	attempt 'refuses an archive that was changed' 'its hash is' voidlinux
	void bad
	attempt 'refuses hashes that a stranger signed' 'not signed by the key' voidlinux
	rm "$live/sha256sum.sig"
	attempt 'refuses hashes without signature' 'cannot fetch sha256sum.sig' voidlinux
	# shellcheck disable=SC2086
	create "$C" voidlinux $options --no-validate --musl
	is 'voidlinux: asks for no signature when told so' "$status" 0
	lxc destroy -n "$C"
else
	skip 'voidlinux: makes a container from a root filesystem' 'no signify'
fi

# ---- ubuntu-cloud ----

cloud=$www/cloud/releases/noble/release
image=$cloud/ubuntu-24.04-server-cloudimg-amd64-root.tar.xz
ubuntu() {	# WHO-SIGNS
	rm -rf "$cloud"
	archive "$image"
	(cd "$cloud" && sha256sum -b ./*.xz | sed 's,\./,,' >SHA256SUMS)
	gpg -q --batch --pinentry-mode loopback --passphrase '' --local-user "$1@test.example" \
		--detach-sign --output "$cloud/SHA256SUMS.gpg" "$cloud/SHA256SUMS"
}
ubuntu good
options="--mirror $url/cloud --keyring $TMP/keys.gpg -a amd64"
# shellcheck disable=SC2086
create "$C" ubuntu-cloud $options --ssh-key "$TMP/key.pub"
is 'ubuntu-cloud: makes a container from an image' "$status" 0
seed=$P/$C/rootfs/var/lib/cloud/seed/nocloud-net
like 'ubuntu-cloud: names the container to cloud-init' "$(cat "$seed/meta-data")" "^local-hostname: $C$"
like 'ubuntu-cloud: hands the key over' "$(cat "$seed/user-data")" '^  - ssh-ed25519 AAAATEST'
is 'ubuntu-cloud: lets nobody read it' "$(stat -c %a "$seed/user-data")" 600
boots "$C"
printf '#cloud-config\nruncmd: [true]\n' >"$TMP/userdata"
# shellcheck disable=SC2086
create "$C" ubuntu-cloud $options --userdata "$TMP/userdata"
ok 'ubuntu-cloud: takes a user-data of the user' cmp "$TMP/userdata" "$seed/user-data"
lxc destroy -n "$C"
# shellcheck disable=SC2086
offline ubuntu-cloud $options
online
options="--mirror $url/cloud --keyring $TMP/keys.gpg -a amd64"
damage "$image"
attempt 'refuses an image that was changed' 'its hash is' ubuntu-cloud
ubuntu bad
attempt 'refuses hashes that a stranger signed' 'not signed by a key in' ubuntu-cloud
rm "$cloud/SHA256SUMS.gpg"
attempt 'refuses hashes without signature' 'cannot fetch SHA256SUMS.gpg' ubuntu-cloud

# ---- cirros ----

small=$www/cirros/0.6.2
mkdir -p "$www/cirros/version"
echo 0.6.2 >"$www/cirros/version/released"
archive "$small/cirros-0.6.2-x86_64-lxc.tar.xz"
(cd "$small" && sha256sum ./*.xz | sed 's,\./,,' >SHA256SUMS)
sign good "$small/SHA256SUMS"
options="--mirror $url/cirros --keyring $TMP/keys.asc"
# shellcheck disable=SC2086
create "$C" cirros $options --ssh-key "$TMP/key.pub"
is 'cirros: makes a container of the newest' "$status" 0
like 'cirros: hands name and key over' "$(cat "$P/$C/rootfs/var/lib/cloud/seed/nocloud/meta-data")" \
	"\"local-hostname\": \"$C\", \"public-keys\": \"ssh-ed25519 AAAATEST"
boots "$C"
damage "$small/cirros-0.6.2-x86_64-lxc.tar.xz"
attempt 'refuses an archive that was changed' 'its hash is' cirros
rm "$small/SHA256SUMS.asc"
attempt 'refuses hashes without signature' 'cannot fetch SHA256SUMS.asc' cirros
rm "$small/SHA256SUMS"
archive "$small/cirros-0.6.2-x86_64-lxc.tar.xz"
# shellcheck disable=SC2086
create "$C" cirros $options --sha256 "$(sha256sum "$small/cirros-0.6.2-x86_64-lxc.tar.xz" | cut -d' ' -f1)"
is 'cirros: takes a hash of the user in their place' "$status" 0
lxc destroy -n "$C"

# ---- nixos ----

mkdir -p "$TMP/system/nix/store"
archive "$www/nix/nixos-system-x86_64-linux.tar.xz"
options="--mirror $url/nix"
attempt 'wants to know the hash' 'nobody says what its hash must be' nixos
attempt 'refuses an archive that has another hash' 'its hash is' nixos --sha256 "$(printf x | sha256sum | cut -d' ' -f1)"
# shellcheck disable=SC2086
create "$C" nixos $options \
	--sha256 "$(sha256sum "$www/nix/nixos-system-x86_64-linux.tar.xz" | cut -d' ' -f1)"
is 'nixos: makes a container from an archive with that hash' "$status" 0
boots "$C"
done_testing

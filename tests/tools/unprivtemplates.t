#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Templates in user namespaces: for an ordinary user, and for root with ids of each container's own. Each
# family is installed from a small publisher on loopback, started, entered and destroyed; those that
# cannot say so.

. "${0%/*}/user.sh"
# shellcheck source=tests/tools/lab.sh
. "$TESTS/tools/lab.sh"
# shellcheck source=tests/tools/debrepo.sh
. "$TESTS/tools/debrepo.sh"
need debootstrap mmdebstrap apt-ftparchive dpkg-deb gpg gpgv busybox xz curl
need_ours
LIMIT=$((180 * SLOW))
unset MIRROR SECURITY_MIRROR KEYRING http_proxy LXC_CACHE_PATH 2>/dev/null
arch=$(uname -m)
own=$HOME_/.local/share/lxc

# ---- publishers

lab_key "$GPG" "$TMP/lab.gpg" lab || skip_all 'gpg makes no key'
gpg --homedir "$GPG" --armor --export >"$TMP/lab.asc"
lab_system && ESSENTIAL=1 lab_names required base-passwd dpkg libc6 perl-base mawk debconf &&
	lab_names optional apt systemd-sysv dbus iproute2 netbase ca-certificates locales openssh-server sudo \
		netplan.io systemd-resolved kali-archive-keyring || exit 1
for suite in noble noble-updates noble-security kali-rolling; do
	lab_suite "$suite" || exit 1
done
# An archive of the same system, as others publish it.
images=$WWW/alt/p11/images/cloud/$arch
mkdir -p "$images" "$TMP/lab-system/usr/lib/systemd/system"
touch "$TMP/lab-system/usr/lib/systemd/system/getty@.service"
XZ_OPT=-0 tar -C "$TMP/lab-system" -cJf "$images/alt-p11-rootfs-systemd-$arch.tar.xz" . &&
	(cd "$images" && sha256sum -- *.tar.xz >SHA256SUMS) &&
	gpg --homedir "$GPG" --batch -q --detach-sign -o "$images/SHA256SUMS.gpg" "$images/SHA256SUMS" || exit 1
mv "$TMP/lab-system" "$TMP/deb-system"
rpms=''
if command -v dnf >/dev/null && command -v rpmbuild >/dev/null && command -v createrepo_c >/dev/null; then
	# shellcheck source=tests/tools/rpmrepo.sh
	. "$TESTS/tools/rpmrepo.sh"
	lab_system fedora-release systemd systemd-networkd systemd-resolved dnf passwd rootfiles openssh-server \
		openssh-clients iproute hostname procps-ng vim-minimal less glibc-minimal-langpack &&
		lab_sign "$TMP"/rpms/*.rpm && mkdir -p "$WWW/fedora/releases/44/Everything/$arch" \
		"$WWW/fedora/updates/44/Everything" && mv "$TMP/rpms" "$WWW/fedora/releases/44/Everything/$arch/os" &&
		lab_index "$WWW/fedora/releases/44/Everything/$arch/os" &&
		ln -s "$WWW/fedora/releases/44/Everything/$arch/os" "$WWW/fedora/updates/44/Everything/$arch" &&
		rpms=1
fi
lab_serve || exit 1
chmod 755 "$TMP" "$WWW"
cp "$TMP/lab.gpg" "$TMP/lab.asc" "$HOME_/" && chmod 644 "$HOME_"/lab.*
echo 'lxc.net.0.type = empty' >"$HOME_/conf"
chmod 644 "$HOME_/conf"

# ---- an ordinary user

# lives WHAT NAME TEMPLATE OPTION...
lives() {
	local what="$1" name="$2" template="$3" shown=''
	shift 3
	run lxc_ create -n "$name" -f "$HOME_/conf" -t "$template" -- "$@"
	is "$what is made by a user who may nothing" "$status" 0
	[ "$status" = 0 ] || { diag "$(said)"; return; }
	is '... its files belong to the ids of the container' "$(stat -c %u:%g "$own/$name/rootfs/bin/busybox")" "$SUB:$SUB"
	is '... and its configuration to the user' "$(stat -c %u "$own/$name/config")" "$UID_"
	is '... with nothing beside them' "$(ls -A "$own/$name" | tr '\n' ' ')" 'config created.tree rootfs '
	run lxc_ start -n "$name"
	is '... starts' "$status" 0
	ok '... to the end of its boot' eventually 20 lxc_ attach -n "$name" -- test -e /run/booted
	is '... where its root is root' "$(lxc_ attach -n "$name" -- id -u </dev/null)" 0
	ok '... stops' lxc_ stop -k -n "$name"
}
# again WHAT NAME TEMPLATE OPTION...: out of the cache, while nobody serves
again() {
	local what="$1" name="$2" template="$3"
	shift 3
	run lxc_ create -n "$name-two" -f "$HOME_/conf" -t "$template" -- "$@"
	is "$what comes out of the cache the second time" "$status" 0
	is '... with the same owners' "$(stat -c %u:%g "$own/$name-two/rootfs/bin/busybox")" "$SUB:$SUB"
	ok '... and goes' lxc_ destroy -n "$name-two"
	ok '... like the first' lxc_ destroy -n "$name"
	is '... wholly' "$(ls -A "$own")" ''
}
deb="--mirror $URL --keyring $HOME_/lab.gpg"
# shellcheck disable=SC2086 # words
lives 'an Ubuntu, by debootstrap,' one ubuntu $deb -r noble --password=s3cret
mkdir "$TMP/sbin"
ln -s /usr/sbin/* "$TMP/sbin/"
rm "$TMP/sbin/debootstrap"
path=$PATH
PATH=$(printf %s "$PATH" | sed "s,/usr/sbin,$TMP/sbin,; s,:/sbin,:$TMP/sbin,")
# shellcheck disable=SC2086
lives 'a Kali, by mmdebstrap,' two kali $deb
PATH=$path
lives 'an archive of ALT Linux' three altlinux --mirror "$URL/alt" --keyring "$HOME_/lab.asc"
[ -z "$rpms" ] || lives 'a Fedora' four fedora --mirror "$URL/fedora" --keyring "$HOME_/lab.asc" -R 44
XZ_OPT=-0 tar -C "$TMP/deb-system" -cJf "$HOME_/rootfs.tar.xz" . && chmod 644 "$HOME_/rootfs.tar.xz"
lives 'an archive of the user' five local --fstree "$HOME_/rootfs.tar.xz"
lab_stop_serving
lxc_ destroy -n two
lxc_ destroy -n five
[ -z "$rpms" ] || lxc_ destroy -n four
lxc_ destroy -n three
# shellcheck disable=SC2086
again 'the Ubuntu' one ubuntu $deb -r noble
is 'all that is kept lies at home' "$(find "$HOME_/.cache/lxc" -name 'mapped-*.tar' | sed 's,.*/lxc/,,' | sort | head -n 1)" \
	"altlinux/mapped-p11-$arch.tar"
is '... belongs to the user' "$(find "$HOME_/.cache/lxc" ! -user "$UID_" ! -path '*/run*')" ''
is '... and nothing half done is among it' "$(find "$HOME_/.cache/lxc" -name 'partial-*')" ''
for template in archlinux slackware nixos; do
	fails_with "$template says that it cannot" 1 'in a user namespace' lxc_ create -n no -f "$HOME_/conf" -t "$template" -- \
		--mirror http://127.0.0.1:1
done
is '... and leaves nothing' "$(ls -A "$own")" ''

# ---- root, with ids of each container's own

export LXC_CACHE_PATH="$TMP/cache"
lab_serve || exit 1
printf '%s\n' 'lxc.net.0.type = empty' 'lxc.idmap = auto' >"$TMP/auto.conf"
cover /etc/subuid "root:$((SUB + 65536 * 10)):$((65536 * 4))"
cover /etc/subgid "root:$((SUB + 65536 * 10)):$((65536 * 4))"
for name in "$C" "$C-two"; do
	run lxc create -n "$name" -f "$TMP/auto.conf" -t ubuntu -- --mirror "$URL" --keyring "$TMP/lab.gpg" -r noble
	is 'root makes an Ubuntu with automatic ids' "$status" 0
	lab_stop_serving	# the second is of the cache
	run lxc start -n "$name"
	is '... which starts' "$status" 0
	is '... and its root is root' "$(inside "$name" id -u)" 0
	ok '... stops' lxc stop -k -n "$name"
done
ids=$(stat -c %u "$P/$C/rootfs/bin/busybox" "$P/$C-two/rootfs/bin/busybox" | sort -u | wc -l)
is 'both have ids of their own' "$ids" 2
is 'what is kept belongs to none of them' "$(find "$TMP/cache" ! -user 0)" ''
ok 'one goes' lxc destroy -n "$C"
ok '... and the other' lxc destroy -n "$C-two"
nothing_left '... wholly' "$C" destroyed

done_testing

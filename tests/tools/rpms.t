#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The other members of the RPM family, from a small signed repository of the test's own on loopback:
# openSUSE by zypper; Fedora, AlmaLinux, Rocky and Oracle by dnf, laid out as their mirrors are.
# Each is created, started, entered and destroyed. (CentOS has centos.t.)

. "${0%/*}/lib.sh"
# shellcheck source=tests/tools/lab.sh
. "$TESTS/tools/lab.sh"
# shellcheck source=tests/tools/rpmrepo.sh
. "$TESTS/tools/rpmrepo.sh"
# shellcheck source=tests/tools/killed.sh
. "$TESTS/tools/killed.sh"
need dnf zypper rpm rpmbuild rpmsign createrepo_c gpg busybox
need_ours
[ "$(id -u)" = 0 ] || skip_all 'needs root'

LIMIT=$((120 * SLOW))
export LXC_CACHE_PATH="$TMP/cache"
unset MIRROR KEYRING http_proxy
KEY=$TMP/lab.asc
lab_key "$GPG" "$KEY" lab --armor || skip_all 'gpg makes no key'
lab_key "$TMP/other" "$TMP/other.asc" other --armor
# shellcheck disable=SC2046 # one word a name
lab_system $(echo openSUSE-release systemd systemd-network systemd-networkd systemd-resolved zypper openssh \
	openssh-server openssh-clients iproute iproute2 hostname procps procps-ng less vim-small vim-minimal \
	glibc-locale-base glibc-minimal-langpack ca-certificates-mozilla fedora-release almalinux-release \
	rocky-release oraclelinux-release dnf passwd rootfiles NetworkManager basesystem filesystem pld-release rpm poldek \
	vserver-packages rc-scripts pwdutils mingetty dhcpcd) && lab_sign "$TMP"/rpms/*.rpm || exit 1
arch=$(uname -m)
packages=$WWW/packages
mkdir -p "$WWW" && mv "$TMP/rpms" "$packages" && lab_index "$packages" || exit 1
# One repository under the names that it has at each of them.
while read -r place; do
	mkdir -p "$WWW/${place%/*}"
	ln -s "$packages" "$WWW/$place"
done <<PLACES
suse/distribution/leap/15.6/repo/oss
suse/update/leap/15.6/oss
fedora/releases/44/Everything/$arch/os
fedora/updates/44/Everything/$arch
alma/9/BaseOS/$arch/os
alma/9/AppStream/$arch/os
oracle/OL8/baseos/latest/$arch
oracle/OL8/appstream/$arch
pld/dists/th/PLD/$arch/RPMS
pld/dists/th/PLD/noarch/RPMS
PLACES
lab_serve || exit 1

# lives SENTENCE TEMPLATE MIRROR INCLUDE OPTION...
lives() {
	local what="$1" template="$2" mirror="$3" include="$4" name="$C-$2"
	shift 4
	run lxc create -n "$name" -f "$NET" -t "$template" -- --mirror "$URL/$mirror" --keyring "$KEY" "$@"
	is "$what is made" "$status" 0
	[ "$status" = 0 ] || { diag "$(said)" "$(tail -n 20 "$TMP/cache/$template/installer.log")"; return; }
	is '... without a word of trouble' "$err" ''
	is '... by scripts that had what they want' "$(cat "$P/$name/rootfs/etc/scripts")" ran
	like '... goes on with the same mirror' "$(cat "$P/$name/rootfs"/etc/*/*/lxc.repo "$P/$name/rootfs"/etc/*/lxc.repo 2>/dev/null)" \
		"^baseurl=$URL/$mirror/"
	like '... includes the settings of its family' "$(cat "$P/$name/config")" "^lxc.include = .*/$include.common.conf\$"
	ok '... starts' lxc start -n "$name"
	ok '... to the end of its boot' eventually 20 inside "$name" test -e /run/booted
	is '... is called as it should' "$(inside "$name" hostname)" "$name"
	ok '... stops' lxc stop -k -n "$name"
	ok '... is destroyed' lxc destroy -n "$name"
	nothing_left '... wholly' "$name" destroyed
}
lives 'an openSUSE' opensuse suse opensuse -r 15.6
lives 'a Fedora' fedora fedora fedora -R 44
lives 'an AlmaLinux' almalinux alma centos -R 9
lives 'a Rocky Linux' rocky alma centos -R 9
lives 'an Oracle Linux' oracle oracle oracle -R 8
lives 'a PLD' pld pld centos
mkdir -p "$WWW/poldek/dists/th/PLD/$arch/RPMS"
fails_with 'a PLD that poldek alone can read is refused, and what to do is said' 1 'no index for dnf.*|to mend it: createrepo_c' \
	lxc create -n "$C-no" -f "$NET" -t pld -- --mirror "$URL/poldek" --keyring "$KEY" --flush-cache
nothing_left '... and nothing is left' "$C-no" destroyed

killed_anywhere 'a Fedora, by dnf' fedora --mirror "$URL/fedora" --keyring "$KEY" -R 44
killed_anywhere 'an openSUSE, by zypper' opensuse --mirror "$URL/suse" --keyring "$KEY" -r 15.6

# What zypper must not take; dnf's is in centos.t.
suse() { lxc create -n "$C-no" -f "$NET" -t opensuse -- --mirror "$URL/suse" -r 15.6 --flush-cache "$@"; }
fails_with 'zypper refuses what another key has signed' 1 'lxc-create: .*Signature verification failed for repomd' suse --keyring "$TMP/other.asc"
nothing_left '... and nothing is left' "$C-no" destroyed
fails_with 'zypper takes no key that is none' 1 'cannot take the keys' suse --keyring "$NET"
cp "$packages/lab-system-1-1.noarch.rpm" "$TMP/system.rpm"
printf X | dd of="$packages/lab-system-1-1.noarch.rpm" bs=1 seek=100000 conv=notrunc 2>/dev/null
fails_with 'zypper refuses a package that was changed on the way' 1 'lxc-create: .*Signature verification failed' suse --keyring "$KEY"
nothing_left '... and nothing is left' "$C-no" destroyed
cp "$TMP/system.rpm" "$packages/lab-system-1-1.noarch.rpm"
sed -i 's/<revision>/<revision>1/' "$packages/repodata/repomd.xml"
fails_with 'zypper refuses an index that was changed' 1 'lxc-create: .*Signature verification failed for repomd' suse --keyring "$KEY"
nothing_left '... and nothing is left' "$C-no" destroyed
fails_with 'refuses a release that is none' 1 "release '99999'" lxc create -n "$C-no" -f "$NET" -t fedora -- -R 99999

done_testing

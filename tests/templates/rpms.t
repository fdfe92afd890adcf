#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# openeuler and openmandriva, by this host's dnf from a signed repository made here, laid out as their
# mirrors are.
# shellcheck disable=SC2154 # lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/tools/lab.sh
. "$TESTS/tools/lab.sh"
# shellcheck source=tests/tools/rpmrepo.sh
. "$TESTS/tools/rpmrepo.sh"
need dnf rpm rpmbuild rpmsign createrepo_c gpg busybox
[ "$(id -u)" = 0 ] || skip_all 'needs root'
[ "$(uname -m)" = x86_64 ] || skip_all 'the test lays mirrors out for x86_64'
need_ours
LIMIT=$((100 * SLOW))
export LXC_CACHE_PATH="$TMP/cache"
unset MIRROR KEYRING http_proxy 2>/dev/null
KEY=$TMP/lab.asc
lab_key "$GPG" "$KEY" lab --armor || skip_all 'gpg makes no key'
lab_key "$TMP/other" "$TMP/other.asc" other --armor
names=$(sed -n "/^base='/,/'\$/p" "$(dirname "$(command -v lxc-create)")"/../share/lxc/templates/lxc-open* |
	tr -d "'" | sed 's/^base=//')
# shellcheck disable=SC2086 # one word a package
lab_system $names && lab_sign "$TMP"/rpms/*.rpm || exit 1
for place in openEuler-24.03-LTS/OS openEuler-24.03-LTS/everything openEuler-24.03-LTS/update; do
	mkdir -p "$WWW/openeuler/$place/x86_64"
done
for place in release updates; do
	mkdir -p "$WWW/openmandriva/rock/repository/x86_64/main/$place"
done
cp "$TMP"/rpms/*.rpm "$WWW/openeuler/openEuler-24.03-LTS/OS/x86_64/"
cp "$TMP"/rpms/*.rpm "$WWW/openmandriva/rock/repository/x86_64/main/release/"
for place in "$WWW"/openeuler/*/*/x86_64 "$WWW"/openmandriva/rock/repository/x86_64/main/*; do
	lab_index "$place" || exit 1
done
lab_serve || exit 1

for kind in openeuler openmandriva; do
	run lxc create -n "$C" -f "$NET" -t "$kind" -- --mirror "$URL/$kind" --keyring "$KEY" --password=s3cret
	is "$kind: makes a container from a mirror" "$status" 0
	ok "$kind: runs the scripts of packages inside" grep -qx ran "$P/$C/rootfs/etc/scripts"
	like "$kind: sets the password" "$(cat "$P/$C/rootfs/etc/shadow")" '^root:.6.'
	like "$kind: lets the container go on with the same mirror" \
		"$(cat "$P/$C/rootfs/etc/yum.repos.d/lxc.repo")" "^baseurl=$URL/$kind/"
	ok "$kind: starts" lxc start -n "$C"
	eventually 10 inside "$C" true
	is "$kind: runs a command" "$(inside "$C" echo here)" here
	ok "$kind: stops" lxc stop -k -n "$C"
	ok "$kind: is destroyed" lxc destroy -n "$C"
	rm -rf "${LXC_CACHE_PATH:?}"
	fails_with "$kind: refuses what a stranger signed" 1 'signature|key|GPG' \
		lxc create -n "$C" -f "$NET" -t "$kind" -- --mirror "$URL/$kind" --keyring "$TMP/other.asc"
	ok "$kind: and leaves nothing of it" test ! -e "$P/$C"
	fails_with "$kind: says that a mirror is wanted" 1 'where it is published is not known' \
		lxc create -n "$C" -f "$NET" -t "$kind" -- --keyring "$KEY"
	fails_with "$kind: refuses a release that is none" 1 "there is none of that name" \
		lxc create -n "$C" -f "$NET" -t "$kind" -- -R none
done
lab_stop_serving
done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The archlinux template with the real pacman and a repository made here: packages with signatures in a
# database that repo-add makes.
# shellcheck disable=SC2016,SC2035,SC2046,SC2154 # expressions, lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
need pacman repo-add zstd
[ -d /usr/share/makepkg ] || skip_all 'repo-add needs makepkg'
[ "$(uname -m)" = x86_64 ] || skip_all 'the test makes packages for x86_64'
LIMIT=$((60 * SLOW))
export LXC_PACMAN_DIR="$TMP/no-pacman"
small_system "$TMP/system"
ln -s busybox "$TMP/system/bin/bash"	# pacman's shell for scripts
ln -s ../../bin/busybox "$TMP/system/usr/bin/bash"
make_keys
serve
core=$www/arch/core/os/x86_64
mkdir -p "$core" "$www/arch/extra/os/x86_64"

# package NAME DIR SIGNER [DEPENDS]: into core, or extra for that name
package() {
	cat >"$2/.PKGINFO" <<-X
		pkgname = $1
		pkgbase = $1
		pkgver = 1-1
		pkgdesc = of the test
		builddate = 1700000000
		packager = test <good@test.example>
		size = 1000
		arch = x86_64
		${4:+depend = $4}
	X
	place=$core
	[ "$1" != more ] || place=$www/arch/extra/os/x86_64
	file=$place/$1-1-1-x86_64.pkg.tar.zst
	(cd "$2" && tar --owner=0 --group=0 -cf - .PKGINFO $([ ! -e .INSTALL ] || echo .INSTALL) *) |
		zstd -q >"$file"
	rm -f "$file.sig"
	[ "$3" = none ] || gpg -q --batch --pinentry-mode loopback --passphrase '' \
		--local-user "$3@test.example" --detach-sign --output "$file.sig" "$file"
}
databases() {
	rm -f "$core"/core.* "$www"/arch/extra/os/x86_64/extra.*
	repo-add -q "$core/core.db.tar.gz" "$core"/*.zst >/dev/null 2>&1
	repo-add -q "$www/arch/extra/os/x86_64/extra.db.tar.gz" "$www"/arch/extra/os/x86_64/*.zst >/dev/null 2>&1
}

mkdir -p "$TMP/small/usr/share/small" "$TMP/more/usr/lib/systemd/system"
echo needed >"$TMP/small/usr/share/small/file"
echo '[Unit]' >"$TMP/more/usr/lib/systemd/system/more.service"
# What a package does when it is installed must see /proc, and none of the host.
cat >"$TMP/more/.INSTALL" <<'X'
post_install() {
	ls /proc/self >/dev/null && echo done >/usr/share/installed
}
X
package base "$TMP/system" good small
package small "$TMP/small" good
package more "$TMP/more" good base
databases
cp -a "$www/arch" "$TMP/arch.good"
again() {
	rm -rf "$LXC_CACHE_PATH" "$www/arch"
	cp -a "$TMP/arch.good" "$www/arch"
}
options="--mirror $url/arch --keyring $TMP/keys.gpg"

# shellcheck disable=SC2086 # words
create "$C" archlinux $options --packages more --enable-units more --password=s3cret
is 'makes an Arch Linux from a repository' "$status" 0
root=$P/$C/rootfs
is 'installs what its base needs' "$(cat "$root/usr/share/small/file")" needed
is 'runs the scripts of packages inside' "$(cat "$root/usr/share/installed")" 'done'
ok 'installs the packages that it is told' test -e "$root/usr/lib/systemd/system/more.service"
ok 'enables the units that it is told' test -L "$root/etc/systemd/system/multi-user.target.wants/more.service"
like 'lets the container fetch from the same place' "$(cat "$root/etc/pacman.d/mirrorlist")" \
	"^Server = $url/arch/.repo/os/.arch$"
ok 'leaves no keys of the host inside' test ! -e "$root/etc/pacman.d/gnupg"
ok 'has a machine id of its own' grep -qE '^[0-9a-f]{32}$' "$root/etc/machine-id"
like 'sets the password' "$(grep ^root "$root/etc/shadow")" '^root:\$6\$'
like 'includes the settings of Arch Linux' "$(cat "$P/$C/config")" '^lxc.include = /.*/archlinux.common.conf$'
boots "$C"
unserve
# shellcheck disable=SC2086
create "$C" archlinux $options --packages more
is 'makes the next one without the repository' "$status" 0
lxc destroy -n "$C"
serve
options="--mirror $url/arch --keyring $TMP/keys.gpg"

# shellcheck disable=SC2086
killed_anywhere 'an Arch Linux' archlinux $options

attempt() {	# SENTENCE ERE OPTION...
	sentence=$1 words=$2
	shift 2
	# shellcheck disable=SC2086
	refused "$sentence" "$words" "$C" archlinux $options "$@"
	ok 'and leaves nothing in the cache' test -z \
		"$(find "$LXC_CACHE_PATH/archlinux" -maxdepth 1 -name '[rp]*-*' 2>/dev/null)"
}
again
package small "$TMP/small" bad
databases
attempt 'refuses a package that a stranger signed' 'required key missing'
again
package small "$TMP/small" none
databases
attempt 'refuses a package without signature' 'zst.sig'
again
echo changed >"$TMP/small/usr/share/small/file"
cp "$core/small-1-1-x86_64.pkg.tar.zst.sig" "$TMP/sig"
package small "$TMP/small" none
cp "$TMP/sig" "$core/small-1-1-x86_64.pkg.tar.zst.sig"
databases
attempt 'refuses a package that was changed' 'small'
again
attempt 'refuses what a mirror does not have' 'target not found' --packages no-such
attempt 'refuses packages that are options' 'no such names' --packages=--overwrite
refused 'names a unit that is not there' 'does not have it' "$C" archlinux --mirror "$url/arch" \
	--keyring "$TMP/keys.gpg" --enable-units no-such
refused 'says how to name a mirror' 'no mirror is known' "$C" archlinux
ok 'leaves no process of gpg behind' test -z "$(pgrep -f "$LXC_CACHE_PATH")"
done_testing

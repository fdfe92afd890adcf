#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The slackware template and a mirror as Slackware lays it out: packages whose links are lines of their
# scripts, each signed, in a list of checksums that is signed too. What stands for Slackware's
# installpkg does what that does: unpacks, runs the script, writes the record.
# shellcheck disable=SC2016,SC2154 # expressions, lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
[ "$(uname -m)" = x86_64 ] || skip_all 'the test makes packages for x86_64'
LIMIT=$((120 * SLOW))
export XZ_OPT=-0 LXC_SLACKPKG_DIR="$TMP/no-slackpkg"
small_system "$TMP/system"
make_keys
serve
release=$www/slackware64-15.0
echo 'ssh-ed25519 AAAATEST me@test.example' >"$TMP/key.pub"

# package PATH DIR: signed; links become lines of the script, as makepkg does it
package() {
	mkdir -p "$release/${1%/*}" "$2/install"
	(cd "$2" && find . -type l ! -path './install/*' | sed 's,^\./,,' | while read -r link; do
		case $link in */*) place=${link%/*} ;; *) place=. ;; esac
		printf '( cd %s ; rm -rf %s )\n( cd %s ; ln -sf %s %s )\n' "$place" "${link##*/}" "$place" \
			"$(readlink "$link")" "${link##*/}"
		rm "$link"
	done >>install/doinst.sh)
	tar -C "$2" --owner=0 --group=0 -cJf "$release/$1" .
	sign good "$release/$1"
}
# index: the list of checksums, signed
index() {
	(cd "$release" && {
		echo 'These are the MD5 message digests for the files in this directory.'
		find . -type f ! -name 'CHECKSUMS*' -exec md5sum {} +
	} >CHECKSUMS.md5)
	sign good "$release/CHECKSUMS.md5"
}

mkdir -p "$TMP/base" "$TMP/base/etc/rc.d"
cp -a "$TMP/system/." "$TMP/base/"
mv "$TMP/base/bin/busybox" "$TMP/base/bin/bash5.new"	# as Slackware's shell comes
printf '%s\n' 'id:3:initdefault:' 'pf::powerfail:/sbin/genpowerfail start' 'c1:12345:respawn:/sbin/agetty 38400 tty1 linux' \
	>"$TMP/base/etc/inittab.new"
rm -f "$TMP/base/etc/inittab"
printf '%s\n' '#!/bin/sh' '/sbin/hwclock --systohc' '  read junk' '  /sbin/mount -v -n -o remount,ro /' 'echo booted' \
	>"$TMP/base/etc/rc.d/rc.S"
printf '#!/bin/sh\n' >"$TMP/base/etc/rc.d/rc.udev"
printf 'USE_DHCP[0]=""\nUSE_DHCP6[0]=""\nUSE_DHCP[1]=""\n' >"$TMP/base/etc/rc.d/rc.inet1.conf"
chmod 755 "$TMP/base/etc/rc.d/rc.udev"
mkdir -p "$TMP/base/install"
cat >"$TMP/base/install/doinst.sh" <<'X'
if [ -r bin/bash5.new ]; then mv bin/bash5.new bin/busybox; ln -sf busybox bin/bash; fi
[ ! -r etc/inittab.new ] || mv etc/inittab.new etc/inittab
[ -r /proc/self/status ] && [ -c /dev/null ] && pwd >/etc/where
X
mkdir -p "$TMP/pkgtools/sbin"
cat >"$TMP/pkgtools/sbin/installpkg" <<'X'
#!/bin/sh
set -e
[ "$1" = --terse ]
name=${2##*/} name=${name%.t?z} record=/var/lib/pkgtools/packages
mkdir -p $record /var/lib/pkgtools/scripts
tar -C / -xJf "$2"
cd /
[ ! -f install/doinst.sh ] || { sh install/doinst.sh -install; mv install/doinst.sh "/var/lib/pkgtools/scripts/$name"; }
rm -rf install
printf '%s\n' "PACKAGE NAME:     $name" 'FILE LIST:' >$record/$name
tar -tJf "$2" >>$record/$name
X
chmod 755 "$TMP/pkgtools/sbin/installpkg"
mkdir -p "$TMP/empty"
for word in $(sed -n "/^base='/,/'\$/p" "$TESTS/../templates/lxc-slackware" | tr -d "'" | sed 's/^base=//'); do
	case $word in aaa_base | pkgtools | *'|-') continue ;; esac
	rm -rf "$TMP/empty/install"
	package "slackware64/n/${word##*|}-1.0-x86_64-1.txz" "$TMP/empty"
done
rm -rf "$TMP/empty/install"
# Two words in a name, and one that was corrected.
mkdir -p "$TMP/hello/usr/bin" "$TMP/newer/usr/bin"
echo old >"$TMP/hello/usr/bin/hello"
echo new >"$TMP/newer/usr/bin/hello"
package slackware64/ap/hello-world-1.0-x86_64-1.txz "$TMP/hello"
package patches/packages/hello-world-1.1-x86_64-1_slack15.0.txz "$TMP/newer"
package slackware64/a/aaa_base-15.0-x86_64-3.txz "$TMP/base"
package slackware64/a/pkgtools-15.0-noarch-42.txz "$TMP/pkgtools"
index

options="--mirror $url --keyring $TMP/keys.gpg"
# shellcheck disable=SC2086 # words
create "$C" slackware $options --packages hello-world --password=s3cret --ssh-key "$TMP/key.pub"
is 'makes a container' "$status" 0
[ "$status" = 0 ] || { diag "$(said)" "$(cat "$LXC_CACHE_PATH/slackware/installpkg.log" 2>/dev/null)"; done_testing; }
root=$P/$C/rootfs
is '... without a word of trouble' "$err" ''
is '... by scripts that had what they want, inside' "$(cat "$root/etc/where")" /
like '... has records of its packages' "$(cat "$root/var/lib/pkgtools/packages/pkgtools-15.0-noarch-42")" 'sbin/installpkg'
is '... and scripts' "$(test -s "$root/var/lib/pkgtools/scripts/aaa_base-15.0-x86_64-3" && echo yes)" yes
is '... has a package of the user in the corrected version' "$(cat "$root/usr/bin/hello")" new
is '... without those that it came from' "$(ls -d "$root/.lxc-packages" "$root/install" 2>/dev/null)" ''
is '... is called as it should' "$(cat "$root/etc/HOSTNAME")" "$C"
is '... goes on with the same mirror' "$(cat "$root/etc/slackpkg/mirrors")" "$url/slackware64-15.0/"
is '... asks for an address on eth0 alone' "$(grep -c yes "$root/etc/rc.d/rc.inet1.conf")" 2
like '... is shut down by lxc-stop' "$(cat "$root/etc/inittab")" '^pf::powerfail:/sbin/shutdown -h now$'
is '... has a login on each terminal' "$(grep -c '^[a-z0-9]*:2345:respawn:/sbin/agetty' "$root/etc/inittab")" 5
is '... leaves clock, keyboard and disk alone' "$(sed 1d "$root/etc/rc.d/rc.S")" ': hwclock --systohc
  :
  : mount -v -n -o remount,ro /
echo booted'
is '... starts no udev' "$(stat -c %a "$root/etc/rc.d/rc.udev")" 644
like '... has the password' "$(cat "$root/etc/shadow")" '^root:\$6\$'
is '... and the key' "$(cat "$root/root/.ssh/authorized_keys")" "$(cat "$TMP/key.pub")"
like '... includes the settings of its family' "$(cat "$P/$C/config")" '^lxc.include = .*/slackware.common.conf$'
cp "$TMP/system/etc/inittab" "$root/etc/inittab"	# busybox reads another form
boots "$C"
unserve
# shellcheck disable=SC2086
create "$C" slackware $options --packages hello-world
is 'the next one comes out of the cache' "$status" 0
lxc destroy -n "$C"
serve
options="--mirror $url --keyring $TMP/keys.gpg"

attempt() {	# SENTENCE ERE OPTION...
	sentence=$1 words=$2
	shift 2
	rm -rf "$LXC_CACHE_PATH"
	# shellcheck disable=SC2086
	refused "$sentence" "$words" "$C" slackware $options "$@"
	is '... and leaves no tree' "$(ls -d "$LXC_CACHE_PATH"/slackware/rootfs-* "$LXC_CACHE_PATH"/slackware/partial-* 2>/dev/null)" ''
}
attempt 'a package that there is none of' 'install nothing-such: .* does not have it' --packages nothing-such
attempt 'a release that is none' "the release '../x': no such name" -r ../x
cp "$release/CHECKSUMS.md5" "$TMP/sums"
echo 'x' >>"$release/CHECKSUMS.md5"
attempt 'a list that was changed' 'CHECKSUMS.md5: its signature is not right'
sign bad "$release/CHECKSUMS.md5"
attempt 'a list that a stranger signed' 'CHECKSUMS.md5: it is not signed by a key'
cp "$TMP/sums" "$release/CHECKSUMS.md5"
sign good "$release/CHECKSUMS.md5"
package=$release/slackware64/a/pkgtools-15.0-noarch-42.txz
cp "$package" "$TMP/package" && cp "$package.asc" "$TMP/package.asc"
printf x >>"$package"
attempt 'a package that was changed' 'pkgtools-15.0-noarch-42.txz: its signature is not right'
sign bad "$package"
attempt 'a package that a stranger signed' 'pkgtools-15.0-noarch-42.txz: it is not signed by a key'
sign good "$package"
attempt 'another package, though signed, than the list has' 'it is not what the signed list says'
cp "$TMP/package" "$package" && cp "$TMP/package.asc" "$package.asc"
printf 'exit 3\n' >"$TMP/pkgtools/sbin/installpkg"
package slackware64/a/pkgtools-15.0-noarch-42.txz "$TMP/pkgtools"
index
attempt 'what its own installpkg refuses' 'its installpkg failed'
refused 'says how to name a mirror' 'no mirror is known' "$C" slackware
cp "$TMP/keys.asc" "$release/GPG-KEY"
rm -rf "$LXC_CACHE_PATH"
refused 'takes no key of the mirror that is not known' 'no key with the fingerprint' "$C" slackware --mirror "$url"
printf '%s\n' '# mirrors' "http://me@$url/slackware64-15.0/" "$url/slackware64-current/" >"$TMP/mirrors"
mkdir "$LXC_SLACKPKG_DIR" && cp "$TMP/mirrors" "$LXC_SLACKPKG_DIR/"
refused 'finds the mirror of a host that is a Slackware' 'no key with the fingerprint' "$C" slackware

done_testing

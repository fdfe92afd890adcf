#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The alpine template with a repository made here: packages and index in Alpine's format, with RSA
# signatures. Only its apk is a stand-in (a script in the place of the static program), which unpacks
# the packages that it is asked for.
# shellcheck disable=SC2016,SC2154 # expressions, lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
need openssl
LIMIT=$((60 * SLOW))
export LXC_APK_DIR="$TMP/no-apk"
unset APK APK_KEYS_DIR
arch=$(uname -m)
small_system "$TMP/system"
serve
repo=$www/alpine/v3.20/main/$arch
mkdir -p "$repo" "$TMP/keys"
for who in good bad; do
	openssl genrsa -out "$TMP/$who.rsa" 2048 2>/dev/null
	openssl rsa -in "$TMP/$who.rsa" -pubout -out "$TMP/$who.rsa.pub" 2>/dev/null
done
cp "$TMP/good.rsa.pub" "$TMP/keys/good@test.example.rsa.pub"

# stream NAME...: a gzip stream of a tar without its end, as abuild makes them
stream() {
	tar --format=ustar --owner=0 --group=0 -C "$from" -c "$@" >"$TMP/tar"
	size=$(tar -tvR -f "$TMP/tar" | sed -n 's/^block \([0-9]*\): \*\* Block of NULs \*\*.*/\1/p' | head -n 1)
	head -c $((${size:-0} * 512)) "$TMP/tar" | gzip -9n
}

# signed WHO KEY-NAME FILE: FILE.gz with a signature before it
signed() {
	mkdir -p "$TMP/sig"
	rm -f "$TMP"/sig/.SIGN*
	openssl dgst -sha1 -sign "$TMP/$1.rsa" -out "$TMP/sig/.SIGN.RSA.$2.rsa.pub" "$3"
	from=$TMP/sig
	stream ".SIGN.RSA.$2.rsa.pub" >"$3.signature"
}

# package NAME VERSION DIR: with all that is in DIR
package() {
	from=$3
	tar --format=pax --owner=0 --group=0 -C "$3" -c . | gzip -9n >"$TMP/data"
	mkdir -p "$TMP/control"
	printf 'pkgname = %s\npkgver = %s\narch = %s\ndatahash = %s\n' "$1" "$2" "$arch" \
		"$(sha256sum <"$TMP/data" | cut -d' ' -f1)" >"$TMP/control/.PKGINFO"
	from=$TMP/control
	stream .PKGINFO >"$TMP/control.gz"
	signed good good@test.example "$TMP/control.gz"
	cat "$TMP/control.gz.signature" "$TMP/control.gz" "$TMP/data" >"$repo/$1-$2.apk"
	printf 'C:Q1%s\nP:%s\nV:%s\nA:%s\nS:%s\n\n' \
		"$(openssl dgst -sha1 -binary "$TMP/control.gz" | base64)" "$1" "$2" "$arch" \
		"$(stat -c %s "$repo/$1-$2.apk")" >>"$TMP/index/APKINDEX"
}

# index WHO
index() {
	from=$TMP/index
	tar --format=ustar -C "$TMP/index" -c DESCRIPTION APKINDEX | gzip -9n >"$TMP/index.gz"
	signed "$1" good@test.example "$TMP/index.gz"
	cat "$TMP/index.gz.signature" "$TMP/index.gz" >"$repo/APKINDEX.tar.gz"
}

mkdir -p "$TMP/index" "$TMP/tool/sbin" "$TMP/alpine-keys/usr/share/apk/keys" "$TMP/extra/usr/bin"
echo test >"$TMP/index/DESCRIPTION"
cat >"$TMP/tool/sbin/apk.static" <<X
#!/bin/sh
printf '%s\n' "\$*" >>"$TMP/calls"
root= keys= names=
while [ \$# -gt 0 ]; do
	case \$1 in
	--root) root=\$2; shift ;;
	--keys-dir) keys=\$2; shift ;;
	--arch | --repositories-file) shift ;;
	-*) ;;
	add) ;;
	*) names="\$names \$1" ;;
	esac
	shift
done
ls "\$keys"/*.rsa.pub >/dev/null || exit 1
read -r mirror <"\$root/etc/apk/repositories"
for name in \$names; do
	[ "\$name" != no-such ] || { echo "ERROR: no-such (no such package)"; exit 1; }
	curl -sf "\$mirror/$arch/\$name-1-r0.apk" | tar --warning=no-unknown-keyword -xzi -C "\$root" --exclude='.[A-Z]*' || exit 1
done
X
chmod 755 "$TMP/tool/sbin/apk.static"
printf '%s\n' '::sysinit:/sbin/openrc sysinit' 'tty1::respawn:/sbin/getty 38400 tty1' \
	'#tty6::respawn:/sbin/getty 38400 tty6' '::ctrlaltdel:/sbin/reboot' >"$TMP/inittab"
mkdir -p "$TMP/system/etc/init.d" "$TMP/system/etc/runlevels/boot" "$TMP/system/etc/runlevels/default"
touch "$TMP/system/etc/init.d/networking" "$TMP/system/etc/init.d/bootmisc"
cp "$TMP/inittab" "$TMP/system/etc/inittab.alpine"
cp "$TMP/good.rsa.pub" "$TMP/alpine-keys/usr/share/apk/keys/good@test.example.rsa.pub"
echo '#!/bin/sh' >"$TMP/extra/usr/bin/extra"
package alpine-base 1-r0 "$TMP/system"
package apk-tools-static 2.14-r1 "$TMP/tool"
package alpine-keys 2.5-r0 "$TMP/alpine-keys"
package extra 1-r0 "$TMP/extra"
index good
cp -a "$repo" "$TMP/repo.good"
again() {
	rm -rf "$LXC_CACHE_PATH" "$repo" "$TMP/calls"
	cp -a "$TMP/repo.good" "$repo"
}
options="-r 3.20 --mirror $url/alpine --keys $TMP/keys"

# ---- what is right ----

# shellcheck disable=SC2086 # words
create "$C" alpine $options --packages extra --password=s3cret
is 'makes an Alpine from a repository' "$status" 0
like 'has its own apk verify all packages' "$(cat "$TMP/calls")" '--keys-dir [^ ]*/keys '
unlike 'and never lets it take untrusted ones' "$(cat "$TMP/calls")" 'untrusted'
root=$P/$C/rootfs
ok 'installs the packages that it is told' test -e "$root/usr/bin/extra"
like 'lets the container fetch from the same place' "$(cat "$root/etc/apk/repositories")" "^$url/alpine/v3.20/main$"
ok 'lets it trust the same keys' test -e "$root/etc/apk/keys/good@test.example.rsa.pub"
is 'has a login once on each terminal' "$(grep -c getty "$root/etc/inittab")" 5
like 'is told that it is a container' "$(cat "$root/etc/rc.conf")" '^rc_sys="lxc"$'
is 'starts the network at boot' "$(readlink "$root/etc/runlevels/default/networking")" /etc/init.d/networking
ok 'starts nothing that it does not have' test ! -L "$root/etc/runlevels/default/crond"
like 'sets the password' "$(grep ^root "$root/etc/shadow")" '^root:\$6\$'
like 'includes the settings of Alpine' "$(cat "$P/$C/config")" '^lxc.include = /.*/alpine.common.conf$'
boots "$C"
mv "$www/alpine" "$www/away"
# shellcheck disable=SC2086
create "$C" alpine $options --packages extra
is 'makes the next one without the repository' "$status" 0
lxc destroy -n "$C"
mv "$www/away" "$www/alpine"

# shellcheck disable=SC2086
mapped 'an Alpine' "$C" alpine $options
# shellcheck disable=SC2086
killed_anywhere 'an Alpine' alpine $options

# ---- what was changed ----

attempt() {	# SENTENCE ERE OPTION...
	sentence=$1 words=$2
	shift 2
	# shellcheck disable=SC2086
	refused "$sentence" "$words" "$C" alpine $options "$@"
	is 'and runs nothing of it' "$(cat "$TMP/calls" 2>/dev/null)" ''
}
again
index bad
attempt 'refuses an index that a stranger signed' 'APKINDEX.tar.gz: its signature is not right'
again
printf 'C:Q1x\nP:evil\nV:1\n\n' >>"$TMP/index/APKINDEX"
from=$TMP/index
tar --format=ustar -C "$TMP/index" -c DESCRIPTION APKINDEX | gzip -9n >"$TMP/index.gz"
cat "$TMP/index.gz.signature" "$TMP/index.gz" >"$repo/APKINDEX.tar.gz"
attempt 'refuses an index that was changed' 'its signature is not right'
cp "$TMP/index.gz" "$repo/APKINDEX.tar.gz"
attempt 'refuses an index without signature' 'not signed'
again
printf x >>"$repo/apk-tools-static-2.14-r1.apk"
attempt 'refuses a package whose files were changed' 'its files are not those that were signed'
cp "$repo/extra-1-r0.apk" "$repo/apk-tools-static-2.14-r1.apk"
attempt 'refuses another signed package in its place' 'not the package that the index lists'
again
attempt 'refuses keys that nobody knows' 'not signed by a key in' --keys ''
mkdir "$TMP/other"
cp "$TMP/bad.rsa.pub" "$TMP/other/bad.rsa.pub"
attempt 'refuses what none of the keys signed' 'not signed by a key in' --keys "$TMP/other"
attempt 'refuses a release that is no name' "no such name" -r ../x
attempt 'refuses packages that are options' 'no names of packages' --packages=--allow-untrusted
again
# shellcheck disable=SC2086
refused 'tells what apk said' 'no such package' "$C" alpine $options --packages no-such
ok 'keeps nothing half made' test -z "$(find "$LXC_CACHE_PATH/alpine" -maxdepth 1 -name '[rp]*-*')"
refused 'says how to name a mirror' 'no mirror is known' "$C" alpine
done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks by images and archives on the host that makes a container of them.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
LIMIT=$((60 * SLOW))
export XZ_OPT=-0
bait
small_system "$TMP/system"
make_keys
serve
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')

image() {	# WHO-SIGNS: of $TMP/system and $TMP/meta, with the index of a server
	place=$www/images/small/1/$arch/default/20200101
	mkdir -p "$place" "$www/meta/1.0"
	(cd "$TMP/system" && tar -cJf "$place/rootfs.tar.xz" .)
	(cd "$TMP/meta" && tar -cJf "$place/meta.tar.xz" .)
	(cd "$place" && sha256sum meta.tar.xz rootfs.tar.xz >SHA256SUMS)
	sign "$1" "$place/SHA256SUMS"
	echo "small;1;$arch;default;20200101;/images/small/1/$arch/default/20200101/" >"$www/meta/1.0/index-system"
	cp "$www/meta/1.0/index-system" "$www/meta/1.0/index-user"
	sign "$1" "$www/meta/1.0/index-system"
	sign "$1" "$www/meta/1.0/index-user"
}
metadata() {
	rm -rf "$TMP/meta"
	mkdir "$TMP/meta"
	printf '%s\n' "$@" >"$TMP/meta/config"
}
# made_or_refused SENTENCE: an image file becomes a container, which is started, or is refused with words
tried() {
	image good
	create "$C" local --fstree "$place/rootfs.tar.xz" --metadata "$place/meta.tar.xz"
	made=$status
	if [ "$made" = 0 ]; then
		lxc start -n "$C" >/dev/null 2>&1
		lxc stop -k -n "$C" >/dev/null 2>&1
	elif [ -z "$err" ]; then
		report 1 "$1: refused without a word"
	fi
	unlike "$1: nothing of the host is in it" \
		"$(grep -rsl -e '^secret$' "$P/$C/rootfs" 2>/dev/null | head -n 3; grep -s '^root:[^:]*:[0-9]' "$P/$C/rootfs/planted" "$P/$C/config")" .
	lxc destroy -f -n "$C" >/dev/null 2>&1
	unharmed "$1"
}

# ----------------------------------------------------------------------------------------------------
row CVE-2017-18641 'what a template fetches without encryption was changed on its way' \
	'an index and hashes are signed, and verified before anything is unpacked'
metadata 'lxc.environment = A=b'
for who in bad good; do
	image "$who"
	[ "$who" = bad ] || printf x | dd of="$place/rootfs.tar.xz" bs=1 seek=2000 conv=notrunc 2>/dev/null
	rm -rf "$LXC_CACHE_PATH"
	create "$C" download -d small -r 1 --server "$url" --keyring "$TMP/keys.gpg"
	is "$CVE: an image $([ $who = bad ] && echo 'that a stranger signed' || echo 'that was changed') is refused" "$status" 1
	not_ok "$CVE: ... and nothing of it stays" test -e "$P/$C"
done
mkdir -p "$www/debian/dists/bookworm"
printf 'Suite: bookworm\nCodename: bookworm\nComponents: main\nArchitectures: amd64 arm64\n' >"$www/debian/dists/bookworm/Release"
cp "$www/debian/dists/bookworm/Release" "$www/debian/dists/bookworm/InRelease.txt"
sign bad "$www/debian/dists/bookworm/InRelease.txt" --clearsign
cp "$www/debian/dists/bookworm/InRelease.txt.asc" "$www/debian/dists/bookworm/InRelease"
if command -v debootstrap >/dev/null; then
	create "$C" debian -r bookworm --mirror "$url/debian" --security-mirror "$url/debian"
	is "$CVE: a distribution that a stranger signed is refused" "$status" 1
	not_ok "$CVE: ... and nothing of it stays" test -e "$P/$C"
fi
unharmed "$CVE"

# ----------------------------------------------------------------------------------------------------
row CVE-2026-23954 'an image has files filled in whose names lead, by links or "..", to the host' \
	'files of a root filesystem are read and written inside it, and no link is followed'
cp "$TMP/system/etc/hostname" "$TMP/hostname" 2>/dev/null || echo x >"$TMP/hostname"
for target in "$victim" "$up$victim"; do
	metadata 'lxc.environment = A=b'
	rm -rf "$TMP/system/realroot"
	ln -s "$target" "$TMP/system/realroot"
	printf '%s\n' /realroot/hostname realroot/file "../../..$victim/file" "/$up$victim/file" >"$TMP/meta/templates"
	tried "$CVE: names in the list of templates ($target)"
	printf '%s\n' '/realroot/*' "../../..$victim/*" "$victim" >"$TMP/meta/excludes"
	tried "$CVE: names in the list of what is left out ($target)"
	rm -f "$TMP/meta/excludes" "$TMP/meta/templates" "$TMP/system/etc/hostname"
	ln -s "$target/hostname" "$TMP/system/etc/hostname"
	echo /etc/hostname >"$TMP/meta/templates"
	tried "$CVE: /etc/hostname is a link ($target)"
	rm -f "$TMP/system/etc/hostname"
	cp "$TMP/hostname" "$TMP/system/etc/hostname"
	mv "$TMP/system/etc" "$TMP/etc"
	ln -s "$target" "$TMP/system/etc"
	tried "$CVE: /etc is a link ($target)"
	rm -f "$TMP/system/etc"
	mv "$TMP/etc" "$TMP/system/etc"
	rm -f "$TMP/system/realroot"
done

# ----------------------------------------------------------------------------------------------------
row CVE-2026-63294 'the metadata of an image are links to files of the host' \
	'metadata are read as files of the archive, by descriptors that follow no link'
echo 'lxc.hook.pre-start = /bin/mkdir '"$victim"'/hooked' >"$TMP/evil.conf"
for file in config templates excludes create-message expiry; do
	for target in /etc/passwd "$victim/file" "$TMP/evil.conf" "$up/etc/passwd"; do
		metadata 'lxc.environment = A=b'
		ln -sf "$target" "$TMP/meta/$file"
		tried "$CVE: $file is a link to $target"
		unlike "$CVE: ... of which nothing is shown" "$out$err" 'root:|^secret'
	done
done

# ----------------------------------------------------------------------------------------------------
row CVE-2026-34178 'an image brings settings that act on the host, past what was looked at' \
	'settings of an image are those of a short list, and what is looked at is what is taken'
for line in "lxc.hook.pre-start = /bin/mkdir $victim/hooked" "lxc.hook = /bin/mkdir $victim/hooked" "lxc.mount.entry = $victim mnt none bind 0 0" \
	"lxc.include = $TMP/evil.conf" "lxc.rootfs.path = dir:/" 'lxc.idmap = u 0 0 65536' 'lxc.apparmor.profile = unconfined' \
	"	lxc.hook.start-host = /bin/mkdir $victim/hooked" "lxc.hook.pre-start=/bin/mkdir $victim/hooked" 'lxc.namespace.keep = mnt pid' \
	"lxc.log.file = $victim/log" "lxc.console.logfile = $victim/console" 'lxc.cap.keep = sys_module'; do
	metadata "$line"
	tried "$CVE: $line"
	is "$CVE: ... is refused" "$made" 1
done
unserve
nothing_left 'nothing is left' "$C"
done_testing

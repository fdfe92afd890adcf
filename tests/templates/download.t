#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The download and local templates with a small image server on loopback: what is right becomes a
# container that runs, what was changed on its way does not.

# shellcheck disable=SC2016,SC2154 # expressions, lib.sh's variables
# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
LIMIT=$((60 * SLOW))
export XZ_OPT=-0
small_system "$TMP/system"
make_keys
serve

# ---- an image server ----

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')

# image BUILD: of small/1, and an index that says so
image() {
	place=$www/images/small/1/$arch/default/$1
	mkdir -p "$place" "$www/meta/1.0"
	echo "$1" >"$TMP/system/build"
	(cd "$TMP/system" && tar -cJf "$place/rootfs.tar.xz" .)
	(cd "$TMP/meta" && tar -cJf "$place/meta.tar.xz" .)
	sums good
	cat >"$www/meta/1.0/index-system" <<-X
		other;2;$arch;default;20200101;/images/other/
		small;1;$arch;default;$1;/images/small/1/$arch/default/$1/
	X
	cp "$www/meta/1.0/index-system" "$www/meta/1.0/index-user"
	sign good "$www/meta/1.0/index-system"
	sign good "$www/meta/1.0/index-user"
}
sums() {	# WHO-SIGNS
	(cd "$place" && sha256sum meta.tar.xz rootfs.tar.xz >SHA256SUMS)
	sign "$1" "$place/SHA256SUMS"
}

mkdir "$TMP/meta"
echo LXC_NAME >"$TMP/system/etc/hostname"
echo '/etc/hostname' >"$TMP/meta/templates"
echo 'mnt/*' >"$TMP/meta/excludes"
echo 'Welcome to LXC_NAME' >"$TMP/meta/create-message"
cat >"$TMP/meta/config" <<'X'
# of the image
lxc.include = LXC_TEMPLATE_CONFIG/small.common.conf
lxc.signal.halt = SIGINT
lxc.environment = FROM=image
X
touch "$TMP/system/mnt/left-out"
image 20200101
options="-d small -r 1 --server $url --keyring $TMP/keys.gpg"

# ---- what is right ----

# shellcheck disable=SC2086 # words
create "$C" download $options
is 'makes a container from an image server' "$status" 0
like 'says what the image says' "$out" "^Welcome to $C$"
is 'fills the name into the files that the image lists' "$(cat "$P/$C/rootfs/etc/hostname")" "$C"
ok 'leaves out what the image says' test ! -e "$P/$C/rootfs/mnt/left-out" -a -d "$P/$C/rootfs/mnt"
like 'takes the settings of the image' "$(cat "$P/$C/config")" '^lxc.environment = FROM=image$'
like 'takes common settings for a distribution that it does not know' "$(cat "$P/$C/config")" \
	'^lxc.include = /.*/common.conf$'
ok 'keeps no metadata' test ! -e "$P/$C/.metadata"
boots "$C"

run "${libexec%/libexec/lxc}/share/lxc/templates/lxc-download" --list --server "$url" --keyring "$TMP/keys.asc"
like 'lists the images that there are' "$out" "^small +1 +$arch +default +20200101$"
ok 'reads armored keys' test "$status" = 0

image 20200202
# shellcheck disable=SC2086
create "$C" download $options
is 'takes a newer image' "$(cat "$P/$C/rootfs/build")" 20200202
lxc destroy -n "$C"
mv "$www/images" "$TMP/images"
# shellcheck disable=SC2086
create "$C" download $options
is 'does not fetch again what it has' "$status" 0
lxc destroy -n "$C"
mv "$TMP/images" "$www/images"

# shellcheck disable=SC2086
killed_anywhere 'an image' download $options

# ---- what is broken off, and who is offline ----

unserve
# shellcheck disable=SC2086
create "$C" download $options
is 'makes a container of the last good copy without the server' "$status" 0
like 'says that the server cannot be reached' "$err" 'cannot reach the server'
lxc destroy -n "$C"
# shellcheck disable=SC2086
refused 'cannot make what it never fetched without the server' 'cannot fetch other 2' \
	"$C" download $options -d other -r 2
cached=$(find "$LXC_CACHE_PATH" -name rootfs.tar.xz)
cp "$cached" "$TMP/kept"
printf x | dd of="$cached" bs=1 seek=1000 conv=notrunc 2>/dev/null
# shellcheck disable=SC2086
refused 'refuses a copy that was changed in the cache' 'its hash is' "$C" download $options
cp "$TMP/kept" "$cached"
serve
options="-d small -r 1 --server $url --keyring $TMP/keys.gpg"
# Half of the archive is there from a try that ended: the server must not be asked for it again.
head -c 20000 "$place/rootfs.tar.xz" >"$TMP/half"
piece=$(printf '%s' "$url/images/small/1/$arch/default/20200202/rootfs.tar.xz" | cksum | tr ' ' '-')
cp "$TMP/half" "$LXC_CACHE_PATH/download/pieces/$piece-rootfs.tar.xz"
# shellcheck disable=SC2086
create "$C" download $options -F
is 'goes on with what was fetched half' "$status" 0
lxc destroy -n "$C"
head -c 20000 /dev/urandom >"$LXC_CACHE_PATH/download/pieces/$piece-rootfs.tar.xz"
# shellcheck disable=SC2086
create "$C" download $options -F
is 'begins anew where the half was of another file' "$status" 0
lxc destroy -n "$C"

# ---- what was changed ----

attempt() {	# SENTENCE ERE OPTION...
	sentence=$1 words=$2
	shift 2
	rm -rf "$LXC_CACHE_PATH"
	# shellcheck disable=SC2086
	refused "$sentence" "$words" "$C" download $options "$@"
}
sed -i 's/;2;/;3;/' "$www/meta/1.0/index-system"
attempt 'refuses an index that was changed' 'index-system.*(signature is not right|signed)|use index'
image 20200303
sign bad "$www/meta/1.0/index-system"
attempt 'refuses an index that a stranger signed' 'not signed by a key in'
rm "$www/meta/1.0/index-system.asc"
attempt 'refuses an index without signature' 'cannot fetch index-system.asc'
# shellcheck disable=SC2086
create "$C" download $options --unsigned-index
is 'takes an index without signature when told, for the image has one' "$status" 0
lxc destroy -n "$C"
image 20200404
printf x | dd of="$place/rootfs.tar.xz" bs=1 seek=1000 conv=notrunc 2>/dev/null
attempt 'refuses an archive that was changed' 'rootfs.tar.xz: its hash is'
sums bad
attempt 'refuses hashes that a stranger signed' 'not signed by a key in'
rm "$place/SHA256SUMS.asc"
attempt 'refuses hashes without signature' 'cannot fetch SHA256SUMS.asc'
image 20200505
attempt 'needs keys' 'keyring .* is not there' --keyring "$TMP/none"
rm "$place/SHA256SUMS.asc" "$www/meta/1.0/index-system.asc"
# shellcheck disable=SC2086
create "$C" download $options --no-validate
is 'asks for no signature when told so' "$status" 0
lxc destroy -n "$C"
echo 'lxc.hook.pre-start = /bin/true' >>"$TMP/meta/config"
image 20200606
attempt 'refuses settings that act on the host' 'lxc.hook.pre-start = /bin/true.*acts on the host'
# shellcheck disable=SC2086
create "$C" download $options --trust-metadata
is 'takes them from an image that is trusted' "$status" 0
lxc destroy -n "$C"
sed -i '/hook/d; s,LXC_TEMPLATE_CONFIG/small,LXC_TEMPLATE_CONFIG/../../../etc/x,' "$TMP/meta/config"
image 20200707
attempt 'refuses to include a file of the host' 'acts on the host'
sed -i '/include/d' "$TMP/meta/config"
ln -s /etc/shadow "$TMP/meta/create-message-x"
rm "$TMP/meta/create-message"
ln -s /etc/shadow "$TMP/meta/create-message"
image 20200808
# shellcheck disable=SC2086
create "$C" download $options
unlike 'shows no file of the host that a link in the metadata names' "$out" '^root:'
lxc destroy -n "$C" >/dev/null
rm "$TMP"/meta/create-message*
options='-d small -r 1'
attempt 'says how to name a server' 'no image server is known'

# ---- a user namespace ----

# As lxc-create runs templates for a container with id maps: root of the namespace is 200000 outside.
image 20200909
mapped=$TMP/mapped
mkdir -p "$mapped/c" "$mapped/cache"
printf 'lxc.net.0.type = empty\nlxc.rootfs.path = dir:%s\n' "$mapped/c/rootfs" >"$mapped/c/config"
# The installation may be where only root gets to.
cp -a "${libexec%/libexec/lxc}/share/lxc/templates" "$mapped/templates"
cp -a "$libexec" "$mapped/libexec"
cp -a "${libexec%/libexec/lxc}/share/lxc/config" "$mapped/config"
printf '%s\n' "LXC_LIBEXEC_DIR='$mapped/libexec'" "LXC_CONFIG_DIR='$mapped/config'" \
	>>"$mapped/templates/lib/paths.sh"
chown -R 200000:200000 "$mapped"
chmod 755 "$TMP"
in_namespace() {	# TEMPLATE OPTION...
	kind=$1
	shift
	rm -rf "$mapped/c/rootfs"
	run env LXC_CACHE_PATH="$mapped/cache" lxc-usernsexec -m u:0:200000:65536 -m g:0:200000:65536 -- \
		"$mapped/templates/lxc-$kind" --path="$mapped/c" --name=c --rootfs="$mapped/c/rootfs" \
		--mapped-uid=0 --mapped-gid=0 "$@"
}
in_namespace download -d small -r 1 --server "$url" --keyring "$TMP/keys.gpg"
is 'download: fills a root filesystem in a user namespace' "$status" 0
is 'and everything belongs to the ids of that' "$(find "$mapped/c/rootfs" ! -uid 200000 -o ! -gid 200000 | head -n 3)" ''
in_namespace local --fstree "$place/rootfs.tar.xz"
is 'local: as well' "$status $(stat -c %u "$mapped/c/rootfs/bin/busybox")" '0 200000'

# ---- local ----

create "$C" local --fstree "$place/rootfs.tar.xz" --metadata "$place/meta.tar.xz" --password=s3cret
is 'makes a container from a file' "$status" 0
like 'sets a password when asked' "$(cat "$P/$C/rootfs/etc/shadow")" '^root:\$6\$'
boots "$C"
create "$C" local --fstree "$place/rootfs.tar.xz" --sha256 "$(sha256sum "$place/rootfs.tar.xz" | cut -d' ' -f1)"
is 'needs no metadata' "$status" 0
lxc destroy -n "$C"
refused 'refuses a file that has another hash' 'its hash is' "$C" local --fstree "$place/rootfs.tar.xz" \
	--sha256 "$(printf x | sha256sum | cut -d' ' -f1)"
refused 'refuses an archive without a system' 'there is no system in it' "$C" local --fstree "$place/meta.tar.xz"
refused 'names a file that is not there' 'no such file' "$C" local --fstree /nonexistent.tar
refused 'wants an archive' 'no archive' "$C" local
done_testing

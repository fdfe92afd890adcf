#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The oci template: layers become a root filesystem, what the image says of its program becomes
# settings; nothing that has another digest than it was named by is read.
# shellcheck disable=SC2016,SC2154 # expressions, lib.sh's variables

# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
# shellcheck source=tests/templates/serve.sh
. "$TESTS/templates/serve.sh"
need jq
LIMIT=$((60 * SLOW))
small_system "$TMP/system"
arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
foreign=riscv64

# ---- an image ----

layout=$TMP/layout

# blob FILE: sets `digest` and `size`
blob() {
	digest=sha256:$(sha256sum <"$1" | cut -d' ' -f1)
	size=$(stat -c %s "$1")
	mkdir -p "$layout/blobs/sha256"
	cp "$1" "$layout/blobs/sha256/${digest#*:}"
}

# layer DIR [gzip|zstd]: adds what is in it to `layers`
layer() {
	case ${2-} in
	'') tar -C "$1" -cf "$TMP/layer" . ;;
	*) tar -C "$1" "--$2" -cf "$TMP/layer" . ;;
	esac
	blob "$TMP/layer"
	last_layer=$digest
	layers="$layers${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar${2:++$2}\",\"digest\":\"$digest\",\"size\":$size}"
}

# manifest CONFIG [ARCH]: sets `described`, for an index
manifest() {
	printf '{"os":"linux","architecture":"%s","config":%s,"rootfs":{"type":"layers","diff_ids":[]}}' \
		"${2-$arch}" "$1" >"$TMP/config"
	blob "$TMP/config"
	printf '{"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":%s},"layers":[%s]}' \
		"$digest" "$size" "$layers" >"$TMP/manifest"
	blob "$TMP/manifest"
	described="\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"$digest\",\"size\":$size"
}

# index DESCRIPTOR...: with commas between
index() {
	echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
	printf '{"schemaVersion":2,"manifests":[%s]}' "$1" >"$layout/index.json"
}

mkdir -p "$TMP/one/srv/old" "$TMP/two/srv/old" "$TMP/three/srv" "$TMP/three/gone"
cp -a "$TMP/system/." "$TMP/one/"
echo 'web:x:1000:1001::/srv/home:/bin/sh' >>"$TMP/one/etc/passwd"
printf 'web:x:1001:\nextra:x:1002:web\n' >>"$TMP/one/etc/group"
echo first >"$TMP/one/srv/file"
echo first >"$TMP/one/srv/old/a"
mkdir "$TMP/one/gone"
echo x >"$TMP/one/gone/x"
echo second >"$TMP/two/srv/file"
: >"$TMP/two/srv/old/.wh..wh..opq"
echo second >"$TMP/two/srv/old/b"
: >"$TMP/two/.wh.gone"
echo third >"$TMP/three/srv/third"
layers=''
layer "$TMP/one"
layer "$TMP/two" gzip
layer "$TMP/three" zstd
manifest '{"Entrypoint":["/bin/sh","-c"],"Cmd":["id; echo \"at $(pwd)\"; echo $GREETING; echo $HOME"],"Env":["PATH=/bin:/sbin","GREETING=good day"],"User":"web","WorkingDir":"/srv/work","StopSignal":"SIGQUIT"}'
index "{$described}"

# ---- what is right ----

create "$C" oci --url "oci:$layout"
is 'makes a container from a layout' "$status" 0
root=$P/$C/rootfs
is 'lets an upper layer replace a file' "$(cat "$root/srv/file")" second
is 'empties a directory that an upper layer calls opaque' "$(ls "$root/srv/old")" b
ok 'removes what an upper layer removes' test -d "$root/gone" -a ! -e "$root/gone/x"
is 'takes a layer of each wrapping' "$(cat "$root/srv/third")" third
ok 'leaves no whiteout' test -z "$(find "$root" -name '.wh*')"
config=$(cat "$P/$C/config")
like 'runs as the user that the image names, by its own /etc/passwd' "$config" '^lxc.init.uid = 1000$'
like 'with that user group' "$config" '^lxc.init.gid = 1001$'
like 'and in those that have the user as a member' "$config" '^lxc.init.groups = 1002$'
like 'is stopped by the signal that the image names' "$config" '^lxc.signal.halt = SIGQUIT$'
run lxc execute -n "$C"
like 'runs the program of the image' "$out" 'uid=1000\(web\) gid=1001\(web\)'
like 'in its working directory' "$out" '^at /srv/work$'
like 'with its environment' "$out" '^good day$'
like 'with the home of its user' "$out" '^/srv/home$'
lxc destroy -n "$C"

described_here=$described
manifest '{"Cmd":["/sbin/init"]}'
with_init=$described
manifest '{"Cmd":["/bin/elsewhere"]}' "$foreign"
index "{$described,\"platform\":{\"os\":\"linux\",\"architecture\":\"$foreign\"}},
	{$with_init,\"platform\":{\"os\":\"linux\",\"architecture\":\"$arch\"}}"
create "$C" oci --url "$layout"
is 'takes the image for this processor out of several' "$status" 0
like 'and not another one' "$(cat "$P/$C/config")" '^lxc.init.cmd = /sbin/init$'
boots "$C"
cp "$layout/index.json" "$TMP/nested"
blob "$TMP/nested"
index "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"$digest\",\"size\":$size}"
create "$C" oci --url "oci:$layout" --arch "$arch"
is 'finds it in an index in the index' "$status" 0
lxc destroy -n "$C"
refused 'does not take an image for another processor' "find an image for s390x" "$C" oci \
	--url "oci:$layout" -a s390x
named() {	# NAME
	printf '"annotations":{"org.opencontainers.image.ref.name":"%s"}' "$1"
}
index "{$described_here,$(named one)},{$with_init,$(named two)}"
refused 'does not choose among images of different names' 'there are several' "$C" oci --url "oci:$layout"
create "$C" oci --url "oci:$layout:two"
is 'takes the one that it is told' "$status" 0
like 'and no other' "$(cat "$P/$C/config")" '^lxc.init.cmd = /sbin/init$'
lxc destroy -n "$C"
refused 'tells which names there are' 'it has: .*one two' "$C" oci --url "oci:$layout:three"
index "{$with_init}"
tar -C "$layout" -cf "$TMP/image.tar" .
create "$C" oci --url "oci-archive:$TMP/image.tar"
is 'makes a container from the archive of a layout' "$status" 0
ok 'keeps no copy of it' test ! -e "$P/$C/.image"
lxc destroy -n "$C"
manifest '{"Entrypoint":["/bin/echo","a b","it'"'"'s","","c\"d"],"User":"12:34"}'
index "{$described}"
create "$C" oci --url "oci:$layout"
run lxc execute -n "$C"
is 'keeps the words of its command apart' "$out" "a b it's  c\"d"
like 'takes numbers that no file has' "$(cat "$P/$C/config")" '^lxc.init.uid = 12$'
lxc destroy -n "$C"
manifest '{"Cmd":["/bin/sh","-c","echo \"it'"'"'s\"\necho two"]}'
index "{$described}"
create "$C" oci --url "oci:$layout"
run lxc execute -n "$C"
is 'keeps a command that the configuration cannot hold' "$out" "it's
two"
lxc destroy -n "$C"

if command -v skopeo >/dev/null; then
	index "{$with_init,$(named two)}"
	run skopeo --insecure-policy copy "oci:$layout:two" "dir:$TMP/copied"
	create "$C" oci --url "dir:$TMP/copied" --insecure-policy
	is 'takes what skopeo can reach' "$status" 0
	lxc destroy -n "$C"
	mv "$TMP/copied" "$TMP/away"
	create "$C" oci --url "dir:$TMP/copied" --insecure-policy
	is 'takes the last copy when it cannot be reached any more' "$status" 0
	like 'and says so' "$err" 'taking what was fetched before'
	lxc destroy -n "$C"
else
	skip 'takes what skopeo can reach' 'no skopeo'
fi

# ---- what was changed, and what is hostile ----

index "{$with_init}"
killed_anywhere 'an OCI image' oci --url "oci:$layout"
attempt() {	# SENTENCE ERE
	refused "$1" "$2" "$C" oci --url "oci:$layout"
}
file=$layout/blobs/sha256/${last_layer#*:}
cp "$file" "$TMP/kept"
printf x >>"$file"
attempt 'refuses a layer that was changed' 'its hash is'
rm "$file"
attempt 'refuses an image with a part missing' "${last_layer#*:} is not there"
ln -s "$TMP/kept" "$file"
attempt 'follows no link out of a layout' "${last_layer#*:} is not there"
rm "$file"
cp "$TMP/kept" "$file"
file=$(printf '%s' "$with_init" | sed 's/.*sha256:\([0-9a-f]*\).*/\1/')
file=$layout/blobs/sha256/$file
cp "$file" "$TMP/kept"
printf ' ' >>"$file"
attempt 'refuses a manifest that was changed' 'its hash is'
cp "$TMP/kept" "$file"
index '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../../../etc/passwd","size":1}'
attempt 'refuses a digest that is a path' 'is no digest'
echo '{' >"$layout/index.json"
attempt 'refuses an index that is none' 'damaged'
mkdir "$TMP/outside" "$TMP/h1" "$TMP/h2" "$TMP/h2/way"
echo precious >"$TMP/outside/file"
ln -s "$TMP/outside" "$TMP/h1/way"
mkdir "$TMP/h1/etc"
: >"$TMP/h2/way/.wh.file"
echo evil >"$TMP/h2/way/evil"
layers=''
layer "$TMP/h1"
(cd "$TMP/h2" && tar --no-recursion -cf "$TMP/layer" way/.wh.file way/evil)
blob "$TMP/layer"
layers="$layers,{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"$digest\",\"size\":$size}"
manifest '{}'
index "{$described}"
create "$C" oci --url "oci:$layout"
is 'removes and writes nothing through a link of a lower layer' "$(ls "$TMP/outside") $(cat "$TMP/outside/file")" \
	'file precious'
[ "$status" != 0 ] || lxc destroy -n "$C"
layers=''
layer "$TMP/h1"
manifest '{"User":"nobody-here"}'
index "{$described}"
attempt 'refuses a user that the image does not have' "no user 'nobody-here'"
manifest '{"Env":["A=b\nlxc.hook.pre-start=/bin/true"]}'
index "{$described}"
attempt 'lets no environment add settings' 'damaged|control character'
manifest '{"WorkingDir":"/a/../../../b"}'
index "{$described}"
attempt 'refuses a working directory that goes up' "'..' is in its path"
layers=$(printf '%s' "$layers" | sed 's/layer.v1.tar/layer.v9.zip/')
manifest '{}'
index "{$described}"
attempt 'refuses a layer of an unknown kind' 'of the kind'
refused 'names what is not there' 'no such file' "$C" oci --url oci:/nonexistent
refused 'wants an image' 'no image' "$C" oci
refused 'refuses a directory that is no layout' 'has no oci-layout' "$C" oci --url "$TMP/h1"
done_testing

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Images of the Open Container Initiative, from their layout on disk: index.json names manifests, a
# manifest names a configuration and layers, each by its digest. Every part is checked against the
# digest that named it before it is read or unpacked.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154

oci_quote="'"

# arch_oci: sets `arch` and `arch_variant` to the names of images.
arch_oci() {
	arch_debian
	arch_variant=''
	case $arch in
	i386) arch=386 ;;
	armhf) arch=arm arch_variant=v7 ;;
	armel) arch=arm arch_variant=v6 ;;
	ppc64el) arch=ppc64le ;;
	esac
}

# oci_json FILE FILTER [OPTION...]: sets `json`, what jq answers in raw text.
oci_json() {
	json_file=$1 json_filter=$2
	shift 2
	json=$(jq -r "$@" "$json_filter" <"$json_file" 2>/dev/null) ||
		die "read ${json_file##*/} of the image: it is damaged, or says something unknown"
}

# oci_layout DIRECTORY: sets `layout`.
oci_layout() {
	layout=$1
	for part in oci-layout index.json; do
		[ -f "$layout/$part" ] && [ ! -L "$layout/$part" ] ||
			die "use the image $layout: it has no $part" 'an OCI layout, as skopeo and others write it'
	done
}

# oci_blob DIGEST: sets `blob`, a file that is what DIGEST says.
oci_blob() {
	blob=$layout/blobs/${1%%:*}/${1#*:}
	case $1 in
	*:*[!0-9a-f]* | *:) die "use the image: '$1' is no digest" ;;
	sha256:* | sha512:*) ;;
	*) die "use the image: '$1' is no digest" ;;
	esac
	[ -f "$blob" ] && [ ! -L "$blob" ] || die "use the image: its part $1 is not there"
	hash_check "$blob" "${1#*:}"
}

# oci_manifest TAG: sets `manifest`, of the image with that name (or the only one) for `arch`.
oci_manifest() {
	manifest=$layout/index.json
	tag=$1
	for level in 1 2 3 4; do
		oci_json "$manifest" 'has("manifests")'
		[ "$json" = true ] || return 0
		oci_json "$manifest" "$oci_choice" --arg tag "$tag" --arg arch "$arch" \
			--arg variant "$arch_variant"
		case $json in
		'') die "find ${tag:-an image} for $arch: the image does not have it" \
			"it has: $(oci_choices)" ;;
		*' '*) die 'choose an image: there are several' "--url oci:$layout:TAG, of: $(oci_choices)" ;;
		esac
		oci_blob "$json"
		manifest=$blob
		tag=''
	done
	die 'use the image: an index in an index in an index'
}

# Of several for the same processor the first one; different images are told apart by their tags.
oci_choice='
[.manifests[] | select($tag == "" or .annotations["org.opencontainers.image.ref.name"] == $tag)
	| select(.platform == null or (.platform.os == "linux" and .platform.architecture == $arch
		and ($variant == "" or .platform.variant == null or .platform.variant == $variant)))]
| [group_by(.annotations["org.opencontainers.image.ref.name"] // "")[] | .[0].digest]
| unique | join(" ")'

oci_choices() {
	jq -r '[.manifests[] | (.annotations["org.opencontainers.image.ref.name"] // empty),
		(.platform // empty | "\(.os)/\(.architecture)")] | unique | join(" ")' <"$manifest" |
		tr -d '\000-\037\177'
}

# oci_unpack: the layers, the lowest first, and `image`, the configuration.
oci_unpack() {
	oci_json "$manifest" '.config.digest'
	oci_blob "$json"
	image=$blob
	oci_json "$image" '"\(.os)/\(.architecture)"'
	[ "$json" = "linux/$arch" ] || die "use the image: it is for $json, and not for linux/$arch" \
		'--arch ARCH'
	oci_json "$manifest" '.layers[] | "\(.mediaType) \(.digest)"'
	layers=$json
	while read -r kind digest; do
		case $kind in
		*.tar | *.tar+gzip | *.tar+zstd | *.tar.gzip | *.tar.zstd) ;;
		*) die "unpack a layer of the image: it is of the kind '$kind'" ;;
		esac
		oci_blob "$digest"
		say "unpacking layer ${digest#*:}"
		unpack "$blob" "$rootfs" --oci --devices=skip
	done <<-LAYERS
	$layers
	LAYERS
}

# ---- what the image says about its program ----

# oci_settings: sets `settings`, lines for the container's configuration.
oci_settings() {
	settings="lxc.include = $LXC_CONFIG_DIR/common.conf
lxc.include = $LXC_CONFIG_DIR/oci.common.conf"
	oci_command
	oci_environment
	oci_user
	oci_directory
	oci_json "$image" '.config.StopSignal // ""'
	case $json in
	'') oci_add 'lxc.signal.halt = SIGTERM' ;;
	*[!A-Z0-9+-]*) die "use the image: its signal '$json' is none" ;;
	*) oci_add "lxc.signal.halt = $json" ;;
	esac
}

oci_add() {
	case $1 in
	*[[:cntrl:]]*) die "use the image: '${1%%=*}' would have a control character" ;;
	esac
	settings="$settings
$1"
}

# oci_command: a word with both kinds of quotes or a line end, which the configuration cannot hold,
# goes through a script.
oci_command() {
	oci_json "$image" "$oci_words | join(\" \")" --arg q "$oci_quote"
	case $json in
	'') json=/bin/sh ;;
	*NOT-A-LINE*)
		oci_json "$image" "$oci_argv | @sh"
		inside bin/sh
		[ -e "$rootfs/bin/sh" ] || [ -L "$rootfs/bin/sh" ] || [ -L "$rootfs/bin" ] ||
			die 'use the image: its command has quotes in quotes, and there is no shell for it'
		put .lxc-entrypoint 755 '#!/bin/sh' "exec $json"
		json=/.lxc-entrypoint ;;
	esac
	oci_add "lxc.init.cmd = $json"
	oci_add "lxc.execute.cmd = $json"
}

oci_argv='[(.config.Entrypoint // [])[], (.config.Cmd // [])[]]'
oci_words=$oci_argv' | (.[0] // "") as $first | map(
	if test("[\\x00-\\x1f]") or (contains($q) and contains("\"")) then "NOT-A-LINE"
	elif . == "" or test("[ \"]") or contains($q) then
		(if contains($q) then "\"" + . + "\"" else $q + . + $q end) else . end)
	| if ($first | test("[ \"]") or contains($q)) then ["NOT-A-LINE"] else . end'

oci_environment() {
	oci_json "$image" '(.config.Env // [])[] | select(startswith("PATH=") or startswith("HOME="))' 
	case $json in
	*PATH=*) ;;
	*) oci_add 'lxc.environment = PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' ;;
	esac
	oci_json "$image" '(.config.Env // [])[] | if test("[\\x00-\\x1f]") then error("x") else . end'
	while IFS= read -r line; do
		[ -z "$line" ] || oci_add "lxc.environment = $line"
	done <<-ENV
	$json
	ENV
}

# oci_user: USER[:GROUP], names or numbers. Names are looked up in the image's own files; never
# through the C library, which would ask the host.
oci_user() {
	oci_json "$image" '.config.User // ""'
	user=${json%%:*} group='' uid=0 gid='' home='' groups=''
	case $json in *:*) group=${json#*:} ;; esac
	oci_account etc/passwd "${user:-0}" 3
	if [ -n "$account" ]; then
		account_fields "$account"
		user=$field1 uid=$field3 gid=$(oci_number "$field4" group) home=$field6
	else
		uid=$(oci_number "${user:-0}" user)
	fi
	if [ -n "$group" ]; then
		oci_account etc/group "$group" 3
		account_fields "$account"
		gid=${field3:-$(oci_number "$group" group)}
	else
		oci_groups
	fi
	oci_add "lxc.init.uid = $uid"
	oci_add "lxc.init.gid = ${gid:-0}"
	[ -z "$groups" ] || oci_add "lxc.init.groups = $groups"
	[ -z "$home" ] || oci_json "$image" '[(.config.Env // [])[] | select(startswith("HOME="))] | length'
	[ -z "$home" ] || [ "$json" != 0 ] || oci_add "lxc.environment = HOME=$home"
}

# oci_account FILE NAME-OR-NUMBER FIELD: sets `account`, the line that has it as its name or in FIELD.
oci_account() {
	account=''
	inside "$1"
	[ -f "$target" ] && [ ! -L "$target" ] || return 0
	account=$(awk -F: -v want="$2" -v field="$3" '
		$1 == want { print; found = 1; exit }
		$field == want && number == "" { number = $0 }
		END { if (!found && number != "") print number }' "$target")
}

account_fields() {
	IFS=: read -r field1 _ field3 field4 _ field6 _ <<-LINE
	$1
	LINE
	case $field3 in *[!0-9]*) die 'use the image: a line of its accounts is damaged' ;; esac
}

oci_number() {
	case $1 in
	'' | *[!0-9]* | ???????????*) die "use the image: it has no $2 '$1'" ;;
	esac
	printf '%s' "$1"
}

# oci_groups: those that have the user among their members.
oci_groups() {
	inside etc/group
	[ -n "$user" ] && [ -f "$target" ] && [ ! -L "$target" ] || return 0
	groups=$(awk -F: -v user="$user" '("," $4 ",") ~ ("," user ",") && $3 ~ /^[0-9]+$/ {
		printf "%s%s", n++ ? "," : "", $3 }' "$target")
}

oci_directory() {
	oci_json "$image" '.config.WorkingDir // ""'
	case $json in
	'' | /) return 0 ;;
	/*) ;;
	*) die "use the image: its working directory '$json' is not absolute" ;;
	esac
	inside "$json"
	[ -d "$target" ] || [ -L "$target" ] || mkdir -p "$target" || die "make $target"
	oci_add "lxc.init.cwd = $json"
}

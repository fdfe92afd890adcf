# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The metadata that comes with a ready-made root filesystem: settings for the container, what is to
# be left out of it, files in it that have to learn the container's name, a message for the user. A
# file is there in several forms, NAME[-user][.LEVEL], of which the most special one counts.
#
# Settings decide what happens on the host at each start (hooks, mounts), so only those that
# describe what is inside are taken, unless --trust-metadata says that the image is one's own.
# shellcheck shell=sh disable=SC2034,SC2154

option_trust='
|trust-metadata||trust_metadata|take hooks, host mounts and whatever else the image sets'
image_level=7	# of the interface between images and us

# image_mode: sets `mode`, for whom an image must be: `system`, or `user` in a user namespace.
image_mode() {
	mode=system
	read -r _ _ count </proc/self/uid_map || count=4294967295
	if [ -n "$mapped_uid" ] || [ "$count" != 4294967295 ]; then
		mode=user
	fi
}

# image_open ARCHIVE: unpacks the metadata; sets `meta`.
image_open() {
	meta=$path/.metadata
	unfinished=$meta
	unpack "$1" "$meta" --devices=refuse --max-size=16M --max-entries=1000
	image_mode
}

# image_close: the metadata is not part of the container.
image_close() {
	image_message
	remove_tree "$meta" || die "remove $meta"
	unfinished=''
}

# image_file NAME: sets `file`, or nothing. Links in an archive of others are not followed.
image_file() {
	for level in ".$image_level" .6 .5 .4 .3 .2 .1 ''; do
		for suffix in "-$mode$level" "$level"; do
			case $suffix in -system*) continue ;; esac
			file=$meta/$1$suffix
			if [ -f "$file" ] && [ ! -L "$file" ]; then
				return 0
			fi
		done
	done
	file=''
}

# image_words TEXT: sets `text`, with the words that stand for places filled in.
image_words() {
	text=$(printf '%s\n' "$1" | sed -e "s|LXC_TEMPLATE_CONFIG|$(image_escape "$LXC_CONFIG_DIR")|g" \
		-e "s|LXC_CONTAINER_NAME|LXC_NAME|g; s|LXC_NAME|$(image_escape "$name")|g" \
		-e "s|LXC_ROOTFS|$(image_escape "$rootfs")|g" -e "s|LXC_PATH|$(image_escape "$path")|g" \
		-e "s|LXC_HOOK_DIR|$(image_escape "${LXC_CONFIG_DIR%/*}/hooks")|g" | tr -d '\0\033')
}

image_escape() {
	printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}

# image_excludes: sets `excludes`, options for lxc-unpack, one a line.
image_excludes() {
	excludes=''
	image_file excludes
	[ -n "$file" ] || return 0
	while IFS= read -r line; do
		[ -z "$line" ] || excludes="$excludes--exclude=$line
"
	done <"$file"
}

# image_settings: sets `settings`, lines for the container's configuration.
image_settings() {
	settings=''
	image_file config
	[ -n "$file" ] || return 0
	image_words "$(cat "$file")"
	while IFS= read -r line; do
		config_split "$line"
		case $line in
		*=*) image_setting ;;
		esac
		settings="$settings$line
"
	done <<-TEXT
	$text
	TEXT
}

# image_setting: looks at `key`, `value` and `line`; changes the line, or ends.
image_setting() {
	case $key in
	'#'* | lxc.arch | lxc.cap.drop | lxc.environment | lxc.init.cmd | lxc.pty.max | lxc.tty.*) ;;
	lxc.signal.* | lxc.mount.auto | lxc.autodev | lxc.uts.name) ;;
	lxc.include)
		case $value in
		"$LXC_CONFIG_DIR"/*..*) image_refuses ;;
		"$LXC_CONFIG_DIR"/*) image_include ;;
		*) image_refuses ;;
		esac ;;
	*) image_refuses ;;
	esac
}

image_refuses() {
	[ -n "$trust_metadata" ] || die "use the image: it sets '$key = $value', which acts on the host" \
		'--trust-metadata      (if the image is your own)'
}

# A distribution whose settings we do not have gets the common ones.
image_include() {
	[ ! -e "$value" ] || return 0
	case $value in
	*.userns.conf) common=$LXC_CONFIG_DIR/userns.conf ;;
	*.common.conf | *.conf) common=$LXC_CONFIG_DIR/common.conf ;;
	*) image_refuses; return 0 ;;
	esac
	line="lxc.include = $common"
}

# image_fstab: keeps it beside the configuration, where the settings then say so.
image_fstab() {
	image_file fstab
	[ -n "$file" ] && grep -q '^[^#]' "$file" || return 0
	[ -n "$trust_metadata" ] || die 'use the image: its fstab mounts directories of the host' \
		'--trust-metadata      (if the image is your own)'
	image_words "$(cat "$file")"
	printf '%s\n' "$text" >"$path/fstab" || die "write $path/fstab"
	settings="${settings}lxc.mount.fstab = $path/fstab"
}

# image_templates: fills the words into the files of the container that the image lists.
image_templates() {
	image_file templates
	[ -n "$file" ] || return 0
	while IFS= read -r entry; do
		case $entry in '' | *..*) continue ;; esac
		inside "$entry"
		[ -f "$target" ] && [ ! -L "$target" ] || continue
		image_words "$(cat "$target")"
		printf '%s\n' "$text" >"$target" || die "write $target"
	done <"$file"
}

# image_message: what the image's makers want the user to know, without what moves a terminal.
image_message() {
	image_file create-message
	[ -n "$file" ] || return 0
	image_words "$(cat "$file")"
	printf '\n%s\n' "$text" | tr -d '\000-\010\013-\037\177'
}

# image_rootfs ROOTFS-ARCHIVE META-ARCHIVE [OPTION...]: the container from both, the second of which
# may be empty; options for lxc-unpack.
image_rootfs() {
	archive=$1 meta='' settings='' excludes=''
	[ -z "$2" ] || image_open "$2"
	shift 2
	if [ -n "$meta" ]; then
		image_settings
		image_fstab
		image_excludes
	fi
	say "unpacking ${archive##*/}"
	IFS='
'
	set -f	# no word of the list is a pattern of ours
	# shellcheck disable=SC2086 # one word a line
	set -- "$archive" "$@" $excludes
	unset IFS
	set +f
	unpack_rootfs "$@"
	inside dev/pts
	[ -d "$target" ] || mkdir -p "$target" || die "make $target"
	[ -z "$meta" ] || image_templates
	inside etc/machine-id
	[ ! -e "$target" ] || identity_machine
	image_login
	config_identity "${settings:-lxc.include = $LXC_CONFIG_DIR/common.conf}"
	config_hwaddr
	config_owner
	[ -z "$meta" ] || image_close
}

# image_login: who may log in is the image's affair, unless the user says something about it.
image_login() {
	if [ -n "$password_given$password" ]; then
		login_root
		login_announce
	fi
	login_key
}

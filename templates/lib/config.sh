# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The container's config file. lxc-create has written the default settings and the root filesystem's
# place into it already; a template only appends, so that nothing of the administrator's own gets
# lost and the owner of the file stays the same.
# shellcheck shell=sh disable=SC2154

# config_open: sets `config`, and `rootfs` where the caller gave no --rootfs.
config_open() {
	config=$path/config
	config_rootfs=''
	config_newline=''	# set if the last line has no end
	if [ -e "$config" ]; then
		while IFS= read -r line || { [ -n "$line" ] && config_newline=1; }; do
			config_split "$line"
			if [ "$key" = lxc.rootfs.path ]; then
				config_rootfs=$value
			fi
		done <"$config"
	fi
	case $config_rootfs in
	[a-z]*:/*) config_default=${config_rootfs#*:} ;;
	/*) config_default=$config_rootfs ;;
	*) config_default=$path/rootfs ;;
	esac
	rootfs=${rootfs:-$config_default}
	case $rootfs in
	/*) ;;
	*) die "use the root filesystem $rootfs: not an absolute path" ;;
	esac
}

# config_split LINE: sets `key` and `value`, without the blanks around them.
config_split() {
	key=${1%%=*} value=${1#*=}
	key=${key#"${key%%[![:space:]]*}"}
	key=${key%"${key##*[![:space:]]}"}
	value=${value#"${value%%[![:space:]]*}"}
	value=${value%"${value##*[![:space:]]}"}
}

# config_add LINE...
config_add() {
	[ -z "$config_newline" ] || printf '\n' >>"$config"
	config_newline=''
	printf '%s\n' "$@" >>"$config" || die "write $config"
}

# config_identity LINE...: what every template writes first. A user namespace has settings of its own,
# unless the lines know of it.
config_identity() {
	case $mapped_uid$* in
	[0-9]*userns.conf*) ;;
	[0-9]*) set -- "$@" "lxc.include = $LXC_CONFIG_DIR/userns.conf" ;;
	esac
	[ -n "$config_rootfs" ] || config_add "lxc.rootfs.path = dir:$rootfs"
	config_add '' '# Distribution configuration' "$@" '' '# Container specific configuration' \
		"lxc.uts.name = $name"
	[ -z "$arch" ] || config_add "lxc.arch = $arch"
}

# config_hwaddr: an address of its own for each interface that has none, so that a DHCP server sees
# the same machine at every start.
config_hwaddr() {
	interfaces='' addressed=' '
	while IFS= read -r line; do
		config_split "$line"
		index=${key#lxc.net.} index=${index%%.*}
		case $key=$value in
		lxc.net.*.type=veth | lxc.net.*.type=macvlan) interfaces="$interfaces $index" ;;
		lxc.net.*.hwaddr=?*) addressed="$addressed$index " ;;
		esac
	done <"$config"
	for index in $interfaces; do
		case $addressed in *" $index "*) continue ;; esac
		random=$(od -An -N3 -tx1 /dev/urandom) || die 'read /dev/urandom'
		# shellcheck disable=SC2086 # three words on purpose
		set -- $random
		config_add "lxc.net.$index.hwaddr = 10:66:6a:$1:$2:$3"
	done
}

# config_owner: in a user namespace the files were made by its root; the caller's own id gets the
# config back, since it is the caller who edits it.
config_owner() {
	[ -n "$mapped_uid" ] || return 0
	chown "$mapped_uid${mapped_gid:+:$mapped_gid}" "$config" || die "give $config to its owner"
}

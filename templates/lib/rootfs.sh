# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Writing into a root filesystem from outside. Its symbolic links are meant for those inside: an
# absolute one, followed by us, leads into the host. So nothing is written through a link, neither
# as the file itself nor on the way to it; an existing link in the file's place is replaced.
# Paths are relative to the root filesystem.
# shellcheck shell=sh disable=SC2154

# rootfs_fresh: makes the directory; a tree that is there already is not ours to write into.
rootfs_fresh() {
	mkdir -p "$rootfs" || die "make $rootfs"
	for entry in "$rootfs"/* "$rootfs"/.[!.]*; do
		case $entry in */lost+found) continue ;; esac
		if [ -e "$entry" ] || [ -L "$entry" ]; then
			die "fill $rootfs: it is not empty (it has ${entry##*/})"
		fi
	done
}

# inside PATH: sets `target`, its place as seen from the host; ends if a link lies on the way.
inside() {
	target=$rootfs
	rest=$1/
	while [ -n "$rest" ]; do
		word=${rest%%/*}
		rest=${rest#*/}
		case $word in
		..) die "write $1 in the container: '..' is in its path" ;;
		'' | .) continue ;;
		esac
		if [ "$target" != "$rootfs" ] && [ -L "$target" ]; then
			die "write $1 in the container: ${target#"$rootfs"} is a symbolic link"
		fi
		target=$target/$word
	done
}

# put PATH MODE LINE...: a file with these lines, in a directory that is made if need be.
put() {
	inside "$1"
	if [ -e "$target" ] || [ -L "$target" ]; then
		rm -f -- "$target" || die "replace /$1 in the container"
	fi
	mode=$2 file=$target directory=${target%/*}
	shift 2
	[ -d "$directory" ] || mkdir -p "$directory" || die "make $directory"
	case $mode in
	644) ;;
	*) umask 077 ;;
	esac
	printf '%s\n' "$@" >"$file" || die "write $file"
	umask 022
	[ "$mode" = 600 ] || [ "$mode" = 644 ] || chmod "$mode" "$file" || die "set the mode of $file"
}

# put_link PATH DESTINATION
put_link() {
	inside "$1"
	[ -d "${target%/*}" ] || mkdir -p "${target%/*}" || die "make ${target%/*}"
	ln -sfn "$2" "$target" || die "make the link $target"
}

# enter COMMAND...: in the root filesystem, with an environment of its own. A proxy may have a password,
# so it is not an argument of env.
enter() (
	set -- "$rootfs" "$@"
	for variable in $(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p'); do
		case $variable in
		PATH | http_proxy | OLDPWD | PWD) ;;
		*) unset "$variable" ;;
		esac
	done
	export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C DEBIAN_FRONTEND=noninteractive
	exec chroot "$@"
)

# own_namespaces COMMAND...: with a /proc of its own; mounts that it leaves behind and daemons that it
# starts end with it, and it ends with us, even if we are killed. It does not come back: run it through
# `work`. In a user namespace the caller is there under another id, which a setuid mount(8) of the host
# would take on.
own_namespaces() {
	exec setpriv --pdeathsig KILL ${mapped_uid:+--no-new-privs} unshare --mount --pid --mount-proc --fork \
		--kill-child "$@"
}

# build_inside COMMAND...: an installer, with what packages' scripts expect in the tree `root_dir`: a
# /proc, and a /dev of its own. Settings that it looks for at home are in `side_dir`.
# shellcheck disable=SC2016 # the inner shell expands it
build_inside() {
	own_namespaces sh -eu -c '
		root=$1 HOME=$2; shift 2
		export HOME LC_ALL=C
		mkdir -p "$root/dev" "$root/proc" "$root/sys"
		mount -t tmpfs -o mode=755 tmpfs "$root/dev"
		for node in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
			at=$root/dev/${node%%:*} number=${node#*:}
			# Nobody makes device nodes in a user namespace; those of the host do as well.
			mknod -m 666 "$at" c "${number%:*}" "${number#*:}" 2>/dev/null ||
				{ : >"$at"; mount --bind "/dev/${node%%:*}" "$at"; }
		done
		mount --bind /proc "$root/proc"
		"$@"' sh "$root_dir" "$side_dir" "$@"
}

# enter_networked COMMAND...: with /proc, /dev and the host's name servers besides.
enter_networked() {
	inside etc/resolv.conf
	# shellcheck disable=SC2016 # the inner shell expands it
	own_namespaces sh -eu -c '
		rootfs=$1 lib=$2; shift 2
		mount --bind /proc "$rootfs/proc"
		mount --rbind /dev "$rootfs/dev"
		mount -t tmpfs tmpfs "$rootfs/run"
		if [ -L "$rootfs/etc/resolv.conf" ]; then	# into /run, or it is of no use here
			mkdir -p "$rootfs/run/systemd/resolve"
			cat /etc/resolv.conf >"$rootfs/run/systemd/resolve/stub-resolv.conf"
		elif [ -e "$rootfs/etc/resolv.conf" ]; then
			mount --bind /etc/resolv.conf "$rootfs/etc/resolv.conf"
		fi
		. "$lib/rootfs.sh"
		enter "$@"' sh "$rootfs" "$lib" "$@"
}

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Containers that are hosts for containers, on top of lib.sh: they have the tools of this host, and two small
# containers in /inner, "plain" and "mapped".
# shellcheck disable=SC2034,SC3043 # variables for the tests; local as everywhere

prefix=$(cd "$(dirname "$(command -v lxc-start)")/.." && pwd)
whole=$prefix
[ "$prefix" = /usr ] || whole=$(cd "$prefix/.." && pwd)	# with its etc, var and run

# What makes one a host: the tools of this host, nothing of what they know.
host_config() {
	local dir
	echo "lxc.include = $prefix/share/lxc/config/nesting.conf"
	echo 'lxc.mount.entry = /usr usr none rbind,ro'
	if [ "$prefix" != /usr ]; then
		printf 'lxc.mount.entry = %s\n' "$whole ${whole#/} none rbind,create=dir" \
			"none ${whole#/}/run tmpfs create=dir" "none ${whole#/}/var tmpfs create=dir"
	fi
	for dir in lib lib64; do
		[ -L "/$dir" ] || echo "lxc.mount.entry = /$dir $dir none rbind,ro,create=dir"
	done
}
host() {	# NAME [CONFIG-LINE]...
	local name="$1" dir inner
	shift
	rm -rf "${P:?}/$name"
	make_container "$name" 'lxc.mount.auto = proc:mixed sys:mixed cgroup:rw:force' "$@"
	host_config >>"$P/$name/config"
	rm -rf "${P:?}/$name/rootfs" && cp -a "$TMP/mini" "$P/$name/rootfs"	# not by links: others' owners are mapped
	for dir in lib lib64; do
		if [ -L "/$dir" ]; then ln -s "$(readlink "/$dir")" "$P/$name/rootfs/$dir"; fi
	done
	inner=$P/$name/rootfs/inner
	mkdir -p "$inner/plain" "$inner/mapped"
	cp -a "$TMP/mini" "$inner/plain/rootfs" && cp -a "$TMP/mini" "$inner/mapped/rootfs"
	for dir in plain mapped; do
		printf '%s\n' "lxc.rootfs.path = dir:/inner/$dir/rootfs" 'lxc.net.0.type = empty' 'lxc.mount.auto = proc:mixed sys:ro' \
			'lxc.tty.max = 2' 'lxc.pty.max = 8' "lxc.uts.name = $dir" >"$inner/$dir/config"
	done
	printf '%s\n' 'lxc.idmap = auto:1000' >>"$inner/mapped/config"
	chmod 755 "$P/$name"
}

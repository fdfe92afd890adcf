# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees that were fetched once and are copied for each container. A tree is built beside its final
# place and renamed, so that whatever has the final name is complete. A lock a distribution: who
# builds or removes holds it alone, who copies shares it. Beside each tree a note says what went
# into it; a tree with another note, or with none, was made by something else and is built again.
#
# In a user namespace files belong to the ids of one container, and others cannot read them as theirs. So
# there a system is built where it will be and kept as an archive, which has the ids of inside; whatever
# lies in the cache is given to the caller, and what is of use for the moment lies beside the container.
# shellcheck shell=sh disable=SC2034,SC2154

# cache_open DISTRIBUTION: sets `cache`, and `cache_side`, for what is of use for the moment; does what
# --clean asks. Who may not write where all share one has a cache at home.
cache_open() {
	cache=${LXC_CACHE_PATH:-$LXC_CACHE_DIR}/$1
	if [ -z "${LXC_CACHE_PATH-}" ] && ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
		cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/lxc/$1
	fi
	mkdir -p "$cache" || die "make the cache $cache" "LXC_CACHE_PATH=DIRECTORY lxc-create …"
	cache_side=$cache
	if [ -n "${mapped_uid-}" ] && [ -n "${path-}" ]; then
		cache_side=$path/.making beside=$path/.making
		mkdir -p "$cache_side" || die "make $cache_side"
		rm -f "$cache"/*.log
	fi
	cache_own "$cache"
	cache_own "${cache%/*}"
	exec 9>"$cache/.lock" || die "open the lock $cache/.lock"
	cache_own "$cache/.lock"
	[ -n "$clean" ] || return 0
	cache_lock -x
	say "removing the cached trees in $cache"
	for tree in "$cache"/rootfs-* "$cache"/mapped-* "$cache"/partial-* "$cache"/pieces; do
		remove_tree "$tree" || die "remove $tree"
	done
	if [ -z "${path-}" ]; then
		exit 0
	fi
	exec 9>"$cache/.lock"
}

# cache_own FILE: what we make in a user namespace is the caller's, if it is not already.
cache_own() {
	[ -z "${mapped_uid-}" ] || [ ! -O "$1" ] || chown "${mapped_uid-}${mapped_gid:+:$mapped_gid}" "$1" ||
		die "give $1 to its owner"
}

# cache_log NAME: sets `log`, an empty file in the cache.
cache_log() {
	log=$cache/$1
	: >"$log" || die "write $log"
	cache_own "$log"
}

# cache_lock -s|-x: says so when it has to wait.
cache_lock() {
	flock "$1" -n 9 && return 0
	say "waiting for another $template that uses the cache"
	work flock "$1" 9 || die "lock $cache/.lock"
}

# cache_tree KEY NOTE FUNCTION: sets `tree`, a complete tree for KEY, which `FUNCTION DIR` makes if
# it is missing, was made from something else than NOTE, or --flush-cache asks for a fresh one. The
# lock stays ours until we end.
cache_tree() {
	tree=$cache/rootfs-$1
	if [ -z "$flush_cache" ]; then
		cache_lock -s
		if cache_fits "$2"; then
			cache_sweep
			return 0
		fi
	fi
	cache_lock -x
	if [ -z "$flush_cache" ] && cache_fits "$2"; then
		return 0	# somebody else built it while we waited
	fi
	cache_sweep
	unfinished=$cache/partial-$1
	mkdir "$unfinished" || die "make $unfinished"
	cache_own "$unfinished"
	"$3" "$unfinished"
	remove_tree "$tree" || die "remove $tree"
	rm -f "$tree.made-from"
	printf '%s\n' "$2" >"$tree.made-from" && mv "$unfinished" "$tree" || die "put $tree into place"
	unfinished=''
}

# cache_system KEY NOTE FUNCTION: the same for a tree that is a system, to be placed with cache_place.
cache_system() {
	placed=''
	if [ -z "${mapped_uid-}" ]; then
		cache_tree "$@"
		return 0
	fi
	tree=$cache/mapped-$1.tar
	if [ -z "$flush_cache" ]; then
		cache_lock -s
		! cache_fits "$2" || return 0
	fi
	cache_lock -x
	cache_sweep
	"$3" "$rootfs"
	unfinished=$cache/partial-$1.tar
	work tar --numeric-owner --acls --xattrs --xattrs-include='*' --sparse -C "$rootfs" -cf "$unfinished" . ||
		die "keep the new system in $tree"
	rm -f "$tree.made-from"
	cache_own "$unfinished"
	printf '%s\n' "$2" >"$tree.made-from" && mv "$unfinished" "$tree" || die "put $tree into place"
	cache_own "$tree.made-from"
	unfinished='' placed=1
}

# cache_place: into the root filesystem, unless it was built there.
cache_place() {
	if [ -n "$placed" ]; then
		return 0
	elif [ -d "$tree" ]; then
		copy_tree "$tree" "$rootfs"
	else
		work tar --numeric-owner --acls --xattrs --xattrs-include='*' -C "$rootfs" -xpf "$tree" ||
			die "unpack $tree" "--flush-cache"
	fi
}

# cache_sweep: who builds holds the lock alone, so what is half made while we have it is of somebody
# who was killed.
cache_sweep() {
	for stale in "$cache"/partial-*; do
		remove_tree "$stale" || die "remove $stale"
	done
}

# cache_fits NOTE
cache_fits() {
	[ -e "$tree" ] && [ -r "$tree.made-from" ] && IFS= read -r made_from <"$tree.made-from" &&
		[ "$made_from" = "$1" ]
}

# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Trees that were fetched once and are copied for each container. A tree is built beside its final
# place and renamed, so that whatever has the final name is complete. A lock a distribution: who
# builds or removes holds it alone, who copies shares it. Beside each tree a note says what went
# into it; a tree with another note, or with none, was made by something else and is built again.
# shellcheck shell=sh disable=SC2154

# cache_open DISTRIBUTION: sets `cache`, and does what --clean asks.
cache_open() {
	cache=${LXC_CACHE_PATH:-$LXC_CACHE_DIR}/$1
	mkdir -p "$cache" || die "make the cache $cache" "LXC_CACHE_PATH=DIRECTORY lxc-create …"
	exec 9>"$cache/.lock" || die "open the lock $cache/.lock"
	[ -n "$clean" ] || return 0
	cache_lock -x
	say "removing the cached trees in $cache"
	for tree in "$cache"/rootfs-* "$cache"/partial-* "$cache"/pieces; do
		remove_tree "$tree" || die "remove $tree"
	done
	if [ -z "$path" ]; then
		exit 0
	fi
	exec 9>"$cache/.lock"
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
	"$3" "$unfinished"
	remove_tree "$tree" || die "remove $tree"
	printf '%s\n' "$2" >"$tree.made-from" && mv "$unfinished" "$tree" || die "put $tree into place"
	unfinished=''
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
	[ -d "$tree" ] && [ -r "$tree.made-from" ] && IFS= read -r made_from <"$tree.made-from" &&
		[ "$made_from" = "$1" ]
}

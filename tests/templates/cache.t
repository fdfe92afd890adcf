#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The cache: a tree in it is complete, whatever happens to who fills it; two who want the same tree
# fetch it once.
# shellcheck disable=SC2016,SC2154 # texts for the library; tap.sh's variables

# shellcheck source=tap.sh
. "$(dirname "$0")/tap.sh"
container box
cache=$LXC_CACHE_PATH/test
tree=$cache/rootfs-one

# The text of a template that fetches by making a file, after `slow` seconds.
user='lib=$1 path=$2 rootfs=$3 slow=$4 note=$5 flush_cache=$6 clean=$7 name=box
	. "$lib/load.sh"
	template=lxc-test
	fetch() {
		echo fetched
		mkdir "$1/etc"
		work sleep "$slow"
		echo "$note" >"$1/etc/note"
	}
	cache_open test
	cache_tree one "$note" fetch
	[ -e "$tree/etc/note" ] && echo used'

# template SLOW NOTE [FLUSH [CLEAN]]
template() {
	run sh -euc "$user" sh "$templates/lib" "${path-$dir}" "$rootfs" "$1" "$2" "${3-}" "${4-}"
}

# said: the lines of interest, in one
said() {
	grep -E '^(fetched|used)$' "$out" | tr '\n' ' '
}

template 0 first
ok 'fetches what it has not' same 'fetched used ' "$(said)"
template 0 first
ok 'fetches it once' same 'used ' "$(said)"
template 0 second
ok 'fetches again what was made of something else' same 'fetched used ' "$(said)"
ok 'has the new tree then' has "$tree/etc/note" second
template 0 second 1
ok 'fetches again with --flush-cache' same 'fetched used ' "$(said)"
rm "$tree.made-from"
template 0 second
ok 'does not trust a tree that it did not make' same 'fetched used ' "$(said)"
mkdir "$cache/partial-one"
touch "$cache/partial-one/left"
template 0 second 1
ok 'removes what a dead one left' test ! -e "$cache/partial-one" -a ! -e "$tree/left"

rm -rf "$cache"
sh -euc "$user" sh "$templates/lib" "$dir" "$rootfs" 1 first '' '' >"$scratch/a" 2>&1 &
sh -euc "$user" sh "$templates/lib" "$dir" "$rootfs" 1 first '' '' >"$scratch/b" 2>&1 &
wait
ok 'fetches once for two at the same time' same 1 "$(cat "$scratch/a" "$scratch/b" | grep -c '^fetched')"
ok 'serves both' same 2 "$(cat "$scratch/a" "$scratch/b" | grep -c '^used')"
ok 'tells who waits what for' grep -q '^lxc-test: waiting' "$scratch/a" "$scratch/b"

for signal in TERM HUP; do
	rm -rf "$cache"
	sh -euc "$user" sh "$templates/lib" "$dir" "$rootfs" 30 first '' '' >"$out" 2>&1 &
	pid=$!
	until grep -q fetched "$out"; do sleep 0.05; done
	before=$(date +%s)
	kill -$signal $pid
	status=0
	wait $pid || status=$?
	ok "fails when it is ended by SIG$signal" test "$status" -gt 128
	ok "ends at once by SIG$signal" test $(($(date +%s) - before)) -lt 5
	ok "leaves nothing half made after SIG$signal" same '' "$(find "$cache" -mindepth 1 ! -name .lock)"
done

rm -rf "$cache"
template 0 first
path='' template 0 first '' 1
ok 'succeeds with --clean and no container' same '0 ' "$status $(said)"
ok 'removes the trees then' same '.lock' "$(ls -A "$cache")"
template 0 first '' 1
ok 'fetches anew with --clean and a container' same 'fetched used ' "$(said)"

LXC_CACHE_PATH=$scratch/config-file
touch "$LXC_CACHE_PATH"
refuses 'a cache that is no directory' 'make the cache' template 0 first

plan

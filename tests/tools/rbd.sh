#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Stands in for Ceph's rbd(8) where there is no cluster: its images are files below $RBD_CLUSTER, and a mapped one
# is a loop device.  What the real one refuses it refuses: to remove what is mapped or has snapshots, to
# unmap what is mounted, to clone what is not protected, to take protection from what has clones.

set -u
cluster=${RBD_CLUSTER:?}
echo "$*" >>"$cluster/log"
fail() { echo "rbd: $2" >&2; exit "$1"; }
need() { [ -f "$cluster/$1" ] || fail 2 "error opening image ${1##*/}: (2) No such file or directory"; }
device_of() { losetup -j "$cluster/$1" | cut -d: -f1; }
is_mounted() {	# DEVICE: anywhere, also in other namespaces
	! python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)' "$1" 2>/dev/null
}

[ "$1" != --id ] || shift 2
case "$1 $2" in
info\ *)
	need "$2"
	printf "rbd image '%s':\n\tsize %s B in 1 objects\n" "${2##*/}" "$(stat -c %s "$cluster/$2")"
	[ ! -f "$cluster/$2.parent" ] || printf '\tparent: %s\n' "$(cat "$cluster/$2.parent")"
	;;
'create --pool') # create --pool POOL NAME --size MIB
	[ "$5" = --size ] || fail 22 'usage'
	[ -d "$cluster/$3" ] || fail 2 "error opening pool '$3': (2) No such file or directory"
	[ ! -f "$cluster/$3/$4" ] || fail 17 'image exists'
	truncate -s "$6M" "$cluster/$3/$4"
	;;
map\ *)
	need "$2"
	mkdir -p "/dev/rbd/${2%/*}"
	ln -s "$(losetup -f --show "$cluster/$2")" "/dev/rbd/$2"
	;;
unmap\ *)
	device=$(readlink "$2") || fail 22 "$2: not a mapped image"
	! is_mounted "$device" || fail 16 'unmap failed: (16) Device or resource busy'
	rm "$2" && losetup -d "$device"
	;;
'snap create')
	need "${3%@*}"
	[ ! -f "$cluster/$3" ] || fail 17 'snapshot exists'
	cp --sparse=always "$cluster/${3%@*}" "$cluster/$3"
	;;
'snap protect') need "$3" && touch "$cluster/$3.protected" ;;
'snap unprotect')
	need "$3"
	! grep -qsxF "$3" "$cluster/${3%%/*}"/*.parent || fail 16 'unprotecting snap failed: it has clones: busy'
	rm "$cluster/$3.protected"
	;;
'snap rename')
	need "$3"
	[ ! -f "$cluster/$4" ] || fail 17 'snapshot exists'
	mv "$cluster/$3" "$cluster/$4"
	[ ! -f "$cluster/$3.protected" ] || mv "$cluster/$3.protected" "$cluster/$4.protected"
	for parent in "$cluster/${3%%/*}"/*.parent; do
		[ "$(cat "$parent")" != "$3" ] || echo "$4" >"$parent"
	done
	;;
'snap ls')
	need "$3"
	echo 'SNAPID  NAME  SIZE  PROTECTED  TIMESTAMP'
	for snapshot in "$cluster/$3"@*; do
		case $snapshot in
		*.protected | *'@*') ;;
		*) echo "     4  ${snapshot##*@}  64 MiB  yes  Mon" ;;
		esac
	done
	;;
children\ *)
	for parent in "$cluster/${2%%/*}"/*.parent; do
		[ "$(cat "$parent" 2>/dev/null)" != "$2" ] || echo "${2%%/*}/$(basename "$parent" .parent)"
	done
	;;
'flatten --no-progress') need "$3" && rm "$cluster/$3.parent" ;;
'snap rm')
	need "$3"
	[ ! -f "$cluster/$3.protected" ] || fail 16 'snapshot is protected from removal'
	rm "$cluster/$3"
	;;
clone\ *)
	[ -f "$cluster/$2.protected" ] || fail 22 'parent snapshot must be protected'
	[ ! -f "$cluster/$3" ] || fail 17 'image exists'
	cp --sparse=always "$cluster/$2" "$cluster/$3" && echo "$2" >"$cluster/$3.parent"
	;;
rm\ *)
	need "$2"
	[ -z "$(device_of "$2")" ] || fail 16 'image still has watchers: busy'
	! ls "$cluster/$2"@* >/dev/null 2>&1 || fail 39 'image has snapshots'
	rm -f "$cluster/$2" "$cluster/$2.parent"
	;;
rename\ *)
	need "$2"
	[ ! -f "$cluster/$3" ] || fail 17 'image exists'
	mv "$cluster/$2" "$cluster/$3"
	[ ! -f "$cluster/$2.parent" ] || mv "$cluster/$2.parent" "$cluster/$3.parent"
	;;
'resize --size')
	need "$4"
	truncate -s "$3M" "$cluster/$4"
	device=$(device_of "$4")
	[ -z "$device" ] || losetup -c "$device"
	;;
*) fail 22 "unknown command: $*" ;;
esac

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of storage share, after lib.sh: a template of their own that fills a root filesystem
# with a small system within a moment, and filesystems in files below $TMP.
# shellcheck disable=SC2034,SC3043 # variables for the tests; local as everywhere

FILL=$TMP/fill	# a template; waits for $TMP/go when $TMP/wait is there
mini_rootfs "$TMP/first" && rm -rf "$TMP/first"
cat >"$FILL" <<TEMPLATE
#!/bin/sh
set -e
for arg; do case \$arg in --rootfs=*) rootfs=\${arg#*=} ;; esac; done
cp -a "$TMP/mini/." "\$rootfs/"
touch "$TMP/filling"
if [ -e "$TMP/wait" ]; then
	n=0
	while [ ! -e "$TMP/go" ] && [ \$n -lt 600 ]; do sleep 0.05; n=\$((n + 1)); done
fi
TEMPLATE
chmod 755 "$FILL"

# create NAME OPTION...: with that template and no network.
create() {
	local name="$1"
	shift
	lxc create -n "$name" -f "$NET" -t "$FILL" "$@"
}

# A filesystem of TYPE in a file of SIZE, mounted on DIR; gone with $TMP.
mounted_file() {	# DIR TYPE SIZE
	local image="$1.image" options=
	mkdir -p "$1" && truncate -s "$3" "$image" || return
	case $2 in ext4) options='-q -F' ;; *) options='-q -f' ;; esac
	# shellcheck disable=SC2086 # words
	"mkfs.$2" $options "$image" >/dev/null && mount -o loop "$image" "$1"
}

# Loop devices that are still bound to files below $TMP.
loops_left() {
	local file
	for file in /sys/block/loop*/loop/backing_file; do
		if grep -q -F "$TMP/" "$file" 2>/dev/null; then cat "$file"; fi
	done
}
no_loops() { [ -z "$(loops_left | grep -v '\.image$')" ]; }

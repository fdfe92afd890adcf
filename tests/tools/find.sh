# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Finds what belongs to a test on this host, by name.

cgroup_mounts() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts; }

# find_named DIR NAME OPTION...: what carries that name - and not a longer one: lxt12 is not lxt123.
find_named() {
	local dir="$1" name="$2"
	shift 2
	find "$dir" "$@" \( -name "*$name" -o -name "*$name[!0-9]*" \) 2>/dev/null
}

# Directories whose last component carries the name.
cgroups_of() {
	local top
	for top in $(cgroup_mounts); do find_named "$top" "$1" -depth -type d; done
}

# Processes that carry a word in their command line, but for the test itself.
processes_of() {
	local file pid
	for file in $(grep -lF -e "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
		pid=${file%/cmdline} pid=${pid#/proc/}
		# The grep itself is gone by now.
		if [ "$pid" != $$ ] && [ -e "$file" ]; then echo "$pid"; fi
	done
}

# What stands in the run directories.
run_entries_of() {
	local dir prefix="${LXC_PREFIX:-}"
	for dir in /run/lxc ${prefix:+"$prefix/run/lxc" "$prefix/../run/lxc" "$prefix/var/run/lxc"}; do
		[ ! -d "$dir" ] || find_named "$dir" "$1" ! -path '*/lock/*'
	done
}

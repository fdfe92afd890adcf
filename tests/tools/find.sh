# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Finds what belongs to a test on this host, by name.

cgroup_mounts() { awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts; }

# Directories whose last component carries the name.
cgroups_of() {
	local top
	for top in $(cgroup_mounts); do
		find "$top" -depth -type d -name "*$1*" 2>/dev/null
	done
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
		[ ! -d "$dir" ] || find "$dir" -name "*$1*" ! -path "*/lock/*" 2>/dev/null
	done
}

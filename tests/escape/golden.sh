# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What golden.t and golden-user.t share: the dump that is made inside, what of it is the host's own, and the
# comparison with the expected text.

# shellcheck disable=SC2154 # from tests/tools/lib.sh
golden=$TESTS/escape/golden

cat >"$TMP/dump" <<'DUMP'
#!/bin/sh
echo '# descriptors'
for fd in /proc/1/fd/*; do
	case ${fd##*/} in
	10) continue ;;		# busybox's shell keeps its script there
	esac
	echo "${fd##*/} $(readlink "$fd")"
done
echo '# identity'
grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp):' /proc/1/status | tr -s '\t ' ' '
cat /proc/1/uid_map /proc/1/gid_map | tr -s ' ' | sed 's/^ //'
echo '# capabilities'
grep ^Cap /proc/1/status | tr -s '\t ' ' '

echo '# label'
cat /proc/1/attr/current 2>/dev/null | tr -d '\000\n'
echo
echo '# limits of memory locked, core'
grep -E 'core file' /proc/1/limits | tr -s ' '
echo '# session'
awk '{ print "session", $6, "group", $5 }' /proc/1/stat
echo '# mounts'
cut -d' ' -f5,6,7- /proc/1/mountinfo | sed 's/ - / : /' |
	awk '{
		super = ""
		for (i = 1; i <= NF; i++) if ($i == ":") { type = $(i + 1); split($(i + 3), s, ",") ; super = s[1] }
		print $1, $2, type, super
	}'
echo '# devices'
(cd /dev && find . -type c -o -type b -o -type p -o -type s -o -type l | sort | while read -r node; do
	if [ -L "$node" ]; then echo "$node -> $(readlink "$node")"
	else stat -c '%n %F %a %u:%g %t:%T' "$node"; fi
done)
echo '# kernel behind files'
for file in /proc/sys/kernel/core_pattern /proc/sysrq-trigger /proc/kcore /proc/keys /proc/timer_list /proc/irq \
	/proc/bus /proc/fs /sys/kernel /sys/firmware /proc/sys/net/ipv4/ip_forward /sys/fs/cgroup; do
	[ -e "$file" ] || continue
	if [ -d "$file" ]; then
		mkdir "$file/x" 2>/dev/null && rmdir "$file/x"
		echo "$file: $([ -n "$(ls -A "$file")" ] && echo seen || echo empty)"
	else
		if (exec 3>>"$file") 2>/dev/null; then how=writable; else how=read-only; fi
		echo "$file: $how"
	fi
done
echo '# environment'
tr '\000' '\n' </proc/1/environ | sort
echo '# cgroups'
sed 's/^[0-9]*:[^:]*//' /proc/1/cgroup | sort | uniq
echo '# namespaces'
ls /proc/1/ns | grep -v ^time | tr '\n' ' '
echo
DUMP

# Capabilities that whoever starts it has and init has not; mounts in the order of their names; and what is
# the host's own - its filesystem, its cgroups, what its kernel has below /proc and /sys - as a word or not at all.
host_caps=$(sed -n 's/^CapBnd:[[:space:]]*//p' /proc/self/status)
normal() {
	sed -e "s/$C[a-z-]*/NAME/g" -e "s,$TMP,TMP,g" |
		while IFS= read -r line; do
			case $line in
			'Cap'[PEB]*) printf '%s lacks %x\n' "${line%%:*}" $((0x$host_caps & ~0x${line##* })) ;;
			'/ '*' '*' '*) echo '/ HOSTFS' ;;
			"$own_label") echo ;;
			*) printf '%s\n' "$line" ;;
			esac
		done |
		grep -v -E -e '^/sys/fs/(fuse|cgroup)' -e '^/sys/kernel/security' -e '^/proc/(acpi|asound|latency_stats|sched_debug|scsi|timer_stats|timer_list|bus|fs|irq|keys|kcore|sysrq-trigger)( |:)' \
			-e '^/sys/devices/virtual/(powercap|net) ' -e '^/sys/firmware( |:)' -e '^\./fuse ' -e '^(time|time_for_children)' |
		awk '/^# / { section = $0 } section == "# mounts" && !/^# / { print | "sort"; next } { close("sort"); print }'
}
# The label is that of the host's security module: for a container that names none the caller's own under
# SELinux, the default profile under AppArmor, an empty line without either.
own_label=$(tr -d '\000' <"/proc/$$/attr/current" 2>/dev/null)
if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then own_label='lxc-container-default-cgns (enforce)'; fi
last_cap=$(cat /proc/sys/kernel/cap_last_cap)

compare() {	# KIND
	local kind="$1"
	if [ -n "${GOLDEN_UPDATE:-}" ]; then mkdir -p "$golden" && cp "$TMP/$kind" "$golden/$kind"; fi
	if diff -u "$golden/$kind" "$TMP/$kind" >"$TMP/diff"; then
		report 0 "what init of the $kind container sees is as expected"
	else
		report 1 "what init of the $kind container sees is as expected" || diag "$(cat "$TMP/diff")"
	fi
}

if [ "$last_cap" != 40 ]; then skip_all "this kernel has other capabilities than 0 to 40"; fi


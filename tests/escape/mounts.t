#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks by names in the container's tree on what is mounted and made there: links, and directories
# that change with links while a start looks at them.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
bait
again() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }
left_alone() {
	unharmed "$1"
	eventually 3 nothing_left_now "$C" || report 1 "$1: nothing left" || diag "$left"
}

# planted SENTENCE COMMANDS [CONFIG-LINE]...: a root filesystem with traps is started and stopped.
planted() {
	local what="$1" commands="$2"
	shift 2
	again
	armed "$C" "$@"
	(cd "$P/$C/rootfs" && eval "$commands")
	run lxc start -n "$C"
	[ "$status" = 0 ] || [ -n "$err" ] || report 1 "$what: refused without a word"
	lxc stop -k -n "$C" >/dev/null 2>&1
	left_alone "$what"
}

# ----------------------------------------------------------------------------------------------------
row CVE-2015-1335 'a link at or above the target of a mount leads to the host' \
	'targets are resolved by the kernel inside the root, and mounted on by descriptor'
for target in "$victim" "$up$victim"; do
	planted "$CVE: the target ($target)" "rm -rf mnt; ln -s $target mnt" \
		"lxc.mount.entry = $victim/sub mnt none bind 0 0" 'lxc.mount.entry = tmpfs mnt/sub tmpfs size=1m,create=dir 0 0'
	planted "$CVE: ... a directory above it" "rm -rf mnt; mkdir mnt; ln -s $target mnt/a" \
		"lxc.mount.entry = tmpfs mnt/a/sub tmpfs size=1m,create=dir 0 0" "lxc.mount.entry = $victim/file mnt/a/new none bind,create=file 0 0"
done

# ----------------------------------------------------------------------------------------------------
row CVE-2019-19921 '/proc is a link or a shared directory, so that what protects it is mounted elsewhere' \
	'/proc and /sys are mounted on real directories only, and protected through the mount itself'
for at in proc sys; do
	planted "$CVE: $at is a link to another directory" "rm -rf $at; mkdir real; ln -s real $at" \
		'lxc.mount.auto = proc:mixed sys:mixed'
	is "$CVE: ... it is refused" "$status" 1
done
row CVE-2023-27561 'the same, with a mount entry that puts something on /proc before or after' \
	'protection is where the procfs is, which is found by its kind'
planted "$CVE: a volume at /proc" 'mkdir -p vol/sys vol/self/attr' "lxc.mount.entry = $P/$C/rootfs/vol proc none bind 0 0" \
	'lxc.mount.auto = proc:mixed'
again
armed "$C" 'lxc.mount.auto = proc:mixed sys:mixed'
lxc start -n "$C"
not_ok "$CVE: /proc/sys is read-only" inside "$C" sh -c 'echo x >/proc/sys/kernel/core_pattern'
not_ok "$CVE: /proc/sysrq-trigger is read-only" inside "$C" sh -c 'echo h >/proc/sysrq-trigger'

# ----------------------------------------------------------------------------------------------------
row CVE-2021-30465 'a directory that two containers share turns into a link while a mount is put on it' \
	'the target is opened once, inside the root; the mount goes onto that descriptor'
again
volume=$TMP/volume
mkdir -p "$volume/turn/sub"
ln -s / "$volume/trap"
ln -s "$up" "$volume/trap2"
race() {	# SENTENCE TRAP CONFIG-LINE...: twenty starts while 'turn' is exchanged with TRAP
	local what="$1" trap="$2" i=0 starts=0
	shift 2
	again
	armed "$C" "lxc.mount.entry = $volume vol none bind,create=dir 0 0" "$@"
	"$ATTACK" swap "$volume/turn" "$volume/$trap" 60 &
	swapper=$!
	while [ $i -lt 20 ]; do
		lxc start -n "$C" >/dev/null 2>&1 && starts=$((starts + 1))
		lxc stop -k -n "$C" >/dev/null 2>&1
		i=$((i + 1))
	done
	kill $swapper 2>/dev/null
	wait $swapper 2>/dev/null
	left_alone "$what ($starts of 20 starts went on)"
}
race "$CVE: a mount on a link to /" trap "lxc.mount.entry = tmpfs vol/turn$victim tmpfs size=1m,create=dir 0 0"
race "$CVE: ... on a link upwards" trap2 "lxc.mount.entry = $victim/sub vol/turn$victim/pts none bind,create=dir 0 0"
row CVE-2024-45310 'the same, to have empty files and directories made on the host' \
	'they are made below a directory that was opened inside the root'
race "$CVE: a file" trap "lxc.mount.entry = $victim/file vol/turn$victim/new/file none bind,create=file 0 0"
race "$CVE: a directory" trap2 "lxc.mount.entry = tmpfs vol/turn$victim/new/dir tmpfs size=1m,create=dir 0 0"
race "$CVE: the working directory of init" trap "lxc.init.cwd = /vol/turn$victim/new"
rm -rf "$volume"

# ----------------------------------------------------------------------------------------------------
row CVE-2025-31133 'the container'"'"'s /dev/null is a link, so that a mask shows what the link leads to' \
	'masks are empty files and directories of our own, not of the container'
again
armed "$C" 'lxc.autodev = 0' 'lxc.mount.auto = proc:mixed sys:mixed'
root=$P/$C/rootfs
for trap in /proc/sys/kernel/core_pattern /proc/sysrq-trigger "$victim/file" /proc/kcore; do
	lxc stop -k -n "$C" >/dev/null 2>&1
	rm -f "$root/dev/null"
	ln -s "$trap" "$root/dev/null"
	run lxc start -n "$C"
	is "$CVE: it starts with /dev/null a link to $trap" "$status" 0
	is "$CVE: /proc/timer_list is empty" "$(inside "$C" cat /proc/timer_list | wc -c)" 0
	is "$CVE: /proc/keys is empty" "$(inside "$C" cat /proc/keys | wc -c)" 0
	is "$CVE: so is /sys/firmware" "$(inside "$C" ls -A /sys/firmware)" ''
	not_ok "$CVE: none of them can be written" inside "$C" sh -c 'chmod 777 /proc/timer_list || echo x >/proc/timer_list'
	not_ok "$CVE: nothing of the kernel can be set" inside "$C" sh -c 'echo x >/proc/sys/kernel/core_pattern'
done
if [ -e /proc/kcore ]; then
	is "$CVE: the kernel's memory cannot be read" "$(inside "$C" sh -c 'head -c 100 /proc/kcore | wc -c')" 0
fi
again
left_alone "$CVE"
armed "$C" 'lxc.mount.mask = /proc/cpuinfo /proc/version' 'lxc.mount.readonly = /proc/tty' 'lxc.mount.auto = proc:mixed'
lxc start -n "$C"
is 'lxc.mount.mask adds to the preset' "$(inside "$C" cat /proc/version /proc/cpuinfo /proc/timer_list | wc -c)" 0
like 'lxc.mount.readonly too' "$(inside "$C" grep -E ' /proc/(tty|bus) ' /proc/mounts | cut -d' ' -f2,4 | cut -d, -f1 | sort | tr '\n' ' ')" \
	'^/proc/bus ro /proc/tty ro $'
again
armed "$C" 'lxc.mount.mask = none' 'lxc.mount.readonly = none' 'lxc.mount.mask = /proc/version' 'lxc.mount.auto = proc:mixed'
lxc start -n "$C"
is 'none takes the preset back' "$(inside "$C" grep -c -e /proc/bus -e /proc/timer_list /proc/mounts)" 0
is '... but not what comes after it' "$(inside "$C" cat /proc/version | wc -c)" 0
again
armed "$C" 'lxc.mount.mask = /etc/shadow'
fails_with 'a mask elsewhere is refused' 1 'is no place below /proc or /sys' lxc start -n "$C"
rm -rf "${P:?}/$C"
armed "$C" 'lxc.mount.mask = /proc/../etc/shadow'
fails_with '... also one that leads there' 1 'is no place below /proc or /sys' lxc start -n "$C"

# ----------------------------------------------------------------------------------------------------
row CVE-2025-52565 '/dev/console or a terminal is a link when the console is put there' \
	'terminals are made in a devpts of our own and mounted on descriptors inside the root'
for name in console tty1 ptmx pts; do
	for target in "$victim/console" /proc/sys/kernel/core_pattern /proc/sysrq-trigger; do
		planted "$CVE: dev/$name is a link to $target" "rm -rf dev/$name; ln -s $target dev/$name" \
			'lxc.autodev = 0' 'lxc.mount.auto = proc:mixed'
	done
done
row CVE-2026-41579 '/dev is a link, and ptmx is removed and links are made where it leads' \
	'/dev is opened inside the root and is no link'
for target in "$victim" "$up$victim"; do
	planted "$CVE: dev is a link to $target" "rm -rf dev; ln -s $target dev" 'lxc.autodev = 0'
	planted "$CVE: ... with a /dev of our own" "rm -rf dev; ln -s $target dev" 'lxc.autodev = 1'
	planted "$CVE: ... dev/pts" "rm -rf dev/pts; ln -s $target/pts dev/pts" 'lxc.autodev = 0' 'lxc.tty.dir = pts'
done
again
nothing_left 'nothing is left' "$C"

done_testing

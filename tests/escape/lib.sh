# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the tests of escapes stand on besides tests/tools/lib.sh: a victim on the host, a picture of it
# before and after, and a program for attacks that a shell cannot do.

# shellcheck disable=SC2034,SC2154 # for the tests; from tests/tools/lib.sh
victim=$TMP/victim
# A way up and down again that ends at a host path.
up=../../../../../../../../../../../..

ATTACK=${LXC_BUILD:+$LXC_BUILD/tests/escape/attack}
if [ ! -x "${ATTACK:-/nonexistent}" ]; then
	ATTACK=$TMP/attack
	cc -O1 -static -w -o "$ATTACK" "$TESTS/escape/attack.c" || skip_all 'no compiler for attack.c'
fi

# What an attack would love to have; nothing of it may change, and nothing of it be seen inside.
bait() {
	rm -rf "$victim"
	mkdir -p "$victim/sub" "$victim/pts" "$victim/attr/apparmor" "$victim/sys/kernel"
	for file in file null console hostname ptmx current exec attr/current attr/exec \
		attr/apparmor/current attr/apparmor/exec sys/kernel/domainname; do
		echo secret >"$victim/$file"
	done
	ln -s /nowhere "$victim/dangling"
	picture >"$TMP/before"
}

picture() {
	(cd "$victim" && find . -exec stat -c '%n %F %a %u %g %s %i' {} + && cat file null console hostname \
		ptmx current attr/current attr/exec attr/apparmor/exec sys/kernel/domainname) | sort
	grep -c -e "$victim" /proc/self/mountinfo
	cat /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe 2>/dev/null
}

unharmed() {	# SENTENCE
	picture >"$TMP/after"
	ok "$1: the host is as it was" cmp "$TMP/before" "$TMP/after"
}

# armed NAME [CONFIG-LINE]...: a small container with the attack program in it.
armed() {
	local name="$1"
	make_container "$@"
	cp "$ATTACK" "$P/$name/rootfs/bin/attack"
	# What it does to its own programs stays its own: those of small containers are links to one file.
	cp --remove-destination "$TMP/mini/bin/busybox" "$P/$name/rootfs/bin/busybox"
}

# The words of a row: "CVE: attack; what stops it".
row() { CVE="$1" ATTACKED="$2" RULE="$3"; diag "$CVE: $ATTACKED" "stopped by: $RULE"; }

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# guide.t [CHAPTER...]: runs every command of doc/guide, a chapter after the other, each in a lab of its own,
# and compares what it prints with what is shown (guide.awk has the rules).  A command must succeed, unless
# what it prints says how to mend something: then it must fail.  What is not run is counted, with its reason.
#
# With GUIDE_SHOW=1 in the environment what each command prints is shown, for who writes a chapter.
#
# The lab is a host of namespaces: an empty network, an lxcpath, settings and a user 'alice' of its own.

[ "${LXT_NETLAB:-}" ] || LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
LXT_APART=1 LXT_SHOW=$(cd "${0%/*}/../../doc" 2>/dev/null && pwd)
export LXT_APART
# shellcheck source=tests/tools/user.sh
. "${0%/*}/user.sh"
# shellcheck source=tests/tools/netlab.sh
. "$TESTS/tools/netlab.sh"
need dnsmasq
need_ptyrun
guide=$LXT_SHOW/guide
[ -d "$guide" ] || skip_all 'the guide is not here'
LIMIT=${GUIDE_LIMIT:-60}

# ---- the lab -------------------------------------------------------------------------------------

prefix=$(cd "$(dirname "$(command -v lxc-start)")/.." && pwd)
conf=${LAB%/default/lxc-net}
mkdir -p "$conf/lxc"
cp -r "$conf/lxc" "$TMP/.conf"
mount -t tmpfs -o mode=755 "$C" "$conf/lxc" || skip_all 'cannot mount'
# lxc-user-nic serves the network that pid 1 is in, which here is ours; and the user's containers get a proc
# of their own only where there is one of which nothing is covered.
mkdir "$TMP/.proc"
mount --bind "/proc/$$/ns" /proc/1/ns && mount -t proc "$C" "$TMP/.proc" || skip_all 'cannot mount'

# A fresh host: what containers there are is gone, and so is the network.
lab() {	# CHAPTER
	P=$TMP/$1/path HERE=$TMP/$1/root
	mkdir -p "$P" "$HERE"
	chmod 755 "$TMP/$1" "$P"
	rm -rf "$conf/lxc/"* "${HOME_:?}/"* "$HOME_/.local" "$HOME_/.config"
	cp -r "$TMP/.conf/." "$conf/lxc/"
	{
		echo "lxc.lxcpath = $P"
		echo "lxc.cgroup.pattern = $C/%n"
	} >"$conf/lxc/lxc.conf"
	settings ''
	cover_again
	umount /srv 2>/dev/null
	mount -t tmpfs -o mode=755 "$C" /srv
}
cover_again() {
	cp "$TMP/.etc-subuid.0" "$TMP/.etc-subuid"
	cp "$TMP/.etc-subgid.0" "$TMP/.etc-subgid"
}
cp "$TMP/.etc-subuid" "$TMP/.etc-subuid.0"
cp "$TMP/.etc-subgid" "$TMP/.etc-subgid.0"

take_down() {
	limit lxc-destroy -q -f -s -n '*'
	limit lxc-net stop
	user lxc-destroy -q -f -s -n '*'
}

escape=$(printf '\033')
# The places of the text are those of the lab, and the other way round.
to_lab() {
	sed -e "s,/var/lib/lxc,$P,g" -e "s,/etc/lxc,$conf/lxc,g" -e "s,/etc/default,$conf/default,g" \
		-e "s,/usr/share/lxc,$prefix/share/lxc,g" -e "s,/usr/libexec/lxc,$prefix/libexec/lxc,g" \
		-e "s,/home/alice,$HOME_,g" -e "s,alice,$U,g"
}
from_lab() {
	tr -d '\000\r' | sed -e "s/$escape\\[[0-9;?]*[A-Za-z]//g" -e "s,$P,/var/lib/lxc,g" -e "s,$conf/lxc,/etc/lxc,g" -e "s,$conf/default,/etc/default,g" \
		-e "s,$prefix/share/lxc,/usr/share/lxc,g" -e "s,$prefix/libexec/lxc,/usr/libexec/lxc,g" \
		-e "s,$HOME_,/home/alice,g" -e "s,$U,alice,g"
}

# ---- one command ---------------------------------------------------------------------------------

# Does the text match what is shown?  The width of columns does not matter.
matches() {	# SHOWN TEXT
	awk '
	function words(line) { gsub(/[ \t]+/, " ", line); sub(/ $/, "", line); sub(/^ /, "", line); return line }
	NR == FNR {
		line = words($0)
		if (line == "...") { pattern = pattern "([^\n]*\n)*"; next }
		gsub(/[][\\.^$*+?(){}|]/, "\\\\&", line)
		gsub(/\\\.\\\.\\\./, "[^\n]*", line)
		pattern = pattern line "\n"
		next
	}
	{ text = text words($0) "\n" }
	END { exit text !~ "^" pattern "$" }' "$1" - <"$2"
}

at_a_terminal() { ptyrun -t 20 "$(cat "$1")" -- sh -c "$2"; }

try() {	# FILE: without its kind
	local what text
	what=$(head -n 1 "$1.cmd")
	if [ -e "$1.skip" ]; then
		skip "$what" "$(cat "$1.skip")"
		left_out=$((left_out + 1))
		return
	fi
	tried=$((tried + 1))
	text=$(to_lab <"$1.cmd")
	status=0
	case $(cat "$1.who") in
	user) user sh -c "$text" >"$TMP/said" 2>&1 </dev/null || status=$? ;;
	*)
		if [ -e "$1.keys" ]; then
			(cd "$HERE" && at_a_terminal "$1.keys" "$text") >"$TMP/said" 2>&1 || status=$?
		else
			(cd "$HERE" && limit sh -c "$text") >"$TMP/said" 2>&1 </dev/null || status=$?
		fi
		;;
	esac
	from_lab <"$TMP/said" >"$1.got"
	[ -z "${GUIDE_SHOW:-}" ] || diag "$(cat "$1.got")"
	if grep -q '^ *to mend it: ' "$1.want"; then
		[ $status = 0 ] && status='0, but it should fail' || status=0
	fi
	if [ "$status" != 0 ]; then
		report 1 "$what"
		diag "$chapter.md: status $status" "$(cat "$1.got")"
	elif ! matches "$1.want" "$1.got"; then
		report 1 "$what"
		diag "$chapter.md shows:" "$(cat "$1.want")" 'it prints:' "$(cat "$1.got")"
	else
		report 0 "$what"
	fi
}

# Lines of a configuration that is shown are those that there are.
known_keys() {	# FILE
	mkdir -p "$P/.keys/keys/rootfs"
	{ echo 'lxc.uts.name = keys'; to_lab <"$1"; } >"$P/.keys/keys/config"
	limit lxc-info -P "$P/.keys" -n keys -c lxc.uts.name && rm -r "$P/.keys"
}

# ---- all of them ---------------------------------------------------------------------------------

tried=0 left_out=0 some=$*
if [ $# = 0 ]; then
	set -- $(sed -n 's,.*(guide/\(.*\)\.md).*,\1,p' "$guide/../README.md")
fi
for chapter; do
	mkdir "$TMP/$chapter"
	ok "$chapter: its blocks are in order" awk -v dir="$TMP/$chapter" -f "$TESTS/tools/guide.awk" "$guide/$chapter.md"
	lab "$chapter"
	for file in "$TMP/$chapter"/[0-9]*.cmd "$TMP/$chapter"/[0-9]*.conf; do echo "$file"; done |
		grep -v '\*' | sort >"$TMP/$chapter/files"
	began=$(now_ms)
	while read -r file <&3; do
		case $file in
		*.conf) ok "$chapter: keys as shown" known_keys "$file" ;;
		*) try "${file%.cmd}" ;;
		esac
	done 3<"$TMP/$chapter/files"
	diag "$chapter: $(($(now_ms) - began)) ms"
	take_down >"$TMP/said" 2>&1
	is "$chapter: nothing is left of it" "$(ls -A "$P")" ''
done
diag "$tried commands were run, $left_out were not"
if [ -z "$some" ]; then
	ok 'nine of ten commands are run' test "$tried" -ge $((left_out * 9))
fi

done_testing

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tests as an ordinary user who may nothing.  A test file begins with `. "${0%/*}/user.sh"` in place of
# lib.sh, runs in a mount namespace of its own from then on, and has
#
#	$U, $UID_, $HOME_	a user of its own, whom only this mount namespace knows, and the home directory
#	$SUB			the first of 65536 ids that /etc/subuid and /etc/subgid give to that user there
#	$LXT_SHOW		may name a directory of the sources before, which is to be seen too
#	user COMMAND...		runs as that user, with an environment of that user's alone
#
# With LXT_USER it is that user, whom the host has, with that user's subordinate ids.
#
# Nothing of it is on the host: passwd, group, subuid and subgid are covered for us alone, and where
# the directories above the tools are closed to others, so are these.

if [ -z "${LXT_APART:-}" ]; then
	if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
		echo '1..0 # SKIP needs root and a mount namespace'
		exit 0
	fi
	LXT_APART=1 exec unshare -m --propagation private "$0" "$@"
fi
# shellcheck source=tests/tools/lib.sh
. "${0%/*}/../tools/lib.sh"
need newuidmap newgidmap setpriv unshare
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'

U=$C UID_=$((600000000 + $$)) SUB=$((800000000 + $$ % 10000 * 65536)) HOME_=$TMP/home
chmod 755 "$TMP"
mkdir -m 700 "$HOME_"
chown "$UID_:$UID_" "$HOME_"

cover() {	# FILE LINE...: a copy of it with more lines, for us alone
	local file="$1" copy
	shift
	copy=$TMP/.etc-${file##*/}
	[ -e "$file" ] || skip_all "there is no $file that could be covered"
	cat "$file" >"$copy" && printf '%s\n' "$@" >>"$copy" && mount --bind "$copy" "$file" ||
		skip_all "cannot cover $file"
}
if [ -n "${LXT_USER:-}" ]; then
	U=$LXT_USER UID_=$(id -u "$LXT_USER") SUB=$(sed -n "s/^$LXT_USER:\([0-9]*\):.*/\1/p" /etc/subuid)
	chown "$UID_:$UID_" "$HOME_"
else
	cover /etc/passwd "$U:x:$UID_:$UID_::$HOME_:/bin/sh"
	cover /etc/group "$U:x:$UID_:"
	cover /etc/subuid "$U:$SUB:65536"
	cover /etc/subgid "$U:$SUB:65536"
fi

user() {
	(cd "$HOME_" && limit setpriv --reuid "$UID_" --regid "$UID_" --clear-groups --inh-caps=-all env -i \
		HOME="$HOME_" USER="$U" LOGNAME="$U" PATH="$PATH" LC_ALL=C XDG_RUNTIME_DIR="${XDG_RUNTIME_DIR_:-}" "$@")
}

# The first directory on the way to a path that is closed to others.
closed_above() {
	local at="$1" found=''
	while [ "$at" != / ]; do
		at=${at%/*}
		at=${at:-/}
		case "$(stat -c %A "$at")" in *[xt]) ;; *) found=$at ;; esac
	done
	echo "$found"
}

# Show a directory to everybody under its own name, with nothing else of what is above it.
open_way() {	# DIRECTORY...
	local closed dir n=0
	closed=$(closed_above "$1")
	[ -n "$closed" ] || return 0
	for dir; do
		n=$((n + 1))
		mkdir "$TMP/.way$n" && mount --bind "$dir" "$TMP/.way$n" || return
	done
	mount -t tmpfs -o mode=755 "$C-way" "$closed" || return
	n=0
	for dir; do
		n=$((n + 1))
		mkdir -p "$dir" && mount --move "$TMP/.way$n" "$dir" && rmdir "$TMP/.way$n" || return
	done
}
if [ -x "$LXT_PTYRUN" ] && [ "$LXT_PTYRUN" != "$TMP/ptyrun" ]; then cp "$LXT_PTYRUN" "$TMP/ptyrun"; fi
LXT_PTYRUN=$TMP/ptyrun
tools=$(cd "$(dirname "$(command -v lxc-start)")/.." && pwd)
case "$tools" in /usr | /usr/local) ;; *)
	# shellcheck disable=SC2086 # a directory, or none
	open_way "${tools%/*}" "$TESTS" ${LXT_SHOW:-} || skip_all 'cannot show the tools to an ordinary user'
	;;
esac
cd "$TMP" || exit 99
user lxc-config -l >/dev/null 2>&1 || skip_all 'the tools are out of reach of an ordinary user'

# The tools, as that user.
lxc_() {	# TOOL ARGUMENT...
	local tool="$1"
	shift
	user "lxc-$tool" "$@"
}
within() {	# NAME COMMAND...
	local name="$1"
	shift
	lxc_ attach -n "$name" -- "$@" </dev/null
}
pid_of() { lxc_ info -n "$1" -pH; }

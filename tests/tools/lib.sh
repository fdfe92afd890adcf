# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What every tool test stands on: TAP output, a private lxcpath, small containers, limits on every
# command, and a clean-up that also happens when the test itself is killed.
#
# A test file begins with `. "${0%/*}/lib.sh"` and ends with `done_testing`.  It then has
#
#	$C    a container name of its own; others are "$C-two" and the like
#	$TMP  a directory of its own; $P, the lxcpath, and all that it makes are below
#	$NET  a configuration without network, for `lxc-create -f`
#
# Everything on this host that belongs to a test carries $C or $TMP in its name; that is how it is
# found again, and nothing else is ever touched.

# shellcheck disable=SC2034 # variables for the tests
set -u
export LC_ALL=C
umask 022
TESTS=${TESTS:-$(cd "${0%/*}/.." && pwd)}
if [ -n "${LXC_PREFIX:-}" ]; then PATH=$LXC_PREFIX/bin:$LXC_PREFIX/sbin:$PATH; fi
LIMIT=${LXT_LIMIT:-20}		# seconds that a command may take
SLOW=${LXT_SLOW:-1}		# this machine is so many times slower (an emulated one)
C=lxt${LXT_SPACE:-}$$		# LXT_SPACE: digits that tell this pid namespace from others
TMP=$(mktemp -d "/tmp/$C.XXXXXX") || exit 99
P=$TMP/path
NET=$TMP/net.conf
mkdir "$P"
echo 'lxc.net.0.type = empty' >"$NET"
cd "$TMP" || exit 99

# shellcheck source=tests/tools/find.sh
. "$TESTS/tools/find.sh"

# ---- TAP ---------------------------------------------------------------------------------------

count=0

diag() { printf '%s\n' "$@" | sed 's/^/# /'; }

report() {	# STATUS SENTENCE
	count=$((count + 1))
	if [ "$1" = 0 ]; then echo "ok $count - $2"; else echo "not ok $count - $2"; fi
	return "$1"
}

# ok SENTENCE COMMAND...: the command succeeds.
ok() {
	local what="$1" rc=0
	shift
	"$@" >"$TMP/.ok" 2>&1 || rc=$?
	if [ $rc = 0 ]; then
		report 0 "$what"
	else
		report 1 "$what" || diag "status $rc of: $*" "$(head -c 3000 "$TMP/.ok")"
	fi
}

# not_ok SENTENCE COMMAND...: the command fails, and not by reaching its limit.
not_ok() {
	local what="$1" rc=0
	shift
	"$@" >"$TMP/.ok" 2>&1 || rc=$?
	if [ $rc != 0 ] && [ $rc != 124 ]; then
		report 0 "$what"
	else
		report 1 "$what" || diag "status $rc of: $*" "$(head -c 3000 "$TMP/.ok")"
	fi
}

is() {		# SENTENCE GOT EXPECTED
	if [ "$2" = "$3" ]; then
		report 0 "$1"
	else
		report 1 "$1" || diag "got:      '$2'" "expected: '$3'" "$(said)"
	fi
}

like() {	# SENTENCE TEXT ERE
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		report 0 "$1"
	else
		report 1 "$1" || diag "got:  '$2'" "expected to match: $3" "$(said)"
	fi
}

unlike() {	# SENTENCE TEXT ERE
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then
		report 1 "$1" || diag "got:  '$2'" "expected not to match: $3"
	else
		report 0 "$1"
	fi
}

skip() {	# SENTENCE WHY
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}

skip_all() {	# WHY
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$count"
	exit 0
}

# ---- running -----------------------------------------------------------------------------------

limit() { timeout -k 2 "$LIMIT" "$@"; }

# lxc TOOL ARG...: a tool on the private lxcpath.
lxc() {
	local tool="$1"
	shift
	limit "lxc-$tool" -P "$P" "$@"
}

# run COMMAND...: keeps what it said in $out and $err, its status in $status.
run() {
	ran="$*" status=0
	"$@" >"$TMP/.out" 2>"$TMP/.err" </dev/null || status=$?
	out=$(tr -d '\000' <"$TMP/.out")
	err=$(tr -d '\000' <"$TMP/.err")
}
ran='' status=0 out='' err=''
said() {
	[ -z "$ran" ] || printf '%s\n' "last run: $ran" "status $status" "$out" "$err" | head -c 3000
}

# fails_with SENTENCE CODE ERE COMMAND...: it exits with CODE (or any but 0 and 124), and its error
# names what ERE says.
fails_with() {
	local what="$1" code="$2" ere="$3"
	shift 3
	run "$@"
	if [ "$code" = any ] && [ "$status" != 0 ] && [ "$status" != 124 ]; then code=$status; fi
	if [ "$status" != "$code" ]; then
		report 1 "$what" || diag "status $status, expected $code" "$(said)"
	elif ! printf '%s\n' "$err" | grep -Eq -e "$ere"; then
		report 1 "$what" || diag "the error should match: $ere" "$(said)"
	else
		report 0 "$what"
	fi
}

# eventually SECONDS COMMAND...: it succeeds within that time.
eventually() {
	local tries="$(($1 * 20 * SLOW))"
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		if [ $tries -le 0 ]; then return 1; fi
		sleep 0.05
	done
}

# Milliseconds of a clock that only goes forward.
now_ms() {
	local up rest
	read -r up rest </proc/uptime
	echo "${up%.*}${up#*.}0"
}

need() {	# PROGRAM...: or the whole file is skipped
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is not installed"
	done
}

# Where nothing of ours is installed, the tools are the distribution's.
need_ours() {
	case $(lxc-create --version 2>/dev/null) in [2-9].*) skip_all 'for the tools of our own' ;; esac
}

# plain_manual DIR: our pages as they are written, in DIR/man1 and so on; packages have them compressed.
plain_manual() {
	local section
	for section in man1 man5 man7 man8; do
		mkdir -p "$1/$section"
		cp "$(dirname "$(command -v lxc-start)")/../share/man/$section/"*lxc* "$1/$section" 2>/dev/null
	done
	find "$1" -name '*.gz' -exec gunzip {} +
}

ptyrun() { limit "$LXT_PTYRUN" "$@"; }
LXT_PTYRUN=${LXT_PTYRUN:-$TMP/ptyrun}
need_ptyrun() {
	[ -x "$LXT_PTYRUN" ] || cc -O1 -o "$LXT_PTYRUN" "$TESTS/tools/ptyrun.c" ||
		skip_all 'no compiler for ptyrun.c'
}

# Does FILE hold exactly one JSON text (or one a line)?
is_json() {
	if command -v jq >/dev/null; then
		[ -s "$1" ] && jq -e . "$1" >/dev/null
	else	# enough to see a broken comma or quote
		awk 'BEGIN { RS = "\001" } {
			gsub(/\\./, ""); gsub(/"[^"]*"/, "s"); gsub(/[ \t\n]/, "")
			gsub(/-?[0-9]+(\.[0-9]+)?|true|false|null/, "s")
			while (gsub(/\[(s(,s)*)?\]|\{(s:s(,s:s)*)?\}/, "s")) ;
			exit $0 !~ /^s+$/
		}' "$1"
	fi
}

# ---- containers --------------------------------------------------------------------------------

# A root filesystem of busybox, an init that obeys at once, and nothing else.
mini_rootfs() {	# DIR
	local bb=''
	bb=$(command -v busybox) || skip_all 'busybox is not installed'
	if [ ! -d "$TMP/mini" ]; then
		mkdir -p "$TMP/mini"
		(cd "$TMP/mini" && mkdir bin sbin usr usr/bin etc root proc sys dev dev/pts run tmp var mnt)
		cp "$bb" "$TMP/mini/bin/busybox"
		chroot "$TMP/mini" /bin/busybox --install -s /bin 2>/dev/null ||
			skip_all 'busybox is not static'
		echo root:x:0:0:root:/root:/bin/sh >"$TMP/mini/etc/passwd"
		echo root:x:0: >"$TMP/mini/etc/group"
		rm -f "$TMP/mini/bin/init"
		cat >"$TMP/mini/sbin/init" <<-'INIT'
			#!/bin/sh
			# Sleeps.  PWR, TERM: ends with 0; USR1: with 7; INT: reboots; HUP, WINCH: nothing.
			trap 'exit 0' PWR TERM
			trap 'exit 7' USR1
			trap 'reboot -f' INT
			trap : HUP WINCH
			echo started >>/run/starts
			while :; do sleep 1000 & wait $!; done
		INIT
		chmod 755 "$TMP/mini/sbin/init"
	fi
	mkdir -p "$1" && cp -al "$TMP/mini/." "$1/"
}

# make_container NAME [CONFIG-LINE]...: a small container without network.
make_container() {
	local name="$1" line
	shift
	mini_rootfs "$P/$name/rootfs"
	{
		echo "lxc.rootfs.path = dir:$P/$name/rootfs"
		echo "lxc.uts.name = $name"
		case "$*" in *lxc.net.*) ;; *) echo 'lxc.net.0.type = empty' ;; esac
		case "$*" in *lxc.mount.auto*) ;; *) echo 'lxc.mount.auto = proc:mixed sys:ro' ;; esac
		printf '%s\n' 'lxc.tty.max = 4' 'lxc.pty.max = 64'
		for line; do printf '%s\n' "$line"; done
	} >"$P/$name/config"
}

# started NAME [CONFIG-LINE]...: made, and running.
started() {
	make_container "$@"
	run lxc start -n "$1"
	[ "$status" = 0 ] || diag "cannot start $1:" "$(said)"
}

state() { lxc info -n "$1" -sH; }
init_pid() { lxc info -n "$1" -pH; }
inside() {	# NAME COMMAND...
	local name="$1"
	shift
	lxc attach -n "$name" -- "$@" </dev/null
}
# Does that process not live any more?  One that nobody has reaped yet is dead too.
is_dead() { ! grep -q '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$1/status" 2>/dev/null; }
state_is() { [ "$(state "$1")" = "$2" ]; }

# The process that watches over a container: its init's parent.
supervisor_pid() {
	local pid=''
	pid=$(init_pid "$1") && [ -n "$pid" ] &&
		sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status"
}

# A bridge of the test's own; $BR.
make_bridge() {
	BR=${C}br
	ip link add "$BR" type bridge 2>/dev/null && ip link set "$BR" up ||
		skip_all 'cannot make a bridge'
}
BR=''

# ---- what is left ------------------------------------------------------------------------------

# leftovers NAME: what this host still holds of a container that is stopped or destroyed, a line each.
leftovers() {
	local name="$1"
	# Not those of "$name-two"; but a "-1" is what is added where an old one stands in the way.
	cgroups_of "$name" | grep -E "[./]$name(-[0-9]+)?(/.*)?\$" | sed 's/^/cgroup /'
	grep -F -e "/$name/" -e "$name " /proc/self/mountinfo | cut -d' ' -f5 | sed 's/^/mount /'
	[ -z "$BR" ] || ls "/sys/class/net/$BR/brif" | sed 's/^/device /'
	for pid in $(processes_of "$P"); do
		case "$(tr '\000' ' ' <"/proc/$pid/cmdline" 2>/dev/null) " in
		*[" /"]"$name"[" /"]*) echo "process $pid $(tr '\000' ' ' <"/proc/$pid/cmdline")" ;;
		esac
	done
	# How the last init ended is kept until the container is destroyed.
	run_entries_of "$name" | grep -E "/$name\$" |
		grep -v "${2:-/.exit/$name\$}" | sed 's/^/run /'
	if [ "${2:-}" = destroyed ] && [ -e "$P/$name" -o -L "$P/$name" ]; then
		echo "directory $P/$name"
	fi
}
nothing_left_now() {
	left=$(leftovers "$@")
	[ -z "$left" ]
}
left=''

# nothing_left SENTENCE NAME [destroyed]: within the moment that the kernel takes to end a namespace.
nothing_left() {
	local what="$1"
	shift
	if eventually 3 nothing_left_now "$@"; then
		report 0 "$what"
	else
		report 1 "$what" || diag 'left behind:' "$left"
	fi
}

# ---- clean-up ----------------------------------------------------------------------------------

export LXT_NAME="$C" LXT_TMP="$TMP"
finish() {
	local rc=$?
	trap '' INT TERM HUP
	kill "$watchdog" 2>/dev/null
	"$TESTS/tools/clean-up"
	exit "$rc"
}

# A killed test cannot clean up; this does it instead, from a session of its own.
setsid "$TESTS/tools/clean-up" --after $$ >/dev/null 2>&1 </dev/null &
watchdog=$!
trap finish EXIT
trap 'exit 130' INT TERM HUP

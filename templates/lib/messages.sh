# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a template says: progress on standard output, and errors in the program's one grammar,
# 'cannot <verb> <object>: <reason>' with the mending command on a second line. And what happens
# last: clean up what is half made, and never end in failure without a word.
# shellcheck shell=sh disable=SC2154

told=''		# set once the reason of a failure has been printed
doing=''	# the last thing announced, for a failure that nobody explained
unfinished=''	# a directory to remove if we end before it is complete
side_dir=''	# a directory that is of no use after us
beside=''	# another one
hidden=''	# set while what is typed is not shown
worker=''	# the process that works for us in the background

say() {
	doing=$*
	printf '%s: %s\n' "$template" "$*"
}

warn() {
	printf '%s: %s\n' "$template" "$*" >&2
}

# die 'VERB OBJECT: REASON' ['COMMAND']: COMMAND is what mends it, where we know it.
die() {
	printf '%s: cannot %s\n' "$template" "$1" >&2
	if [ -n "${2-}" ]; then
		printf '  to mend it: %s\n' "$2" >&2
	fi
	told=1
	exit 1
}

# have COMMAND: is it installed?
have() {
	command -v "$1" >/dev/null 2>&1
}

# need COMMAND PACKAGE: ends with the command that installs it.
need() {
	have "$1" || die "run $1: it is not installed" "install $2"
}

# need_all: what the template's line `needs` says, each word one program or several that serve alike;
# lxc-create --list reads the same line.
need_all() {
	for words in $needs; do
		IFS='|'
		for word in $words; do
			! have "$word" || continue 2
		done
		unset IFS
		die "find ${words%%|*}: it is not installed" "install ${words%%|*}"
	done
	unset IFS
}

# need_root WHAT: root of the host, or of a user namespace that lxc-create made.
need_root() {
	[ "$(id -u)" = 0 ] || die "install $1: only root can" 'sudo lxc-create …'
}

# work COMMAND...: runs it so that a signal ends us, and with us everything that it started: the
# shell would otherwise wait for it before it looks at the signal.
work() {
	"$@" <&0 &
	worker=$!
	if wait "$worker"; then
		worker=''
	else
		worker=''
		return 1
	fi
}

on_exit() {
	status=$?
	trap '' HUP INT TERM
	trap - EXIT
	if [ -n "$worker" ]; then
		kill -KILL "$worker" 2>/dev/null || :
		wait "$worker" 2>/dev/null || :
	fi
	[ -z "$hidden" ] || stty echo
	for directory in "$unfinished" "$side_dir" "$beside"; do
		[ -z "$directory" ] || remove_tree "$directory" || :
	done
	if [ "$status" -gt 0 ] && [ "$status" -lt 128 ] && [ -z "$told" ]; then
		printf '%s: cannot finish: it failed at "%s"\n' "$template" "${doing:-reading its options}" >&2
	fi
	exit "$status"
}

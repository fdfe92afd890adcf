# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A login on /dev/console and on tty1 to tty4, by what each kind of init reads. systemd needs
# nothing: in a container its generator starts container-getty@N for the terminals that lxcore names in
# $container_ttys, as many as lxc.tty.max says, and console-getty for the console; agetty gets
# TERM from the unit. The others have an inittab, whose own terminals are replaced.
# shellcheck shell=sh disable=SC2154

# ttys_inittab sysvinit|busybox [GETTY]: keeps the lines that have nothing to do with terminals.
ttys_inittab() {
	kind=$1 getty=${2:-/sbin/getty}
	inside etc/inittab
	old=$target
	set -- etc/inittab 644
	if [ -e "$old" ]; then
		while IFS= read -r line; do
			case $line in
			'#'* | *getty* | *::askfirst:*) ;;
			*) set -- "$@" "$line" ;;
			esac
		done <"$old"
	fi
	case $kind in
	sysvinit)
		set -- "$@" "co:2345:respawn:$getty 38400 console vt220"
		for n in 1 2 3 4; do set -- "$@" "$n:2345:respawn:$getty 38400 tty$n vt220"; done ;;
	busybox)
		set -- "$@" "console::respawn:$getty -L 115200 console vt100"
		for n in 1 2 3 4; do set -- "$@" "tty$n::respawn:$getty -L 115200 tty$n vt100"; done ;;
	esac
	put "$@"
}

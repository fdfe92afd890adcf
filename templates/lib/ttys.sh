# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A login on /dev/console and on tty1 to tty4, by what each kind of init reads.
# shellcheck shell=sh disable=SC2154

# ttys_systemd: getty@ttyN, which waits for a screen's /dev/tty0 unless told to look for the
# terminal itself; where lxc.tty.max makes fewer, the rest are skipped. systemd's own way,
# container-getty@N for what $container_ttys names, would be a second login on the same terminals,
# and none where the variable is not set. console-getty needs nothing: systemd starts it in every
# container.
ttys_systemd() {
	put etc/systemd/system/getty@.service.d/container.conf 644 '[Unit]' 'ConditionPathExists=' \
		'ConditionPathExists=/dev/%I' '' '[Service]' 'Environment=TERM=vt220' 'TTYVTDisallocate=no'
	for n in 1 2 3 4; do
		put_link "etc/systemd/system/getty.target.wants/getty@tty$n.service" \
			/lib/systemd/system/getty@.service
	done
	systemd_mask container-getty@.service
}

# ttys_inittab sysvinit|busybox [GETTY]: for both, and for OpenRC on either of them; keeps the lines
# that have nothing to do with terminals.
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

# ttys_upstart: what Enterprise Linux 6 has; the console has no job of its own there. lxc-stop's
# signal becomes an event that nothing answers.
# shellcheck disable=SC2016 # upstart expands it
ttys_upstart() {
	put etc/init/lxc-console.conf 644 'start on stopped rc RUNLEVEL=[2345]' \
		'stop on runlevel [!2345]' respawn 'exec /sbin/mingetty --nohangup console'
	put etc/init/tty.override 644 'exec /sbin/mingetty --nohangup $TTY'
	put etc/init/power-status-changed.override 644 'exec /sbin/shutdown -h now "by lxc-stop"'
	inside etc/sysconfig/init
	if [ -f "$target" ] && [ ! -L "$target" ]; then
		printf '%s\n' 'ACTIVE_CONSOLES=/dev/tty[1-4]' >>"$target" || die "write $target"
	fi
}

# ttys_secure: where root may log in, for the few that still keep a list.
ttys_secure() {
	inside etc/securetty
	[ -f "$target" ] && [ ! -L "$target" ] || return 0
	for tty in console tty1 tty2 tty3 tty4; do
		printf '%s\n' "$tty" "lxc/$tty" >>"$target" || die "write $target"
	done
}

# ttys_by_init: by what the tree has.
ttys_by_init() {
	inside etc/inittab
	if systemd_has getty@.service; then
		ttys_systemd
	elif [ -e "$rootfs/etc/init/start-ttys.conf" ]; then
		ttys_upstart
	elif [ -f "$target" ] && grep -q '^[^#]*::' "$target"; then
		ttys_inittab busybox
	elif [ -f "$target" ]; then
		ttys_inittab sysvinit
	else
		die 'find the init of the container: neither systemd, nor upstart, nor an inittab'
	fi
	ttys_secure
}

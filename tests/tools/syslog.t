#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a start writes down, in a file and for the syslog daemon: lxc.log.file, lxc.log.level,
# lxc.log.syslog.  The daemon is one of the test's own, in a /dev that only the test sees.

. "${0%/*}/lib.sh"
need busybox
busybox syslogd --help >/dev/null 2>&1 || skip_all 'this busybox has no syslogd'

# with_syslog COMMAND...: in a mount namespace in which a daemon listens; what it gets is in $TMP/syslog.
with_syslog() {
	rm -f "$TMP/syslog"
	limit unshare -m --propagation private sh -c '
		mkdir -p "$1/dev" && mount --rbind /dev "$1/dev" && mount -t tmpfs dev /dev || exit 99
		for entry in null zero full random urandom tty ptmx; do
			: >"/dev/$entry" && mount --bind "$1/dev/$entry" "/dev/$entry" || exit 99
		done
		mkdir /dev/pts && mount --rbind "$1/dev/pts" /dev/pts || exit 99
		busybox syslogd -n -O "$1/syslog" & export daemon=$!
		tries=100
		while [ ! -S /dev/log ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.05; done
		shift
		"$@"
		status=$?
		kill "$daemon"
		wait "$daemon"
		exit $status' - "$TMP" "$@"
	status=$?
	rmdir "$TMP/dev"
	return $status
}
started_and_stopped() {
	with_syslog sh -c 'lxc-start -P "$1" -n "$2" && lxc-stop -k -P "$1" -n "$2"' - "$P" "$C"
}
logged() { grep -o 'lxcore: .*' "$TMP/syslog"; }

# ---- syslog

make_container "$C" 'lxc.log.syslog = local3' 'lxc.log.level = INFO'
ok 'a container that logs to syslog starts' started_and_stopped
like '... and what happened is there, with its severity and facility' "$(cat "$TMP/syslog")" \
	" local3\.info lxcore: $C: state - RUNNING"
like '... up to its end' "$(logged | tail -n 1)" "lxcore: $C: init - killed by signal 9"
make_container "$C" 'lxc.log.syslog = Daemon' 'lxc.log.level = INFO' "lxc.log.file = $TMP/file"
ok 'with a file, too' started_and_stopped
like '... it is in the file' "$(cat "$TMP/file")" "lxcore $C [0-9]{14}\.[0-9]{3} INFO     state - RUNNING"
like '... and in syslog' "$(cat "$TMP/syslog")" " daemon\.info lxcore: $C: state - RUNNING"
make_container "$C" 'lxc.log.syslog = local0'
ok 'without a level' started_and_stopped
is '... what went well is not worth a word' "$(logged)" ''
make_container "$C" 'lxc.log.syslog = local0' 'lxc.init.cmd = /bin/none'
not_ok 'what cannot be started' with_syslog lxc-start -P "$P" -n "$C"
like '... is told' "$(cat "$TMP/syslog")" " local0\.err lxcore: $C: start - .*/bin/none"
make_container "$C" 'lxc.log.syslog = local0' 'lxc.log.level = INFO'
ok 'a log named on the command line' with_syslog sh -c \
	'lxc-start -P "$1" -n "$2" -o "$3" && lxc-stop -k -P "$1" -n "$2"' - "$P" "$C" "$TMP/own"
is '... takes the place of both' "$(logged)" ''

make_container "$C" 'lxc.log.syslog = local0' 'lxc.log.level = TRACE'
ok 'a daemon that takes nothing any more holds nobody up' with_syslog sh -c '
	kill -STOP "$daemon"
	timeout 2 sh -c "while :; do busybox logger full; done"
	lxc-start -P "$1" -n "$2" && lxc-stop -k -P "$1" -n "$2"
	status=$?
	kill -CONT "$daemon"
	exit $status' - "$P" "$C"

# ---- refusals

make_container "$C" 'lxc.log.syslog = mail'
fails_with 'there are few facilities' 1 'lxc.log.syslog: "mail" is none of daemon' lxc start -n "$C"
make_container "$C" 'lxc.log.syslog = local7'
fails_with 'without a daemon it does not start' 1 'config:[0-9]+.*cannot reach the syslog daemon at "/dev/log"' \
	limit unshare -m --propagation private sh -c 'mount -t tmpfs none /dev && lxc-start -P "$1" -n "$2"' - "$P" "$C"
make_container "$C" "lxc.log.file = $TMP/absent/file"
fails_with 'nor with a file that cannot be written' 1 'cannot write the log.*absent' lxc start -n "$C"
make_container "$C" "lxc.log.file = $TMP/early" 'lxc.net.0.type = veth' 'lxc.net.0.link = lxt-nobridge'
not_ok 'what is wrong with it before anything is made' lxc start -n "$C"
like '... is in the log, too' "$(cat "$TMP/early")" 'ERROR    start - .*lxt-nobridge'
nothing_left 'nothing is left' "$C"

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-start --wait=ready for each init: it returns when that init has started all.  The inits are the
# real ones: the host's busybox, and those of Debian's packages where these can be had.

. "${0%/*}/lib.sh"

# A container whose start scripts end once /go-SCRIPT is there.
slow_container() {	# NAME
	make_container "$1"
	rm -f "$P/$1/rootfs/sbin/init"
	mkdir -p "$P/$1/rootfs/etc/init.d"
}
slow() {	# NAME SCRIPT [LINE]
	mkdir -p "$(dirname "$P/$1/rootfs/$2")"
	printf '%s\n' '#!/bin/sh' "${3:-}" "until [ -e /go-${2##*/} ]; do sleep 0.05; done" >"$P/$1/rootfs/$2"
	chmod 755 "$P/$1/rootfs/$2"
}
go() { touch "$P/$1/rootfs/go-$2"; }
never_ready() {	# SENTENCE NAME ERE
	fails_with "$1" 1 "$2: it runs, but is not ready after 1 seconds: .*$3" \
		lxc start -n "$2" --wait=ready --timeout 1
}
wait_on() {
	lxc-start -P "$P" -n "$1" --wait=ready --timeout 60 >"$TMP/said-$1" 2>&1 &
	job=$!
	eventually 10 state_is "$1" RUNNING || diag "$1 does not run:" "$(cat "$TMP/said-$1")"
}
waits_still() { kill -0 "$job" 2>/dev/null; }
libraries() {	# NAME BINARY...: and what they are linked with
	local name="$1"
	shift
	for lib in $(ldd "$@" 2>/dev/null | grep -o '/[^ ]*[^: ]' | sort -u); do
		case $lib in
		"$TMP"/*) continue ;;
		esac
		mkdir -p "$P/$name/rootfs${lib%/*}"
		[ -e "$P/$name/rootfs$lib" ] || cp "$lib" "$P/$name/rootfs$lib"
	done
}
package() {	# NAME: unpacked into $TMP/NAME
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 1
	mkdir -p "$TMP/debs" || return 1
	(cd "$TMP/debs" && limit apt-get -q download "$1" >/dev/null 2>&1) || return 1
	dpkg-deb -x "$TMP/debs/$1"_*.deb "$TMP/$1"
}

# ---- busybox

slow_container "$C"
ln -s /bin/busybox "$P/$C/rootfs/sbin/init"
slow "$C" etc/init.d/rcS
slow "$C" etc/init.d/late
cat >"$P/$C/rootfs/etc/inittab" <<'TAB'
::sysinit:/etc/init.d/rcS
::wait:/etc/init.d/late
::once:/bin/sleep 1000
::respawn:/bin/sleep 1001
TAB
never_ready 'busybox: while an entry sysinit runs it is not ready' "$C" 'entries sysinit and wait'
lxc stop -k -n "$C"
go "$C" rcS
never_ready '... nor while an entry wait does' "$C" 'entries sysinit and wait'
lxc stop -k -n "$C"
wait_on "$C"
ok '... it is waited for' waits_still
go "$C" late
wait "$job"
is '... until all of them have ended' "$?" 0
lxc stop -k -n "$C"
rm "$P/$C/rootfs/etc/inittab"
ok '... without an inittab as well' lxc start -n "$C" --wait=ready
lxc stop -k -n "$C"

# The template's init is a hard link.
ln -f "$P/$C/rootfs/bin/busybox" "$P/$C/rootfs/sbin/init"
ok '... and as a file with two names' lxc start -n "$C" --wait=ready
ok '... which stops as busybox does' lxc stop -n "$C" -t 15 --nokill

# ---- an init that does not show it, and its hook

make_container "$C-own"
fails_with 'another init is refused by name, with what tells more' 1 \
	'its init \(busybox\) does not tell when it is ready.*no ready hook' lxc start -n "$C-own" --wait=ready
like '... and how to mend it' "$err" 'lxc.hook.ready = PROGRAM'
lxc stop -k -n "$C-own"
echo 'lxc.hook.ready = /bin/true' >>"$P/$C-own/config"
ok '... with a hook it is ready when that says so' lxc start -n "$C-own" --wait=ready
lxc stop -k -n "$C-own"

# ---- sysvinit

if package sysvinit-core; then
	slow_container "$C-sysv"
	root=$P/$C-sysv/rootfs
	cp "$TMP/sysvinit-core/sbin/init" "$root/sbin/init"
	libraries "$C-sysv" "$TMP/sysvinit-core/sbin/init"
	mkdir -p "$root/var" && rm -rf "$root/var/run" && ln -s /run "$root/var/run"
	slow "$C-sysv" etc/init.d/rcS ': >/run/utmp'
	slow "$C-sysv" etc/init.d/rc
	cat >"$root/etc/inittab" <<-'TAB'
		# l9:2:wait:/not/this
		id:2:initdefault:
		si::sysinit:/etc/init.d/rcS
		l0:0:wait:/etc/init.d/rc 0
		l2:2:wait:/etc/init.d/rc 2
		1:2345:respawn:/bin/sleep 1000
	TAB
	never_ready 'sysvinit: before its runlevel it is not ready' "$C-sysv" 'not reached its runlevel'
	lxc stop -k -n "$C-sysv"
	go "$C-sysv" rcS
	never_ready '... nor while its rc runs' "$C-sysv" '"/etc/init.d/rc 2" of its inittab'
	lxc stop -k -n "$C-sysv"
	wait_on "$C-sysv"
	ok '... it is waited for' waits_still
	go "$C-sysv" rc
	wait "$job"
	is '... until that has ended' "$?" 0
	lxc stop -k -n "$C-sysv"
	# What it reads there is the container's: a pipe is not waited for.
	rm "$root/go-rc"
	wait_on "$C-sysv"
	mkfifo "$root/etc/pipe" && mv "$root/etc/pipe" "$root/etc/inittab"
	wait "$job"
	is '... a pipe in place of its inittab keeps nobody waiting' "$?" 1
	like '... and is named' "$(cat "$TMP/said-$C-sysv")" 'its /etc/inittab cannot be read'
	lxc stop -k -n "$C-sysv"
else
	skip 'sysvinit' 'the package sysvinit-core cannot be had'
fi

# ---- OpenRC

if package openrc && package librc1 && package libeinfo1; then
	slow_container "$C-rc"
	root=$P/$C-rc/rootfs
	cp -a "$TMP/openrc/." "$TMP/librc1/." "$TMP/libeinfo1/." "$root/"
	LD_LIBRARY_PATH=$(dirname "$(find "$TMP/librc1" -name 'librc.so*' | head -n 1)"):$(dirname \
		"$(find "$TMP/libeinfo1" -name 'libeinfo.so*' | head -n 1)") \
		libraries "$C-rc" "$TMP/openrc/sbin/openrc" "$TMP/openrc/sbin/openrc-init" \
		"$TMP/openrc/sbin/openrc-run"
	ln -s openrc-init "$root/sbin/init"
	for level in sysinit boot default; do
		mkdir -p "$root/etc/runlevels/$level"
		printf '%s\n' '#!/sbin/openrc-run' \
			"start() { until [ -e /go-$level ]; do sleep 0.05; done; }" >"$root/etc/init.d/$level"
		chmod 755 "$root/etc/init.d/$level"
		ln -s "/etc/init.d/$level" "$root/etc/runlevels/$level/$level"
	done
	go "$C-rc" sysinit
	never_ready 'OpenRC: in runlevel boot it is not ready' "$C-rc" 'OpenRC is in runlevel'
	lxc stop -k -n "$C-rc"
	go "$C-rc" boot
	wait_on "$C-rc"
	ok '... it is waited for' waits_still
	go "$C-rc" default
	wait "$job"
	is '... until it has started the last runlevel' "$?" 0
	lxc stop -k -n "$C-rc"
	rm "$root/go-default"
	run lxc start -n "$C-rc" --wait=ready --timeout 1
	like '... before that it is not' "$status $err" '^1 .*(OpenRC starts runlevel default|in runlevel)'
	lxc stop -k -n "$C-rc"
else
	skip 'OpenRC' 'the package openrc cannot be had'
fi

# ---- runit

if package runit; then
	slow_container "$C-runit"
	root=$P/$C-runit/rootfs
	cp -a "$TMP/runit/." "$root/"
	libraries "$C-runit" "$TMP/runit/sbin/runit" "$TMP/runit/usr/bin/runsvdir"
	ln -s ../lib/runit/runit-init "$root/sbin/init"
	slow "$C-runit" etc/runit/1
	never_ready 'runit: in its first stage it is not ready' "$C-runit" 'supervise its services'
	lxc stop -k -n "$C-runit"
	wait_on "$C-runit"
	ok '... it is waited for' waits_still
	go "$C-runit" 1
	wait "$job"
	is '... until it supervises its services' "$?" 0
	lxc stop -k -n "$C-runit"
else
	skip 'runit' 'the package runit cannot be had'
fi

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A root filesystem made by an enemy: whatever in it is a link to the host, a start either refuses it
# by name or goes on inside; nothing on the host is touched, and nothing of it is to be seen inside.

. "${0%/*}/../tools/lib.sh"
need_ptyrun

victim=$TMP/victim
bait() {
	rm -rf "$victim"
	mkdir -p "$victim/sub" "$victim/pts"
	echo secret >"$victim/file"
	echo secret >"$victim/null"
	echo secret >"$victim/console"
	echo secret >"$victim/hostname"
	ln -s /nowhere "$victim/dangling"
	picture >"$TMP/before"
}
picture() {
	(cd "$victim" && find . -exec stat -c '%n %F %a %u %g %s %i' {} + && cat file null console hostname) | sort
	grep -c -e "$victim" /proc/self/mountinfo
}
# A way up and down again that ends at a host path.
up=../../../../../../../../../../../..

# attack SENTENCE COMMANDS [CONFIG-LINE]...: COMMANDS are run in the root filesystem before the start.
attack() {
	local what="$1" commands="$2"
	shift 2
	rm -rf "${P:?}/$C"
	bait
	make_container "$C" 'lxc.autodev = 1' "$@"
	(cd "$P/$C/rootfs" && eval "$commands") || diag "cannot set up: $commands"
	run lxc start -n "$C"
	if [ "$status" = 0 ]; then
		inside "$C" sh -c 'echo x >/dev/null; for f in /proc/* ; do :; done; echo probe >/tmp/probe' >/dev/null 2>&1
		lxc stop -k -n "$C" >/dev/null 2>&1
	else
		[ -n "$err" ] || report 1 "$what: refused without a word"
	fi
	picture >"$TMP/after"
	ok "$what: the host is as it was" cmp "$TMP/before" "$TMP/after"
	if ! eventually 2 nothing_left_now "$C"; then report 1 "$what: nothing left" || diag "$left"; fi
}

for target in "$victim" "$up$victim"; do
	for at in proc sys dev etc run tmp mnt; do
		attack "$at is a link to $([ "$target" = "$victim" ] && echo / || echo ../..)" \
			"rm -rf $at && ln -s $target $at" \
			'lxc.mount.auto = proc:mixed sys:ro cgroup:mixed' \
			'lxc.mount.entry = tmpfs mnt tmpfs size=1m,create=dir 0 0' \
			'lxc.mount.entry = tmpfs run/x/y tmpfs size=1m,create=dir 0 0'
	done
	attack 'dev is a link, without a /dev of our own' "rm -rf dev && ln -s $target dev" 'lxc.autodev = 0'
	attack 'dev/pts is a link' "rm -rf dev/pts && ln -s $target/pts dev/pts" 'lxc.autodev = 0'
	attack 'dev/console is a link' "ln -s $target/console dev/console" 'lxc.autodev = 0'
	attack 'dev/console is a dangling link' "ln -s $target/new dev/console" 'lxc.autodev = 0'
	attack 'dev/ptmx is a link' "ln -s $target/file dev/ptmx" 'lxc.autodev = 0'
	attack 'dev/tty1 is a link' "ln -s $target/file dev/tty1" 'lxc.autodev = 0'
	attack 'dev/null is a link' "ln -s $target/null dev/null" 'lxc.autodev = 0'
	attack 'dev/shm is a link' "ln -s $target dev/shm" 'lxc.autodev = 0' \
		'lxc.mount.entry = tmpfs dev/shm tmpfs size=1m,create=dir 0 0'
	attack 'sys/fs is a link' "mkdir -p sys && ln -s $target sys/fs" 'lxc.mount.auto = cgroup:rw:force'
	attack 'the target of a mount is a link' "rm -rf mnt && ln -s $target mnt" \
		'lxc.mount.entry = tmpfs mnt tmpfs size=1m 0 0'
	attack 'a directory of the target is a link' "rm -rf mnt && ln -s $target mnt" \
		'lxc.mount.entry = tmpfs mnt/sub tmpfs size=1m 0 0'
	attack 'a directory to be made is below a link' "rm -rf mnt && ln -s $target mnt" \
		'lxc.mount.entry = tmpfs mnt/new/er tmpfs size=1m,create=dir 0 0'
	attack 'a file to be made is below a link' "rm -rf mnt && ln -s $target mnt" \
		"lxc.mount.entry = $TMP/net.conf mnt/newfile none bind,create=file 0 0"
	attack 'a file to be made is a dangling link' "ln -s $target/dangling-new mnt/f" \
		"lxc.mount.entry = $TMP/net.conf mnt/f none bind,create=file 0 0"
	attack 'lxc.init.cwd is a link' "rm -rf mnt && ln -s $target mnt" 'lxc.init.cwd = /mnt/newdir'
	attack 'the directory of terminals is a link' "ln -s $target dev/lxc" 'lxc.autodev = 0' 'lxc.tty.dir = lxc'
	attack 'proc/sys is a link' "rm -rf proc && mkdir -p proc && ln -s $target proc/sys" 'lxc.sysctl.net.ipv4.ip_forward = 1'
done

attack 'a target goes up by ..' ':' "lxc.mount.entry = tmpfs $up$victim/sub tmpfs size=1m 0 0"
attack 'a target goes up by .. to something new' ':' \
	"lxc.mount.entry = tmpfs $up$victim/new tmpfs size=1m,create=dir 0 0"
attack 'a relative source is a link' "ln -s $victim mnt/source" \
	'lxc.mount.entry = mnt/source media none bind,relative,create=dir 0 0'
attack 'a chain of links' "rm -rf mnt && ln -s a mnt && ln -s b a && ln -s $victim b" \
	'lxc.mount.entry = tmpfs mnt tmpfs size=1m 0 0'
attack 'a loop of links' 'rm -rf mnt && ln -s a mnt && ln -s mnt a' \
	'lxc.mount.entry = tmpfs mnt tmpfs size=1m,create=dir 0 0'
attack 'init is a link to the host' "rm -f sbin/init && ln -s $victim/file sbin/init"
attack 'everything is a link to /' 'for d in proc sys dev etc run tmp mnt root var; do rm -rf $d; ln -s / $d; done' \
	'lxc.mount.auto = proc:mixed sys:mixed cgroup:mixed' 'lxc.mount.entry = tmpfs mnt tmpfs size=1m,create=dir 0 0'

# ---- what is seen inside

rm -rf "${P:?}/$C"
bait
make_container "$C"
ln -s "$victim" "$P/$C/rootfs/mnt/host"
lxc start -n "$C"
not_ok 'inside, a link to the host leads nowhere' inside "$C" cat /mnt/host/file
not_ok 'nor does /proc/1/root and ..' inside "$C" cat "/proc/1/root/$up$victim/file"
is 'inside, no descriptor of the host is open in init' \
	"$(inside "$C" sh -c 'ls -l /proc/1/fd' | grep -c -e "$TMP" -e "$P")" 0
not_ok 'nor the old root' inside "$C" sh -c 'cut -d" " -f5 /proc/1/mountinfo | grep -q lxc/rootfs'
lxc stop -k -n "$C"

# ---- tools that enter a container whose inside is hostile

make_container "$C-two"
rm -f "$P/$C-two/rootfs/bin/sh"
cp "$P/$C-two/rootfs/bin/busybox" "$P/$C-two/rootfs/bin/sh"
lxc start -n "$C-two"
inside "$C-two" sh -c 'ln -sf /proc/self/exe /tmp/me; rm -rf /etc; ln -s /proc/1/root /etc' >/dev/null 2>&1
tool=$(command -v lxc-attach)
sum=$(cksum <"$tool")
run ptyrun -t 5 'end' -- lxc-attach -P "$P" -n "$C-two" -- /proc/self/exe --help
run lxc attach -n "$C-two" -- sh -c 'echo >/proc/self/exe'
is 'an attach cannot be made to overwrite the tool' "$(cksum <"$tool")" "$sum"
run lxc attach -n "$C-two" -- sh -c 'cat /proc/self/environ | tr "\000" "\n" | grep -c LXC_'
ok 'the container cannot trace a tool that enters it' test "$status" != 124
lxc stop -k -n "$C-two"

# ---- a container that is destroyed must not take the host along

bait
make_container "$C-three"
ln -s "$victim" "$P/$C-three/rootfs/mnt/host"
rm -rf "$P/$C-three/rootfs/var" && ln -s "$victim" "$P/$C-three/rootfs/var"
ln -s "$victim" "$P/$C-three/extra"
ok 'destroy of one with links to the host works' lxc destroy -n "$C-three"
picture >"$TMP/after"
ok '... and removes nothing there' cmp "$TMP/before" "$TMP/after"
mkdir "$TMP/elsewhere" && mini_rootfs "$TMP/elsewhere/rootfs"
ln -s "$TMP/elsewhere" "$P/$C-four"
echo "lxc.rootfs.path = dir:$TMP/elsewhere/rootfs" >"$TMP/elsewhere/config"
run lxc destroy -n "$C-four"
ok 'a container directory that is a link: what it points to stays, or destroy says why it went' \
	sh -c '[ -e "$1/elsewhere" ]' - "$TMP"
nothing_left 'nothing is left' "$C"

# ---- lxcore itself in a chroot: pivot_root(2) alone would leave the host's tree in the container's namespace

make_container "$C-five"
echo "$C-five" >"$P/$C-five/rootfs/mark"
mkdir "$TMP/jail"
ok 'in a chroot a container starts' unshare -m --propagation private sh -c \
	'mount --rbind / "$1/jail" && exec chroot "$1/jail" "$(command -v lxc-start)" -P "$2" -n "$3"' - \
	"$TMP" "$P" "$C-five"
is '... who enters it has its root' "$(inside "$C-five" cat /mark)" "$C-five"
is '... as has who enters its mount namespace from inside' \
	"$(inside "$C-five" nsenter -t 1 -m cat /mark)" "$C-five"
is '... where nothing of the host is mounted' \
	"$(inside "$C-five" nsenter -t 1 -m awk '$2 == "/" { n++ } END { print n }' /proc/mounts)" 1
lxc stop -k -n "$C-five"
nothing_left 'nothing is left of it' "$C-five"

done_testing

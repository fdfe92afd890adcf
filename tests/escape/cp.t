#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks on lxc-cp by the container that it copies from and to: whatever links, mounts and races it
# has, nothing of the host changes, and nothing of the host comes along.  What is hostile has a name in
# the container alone, and is removed there.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
bait
echo mine >"$TMP/mine"
mkdir -p "$TMP/tree/sub" "$TMP/out"
echo mine >"$TMP/tree/file"
echo mine >"$TMP/tree/sub/file"
out() { rm -rf "$TMP/out"; mkdir "$TMP/out"; }
# Is something of the host in what was copied out?
nothing_of_the_host() {
	unlike "$1: nothing of the host came along" "$(grep -rsl '^secret$' "$TMP/out")" .
	out
}

U=$C-u
armed "$C" "lxc.mount.entry = $victim mnt/shared none bind,create=dir 0 0"
armed "$U" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536' \
	"lxc.mount.entry = $victim/sub mnt/shared none bind,create=dir 0 0"
chown -R -h 100000:100000 "$P/$U/rootfs"
chmod 755 "$TMP" "$P" "$P/$U"
for name in "$C" "$U"; do lxc start -n "$name"; done

# ----------------------------------------------------------------------------------------------------
row CVE-2018-15664 'links in the container lead what is copied to the host, or from it' \
	'each path of a container is resolved under its root by the kernel'
for state in running stopped; do
	for target in "$victim" "$up$victim" "/proc/1/root$victim" "/proc/self/root$victim" \
		"/proc/self/cwd/$up$victim" "/proc/1/cwd$victim" /dev/fd/3 /proc/self/fd/3; do
		# A new name each time, and nothing of it is ever followed by the test.
		if [ $state = running ]; then
			inside "$C" sh -c "rm -rf /tmp/a /tmp/b; mkdir -p /tmp/a; ln -s $target /tmp/b; ln -s $target/file /tmp/a/file; ln -s $target /tmp/a/sub"
		else
			rm -f "$P/$C/rootfs/tmp/b" "$P/$C/rootfs/tmp/a/file" "$P/$C/rootfs/tmp/a/sub"
			ln -s "$target" "$P/$C/rootfs/tmp/b"
			ln -s "$target/file" "$P/$C/rootfs/tmp/a/file"
			ln -s "$target" "$P/$C/rootfs/tmp/a/sub"
		fi
		for to in /tmp/b /tmp/b/ /tmp/b/file /tmp/b/new /tmp/a/file /tmp/a/sub /tmp/a/sub/new \
			"/$up$victim/file" "$up$victim/new" "/proc/1/root$victim/file" "/proc/self/root$victim/new"; do
			lxc cp "$TMP/mine" "$C:$to" >/dev/null 2>&1
			lxc cp -r "$TMP/tree" "$C:$to" >/dev/null 2>&1
			lxc cp -a "$TMP/tree/." "$C:$to" >/dev/null 2>&1
			echo mine | lxc cp - "$C:$to" >/dev/null 2>&1
			lxc cp "$C:$to" "$TMP/out/one" >/dev/null 2>&1
			lxc cp "$C:$to" - >"$TMP/out/stream" 2>/dev/null
		done
		lxc cp -r "$C:/tmp" "$TMP/out/tree" >/dev/null 2>&1
		lxc cp "$C:/tmp/b/file" "$C:/tmp/a/file" "$TMP/out" >/dev/null 2>&1
		# Links came out as links, which whoever looks for bytes must not follow.
		find "$TMP/out" -type l -exec rm -f {} +
		nothing_of_the_host "$CVE: $state, $target"
	done
	unharmed "$CVE: $state"
	[ $state = running ] && lxc stop -k -n "$C"
done
lxc start -n "$C"

# ----------------------------------------------------------------------------------------------------
row 'a race' 'a name is a directory and a link to the host by turns, while it is copied to and from' \
	'what was found is held by descriptor; a link that appears later is not followed'
inside "$C" sh -c "rm -rf /tmp/a /tmp/b; mkdir -p /tmp/a/sub /tmp/d/sub /tmp/f; echo his >/tmp/a/file; echo his >/tmp/a/sub/file; ln -s $victim /tmp/b
	echo his >/tmp/f/a; ln -s $victim/file /tmp/f/b"
limit lxc-attach -P "$P" -n "$C" -- /bin/attack swap /tmp/a /tmp/b 4 >/dev/null 2>&1 </dev/null &
one=$!
limit lxc-attach -P "$P" -n "$C" -- /bin/attack swap /tmp/f/a /tmp/f/b 4 >/dev/null 2>&1 </dev/null &
two=$!
limit lxc-attach -P "$P" -n "$C" -- sh -c "n=0
	while [ -e /tmp/go ] || [ \$n -lt 100 ]; do
		n=\$((n + 1))
		for f in /tmp/d/.lxc-cp.*; do
			[ -d \$f ] && mv \$f /tmp/d/taken\$n && ln -s $victim \$f
			for s in /tmp/d/taken\$n/*; do [ -d \$s ] && mv \$s \$s.taken && ln -s $victim \$s; done
		done
	done" >/dev/null 2>&1 </dev/null &
three=$!
inside "$C" touch /tmp/go
for i in 1 2 3 4 5 6 7 8; do
	lxc cp "$TMP/mine" "$C:/tmp/a/file" >/dev/null 2>&1
	lxc cp -r "$TMP/tree/." "$C:/tmp/a" >/dev/null 2>&1
	lxc cp -a "$TMP/tree" "$C:/tmp/d/new$i" >/dev/null 2>&1
	lxc cp "$TMP/mine" "$C:/tmp/f/a" >/dev/null 2>&1
	lxc cp -r "$C:/tmp/a" "$TMP/out/tree$i" >/dev/null 2>&1
	lxc cp -r "$C:/tmp/." "$TMP/out/all$i" >/dev/null 2>&1
	lxc cp "$C:/tmp/f/a" "$TMP/out/file$i" >/dev/null 2>&1
	lxc cp "$C:/tmp/a/file" - >"$TMP/out/stream$i" 2>/dev/null
done
inside "$C" rm -f /tmp/go
wait $one $two $three
is "race: without -r no link came out" "$(find "$TMP/out" -maxdepth 1 -name 'file*' -type l)" ''
find "$TMP/out" -type l -exec rm -f {} +
ok 'race: something was copied at all' test -n "$(find "$TMP/out" -type f)"
nothing_of_the_host race
unharmed race

# ----------------------------------------------------------------------------------------------------
row 'false files' 'links and mounts lead to files of /proc and /sys, which act when written and tell of the host' \
	'what a kernel makes up is neither copied nor written to'
for name in "$C" "$U"; do
	inside "$name" sh -c 'rm -rf /tmp/p /tmp/q /tmp/k; ln -s /proc/sys/kernel /tmp/p; ln -s /proc/sys/kernel/domainname /tmp/q; ln -s /sys /tmp/s
		ln -s /proc/1/environ /tmp/e; mkdir -p /tmp/k /tmp/c; mount --bind /proc/sys/kernel /tmp/k; mount -t proc none /tmp/c'
	inside "$name" cat /proc/sys/kernel/domainname >"$TMP/domain"
	for to in /tmp/p/domainname /tmp/q /tmp/k/domainname /tmp/k /tmp/p /tmp/c/sys/kernel/domainname /tmp/c /tmp/s /tmp/s/new; do
		not_ok "false files: nothing is written to $to" lxc cp "$TMP/mine" "$name:$to"
		echo mine | lxc cp - "$name:$to" >/dev/null 2>&1
		not_ok '... no tree is' lxc cp -r "$TMP/tree/." "$name:$to"
	done
	is 'false files: what is there is as it was' "$(inside "$name" cat /proc/sys/kernel/domainname)" "$(cat "$TMP/domain")"
	for from in /tmp/q /tmp/e /tmp/k/domainname /tmp/c/1/environ /proc/kmsg /proc/kcore /tmp/c /tmp/k; do
		not_ok "false files: $from does not come out" lxc cp "$name:$from" "$TMP/out/x"
		not_ok '... with -r' lxc cp -r "$name:$from/." "$TMP/out/x"
	done
	run lxc cp -r "$name:/tmp" "$TMP/out/tmp"
	is 'false files: the rest of a tree comes out' "$status" 0
	is '... with empty directories in their place' "$(ls -A "$TMP/out/tmp/c" "$TMP/out/tmp/k" | grep -v : | grep -c .)" 0
	out
done
unharmed 'false files'

# ----------------------------------------------------------------------------------------------------
row 'a shared directory' 'a link leads into a directory of the host that the container sees but may not write' \
	'nothing is put where the root of a user namespace could put nothing'
inside "$U" sh -c 'ln -s /mnt/shared /tmp/shared'
not_ok 'shared: its own root cannot write there' inside "$U" touch /mnt/shared/x
for to in /tmp/shared /tmp/shared/new /mnt/shared/; do
	fails_with "shared: nor is it written there through $to" 1 'may not write' lxc cp "$TMP/mine" "$U:$to"
	not_ok '... nor a tree' lxc cp -r "$TMP/tree/." "$U:$to"
done
unharmed shared

# ----------------------------------------------------------------------------------------------------
row 'what comes out' 'files that act for their owner, devices, names that want to be written through later' \
	'setuid, setgid, capabilities and devices stay inside; a link is never written through'
inside "$C" sh -c 'mkdir -p /tmp/x; cp /bin/busybox /tmp/x/shell; chmod 6755 /tmp/x/shell; mkfifo /tmp/x/fifo; mknod /tmp/x/disk b 7 0' 2>/dev/null
mknod "$P/$C/rootfs/tmp/x/mem" c 1 1
setcap cap_sys_admin+ep "$P/$C/rootfs/tmp/x/shell" 2>/dev/null
chmod 6755 "$P/$C/rootfs/tmp/x/shell"
run lxc cp -a "$C:/tmp/x" "$TMP/out"
is 'what comes out: all but the devices' "$status $(ls "$TMP/out/x" | tr '\n' ' ')" '0 fifo shell '
is '... nothing that acts for its owner' "$(stat -c %a "$TMP/out/x/shell")$(getcap "$TMP/out/x/shell" 2>/dev/null)" 755
fails_with '... and a fifo is not waited for' 1 'fifo' lxc cp "$C:/tmp/x/fifo" "$TMP/out/fifo"
out
inside "$C" sh -c "mkdir -p /tmp/y/sub; ln -s $victim /tmp/y/link; ln -s $victim/file /tmp/y/file"
lxc cp -r "$C:/tmp/y/." "$TMP/out"
inside "$C" sh -c 'rm -f /tmp/y/link /tmp/y/file; mkdir /tmp/y/link; echo evil >/tmp/y/link/file; echo evil >/tmp/y/file'
fails_with 'what comes out: a second copy goes through no link of the first' 1 'is a symbolic link' \
	lxc cp -r "$C:/tmp/y/." "$TMP/out"
rm -f "$TMP/out/link"
lxc cp -r "$C:/tmp/y/." "$TMP/out"
is '... a link is replaced' "$(cat "$TMP/out/file") $(test -L "$TMP/out/file" || echo file)" 'evil file'
out
unharmed 'what comes out'

# ----------------------------------------------------------------------------------------------------
row 'no root yet' 'a container that is just starting has the host'"'"'s root' \
	'nothing is copied before it is RUNNING'
armed "$C-w" "lxc.hook.pre-mount = $TMP/wait"
printf '#!/bin/sh\ntouch "%s/waiting"\nn=0; while [ ! -e "%s/go" ] && [ $n -lt 100 ]; do sleep 0.1; n=$((n + 1)); done\n' "$TMP" "$TMP" >"$TMP/wait"
chmod 755 "$TMP/wait"
lxc start -n "$C-w" >/dev/null 2>&1 &
starting=$!
eventually 5 test -e "$TMP/waiting"
fails_with 'no root yet: nothing is copied to it' 1 'STARTING|another' lxc cp "$TMP/mine" "$C-w:$victim/new"
fails_with '... nor from it' 1 'STARTING|another' lxc cp "$C-w:$victim/file" "$TMP/out/secret"
touch "$TMP/go"
wait $starting
nothing_of_the_host 'no root yet'
unharmed 'no root yet'

for name in "$C" "$U" "$C-w"; do lxc stop -k -n "$name"; done
is 'nothing is left beside' "$(find "$P" -name '.lxc-cp*' ! -type l | wc -l)" 0
nothing_left 'nothing is left' "$C"
done_testing

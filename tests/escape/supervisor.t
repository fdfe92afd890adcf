#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Attacks on the programs of the host that start a container, watch over it and enter it.

. "${0%/*}/../tools/lib.sh"
. "$TESTS/escape/lib.sh"
need_ptyrun
need setpriv
bait
chmod 755 "$TMP" "$P"
host_sums() { cksum "$(command -v lxc-attach)" "$(command -v lxc-start)" "$ATTACK"; stat -c '%a %u %g' "$(command -v lxc-attach)" "$(command -v lxc-start)"; }
host_sums >"$TMP/sums"
programs_unharmed() {
	host_sums >"$TMP/sums-now"
	ok "$1: the programs of the host are as they were" cmp "$TMP/sums" "$TMP/sums-now"
}
stopped() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }

# ----------------------------------------------------------------------------------------------------
row CVE-2016-8649 'a process of the container looks through one that is on its way in (ptrace, /proc/PID/root, /proc/PID/fd)' \
	'who attaches is born into the pid namespace as a sealed program that has nothing of the host'
armed "$C"
run lxc start -n "$C"
is "$CVE: the container runs" "$status" 0
lxc attach -n "$C" -- /bin/attack watch 4 "$victim" >"$TMP/won" 2>&1 </dev/null &
watcher=$!
eventually 5 inside "$C" true
i=0
while [ $i -lt 60 ]; do inside "$C" true >/dev/null 2>&1; i=$((i + 1)); done
wait $watcher
is "$CVE: sixty processes went in, and nothing of the host was seen" "$(cat "$TMP/won")" ''

# The watcher does see what is there to be seen: a process of the host put into its pid namespace.
lxc attach -n "$C" -- /bin/attack watch 3 "$victim" >"$TMP/won" 2>&1 </dev/null &
watcher=$!
sleep 0.5
nsenter -t "$(init_pid "$C")" -p sleep 3 2>/dev/null &
careless=$!
wait $watcher $careless
like "$CVE: ... while a process that goes in carelessly is looked through" "$(cat "$TMP/won")" '^won: the host'

# ----------------------------------------------------------------------------------------------------
row CVE-2019-5736 'what is executed in the container is /proc/self/exe in disguise, to get hold of the program of the host' \
	'everything that the container names is executed out of a sealed copy in memory'
root=$P/$C/rootfs
printf '#!/proc/self/exe\n' >"$root/bin/trap"
chmod 755 "$root/bin/trap"
ln -sf /proc/self/exe "$root/bin/link"
for disguise in trap link; do
	run lxc attach -n "$C" -- "/bin/$disguise" -n x --version
	unlike "$CVE: an attach to /bin/$disguise does not run a tool of the host" "$out$err" 'lxc-attach [0-9]|^[0-9]+\.[0-9]'
done
# What can be done to it is done to the copy.
cat >"$root/bin/grab" <<'GRAB'
#!/bin/sh
for pid in $(seq 2 400); do
	[ -e "/proc/$pid/exe" ] || continue
	chmod 4777 "/proc/$pid/exe" 2>/dev/null
	chown 1 "/proc/$pid/exe" 2>/dev/null
	: >>"/proc/$pid/exe"
done
GRAB
chmod 755 "$root/bin/grab"
lxc attach -n "$C" -- sh -c 'while :; do /bin/grab; done' >/dev/null 2>&1 </dev/null &
grabber=$!
i=0
while [ $i -lt 15 ]; do lxc attach -n "$C" -- "/bin/trap" >/dev/null 2>&1 </dev/null; i=$((i + 1)); done
stopped
wait $grabber
programs_unharmed "$CVE: attach"
for disguise in '#!/proc/self/exe' link; do
	armed "$C" 'lxc.hook.start = /bin/hook'
	root=$P/$C/rootfs
	rm -f "$root/sbin/init"
	if [ "$disguise" = link ]; then ln -s /proc/self/exe "$root/sbin/init"
	else printf '%s\n' "$disguise" >"$root/sbin/init"; chmod 755 "$root/sbin/init"; fi
	printf '#!/proc/self/exe\n' >"$root/bin/hook"
	chmod 755 "$root/bin/hook"
	run lxc start -n "$C"
	unlike "$CVE: a start with such an init ($disguise) runs nothing of the host's" "$out" 'lxc-start'
	is "$CVE: ... nor does it run as a container" "$(state "$C")" STOPPED
	programs_unharmed "$CVE: start"
	stopped
done

# ----------------------------------------------------------------------------------------------------
row CVE-2024-21626 'the working directory leads through a descriptor that is open by mistake to the host' \
	'working directories are resolved inside the root without magic links; only 0, 1, 2 are passed on'
fd=0
while [ $fd -lt 40 ]; do
	armed "$C" "lxc.init.cwd = /proc/self/fd/$fd" 'lxc.init.cmd = /bin/sh -c "attack up '"$victim"' >/run/won; exec sleep 60"'
	lxc start -n "$C" >/dev/null 2>&1 && eventually 3 test -e "$P/$C/rootfs/run/won"
	cat "$P/$C/rootfs/run/won" 2>/dev/null
	stopped
	fd=$((fd + 3))
done >"$TMP/won"
is "$CVE: no lxc.init.cwd below /proc/self/fd leads out" "$(cat "$TMP/won")" ''
armed "$C"
lxc start -n "$C"
# The directory that the caller is in leads, by the same name inside, to a descriptor.  The names are made
# inside, by the container, so nothing on the host can be taken for them.
mkdir -p "$TMP/work"
inside "$C" mkdir -p "$TMP"
fd=0
while [ $fd -lt 40 ]; do
	inside "$C" ln -sfn "/proc/self/fd/$fd" "$TMP/work"
	(cd "$TMP/work" && lxc attach -n "$C" -- /bin/attack up "$victim" </dev/null)
	fd=$((fd + 1))
done >"$TMP/won" 2>&1
is "$CVE: no directory of the same name leads an attach out" "$(cat "$TMP/won")" ''
exec 7<"$TMP" 8<"$victim"
is "$CVE: an attached process has descriptors 0, 1 and 2 and no other" \
	"$(inside "$C" /bin/attack fds | cut -d' ' -f1 | tr '\n' ' ')" '0 1 2 '
exec 7<&- 8<&-
is "$CVE: so has init" "$(inside "$C" sh -c 'ls /proc/1/fd' | grep -vx 10 | tr '\n' ' ')" '0 1 2 '

# ----------------------------------------------------------------------------------------------------
row CVE-2019-14271 'a tool of the host loads a library of the container (name service, C library)' \
	'users and shells are read as text; libraries of the container are loaded in the container alone'
if command -v cc >/dev/null; then
	cat >"$TMP/evil.c" <<-EVIL
	#include <fcntl.h>
	#include <sys/stat.h>
	__attribute__((constructor)) static void won(void)
	{ mkdir("$victim/loaded", 0777); creat("/run/loaded", 0644); }
	EVIL
	cc -shared -fPIC -nostartfiles -o "$TMP/evil.so" "$TMP/evil.c"
	root=$P/$C/rootfs
	echo 'passwd: evil files' >"$root/etc/nsswitch.conf"
	echo /run/evil.so >"$root/etc/ld.so.preload"
	cp "$TMP/evil.so" "$root/run/evil.so"
	for dir in lib lib64 usr/lib lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu lib/aarch64-linux-gnu; do
		mkdir -p "$root/$dir"
		for so in libnss_evil.so.2 libnss_files.so.2 libc.so.6 libcap.so.2 libseccomp.so.2 libselinux.so.1; do
			cp "$TMP/evil.so" "$root/$dir/$so"
		done
	done
	echo 'evil:x:1234:1234::/:/bin/sh' >>"$root/etc/passwd"
	run lxc attach -n "$C" -- true
	is "$CVE: an attach goes well" "$status" 0
	run ptyrun 'send echo he''re\r
		expect ^here
		send exit\r
		end' -- lxc-attach -P "$P" -n "$C"
	like "$CVE: ... also one to the login shell" "$out" 'here'
	lxc info -n "$C" >/dev/null
	lxc stop -k -n "$C"
	not_ok "$CVE: none of the libraries was loaded on the host" test -e "$victim/loaded"
	unharmed "$CVE"
	echo 'lxc.init.uid = 1234' >>"$P/$C/config"
	lxc start -n "$C" >/dev/null 2>&1
	lxc stop -k -n "$C" >/dev/null 2>&1
	not_ok "$CVE: ... nor by a start" test -e "$victim/loaded"
else
	skip "$CVE" 'no compiler for the library'
fi
stopped

# ----------------------------------------------------------------------------------------------------
row CVE-2020-15257 'a container on the host'"'"'s network talks to its supervisor over an abstract socket' \
	'no abstract socket; the control socket is in a closed directory and asks for credentials'
armed "$C" 'lxc.net.0.type = none'
lxc start -n "$C"
mine=$(supervisor_pid "$C")
dir=$(run_entries_of "$C" | grep "/$C\$" | grep -v '/[.]exit/' | head -n 1)
ok "$CVE: the container sees the host's sockets" inside "$C" sh -c 'grep -q . /proc/net/unix'
is "$CVE: ... and among them no abstract one of ours" "$(inside "$C" sh -c 'cat /proc/net/unix' | grep '@' | grep -c -e lxc -e "$C")" 0
ok "$CVE: the control socket is there" test -S "$dir/control"
exec 6<"$dir"
is "$CVE: root is answered" "$("$ATTACK" connect 6 control 0)" 'won: an answer of control'
is "$CVE: who has the directory, but is neither root nor its owner, is not" "$("$ATTACK" connect 6 control 65534 2>/dev/null)" ''
exec 6<&-
not_ok "$CVE: nor can he reach it by name" setpriv --reuid 65534 --regid 65534 --clear-groups ls "$dir"
is "$CVE: the supervisor lives on" "$(supervisor_pid "$C")" "$mine"
stopped

# ----------------------------------------------------------------------------------------------------
row CVE-2015-1331 'an ordinary user puts links where locks and run directories will be made' \
	'they are made in directories that root alone may write, each one private'
armed "$C"
lxc start -n "$C"
at=$dir writable=''
while [ "$at" != / ] && [ -n "$at" ]; do
	case $(stat -c '%u %A' "$at") in
	'0 '?????-??-?) ;;
	'0 '?????w??w[tT]) ;;	# as /tmp; what is in it is not taken on trust
	*) writable="$writable $at" ;;
	esac
	at=${at%/*}
done
is "$CVE: no directory above the lock can be written by others" "$writable" ''
not_ok "$CVE: a user cannot make anything beside it" \
	setpriv --reuid 65534 --regid 65534 --clear-groups ln -s "$victim/planted" "${dir%/*}/$C-two"
is "$CVE: what is private is closed" "$(stat -c %a "$dir")" 700
stopped
unharmed "$CVE"

# ----------------------------------------------------------------------------------------------------
row CVE-2022-24769 'the one who starts a container has inheritable capabilities, which its files could pick up' \
	'inheritable and ambient sets are emptied'
armed "$C"
"$ATTACK" inherit 1 "$(command -v lxc-start)" -P "$P" -n "$C"
sets='grep -E "^Cap(Inh|Amb)" /proc/1/status | tr -d "[:space:]"'
is "$CVE: init has none" "$(inside "$C" sh -c "$sets")" 'CapInh:0000000000000000CapAmb:0000000000000000'
sets='grep -E "^Cap(Inh|Amb)" /proc/self/status | tr -d "[:space:]"'
is "$CVE: an attached process has none" \
	"$("$ATTACK" inherit 1 "$(command -v lxc-attach)" -P "$P" -n "$C" -- sh -c "$sets" </dev/null)" \
	'CapInh:0000000000000000CapAmb:0000000000000000'

# ----------------------------------------------------------------------------------------------------
# Of crun 1.19 to 1.26: 'exec -u 1' ran as user 0 with group 0.
row CVE-2026-30892 'a user that is asked for is taken for another one: root' \
	'ids are whole numbers or are refused, and both are set and dropped for good'
is "$CVE: -u 1 alone is user 1" "$(lxc attach -n "$C" -u 1 -- id -u </dev/null)" 1
is "$CVE: -u 1 is user 1, and not root" "$(lxc attach -n "$C" -u 1 -g 1 -- sh -c 'id -u; id -g; grep Groups /proc/self/status' </dev/null | tr -s '[:space:]' ' ')" '1 1 Groups: '
is "$CVE: ... without any capability" "$(lxc attach -n "$C" -u 1 -- grep CapEff /proc/self/status </dev/null | tr -d '[:space:]')" 'CapEff:0000000000000000'
for id in 1:0 1,0 +1 -1 4294967295 4294967296 18446744073709551617 0x0 1e0 '' ' ' root: 1. ; do
	run lxc attach -n "$C" -u "$id" -- id -u
	if [ "$status" = 0 ]; then unlike "$CVE: -u '$id' is not root" "$out" '^0$'
	else report 0 "$CVE: -u '$id' is refused"; fi
done

# ----------------------------------------------------------------------------------------------------
# Of containerd: a number too large for an id was looked up as a name, in the image's own list of users.
row CVE-2026-46680 'a number that is no id is a user whom the container'"'"'s /etc/passwd makes root' \
	'users are numbers, and no list of users of the container is read'
cp "$P/$C/rootfs/etc/passwd" "$TMP/passwd"
for id in 4294967297 2147483648000 01x; do
	printf '%s:x:0:0::/:/bin/sh\n' "$id" >>"$P/$C/rootfs/etc/passwd"
	run lxc attach -n "$C" -u "$id" -- id -u
	is "$CVE: -u '$id' is refused" "$status$out" 1
	run lxc execute -n "$C-two" --rcfile "$P/$C/config" -s "lxc.init.uid = $id" -- id -u
	is "$CVE: ... and so is lxc.init.uid" "$status$out" 1
done
cp "$TMP/passwd" "$P/$C/rootfs/etc/passwd"

# ----------------------------------------------------------------------------------------------------
row CVE-2026-34178 'what is checked is one configuration, what is started is another' \
	'a start reads the configuration once, checks what it has read and hands just that on'
stopped
armed "$C"
cp "$P/$C/config" "$TMP/good"
{ cat "$TMP/good"; echo "lxc.mount.entry = /nonexistent/$C mnt none bind 0 0"; echo "lxc.hook.start-host = mkdir -p $victim/started"; } >"$TMP/evil"
cp "$TMP/good" "$P/$C/config"
cp "$TMP/evil" "$P/$C/config.evil"
run lxc start -n "$C" -f "$P/$C/config.evil"
is "$CVE: the one that is refused is refused" "$status" 1
"$ATTACK" swap "$P/$C/config" "$P/$C/config.evil" 6 &
swapper=$!
i=0 started=0
while [ $i -lt 40 ]; do
	lxc start -n "$C" >/dev/null 2>&1 && started=$((started + 1))
	lxc stop -k -n "$C" >/dev/null 2>&1
	i=$((i + 1))
done
kill $swapper 2>/dev/null
wait $swapper 2>/dev/null
ok "$CVE: some of forty starts found the good one" test $started -gt 0
not_ok "$CVE: none of them did what the refused one asks for" test -e "$victim/started"
unharmed "$CVE"
stopped
nothing_left 'nothing is left' "$C"

done_testing

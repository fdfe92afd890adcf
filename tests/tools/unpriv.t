#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The whole life of containers that belong to an ordinary user, who never becomes root.

. "${0%/*}/user.sh"
need busybox

own=$HOME_/.local/share/lxc

# ---- create

run lxc_ create -n one -t busybox
is 'a user who has configured nothing creates a container' "$status" 0
is '... which has not changed since' "$(lxc_ diff -n one 2>&1)" ''
is '... below the home directory' "$(ls "$own")" one
like '... with the ids of /etc/subuid' "$(cat "$own/one/config")" "^lxc.idmap = u 0 $SUB 65536\$"
is '... its files belong to its root' "$(stat -c %u:%g "$own/one/rootfs" "$own/one/rootfs/bin/busybox" | sort -u)" "$SUB:$SUB"
is '... its configuration to the user' "$(stat -c %u "$own/one/config" "$own/one" | sort -u)" "$UID_"
printf '%s\n' '#!/bin/sh' 'for a; do case $a in --rootfs=*) r=${a#--rootfs=} ;; --mapped-uid=*) m=$a ;; esac; done' \
	'mkdir $r/made && touch $r/made/file && chown 77:77 $r/made && chmod 700 $r/made && echo "id $(id -u) $m" >&2' 'exit 3' >"$TMP/template"
chmod 755 "$TMP/template"
fails_with 'a template that fails is told' 1 'id 0 --mapped-uid=65536' lxc_ create -n broken -t "$TMP/template"
is '... and nothing of it stays, whoever owned it' "$(ls -A "$own")" one

# ---- start

run lxc_ start -n one
is 'it starts' "$status" 0
like '... and says what it goes without' "$err" 'without a cgroup of its own.*loginctl enable-linger'
is '... and can be asked for what is in it' "$(lxc_ ls --nesting 2>&1)" one
pid=$(pid_of one)
is 'its init is nobody on the host' "$(stat -c %u "/proc/$pid")" "$SUB"
is '... its supervisor the user' "$(stat -c %u "/proc/$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")")" "$UID_"
is 'its init has none of the user'"'"'s groups' "$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status")" ''
is 'attach is root inside' "$(within one id -u)" 0
is '... by the name that other packages have for this, too' "$(lxc_ unpriv-attach -n one -- id -u)" 0
fails_with '... and start has such a name' 1 'it is running already' lxc_ unpriv-start -n one
is 'it ends with the status of the command' "$(within one sh -c 'exit 7'; echo $?)" 7
is 'it is its own process 1' "$(within one cat /proc/1/comm)" init
ok 'its devices work' within one sh -c 'echo x >/dev/null && head -c 1 /dev/urandom >/dev/null && [ -c /dev/tty1 ]'
ok 'its /tmp can be written' within one touch /tmp/made
is '... in the name of its root' "$(stat -c %u "$own/one/rootfs/tmp/made")" "$SUB"

# ---- its namespaces, shared

run lxc_ create -n two -t busybox
run lxc_ start -n two -s lxc.namespace.share.user=one -s lxc.namespace.share.net=one
is 'a second container shares the first one'"'"'s user namespace, and its network, which only its root may join' "$status" 0
for kind in user net; do
	is "... $kind is the same" "$(readlink "/proc/$(pid_of two)/ns/$kind")" "$(readlink "/proc/$pid/ns/$kind")"
done
is '... it has processes of its own' "$(within two cat /proc/1/comm)" init
lxc_ stop -k -n two >/dev/null 2>&1
is '... and is gone without the other' "$(lxc_ ls -1 --running)" one
lxc_ destroy -n two

# ---- files in and out: running, and stopped below

copies() {	# STATE
	user sh -c 'mkdir -p tree/sub && echo mine >tree/sub/file && echo mine >tree/file && chmod 600 tree/file'
	run lxc_ cp tree/file one:/etc/mine
	is "a file goes into a $1 one" "$status$err" 0
	is '... belongs to its root' "$(stat -c %u:%g "$own/one/rootfs/etc/mine")" "$SUB:$SUB"
	run lxc_ cp -r --owner=5:6 tree one:/etc
	is '... a tree' "$status$err" 0
	is '... whose it shall be' "$(stat -c %u:%g "$own/one/rootfs/etc/tree/sub/file")" "$((SUB + 5)):$((SUB + 6))"
	run lxc_ cp -a one:/etc/tree back
	is '... and comes out of it' "$status$err" 0
	is '... as the user'"'"'s' "$(stat -c %u "$HOME_/back/sub/file")" "$UID_"
	ok '... equal' diff -r "$HOME_/tree" "$HOME_/back"
	is '... by a stream too' "$(user sh -c 'echo said | lxc-cp - one:/etc/said && lxc-cp one:/etc/said -')" said
	rm -rf "$HOME_/tree" "$HOME_/back"
}
copies running
within one sh -c 'mount -t tmpfs none /mnt'
run user sh -c 'echo x | lxc-cp - one:/mnt/file'
is '... into a filesystem of its own too' "$status $(within one stat -c %u /mnt/file)" '0 0'
not_ok 'it cannot change the host' within one sh -c 'echo 1 >/proc/sys/kernel/panic || mount -o remount,rw /sys'
not_ok '... nor make devices' within one mknod /tmp/sda b
is 'ls tells of it' "$(lxc_ ls -f -F NAME,STATE,UNPRIVILEGED | tail -n 1 | tr -s ' ' | sed 's/ $//')" 'one RUNNING true'
is 'info, too' "$(lxc_ info -n one -sH)" RUNNING
like 'top shows it, though what it uses is not known' "$(lxc_ top --json -c 1)" '"name": "one", "cpu_ns": null'
is 'somebody else does not see it' "$(limit lxc-ls -P "$P")" ''
fails_with 'what needs a cgroup says so' 1 'no cgroup of its own.*|to mend it: loginctl enable-linger' lxc_ freeze -n one
fails_with 'only some namespaces: its own first' 1 'Operation not permitted.*|to mend it: -s' lxc_ attach -n one -s NETWORK -- true
is '... with USER it goes' "$(lxc_ attach -n one -s 'USER|UTSNAME' -- hostname </dev/null)" one
need_ptyrun
like 'a command gets a terminal' "$(user "$LXT_PTYRUN" end -- lxc-attach -n one -- tty 2>&1 | tr -d '\r')" '/dev/pts/[0-9]'
within one sh -c 'kill -TERM 1' >/dev/null
is_other() { [ -n "$(pid_of one)" ] && [ "$(pid_of one)" != "$pid" ]; }
ok 'a reboot works' eventually 10 is_other
ok '... to a system that runs' eventually 10 within one sh -c '[ -c /dev/tty1 ] && ps | grep -q getty'
ok 'stop works' lxc_ stop -n one
copies stopped
is '... whole' "$(lxc_ info -n one -sH)" STOPPED
lxc_ start -n one 2>/dev/null
pid=$(pid_of one)
super=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
kill -9 "$super"
ok 'without its supervisor it ends' eventually 10 is_dead "$pid"
is '... and the next command finds order' "$(lxc_ start -n one 2>/dev/null; lxc_ info -n one -sH)" RUNNING
ok 'stop -k works' lxc_ stop -k -n one

# ---- what is asked for is had, or refused

fails_with 'a limit that cannot be set is refused' 1 'cannot make a cgroup.*|to mend it: loginctl enable-linger' \
	lxc_ start -n one -s lxc.cgroup2.memory.max=100000000
fails_with 'id-mapped mounts are root'"'"'s' 1 'needs root of the host' lxc_ start -n one -s lxc.rootfs.options=idmap=container
sed 's/^lxc.idmap.*//' "$own/one/config" >"$TMP/privileged" && chmod 644 "$TMP/privileged"
fails_with 'without a user namespace there is no container' 1 "needs a user namespace.*|to mend it: lxc.idmap = u 0 $SUB 65536" \
	lxc_ start -n one --rcfile "$TMP/privileged"
sed "s/^lxc.idmap = \(.\).*/lxc.idmap = \1 0 0 65536/" "$own/one/config" >"$TMP/roots" && chmod 644 "$TMP/roots"
fails_with '... and none with the ids of root' 1 'cannot map user ids.*' lxc_ start -n one --rcfile "$TMP/roots"
run lxc_ execute -n one -- id -u
is 'lxc-execute runs one command' "$status $out" '0 0'

# ---- a cgroup that was given to the user

pids=/sys/fs/cgroup/pids
if [ -e "$pids/tasks" ] && mkdir "$pids/$C" 2>/dev/null; then
	trap 'rmdir "$pids/$C/lxc.payload.one" "$pids/$C" 2>/dev/null || :; finish' EXIT
	chown "$UID_" "$pids/$C" "$pids/$C/tasks" "$pids/$C/cgroup.procs"
	run sh -c 'echo 0 >"$1/tasks"; shift; exec "$@"' - "$pids/$C" setpriv --reuid "$UID_" --regid "$UID_" --clear-groups \
		env -i HOME="$HOME_" PATH="$PATH" timeout 20 lxc-start -n one -s lxc.cgroup2.pids.max=50
	is 'with a cgroup of the user'"'"'s own it starts' "$status" 0
	unlike '... without a word' "$err" 'without a cgroup'
	is '... limited' "$(cat "$pids/$C/lxc.payload.one/pids.max")" 50
	is '... its cgroup is its own' "$(stat -c %u "$pids/$C/lxc.payload.one")" "$SUB"
	lxc_ stop -k -n one
	is '... and gone with it' "$(find "$pids/$C" -mindepth 1 -type d)" ''
else
	skip 'with a cgroup of the user'"'"'s own it starts' 'there is no v1 hierarchy that could be given'
fi

# ---- network

sysconf=$(dirname "$(lxc-config lxc.default_config)")
grant() {	# LINE...: as lxc-usernet, seen by us alone
	if [ ! -e "$TMP/.grant" ]; then
		cp -a "$sysconf" "$TMP/.grant" && mount --bind "$TMP/.grant" "$sysconf" || return
	fi
	printf '%s\n' "$@" >"$sysconf/lxc-usernet"
}
if command -v ip >/dev/null && grant 'nobody veth none 1'; then
	make_bridge
	printf '%s\n' 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' \
		'lxc.net.0.ipv4.address = 10.77.1.2/24' 'lxc.net.0.hwaddr = 10:66:6a:01:02:03' >"$TMP/net"
	user sh -c 'sed -i "/^lxc.net/d" "$1" && cat "$2" >>"$1"' - "$own/one/config" "$TMP/net"
	fails_with 'an interface that is not granted is refused' 1 "not permitted.*|to mend it: as root: echo '$U veth $BR 10'" lxc_ start -n one
	is '... with nothing left' "$(ls "/sys/class/net/$BR/brif")" ''
	grant "$U veth $BR 1"
	run lxc_ start -n one
	is 'a granted one is made' "$status" 0
	is '... one end on the bridge' "$(ls "/sys/class/net/$BR/brif" | wc -l)" 1
	like '... the other inside, with its addresses' "$(within one ip addr show)" 'link/ether 10:66:6a:01:02:03'
	like '... as configured' "$(within one ip addr show)" 'inet 10.77.1.2/24'
	like 'ls knows the address' "$(lxc_ ls -f -F IPV4 | tail -n 1)" '10.77.1.2'
	lxc_ stop -k -n one
	no_port() { [ -z "$(ls "/sys/class/net/$BR/brif")" ]; }
	ok 'with the container it goes' eventually 5 no_port
	run lxc_ start -n one
	is '... and is granted again' "$status" 0
	lxc_ stop -k -n one
	for bad in mtu=1400 veth.mode=router veth.pair=mine l2proxy=1; do
		fails_with "what lxc-user-nic cannot do is refused: $bad" 1 'only root of the host can do that' lxc_ start -n one -s "lxc.net.0.$bad"
	done
	fails_with 'another type, too' 1 'type veth, empty and none, not macvlan' lxc_ start -n one -s lxc.net.0.type=macvlan
	fails_with 'a bridge that is not there' 1 'does not exist.*|to mend it: as root: lxc-net start' lxc_ start -n one -s lxc.net.0.link=nobr
else
	skip 'an interface that is not granted is refused' 'no ip, or lxc-usernet cannot be covered'
fi

# ---- copies and snapshots

run lxc_ copy -n one -N copied
is 'a copy is made' "$status" 0
is '... with the owners of the source' "$(stat -c %u:%g "$own/copied/rootfs/bin/busybox")" "$SUB:$SUB"
is '... and a name of its own inside' "$(cat "$own/copied/rootfs/etc/hostname")" copied
run lxc_ copy -s -n one -N clone
is 'a clone shares its contents (overlay in the user namespace)' "$status" 0
user sed -i '/^lxc.net/d' "$own/clone/config" && user sh -c 'echo lxc.net.0.type=empty >>"$1"' - "$own/clone/config"
lxc_ start -n clone 2>/dev/null
is '... starts' "$(lxc_ info -n clone -sH)" RUNNING
ok '... and writes' within clone sh -c 'echo mine >/etc/issue && rm /etc/fstab && chown 5:6 /etc/issue'
is '... to a layer of its own, with mapped owners' "$(stat -c %u:%g "$own"/clone/overlay/delta*/etc/issue)" "$((SUB + 5)):$((SUB + 6))"
ok '... what it removed is there in the source' test -e "$own/one/rootfs/etc/fstab"
run lxc_ diff -n clone
like 'what it changed is told, while it runs' "$status $(echo "$out" | tr '\n' ',')" '^0 .*C /etc/issue,|^0 .*A /etc/issue,'
like '... what it removed too' "$out" '^D /etc/fstab$'
changed=$(printf '%s\n' "$out" | grep ' /etc')
lxc_ stop -k -n clone
run lxc_ diff -n clone
is '... and when it is stopped' "$status $(printf '%s\n' "$out" | grep ' /etc')" "0 $changed"
run lxc_ snapshot -n clone
is 'a snapshot is made' "$status" 0
lxc_ start -n clone 2>/dev/null
within clone sh -c 'echo spoilt >/etc/issue'
lxc_ stop -k -n clone
is '... with which it can be compared' "$(lxc_ diff -n clone -s snap0 | grep ' /etc' | tr '\n' ,)" 'C /etc,C /etc/issue,'
like '... and that is an event' "$(lxc_ events --since=1h -c 0 -t snapshot clone)" ' clone snapshot snap0$'
run lxc_ snapshot -n clone -r snap0
is '... and restored' "$status" 0
lxc_ start -n clone 2>/dev/null
is '... as it was' "$(within clone cat /etc/issue)" mine
lxc_ stop -k -n clone
ok 'all of it can be destroyed' lxc_ destroy -s -n clone
ok '... the copy, too' lxc_ destroy -n copied
is '... wholly' "$(ls -A "$own")" one

# ---- ids of each container's own, and the end

printf '%s\n' 'lxc.net.0.type = empty' 'lxc.idmap = auto:1000' >"$TMP/auto.conf"
fails_with 'ids that a container has are not given to others' 1 'no 1000 user ids in a row.*|to mend it: as root: usermod' \
	lxc_ create -n two -t busybox -f "$TMP/auto.conf"
ok 'destroy removes what the user does not own' lxc_ destroy -n one
ok 'with automatic ids' lxc_ create -n two -t busybox -f "$TMP/auto.conf"
ok '... another one' lxc_ create -n three -t busybox -f "$TMP/auto.conf"
is '... their ids differ' "$(($(stat -c %u "$own/three/rootfs") - $(stat -c %u "$own/two/rootfs")))" 1000
printf '%s\n' 'lxc.net.0.type = empty' 'lxc.idmap = auto' >"$TMP/auto.conf"
fails_with 'where there are none left it says so' 1 'no 65536 user ids in a row.*|to mend it: as root: usermod' \
	lxc_ create -n four -t busybox -f "$TMP/auto.conf"
ok 'destroy works with these, too' lxc_ destroy -n two
ok '... to the last' lxc_ destroy -n three
is '... wholly' "$(ls -A "$own")" ''
is '... with the record of ids' "$(cat "$HOME_/.local/state/lxc-idmap/ranges")" ''
is 'nothing is left where it ran' "$(find "$HOME_/.cache/lxc/run" -mindepth 2 ! -name .exit ! -name .monitors ! -name '.events*')" ''
mkdir -m 777 "$TMP/nohome"
fails_with 'a user without subordinate ids is told' 1 'cannot find subordinate ids.*|to mend it: as root: usermod --add-subuids' \
	setpriv --reuid $((UID_ + 1)) --regid $((UID_ + 1)) --clear-groups env HOME="$TMP/nohome" lxc-create -n x -t busybox

done_testing

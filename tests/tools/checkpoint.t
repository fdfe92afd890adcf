#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-checkpoint: what stands in the way is told before anything is written; what criu is told is right;
# and with one that can work with this kernel, containers are really written to files and go on from them.

if [ ! "${LXT_NETLAB:-}" ]; then
	. "${0%/*}/criu.sh"
	criu_find || CRIU=''
	export CRIU CRIU_WHY
	LXT_NETLAB=1 exec unshare -nm --propagation private "$0" "$@"
fi
. "${0%/*}/lib.sh"

# A criu that writes down what it was told, and does what it can to be one.
mkdir "$TMP/bin"
cat >"$TMP/bin/criu" <<END
#!/bin/sh
case \$1 in
--version) echo 'Version: 9.9' ; exit 0 ;;
check) [ "\$2" != --feature ] || [ ! -e $TMP/no-tracking ] || exit 1
	[ ! -e $TMP/no-kernel ] || { echo 'Error (criu/vdso.c:381): vdso: Unexpected bounds' >&2; exit 1; } ; exit 0 ;;
esac
printf '%s\n' "\$@" >$TMP/told
dir=. log=
while [ \$# -gt 0 ]; do
	case \$1 in
	-D) dir=\$2 ;;
	-o) log=\$2 ;;
	esac
	shift
done
[ ! -e $TMP/fails ] || { printf '%s\n' 'Warn  (criu/a.c:1): x' 'Error (criu/tty.c:9): tty: no peer' >"\$log"; exit 1; }
echo dumped >"\$log"
umask >"\$dir/umask"
: >"\$dir/inventory.img"
END
chmod 755 "$TMP/bin/criu"
recorded() { env PATH="$TMP/bin:$PATH" lxc-checkpoint -P "$P" "$@"; }
told() { tr '\n' ' ' <"$TMP/told"; }

started "$C"
pid=$(init_pid "$C")

# ---- what stands in the way

fails_with 'to ask about one that is not there is refused' 1 \
	"^lxc-checkpoint: $C-none: there is no such container" lxc checkpoint -n "$C-none" --check
fails_with '-D is needed' 1 '^lxc-checkpoint: -D is required\.' recorded -n "$C"
fails_with 'and a name' 1 'No container name' recorded -D "$TMP/x"
fails_with '-p and -s exclude each other' 1 'exclude each other' recorded -n "$C" -D "$TMP/x" -p -s
fails_with '-r and -s exclude each other' 1 'excludes -s, -p and --predump-dir' recorded -n "$C" -D "$TMP/x" -r -s
fails_with '-F is for -r' 1 'with -r only' recorded -n "$C" -D "$TMP/x" -F
fails_with 'who runs cannot go on from one' 1 'running already' recorded -n "$C" -D "$TMP/x" -r
fails_with 'who does not run is told' 1 'no such container' recorded -n "$C-none" -D "$TMP/x"
make_container "$C-stopped"
fails_with '... exists or not' 1 'not running' recorded -n "$C-stopped" -D "$TMP/x"
touch "$TMP/no-kernel"
fails_with 'a kernel that criu cannot work with is told in its words' 1 \
	'kernel: criu cannot work with this kernel: vdso: Unexpected bounds' recorded -n "$C" -D "$TMP/x"
rm "$TMP/no-kernel"
inside "$C" sh -c 'until [ -e /go ]; do sleep 0.05; done' &
attached=$!
others() { recorded --check -n "$C" | grep -q 'came from outside'; }
ok 'an attached command is told' eventually 5 others
touch "$P/$C/rootfs/go"
wait "$attached"
inside "$C" sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! >/left'
others && report 0 'what it left behind in a session from outside is told, too' ||
	report 1 'what it left behind in a session from outside is told, too'
inside "$C" sh -c 'kill $(cat /left)'
tells() { recorded --check -n "$C" | grep -q "$1"; }
inside "$C" sh -c 'setsid unshare -u sleep 1000 >/dev/null 2>&1 & echo $! >/left'
ok 'a process with a namespace of its own inside is told' eventually 5 tells 'namespace of its own within the container (uts)'
inside "$C" sh -c 'kill $(cat /left)'
ok '... no more when it has ended' eventually 5 tells 'all of them are children of its init'
lxc freeze -n "$C"
fails_with 'a frozen one is refused with what mends it' 1 "state: it is frozen" recorded -n "$C" -D "$TMP/x"
like '... indeed' "$err" "lxc-unfreeze -n $C"
lxc unfreeze -n "$C"
not_ok 'all that time nothing was written' test -e "$TMP/x"
started "$C-share" "lxc.namespace.share.uts = $C"
fails_with 'namespaces of others are refused' 1 'namespaces: it has namespaces of others' \
	recorded -n "$C-share" -D "$TMP/x"
lxc stop -k -n "$C-share"
ip link add lxtphys type veth peer name lxtpeer
started "$C-phys" 'lxc.net.0.type = phys' 'lxc.net.0.link = lxtphys'
fails_with 'an interface of the host is refused' 1 'network: an interface of type phys cannot be made again' \
	recorded -n "$C-phys" -D "$TMP/x"
lxc stop -k -n "$C-phys"
not_ok '... and nothing is written' test -e "$TMP/x"
run recorded --check
is '--check without a name is about this host' "$status $(printf '%s\n' "$out" | grep -cE 'fine|advice')" '0 3'
run recorded --check -n "$C" --json
printf '%s\n' "$out" >"$TMP/json"
ok '--check --json is JSON' is_json "$TMP/json"
like '... about the container, too' "$out" '"subject": "processes", "verdict": "fine"'

# ---- what criu is told

ok 'a checkpoint is made' recorded -n "$C" -D "$TMP/one"
is '... of its init' "$(told | grep -o -e ' -t [0-9]* ')" " -t $pid "
like '... which goes on' "$(told)" ' --leave-running '
like '... by the usual words' "$(told)" "^dump --tcp-established --file-locks --link-remap --manage-cgroups=soft\
 --ext-mount-map auto --enable-external-sharing --enable-external-masters"
like '... with its log in there' "$(told)" " -D $TMP/one -o $TMP/one/dump.log "
is '... for its owner alone' "$(stat -c %a "$TMP/one") $(cat "$TMP/one/umask")" '700 0077'
like '... with the cgroups where it is' "$(told)" " --cgroup-root [^ ]*$C"
freezer=$(grep -A1 -x -e --freeze-cgroup "$TMP/told" | tail -n 1)
ok '... and where it is frozen' test -e "$freezer/freezer.state" -o -e "$freezer/cgroup.freeze"
like '... its terminals are left out' "$(told)" ' --external mnt\[/dev/pts\]:lxc.pts .* --external tty\[8804:[0-9a-f]+\]'
is '... what it was made for is noted' "$(sed -n '1p;/tty/p' "$TMP/one/lxcore.facts")" "lxcore-checkpoint 1
lxc.tty.max = 4"
is '... it runs on' "$(state "$C") $(init_pid "$C")" "RUNNING $pid"
roots=$(grep -A1 -x -e --cgroup-root "$TMP/told" | sort)
for dir in $(cgroups_of "$C" | grep "payload.$C\$"); do
	mkdir "$dir/init.scope" && { ! [ -e "$dir/cpuset.cpus" ] || for f in cpus mems; do
		cat "$dir/cpuset.$f" >"$dir/init.scope/cpuset.$f"
	done; } && echo "$pid" >"$dir/init.scope/cgroup.procs"
done 2>/dev/null
grep -q init.scope "/proc/$pid/cgroup" || diag 'init did not move'
ok 'one whose init went into a cgroup below is written' recorded -n "$C" -D "$TMP/below"
is '... with the same roots' "$(grep -A1 -x -e --cgroup-root "$TMP/told" | sort)" "$roots"
for dir in $(cgroups_of "$C" | grep "payload.$C\$"); do echo "$pid" >"$dir/cgroup.procs"; rmdir "$dir/init.scope"; done
rm "$TMP/told"
fails_with 'a directory with a checkpoint is not written over' 1 'has one already' \
	recorded -n "$C" -D "$TMP/one"
not_ok '... criu was not even run' test -e "$TMP/told"
ok 'a pre-dump is made' recorded -n "$C" -D "$TMP/pre" -p
like '... of memory' "$(told)" '^pre-dump .* --track-mem '
unlike '... which stops nobody' "$(told)" '--leave'
ok 'a dump stands on it' recorded -n "$C" -D "$TMP/two" --predump-dir ../pre -v
like '... indeed' "$(told)" ' -v4 .*--prev-images-dir ../pre --track-mem '
touch "$TMP/no-tracking"
fails_with 'a kernel that does not tell what has changed is refused it' 1 'CONFIG_MEM_SOFT_DIRTY' \
	recorded -n "$C" -D "$TMP/three" -p
printf '#!/bin/sh\n' >"$TMP/script"
fails_with 'an action script that cannot be executed is refused' 1 'cannot use the action script' \
	recorded -n "$C" -D "$TMP/three" -A "$TMP/script"
chmod 755 "$TMP/script"
ok 'one that can is handed on' recorded -n "$C" -D "$TMP/four" -A "$TMP/script"
like '... by its whole name' "$(told)" " --action-script $TMP/script "
touch "$TMP/fails"
fails_with 'when criu fails its first error is told' 1 'criu ended with exit status 1: tty: no peer' \
	recorded -n "$C" -D "$TMP/five" -s
like '... and where the others are' "$err" "less $TMP/five/dump.log"
is '... and the container runs on' "$(state "$C") $(init_pid "$C")" "RUNNING $pid"
started "$C-again" 'lxc.start.restart = always'
not_ok 'one that is to be started again whenever it ends' recorded -n "$C-again" -D "$TMP/again" -s
kill -9 "$(init_pid "$C-again")"
again() { [ "$(grep -c started "$P/$C-again/rootfs/run/starts")" = 2 ]; }
ok '... still is, for all that criu failed to end it' eventually 10 again
lxc stop -k -n "$C-again"
rm "$TMP/fails" "$TMP/told"
inside "$C" sh -c 'touch "/a]:b" && mount --bind /dev/tty1 "/a]:b"'
fails_with 'a terminal in a place that criu would take for words of ours is refused' 1 'is mounted on "/a\]:b"' \
	recorded -n "$C" -D "$TMP/six"
not_ok '... criu was not even run' test -e "$TMP/told"
lxc stop -k -n "$C"

# ---- what cannot be gone on from

fails_with 'a directory without a checkpoint is refused' 1 "\"$TMP/pre\" has no checkpoint" \
	recorded -n "$C" -D "$TMP/pre" -r
sed -i 's/^lxc.tty.max.*/lxc.tty.max = 2/' "$P/$C/config"
fails_with 'so is one of other settings' 1 'made when the configuration said "lxc.tty.max = 4"' \
	recorded -n "$C" -D "$TMP/one" -r
sed -i 's/^lxc.tty.max.*/lxc.tty.max = 4/' "$P/$C/config"
echo 'lxc.net.1.type = veth' >>"$P/$C/config"
fails_with '... also one more' 1 'did not say "lxc.net.1.type = veth"' recorded -n "$C" -D "$TMP/one" -r
sed -i '/lxc.net.1/d' "$P/$C/config"
sed -i 1s/1/2/ "$TMP/one/lxcore.facts"
fails_with 'so is what we do not know' 1 'of no known format' recorded -n "$C" -D "$TMP/one" -r
sed -i 1s/2/1/ "$TMP/one/lxcore.facts"
fails_with 'a criu that makes no process is told' 1 'criu did not say which process is its init' \
	recorded -n "$C" -D "$TMP/one" -r
like 'it was told how' "$(told)" '^restore .* --restore-detached --restore-sibling --pidfile '
like '... and where all of it is' "$(told)" " --cgroup-root [^ ]*$C .*--root .* --external mnt\[lxc.pts\]:/dev/pts \
.*--inherit-fd fd\[[0-9]+\]:tty\[8804:[0-9a-f]+\] --external mnt\[lxc.pts.4\]:/dev/pts/4"
is '... it is stopped' "$(state "$C")" STOPPED
nothing_left '... with nothing left' "$C"

# ---- the real one

if [ ! "$CRIU" ]; then
	skip 'containers are really written and go on' "$CRIU_WHY"
	done_testing
	exit
fi
PATH=$CRIU:$PATH
ip link set lo up
ip link add lxtbr type bridge && ip address add 10.77.0.1/24 dev lxtbr && ip link set lxtbr up
make_container "$C" 'lxc.net.0.type = veth' 'lxc.net.0.link = lxtbr' 'lxc.net.0.flags = up' \
	'lxc.net.0.ipv4.address = 10.77.0.2/24' 'lxc.limit.pids = 60' 'lxc.start.restart = always' \
	"lxc.console.logfile = $TMP/console"
lxc start -n "$C" || diag 'cannot start'
boots() { grep -c started "$P/$C/rootfs/run/starts"; }
eventually 5 boots >/dev/null
# One that counts in memory, and tells when it is asked (a file that it has open must stay as it is); and
# one that talks.
cat >"$P/$C/rootfs/count" <<'END'
#!/bin/sh
n=0
trap 'echo $n >/run/n.new; mv /run/n.new /run/n' USR1
echo $$ >/run/counter.new; mv /run/counter.new /run/counter
while :; do n=$((n + 1)); sleep 0.05; done
END
chmod 755 "$P/$C/rootfs/count"
inside "$C" sh -c '
	setsid /count >/dev/null 2>&1 &
	setsid nc -ll -p 77 -e cat >/dev/null 2>&1 &
	until [ -s /run/counter ] && netstat -ltn | grep -q :77; do sleep 0.05; done'
count() {
	rm -f "$P/$C/rootfs/run/n"
	inside "$C" sh -c 'kill -USR1 $(cat /run/counter); until [ -s /run/n ]; do sleep 0.05; done; cat /run/n'
}
mkfifo "$TMP/line"
busybox nc 10.77.0.2 77 <"$TMP/line" >"$TMP/heard" 2>&1 &
exec 9>"$TMP/line"
heard() { grep -qx "$1" "$TMP/heard"; }
echo before >&9
ok 'a container that talks to someone' eventually 5 heard before
pid=$(init_pid "$C")
ok '... is written' lxc checkpoint -n "$C" -D "$TMP/real"
is '... and goes on' "$(state "$C") $(init_pid "$C")" "RUNNING $pid"
echo between >&9
ok '... talking' eventually 5 heard between
n=$(count)
ok 'another checkpoint ends it' lxc checkpoint -n "$C" -D "$TMP/real2" -s
is '... which is not taken for a reason to start it again' "$(state "$C")" STOPPED
nothing_left '... with nothing left' "$C"
starts=$(boots)
echo meanwhile >&9
ok 'it goes on from it' lxc checkpoint -n "$C" -D "$TMP/real2" -r
is '... it runs' "$(state "$C")" RUNNING
ok '... from where it was' test "$(count)" -gt "$n"
is '... without a boot' "$(boots)" "$starts"
ok '... what was said to it meanwhile is heard' eventually 10 heard meanwhile
echo after >&9
ok '... and what is said now' eventually 5 heard after
is '... within its limits' "$(lxc cgroup -n "$C" pids.max)" 60
is '... on its bridge' "$(bridge link | grep -c 'master lxtbr')" 1
inside "$C" sh -c 'echo to the console >/dev/console; echo to a tty >/dev/tty2'
ok '... on its console' eventually 5 grep -q 'to the console' "$TMP/console"
exec 9>&-
ok 'a reboot of it is an ordinary one' lxc stop -r -n "$C"
more() { [ "$(boots)" -gt "$starts" ]; }
ok '... indeed' eventually 10 more
lxc stop -k -n "$C"
nothing_left 'nothing is left of it' "$C"
sed -i '/restart/d' "$P/$C/config"

ok 'a checkpoint serves twice' lxc checkpoint -n "$C" -D "$TMP/real2" -r
lxc stop -k -n "$C"
lxc checkpoint -n "$C" -D "$TMP/real" -r -F >"$TMP/out" 2>&1 </dev/null &
front=$!
running() { [ "$(state "$C")" = RUNNING ]; }
ok 'in the foreground, too' eventually 10 running
ok '... until it ends' kill -0 "$front"
lxc stop -k -n "$C"
wait "$front"
is '... then with 0' "$?" 0

# Memory written beforehand.
if criu check --feature mem_dirty_track >/dev/null 2>&1; then
	lxc start -n "$C"
	inside "$C" sh -c 'setsid sleep 4321 >/dev/null 2>&1 &'
	ok 'its memory is written beforehand' lxc checkpoint -n "$C" -D "$TMP/before" -p
	ok '... and then the rest' lxc checkpoint -n "$C" -D "$TMP/rest" --predump-dir ../before -s
	ok '... from both it goes on' lxc checkpoint -n "$C" -D "$TMP/rest" -r
	ok '... indeed' inside "$C" sh -c 'ps | grep -q "sleep [4]321"'
	lxc stop -k -n "$C"
else
	skip 'memory is written beforehand' 'this kernel has no CONFIG_MEM_SOFT_DIRTY'
fi

# Whoever is killed in between leaves nothing: the supervisor is the parent of criu, which runs the script.
cat >"$TMP/script" <<'END'
#!/bin/sh
[ "$CRTOOLS_SCRIPT_ACTION" != "$WHEN" ] || kill -9 "$(sed -n 's/^PPid:[[:blank:]]*//p' "/proc/$PPID/status")"
END
for WHEN in setup-namespaces post-restore pre-resume; do
	export WHEN
	fails_with "killed at $WHEN it is told" 1 'its supervisor was killed' \
		lxc checkpoint -n "$C" -D "$TMP/real" -r -A "$TMP/script"
	is '... it does not run' "$(state "$C")" STOPPED
	nothing_left '... and nothing is left' "$C"
done
mv "$TMP/real/core-1.img" "$TMP/core"
fails_with 'a checkpoint with a hole is told in the words of criu' 1 'criu ended with exit status 1: [^:]*EOF' \
	lxc checkpoint -n "$C" -D "$TMP/real" -r
is '... it does not run' "$(state "$C")" STOPPED
nothing_left '... and nothing is left' "$C"
mv "$TMP/core" "$TMP/real/core-1.img"

# Of a user namespace.
make_container "$C-user" 'lxc.idmap = u 0 100000 65536' 'lxc.idmap = g 0 100000 65536'
rm -rf "$P/$C-user/rootfs" && cp -a "$TMP/mini" "$P/$C-user/rootfs" && chown -R 100000:100000 "$P/$C-user/rootfs"
chmod o+x "$TMP" "$P" "$P/$C-user"
ok 'one with a user namespace starts' lxc start -n "$C-user"
inside "$C-user" sh -c 'setsid sleep 1234 >/dev/null 2>&1 &'
before=''
if criu check --feature mem_dirty_track >/dev/null 2>&1; then
	ok '... its memory is written beforehand' lxc checkpoint -n "$C-user" -D "$TMP/user-before" -p
	before='--predump-dir ../user-before'
fi
# shellcheck disable=SC2086 # two words or none
ok '... is written' lxc checkpoint -n "$C-user" -D "$TMP/user" -s $before
ok '... goes on' lxc checkpoint -n "$C-user" -D "$TMP/user" -r
is '... as whom it was' "$(inside "$C-user" sh -c 'id -u; ps | grep -q "sleep [1]234" && echo sleeps' |
	tr '\n' ' ')" '0 sleeps '
is '... and the images are for their owner alone again' "$(stat -c '%a %g' "$TMP/user/core-1.img")" '600 0'
lxc stop -k -n "$C-user"
nothing_left '... nothing is left' "$C-user"
WHEN=setup-namespaces
fails_with '... killed while criu may read them' 1 'its supervisor was killed' \
	lxc checkpoint -n "$C-user" -D "$TMP/user" -r -A "$TMP/script"
is '... they are taken back, too' "$(stat -c '%a %g' "$TMP/user" "$TMP/user/core-1.img" | tr '\n' ' ')" '700 0 600 0 '
done_testing

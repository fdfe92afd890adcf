#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# lxc-ls --nesting: containers in containers, as they are, and as an enemy would have them.

# shellcheck disable=SC2154 # what lib.sh sets
. "${0%/*}/lib.sh"
unshare -U true 2>/dev/null || skip_all 'no user namespaces here'
# shellcheck source=tests/tools/host.sh
. "$TESTS/tools/host.sh"

chmod 755 "$TMP" "$P"
place=$(lxc-config lxc.lxcpath)	# where the tools in there have their containers
run_place=$(strings "$(command -v lxc-start)" 2>/dev/null | grep -m 1 '/lxc/network_up$')
[ -z "$run_place" ] || run_place=${run_place%/network_up}/$(echo "${place#/}" | sed 's/-/\\x2d/g; s,/,-,g')
tool() {	# TOOL ARGUMENT...: in the host
	local tool="$1"
	shift
	inside "$C" env PATH="$prefix/bin:$prefix/sbin:/bin:/sbin" "lxc-$tool" "$@"
}
have() {	# NAME...: containers of the host
	for name; do inside "$C" sh -c "mkdir -p $place/$name && cp /inner/$name/config $place/$name/"; done
}
nested() { lxc ls --nesting "$@" 2>&1; }
table() { nested -f -F name,state "$@" | sed 's/\([^ ]\)  */\1 /g; s/ *$//'; }

host "$C"
inner=$P/$C/rootfs/inner
# One that is a host itself.
mkdir "$inner/deep" && cp -a "$P/$C/rootfs" "$TMP/deep" && rm -rf "$TMP/deep/inner/deep" && mv "$TMP/deep" "$inner/deep/rootfs"
{
	sed 's,/plain/,/deep/,; s,= plain,= deep,; /mount.auto/d' "$inner/plain/config"
	echo 'lxc.mount.auto = proc:mixed sys:mixed cgroup:rw:force'
	host_config
} >"$inner/deep/config"
sed -i 's/^lxc.idmap.*/lxc.idmap = u 0 300000 1000/' "$inner/mapped/config"
echo 'lxc.idmap = g 0 300000 1000' >>"$inner/mapped/config"
chown -Rh 300000:300000 "$inner/mapped/rootfs"
make_container "$C-off"

# ---- as they are

is 'of what does not run nothing is known' "$(nested)" "$C
$C-off"
lxc start -n "$C"
is 'nor of what has no containers' "$(nested)" "$C
$C-off"
have plain mapped deep
is 'containers in a container are named by their way' "$(nested)" "$C
$C/deep
$C/mapped
$C/plain
$C-off"
is '... and are not listed without being asked for' "$(lxc ls) $(lxc ls --nesting=0)" "$C
$C-off $C
$C-off"
run tool start -n mapped
is 'one of them starts' "$status $err" '0 '
is 'a table shows their states' "$(table)" "NAME STATE
$C RUNNING
\\deep STOPPED
\\mapped RUNNING
\\plain STOPPED
$C-off STOPPED"
pid=$(nested -f -F pid,name --running | sed -n 's/^\([0-9]*\) *.mapped *$/\1/p')
like '... and their processes as this host sees them' "$(sed -n 's/^NSpid://p' "/proc/$pid/status")" "^[[:space:]]$pid[[:space:]]+[0-9]+[[:space:]]+1\$"
is '... with the ids of this host' "$(stat -c %u "/proc/$pid")" 300000
if [ -n "$run_place" ]; then
	inside "$C" mv "$run_place/mapped/state" /run/state
	is '... known by its cgroup, where another program keeps its state' "$(table --running | grep mapped)" '\mapped RUNNING'
	inside "$C" mv /run/state "$run_place/mapped/state"
fi
is 'who runs can be asked for' "$(nested --running)" "$C
$C/mapped"
is '... and who does not' "$(nested --stopped)" "$C/deep
$C/plain
$C-off"
is '... and a name' "$(nested '^ma')" "$C/mapped"
is '... and one container with those in it' "$(nested -n "$C" -1)" "$C
$C/deep
$C/mapped
$C/plain"
tool freeze -n mapped
is 'one that is frozen is' "$(nested --frozen)" "$C/mapped"
tool unfreeze -n mapped
lxc freeze -n "$C"
is '... and so is what is in a frozen one' "$(nested --frozen)" "$C
$C/mapped"
lxc unfreeze -n "$C"
nested --json >"$TMP/json"
ok '--json is JSON' is_json "$TMP/json"
like '... and says in which it is' "$(cat "$TMP/json")" "\"name\": \"mapped\", \"outer\": \"$C\", \"state\": \"RUNNING\", \"pid\": $pid"
run tool start -n deep
is 'one that is a host starts' "$status $err" '0 '
tool attach -n deep -- sh -c "mkdir -p $place/plain && cp /inner/plain/config $place/plain/" </dev/null
run tool attach -n deep -- env PATH="$prefix/bin:$prefix/sbin:/bin:/sbin" lxc-start -n plain
is '... and starts one itself' "$status $err" '0 '
is 'deeper ones follow' "$(table --running)" "NAME STATE
$C RUNNING
\\deep RUNNING
 \\plain RUNNING
\\mapped RUNNING"
is '... with the whole way' "$(nested --running | grep /plain)" "$C/deep/plain"
all=$(nested)
is 'with few descriptors for a program they are all found' "$( (ulimit -S -n 16; nested))" "$all"
few=8 wrong=''
while [ $few -le 64 ]; do
	run sh -c 'ulimit -n "$1" && exec timeout 20 lxc-ls -P "$2" --nesting' - $few "$P"
	case $status/$err in
	0/) [ "$out" = "$all" ] || wrong="$wrong $few: $out" ;;
	[1-9]*/*'Too many open files'*) ;;
	*) wrong="$wrong $few: $status $out$err" ;;
	esac
	few=$((few + 4))
done
is 'with few for anyone it lists all, or says that it cannot' "$wrong" ''
is '... as far as is asked for' "$(lxc ls --nesting=1 --running | grep -c plain)" 0
for depth in 33 -1 x 1x; do
	fails_with "a depth of $depth is refused" 1 'no number from 0 to 32' lxc ls --nesting=$depth
done
tool stop -k -n mapped
is 'what has stopped is stopped' "$(table | grep mapped)" '\mapped STOPPED'

# ---- an lxc.conf of theirs

inside "$C" sh -c 'mkdir -p /etc/lxc /else/where/mine; echo "lxc.lxcpath = /else/where/" >/etc/lxc/lxc.conf; touch /else/where/mine/config'
is 'their lxc.conf says where they are' "$(nested -n "$C")" "$C
$C/mine"
inside "$C" sh -c 'ln -snf / /else/where/up; echo lxc.lxcpath = /else/where/up/../../../inner >/etc/lxc/lxc.conf'
is '... below their root' "$(nested -n "$C" | grep -v deep/ | tail -n +2)" "$C/deep
$C/mapped
$C/plain"
inside "$C" sh -c 'mkfifo /etc/lxc/fifo; ln -snf fifo /etc/lxc/lxc.conf'
like 'one that is no file is none' "$(nested -n "$C")" "^$C/plain\$"
inside "$C" rm -r /etc/lxc/lxc.conf

# ---- an enemy

tool stop -k -n deep >/dev/null 2>&1
inside "$C" sh -c "rm -rf $place/*"
mkdir -p "$TMP/victim/secret" && touch "$TMP/victim/config" "$TMP/victim/secret/config"
inside "$C" sh -c "cd $place"'
	for name in "new
line" "$(printf "esc\033[31m")" "$(printf "bytes\377")" ".hidden" "-dash" "a b" "..x" good; do mkdir "./$name"; touch "./$name/config"; done
	mkdir fifo dir link sock loop; mkfifo fifo/config; mkdir dir/config; ln -s config loop/config
	ln -s '"$TMP/victim"' outside; ln -s '"$TMP/victim/config"' link/config; ln -s /proc/1/root/inner procroot; ln -s ../../../../../.. up'
is 'names that are none, links to the host and what is no file are left out' "$(nested -n "$C")" "$C
$C/good"
inside "$C" sh -c "mkdir -p $TMP/victim; touch $TMP/victim/config"
is '... and a link that leads to a file of its own is its own' "$(nested -n "$C" | tail -n +2)" "$C/good
$C/link
$C/outside"
lie() {	# TEXT
	inside "$C" sh -c 'mkdir -p "$1/good"; printf "%s\n" "$2" >"$1/good/state"' sh "$run_place" "$1"
}
if [ -n "$run_place" ]; then
	for state in "state RUNNING supervisor 1 1 init 1 1 boot 1 restarts 0 next 0" \
		"state RUNNING supervisor 1 1 init $(init_pid "$C") 1 boot 1 restarts 0 next 0" "state RUNNING supervisor 1 1 init $$ 1 boot 1 restarts 0 next 0" \
		"state FROZEN supervisor 0 0 init -1 0 boot 0 restarts 0 next 0" 'nonsense'; do
		lie "$state"
		is "a lie is not believed: $state" "$(table -n "$C" | grep good)" '\good STOPPED'
	done
	tool start -P /inner -n mapped
	lie "state STOPPING supervisor 1 1 init $(tool info -P /inner -n mapped -pH) 1 boot 1 restarts 0 next 0"
	is '... but what it says of a process that is one of its own' "$(table -n "$C" | grep good)" '\good STOPPING'
	tool stop -P /inner -k -n mapped
	inside "$C" sh -c 'rm "$1/good/state"; mkfifo "$1/good/state"; mkfifo "$1/good/control"; mkdir "$1/gone"; mkfifo "$1/gone/state"' sh "$run_place"
	is 'nobody is waited for' "$(table -n "$C" | grep -e good -e gone)" '\good STOPPED'
else
	skip 'a lie is not believed' 'strings is not installed'
fi
inside "$C" sh -c "cd $place && seq 1 10100 | xargs mkdir"
fails_with 'a directory without an end has one' 1 'not all that is in .* is listed: it is too much' lxc ls --nesting
like '... and what is beside it is listed' "$out" "^$C-off\$"
inside "$C" sh -c "rm -r $place; mkdir -p $place /var/lib/lxc"'
	fill() { cd "$1" && seq $2 $3 | xargs mkdir && seq $2 $3 | sed "s,$,/config," | xargs touch; }
	fill '"$place"' 1 5100; fill /var/lib/lxc 5101 10200'
fails_with '... and so has a container of containers' 1 'not all that is in .* is listed' lxc ls --nesting -n "$C"
is '... of which there are so many' "$(($(printf '%s\n' "$out" | grep -c /) <= 10000))" 1
inside "$C" sh -c "rm -r $place /var/lib/lxc; mkdir -p $place/still; touch $place/still/config"
is 'a row is a row again' "$(nested -n "$C" | tail -n +2)" "$C/still"
silent=${LXC_BUILD:-.}/tests/tools/silentfs
if [ -x "$silent" ] && [ -w /dev/fuse ] && "$silent" "$(init_pid "$C")" "$place" 2>"$TMP/silent" >"$TMP/silent.pid"; then
	fails_with 'files that never answer have a limit' 1 'its files do not answer' lxc ls --nesting
	is '... and the others are listed' "$out" "$C
$C-off"
	kill "$(cat "$TMP/silent.pid")"
else
	skip 'files that never answer have a limit' "no filesystem of that kind here $(cat "$TMP/silent" 2>/dev/null)"
fi

lxc stop -k -n "$C"
nothing_left 'nothing is left' "$C"
done_testing

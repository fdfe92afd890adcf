#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hooks: each kind runs at its time, in its place, with its words and its environment.

. "${0%/*}/lib.sh"
make_bridge

log=$TMP/hooks.log
cat >"$TMP/hook" <<X
#!/bin/sh
# Says how it was called: one line of words, then a file with its environment.
type=\${LXC_HOOK_TYPE:-\$3}
echo "\$*" >>$log
env >"$TMP/env.\$type"
readlink /proc/self/ns/mnt >"$TMP/ns.\$type"
case \$type in
mount) [ -x "\$LXC_ROOTFS_MOUNT/sbin/init" ] && echo seen >"$TMP/mount.seen" ;;
autodev) [ -d "\$LXC_ROOTFS_MOUNT/dev/pts" ] && : >"\$LXC_ROOTFS_MOUNT/dev/by-hook" ;;
esac
X
chmod 755 "$TMP/hook"

# Hooks that see the host's tree write a log there; the one inside has its own.
hooks() {
	for kind in pre-start pre-mount mount autodev start-host stop post-stop destroy; do
		echo "lxc.hook.$kind = $TMP/hook"
	done
	echo 'lxc.hook.start = /bin/hook'
}
started_with_hooks() {
	rm -f "$log" "$TMP"/env.* "$TMP"/ns.*
	make_container "$C" 'lxc.net.0.type = veth' "lxc.net.0.link = $BR" 'lxc.net.0.flags = up' \
		"lxc.net.0.script.up = $TMP/hook" "lxc.net.0.script.down = $TMP/hook" \
		'lxc.environment = FOR_INIT=1' "$(hooks)" "$@"
	cat >"$P/$C/rootfs/bin/hook" <<-'X'
		#!/bin/sh
		echo "$*" >/run/hook-start
		env >/run/hook-env
		readlink /proc/self/ns/mnt >/run/hook-ns
	X
	chmod 755 "$P/$C/rootfs/bin/hook"
	run lxc start -n "$C"
}
env_of() { sed -n "s/^$2=//p" "$TMP/env.$1" 2>/dev/null; }
words() { sed -n "s/^\(.*\)$1\(.*\)/\1$1\2/p" "$log"; }

started_with_hooks
is 'a container with hooks of every kind starts' "$status" 0
pid=$(init_pid "$C")
is 'they ran in their order' "$(cut -d' ' -f3 "$log" | tr '\n' ' ')" \
	'pre-start up pre-mount mount autodev start-host '
is 'with name, section and type' "$(grep -c "^$C lxc pre-start$" "$log")" 1
like 'that of the network with type, bridge and device' "$(cat "$log")" "^$C net up veth $BR [a-z0-9_A-Z]+"
is 'the one inside has the same words' "$(cat "$P/$C/rootfs/run/hook-start" 2>/dev/null)" "$C lxc start"
is '... and runs in the container' "$(cat "$P/$C/rootfs/run/hook-ns")" "$(readlink "/proc/$pid/ns/mnt")"
is 'mount runs in its mount namespace' "$(cat "$TMP/ns.mount")" "$(readlink "/proc/$pid/ns/mnt")"
is '... and sees its root filesystem' "$(cat "$TMP/mount.seen")" seen
ok 'what autodev makes is there' inside "$C" test -e /dev/by-hook
for kind in pre-start start-host up; do
	is "$kind runs on the host" "$(cat "$TMP/ns.$kind")" "$(readlink /proc/self/ns/mnt)"
done
for kind in pre-start pre-mount mount autodev start-host; do
	is "$kind knows the name" "$(env_of $kind LXC_NAME)" "$C"
	is "$kind knows the configuration" "$(env_of $kind LXC_CONFIG_FILE)" "$P/$C/config"
	is "$kind knows the root filesystem" "$(env_of $kind LXC_ROOTFS_PATH)" "$P/$C/rootfs"
	like "$kind knows where it is mounted" "$(env_of $kind LXC_ROOTFS_MOUNT)" '^/.+'
	is "$kind knows the version" "$(env_of $kind LXC_HOOK_VERSION)" 0
done
is 'start-host knows the pid of init' "$(env_of start-host LXC_PID)" "$pid"
is 'mount sees lxc.environment' "$(env_of mount FOR_INIT)" 1
: >"$log"
lxc stop -k -n "$C"
is 'at the stop: stop, down, post-stop' "$(cut -d' ' -f3 "$log" | sort | tr '\n' ' ')" 'down post-stop stop '
is '... post-stop last' "$(tail -n 1 "$log")" "$C lxc post-stop"
like '... stop gets the namespaces' "$(grep ' stop ' "$log")" 'mnt:/proc/[0-9]+/fd/[0-9]+.*net:/proc/'
is '... and they know that it is a stop' "$(env_of stop LXC_TARGET)/$(env_of post-stop LXC_TARGET)" stop/stop
nothing_left 'nothing is left' "$C"
: >"$log"
lxc destroy -n "$C"
is 'destroy runs the destroy hook' "$(cat "$log")" "$C lxc destroy"

# ---- version 1

started_with_hooks 'lxc.hook.version = 1'
is 'version 1 gives no words' "$(grep -c '^$' "$log")" 5
is '... but LXC_HOOK_TYPE' "$(env_of pre-start LXC_HOOK_TYPE)" pre-start
is '... and LXC_HOOK_SECTION' "$(env_of pre-start LXC_HOOK_SECTION)/$(env_of up LXC_HOOK_SECTION)" lxc/net
is '... and LXC_NET_TYPE, LXC_NET_PARENT' "$(env_of up LXC_NET_TYPE)/$(env_of up LXC_NET_PARENT)" "veth/$BR"
ok '... and LXC_NET_PEER, the device on the host' test -e "/sys/class/net/$(env_of up LXC_NET_PEER)"
lxc stop -k -n "$C"
like '... at the stop the namespaces' "$(env_of stop LXC_NET_NS)" '^/proc/[0-9]+/fd/[0-9]+'
rm -rf "${P:?}/$C"

# ---- failures

for kind in pre-start pre-mount mount autodev start-host; do
	make_container "$C" "lxc.hook.$kind = /bin/sh -c 'echo the hook said why >&2; exit 5' -"
	fails_with "a $kind hook that fails ends the start, by name" 1 "lxc.hook.$kind|$kind" \
		lxc start -n "$C"
	like '... with its status' "$err" '(status|code)[^0-9]*5'
	like '... and its words' "$err" 'the hook said why'
	nothing_left '... and nothing is left' "$C"
	rm -rf "${P:?}/$C"
done
make_container "$C" 'lxc.hook.start = /bin/false'
fails_with 'a start hook that fails ends the start, by name' 1 "lxc.hook.start|hook.*start" lxc start -n "$C"
rm -rf "${P:?}/$C"
make_container "$C" 'lxc.hook.stop = /bin/false' 'lxc.hook.post-stop = /bin/false'
lxc start -n "$C"
ok 'a stop hook that fails does not keep it from stopping' lxc stop -k -n "$C"
nothing_left '... with nothing left' "$C"
rm -rf "${P:?}/$C"
make_container "$C" "lxc.hook.pre-start = $TMP/hook first" "lxc.hook.pre-start = $TMP/hook second"
: >"$log"
lxc start -n "$C"
is 'hooks of one kind run in the order of the file, with the words that stand there' \
	"$(cut -d' ' -f1 "$log" | tr '\n' ' ')" 'first second '
: >"$log"
inside "$C" reboot -f >/dev/null 2>&1
ok 'a reboot runs them again' eventually 5 grep -q second "$log"

done_testing

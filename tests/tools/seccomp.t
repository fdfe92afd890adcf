#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Policies of system calls: the shipped one, and calls that another program answers.

. "${0%/*}/lib.sh"
answerer=${LXC_BUILD:-/nonexistent}/tests/tools/answerer
[ -x "$answerer" ] || skip_all 'answerer is not built (make check)'
again() { lxc stop -k -n "$C" >/dev/null 2>&1; rm -rf "${P:?}/$C"; }

# ---- the shipped policy

policy=${LXC_PREFIX:-/usr/local}/share/lxc/config/common.seccomp
started "$C" "lxc.seccomp.profile = $policy"
is 'a container with the shipped policy runs' "$status" 0
is 'init is filtered' "$(inside "$C" sed -n 's/^Seccomp:[[:space:]]*//p' /proc/1/status)" 2
inside "$C" mount -t tmpfs none /mnt
like 'a forced unmount is refused' "$(lxc attach -n "$C" -- umount -f /mnt 2>&1 </dev/null)" 'Permission denied'
ok '... an ordinary one is not' inside "$C" umount /mnt
again

# ---- which calls it refuses: of each kind of container, and without it, as this kernel does

attack=${LXC_BUILD:-/nonexistent}/tests/escape/attack
shipped=${policy%/*}
if [ "$(uname -m)" = x86_64 ] && [ -x "$attack" ]; then
	said_of() { cp "$attack" "$P/$C/rootfs/bin/attack"; inside "$C" attack calls | sort; }
	# Which are refused: as without the policy would not be.
	refused() { comm -23 "$TMP/with" "$TMP/without" | grep -E ' (1|38|97)$' | tr '\n' ' '; }
	expected='add_key 38 bpf 1 delete_module 1 fanotify_init 1 finit_module 1 init_module 1 io_uring_enter 38 io_uring_register 38 io_uring_setup 38 kexec_file_load 1 kexec_load 1 keyctl 38 open_by_handle_at 1 perf_event_open 1 quotactl 1 quotactl_fd 1 request_key 38 swapoff 1 swapon 1 userfaultfd 1 vsock 97 '
	started "$C"
	said_of >"$TMP/without"
	again
	# What this kernel has not, or refuses in these words itself, cannot be told apart.
	told() {	# ENTRY...
		local call number
		for call; do
			number=${call##*:}
			grep -qx "${call%:*} $number" "$TMP/without" || printf '%s %s ' "${call%:*}" "$number"
		done
	}
	words() { set -- $1; while [ $# -gt 1 ]; do printf '%s:%s ' "$1" "$2"; shift 2; done; }
	# shellcheck disable=SC2046 # words
	expect() { told $(words "$1"); }
	started "$C" "lxc.include = $shipped/common.conf" 'lxc.hook.clone ='
	said_of >"$TMP/with"
	is 'a container as it is shipped may not call what reaches the host' "$(refused)" "$(expect "$expected")"
	again
	started "$C" "lxc.include = $shipped/common.conf" 'lxc.hook.clone =' "lxc.seccomp.profile = $shipped/nesting.seccomp"
	said_of >"$TMP/with"
	is 'one that holds containers may call bpf besides' "$(refused)" "$(expect "$(echo "$expected" | sed 's/bpf 1 //')")"
	again
	started "$C" "lxc.include = $shipped/common.conf" 'lxc.hook.clone =' "lxc.seccomp.profile = $shipped/userns.seccomp"
	said_of >"$TMP/with"
	is 'one in a user namespace has keys of its own' "$(refused)" "$(expect "$(echo "$expected" | sed 's/[a-z_]*key[a-z]* 38 //g')")"
	again
	like 'nesting.conf names its policy' "$(cat "$shipped/nesting.conf")" "^lxc.seccomp.profile = $shipped/nesting.seccomp"
	like 'so does userns.conf' "$(cat "$shipped/userns.conf")" "^lxc.seccomp.profile = $shipped/userns.seccomp"
else
	skip 'which calls the shipped policy refuses' 'the numbers are those of x86_64'
fi

# ---- another program answers

printf '2\ndenylist\nmkdir notify\nmkdirat notify\nsysinfo notify\n' >"$TMP/policy"
proxy() {	# MANNER
	"$answerer" proxy "$TMP/proxy" "$1" >"$TMP/calls" 2>&1 &
	proxy=$!
	eventually 5 test -S "$TMP/proxy"
}
unproxy() { kill "$proxy" 2>/dev/null; wait "$proxy" 2>/dev/null; rm -f "$TMP/proxy"; }
proxy good
started "$C" "lxc.seccomp.profile = $TMP/policy" "lxc.seccomp.notify.proxy = unix:$TMP/proxy" 'lxc.seccomp.notify.cookie = a cookie' \
	'lxc.init.cmd = /bin/sh -c "mkdir /tmp/of-init 2>/tmp/said; exec /sbin/init"'
is 'a container with a policy that notifies runs' "$status" 0
is 'the key reads back without its kind' "$(lxc info -n "$C" -c lxc.seccomp.notify.proxy -H)" "$TMP/proxy"
eventually 5 grep -q of-init "$TMP/calls"
eventually 5 test -s "$P/$C/rootfs/tmp/said"
like 'a call of init is answered by the program' "$(cat "$P/$C/rootfs/tmp/said")" 'Invalid cross-device link'
like '... which was told of it, with the cookie and the memory of the caller' "$(cat "$TMP/calls")" '^mkdir cookie=a cookie path=/tmp/of-init$'
like 'a call of an attached command too' "$(lxc attach -n "$C" -- mkdir /tmp/attached 2>&1 </dev/null)" 'Invalid cross-device link'
like '...' "$(cat "$TMP/calls")" 'path=/tmp/attached$'
ok 'one that the program lets through goes on' inside "$C" free
like '...' "$(cat "$TMP/calls")" '^sysinfo '
i=0
while [ $i -lt 8 ]; do
	lxc attach -n "$C" -- sh -c 'mkdir /tmp/a; mkdir /tmp/b' >/dev/null 2>&1 </dev/null &
	pids="${pids:-} $!"
	i=$((i + 1))
done
# shellcheck disable=SC2086 # pids
wait $pids
is 'many at once all have their answer' "$(grep -c 'path=/tmp/[ab]$' "$TMP/calls")" 16
unproxy
like 'without the program the call fails' "$(lxc attach -n "$C" -- mkdir /tmp/x 2>&1 </dev/null)" 'Function not implemented'
proxy good
like '... when it is back it answers again' "$(lxc attach -n "$C" -- mkdir /tmp/x 2>&1 </dev/null)" 'cross-device'
unproxy
for manner in wrong gone; do
	proxy $manner
	like "a program that is $manner: the call fails" "$(lxc attach -n "$C" -- mkdir /tmp/x 2>&1 </dev/null)" 'Function not implemented'
	unproxy
done
proxy silent
lxc attach -n "$C" -- mkdir /tmp/x >/dev/null 2>&1 </dev/null &
attached=$!
eventually 5 test -s "$TMP/calls"
ok 'while a program says nothing the supervisor does its work' lxc info -n "$C"
ok '... and the container stops' lxc stop -k -n "$C"
wait $attached
unproxy
nothing_left 'nothing is left' "$C"
fails_with 'for a container that does not run' 1 'not running' "$answerer" self "$P" "$C"
again

# ---- by oneself, through the library

started "$C" "lxc.seccomp.profile = $TMP/policy" 'lxc.init.cmd = /bin/sh -c "sleep 1; while ! mkdir /tmp/x 2>/tmp/said; do sleep 1; done"'
"$answerer" self "$P" "$C" >"$TMP/calls" 2>&1 &
self=$!
eventually 10 grep -q '^mkdir' "$TMP/calls"
eventually 5 grep -q cross-device "$P/$C/rootfs/tmp/said"
like 'without a proxy who has the listener answers' "$(cat "$P/$C/rootfs/tmp/said")" 'cross-device'
again
kill $self 2>/dev/null
wait $self 2>/dev/null

# ---- mistakes

for line in 'execve notify' 'openat notify' 'sendmsg notify'; do
	printf '2\ndenylist\n%s\n' "$line" >"$TMP/bad"
	make_container "$C" "lxc.seccomp.profile = $TMP/bad"
	fails_with "$line is refused, for nobody could answer" 1 'bad:3: notify is not possible' lxc start -n "$C"
	again
done
for value in "$TMP/proxy" unix: unix:proxy unix:@ tcp:1; do
	make_container "$C" "lxc.seccomp.notify.proxy = $value"
	fails_with "a proxy $value is refused" 1 'is neither unix:/PATH nor unix:@NAME' lxc start -n "$C"
	again
done
done_testing

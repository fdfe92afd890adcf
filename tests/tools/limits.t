#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the first process may: capabilities, system calls, resource limits, kernel settings, identity.

. "${0%/*}/lib.sh"

status_of() { inside "$1" sed -n "s/^$2:[[:space:]]*//p" /proc/1/status; }

started "$C" 'lxc.cap.drop = sys_module mac_admin' 'lxc.cap.drop = sys_time'
bounding=0x$(status_of "$C" CapBnd)
is 'lxc.cap.drop drops sys_module (16), sys_time (25), mac_admin (33)' \
	$(((bounding >> 16 & 1) + (bounding >> 25 & 1) + (bounding >> 33 & 1))) 0
is '... and nothing else' $((bounding & 1)) 1
lxc stop -k -n "$C"
started "$C" 'lxc.cap.keep = chown kill setuid setgid'
is 'lxc.cap.keep keeps chown, kill, setgid, setuid alone' "$(status_of "$C" CapEff)" 00000000000000e1
is '... also in what it may get' "$(status_of "$C" CapBnd)" 00000000000000e1
lxc stop -k -n "$C"
started "$C" 'lxc.cap.keep = none'
is 'lxc.cap.keep = none keeps nothing' "$(status_of "$C" CapBnd)" 0000000000000000
lxc stop -k -n "$C"
make_container "$C" 'lxc.cap.keep = chown' 'lxc.cap.drop = kill'
fails_with 'keep and drop together are refused' 1 'lxc.cap' lxc start -n "$C"

# ---- system calls

started "$C"
is 'without a profile there is no filter' "$(status_of "$C" Seccomp)" "$(sed -n 's/^Seccomp:.//p' /proc/self/status)"
lxc stop -k -n "$C"
profile=/usr/share/lxc/config/common.seccomp
for dir in "${LXC_PREFIX:-/usr}" /usr/local /usr; do
	[ ! -e "$dir/share/lxc/config/common.seccomp" ] || { profile=$dir/share/lxc/config/common.seccomp; break; }
done
started "$C" "lxc.seccomp.profile = $profile"
is 'with the default profile it starts' "$status" 0
is '... filtered' "$(status_of "$C" Seccomp)" 2
ok '... and works' inside "$C" ls /
is '... attach is filtered too' "$(inside "$C" sed -n 's/^Seccomp:.//p' /proc/self/status)" 2
lxc stop -k -n "$C"
cat >"$TMP/profile" <<-'X'
	2
	denylist
	[all]
	mkdir errno 42
	mkdirat errno 42
	chroot kill
X
started "$C" "lxc.seccomp.profile = $TMP/profile"
run inside "$C" mkdir /tmp/x
like 'a rule gives the error number that it names (42)' "$err" 'No message of desired type|[Ee]rror 42'
run inside "$C" chroot / true
is 'a rule can kill' "$status" 159
lxc stop -k -n "$C"
printf '2\ndenylist\n[all]\nno_such_call errno 1\nmkdir sing\n' >"$TMP/profile"
make_container "$C" "lxc.seccomp.profile = $TMP/profile"
fails_with 'a profile with a rule that is none is refused, by file and line' 1 "$TMP/profile.*5" \
	lxc start -n "$C"
started "$C" 'lxc.no_new_privs = 1'
is 'lxc.no_new_privs holds' "$(status_of "$C" NoNewPrivs)" 1
lxc stop -k -n "$C"

# ---- limits of processes, settings of the kernel

started "$C" 'lxc.prlimit.nofile = 512:1024' 'lxc.prlimit.core = 0' 'lxc.prlimit.nproc = 2000' \
	'lxc.proc.oom_score_adj = 100' 'lxc.sysctl.net.ipv4.ip_forward = 1' 'lxc.sysctl.kernel.msgmax = 4096'
is 'a container with limits and settings starts' "$status" 0
limits=$(inside "$C" cat /proc/1/limits | tr -s ' ')
like 'lxc.prlimit.nofile holds, soft and hard' "$limits" 'Max open files 512 1024'
like 'lxc.prlimit.core holds' "$limits" 'Max core file size 0 0'
is 'lxc.proc.oom_score_adj holds' "$(inside "$C" cat /proc/1/oom_score_adj)" 100
is 'lxc.sysctl of the network holds' "$(inside "$C" cat /proc/sys/net/ipv4/ip_forward)" 1
is 'lxc.sysctl of ipc holds' "$(inside "$C" cat /proc/sys/kernel/msgmax)" 4096
before=$(cat /proc/sys/kernel/panic /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)
for name in kernel.panic kernel/core_pattern vm.swappiness fs.file-max kernel.random.boot_id; do
	make_container "$C-host" "lxc.sysctl.$name = 1"
	fails_with "the host's $name is refused" 1 "for the whole host.*|to mend it: sysctl -w" lxc start -n "$C-host"
done
make_container "$C-host" 'lxc.net.0.type = none' 'lxc.sysctl.net.ipv4.ip_forward = 1' 'lxc.mount.auto = proc:rw'
fails_with '... and one of a network that it shares with the host' 1 'shares the network namespace' lxc start -n "$C-host"
make_container "$C-host" 'lxc.namespace.keep = ipc' 'lxc.sysctl.kernel.msgmax = 7777'
fails_with '... or of the host'"'"'s ipc' 1 'shares the ipc namespace' lxc start -n "$C-host"
is '... none of which has changed' "$(cat /proc/sys/kernel/panic /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)" "$before"
lxc stop -k -n "$C"

# ---- identity, environment, place

started "$C" 'lxc.uts.name = other-name' 'lxc.environment = A=1' 'lxc.environment = B=two words' \
	'lxc.init.cwd = /mnt'
is 'lxc.uts.name is the host name' "$(inside "$C" hostname)" other-name
env=$(inside "$C" sh -c 'tr "\000" "\n" </proc/1/environ')
like 'lxc.environment is in its environment' "$env" '^A=1$'
like '... with blanks too' "$env" '^B=two words$'
like '... and container=lxc' "$env" '^container=lxc$'
unlike '... and nothing of the caller' "$env" '^(HOME|LXC_|PWD=/tmp)'
is 'lxc.init.cwd is its directory' "$(inside "$C" readlink /proc/1/cwd)" /mnt
is 'its standard descriptors are not those of the caller' \
	"$(inside "$C" readlink /proc/1/fd/0 | grep -c "$TMP")" 0
lxc stop -k -n "$C"
started "$C" 'lxc.init.uid = 1000' 'lxc.init.gid = 1001' 'lxc.init.cmd = /bin/sleep 1000'
is 'lxc.init.uid and gid hold' "$(status_of "$C" Uid | cut -f1)/$(status_of "$C" Gid | cut -f1)" 1000/1001
is '... without supplementary groups' "$(status_of "$C" Groups | tr -d ' ')" ''
lxc stop -k -n "$C"

done_testing

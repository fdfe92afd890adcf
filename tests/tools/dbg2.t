#!/bin/sh
. "$TESTS/tools/lib.sh"
make_container "$C" 'lxc.prlimit.nofile = 512:1024' 'lxc.prlimit.core = 0' 'lxc.prlimit.nproc = 2000' \
	'lxc.proc.oom_score_adj = 100' 'lxc.sysctl.net.ipv4.ip_forward = 1' 'lxc.sysctl.kernel.msgmax = 4096'
lxc start -n $C -o $TMP/log -l DEBUG; grep -E 'ERROR|WARN' $TMP/log | head -2

# shellcheck shell=sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the fault sweeps share: an operation is traced once to see which system calls it makes; then it is
# run once for each of them, with that one failing or the process killed at it.  Who sources this has
# `operation NAME`, which prints a command line.
# shellcheck disable=SC2034

need strace
need_ours
strace -qq -o /dev/null -e inject=getpid:error=EIO:when=1 true 2>/dev/null ||
	skip_all 'strace cannot inject faults here'
LIMIT=15

# What a fault is put into: calls that make, change or hand over something.
calls='openat,openat2,mkdirat,mkdir,unlinkat,unlink,renameat,rename,write,sendmsg,sendto,recvmsg,socket'
calls="$calls,socketpair,bind,listen,connect,clone,clone3,fork,vfork,wait4,waitid,pidfd_open,setns,unshare"
calls="$calls,pidfd_send_signal,mount,umount2,fsopen,fsconfig,fsmount,open_tree,move_mount,mount_setattr"
calls="$calls,pivot_root,mknodat,symlinkat,chdir,fchdir,ioctl,fcntl,dup2,memfd_create,epoll_create1,epoll_ctl"
calls="$calls,signalfd4,prctl,capset,setresuid,setresgid,setgroups,sethostname,execve,poll,fchmodat,fchownat"

# traced OPERATION STRACE-OPTION...: its status goes to $rc, what it said to $TMP/said.  strace follows
# the supervisor as well and so outlives the tool: the end of the tool is read from the trace, a file of
# its own each time.
traced() {
	local what="$1"
	shift
	turn=$((turn + 1))
	rm -f "$trace"
	trace=$TMP/trace.$turn
	# shellcheck disable=SC2046 # the words of a command
	strace -f -q -o "$trace" "$@" -- $(operation "$what") >"$TMP/said" 2>&1 </dev/null &
	tracer=$!
	eventually 10 tool_ended
	case "$(tool_end)" in
	*'exited with '*) rc=$(tool_end | sed 's/.*exited with \([0-9]*\).*/\1/') ;;
	*'killed by'*) rc=137 ;;
	*) rc=none ;;
	esac
}
trace=$TMP/trace turn=0 tracer='' rc=''
tool_end() {
	awk 'NR == 1 { tool = $1 } $1 == tool && $2 == "+++" { print; exit }' "$trace" 2>/dev/null
}
tool_ended() { [ -n "$(tool_end)" ] || is_dead "$tracer"; }

# points OPERATION: after it was traced, its points, a line each: NAME N, each call of the busiest process,
# as strace counts them.
points() {
	awk '$2 ~ /^[a-z_0-9]+\(/ {
		split($2, word, "("); n = ++count[$1, word[1]]
		if (n > most[word[1]]) { most[word[1]] = n; print word[1], n }
	}' "$trace" >"$TMP/points.$1"
}

# broken OPERATION KIND CALL NUMBER: with a fault; $rc and $TMP/said tell what came of it.
broken() {
	case $2 in
	KILL) traced "$1" -e "inject=$3:signal=KILL:when=$4" ;;
	*) traced "$1" -e "inject=$3:error=$2:when=$4" ;;
	esac
}

# complaint OPERATION: why what the tool did and said is not good enough; nothing when it is.  Injection
# counts in each process: the write that fails may be that of the message itself.
complaint() {
	case $rc in
	0 | 137) ;;
	none) echo 'did not end' ;;
	*) grep -q -e "$C" -e 'error while loading shared' "$TMP/said" ||
		grep -q 'write(2, .*INJECTED' "$trace" ||
		echo "$rc, and said: $(head -c 200 "$TMP/said")" ;;
	esac
}

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is wrong is told before anything is made: what could not be done, to which object, why, and
# by what it is mended.

. "${0%/*}/lib.sh"

# refused SENTENCE ERE [CONFIG-LINE]...: a container with these lines does not start, the error says
# why, nothing is left, and no error sends the reader elsewhere.
refused() {
	local what="$1" ere="$2"
	shift 2
	rm -rf "${P:?}/$C"
	make_container "$C" "$@"
	[ -z "${prepare:-}" ] || "$prepare" "$P/$C/rootfs"
	fails_with "start refuses $what" 1 "$C.*$ere" lxc start -n "$C"
	unlike '... and does not send the reader elsewhere' "$err" \
		'ABORTING|see the log|foreground mode|--logfile|[a-z_]+\.c:|\.c: [a-z_]+: [0-9]+'
	if ! eventually 2 nothing_left_now "$C"; then
		report 1 '... and leaves nothing' || diag "$left"
	else
		report 0 '... and leaves nothing'
	fi
}

# ---- what a start needs

prepare=
refused 'a root filesystem that is not there' "$P/nowhere.*lxc.rootfs.path" \
	"lxc.rootfs.path = dir:$P/nowhere"
: >"$TMP/file"
refused 'a root filesystem that is a plain file' "$TMP/file.*lxc.rootfs.path" \
	"lxc.rootfs.path = dir:$TMP/file"
without_init() { rm -f "$1/sbin/init"; }
prepare=without_init
refused 'an absent init' '/sbin/init.*'
foreign_init() {
	rm -f "$1/sbin/init"
	# The header of a 64-bit ARM program; on such a machine, of a 64-bit IBM Z one.
	machine='\267\0' data='\1'
	[ "$(uname -m)" != aarch64 ] || machine='\0\26' data='\2'
	{
		printf '\177ELF\2'"$data"'\1\0\0\0\0\0\0\0\0\0\2\0'"$machine"'\1\0\0\0'
		head -c 200 /dev/zero
	} >"$1/sbin/init"
	chmod 755 "$1/sbin/init"
}
prepare=foreign_init
refused 'an init of another architecture' '/sbin/init.*(aarch64|arm64|s390x)'
not_executable() { rm -f "$1/sbin/init" && echo 'no program' >"$1/sbin/init"; }
prepare=not_executable
refused 'an init that may not be executed' '/sbin/init'
without_interpreter() {
	rm -f "$1/sbin/init"
	printf '#!/bin/absent-shell\n' >"$1/sbin/init"
	chmod 755 "$1/sbin/init"
}
prepare=without_interpreter
refused 'an init whose interpreter is absent' '/sbin/init.*/bin/absent-shell'
prepare=
refused 'a bridge that is not there' '"?lxtnone0"?.*lxc.net.0.link.*config:[0-9]+' \
	'lxc.net.0.type = veth' 'lxc.net.0.link = lxtnone0'
refused 'a program that is no hook' "pre-start.*$TMP/no-hook" \
	"lxc.hook.pre-start = $TMP/no-hook"
refused 'a mount whose source is not there' "$TMP/no-source" \
	"lxc.mount.entry = $TMP/no-source mnt none bind 0 0"
refused 'a mount whose target is not there' "mnt/deep/below" \
	"lxc.mount.entry = $TMP mnt/deep/below none bind 0 0"
refused 'a sysctl that is not there' 'lxc.sysctl.net.no_such_thing|net[./]no_such_thing' \
	'lxc.sysctl.net.no_such_thing = 1'
refused 'a cgroup file that is not there' 'pids.no_such' 'lxc.cgroup.pids.no_such = 1'
refused 'a seccomp profile that is not there' "$TMP/no-profile.*lxc.seccomp.profile|lxc.seccomp.profile.*$TMP/no-profile" \
	"lxc.seccomp.profile = $TMP/no-profile"

# ---- values

line='config:[0-9]+'
refused 'a number that is none' "lxc.net.0.mtu.*$line|$line.*lxc.net.0.mtu" 'lxc.net.0.mtu = big'
refused 'a signal that is none' "lxc.signal.halt.*$line|$line.*lxc.signal.halt" 'lxc.signal.halt = SIGNONE'
refused 'a capability that is none' "cap_nothing|nothing" 'lxc.cap.drop = cap_nothing'
refused 'an identity map that is none' "lxc.idmap.*$line|$line.*lxc.idmap" 'lxc.idmap = u 0 100000'
refused 'a type of network that is none' "lxc.net.0.type.*$line|$line.*lxc.net.0.type" \
	'lxc.net.0.type = carrier-pigeon'
refused 'an address that is none' "lxc.net.0.ipv4.address.*$line|$line.*lxc.net.0.ipv4.address" \
	'lxc.net.0.type = veth' 'lxc.net.0.ipv4.address = 10.0.0.300/24'
refused 'a limit that is none' "lxc.prlimit.nofile.*$line|$line.*lxc.prlimit.nofile" \
	'lxc.prlimit.nofile = many'
refused 'an unknown key, and names the nearest' "$line.*lxc.rootfs.paht.*lxc.rootfs.path" \
	'lxc.rootfs.paht = /x'
refused 'a line without "="' "$line" 'lxc.tty.max 4'
refused 'a file to include that is not there' "$TMP/no-include" "lxc.include = $TMP/no-include"
refused 'a file that includes itself' "include" "lxc.include = $P/$C/config"

make_container "$C"
fails_with 'a bad --define is refused, by its key' 1 'lxc.net.0.mtu' \
	lxc start -n "$C" -s lxc.net.0.mtu=big
fails_with 'an unknown --define is refused, and the nearest key named' 1 'lxc.tty.max' \
	lxc start -n "$C" -s lxc.tty.maxx=3
fails_with 'an option that does not exist is refused' 1 'no-such-option' \
	lxc start -n "$C" --no-such-option
fails_with 'a tool without a name says so' 1 'name' lxc start
is 'after all that the container is as it was' "$(state "$C")" STOPPED
ok 'and starts' lxc start -n "$C"

# ---- what is the case already, or is not

fails_with 'start says that it runs already' any "$C.* already running|$C.* runs already|$C.* is running" \
	lxc start -n "$C"
is 'and leaves it running' "$(state "$C")" RUNNING
lxc stop -k -n "$C"
fails_with 'stop of one that does not run says so, with status 2' 2 "$C.* not running" lxc stop -n "$C"
fails_with 'freeze too' 1 "$C.* not running" lxc freeze -n "$C"
fails_with 'attach too' 1 "$C.* not running" lxc attach -n "$C" -- true
fails_with 'console too' 1 "$C.* not running" lxc console -n "$C" -t 1
fails_with 'cgroup too' 1 "$C.* not running" lxc cgroup -n "$C" pids.max
absent="$C-absent.* (does not exist|doesn't exist|is not defined|no such|no configuration)|[Nn]o such container.*$C-absent"
for tool in 'start' 'stop' 'stop -k' 'destroy' 'info' 'freeze' 'attach' 'console -t 1'; do
	# shellcheck disable=SC2086
	set -- $tool
	fails_with "$tool of one that does not exist says so" any "$absent" \
		lxc "$@" -n "$C-absent"
done
not_ok 'and makes nothing' test -e "$P/$C-absent"

# ---- names

for name in ../esc a/b . .. 'sp ace' -dash '' "$(printf 'new\nline')" "$(printf 'be\033ll')"; do
	printable=$(printf %s "$name" | tr -c 'a-z./ -' '?')
	fails_with "create refuses the name '$printable'" 1 '[Nn]ame' \
		lxc create --name="$name" -f "$NET" -t none
	is '... and makes nothing' "$(find "$TMP" -maxdepth 2 \( -name '*esc*' -o -name 'b' -o -name '*ace*' \
		-o -name '*dash*' -o -name '*line*' -o -name '*ll*' \) ! -path "$TMP/mini*" | wc -l)" 0
done
long=$(printf '%0300d' 7)
fails_with 'create refuses a name of 300 characters' 1 '[Nn]ame' lxc create -n "$long" -f "$NET" -t none
for name in a.b A_1 1-2 x@y; do
	ok "create takes the name '$name'" lxc create -n "$C$name" -f "$NET" -t none
done

# ---- create

fails_with 'create refuses a template that is not there, by name' 1 'no-such-template' \
	lxc create -n "$C-t" -f "$NET" -t no-such-template
cat >"$TMP/failing" <<-'X'
	#!/bin/sh
	echo 'the template said why' >&2
	mkdir -p "${3#--rootfs=}/half"
	exit 3
X
chmod 755 "$TMP/failing"
fails_with 'create fails when the template fails, and passes its words' 1 'the template said why' \
	lxc create -n "$C-t" -f "$NET" -t "$TMP/failing"
like '... and says with which status it ended' "$err" "$C-t.*(status|code)[^0-9]*3"
nothing_left '... and leaves no half container' "$C-t" destroyed
cat >"$TMP/talking" <<'X'
#!/bin/sh
for n in 1 2 3 4 5 6 7 8; do echo "line $n" >&2; done
echo '  to mend it: do that' >&2
exit 3
X
chmod 755 "$TMP/talking"
fails_with 'the error has the last lines of a template that failed' 1 \
	'lxc-create: .*exit status 3: line 5; line 6; line 7; line 8$' lxc create -n "$C-t" -f "$NET" -t "$TMP/talking"
is '... after all of them, as they came' "$(printf '%s\n' "$err" | grep -c '^line ')" 8
like '... and what it says to mend it' "$(printf '%s\n' "$err" | tail -n 1)" '^  to mend it: do that$'
nothing_left 'nothing is left of it' "$C-t" destroyed

# ---- the list of templates

run lxc create --list
is 'create --list needs no name' "$status" 0
like '... and has each template' "$out" '^busybox +yes +- +A system container'
run env PATH=/nowhere "$(command -v lxc-create)" --list --json
like '... tells what this host has not' "$out" '"name": ?"debian".*"needs": ?\["debootstrap\|mmdebstrap"\], ?"missing": ?\[.*"ready": ?(true|false)'
printf '%s\n' "$out" >"$TMP/list"
ok '... in JSON' is_json "$TMP/list"
fails_with 'create still needs a name otherwise' 1 'No container name' lxc create -t busybox

fails_with 'create refuses a configuration that is not there' 1 "$TMP/no-config" \
	lxc create -n "$C-t" -f "$TMP/no-config" -t none
nothing_left '... and leaves nothing' "$C-t" destroyed

# ---- no privilege

nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
if ! nobody lxc-stop --version >/dev/null 2>&1; then
	skip 'strangers start and stop nothing' 'a stranger cannot reach these tools'
else
	chmod 755 "$TMP" "$P"
	fails_with 'a stranger may not start it' 1 "$C.*([Pp]ermission|privilege|[Aa]ccess|root)" \
		limit env HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups \
		lxc-start -P "$P" -n "$C"
	lxc start -n "$C"
	fails_with 'nor stop it' any '[Pp]ermission|privilege|[Aa]ccess|root|control' \
		limit env HOME=/nonexistent setpriv --reuid 65534 --regid 65534 --clear-groups \
		lxc-stop -k -P "$P" -n "$C"
	is '... which goes on running' "$(state "$C")" RUNNING
fi

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Hooks in Lua: at each moment, with what they are given, within their limits, and never outside the
# container's root.

. "${0%/*}/lib.sh"
libexec=$(cd "$(dirname "$(command -v lxc-start)")/../libexec/lxc" 2>/dev/null && pwd)
[ -x "$libexec/lxc-lua-hook" ] || skip_all 'it was built without Lua'
make_bridge

log=$TMP/moments
# hook NAME: what is read becomes the Lua file $TMP/NAME.lua.
hook() { cat >"$TMP/$1.lua"; }
fresh() { [ ! -d "$P/$C" ] || rm -rf "${P:?}/$C"; make_container "$C" "$@"; }
start() { run lxc start -n "$C"; }
stop() { lxc stop -k -n "$C"; }
# starts SENTENCE CONFIG-LINE...: a fresh container starts.
starts() {
	local what="$1"
	shift
	fresh "$@"
	start
	is "$what" "$status" 0
}

# ---- every moment, in its order

hook all <<X
local all = {}
for _, moment in ipairs {"pre_start", "pre_mount", "mount", "autodev", "start_host", "stop",
	"post_stop", "create", "destroy", "net_up", "net_down"} do
	all[moment] = function(c, ...)
		local f = assert(io.open("$log", "a"))
		f:write(table.concat({moment, c.moment, c.name, c.state, c.env "LXC_NAME", ...}, " "), "\n")
		f:close()
	end
end
-- Inside there is no host any more, and no Lua either.
function all.start(c, ...)
	assert(not io.open("$log"), "the host's files are in sight")
	c.rootfs.write("/run/start-hook", table.concat({c.moment, c.name, c.state, ...}, " "))
	c:exec {"/bin/sh", "-c", "readlink /proc/self/ns/mnt >/run/start-ns"}
end
return all
X
veth() { printf '%s\n' 'lxc.net.0.type = veth' "lxc.net.0.link = $BR"; }
starts 'a container with a module of lxc.hook.lua starts' "$(veth)" "lxc.hook.lua = $TMP/all.lua"
is 'its functions ran in the order of the moments' "$(cut -d' ' -f1 "$log" | tr '\n' ' ')" \
	'pre_start net_up pre_mount mount autodev start_host '
is '... each knows its moment, its container, its state, and gets the words that programs get' \
	"$(grep '^mount' "$log")" "mount mount $C STARTING $C $C lxc mount"
is '... one runs inside, where no Lua is' "$(cat "$P/$C/rootfs/run/start-hook" 2>/dev/null)" \
	"start $C STARTING $C lxc start"
is '... in the namespaces of the container' "$(cat "$P/$C/rootfs/run/start-ns" 2>/dev/null)" \
	"$(readlink "/proc/$(init_pid "$C")/ns/mnt")"
like '... that of the network gets type, bridge and device' "$(grep '^net_up' "$log")" \
	"^net_up net_up $C STARTING $C $C net up veth $BR [A-Za-z0-9_]+$"
: >"$log"
inside "$C" reboot -f >/dev/null 2>&1
ok 'a reboot runs them all again' eventually 5 grep -q start_host "$log"
is '... the last ones first' "$(cut -d' ' -f1 "$log" | head -n 3 | sort | tr '\n' ' ')" \
	'net_down post_stop stop '
eventually 5 state_is "$C" RUNNING
: >"$log"
stop
is 'at the stop those of the end' "$(cut -d' ' -f1 "$log" | sort | tr '\n' ' ')" 'net_down post_stop stop '
is '... post_stop last' "$(tail -n 1 "$log" | cut -d' ' -f1-4)" "post_stop post_stop $C STOPPED"
nothing_left '... and nothing is left' "$C"
: >"$log"
lxc destroy -n "$C"
is 'destroy runs before it is destroyed' "$(cut -d' ' -f1,4 "$log")" 'destroy STOPPED'
: >"$log"
printf '%s\n' "lxc.hook.lua = $TMP/all.lua" 'lxc.net.0.type = empty' >"$TMP/create.conf"
run lxc create -n "$C" -t busybox -f "$TMP/create.conf"
is 'create runs when it was made' "$status $(cut -d' ' -f1,4 "$log")" '0 create STOPPED'
lxc destroy -n "$C"

# ---- the other ways to name one

hook words <<X
local f = assert(io.open("$log", "a"))
f:write(c.moment, ":", table.concat({...}, ","), ":", table.concat(arg, ","), "\n")
f:close()
X
cp "$TMP/words.lua" "$TMP/words.txt"
: >"$log"
starts 'a value that names a .lua file, or says lua:, is Lua' \
	"lxc.hook.pre-start = $TMP/words.lua one 'two words'" "lxc.hook.pre-start = lua:$TMP/words.txt" \
	"lxc.hook.pre-start = /bin/sh -c 'echo program >>$log'"
is '... with the words that stand there and those of the moment, in the order of the file' "$(cat "$log")" \
	"pre_start:one,two words,$C,lxc,pre-start:one,two words,$C,lxc,pre-start
pre_start:$C,lxc,pre-start:$C,lxc,pre-start
program"
stop
: >"$log"
starts 'hook version 1 gives Lua no words of its own either' 'lxc.hook.version = 1' \
	"lxc.hook.pre-start = $TMP/words.lua one"
is '... only those that stand there' "$(cat "$log")" 'pre_start:one:one'
stop
hook chosen <<'X'
return {pre_start = function(c) c.config.set("lxc.uts.name", "chosen") end}
X
starts 'a file that returns functions by moment can be named for one moment' \
	"lxc.hook.pre-start = $TMP/chosen.lua"
is '... whose function runs' "$(inside "$C" hostname)" chosen
stop
mkdir -p "$TMP/rootless"
fresh 'lxc.hook.start = /etc/inside.lua'
echo 'c.rootfs.write("/run/by-lua", c.moment)' >"$P/$C/rootfs/etc/inside.lua"
start
is 'a start hook is a file of the container' "$status $(cat "$P/$C/rootfs/run/by-lua" 2>/dev/null)" '0 start'
stop

# ---- the configuration

hook config <<X
local log = assert(io.open("$log", "a"))
log:write(c.config.get "lxc.uts.name", " ", c.config:get("lxc.tty.max"), " ",
	tostring(c.config.get "lxc.console.path"), " ", #c.config.list("lxc.environment"), "\n")
X
: >"$log"
starts 'a hook reads the configuration' "lxc.hook.pre-start = $TMP/config.lua" 'lxc.environment = A=1' \
	'lxc.environment = B=2'
is '... single values and lists' "$(cat "$log")" "$C 4 nil 2"
stop
hook change <<'X'
c.config.set("lxc.uts.name", "other")
c.config.set("lxc.tty.max", 2)
c.config.append("lxc.environment", "NEW=1")
c.config.set("lxc.signal.stop", "SIGTERM")
c.config.unset("lxc.signal.stop")
X
starts 'a pre_start hook changes it' "lxc.hook.pre-start = $TMP/change.lua" 'lxc.environment = OLD=1'
is '... for this boot' "$(inside "$C" hostname) $(lxc info -n "$C" -c lxc.tty.max -H)" 'other 2'
is '... lists grow' "$(tr '\000' '\n' <"/proc/$(init_pid "$C")/environ" | grep -E '^(OLD|NEW)=' | tr '\n' ' ')" \
	'OLD=1 NEW=1 '
ok '... and not in the file' grep -q "lxc.uts.name = $C" "$P/$C/config"
boot_1=$(cat "$P/$C/rootfs/run/starts" | wc -l)
inside "$C" reboot -f >/dev/null 2>&1
more_starts() { [ "$(wc -l <"$P/$C/rootfs/run/starts")" -gt "$boot_1" ]; }
ok '... a reboot begins with what is written' eventually 5 more_starts
eventually 5 state_is "$C" RUNNING
is '... so nothing is added twice' \
	"$(tr '\000' '\n' <"/proc/$(init_pid "$C")/environ" | grep -cE '^NEW=')" 1
stop
# refused SENTENCE ERE MOMENT LUA [CONFIG-LINE...]: the hook ends the start with this error.
refused() {
	local what="$1" ere="$2" moment="$3"
	printf '%s\n' "$4" | hook refused
	shift 4
	fresh "lxc.hook.$moment = $TMP/refused.lua" "$@"
	fails_with "$what" 1 "$ere" lxc start -n "$C"
}
refused 'what is wrong with a value is told as for a file, with file and line of the hook' \
	'hook pre-start.*refused.lua:2: .*lxc.tty.max' pre-start '
c.config.set("lxc.tty.max", "many")'
refused 'an unknown key likewise' 'refused.lua:1: .*lxc.nothing' pre-start 'c.config.get "lxc.nothing"'
refused 'a change that contradicts the rest is found before the container is built' \
	'as a pre-start hook changed.*bridge "nowhere"' pre-start \
	'c.config.set("lxc.net.0.type", "veth") c.config.set("lxc.net.0.link", "nowhere")'
nothing_left '... and nothing is left' "$C"
refused 'what has had its effect cannot be changed any more' 'lxc.namespace.*effect already' pre-start \
	'c.config.set("lxc.namespace.clone", "net")'
refused 'a later hook may only read' 'mount hook may only read' mount 'c.config.set("lxc.uts.name", "x")'
hook kept <<'X'
return {create = function(c)
	c.config.set("lxc.uts.name", "kept")
	c.rootfs.write("/etc/created", c.moment)
end}
X
echo "lxc.hook.lua = $TMP/kept.lua" >>"$TMP/create.conf"
run lxc create -n "$C-two" -t busybox -f "$TMP/create.conf"
ok 'what a create hook changes is kept' grep -q '^lxc.uts.name = kept$' "$P/$C-two/config"
is '... and it can fill the root filesystem' "$(cat "$P/$C-two/rootfs/etc/created")" create
lxc destroy -n "$C-two"
echo 'lxc.fail("no more room in class")' | hook never
echo "lxc.hook.create = $TMP/never.lua" >>"$TMP/create.conf"
fails_with 'a create hook that fails makes no container' 1 'no more room in class' \
	lxc create -n "$C-two" -t busybox -f "$TMP/create.conf"
nothing_left '... and leaves nothing' "$C-two" destroyed

# ---- the root filesystem, and nothing else

hook files <<'X'
local r = c.rootfs
r.write("/etc/motd", "hello\n")
r.append("/etc/motd", "again\n")
r.mkdir("/srv/a/b")
r.symlink("../etc/motd", "/srv/motd")
r.chmod("/etc/motd", "0600")
r.chown("/etc/motd", 7, 8)
r.copy_in(arg[1], "/srv/a/host", "0640")
r.copy_in(arg[2], "/srv/tree")
assert(r.read("/srv/motd") == "hello\nagain\n")
assert(r.exists("/srv/a/b") and not r.exists("/srv/none"))
local st = r.stat("/etc/motd")
r.write("/etc/found", table.concat(r.glob("/s[qr]?/*"), " ") .. " " .. ("%o"):format(st.mode) .. " " .. st.type)
r.write("/srv/motd", "through the link\n")
r.remove("/srv/tree/sub", {recursive = true})
X
mkdir -p "$TMP/tree/sub/deep"
echo of the host >"$TMP/hostfile"
: >"$TMP/tree/leaf"
fresh "lxc.hook.pre-start = $TMP/files.lua $TMP/hostfile $TMP/tree"
mkdir "$P/$C/rootfs/srv"
start
is 'a hook reads and writes, copies and links in the root filesystem' "$status $(cat "$P/$C/rootfs/etc/found")" \
	'0 /srv/a /srv/motd /srv/tree 600 file'
is '... with owner and mode' "$(stat -c '%u:%g %a' "$P/$C/rootfs/etc/motd" "$P/$C/rootfs/srv/a/host" | tr '\n' ' ')" \
	'7:8 600 0:0 640 '
is '... through links as they are meant inside' "$(cat "$P/$C/rootfs/etc/motd")" 'through the link'
is '... a tree, and it removes one' "$(ls "$P/$C/rootfs/srv/tree")" leaf
stop
for moment in pre-start mount start-host; do
	for to in /etc/shadow ../../../../../../etc/shadow "$TMP/secret" /proc/1/root/etc/shadow; do
		echo secret >"$TMP/secret"
		hook reach <<-'X'
			print(c.rootfs.read("/trap"))
		X
		fresh "lxc.hook.$moment = $TMP/reach.lua"
		ln -s "$to" "$P/$C/rootfs/trap"
		[ "$moment" != start-host ] || rm -f "$P/$C/rootfs/etc/shadow"
		fails_with "a $moment hook that a link leads to $to gets an error" 1 \
			'reach.lua:1: cannot open "/trap" in the container' lxc start -n "$C"
	done
	hook plant <<-'X'
		c.rootfs.write(arg[1], "planted")
	X
	rm -f "$TMP/planted"
	fresh "lxc.hook.$moment = $TMP/plant.lua /link/planted"
	ln -s "$TMP" "$P/$C/rootfs/link"
	run lxc start -n "$C"
	not_ok "... nor does a $moment hook write outside" test -e "$TMP/planted"
	[ "$status" != 0 ] || stop
done
printf '%s\n' 'c.rootfs.write("/etc/owned", "x") c.rootfs.mkdir("/etc/dir/deep") c.rootfs.chown("/etc/owned", 3, 4)' | hook owned
mapped=100000
fresh "lxc.hook.pre-start = $TMP/owned.lua" "lxc.idmap = u 0 $mapped 65536" "lxc.idmap = g 0 $mapped 65536"
chown -R "$mapped:$mapped" "$P/$C/rootfs"
chmod 755 "$TMP" "$P" "$P/$C"
start
is 'in a container with its own ids they are meant' \
	"$status $(stat -c '%u:%g' "$P/$C/rootfs/etc/owned" "$P/$C/rootfs/etc/dir/deep" | tr '\n' ' ')" \
	"0 $((mapped + 3)):$((mapped + 4)) $mapped:$mapped "
stop

# ---- mounts, programs

for moment in pre-start mount autodev start-host; do
	hook mounts <<-'X'
		c:mount {source = arg[1], target = "/mnt", options = "ro"}
		c:mount {fstype = "tmpfs", target = "/srv/new", options = "create=dir,size=1M"}
	X
	starts "a $moment hook mounts" "lxc.hook.$moment = $TMP/mounts.lua $TMP/tree"
	is '... a directory of the host, and a filesystem' "$(inside "$C" sh -c 'ls /mnt; grep -c " /srv/new tmpfs" /proc/mounts; touch /mnt/x 2>&1')" \
		"leaf
sub
1
touch: /mnt/x: Read-only file system"
	unlike '... in the container alone' "$(cat /proc/self/mountinfo)" "$C/rootfs/mnt"
	stop
done
refused 'a mount on what is not there names it' 'cannot mount on "/nowhere".*No such file' mount \
	'c:mount {source = "/etc", target = "/nowhere"}'
like '... and says how to make it' "$err" 'create=dir'
hook programs <<X
local out = lxc.run {"cat", input = "to cat"}
local said, status = lxc.run {"sh", "-c", "echo said; exit 3", may_fail = true}
local f = assert(io.open("$log", "w"))
f:write(out, "|", said, status, "|", lxc.run {"printenv", "A", env = {A = "b"}}, tostring(c.pid), "\n")
X
starts 'a hook runs programs of the host' "lxc.hook.start-host = $TMP/programs.lua"
is '... without a shell, with input, environment and captured output' "$(cat "$log")" \
	"to cat|said
3|b
$(init_pid "$C")"
stop
refused 'a program that fails is an error with its words' \
	'refused.lua:1: "sh -c echo sad; exit 4" ended with exit status 4; it said: sad' pre-start \
	'lxc.run {"sh", "-c", "echo sad; exit 4"}'
refused 'one that is not there too' 'refused.lua:1: cannot run nosuchprogram' pre-start \
	'lxc.run {"nosuchprogram"}'
refused 'one that does not end is ended' 'refused.lua:1: .*did not end within 1 seconds' pre-start \
	'lxc.run {"sleep", "7", timeout = 1}'
refused 'nothing can be executed in a container that does not run yet' 'it is STARTING in a start-host hook' \
	start-host 'c:exec {"true"}'

# ---- failures tell file and line, and how it came there

hook deep <<'X'
local function inner(x)
	return x.nothing.at_all
end
local function outer()
	local y = inner({})
	return y
end
outer()
X
for moment in pre-start pre-mount mount autodev start-host; do
	fresh "lxc.hook.$moment = $TMP/deep.lua"
	fails_with "a $moment hook with a mistake ends the start, with file and line" 1 \
		"hook $moment \"$TMP/deep.lua\": deep.lua:2: attempt to index a nil value" lxc start -n "$C"
	like '... and the way that led there' "$err" 'in deep.lua:5, from deep.lua:8'
	nothing_left '... and nothing is left' "$C"
done
refused 'a file that is no Lua is told by its line' 'refused.lua:1: syntax error near' pre-start 'this is no Lua'
refused 'lxc.fail says why' 'refused.lua:1: the room is closed' pre-start \
	'lxc.fail("the room is closed", "open the door")'
like '... and how to mend it' "$err" 'to mend it: open the door'
refused 'compiled Lua is not taken' 'attempt to load a binary chunk' pre-start \
	'assert(load(string.dump(function() end)))'
fresh "lxc.hook.pre-start = $TMP/none.lua"
fails_with 'a file that is not there is told before anything is made' 1 \
	"cannot read the Lua hook \"$TMP/none.lua\" \\(lxc.hook.pre-start\\): No such file" lxc start -n "$C"
echo 'return {prestart = function() end}' | hook misspelt
fresh "lxc.hook.lua = $TMP/misspelt.lua"
fails_with 'a module with a function that is no moment is refused' 1 '"prestart", and there is no such moment' \
	lxc start -n "$C"
echo 'error("at the end")' | hook late
starts 'hooks of the end may fail' "lxc.hook.stop = $TMP/late.lua" "lxc.hook.post-stop = $TMP/late.lua" \
	"lxc.log.file = $TMP/late.log"
ok '... it stops all the same' stop
nothing_left '... and nothing is left' "$C"
ok '... the log tells it' grep -q 'hook post-stop ".*late.lua": late.lua:1: at the end' "$TMP/late.log"
echo 'lxc.fail("it is dear to me")' | hook dear
fresh "lxc.hook.destroy = $TMP/dear.lua"
fails_with 'a destroy hook that fails keeps the container' 1 'dear.lua:1: it is dear to me' lxc destroy -n "$C"
ok '... whole' test -f "$P/$C/config"
hook net <<'X'
return {net_up = function(c, ...) lxc.fail("no cable: " .. select(5, ...)) end}
X
fresh "$(veth)" "lxc.hook.lua = $TMP/net.lua"
fails_with 'a net_up that fails ends the start' 1 "network: hook net-up .*net.lua:1: no cable: $BR" lxc start -n "$C"
nothing_left '... and nothing is left' "$C"
cp "$TMP/words.lua" "$TMP/up.lua"
: >"$log"
starts 'script.up may name a Lua file' "$(veth)" "lxc.net.0.script.up = $TMP/up.lua wired"
like '... which gets the words of scripts' "$(cat "$log")" "^net_up:wired,$C,net,up,veth,$BR,"
stop
echo 'lxc.log("warn", "told") lxc.log("quiet")' | hook logs
starts 'lxc.log writes into the log' "lxc.hook.pre-start = $TMP/logs.lua" "lxc.log.file = $TMP/told.log" \
	'lxc.log.level = WARN'
like '... what its level lets through' "$(cat "$TMP/told.log")" 'WARN +hooks - pre-start: told'
unlike '... and no more' "$(cat "$TMP/told.log")" quiet
stop
echo 'return {double = function(x) return 2 * x end}' | hook library
echo 'c.config.set("lxc.tty.max", require("library").double(3))' | hook user
starts 'require finds Lua modules beside the hook' "lxc.hook.pre-start = $TMP/user.lua"
is '... which work' "$(lxc info -n "$C" -c lxc.tty.max -H)" 6
stop

# ---- limits

for moment in pre-start mount start-host; do
	echo 'while true do end' | hook endless
	fresh "lxc.hook.$moment = $TMP/endless.lua" 'lxc.hook.timeout = 1'
	fails_with "an endless $moment hook is ended and named" 1 \
		"endless.lua\": endless.lua:1: it did not end within 1 seconds" lxc start -n "$C"
	nothing_left '... and nothing is left' "$C"
done
like '... with the key that gives it more' "$err" 'lxc.hook.timeout = 2'
refused 'one that does not let itself be told is killed' 'did not end within 1 seconds and was killed' pre-start \
	'while true do pcall(function() while true do end end) end' 'lxc.hook.timeout = 1'
fresh 'lxc.hook.pre-start = sleep 30 #' 'lxc.hook.timeout = 1'
fails_with 'so is a program' 1 'did not end within 1 seconds' lxc start -n "$C"
refused 'a gigabyte of table ends at its limit' 'refused.lua:1: it needs more than the 64 MiB' pre-start \
	'local t = {} for i = 1, 1e9 do t[i] = i end'
like '... with the key that gives it more' "$err" 'lxc.hook.memory = 128M'
refused 'so does a gigabyte of string' 'refused.lua:1: it needs more than the 64 MiB' mount \
	'local s = ("x"):rep(1 << 30)'
refused 'the limit can be set' 'more than the 8 MiB' pre-start 'local s = ("x"):rep(9 << 20)' 'lxc.hook.memory = 8M'
echo 'for i = 1, 200 do local s = ("x"):rep(1 << 20) end' | hook garbage
starts 'what is given back does not count' "lxc.hook.pre-start = $TMP/garbage.lua"
stop
refused 'one that crashes is named' 'hook pre-start "/.*refused.lua" ended with killed by signal 11' pre-start \
	'lxc.run {"sh", "-c", "kill -SEGV $PPID", may_fail = true} lxc.sleep(5)'
nothing_left '... and nothing is left' "$C"
refused 'one that leaves with a status has failed' 'ended with exit status 9; it said: words' pre-start \
	'io.write("words") os.exit(9)'

done_testing

#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The module "lxc" for programs in plain lua5.4: a container's whole life, errors, events, fleets, and
# the names of the old binding.

. "${0%/*}/lib.sh"
need lua5.4
module=$(dirname "$(command -v lxc-start)")/../lib/lua/5.4
[ ! -e "$module/lxc.so" ] || export LUA_CPATH="$module/?.so;;"
lua5.4 -e 'require "lxc"' 2>/dev/null || skip_all 'it was built without Lua'
export P C TMP NET

# What every program here begins with.
cat >"$TMP/begin.lua" <<'X'
lxc = require "lxc"
P, C, TMP = os.getenv "P", os.getenv "C", os.getenv "TMP"
function equal(got, expected)
	if got ~= expected then
		error(("got %s, expected %s"):format(tostring(got), tostring(expected)), 2)
	end
end
function raises(pattern, f, ...)
	local ok, e = pcall(f, ...)
	assert(not ok, "nothing was raised")
	assert(tostring(e):find(pattern), "raised: " .. tostring(e))
	return e
end
c = lxc.open(C, P)
X
# lua SENTENCE: the program that is read runs to its end.
lua() {
	local what="$1"
	{ cat "$TMP/begin.lua" && cat; } >"$TMP/program.lua"
	ok "$what" limit lua5.4 "$TMP/program.lua"
}

# ---- a life

lua 'a container is made, configured, started, looked at, stopped and destroyed' <<'X'
local events = lxc.events {path = P, timeout = 5}
equal(c:is_defined(), false)
c:create {template = "busybox", config = os.getenv "NET", quiet = true}
assert(c:is_defined() and c:name() == C and c:path() == P and c:state() == "STOPPED")
c:set("lxc.environment", {"A=1", "B=2"}):set("lxc.uts.name", "fromlua"):save()
equal(c:get "lxc.environment", "A=1\nB=2")
equal(c:get "lxc.console.path", nil)
equal((c:check()), 0)
c:start()
equal(c:state(), "RUNNING")
assert(c:init_pid() > 1 and c:supervisor_pid() > 1)
equal(c:get("lxc.uts.name", {running = true}), "fromlua")
local r = c:attach {"sh", "-c", "hostname; cat; echo $X bad >&2; exit 3", capture = true, input = "in\n",
	env = {X = "y"}}
equal(r.out, "fromlua\nin\n")
equal(r.err, "y bad\n")
equal(r.status, 3)
equal(r.ok, false)
equal(#c:attach({"head", "-c", "300000", "/dev/zero", capture = true}).out, 300000)
c:freeze()
equal(c:state(), "FROZEN")
c:unfreeze()
assert(type(c:stats().pids) == "number")
equal(#c:interfaces(), 0)
equal(lxc.list(P)[1], C)
equal(lxc.list(P, "active")[1], C)
equal(lxc.summaries(P)[1].state, "RUNNING")
c:stop()
equal(c:state(), "STOPPED")
local seen = {}
for e in events do
	equal(e.path, P)
	seen[#seen + 1] = e.type == "state" and e.state or e.signal and "signal" .. e.signal
	if e.state == "STOPPED" then break end
end
local all = table.concat(seen, " ")
assert(all:find("^STARTING RUNNING.*STOPPING.*STOPPED$"), all)
assert(all:find("signal9"), all)
c:destroy()
equal(c:is_defined(), false)
X
nothing_left 'nothing is left' "$C" destroyed
make_container "$C"
lua 'a start may wait in the foreground, tell its times, be explained' <<'X'
equal(c:start {"/bin/sh", "-c", "exit 4", foreground = true}, 4)
local status, signal = c:start {"/bin/sh", "-c", "kill -9 $$; sleep 5", foreground = true, execute = true}
assert(status or signal)
local same, times = c:start {timing = true}
assert(same == c and #times > 10 and times[1].microseconds and times[1].door)
assert(#c:explain() > 10)
c:shutdown(10)
equal(c:state(), "STOPPED")
equal((c:last_exit()), 0)
X
lua 'a terminal of it is a file' <<'X'
c:start()
local tty, number, hold = c:open_tty(1)
equal(number, 1)
raises("in use", c.open_tty, c, 1)
tty:close()
hold:close()
c:stop()
X
lua 'copies and snapshots are made, listed, put back' <<'X'
local name, way = c:copy {name = C .. "-copy", settings = {"lxc.environment=COPIED=1"}}
equal(name, C .. "-copy")
assert(#way > 0)
local copy = lxc.open(name, P)
equal(copy:get "lxc.environment", "COPIED=1")
equal((copy:snapshot()), "snap0")
equal(copy:snapshots()[1].name, "snap0")
local function runs(...)
	copy:start()
	local ok = copy:attach({...}).ok
	copy:stop()
	return ok
end
assert(runs("touch", "/etc/added") and runs("test", "-e", "/etc/added"))
copy:restore("snap0")
assert(not runs("test", "-e", "/etc/added"))
copy:snapshot_destroy()
equal(#copy:snapshots(), 0)
copy:rename(C .. "-renamed")
equal(copy:name(), C .. "-renamed")
raises("the caller said so", c.copy, c, {name = C .. "-no", progress = function()
	error("the caller said so")
end})
equal(lxc.open(C .. "-no", P):is_defined(), false)
copy:destroy()
X

# ---- errors

lua 'an error is one of Lua, with the whole chain, what mends it, and its kind' <<'X'
local nobody = lxc.open(C .. "-nobody", P)
local e = raises("cannot start it: there is no such container", nobody.start, nobody)
assert(e.text:find(C .. "-nobody: ", 1, true) == 1, e.text)
assert(e.mend:find("lxc-create -n " .. C .. "-nobody -t", 1, true), e.mend)
equal(e.code, 2)
assert(tostring(e):find("\n  to mend it: "))
assert(("why: " .. e):find("^why: "))
raises("name.*begins with", lxc.open, "-x")
raises("lxc.nothing", c.get, c, "lxc.nothing")
raises("lxc.tty.max.*many", c.set, c, "lxc.tty.max", "many")
raises('no option "foregruond"', c.start, c, {foregruond = true})
raises("no state", c.wait, c, "DANCING")
raises("must be a whole number", c.start, c, {timeout = "soon"})
raises("is not running", c.attach, c, {"true"})
raises("not running", c.stop, c)
c:set("lxc.net.0.type", "veth"):set("lxc.net.0.link", "nowhere")
raises('network: bridge "nowhere" does not exist', c.start, c)
equal((c:check()), 1)
c:load()
c:close()
raises("closed", c.state, c)
X
lua 'a command that cannot be executed, or does not end, is one too' <<'X'
c:start()
raises("cannot execute.*nosuch", c.attach, c, {"nosuch", capture = true})
local before = os.time()
raises("did not end in time", c.attach, c, {"sleep", "30", capture = true, timeout = 1})
assert(os.time() - before < 15)
equal(raises(".", c.wait, c, "STOPPED", 0).code, 110)
c:stop()
X
lua 'a thousand rounds leak no descriptor, process or handle' <<'X'
local function count(dir)
	local n = 0
	for _ in io.popen("ls " .. dir):lines() do n = n + 1 end
	return n
end
local function memory()
	return tonumber(io.open("/proc/self/status"):read("a"):match("VmRSS:%s+(%d+)"))
end
local function round()
	local x <close> = lxc.open(C, P)
	local y = lxc.open(C .. "-nobody", P)
	x:state()
	x:get "lxc.uts.name"
	pcall(y.start, y)
	local e = lxc.events {path = P}
	e:next(0)
	if math.random() < 0.5 then e:close() end
end
for i = 1, 100 do round() end
collectgarbage()
local fds, kib = count "/proc/self/fd", memory()
for i = 1, 1000 do round() end
collectgarbage()
collectgarbage()
equal(count "/proc/self/fd", fds)
assert(memory() < kib + 4096, "memory grew from " .. kib .. " to " .. memory() .. " KiB")
X

# ---- fleets

for n in 1 2 3 4 5; do make_container "$C-f$n"; done
make_container "$C-broken" 'lxc.init.cmd = /nowhere/init'
lua 'a fleet is worked on side by side, each with its outcome' <<'X'
local names = lxc.list(P, C .. "-[fb]*")
equal(#names, 6)
local told = 0
local all, failed = lxc.fleet(names, function(name)
	local one = lxc.open(name, P)
	one:start()
	return one:attach({"hostname", capture = true}).out
end, {jobs = 3, progress = function(p) told = told + 1 end})
equal(failed, 1)
assert(told > 0)
for i, one in ipairs(all) do
	equal(one.name, names[i])
	if one.name == C .. "-broken" then
		assert(not one.ok and one.error.text:find("/nowhere/init"), tostring(one.error))
	else
		assert(one.ok and one.answer == one.name .. "\n")
	end
end
raises("enough", lxc.fleet, names, function() lxc.sleep(0.2) end, {jobs = 1, progress = function()
	error("enough")
end})
all, failed = lxc.fleet(names, function(name) error("not " .. name, 0) end)
equal(failed, 6)
equal(all[1].error.text, "not " .. names[1])
all, failed = lxc.fleet(lxc.list(P, C .. "-f*"), function(name) lxc.open(name, P):stop() end)
equal(failed, 0)
equal(#lxc.fleet({}, print), 0)
X

# ---- readiness

echo 'return c.rootfs.exists("/run/up")' >"$TMP/ready.lua"
make_container "$C" "lxc.hook.ready = $TMP/ready.lua"
lua 'a container is ready when its ready hook says so' <<'X'
c:start()
local e = raises("not ready after 1 s", c.wait_up, c, "ready", 1)
equal(e.code, 110)
c:attach {"touch", "/run/up"}
c:wait_up("ready", 10)
c:stop()
X
echo 'return {ready = function(c) lxc.fail("it never will") end}' >"$TMP/never.lua"
make_container "$C" "lxc.hook.lua = $TMP/never.lua"
fails_with 'lxc-start --wait=ready asks it too' 1 'never.lua:1: it never will' lxc start -n "$C" --wait=ready
lxc stop -k -n "$C"
cat >"$TMP/exec.lua" <<'X'
return {ready = function(c)
	assert(c.state == "RUNNING")
	assert(c:exec {"hostname"} == c.name .. "\n")
end}
X
make_container "$C" "lxc.hook.lua = $TMP/exec.lua"
ok '... and in it c:exec runs a command in the container' lxc start -n "$C" --wait=ready
lxc stop -k -n "$C"

# ---- the old binding's names, and manners

make_container "$C"
lua 'programs for the old binding work' <<'X'
local o = lxc.container_new(C, P)
assert(o:defined() and not o:running() and o:name() == C and o:state() == "STOPPED")
equal(o:get_config_path(), P)
equal(o:config_file_name(), P .. "/" .. C .. "/config")
equal(o:start(), true)
equal(o:running(), true)
assert(o:init_pid() > 1)
equal(o:wait("RUNNING", 5), true)
equal(o:freeze(), true)
equal(o:unfreeze(), true)
equal(o:attach("true"), true)
equal(o:attach("false"), false)
equal((o:get_interfaces()), "lo")
equal(lxc.cmd_get_config_item(C, "lxc.uts.name", P), C)
assert(o:stats_get({mem_used = 0, cpu_use_nanos = 0}).cpu_use_nanos >= 0)
equal(o:shutdown(10), true)
equal(o:stop(), false)
equal(select(2, o:stop()):match("not running"), "not running")
equal(o:set_config_item("lxc.uts.name", "older"), true)
equal(o:get_config_item "lxc.uts.name", "older")
equal(o:append_config_item("lxc.environment", "A=1"), true)
equal(o:append_config_item("lxc.environment", "B=2"), true)
equal(o:get_config_item("lxc.environment")["B=2"], true)
equal(o:clear_config_item "lxc.environment", true)
equal(o:get_config_item "lxc.environment", nil)
equal((o:set_config_item("lxc.tty.max", "many")), false)
equal(o:get_config_item "lxc.nothing", nil)
equal(o:save_config(), true)
equal(o:load_config(), true)
assert(o:get_keys("lxc.tty").max == "4")
equal(lxc.container_new("-bad"), nil)
equal((lxc.container_new(C .. "-none", P):start()), false)
equal(lxc.version_get(), lxc.version)
equal(lxc.default_config_path_get(), lxc.global "lxc.lxcpath")
assert(type(lxc.containers_configured(true)) == "table" and lxc.container:new(C, P):defined())
local copy = o:clone(C .. "-two")
assert(copy and copy:defined() and copy:rename(C .. "-three") and copy:destroy() and not copy:defined())
equal(o:destroy(), true)
X
nothing_left 'nothing is left' "$C" destroyed

done_testing

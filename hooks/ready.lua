-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- Has init started what it was to start?  Looked at by what init is: systemd is asked; OpenRC keeps
-- notes; sysvinit and busybox are ready when they have begun, and none of their start scripts runs any more.
--
--     lxc.hook.ready = LXCHOOKDIR/ready.lua
local starters = {rc = true, rcS = true, rcs = true, startpar = true, openrc = true}
local inits = {init = true, linuxrc = true, ["openrc-init"] = true}	-- which start something, always
local early = {sysinit = true, boot = true}	-- runlevels of OpenRC before the one that is wanted

local function comm(pid)
	return (lxc.read("/proc/" .. pid .. "/comm") or ""):match("[^\n]*")
end

-- The numbers of proc(5), of which the second, its name, may have anything in it.
local function stat(pid, number)
	local rest = (lxc.read("/proc/" .. pid .. "/stat") or ""):match(".*%) (.*)") or ""
	local at = 2
	for word in rest:gmatch("%S+") do
		at = at + 1
		if at == number then
			return tonumber(word)
		end
	end
end

-- A process that was forked and has not executed anything is not yet what it is going to be.
local function executed(pid)
	local flags = stat(pid, 9)
	return flags and flags & 0x40 == 0
end

local function children(pid)
	return (lxc.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch("%d+")
end

local function starter_runs(pid)
	for child in children(pid) do
		if starters[comm(child)] or executed(child) == false then
			return true
		end
	end
	return false
end

-- It has a child, or had one: children that have ended have left their page faults to it.
local function has_begun(pid)
	return not inits[comm(pid)] or children(pid)() ~= nil or (stat(pid, 11) or 0) > 0
end

if not executed(c.pid) then
	return false
elseif comm(c.pid) == "systemd" then
	local state = c:exec {"systemctl", "is-system-running", may_fail = true}
	return state:match("running") ~= nil or state:match("degraded") ~= nil
elseif c.rootfs.exists "/run/openrc" then
	return c.rootfs.exists "/run/openrc/softlevel" and #c.rootfs.glob "/run/openrc/starting/*" == 0 and
		not early[c.rootfs.read "/run/openrc/softlevel":match("[^\n]*")]
end
return has_begun(c.pid) and not starter_runs(c.pid)

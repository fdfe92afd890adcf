-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- Has init started what it was to start?  Looked at by what init is: systemd is asked; OpenRC keeps
-- notes; sysvinit and busybox are ready when none of their start scripts runs any more.
--
--     lxc.hook.ready = LXCHOOKDIR/ready.lua
local starters = {rc = true, rcS = true, rcs = true, startpar = true, openrc = true}

local function comm(pid)
	return (lxc.read("/proc/" .. pid .. "/comm") or ""):match("[^\n]*")
end

local function starter_runs(pid)
	for child in (lxc.read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch("%d+") do
		if starters[comm(child)] then
			return true
		end
	end
	return false
end

if comm(c.pid) == "systemd" then
	local state = c:exec {"systemctl", "is-system-running", may_fail = true}
	return state:match("running") ~= nil or state:match("degraded") ~= nil
elseif c.rootfs.exists "/run/openrc" then
	return c.rootfs.exists "/run/openrc/softlevel" and #c.rootfs.glob "/run/openrc/starting/*" == 0
end
return not starter_runs(c.pid)

-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- The GPU devices of the host, as they are there; or the devices that are named.
--
--     lxc.hook.pre-start = LXCHOOKDIR/gpu.lua [DEVICE...]
local find = {"find", may_fail = true}
table.move(#c.args > 0 and c.args or {"/dev/dri", "/dev/kfd", "/dev/nvidia0", "/dev/nvidiactl",
	"/dev/nvidia-uvm", "/dev/nvidia-modeset"}, 1, 16, 2, find)
table.move({"-type", "c"}, 1, 2, #find + 1, find)

local found = 0
for device in lxc.run(find):gmatch("(/dev/[^\n:]+)\n") do
	local major, minor = lxc.run({"stat", "-c", "%t %T", device}):match("(%x+) (%x+)")
	local rule = ("c %d:%d rwm"):format(tonumber(major, 16), tonumber(minor, 16))
	c.config.append("lxc.cgroup.devices.allow", rule)
	c.config.append("lxc.cgroup2.devices.allow", rule)
	c:mount {source = device, target = device, options = "bind,create=file"}
	found = found + 1
end
if found == 0 then
	lxc.fail("this host has none of the devices: " .. table.concat(find, " ", 2, #find - 2))
end

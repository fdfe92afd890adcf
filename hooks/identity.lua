-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- A clone is somebody of its own: host name, machine id, keys of its ssh server.
--
--     lxc.hook.clone = LXCHOOKDIR/identity.lua
local function write_name(c)
	local old, r = c.env "LXC_SRC_NAME", c.rootfs
	r.write("/etc/hostname", c.name .. "\n")
	if old and r.exists "/etc/hosts" then
		r.write("/etc/hosts", (r.read("/etc/hosts"):gsub("[%w%-]+", {[old] = c.name})))
	end
end

local function write_machine_id(c)
	local r, id = c.rootfs, lxc.read("/proc/sys/kernel/random/uuid"):gsub("[^%x]", "")
	if r.exists "/etc/machine-id" then
		r.write("/etc/machine-id", id .. "\n", "0444")
	end
	local other = r.stat("/var/lib/dbus/machine-id", true)
	if other and other.type == "file" then
		r.write("/var/lib/dbus/machine-id", id .. "\n", "0444")
	end
end

local function make_keys(c)
	for _, file in ipairs(c.rootfs.glob "/etc/ssh/ssh_host_*_key") do
		local new = os.tmpname()
		os.remove(new)
		lxc.run {"ssh-keygen", "-q", "-t", file:match("ssh_host_(.*)_key"), "-N", "", "-C",
			"root@" .. c.name, "-f", new}
		c.rootfs.copy_in(new, file, "0600")
		c.rootfs.copy_in(new .. ".pub", file .. ".pub", "0644")
		os.remove(new)
		os.remove(new .. ".pub")
	end
end

return {clone = function(c)
	write_name(c)
	write_machine_id(c)
	make_keys(c)
end}

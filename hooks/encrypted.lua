-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- A root filesystem that is encrypted with LUKS: opened before each start and closed after each stop.
-- What is mounted is seen in the container alone.
--
--     lxc.rootfs.path = dir:LXCPATH/NAME/rootfs          (empty)
--     lxc.hook.lua = LXCHOOKDIR/encrypted.lua
--
-- In the container's directory: rootfs.luks (an image, or a link to a device) and rootfs.key.
local function device(c)
	return "/dev/mapper/lxc-" .. c.name
end

local function close(c)
	lxc.run {"cryptsetup", "close", "lxc-" .. c.name, may_fail = true}
end

return {
	pre_start = function(c)
		close(c)
		lxc.run {"cryptsetup", "open", "--type", "luks", "--key-file", c.dir .. "/rootfs.key",
			c.dir .. "/rootfs.luks", "lxc-" .. c.name}
	end,
	pre_mount = function(c)
		local kind = lxc.run {"blkid", "-o", "value", "-s", "TYPE", device(c)}
		c:mount {source = device(c), target = "/", fstype = kind:match("%S+")}
	end,
	post_stop = close,
}

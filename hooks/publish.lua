-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- Ports of the host that lead to the container, for this boot: words as in lxc.net.0.publish.
--
--     lxc.hook.pre-start = LXCHOOKDIR/publish.lua tcp:8080:80 udp:5353:53
if #c.args == 0 then
	lxc.fail("it is not told which ports", "write words like tcp:8080:80 behind it")
end
for _, port in ipairs(c.args) do
	c.config.append("lxc.net.0.publish", port)
end

-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- Packages come into the container through the proxy that the host's apt uses, if it uses one.
--
--     lxc.hook.pre-start = LXCHOOKDIR/apt-proxy.lua [URL]
local file = "/etc/apt/apt.conf.d/95lxc-proxy"
local settings = lxc.run {"sh", "-c", "apt-config dump 2>/dev/null", may_fail = true}
local url = c.args[1] or settings:match('Acquire::http::Proxy "([^"]+)"') or c.env "http_proxy"

if not c.rootfs.exists "/etc/apt/apt.conf.d" then
	return
elseif url and url ~= "DIRECT" then
	c.rootfs.write(file, ('Acquire::http::Proxy "%s";\n'):format(url))
else
	c.rootfs.remove(file)
end

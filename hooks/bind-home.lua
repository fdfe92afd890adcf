-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- The home directory of a user of the host, at the same place in the container.
--
--     lxc.hook.pre-start = LXCHOOKDIR/bind-home.lua USER
local user = c.args[1] or lxc.fail("it is not told whose home", "write the user's name behind it")
local line = lxc.run {"getent", "passwd", user, may_fail = true}
local home = line:match("^[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:([^:]+):")
if not home then
	lxc.fail(('this host has no user "%s"'):format(user))
end
c:mount {source = home, target = home, options = "bind,create=dir"}

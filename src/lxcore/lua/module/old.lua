-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- The names that programs for the old binding use, with its manners: nothing is raised, a method
-- returns true, or false (nil where it would return a value) and then the text of the error. What
-- lxc.open() returns raises.
local lxc = ...

-- The first result, or 'otherwise' and why not.
local function try(otherwise, f, ...)
	local result = table.pack(pcall(f, ...))
	if result[1] then
		return table.unpack(result, 2, result.n)
	end
	return otherwise, tostring(result[2])
end

local function does(f)
	return function(...)
		local result, why = try(false, f, ...)
		if result == false then
			return false, why
		end
		return true
	end
end

local old = {}
old.__index = old

function old:__tostring()
	return "lxc container " .. (self.ctname or "?")
end

function old:name()
	return self.ctname
end

function old:config_file_name()
	return self.core:path() .. "/" .. self.ctname .. "/config"
end

function old:get_config_path()
	return self.core:path()
end

old.set_config_path = does(function(self, path)
	self.core = lxc.open(self.ctname, path)
end)

function old:defined()
	return self.core:is_defined()
end

function old:running()
	return self.core:state() ~= "STOPPED"
end

function old:state()
	return self.core:state()
end

function old:init_pid()
	return self.core:init_pid() or -1
end

old.create = does(function(self, template, ...)
	self.core:create {template = template, args = {...}}
end)

old.destroy = does(function(self)
	self.core:destroy()
end)

-- start([ "useinit" ], [WORD...])
old.start = does(function(self, ...)
	local how = {}
	for _, word in ipairs {...} do
		if word == "useinit" then
			how.execute = true
		else
			how[#how + 1] = word
		end
	end
	self.core:start(how)
end)

for _, name in ipairs {"stop", "freeze", "unfreeze"} do
	old[name] = does(function(self)
		self.core[name](self.core)
	end)
end

old.shutdown = does(function(self, timeout)
	if self:running() then
		self.core:shutdown(timeout or -1)
	end
end)

old.reboot = does(function(self)
	self.core:reboot(0)
end)

old.wait = does(function(self, states, timeout)
	self.core:wait(states, timeout or -1)
end)

old.rename = does(function(self, name)
	self.core:rename(name)
	self.ctname = name
end)

function old:clone(name, path)
	local made, why = try(nil, function()
		self.core:copy {name = name, path = path}
		return true
	end)
	return made and lxc.container_new(name, path or self.core:path()), why
end

function old:snapshot(comment_file)
	return try(nil, self.core.snapshot, self.core, {comment_file = comment_file})
end

-- ---- configuration ----

old.load_config = does(function(self, file)
	self.core:load(file)
end)

old.save_config = does(function(self, file)
	self.core:save(file)
end)

-- One value as it is, several as a list that knows each of them by itself, too.
function old:get_config_item(key)
	local value, why = try(nil, self.core.get, self.core, key)
	if not value or not value:find("\n") then
		return value, why
	end
	local list = {}
	for line in value:gmatch("[^\n]+") do
		list[#list + 1] = line
		list[line] = true
	end
	return list
end

old.set_config_item = does(function(self, key, value)
	self.core:set(key, value)
end)
old.append_config_item = old.set_config_item

old.clear_config_item = does(function(self, key)
	self.core:unset(key)
end)

-- Names below 'base' (without it) with their values.
function old:get_keys(base)
	local found, prefix = {}, base and base .. "." or ""
	for _, key in ipairs(lxc.keys()) do
		local name = key.name:gsub("%.$", "")
		if not key.unsupported and name:sub(1, #prefix) == prefix then
			found[name:sub(#prefix + 1)] = self:get_config_item(name) or ""
		end
	end
	return next(found) and found or nil
end

function old:get_cgroup_item(file)
	return try(nil, self.core.cgroup_get, self.core, file)
end

old.set_cgroup_item = does(function(self, file, value)
	self.core:cgroup_set(file, value)
end)

-- ---- inside ----

-- True when the command could be run and ended with 0.
function old:attach(...)
	if select("#", ...) == 0 then
		return nil
	end
	local result, why = try(nil, self.core.attach, self.core, {...})
	if not result then
		return false, why
	end
	return result.ok
end

function old:get_interfaces()
	local list, why = try(nil, self.core.interfaces, self.core)
	if not list then
		return nil, why
	end
	local names = {"lo"}
	for _, one in ipairs(list) do
		names[#names + 1] = one.name
	end
	return table.unpack(names)
end

function old:get_ips(interface, family)
	local list, why = try(nil, self.core.interfaces, self.core)
	if not list then
		return nil, why
	end
	local found = {}
	for _, one in ipairs(list) do
		for _, kind in ipairs {"ipv4", "ipv6"} do
			local wanted = not family or family == (kind == "ipv4" and "inet" or "inet6")
			if wanted and (not interface or interface == one.name) then
				table.move(one[kind], 1, #one[kind], #found + 1, found)
			end
		end
	end
	table.sort(found)
	return table.unpack(found)
end

-- Counters as numbers; what this host does not tell is 0.
function old:stats_get(total)
	local now = try({}, self.core.stats, self.core)
	local stat = {
		mem_used = now.memory or 0, memsw_used = (now.memory or 0) + (now.swap or 0),
		cpu_use_nanos = now.cpu_ns or 0, blkio = now.block_io or 0,
	}
	for name, value in pairs(total and stat or {}) do
		total[name] = (total[name] or 0) + value
	end
	return stat
end

-- ---- the module's own ----

function lxc.container_new(name, path)
	local core, why = try(nil, lxc.open, name, path)
	return core and setmetatable({ctname = name, core = core}, old), why
end

lxc.container = setmetatable({}, {__index = old})

function lxc.container:new(name, path)
	return lxc.container_new(name, path)
end

function lxc.stats_clear(stat)
	for _, name in ipairs {"mem_used", "memsw_used", "cpu_use_nanos", "blkio"} do
		stat[name] = 0
	end
end

local function names_or_containers(what)
	return function(names_only)
		local found = try({}, lxc.list, nil, what)
		for _, name in ipairs(found) do
			found[name] = names_only and true or lxc.container_new(name)
		end
		return found
	end
end

lxc.containers_configured = names_or_containers("defined")
lxc.containers_running = names_or_containers("active")

function lxc.version_get()
	return lxc.version
end

function lxc.default_config_path_get()
	return lxc.global("lxc.lxcpath")
end

function lxc.cmd_get_config_item(name, key, path)
	return try(nil, function()
		return lxc.open(name, path):get(key, {running = true})
	end)
end

function lxc.usleep(microseconds)
	lxc.sleep(microseconds / 1e6)
end

function lxc.dirname(path)
	local dir = path:gsub("/+$", ""):match("^(.*)/[^/]*$")
	return not dir and (path:match("^/") and "/" or ".") or dir == "" and "/" or (dir:gsub("/+$", ""))
end

function lxc.basename(path, suffix)
	local base = path:gsub("(.)/+$", "%1"):match("([^/]+)$") or "/"
	if suffix and base ~= suffix and base:sub(-#suffix) == suffix then
		base = base:sub(1, -#suffix - 1)
	end
	return base
end

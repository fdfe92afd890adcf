-- SPDX-License-Identifier: LGPL-2.1-or-later
--
-- What a hook finds: 'c', its container, and 'lxc'. 'host' has what C gives; the rest are the words
-- that the hook was given. The reference for users is doc/hooks.md.
local host, text = ...
local words = table.pack(select(3, ...))

local function fail(why, mend, code)
	return host.raise(why, mend, code)
end

-- Both c.config.get(KEY) and c.config:get(KEY).
local function methods(functions)
	local object = {}
	for name, f in pairs(functions) do
		object[name] = function(first, ...)
			if first == object then
				return f(...)
			end
			return f(first, ...)
		end
	end
	return object
end

local function lines(value)
	local list = {}
	for line in tostring(value):gmatch("[^\n]+") do
		list[#list + 1] = line
	end
	return list
end

-- ---- configuration ----

local function one_value(value)
	if value == true or value == false then
		return value and "1" or "0"
	elseif type(value) == "number" then
		return string.format(math.type(value) == "integer" and "%d" or "%g", value)
	elseif type(value) == "string" then
		return value
	end
	return fail("a value is a string, a number or a boolean, not a " .. type(value))
end

local config = methods {
	get = function(key)
		local value = host.ask("get", key)
		return value ~= "" and (value:gsub("\n$", "")) or nil
	end,
	list = function(key)
		return lines(host.ask("get", key))
	end,
	keys = function(prefix)
		return lines(host.ask("keys", prefix or ""))
	end,
	set = function(key, value)
		if type(value) == "table" then
			local all = {}
			for i, one in ipairs(value) do
				all[i] = one_value(one)
			end
			value = table.concat(all, "\n")
		end
		host.ask("set", key, one_value(value))
	end,
	append = function(key, value)
		host.ask("append", key, one_value(value))
	end,
	unset = function(key)
		host.ask("unset", key)
	end,
}

-- ---- root filesystem ----

local function mode_of(mode)
	if type(mode) == "string" then
		return tonumber(mode, 8) or fail('"' .. mode .. '" is no mode: write it in octal, "0644"')
	end
	return mode
end

local function make_dirs(path, mode)
	local above = path:match("^(.*[^/])/+[^/]+/*$")
	local there = host.stat(path)
	if there then
		return there.type == "directory" or
			fail('cannot make "' .. path .. '" in the container: a ' .. there.type .. " is there")
	end
	if above and not host.stat(above) then
		make_dirs(above)
	end
	host.mkdir(path, mode)
end

-- A glob of one name as a Lua pattern: *, ? and [...].
local function pattern_of(glob)
	local pattern, at = {"^"}, 1
	while at <= #glob do
		local set, one = glob:match("^%[[^%]]+%]", at), glob:sub(at, at)
		if set then
			pattern[#pattern + 1] = (set:gsub("%%", "%%%%"):gsub("^%[!", "[^"))
		else
			pattern[#pattern + 1] = one == "*" and ".*" or one == "?" and "." or
				(one:gsub("%p", "%%%0"))
		end
		at = at + #(set or one)
	end
	return table.concat(pattern) .. "$"
end

local function glob(pattern)
	local found = {""}
	for part in pattern:gmatch("[^/]+") do
		local next_found, matches = {}, pattern_of(part)
		for _, dir in ipairs(found) do
			if not part:find("[%*%?%[]") then
				if host.stat(dir .. "/" .. part, true) then
					next_found[#next_found + 1] = dir .. "/" .. part
				end
			else
				for _, name in ipairs(host.list(dir) or {}) do
					if name:find(matches) and (name:sub(1, 1) ~= "." or part:sub(1, 1) == ".") then
						next_found[#next_found + 1] = dir .. "/" .. name
					end
				end
			end
		end
		found = next_found
	end
	return found
end

local rootfs
rootfs = methods {
	read = host.read,
	write = function(path, data, mode)
		host.write(path, tostring(data), mode_of(mode))
	end,
	append = function(path, data)
		host.write(path, (host.stat(path) and host.read(path) or "") .. tostring(data))
	end,
	exists = function(path)
		return host.stat(path) ~= nil
	end,
	stat = host.stat,
	list = function(path)
		return host.list(path) or fail('"' .. path .. '" is no directory in the container')
	end,
	readlink = host.readlink,
	mkdir = function(path, mode)
		make_dirs(path, mode_of(mode))
	end,
	symlink = host.symlink,
	remove = function(path, how)
		return host.remove(path, type(how) == "table" and how.recursive)
	end,
	chmod = function(path, mode)
		host.chmod(path, mode_of(mode))
	end,
	chown = host.chown,
	glob = glob,
	copy_in = function(from, to, mode)
		host.copy_in(from, to, mode_of(mode))
	end,
}

-- ---- lxc ----

local lxc = {fail = fail, sleep = host.sleep, hookdir = host.hookdir}

function lxc.log(level, message)
	if message == nil then
		level, message = "INFO", level
	end
	host.ask("log", level, tostring(message))
end

function lxc.run(command)
	local output, status, signal = host.run(command)
	if status ~= 0 and not command.may_fail then
		local said = output:gsub("%s+$", ""):gsub("\n", " / "):sub(-300)
		fail(('"%s" ended with %s%s'):format(table.concat(command, " "),
			signal and "signal " .. signal or "exit status " .. status,
			said ~= "" and "; it said: " .. said or ""))
	end
	return output, status
end

-- A file of the host, or nil.
function lxc.read(path)
	return host.read_host(path)
end

-- ---- the container ----

local c = {
	name = host.name, path = host.path, dir = host.path .. "/" .. host.name, state = host.state,
	moment = (host.moment:gsub("-", "_")), root = host.root ~= "" and host.root or nil,
	pid = tonumber(host.pid) > 0 and tonumber(host.pid) or nil,
	config = config, rootfs = rootfs, args = {}, extra = {},
}
local own, fixed = tonumber(host.own), tonumber(host.fixed)
table.move(words, 1, own, 1, c.args)
table.move(words, own + fixed + 1, words.n, 1, c.extra)

function c.env(name)
	return os.getenv(name)
end

local function escaped(word)
	return (word:gsub("[ \t\\]", function(char)
		return ("\\%03o"):format(char:byte())
	end))
end

-- Before anything is there to be mounted on it is a line of the configuration of this boot.
local function mount_entry(m)
	local options = m.options or (m.fstype and "defaults" or "bind")
	local is_file = not m.fstype and not options:find("create=") and host.is_dir(m.source) == false
	if not options:find("create=") then
		options = options .. (is_file and ",create=file" or ",create=dir")
	end
	config.append("lxc.mount.entry", ("%s %s %s %s 0 0"):format(escaped(m.source or m.fstype),
		escaped((m.target:gsub("^/+", ""))), m.fstype or "none", options))
end

function c:mount(m)
	if type(m) ~= "table" or type(m.target) ~= "string" or not (m.source or m.fstype) then
		fail("c:mount wants a table with source (or fstype) and target")
	end
	for name in pairs(m) do
		if name ~= "source" and name ~= "target" and name ~= "fstype" and name ~= "options" then
			fail(('c:mount knows no "%s": source, target, fstype, options'):format(name))
		end
	end
	local options = m.options or (m.fstype and "defaults" or "bind")
	if not m.fstype and not options:find("bind") then
		options = "bind," .. options
	end
	local whole = {source = m.source, target = m.target, fstype = m.fstype, options = options}
	if host.moment == "pre-start" then
		return mount_entry(whole)
	elseif host.place == "host" and not c.pid then
		fail(("cannot mount anything in a %s hook: there is no container"):format(host.moment),
			"mount in pre_start, mount or ready")
	end
	return host.mount(whole)
end

function c:exec(command)
	if host.place == "inside" then
		return lxc.run(command)
	elseif host.state ~= "RUNNING" then
		fail(('cannot run "%s" in the container: it is %s in a %s hook'):format(command[1],
			host.state, host.moment), "use the moment 'ready', or lxc.run on the host")
	end
	local attach = {host.bindir .. "/lxc-attach", "-P", host.path, "-n", host.name, "--"}
	for _, word in ipairs(command) do
		attach[#attach + 1] = word
	end
	for _, name in ipairs {"timeout", "input", "env", "may_fail"} do
		attach[name] = command[name]
	end
	return lxc.run(attach)
end

-- ---- the hook ----

local function load_text(source, name)
	local chunk, why = load((source:gsub("^#[^\n]*", "")), "@" .. name:match("[^/]+$"), "t")
	return chunk or fail(why)
end

-- Lua modules alone: of the hook's own directory, ours, and the system's.
local loaded = {}
local places = {host.script:match("^(.*/)") or "./", host.hookdir .. "/",
	"/usr/local/share/lua/5.4/", "/usr/share/lua/5.4/"}

function require(name)
	if loaded[name] ~= nil then
		return loaded[name]
	end
	for _, place in ipairs(places) do
		for _, ending in ipairs {".lua", "/init.lua"} do
			local file = place .. name:gsub("%.", "/") .. ending
			local source = host.read_host(file)
			if source then
				local result = load_text(source, file)(name, file)
				loaded[name] = result == nil and true or result
				return loaded[name]
			end
		end
	end
	return fail(('there is no Lua module "%s" in %s'):format(name, table.concat(places, ", ")))
end

-- Compiled Lua can do what it likes to the one who runs it.
local load_any = load
function load(chunk, name, _, ...)
	return load_any(chunk, name, "t", ...)
end
loadfile, dofile = nil, nil

_G.c, _G.lxc, _G.arg = c, lxc, words

local function report_moments(module)
	local known = {}
	for name, value in pairs(module) do
		if type(name) == "string" and type(value) == "function" then
			known[#known + 1] = name
		end
	end
	host.ask("has", table.unpack(known))
end

local made = load_text(text, host.script)(table.unpack(words, 1, words.n))
if host.module == "1" then
	if type(made) ~= "table" then
		fail("it returns no table of functions by moment", "return {pre_start = function(c) ... end}")
	end
	report_moments(made)
end
local answer = made
if type(made) == "function" then
	answer = made(c, table.unpack(words, 1, words.n))
elseif type(made) == "table" and type(made[c.moment]) == "function" then
	answer = made[c.moment](c, table.unpack(words, 1, words.n))
elseif type(made) == "table" and host.module ~= "1" then
	fail(('it has no function for the moment "%s"'):format(c.moment))
end
-- A container that is not ready yet is asked again.
if c.moment == "ready" and answer == false then
	fail("it is not ready yet", nil, 11)
end

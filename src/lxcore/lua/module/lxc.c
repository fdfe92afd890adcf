/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': where it begins. */
#include "module.h"
#include "old.h"

/* Keeps what C defines and adds the names of the old binding (old.lua). */
static void add_old_names(lua_State *L)
{
	if (luaL_loadbufferx(L, old_names, strlen(old_names), "=lxc", "t") != LUA_OK)
		lua_error(L);
	lua_pushvalue(L, -2);
	lua_call(L, 1, 0);
}

LXCORE_API int luaopen_lxc(lua_State *L);
LXCORE_API int luaopen_lxc(lua_State *L)
{
	luaL_checkversion(L);
	lua_newtable(L);
	module_make_types(L);
	lua_setfield(L, -2, "open");
	luaL_setfuncs(L, module_disk_functions, 0);
	luaL_setfuncs(L, module_event_functions, 0);
	luaL_setfuncs(L, module_fleet_functions, 0);
	lua_newtable(L);
	luaL_setfuncs(L, module_net_functions, 0);
	lua_setfield(L, -2, "net");
	module_set_string(L, "version", lxcore_version());
	add_old_names(L);
	return 1;
}

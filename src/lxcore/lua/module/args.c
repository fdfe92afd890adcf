/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': errors, arguments and results between Lua and C. */
#include "module.h"

#include <stdlib.h>
#include <sys/wait.h>

#define ERROR_TYPE "lxc.error"
#define HOLDER_TYPE "lxc.error.holder"

/* ---- errors ---- */

static int free_error(lua_State *L)
{
	lxcore_error **holder = lua_touserdata(L, 1);

	lxcore_error_free(*holder);
	*holder = NULL;
	return 0;
}

lxcore_error *module_error(lua_State *L)
{
	lxcore_error **holder = lua_newuserdatauv(L, sizeof(*holder), 0);

	*holder = NULL;
	if (luaL_newmetatable(L, HOLDER_TYPE)) {
		lua_pushcfunction(L, free_error);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	*holder = lxcore_error_new();
	return *holder ? *holder : (luaL_error(L, "out of memory"), NULL);
}

/* As a person would read it on a terminal. */
static int show_error(lua_State *L)
{
	lua_getfield(L, 1, "text");
	lua_getfield(L, 1, "mend");
	if (!lua_isnil(L, -1)) {
		lua_pushliteral(L, "\n  to mend it: ");
		lua_insert(L, -2);
		lua_concat(L, 3);
	} else {
		lua_pop(L, 1);
	}
	return 1;
}

static int join_error(lua_State *L)
{
	luaL_tolstring(L, 1, NULL);
	luaL_tolstring(L, 2, NULL);
	lua_concat(L, 2);
	return 1;
}

void module_push_error(lua_State *L, const lxcore_error *err)
{
	if (!err) {
		lua_pushnil(L);
		return;
	}
	lua_createtable(L, 0, 3);
	module_set_string(L, "text", lxcore_error_text(err));
	if (*lxcore_error_mend(err))
		module_set_string(L, "mend", lxcore_error_mend(err));
	module_set_integer(L, "code", lxcore_error_code(err));
	if (luaL_newmetatable(L, ERROR_TYPE)) {
		lua_pushcfunction(L, show_error);
		lua_setfield(L, -2, "__tostring");
		lua_pushcfunction(L, join_error);
		lua_setfield(L, -2, "__concat");
	}
	lua_setmetatable(L, -2);
}

int module_raise(lua_State *L, const lxcore_error *err)
{
	module_push_error(L, err);
	return lua_error(L);
}

/* ---- arguments ---- */

static bool is_known(const char *name, const char *const *known)
{
	for (; *known; known++)
		if (strcmp(*known, name) == 0)
			return true;
	return false;
}

void module_check_options(lua_State *L, int index, const char *const *known)
{
	if (lua_isnoneornil(L, index)) {
		lua_settop(L, index - 1);
		lua_newtable(L);
		return;
	}
	luaL_checktype(L, index, LUA_TTABLE);
	for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
		if (lua_type(L, -2) == LUA_TSTRING && !is_known(lua_tostring(L, -2), known))
			luaL_error(L, "there is no option \"%s\"", lua_tostring(L, -2));
}

/* What is pushed stays on the stack, so the string lives as long as the caller needs it. */
const char *module_string(lua_State *L, int index, const char *name, const char *otherwise)
{
	luaL_checkstack(L, 4, NULL);
	lua_getfield(L, index, name);
	if (lua_isnil(L, -1))
		return otherwise;
	if (!lua_isstring(L, -1))
		luaL_error(L, "option \"%s\" must be a string", name);
	return lua_tostring(L, -1);
}

lua_Integer module_integer(lua_State *L, int index, const char *name, lua_Integer otherwise)
{
	int is_one = 1;
	lua_Integer value = otherwise;

	lua_getfield(L, index, name);
	if (!lua_isnil(L, -1))
		value = lua_tointegerx(L, -1, &is_one);
	lua_pop(L, 1);
	if (!is_one)
		luaL_error(L, "option \"%s\" must be a whole number", name);
	return value;
}

bool module_flag(lua_State *L, int index, const char *name)
{
	bool value;

	lua_getfield(L, index, name);
	value = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return value;
}

const char **module_vector(lua_State *L, int index, const char *name)
{
	const char **vector;
	lua_Integer n;
	int list;

	luaL_checkstack(L, 6, NULL);
	if (name)
		lua_getfield(L, index, name);
	else
		lua_pushvalue(L, index);
	if (lua_isnil(L, -1))
		return NULL;
	if (!lua_istable(L, -1))
		luaL_error(L, "option \"%s\" must be a list of strings", name ? name : "command");
	list = lua_gettop(L);
	n = luaL_len(L, list);
	if (!n && !name)
		return NULL;
	vector = lua_newuserdatauv(L, sizeof(*vector) * (size_t)(n + 1), 1);
	vector[n] = NULL;
	/* Numbers become new strings, which must be held too. */
	lua_createtable(L, (int)n, 0);
	for (lua_Integer i = 0; i < n; i++) {
		lua_geti(L, list, i + 1);
		if (!lua_isstring(L, -1))
			luaL_error(L, "item %d of %s must be a string", (int)i + 1,
				   name ? name : "the command");
		vector[i] = lua_tostring(L, -1);
		lua_seti(L, -2, i + 1);
	}
	lua_setiuservalue(L, -2, 1);
	return vector;
}

/* ---- results ---- */

void module_set_string(lua_State *L, const char *name, const char *value)
{
	lua_pushstring(L, value);
	lua_setfield(L, -2, name);
}

void module_set_integer(lua_State *L, const char *name, lua_Integer value)
{
	lua_pushinteger(L, value);
	lua_setfield(L, -2, name);
}

void module_set_flag(lua_State *L, const char *name, bool value)
{
	lua_pushboolean(L, value);
	lua_setfield(L, -2, name);
}

void module_push_list(lua_State *L, const char *const *list)
{
	lua_newtable(L);
	for (lua_Integer i = 0; list && list[i]; i++) {
		lua_pushstring(L, list[i]);
		lua_seti(L, -2, i + 1);
	}
}

int module_push_status(lua_State *L, int status)
{
	if (WIFEXITED(status)) {
		lua_pushinteger(L, WEXITSTATUS(status));
		return 1;
	}
	lua_pushnil(L);
	lua_pushinteger(L, WTERMSIG(status));
	return 2;
}

void module_push_text(lua_State *L, char *text)
{
	lua_pushstring(L, text);
	free(text);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Errors of a hook: what Lua raises and what we raise become one table with text, mend and code, whose
 * text begins with file and line and ends with the way that led there.
 */
#include "hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_LEVELS 6

int hook_raise(lua_State *L, const struct error *err)
{
	lua_createtable(L, 0, 3);
	lua_pushstring(L, err->text);
	lua_setfield(L, -2, "text");
	lua_pushstring(L, err->mend);
	lua_setfield(L, -2, "mend");
	lua_pushinteger(L, err->code);
	lua_setfield(L, -2, "code");
	luaL_setmetatable(L, "lxc.error");
	return lua_error(L);
}

/* Lines of the prelude and of C are not the user's. */
static bool is_users(const lua_Debug *ar)
{
	return ar->currentline > 0 && ar->source[0] == '@';
}

/* Allocates nothing: it is also asked when there is no memory left. */
void hook_where(lua_State *L, char *ret, size_t room)
{
	lua_Debug ar;

	*ret = '\0';
	for (int level = 0; lua_getstack(L, level, &ar); level++) {
		lua_getinfo(L, "Sl", &ar);
		if (!is_users(&ar))
			continue;
		snprintf(ret, room, "%s:%d", ar.short_src, ar.currentline);
		return;
	}
}

static void add_way(lua_State *L, luaL_Buffer *b)
{
	lua_Debug ar;
	int shown = 0;

	for (int level = 1; lua_getstack(L, level, &ar) && shown < SHOWN_LEVELS; level++) {
		lua_getinfo(L, "Sln", &ar);
		if (!is_users(&ar))
			continue;
		if (shown)
			luaL_addstring(b, shown == 1 ? " (in " : ", from ");
		if (shown) {
			lua_pushfstring(L, "%s:%d", ar.short_src, ar.currentline);
			luaL_addvalue(b);
		}
		shown++;
	}
	if (shown > 1)
		luaL_addstring(b, ")");
}

static bool starts_with_place(const char *text)
{
	const char *colon = strchr(text, ':');

	return colon && colon[1] >= '0' && colon[1] <= '9';
}

int hook_handle(lua_State *L)
{
	char where[160];
	const char *text;
	luaL_Buffer b;

	if (!lua_istable(L, 1)) {
		lua_createtable(L, 0, 3);
		luaL_tolstring(L, 1, NULL);
		lua_setfield(L, 2, "text");
		lua_pushinteger(L, ECANCELED);
		lua_setfield(L, 2, "code");
		lua_replace(L, 1);
	}
	lua_getfield(L, 1, "text");
	text = lua_tostring(L, 2) ? lua_tostring(L, 2) : "it failed";
	hook_where(L, where, sizeof(where));
	luaL_buffinit(L, &b);
	if (*where && !starts_with_place(text)) {
		luaL_addstring(&b, where);
		luaL_addstring(&b, ": ");
	}
	/* An error is one line. */
	for (const char *at = text; *at; at++)
		luaL_addchar(&b, (unsigned char)*at < 0x20 ? ' ' : *at);
	add_way(L, &b);
	luaL_pushresult(&b);
	lua_setfield(L, 1, "text");
	lua_pushvalue(L, 1);
	return 1;
}

static int error_text(lua_State *L)
{
	lua_getfield(L, 1, "text");
	return 1;
}

void hook_make_error_type(lua_State *L)
{
	luaL_newmetatable(L, "lxc.error");
	lua_pushcfunction(L, error_text);
	lua_setfield(L, -2, "__tostring");
	lua_pop(L, 1);
}

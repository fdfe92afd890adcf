/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The module 'lxc' for programs in Lua 5.4: what its files share.
 *
 * It is a client of liblxcore like any other and knows lxcore.h alone.  An error of Lua leaves a C
 * function without a word, so what a function holds while it may be left lies in Lua: arrays of
 * arguments in userdata, handles in objects with __gc.  What the library hands out is copied and given
 * back before anything is raised.
 */
#ifndef LXCORE_LUA_MODULE_H
#define LXCORE_LUA_MODULE_H

#include "lxcore.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <string.h>

/* ---- args.c: errors and arguments ---- */

/* An error to be filled, which Lua gives back; it stands on the stack. */
lxcore_error *module_error(lua_State *L);
/* Raise what is in it: a table with text, mend and code, which shows itself as text. */
int module_raise(lua_State *L, const lxcore_error *err);
/* Push such a table, or nil for NULL. */
void module_push_error(lua_State *L, const lxcore_error *err);
/* Argument 'index' is a table of options, or none (then it becomes an empty one), and has no named
 * field but these. */
void module_check_options(lua_State *L, int index, const char *const *known);
const char *module_string(lua_State *L, int index, const char *name, const char *otherwise);
lua_Integer module_integer(lua_State *L, int index, const char *name, lua_Integer otherwise);
bool module_flag(lua_State *L, int index, const char *name);
/* The list at field 'name' (NULL: of the table itself) as a vector ended by NULL, which lives as long
 * as the stack; NULL when there is none. */
const char **module_vector(lua_State *L, int index, const char *name);
/* Push a list of strings ended by NULL. */
void module_push_list(lua_State *L, const char *const *list);
/* Push a wait status: exit status, or nil and the signal. */
int module_push_status(lua_State *L, int status);
/* Push a string of malloc(3), or nil, and free it. */
void module_push_text(lua_State *L, char *text);
/* Set a field of the table on top. */
void module_set_string(lua_State *L, const char *name, const char *value);
void module_set_integer(lua_State *L, const char *name, lua_Integer value);
void module_set_flag(lua_State *L, const char *name, bool value);

/* ---- container.c ---- */

lxcore_container *module_container(lua_State *L, int index);
void module_push_interfaces(lua_State *L, const struct lxcore_interface *list, int n);

extern const luaL_Reg module_container_functions[], module_inside_functions[],
	module_disk_methods[], module_copy_methods[];
extern const luaL_Reg module_disk_functions[], module_event_functions[], module_fleet_functions[],
	module_net_functions[];
void module_make_types(lua_State *L);
void module_make_event_type(lua_State *L);

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': events of containers, as an object that a 'for' can go through. */
#include "module.h"

#include <sys/wait.h>

#define TYPE "lxc.events"

struct events {
	lxcore_monitor *m;
	int timeout_ms; /* of the iteration; -1: it never ends */
};

/* events{path =, paths =, timeout = SECONDS} */
static int open_events(lua_State *L)
{
	static const char *const options[] = {"path", "paths", "timeout", NULL};
	const char *one[2] = {NULL, NULL}, **paths;
	lxcore_error *err;
	struct events *e;

	module_check_options(L, 1, options);
	one[0] = module_string(L, 1, "path", NULL);
	paths = module_vector(L, 1, "paths");
	err = module_error(L);
	e = lua_newuserdatauv(L, sizeof(*e), 0);
	e->m = NULL;
	luaL_setmetatable(L, TYPE);
	lua_getfield(L, 1, "timeout");
	e->timeout_ms = lua_isnil(L, -1) ? -1 : (int)(luaL_checknumber(L, -1) * 1000);
	lua_pop(L, 1);
	e->m = lxcore_monitor_open(paths ? paths : one[0] ? one : NULL, err);
	return e->m ? 1 : module_raise(L, err);
}

static struct events *check_events(lua_State *L)
{
	struct events *e = luaL_checkudata(L, 1, TYPE);

	if (!e->m)
		luaL_error(L, "these events are closed");
	return e;
}

static int close_events(lua_State *L)
{
	struct events *e = luaL_checkudata(L, 1, TYPE);

	if (e->m)
		lxcore_monitor_close(e->m);
	e->m = NULL;
	return 0;
}

static void set_seconds(lua_State *L, int ms)
{
	lua_pushnumber(L, ms / 1000.0);
	lua_setfield(L, -2, "delay");
}

static int next_within(lua_State *L, struct events *e, int timeout_ms)
{
	lxcore_error *err = module_error(L);
	struct lxcore_event event;
	int n = lxcore_monitor_next(e->m, timeout_ms, &event, err);

	if (n < 0)
		return module_raise(L, err);
	if (n == 0)
		return 0;
	lua_createtable(L, 0, 5);
	module_set_string(L, "path", event.lxcpath);
	module_set_string(L, "name", event.name);
	module_set_string(L, "type", lxcore_event_name(event.type));
	if (event.detail)
		module_set_string(L, "detail", event.detail);
	if (event.type == LXCORE_EVENT_STATE)
		module_set_string(L, "state", lxcore_state_name(event.state));
	else if (event.type == LXCORE_EVENT_RESTART)
		set_seconds(L, event.delay_ms);
	else if (event.type == LXCORE_EVENT_OOM)
		module_set_integer(L, "oom_kills", event.oom_kills);
	else if (event.type != LXCORE_EVENT_EXIT)
		return 1;
	else if (WIFEXITED(event.status))
		module_set_integer(L, "status", WEXITSTATUS(event.status));
	else
		module_set_integer(L, "signal", WTERMSIG(event.status));
	return 1;
}

/* next([SECONDS]): an event, or nil when none came */
static int next_event(lua_State *L)
{
	struct events *e = check_events(L);
	lua_Number seconds = luaL_optnumber(L, 2, -1);

	return next_within(L, e, seconds < 0 ? -1 : (int)(seconds * 1000));
}

static int iterate(lua_State *L)
{
	struct events *e = check_events(L);

	return next_within(L, e, e->timeout_ms);
}

static int events_fd(lua_State *L)
{
	lua_pushinteger(L, lxcore_monitor_fd(check_events(L)->m));
	return 1;
}

const luaL_Reg module_event_functions[] = {{"events", open_events}, {NULL, NULL}};

void module_make_event_type(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"next", next_event}, {"fd", events_fd}, {"close", close_events},
		{"__gc", close_events}, {"__close", close_events}, {"__call", iterate}, {NULL, NULL},
	};

	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

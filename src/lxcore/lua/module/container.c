/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': a container's configuration, state, start and stop. */
#include "module.h"

#include <stdlib.h>

#define TYPE "lxc.container.handle"

struct handle {
	lxcore_container *c;
};

lxcore_container *module_container(lua_State *L, int index)
{
	struct handle *h = luaL_checkudata(L, index, TYPE);

	if (!h->c)
		luaL_error(L, "this container handle is closed");
	return h->c;
}

/* open(NAME[, PATH]) */
static int open_container(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1), *path = luaL_optstring(L, 2, NULL);
	lxcore_error *err = module_error(L);
	struct handle *h = lua_newuserdatauv(L, sizeof(*h), 0);

	h->c = NULL;
	luaL_setmetatable(L, TYPE);
	h->c = lxcore_open(path, name, err);
	return h->c ? 1 : module_raise(L, err);
}

static int close_container(lua_State *L)
{
	struct handle *h = luaL_checkudata(L, 1, TYPE);

	lxcore_close(h->c);
	h->c = NULL;
	return 0;
}

static int show_container(lua_State *L)
{
	struct handle *h = luaL_checkudata(L, 1, TYPE);

	lua_pushfstring(L, "lxc container %s", h->c ? lxcore_name(h->c) : "(closed)");
	return 1;
}

static int get_name(lua_State *L)
{
	lua_pushstring(L, lxcore_name(module_container(L, 1)));
	return 1;
}

static int get_path(lua_State *L)
{
	lua_pushstring(L, lxcore_path(module_container(L, 1)));
	return 1;
}

static int is_defined(lua_State *L)
{
	lua_pushboolean(L, lxcore_is_defined(module_container(L, 1)));
	return 1;
}

/* ---- configuration ---- */

/* Those that return nothing but success: the object itself, so that calls can be chained. */
static int done(lua_State *L, int result, const lxcore_error *err)
{
	if (result < 0)
		return module_raise(L, err);
	lua_settop(L, 1);
	return 1;
}

static int load_config(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *file = luaL_optstring(L, 2, NULL);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_load(c, file, err), err);
}

static int save_config(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *file = luaL_optstring(L, 2, NULL);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_save(c, file, err), err);
}

static const char *value_of(lua_State *L, int index)
{
	if (lua_isboolean(L, index))
		return lua_toboolean(L, index) ? "1" : "0";
	return luaL_checkstring(L, index);
}

static int define(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *key = luaL_checkstring(L, 2), *value = value_of(L, 3);
	const char *origin = luaL_optstring(L, 4, NULL);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_define(c, key, value, origin, err), err);
}

/* set(KEY, VALUE): a list takes the place of all lines of its key. */
static int set(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *key = luaL_checkstring(L, 2);
	bool list = lua_istable(L, 3);
	const char **values = list ? module_vector(L, 3, NULL) : NULL;
	const char *value = list ? "" : value_of(L, 3);
	lxcore_error *err = module_error(L);
	int result = list ? lxcore_unset(c, key, err) : lxcore_set(c, key, value, err);

	for (size_t i = 0; result == 0 && values && values[i]; i++)
		result = lxcore_set(c, key, values[i], err);
	return done(L, result, err);
}

static int unset(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *key = luaL_checkstring(L, 2);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_unset(c, key, err), err);
}

/* get(KEY[, {running = true}]): text, or nil when it is not set */
static int get(lua_State *L)
{
	static const char *const options[] = {"running", NULL};
	lxcore_container *c = module_container(L, 1);
	const char *key = luaL_checkstring(L, 2);
	lxcore_error *err;
	char *value = NULL;
	bool running;
	size_t n;

	module_check_options(L, 3, options);
	running = module_flag(L, 3, "running");
	err = module_error(L);
	if (lxcore_get(c, key, running, &value, err) < 0)
		return module_raise(L, err);
	n = strlen(value);
	if (n && value[n - 1] == '\n')
		n--;
	if (n)
		lua_pushlstring(L, value, n);
	else
		lua_pushnil(L);
	free(value);
	return 1;
}

static int notices(lua_State *L)
{
	module_push_list(L, lxcore_notices(module_container(L, 1)));
	return 1;
}

static void note_objection(void *data, const char *part, const lxcore_error *objection)
{
	lua_State *L = data;

	lua_createtable(L, 0, 2);
	module_set_string(L, "part", part);
	module_push_error(L, objection);
	lua_setfield(L, -2, "error");
	lua_seti(L, -2, luaL_len(L, -2) + 1);
}

/* check(): how many parts object, and what each part says */
static int check(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	int objections;

	lua_newtable(L);
	objections = lxcore_check(c, note_objection, L, err);
	if (objections < 0)
		return module_raise(L, err);
	lua_pushinteger(L, objections);
	lua_insert(L, -2);
	return 2;
}

/* ---- state ---- */

static int get_state(lua_State *L)
{
	lua_pushstring(L, lxcore_state_name(lxcore_state(module_container(L, 1))));
	return 1;
}

static int push_pid(lua_State *L, pid_t pid)
{
	if (pid > 0)
		lua_pushinteger(L, pid);
	else
		lua_pushnil(L);
	return 1;
}

static int init_pid(lua_State *L)
{
	return push_pid(L, lxcore_init_pid(module_container(L, 1)));
}

static int supervisor_pid(lua_State *L)
{
	return push_pid(L, lxcore_supervisor_pid(module_container(L, 1)));
}

static int timeout_of(lua_State *L, int index, int otherwise)
{
	return (int)luaL_optinteger(L, index, otherwise);
}

static unsigned states_of(lua_State *L, const char *names)
{
	unsigned states = 0;
	char one[16];

	for (size_t n; *names; names += n + (names[n] == '|')) {
		int state;

		n = strcspn(names, "|");
		if (n >= sizeof(one))
			luaL_error(L, "there is no state \"%s\"", names);
		memcpy(one, names, n);
		one[n] = '\0';
		state = lxcore_state_parse(one);
		if (state < 0)
			luaL_error(L, "there is no state \"%s\"", one);
		states |= 1u << state;
	}
	return states;
}

/* wait("RUNNING|STOPPED"[, SECONDS]) */
static int wait_state(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	unsigned states = states_of(L, luaL_checkstring(L, 2));
	int timeout = timeout_of(L, 3, -1);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_wait(c, states, timeout, err), err);
}

/* last_exit(): status or nil, signal or nil, when */
static int last_exit(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	int64_t when;
	int status;

	if (lxcore_last_exit(c, &status, &when, err) < 0)
		return module_raise(L, err);
	if (module_push_status(L, status) == 1)
		lua_pushnil(L);
	lua_pushinteger(L, when);
	return 3;
}

/* ---- start and stop ---- */

static void note_timing(void *data, const struct lxcore_timing *t)
{
	lua_State *L = data;

	lua_createtable(L, 0, 3);
	module_set_string(L, "part", t->part);
	module_set_string(L, "door", t->door);
	module_set_integer(L, "microseconds", t->microseconds);
	lua_seti(L, -2, luaL_len(L, -2) + 1);
}

/* start{COMMAND...}: itself; with foreground: exit status, signal; with timing: itself, the list */
static int start(lua_State *L)
{
	static const char *const options[] = {"execute", "foreground", "pidfile", "timeout", "timing",
					      "terminal", NULL};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_start how = LXCORE_START_INIT;
	lxcore_error *err;
	int status = 0;

	module_check_options(L, 2, options);
	how.command = module_vector(L, 2, NULL);
	how.execute = module_flag(L, 2, "execute");
	how.foreground = module_flag(L, 2, "foreground");
	how.pidfile = module_string(L, 2, "pidfile", NULL);
	how.timeout = (int)module_integer(L, 2, "timeout", 0);
	how.terminal = (int)module_integer(L, 2, "terminal", -1);
	if (how.foreground)
		memcpy(how.std_fds, (int[]){0, 1, 2}, sizeof(how.std_fds));
	if (module_flag(L, 2, "timing")) {
		how.timing = note_timing;
		how.timing_data = L;
	}
	err = module_error(L);
	lua_newtable(L);
	if (lxcore_start(c, &how, &status, err) < 0)
		return module_raise(L, err);
	if (how.foreground)
		return module_push_status(L, status);
	lua_pushvalue(L, 1);
	lua_insert(L, -2);
	return how.timing ? 2 : (lua_pop(L, 1), 1);
}

static void note_part(void *data, const char *part, const char *doors, const char *settings)
{
	lua_State *L = data;

	lua_createtable(L, 0, 3);
	module_set_string(L, "part", part);
	module_set_string(L, "doors", doors);
	module_set_string(L, "settings", settings);
	lua_seti(L, -2, luaL_len(L, -2) + 1);
}

static int explain(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);

	lua_newtable(L);
	return lxcore_explain(c, note_part, L, err) < 0 ? module_raise(L, err) : 1;
}

static int stop(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);

	return done(L, lxcore_stop(c, err), err);
}

static int with_timeout(lua_State *L, int otherwise,
			int (*act)(lxcore_container *, int, lxcore_error *))
{
	lxcore_container *c = module_container(L, 1);
	int timeout = timeout_of(L, 2, otherwise);
	lxcore_error *err = module_error(L);

	return done(L, act(c, timeout, err), err);
}

static int shutdown_container(lua_State *L)
{
	return with_timeout(L, 60, lxcore_shutdown);
}

static int reboot_container(lua_State *L)
{
	return with_timeout(L, 60, lxcore_reboot);
}

static int freeze(lua_State *L)
{
	return with_timeout(L, 10, lxcore_freeze);
}

static int unfreeze(lua_State *L)
{
	return with_timeout(L, 10, lxcore_unfreeze);
}

/* wait_up("running" | "network" | "ready"[, SECONDS]) */
static int wait_up(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *what = luaL_checkstring(L, 2);
	int up = lxcore_up_parse(what), timeout = timeout_of(L, 3, 60);
	lxcore_error *err;

	if (up < 0)
		return luaL_error(L, "\"%s\" is none of running, network, ready", what);
	err = module_error(L);
	return done(L, lxcore_wait_up(c, (enum lxcore_up)up, timeout, err), err);
}

static int halt_signal(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	char *reason = NULL;
	int signal = lxcore_halt_signal(c, &reason, err);

	if (signal < 0)
		return module_raise(L, err);
	lua_pushinteger(L, signal);
	module_push_text(L, reason);
	return 2;
}

const luaL_Reg module_container_functions[] = {
	{"name", get_name},       {"path", get_path},       {"is_defined", is_defined},
	{"load", load_config},    {"save", save_config},    {"define", define},
	{"set", set},             {"unset", unset},         {"get", get},
	{"notices", notices},     {"check", check},         {"state", get_state},
	{"init_pid", init_pid},   {"supervisor_pid", supervisor_pid},
	{"wait", wait_state},     {"last_exit", last_exit}, {"start", start},
	{"explain", explain},     {"stop", stop},           {"shutdown", shutdown_container},
	{"reboot", reboot_container}, {"freeze", freeze},   {"unfreeze", unfreeze},
	{"wait_up", wait_up},     {"halt_signal", halt_signal},
	{"close", close_container}, {"__gc", close_container}, {"__close", close_container},
	{"__tostring", show_container}, {NULL, NULL},
};

/* Leaves lxc.open on the stack. */
void module_make_types(lua_State *L)
{
	luaL_newmetatable(L, TYPE);
	luaL_setfuncs(L, module_container_functions, 0);
	luaL_setfuncs(L, module_inside_functions, 0);
	luaL_setfuncs(L, module_disk_methods, 0);
	luaL_setfuncs(L, module_copy_methods, 0);
	lua_pushvalue(L, -1);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	module_make_event_type(L);
	lua_pushcfunction(L, open_container);
}

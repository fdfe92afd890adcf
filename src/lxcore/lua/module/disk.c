/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': containers on disk - listed, made, destroyed - and what this installation has. */
#include "module.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* ---- made and destroyed ---- */

static int create(lua_State *L)
{
	static const char *const options[] = {"template", "args", "config", "storage", "dir", "quiet",
					      NULL};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_create how = LXCORE_CREATE_INIT;
	lxcore_error *err;

	module_check_options(L, 2, options);
	how.template = module_string(L, 2, "template", NULL);
	how.args = module_vector(L, 2, "args");
	how.config = module_string(L, 2, "config", NULL);
	how.storage = module_string(L, 2, "storage", NULL);
	how.dir = module_string(L, 2, "dir", NULL);
	how.quiet = module_flag(L, 2, "quiet");
	err = module_error(L);
	if (lxcore_create(c, &how, err) < 0)
		return module_raise(L, err);
	lua_settop(L, 1);
	return 1;
}

static int destroy(lua_State *L)
{
	static const char *const options[] = {"snapshots", NULL};
	lxcore_container *c = module_container(L, 1);
	bool snapshots;
	lxcore_error *err;

	module_check_options(L, 2, options);
	snapshots = module_flag(L, 2, "snapshots");
	err = module_error(L);
	return lxcore_destroy(c, snapshots, err) < 0 ? module_raise(L, err) : 0;
}

const luaL_Reg module_disk_methods[] = {
	{"create", create}, {"destroy", destroy}, {NULL, NULL},
};

/* ---- listed ---- */

/* list([PATH][, "defined" | "active" | "all" | a pattern]) */
static int list(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL), *what = luaL_optstring(L, 2, "defined");
	lxcore_error *err = module_error(L);
	char **names = NULL;
	int n = -1;

	if (lxcore_is_pattern(what))
		n = lxcore_list_matching(path, what, &names, err);
	else if (strcmp(what, "defined") == 0)
		n = lxcore_list_defined(path, &names, err);
	else if (strcmp(what, "active") == 0)
		n = lxcore_list_active(path, &names, err);
	else if (strcmp(what, "all") == 0)
		n = lxcore_list_all(path, &names, err);
	else
		return luaL_error(L, "what is listed is \"defined\", \"active\", \"all\" or a pattern");
	if (n < 0)
		return module_raise(L, err);
	module_push_list(L, (const char *const *)names);
	lxcore_names_free(names);
	return 1;
}

static void push_summary(lua_State *L, const struct lxcore_summary *s)
{
	lua_createtable(L, 0, 11);
	module_set_string(L, "name", s->name);
	module_set_string(L, "state", lxcore_state_name(s->state));
	if (s->init_pid > 0)
		module_set_integer(L, "init_pid", s->init_pid);
	module_set_flag(L, "defined", s->defined);
	module_set_flag(L, "readable", s->readable);
	module_set_flag(L, "autostart", s->autostart);
	module_set_flag(L, "unprivileged", s->unprivileged);
	module_push_list(L, (const char *const *)s->groups);
	lua_setfield(L, -2, "groups");
	module_push_interfaces(L, s->interfaces, s->n_interfaces);
	lua_setfield(L, -2, "interfaces");
	if (s->memory >= 0)
		module_set_integer(L, "memory", s->memory);
	if (s->swap >= 0)
		module_set_integer(L, "swap", s->swap);
}

/* summaries([PATH]): what lxc-ls -f shows */
static int summaries(lua_State *L)
{
	const char *path = luaL_optstring(L, 1, NULL);
	lxcore_error *err = module_error(L);
	struct lxcore_summary *all = NULL;
	int n = lxcore_summaries(path, LXCORE_WANT_CONFIG | LXCORE_WANT_INTERFACES | LXCORE_WANT_MEMORY,
				 &all, err);

	if (n < 0)
		return module_raise(L, err);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		push_summary(L, &all[i]);
		lua_seti(L, -2, i + 1);
	}
	lxcore_summaries_free(all, n);
	return 1;
}

static int templates(lua_State *L)
{
	lxcore_error *err = module_error(L);
	struct lxcore_template *all = NULL;
	int n = lxcore_templates(&all, err);

	if (n < 0)
		return module_raise(L, err);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_createtable(L, 0, 5);
		module_set_string(L, "name", all[i].name);
		module_set_string(L, "path", all[i].path);
		if (all[i].about)
			module_set_string(L, "about", all[i].about);
		module_push_list(L, (const char *const *)all[i].needs);
		lua_setfield(L, -2, "needs");
		module_push_list(L, (const char *const *)all[i].missing);
		lua_setfield(L, -2, "missing");
		lua_seti(L, -2, i + 1);
	}
	lxcore_templates_free(all, n);
	return 1;
}

/* ---- the program ---- */

static int global(lua_State *L)
{
	const char *item = luaL_checkstring(L, 1);
	lxcore_error *err = module_error(L);
	char *value = NULL;

	if (lxcore_global(item, &value, err) < 0)
		return module_raise(L, err);
	module_push_text(L, value);
	return 1;
}

static int global_items(lua_State *L)
{
	module_push_list(L, lxcore_global_items());
	return 1;
}

static int install_dir(lua_State *L)
{
	lua_pushstring(L, lxcore_install_dir(luaL_checkstring(L, 1)));
	return 1;
}

/* keys(): every configuration key */
static int keys(lua_State *L)
{
	struct lxcore_key key;
	size_t state = 0;

	lua_newtable(L);
	for (lua_Integer i = 1; lxcore_next_key(&state, &key); i++) {
		lua_createtable(L, 0, 7);
		module_set_string(L, "name", key.name);
		module_set_string(L, "member", key.member);
		module_set_string(L, "syntax", key.syntax);
		module_set_string(L, "preset", key.preset);
		module_set_string(L, "summary", key.summary);
		module_set_string(L, "section", key.section);
		module_set_string(L, "unsupported", key.unsupported);
		lua_seti(L, -2, i);
	}
	return 1;
}

/* log_open{file =, level =, program =, container =} */
static int log_open(lua_State *L)
{
	static const char *const options[] = {"file", "level", "program", "container", NULL};
	const char *file, *level, *program, *container;
	lxcore_error *err;

	module_check_options(L, 1, options);
	file = module_string(L, 1, "file", NULL);
	level = module_string(L, 1, "level", "INFO");
	program = module_string(L, 1, "program", "lua");
	container = module_string(L, 1, "container", "");
	if (!file)
		return luaL_error(L, "option \"file\" is missing");
	err = module_error(L);
	return lxcore_log_open(file, level, program, container, err) < 0 ? module_raise(L, err) : 0;
}

static int is_pattern(lua_State *L)
{
	lua_pushboolean(L, lxcore_is_pattern(luaL_checkstring(L, 1)));
	return 1;
}

static int sleep_seconds(lua_State *L)
{
	lua_Number seconds = luaL_checknumber(L, 1);
	struct timespec t = {.tv_sec = (time_t)seconds};

	luaL_argcheck(L, seconds >= 0 && seconds < 1e9, 1, "it is no number of seconds");
	t.tv_nsec = (long)((seconds - (lua_Number)t.tv_sec) * 1e9);
	nanosleep(&t, NULL);
	return 0;
}

const luaL_Reg module_disk_functions[] = {
	{"list", list},       {"summaries", summaries},       {"templates", templates},
	{"global", global},   {"global_items", global_items}, {"install_dir", install_dir},
	{"keys", keys},       {"log_open", log_open},         {"is_pattern", is_pattern},
	{"sleep", sleep_seconds}, {NULL, NULL},
};

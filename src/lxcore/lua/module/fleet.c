/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': one function for many containers, each in a process of its own. */
#include "module.h"

#include <errno.h>

struct fleet {
	lua_State *L;
	int work, progress; /* where the functions stand on the stack; 0: there is none */
	bool raised;        /* 'progress' did, and what stands on top of the stack */
};

/* In the job's process, whose Lua is a copy: what it returns is the answer. */
static int work(lxcore_job *job, const char *name, void *data, lxcore_error *err)
{
	struct fleet *f = data;
	lua_State *L = f->L;
	const char *mend = NULL;
	size_t n = 0;
	const char *answer;

	lua_pushvalue(L, f->work);
	lua_pushstring(L, name);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK) {
		answer = lua_isnil(L, -1) ? NULL : luaL_tolstring(L, -1, &n);
		if (!answer || lxcore_job_answer(job, answer, n) == 0)
			return 0;
		return lxcore_error_set(err, EMSGSIZE, "the answer is too long", NULL);
	}
	if (lua_istable(L, -1)) {
		lua_getfield(L, -1, "mend");
		mend = lua_tostring(L, -1);
		lua_getfield(L, -2, "code");
		lua_getfield(L, -3, "text");
	} else {
		lua_pushinteger(L, ECANCELED);
		luaL_tolstring(L, -2, NULL);
	}
	return lxcore_error_set(err, (int)lua_tointeger(L, -2),
				lua_tostring(L, -1) ? lua_tostring(L, -1) : "it failed", mend);
}

static bool progress(const struct lxcore_fleet_progress *p, void *data)
{
	struct fleet *f = data;
	lua_State *L = f->L;
	bool go_on = true;

	if (f->raised)
		return false;
	lua_pushvalue(L, f->progress);
	lua_createtable(L, 0, 5);
	module_set_integer(L, "total", (lua_Integer)p->total);
	module_set_integer(L, "done", (lua_Integer)p->done);
	module_set_integer(L, "failed", (lua_Integer)p->failed);
	module_set_integer(L, "busy", (lua_Integer)p->busy);
	module_set_integer(L, "milliseconds", p->milliseconds);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
		f->raised = true;
		return false;
	}
	/* Only 'false' ends it: nothing returned is no wish. */
	go_on = lua_isnil(L, -1) || lua_toboolean(L, -1);
	lua_pop(L, 1);
	return go_on;
}

static void push_outcomes(lua_State *L, const struct lxcore_outcome *all)
{
	lua_newtable(L);
	for (lua_Integer i = 0; all[i].name; i++) {
		lua_createtable(L, 0, 5);
		module_set_string(L, "name", all[i].name);
		module_set_flag(L, "ok", !all[i].error);
		module_push_error(L, all[i].error);
		lua_setfield(L, -2, "error");
		module_set_integer(L, "milliseconds", all[i].milliseconds);
		if (all[i].answer) {
			lua_pushlstring(L, all[i].answer, all[i].answer_size);
			lua_setfield(L, -2, "answer");
		}
		lua_seti(L, -2, i + 1);
	}
}

/*
 * fleet(NAMES, FUNCTION(name)[, {jobs =, timeout =, progress =}]): a list of what came of each, and how
 * many failed
 */
static int run_fleet(lua_State *L)
{
	static const char *const options[] = {"jobs", "timeout", "progress", NULL};
	struct lxcore_fleet how = LXCORE_FLEET_INIT;
	struct lxcore_outcome *all = NULL;
	struct fleet f = {.L = L, .work = 2};
	const char **names;
	lxcore_error *err;
	int failed;

	luaL_checktype(L, 1, LUA_TTABLE);
	luaL_checktype(L, 2, LUA_TFUNCTION);
	module_check_options(L, 3, options);
	how.jobs = (unsigned)module_integer(L, 3, "jobs", 0);
	how.timeout = (int)module_integer(L, 3, "timeout", 0);
	how.work = work;
	how.data = &f;
	names = module_vector(L, 1, NULL);
	if (lua_getfield(L, 3, "progress") != LUA_TNIL) {
		how.progress = progress;
		f.progress = lua_gettop(L);
	}
	if (!names) {
		lua_newtable(L);
		lua_pushinteger(L, 0);
		return 2;
	}
	err = module_error(L);
	luaL_checkstack(L, 20, NULL);
	failed = lxcore_fleet_run(names, &how, &all, err);
	if (f.raised) {
		lxcore_outcomes_free(all);
		return lua_error(L);
	}
	if (failed < 0)
		return module_raise(L, err);
	push_outcomes(L, all);
	lxcore_outcomes_free(all);
	lua_pushinteger(L, failed);
	return 2;
}

const luaL_Reg module_fleet_functions[] = {{"fleet", run_fleet}, {NULL, NULL}};

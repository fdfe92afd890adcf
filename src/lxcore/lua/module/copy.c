/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': copies, clones, snapshots, and who depends on whom. */
#include "module.h"

#include <errno.h>

/* A function of the caller that is told how far it is; what it raises cancels, and is raised then. */
struct watcher {
	lua_State *L;
	int function; /* where it stands on the stack; 0: there is none */
	bool raised;  /* what it raised stands on top of the stack */
};

static bool tell_progress(const struct lxcore_progress *p, void *data)
{
	struct watcher *w = data;
	lua_State *L = w->L;
	bool go_on;

	if (w->raised)
		return false;
	lua_pushvalue(L, w->function);
	lua_createtable(L, 0, 5);
	module_set_integer(L, "bytes", (lua_Integer)p->bytes);
	module_set_integer(L, "total_bytes", (lua_Integer)p->total_bytes);
	module_set_integer(L, "files", (lua_Integer)p->files);
	module_set_integer(L, "total_files", (lua_Integer)p->total_files);
	module_set_integer(L, "microseconds", (lua_Integer)p->usec);
	if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
		w->raised = true;
		return false;
	}
	/* Only 'false' ends it: nothing returned is no wish. */
	go_on = lua_isnil(L, -1) || lua_toboolean(L, -1);
	lua_pop(L, 1);
	return go_on;
}

static bool watch(lua_State *L, int index, struct watcher *w)
{
	w->L = L;
	luaL_checkstack(L, 20, NULL);
	if (lua_getfield(L, index, "progress") == LUA_TNIL)
		return false;
	luaL_checktype(L, -1, LUA_TFUNCTION);
	w->function = lua_gettop(L);
	return true;
}

/* NAME, how it got its contents, microseconds for which the source stood still */
static int push_copied(lua_State *L, struct lxcore_copied *r)
{
	lua_pushstring(L, r->name);
	lua_pushstring(L, r->way);
	lua_pushinteger(L, r->pause_us);
	lxcore_copied_free(r);
	return 3;
}

/* copy{name =, ...}: also c:clone */
static int copy(lua_State *L)
{
	static const char *const options[] = {
		"name", "path", "snapshot", "allow_running", "keep_name", "keep_mac", "new_ssh_keys",
		"storage", "size", "ephemeral", "tmpfs", "settings", "hook_args", "progress", NULL,
	};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_copy how = LXCORE_COPY_INIT;
	struct lxcore_copied copied = {0};
	struct watcher w = {0};
	lxcore_error *err;

	if (lua_isstring(L, 2)) { /* copy("name") */
		lua_createtable(L, 0, 1);
		lua_pushvalue(L, 2);
		lua_setfield(L, -2, "name");
		lua_replace(L, 2);
	}
	module_check_options(L, 2, options);
	how.name = module_string(L, 2, "name", NULL);
	how.path = module_string(L, 2, "path", NULL);
	how.snapshot = module_flag(L, 2, "snapshot");
	how.allow_running = module_flag(L, 2, "allow_running");
	how.keep_name = module_flag(L, 2, "keep_name");
	how.keep_mac = module_flag(L, 2, "keep_mac");
	how.new_ssh_keys = module_flag(L, 2, "new_ssh_keys");
	how.storage = module_string(L, 2, "storage", NULL);
	how.fssize = (uint64_t)module_integer(L, 2, "size", 0);
	how.ephemeral = module_flag(L, 2, "ephemeral");
	how.tmpfs = module_flag(L, 2, "tmpfs");
	how.settings = module_vector(L, 2, "settings");
	how.hook_args = module_vector(L, 2, "hook_args");
	if (watch(L, 2, &w)) {
		how.progress = tell_progress;
		how.data = &w;
	}
	err = module_error(L);
	if (lxcore_copy(c, &how, &copied, err) < 0)
		return w.raised ? lua_error(L) : module_raise(L, err);
	return push_copied(L, &copied);
}

static int rename_container(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *name = luaL_checkstring(L, 2);
	lxcore_error *err = module_error(L);

	if (lxcore_rename(c, name, err) < 0)
		return module_raise(L, err);
	lua_settop(L, 1);
	return 1;
}

/* snapshot{comment_file =, full =}: its name ("snap0"), and as copy() */
static int snapshot(lua_State *L)
{
	static const char *const options[] = {"comment_file", "full", "progress", NULL};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_snap how = LXCORE_SNAP_INIT;
	struct lxcore_copied copied = {0};
	struct watcher w = {0};
	lxcore_error *err;

	module_check_options(L, 2, options);
	how.comment_file = module_string(L, 2, "comment_file", NULL);
	how.full = module_flag(L, 2, "full");
	if (watch(L, 2, &w)) {
		how.progress = tell_progress;
		how.data = &w;
	}
	err = module_error(L);
	if (lxcore_snapshot(c, &how, &copied, err) < 0)
		return w.raised ? lua_error(L) : module_raise(L, err);
	return push_copied(L, &copied);
}

static int snapshots(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	struct lxcore_snapshot *all = NULL;
	int n = lxcore_snapshots(c, &all, err);

	if (n < 0)
		return module_raise(L, err);
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_createtable(L, 0, 5);
		module_set_string(L, "name", all[i].name);
		module_set_string(L, "dir", all[i].dir);
		module_set_string(L, "created", all[i].created);
		module_set_string(L, "comment", all[i].comment);
		module_set_string(L, "parent", all[i].parent);
		lua_seti(L, -2, i + 1);
	}
	lxcore_snapshots_free(all, n);
	return 1;
}

/* restore(SNAPSHOT[, NEW NAME]) */
static int restore(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *from = luaL_checkstring(L, 2), *name = luaL_optstring(L, 3, NULL);
	struct lxcore_copied copied = {0};
	lxcore_error *err = module_error(L);

	if (lxcore_snapshot_restore(c, from, name, &copied, err) < 0)
		return module_raise(L, err);
	return push_copied(L, &copied);
}

/* snapshot_destroy([SNAPSHOT]): all without a name */
static int snapshot_destroy(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *name = luaL_optstring(L, 2, NULL);
	lxcore_error *err = module_error(L);

	return lxcore_snapshot_destroy(c, name, err) < 0 ? module_raise(L, err) : 0;
}

static int push_others(lua_State *L, int (*find)(lxcore_container *, char ***, lxcore_error *))
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	char **names = NULL;

	if (find(c, &names, err) < 0)
		return module_raise(L, err);
	module_push_list(L, (const char *const *)names);
	lxcore_names_free(names);
	return 1;
}

static int dependants(lua_State *L)
{
	return push_others(L, lxcore_dependants);
}

static int dependencies(lua_State *L)
{
	return push_others(L, lxcore_dependencies);
}

const luaL_Reg module_copy_methods[] = {
	{"copy", copy},           {"clone", copy},           {"rename", rename_container},
	{"snapshot", snapshot},   {"snapshots", snapshots},  {"restore", restore},
	{"snapshot_destroy", snapshot_destroy}, {"dependants", dependants},
	{"dependencies", dependencies}, {NULL, NULL},
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The program that runs one Lua hook (lxc-lua-hook): what its files share.
 *
 * It is linked statically and knows base/ alone, for it also runs inside containers, before their
 * init, where no library of ours is.  What it knows of the container it was told over a socket, and
 * what it wants to know or change it asks there (parts/hooks_talk.h).
 */
#ifndef LXCORE_LUA_HOOK_H
#define LXCORE_LUA_HOOK_H

#include "base/buf.h"
#include "base/error.h"
#include "parts/hooks_talk.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <sys/types.h>

struct hook {
	int sock, script;
	int root;             /* of the container, O_PATH; -1: it cannot be reached */
	const char *word[N_HELLO];
	long long end_ms;     /* when its time is over */
	size_t used, limit;   /* memory of Lua, bytes */
	bool starved;         /* it was refused more, here: */
	char starved_at[160]; /* "web.lua:3", or empty */
	lua_State *lua;
};

bool hook_is(const struct hook *h, enum hooks_hello word, const char *value);
/* The hook that a C function belongs to: its first upvalue. */
struct hook *hook_of(lua_State *L);
/* Raise an error as Lua's: a table with text, mend and code. */
int hook_raise(lua_State *L, const struct error *err);
/* What hook_raise() raises shows its text. */
void hook_make_error_type(lua_State *L);
/* Message handler: makes such a table of any error, with file and line in front. */
int hook_handle(lua_State *L);
/* "web.lua:3" of the innermost line of the user's own; "" when there is none. */
void hook_where(lua_State *L, char *ret, size_t room);
/* Ask the one who started us; *ret_value is the answer.  0, or -1 with the error. */
int hook_ask(struct hook *h, const char *const *words, size_t n, struct buf *ret_value,
	     struct error *err);
/* The host's id of one of the container; -1 with the error when it has none. */
int hook_map_id(struct hook *h, char kind, unsigned long inside, unsigned *ret, struct error *err);
/* A string argument without NUL in it. */
const char *hook_check_path(lua_State *L, int index);

/* mount(TREE): see mount.c. */
int hook_mount(lua_State *L);
/* Tables of functions, each with the hook as its upvalue. */
extern const luaL_Reg hook_root_functions[], hook_host_functions[];

#endif

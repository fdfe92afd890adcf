/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The hook's side of the talk (parts/hooks_talk.h), and what Lua sees of it and of the host. */
#include "hook.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/proc.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

int hook_ask(struct hook *h, const char *const *words, size_t n, struct buf *ret_value,
	     struct error *err)
{
	static char answer[HOOKS_MESSAGE + 1];
	autobuf struct buf message = BUF_INIT;
	const char *part[4] = {"", "", "", ""};
	size_t count = 0;
	ssize_t got;

	if (h->sock < 0)
		return error_set(err, EPIPE, "there is no configuration to be asked for: the hook was "
				 "executed by hand");
	for (size_t i = 0; i < n; i++)
		buf_add(&message, words[i], strlen(words[i]) + 1);
	if (message.failed || message.len > HOOKS_MESSAGE)
		return error_set(err, E2BIG, "cannot ask for that: it is too long");
	if (fd_send(h->sock, message.s, message.len, NULL, 0) < 0 ||
	    (got = fd_receive(h->sock, answer, HOOKS_MESSAGE, NULL, NULL)) <= 0)
		return error_set(err, EPIPE, "cannot speak to the one who started the hook");
	answer[got] = '\0';
	for (char *at = answer; at < answer + got && count < 4; at += strlen(at) + 1)
		part[count++] = at;
	if (strcmp(part[0], "ok") == 0) {
		if (ret_value)
			buf_puts(ret_value, part[1]);
		return 0;
	}
	error_set(err, atoi(part[1]), "%s", part[2]);
	return *part[3] ? error_mend(err, "%s", part[3]) : -1;
}

/* ask(VERB, WORD...): the answer; raises what is refused. */
static int ask(lua_State *L)
{
	const char *words[HOOKS_WORDS];
	struct buf value = BUF_INIT;
	struct error err = {0};
	int n = lua_gettop(L);

	luaL_argcheck(L, n <= HOOKS_WORDS, n, "too many words");
	for (int i = 0; i < n; i++)
		words[i] = hook_check_path(L, i + 1);
	if (hook_ask(hook_of(L), words, (size_t)n, &value, &err) < 0) {
		buf_free(&value);
		return hook_raise(L, &err);
	}
	lua_pushlstring(L, value.s ? value.s : "", value.len);
	buf_free(&value);
	return 1;
}

int hook_map_id(struct hook *h, char kind, unsigned long inside, unsigned *ret, struct error *err)
{
	static const char *const question[] = {"get", "lxc.idmap"};
	autobuf struct buf maps = BUF_INIT;
	autostrv struct strv lines = {0};

	*ret = (unsigned)inside;
	/* In the container's user namespace its ids are our own. */
	if (!hook_is(h, HELLO_PLACE, "host") || h->sock < 0)
		return 0;
	if (hook_ask(h, question, 2, &maps, err) < 0)
		return -1;
	if (strv_split(&lines, maps.s ? maps.s : "", "\n") < 0)
		return error_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < lines.n; i++) {
		unsigned long ns, host, count;
		char k;

		if (sscanf(lines.v[i], "%c %lu %lu %lu", &k, &ns, &host, &count) == 4 && k == kind &&
		    inside >= ns && inside - ns < count) {
			*ret = (unsigned)(host + inside - ns);
			return 0;
		}
	}
	if (!lines.n)
		return 0;
	return error_set(err, EOVERFLOW, "the container has no %s %lu (lxc.idmap)",
			 kind == 'u' ? "user" : "group", inside);
}

const char *hook_check_path(lua_State *L, int index)
{
	size_t n;
	const char *text = luaL_checklstring(L, index, &n);

	luaL_argcheck(L, strlen(text) == n, index, "it has a NUL in it");
	return text;
}

/* ---- programs ---- */

static long long time_left(const struct hook *h, lua_Number wanted)
{
	long long left = h->end_ms - clock_ms();

	if (left < 1)
		left = 1;
	return wanted > 0 && wanted * 1000 < (lua_Number)left ? (long long)(wanted * 1000) : left;
}

static const char *option(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	return lua_isnil(L, -1) ? NULL : hook_check_path(L, -1);
}

/* run{ARG..., timeout =, input =, env = {NAME = VALUE}}: output, exit status, signal or nil. */
static int run(lua_State *L)
{
	struct hook *h = hook_of(L);
	lua_Integer n = luaL_len(L, 1);
	const char **argv = lua_newuserdatauv(L, sizeof(*argv) * (size_t)(n + 1), 0);
	struct proc_run how = {.argv = argv, .dies_with_us = true};
	struct strv env = {0};
	struct buf output = BUF_INIT;
	struct error err = {0};
	int status;

	luaL_argcheck(L, n > 0, 1, "there is no program to run");
	luaL_checkstack(L, (int)n + 8, NULL);
	for (int i = 0; i < n; i++) {
		lua_geti(L, 1, i + 1);
		argv[i] = hook_check_path(L, -1);
	}
	argv[n] = NULL;
	how.input = option(L, "input");
	lua_getfield(L, 1, "timeout");
	how.timeout_ms = (int)time_left(h, luaL_optnumber(L, -1, 0));
	if (lua_getfield(L, 1, "env") == LUA_TTABLE)
		for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
			if (lua_type(L, -2) == LUA_TSTRING && lua_tostring(L, -1))
				strv_take(&env, str_printf("%s=%s", lua_tostring(L, -2),
							   lua_tostring(L, -1)));
	how.set_env = &env;
	status = proc_run(&how, &output, &err);
	strv_free(&env);
	if (status < 0) {
		buf_free(&output);
		return hook_raise(L, &err);
	}
	lua_pushlstring(L, output.s ? output.s : "", output.len);
	buf_free(&output);
	lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	if (WIFSIGNALED(status))
		lua_pushinteger(L, WTERMSIG(status));
	else
		lua_pushnil(L);
	return 3;
}

/* raise(TEXT, MEND, CODE) */
static int raise_words(lua_State *L)
{
	struct error err = {0};

	error_set(&err, (int)luaL_optinteger(L, 3, ECANCELED), "%s", luaL_checkstring(L, 1));
	if (lua_tostring(L, 2))
		error_mend(&err, "%s", lua_tostring(L, 2));
	return hook_raise(L, &err);
}

static int sleep_seconds(lua_State *L)
{
	long long ms = time_left(hook_of(L), luaL_checknumber(L, 1));
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	nanosleep(&t, NULL);
	return 0;
}

static int read_host_file(lua_State *L)
{
	const char *path = hook_check_path(L, 1);
	struct buf text = BUF_INIT;

	if (file_read(AT_FDCWD, path, &text) < 0) {
		buf_free(&text);
		lua_pushnil(L);
		return 1;
	}
	lua_pushlstring(L, text.s ? text.s : "", text.len);
	buf_free(&text);
	return 1;
}

/* is_dir(PATH on the host): nil when nothing is there */
static int is_dir(lua_State *L)
{
	struct stat st;

	if (stat(hook_check_path(L, 1), &st) < 0)
		return 0;
	lua_pushboolean(L, S_ISDIR(st.st_mode));
	return 1;
}

const luaL_Reg hook_host_functions[] = {
	{"ask", ask},     {"run", run},
	{"raise", raise_words}, {"sleep", sleep_seconds},
	{"read_host", read_host_file}, {"is_dir", is_dir},
	{"mount", hook_mount},
	{NULL, NULL},
};

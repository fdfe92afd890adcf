/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * lxc-lua-hook SOCKET FILE [WORD...]: runs one hook in Lua 5.4, within limits of time and memory, and
 * tells over the socket why it failed.  parts/hooks_lua.c starts it; as the interpreter of a script
 * ('#!') it runs what somebody else executed like a hook.
 */
#include "hook.h"
#include "base/auto.h"
#include "base/fd.h"
#include "prelude.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>

#define SCRIPT_LIMIT (4 << 20)

/* For the signal handler, which is given nothing; a process runs one hook. */
static struct hook the_hook = {.root = -1, .script = -1};

bool hook_is(const struct hook *h, enum hooks_hello word, const char *value)
{
	return strcmp(h->word[word], value) == 0;
}

struct hook *hook_of(lua_State *L)
{
	return lua_touserdata(L, lua_upvalueindex(1));
}

/* ---- limits ---- */

/* Everything that Lua has comes from here. */
static void *allocate(void *data, void *old, size_t old_size, size_t size)
{
	struct hook *h = data;
	size_t had = old ? old_size : 0;
	void *now;

	if (!size) {
		free(old);
		h->used -= had;
		return NULL;
	}
	if (size > had && size - had > h->limit - h->used) {
		h->starved = true;
		if (h->lua)
			hook_where(h->lua, h->starved_at, sizeof(h->starved_at));
		return NULL;
	}
	now = realloc(old, size);
	if (now)
		h->used += size - had;
	return now;
}

static void raise_time_over(lua_State *L, lua_Debug *ar)
{
	struct error err = {0};
	unsigned long seconds = strtoul(the_hook.word[HELLO_SECONDS], NULL, 10);

	error_set(&err, ETIMEDOUT, "it did not end within %lu seconds and was killed", seconds);
	error_mend(&err, "lxc.hook.timeout = %lu      (seconds, when it needs longer)", seconds * 2);
	hook_raise(L, &err);
}

/* A signal may come anywhere in Lua's own code; the next instruction is the first safe place. */
static void on_alarm(int signal)
{
	lua_sethook(the_hook.lua, raise_time_over,
		    LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

static void limit_time(struct hook *h)
{
	struct sigaction act = {.sa_handler = on_alarm};
	struct itimerval timer = {.it_value.tv_sec = strtol(h->word[HELLO_SECONDS], NULL, 10)};

	h->end_ms = clock_ms() + timer.it_value.tv_sec * 1000LL;
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- what we are told ---- */

static int hear_hello(struct hook *h)
{
	static char hello[HOOKS_MESSAGE + 1];
	int fds[FD_MAX_PASSED];
	size_t n = FD_MAX_PASSED, word = 0;
	ssize_t got = fd_receive(h->sock, hello, HOOKS_MESSAGE, fds, &n);

	for (char *at = hello; got > 0 && at < hello + got && word < N_HELLO; at += strlen(at) + 1)
		h->word[word++] = at;
	if (word != N_HELLO || n < 1)
		return -1;
	h->script = fds[0];
	h->root = n > 1 ? fds[1] : -1;
	h->limit = strtoull(h->word[HELLO_BYTES], NULL, 10);
	return 0;
}

/* ---- run by hand ---- */

static const char *variable(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value ? value : otherwise;
}

/* LXCPATH of LXCPATH/NAME/config. */
static const char *path_of_config(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s", variable("LXC_CONFIG_FILE", ""));
	for (int i = 0; i < 2; i++)
		path[strrchr(path, '/') ? strrchr(path, '/') - path : 0] = '\0';
	return path;
}

/*
 * A script that begins with our name was executed by somebody else, with a hook's words and
 * environment.  There is nobody to be asked; the rest works.
 */
static int be_interpreter(struct hook *h, int argc, char **argv)
{
	static const char *const words[N_HELLO] = {
		[HELLO_STATE] = "STOPPED", [HELLO_MODULE] = "0", [HELLO_SECONDS] = "30",
		[HELLO_BYTES] = "67108864", [HELLO_PLACE] = "host", [HELLO_CONFIG] = "",
	};
	static char own[16];
	const int fixed = argc > 4 && !getenv("LXC_HOOK_TYPE") ? 3 : 0;

	memcpy(h->word, words, sizeof(words));
	h->sock = -1;
	h->word[HELLO_SCRIPT] = argv[1];
	h->word[HELLO_NAME] = variable("LXC_NAME", fixed ? argv[argc - 3] : "");
	h->word[HELLO_LXCPATH] = path_of_config();
	h->word[HELLO_MOMENT] = variable("LXC_HOOK_TYPE", fixed ? argv[argc - 1] : "");
	h->word[HELLO_PID] = variable("LXC_PID", "0");
	h->word[HELLO_ROOT] = variable("LXC_ROOTFS_MOUNT", "");
	snprintf(own, sizeof(own), "%d", argc - 2 - fixed);
	h->word[HELLO_OWN] = own;
	h->word[HELLO_FIXED] = fixed ? "3" : "0";
	h->limit = strtoull(h->word[HELLO_BYTES], NULL, 10);
	h->script = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (*h->word[HELLO_ROOT])
		h->root = open(h->word[HELLO_ROOT], O_PATH | O_DIRECTORY | O_CLOEXEC);
	return h->script < 0 ? -1 : 0;
}

/* ---- running ---- */

static void add_functions(lua_State *L, struct hook *h, const luaL_Reg *functions)
{
	lua_pushlightuserdata(L, h);
	luaL_setfuncs(L, functions, 1);
}

static void push_host(lua_State *L, struct hook *h)
{
	static const char *const names[N_HELLO] = {
		[HELLO_NAME] = "name",       [HELLO_LXCPATH] = "path",  [HELLO_MOMENT] = "moment",
		[HELLO_STATE] = "state",     [HELLO_SCRIPT] = "script", [HELLO_MODULE] = "module",
		[HELLO_SECONDS] = "seconds", [HELLO_BYTES] = "bytes",   [HELLO_PID] = "pid",
		[HELLO_ROOT] = "root",       [HELLO_PLACE] = "place",   [HELLO_OWN] = "own",
		[HELLO_FIXED] = "fixed",     [HELLO_CONFIG] = "config",
	};

	lua_newtable(L);
	for (size_t i = 0; i < N_HELLO; i++) {
		lua_pushstring(L, h->word[i]);
		lua_setfield(L, -2, names[i]);
	}
	lua_pushstring(L, LXCORE_BINDIR);
	lua_setfield(L, -2, "bindir");
	lua_pushstring(L, LXCORE_HOOKDIR);
	lua_setfield(L, -2, "hookdir");
	add_functions(L, h, hook_root_functions);
	add_functions(L, h, hook_host_functions);
}

/* Not 'package': what a static program cannot do is load C. The prelude has a 'require' for Lua. */
static const luaL_Reg libraries[] = {
	{LUA_GNAME, luaopen_base},       {LUA_COLIBNAME, luaopen_coroutine},
	{LUA_TABLIBNAME, luaopen_table}, {LUA_IOLIBNAME, luaopen_io},
	{LUA_OSLIBNAME, luaopen_os},     {LUA_STRLIBNAME, luaopen_string},
	{LUA_MATHLIBNAME, luaopen_math}, {LUA_UTF8LIBNAME, luaopen_utf8},
	{LUA_DBLIBNAME, luaopen_debug},  {NULL, NULL},
};

struct job {
	struct hook *hook;
	int n;
	char **words;
};

/* Protected, as everything from here on that can raise: prelude(host, script text, words...). */
static int run(lua_State *L)
{
	const struct job *job = lua_touserdata(L, 1);
	struct hook *h = job->hook;
	struct buf text = BUF_INIT;
	struct error err = {0};

	hook_make_error_type(L);
	for (const luaL_Reg *l = libraries; l->name; l++) {
		luaL_requiref(L, l->name, l->func, 1);
		lua_pop(L, 1);
	}
	/* A module is read at each moment through the same open file. */
	if (lseek(h->script, 0, SEEK_SET) < 0 || fd_read_all(h->script, &text, SCRIPT_LIMIT) < 0) {
		error_sys(&err, "cannot read it");
		return hook_raise(L, &err);
	}
	if (luaL_loadbufferx(L, prelude, strlen(prelude), "=lxc", "t") != LUA_OK)
		return lua_error(L);
	push_host(L, h);
	lua_pushlstring(L, text.s ? text.s : "", text.len);
	buf_free(&text);
	luaL_checkstack(L, job->n, NULL);
	for (int i = 0; i < job->n; i++)
		lua_pushstring(L, job->words[i]);
	lua_call(L, 2 + job->n, 0);
	return 0;
}

static void tell_failure(struct hook *h, const char *code, const char *text, const char *mend)
{
	const char *const words[] = {"fail", code, text, mend};

	if (h->sock < 0)
		fprintf(stderr, "%s: %s%s%s\n", h->word[HELLO_SCRIPT], text,
			*mend ? "\n  to mend it: " : "", mend);
	else
		hook_ask(h, words, ARRAY_SIZE(words), NULL, NULL);
}

static const char *field(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	return lua_tostring(L, -1) ? lua_tostring(L, -1) : "";
}

static void report(struct hook *h, int status)
{
	lua_State *L = h->lua;
	const bool table = lua_istable(L, -1);
	const char *code = "0", *words, *help = "";
	char text[320], mend[80];

	lua_replace(L, 1);
	lua_settop(L, 1);
	if (table) {
		code = field(L, "code");
		help = field(L, "mend");
	}
	words = table ? field(L, "text") : lua_tostring(L, 1);
	if (h->starved && (status == LUA_ERRMEM ||
			   (words && strstr(words, "not enough memory")))) {
		snprintf(text, sizeof(text), "%s%sit needs more than the %zu MiB of memory that it may "
			 "use", h->starved_at, h->starved_at[0] ? ": " : "", h->limit >> 20);
		snprintf(mend, sizeof(mend), "lxc.hook.memory = %zuM", h->limit >> 19);
		tell_failure(h, "12", text, mend); /* ENOMEM */
		return;
	}
	tell_failure(h, code, words ? words : "it failed", help);
}

int main(int argc, char **argv)
{
	struct hook *h = &the_hook;
	struct job job = {.hook = h, .n = argc - 3, .words = argv + 3};
	int status;
	bool bad;

	h->sock = argc > 2 ? (int)strtol(argv[1], NULL, 10) : -1;
	if (argc > 1 && strchr(argv[1], '/')) {
		job.n = argc - 2;
		job.words = argv + 2;
		bad = be_interpreter(h, argc, argv) < 0;
	} else {
		bad = h->sock < 3 || fcntl(h->sock, F_SETFD, FD_CLOEXEC) < 0 || hear_hello(h) < 0;
	}
	if (bad) {
		fprintf(stderr, "%s is started by a container's lxc.hook keys, or runs a hook: "
			"%s /PATH/HOOK\n", argv[0], argv[0]);
		return 2;
	}
	h->lua = lua_newstate(allocate, h);
	if (!h->lua) {
		tell_failure(h, "12", "there is no memory for it", "");
		return 1;
	}
	limit_time(h);
	lua_pushcfunction(h->lua, hook_handle);
	lua_pushcfunction(h->lua, run);
	lua_pushlightuserdata(h->lua, &job);
	status = lua_pcall(h->lua, 1, 0, 1);
	fflush(stdout);
	if (status != LUA_OK)
		report(h, status);
	return status == LUA_OK ? 0 : 1;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The module 'lxc': commands inside a container, its terminals, resources, interfaces, devices. */
#include "module.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* ---- commands ---- */

static const struct {
	const char *name;
	unsigned flag;
} namespaces[] = {
	{"user", LXCORE_NS_USER}, {"mnt", LXCORE_NS_MNT}, {"pid", LXCORE_NS_PID},
	{"uts", LXCORE_NS_UTS},   {"ipc", LXCORE_NS_IPC}, {"net", LXCORE_NS_NET},
	{"cgroup", LXCORE_NS_CGROUP}, {"time", LXCORE_NS_TIME}, {NULL, 0},
}, privileges[] = {
	{"cap", LXCORE_ELEVATE_CAP}, {"cgroup", LXCORE_ELEVATE_CGROUP}, {"lsm", LXCORE_ELEVATE_LSM},
	{NULL, 0},
};

static unsigned flags_of(lua_State *L, const char *option, bool is_namespace)
{
	const char **words = module_vector(L, 2, option);
	unsigned flags = 0;

	for (size_t i = 0; words && words[i]; i++) {
		size_t k = 0;

		while ((is_namespace ? namespaces : privileges)[k].name &&
		       strcmp((is_namespace ? namespaces : privileges)[k].name, words[i]) != 0)
			k++;
		if (!(is_namespace ? namespaces : privileges)[k].name)
			luaL_error(L, "option \"%s\" knows no \"%s\"", option, words[i]);
		flags |= (is_namespace ? namespaces : privileges)[k].flag;
	}
	return flags;
}

/* env = {NAME = VALUE} or {"NAME=VALUE"}: NAME=VALUE strings. */
static const char **environment(lua_State *L)
{
	lua_Integer n = 0;

	if (lua_getfield(L, 2, "env") == LUA_TNIL)
		return NULL;
	luaL_checktype(L, -1, LUA_TTABLE);
	lua_newtable(L); /* from, to */
	for (lua_pushnil(L); lua_next(L, -3); lua_pop(L, 1)) {
		luaL_tolstring(L, -1, NULL); /* from, to, key, value, text */
		if (lua_type(L, -3) == LUA_TSTRING) {
			lua_pushfstring(L, "%s=%s", lua_tostring(L, -3), lua_tostring(L, -1));
			lua_replace(L, -2);
		}
		lua_seti(L, -4, ++n);
	}
	lua_setfield(L, 2, "env");
	return module_vector(L, 2, "env");
}

static void read_how(lua_State *L, struct lxcore_attach *how)
{
	how->command = module_vector(L, 2, NULL);
	how->namespaces = flags_of(L, "namespaces", true);
	how->elevate = flags_of(L, "elevate", false);
	how->remount_sys_proc = module_flag(L, 2, "remount_sys_proc");
	how->arch = module_string(L, 2, "arch", NULL);
	how->uid = (uid_t)module_integer(L, 2, "uid", -1);
	how->gid = (gid_t)module_integer(L, 2, "gid", -1);
	how->clear_env = module_flag(L, 2, "clear_env");
	how->keep_env = module_vector(L, 2, "keep_env");
	how->set_env = environment(L);
	how->cwd = module_string(L, 2, "cwd", NULL);
	how->context = module_string(L, 2, "context", NULL);
	how->terminal = module_flag(L, 2, "terminal");
	how->pty_log = module_string(L, 2, "pty_log", NULL);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

struct text {
	char *s;
	size_t n, room;
};

static bool take_some(int fd, struct text *t)
{
	ssize_t n;

	if (t->room - t->n < 65536) {
		char *more = realloc(t->s, t->room * 2 + 65536);

		if (!more)
			return false;
		t->s = more;
		t->room = t->room * 2 + 65536;
	}
	n = read(fd, t->s + t->n, t->room - t->n);
	if (n > 0)
		t->n += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

/* Read both until they are closed, or the time is over (false). */
static bool read_both(const int fds[2], struct text text[2], long long end_ms)
{
	struct pollfd p[2] = {{.fd = fds[0], .events = POLLIN}, {.fd = fds[1], .events = POLLIN}};

	while (p[0].fd >= 0 || p[1].fd >= 0) {
		long long left = end_ms < 0 ? -1 : end_ms - now_ms();
		int n = end_ms >= 0 && left <= 0 ? 0 : poll(p, 2, (int)left);

		if (n == 0)
			return false;
		for (int i = 0; n > 0 && i < 2; i++)
			if (p[i].fd >= 0 && p[i].revents && !take_some(p[i].fd, &text[i]))
				p[i].fd = -1;
	}
	return true;
}

static int input_of(const char *text, size_t n)
{
	int fd = text ? memfd_create("input", MFD_CLOEXEC) : open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < n;) {
		ssize_t wrote = write(fd, text + done, n - done);

		if (wrote <= 0)
			break;
		done += (size_t)wrote;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/*
 * Run it with its output in pipes.  1: it ran; 0: its time was over; -1 with the error.  The text is
 * malloc's, for the caller to free.
 */
static int run_captured(lxcore_container *c, struct lxcore_attach *how, const char *input, size_t n,
			long long seconds, struct text text[2], int *ret_status, lxcore_error *err)
{
	int fds[5] = {-1, -1, -1, -1, -1}; /* out: read, write; err: read, write; input */
	long long end = seconds > 0 ? now_ms() + seconds * 1000 : -1;
	pid_t pid = -1;
	bool ended;

	fds[4] = input_of(input, n);
	if (fds[4] < 0 || pipe2(fds, O_CLOEXEC) < 0 || pipe2(fds + 2, O_CLOEXEC) < 0) {
		lxcore_error_set(err, errno, "cannot make a pipe", NULL);
		close_all(fds, 5);
		return -1;
	}
	memcpy(how->std_fds, (int[]){fds[4], fds[1], fds[3]}, sizeof(how->std_fds));
	if (lxcore_attach_nowait(c, how, &pid, err) < 0) {
		close_all(fds, 5);
		return -1;
	}
	close(fds[1]);
	close(fds[3]);
	close(fds[4]);
	ended = read_both((int[]){fds[0], fds[2]}, text, end);
	if (!ended)
		kill(pid, SIGKILL);
	close(fds[0]);
	close(fds[2]);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return ended;
}

/*
 * attach{COMMAND..., capture = true}: a table with status or signal, ok and, when captured, out and
 * err.
 */
static int attach(lua_State *L)
{
	static const char *const options[] = {
		"capture", "input", "env", "keep_env", "clear_env", "cwd", "uid", "gid", "arch",
		"context", "namespaces", "elevate", "timeout", "terminal", "pty_log",
		"remount_sys_proc", NULL,
	};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_attach how = LXCORE_ATTACH_INIT;
	struct text text[2] = {{0}};
	const char *input;
	size_t n_input = 0;
	lua_Integer seconds;
	lxcore_error *err;
	int status = 0, result;
	bool capture;

	module_check_options(L, 2, options);
	read_how(L, &how);
	capture = module_flag(L, 2, "capture");
	input = module_string(L, 2, "input", NULL);
	if (input)
		input = lua_tolstring(L, -1, &n_input);
	seconds = module_integer(L, 2, "timeout", 0);
	if (capture && (how.terminal || !how.command))
		return luaL_error(L, "what is captured needs a command, and no terminal");
	if (!capture && (input || seconds))
		return luaL_error(L, "options \"input\" and \"timeout\" go with \"capture\"");
	err = module_error(L);
	result = capture ? run_captured(c, &how, input, n_input, seconds, text, &status, err) :
			   lxcore_attach(c, &how, &status, err);
	if (result == 0 && capture) {
		result = lxcore_error_set(err, ETIMEDOUT,
					  "the command did not end in time and was killed", NULL);
	}
	if (result < 0) {
		free(text[0].s);
		free(text[1].s);
		return module_raise(L, err);
	}
	lua_createtable(L, 0, 5);
	if (capture) {
		lua_pushlstring(L, text[0].s ? text[0].s : "", text[0].n);
		lua_setfield(L, -2, "out");
		lua_pushlstring(L, text[1].s ? text[1].s : "", text[1].n);
		lua_setfield(L, -2, "err");
	}
	free(text[0].s);
	free(text[1].s);
	if (WIFEXITED(status))
		module_set_integer(L, "status", WEXITSTATUS(status));
	else
		module_set_integer(L, "signal", WTERMSIG(status));
	module_set_flag(L, "ok", status == 0);
	return 1;
}

/* ---- terminals ---- */

/* console{tty =, escape =}: until the user leaves it */
static int console(lua_State *L)
{
	static const char *const options[] = {"tty", "escape", NULL};
	lxcore_container *c = module_container(L, 1);
	struct lxcore_console how = LXCORE_CONSOLE_INIT;
	lxcore_error *err;

	module_check_options(L, 2, options);
	how.tty = (int)module_integer(L, 2, "tty", -1);
	how.escape = (int)module_integer(L, 2, "escape", 1);
	err = module_error(L);
	return lxcore_console(c, &how, err) < 0 ? module_raise(L, err) : 0;
}

static int close_stream(lua_State *L)
{
	luaL_Stream *s = luaL_checkudata(L, 1, LUA_FILEHANDLE);

	return luaL_fileresult(L, fclose(s->f) == 0, NULL);
}

static luaL_Stream *new_stream(lua_State *L)
{
	luaL_Stream *s = lua_newuserdatauv(L, sizeof(*s), 0);

	s->closef = NULL;
	s->f = NULL;
	luaL_setmetatable(L, LUA_FILEHANDLE);
	return s;
}

static void open_stream(luaL_Stream *s, int fd, const char *mode)
{
	s->f = fdopen(fd, mode);
	if (s->f)
		s->closef = close_stream;
	else
		close(fd);
}

/* open_tty([TTY]): a file to read and write, its number, and a file that holds it until it is closed */
static int open_tty(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	int tty = (int)luaL_optinteger(L, 2, -1), hold = -1, fd;
	lxcore_error *err = module_error(L);
	luaL_Stream *stream = new_stream(L), *holder = new_stream(L);

	fd = lxcore_console_fd(c, &tty, &hold, err);
	if (fd < 0)
		return module_raise(L, err);
	open_stream(stream, fd, "r+");
	if (hold >= 0)
		open_stream(holder, hold, "r");
	if (stream->f)
		setvbuf(stream->f, NULL, _IONBF, 0);
	lua_pushinteger(L, tty);
	lua_insert(L, -2);
	return 3;
}

static int console_log(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	bool clear = lua_toboolean(L, 2);
	lxcore_error *err = module_error(L);
	char *text = NULL;
	size_t n = 0;

	if (lxcore_console_log(c, clear, &text, &n, err) < 0)
		return module_raise(L, err);
	lua_pushlstring(L, text ? text : "", n);
	free(text);
	return 1;
}

static int console_resize(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	int rows = (int)luaL_checkinteger(L, 2), columns = (int)luaL_checkinteger(L, 3);
	lxcore_error *err = module_error(L);

	return lxcore_console_resize(c, rows, columns, err) < 0 ? module_raise(L, err) : 0;
}

/* ---- resources ---- */

static int cgroup_get(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *file = luaL_checkstring(L, 2);
	lxcore_error *err = module_error(L);
	char *value = NULL;

	if (lxcore_cgroup_get(c, file, &value, err) < 0)
		return module_raise(L, err);
	module_push_text(L, value);
	return 1;
}

static int cgroup_set(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	const char *file = luaL_checkstring(L, 2), *value = luaL_checkstring(L, 3);
	lxcore_error *err = module_error(L);

	return lxcore_cgroup_set(c, file, value, err) < 0 ? module_raise(L, err) : 0;
}

static int stats(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	struct lxcore_stats s;

	if (lxcore_stats(c, &s, err) < 0)
		return module_raise(L, err);
	const struct {
		const char *name;
		int64_t value;
	} all[] = {
		{"cpu_ns", s.cpu_ns}, {"memory", s.memory},     {"swap", s.swap},
		{"pids", s.pids},     {"block_io", s.block_io}, {"kernel_memory", s.kernel_memory},
	};

	lua_createtable(L, 0, 6);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i].value >= 0)
			module_set_integer(L, all[i].name, all[i].value);
	return 1;
}

void module_push_interfaces(lua_State *L, const struct lxcore_interface *list, int n)
{
	lua_createtable(L, n, 0);
	for (int i = 0; i < n; i++) {
		lua_createtable(L, 0, 6);
		module_set_string(L, "name", list[i].name);
		if (list[i].host_name)
			module_set_string(L, "host_name", list[i].host_name);
		module_push_list(L, (const char *const *)list[i].ipv4);
		lua_setfield(L, -2, "ipv4");
		module_push_list(L, (const char *const *)list[i].ipv6);
		lua_setfield(L, -2, "ipv6");
		module_set_integer(L, "rx_bytes", (lua_Integer)list[i].rx_bytes);
		module_set_integer(L, "tx_bytes", (lua_Integer)list[i].tx_bytes);
		lua_seti(L, -2, i + 1);
	}
}

static int interfaces(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	struct lxcore_interface *list = NULL;
	int n = lxcore_interfaces(c, &list, err);

	if (n < 0)
		return module_raise(L, err);
	module_push_interfaces(L, list, n);
	lxcore_interfaces_free(list, n);
	return 1;
}

static int published(lua_State *L)
{
	lxcore_container *c = module_container(L, 1);
	lxcore_error *err = module_error(L);
	char **list = NULL;

	if (lxcore_published(c, &list, err) < 0)
		return module_raise(L, err);
	module_push_list(L, (const char *const *)list);
	lxcore_names_free(list);
	return 1;
}

static int two_names(lua_State *L, int (*act)(lxcore_container *, const char *, const char *,
					      lxcore_error *))
{
	lxcore_container *c = module_container(L, 1);
	const char *one = luaL_checkstring(L, 2), *other = luaL_optstring(L, 3, NULL);
	lxcore_error *err = module_error(L);

	return act(c, one, other, err) < 0 ? module_raise(L, err) : 0;
}

static int device_add(lua_State *L)
{
	return two_names(L, lxcore_device_add);
}

static int device_remove(lua_State *L)
{
	return two_names(L, lxcore_device_remove);
}

static int interface_add(lua_State *L)
{
	return two_names(L, lxcore_interface_add);
}

static int interface_remove(lua_State *L)
{
	return two_names(L, lxcore_interface_remove);
}

const luaL_Reg module_inside_functions[] = {
	{"attach", attach},           {"console", console},       {"open_tty", open_tty},
	{"console_log", console_log}, {"console_resize", console_resize},
	{"cgroup_get", cgroup_get},   {"cgroup_set", cgroup_set}, {"stats", stats},
	{"interfaces", interfaces},   {"published", published},   {"device_add", device_add},
	{"device_remove", device_remove}, {"interface_add", interface_add},
	{"interface_remove", interface_remove}, {NULL, NULL},
};

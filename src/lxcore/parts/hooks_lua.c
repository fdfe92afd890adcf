/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks in Lua: a small program of ours runs each, started like any other hook, with one socket more
 * (hooks_talk.h).  Nothing here knows Lua, so a container without such hooks never loads it.
 *
 * The program and the script are executed and read by descriptors: a start hook runs where neither can
 * be seen, and a module of lxc.hook.lua is opened once, before anything of the container exists.
 */
#include "parts/hooks_lua.h"
#include "base/auto.h"
#include "base/fd.h"
#include "storage/storage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define GRACE_MS 1000 /* within which it says itself that its time is over, and where it was */

/* Its first line names our program: so it can also be executed, and keep a name without ending. */
static bool says_lua(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char head[256];
	ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head) - 1, 0);

	if (n < 2)
		return false;
	head[n] = '\0';
	head[strcspn(head, "\n")] = '\0';
	return str_starts(head, "#!") && str_ends(head, "/" HOOKS_HELPER);
}

bool hooks_is_lua(const char *value)
{
	size_t n = strcspn(value, " \t");
	autofree char *path = NULL;

	if (str_starts(value, "lua:") || (n > 4 && strncmp(value + n - 4, ".lua", 4) == 0))
		return true;
	path = *value == '/' ? strndup(value, n) : NULL;
	return path && says_lua(path);
}

static int split_value(const char *value, struct strv *words, struct error *err)
{
	if (strv_split_quoted(words, value + (str_starts(value, "lua:") ? 4 : 0)) < 0)
		return error_set(err, EINVAL, "cannot read \"%s\": a quote is not closed", value);
	return words->n ? 0 : error_set(err, EINVAL, "\"%s\" names no file", value);
}

char *hooks_lua_file(const char *value)
{
	autostrv struct strv words = {0};

	return split_value(value, &words, NULL) < 0 ? NULL : strdup(words.v[0]);
}

int hooks_open_script(const char *file, const char *key, struct error *err)
{
	autoclose int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return steal_fd(&fd);
	if (fd >= 0)
		errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	error_sys(err, "cannot read the Lua hook \"%s\" (%s)", file, key);
	return error_mend(err, "put a Lua file there, or remove that line");
}

int hooks_check_lua(const char *file, const char *key, struct error *err)
{
	autoclose int fd = -1;

	if (access(HOOKS_PROGRAM, X_OK) < 0) {
		error_sys(err, "cannot run Lua hooks (%s): \"%s\"", key, HOOKS_PROGRAM);
		return error_mend(err, "install what lxcore has for Lua");
	}
	if (file)
		fd = hooks_open_script(file, key, err);
	return file && fd < 0 ? -1 : 0;
}

/* ---- what it is told ---- */

static const char *place_of(enum hook_moment moment)
{
	return moment == HOOK_START ? "inside" :
	       moment == HOOK_PRE_MOUNT || moment == HOOK_MOUNT || moment == HOOK_AUTODEV ?
	       "mounts" : "host";
}

static const char *state_of(enum hook_moment moment)
{
	switch (moment) {
	case HOOK_STOP:
		return "STOPPING";
	case HOOK_READY:
		return "RUNNING";
	case HOOK_CREATE:
	case HOOK_CLONE:
	case HOOK_SNAPSHOT:
	case HOOK_DESTROY:
	case HOOK_POST_STOP:
		return "STOPPED";
	case HOOK_NET_DOWN:
		return "STOPPING";
	default:
		return "STARTING";
	}
}

/* LXCPATH/NAME/config; to be freed. */
static char *lxcpath_of(const struct hook_call *call)
{
	const char *file = conf_file(call->conf);
	char *path = strdup(call->lxcpath ? call->lxcpath : file ? file : "");

	for (int i = 0; path && !call->lxcpath && i < 2; i++)
		path[strrchr(path, '/') ? strrchr(path, '/') - path : 0] = '\0';
	return path;
}

/* The container's root as it can be reached: by its path, or through its init. To be freed. */
static char *root_path(enum hook_moment moment, const struct hook_call *call)
{
	autobuf struct buf path = BUF_INIT;

	if (moment == HOOK_START)
		return strdup("/");
	if (call->root)
		return strdup(call->root);
	if (call->pid > 0 && (moment == HOOK_START_HOST || moment == HOOK_READY))
		return str_printf("/proc/%d/root", call->pid);
	if (conf_get(call->conf, "lxc.rootfs.path", &path, NULL) < 0 || !path.len)
		return strdup("");
	return buf_steal(&path);
}

struct start {
	enum hook_moment moment;
	const struct hook_call *call;
	const char *file;
	struct hooks_module *module; /* or NULL */
	bool is_module;
	size_t own, fixed; /* words */
	int script;
};

static int say_hello(const struct start *s, int sock, struct error *err)
{
	const struct hooks_conf *c = conf_of(s->call->conf, &hooks_section);
	autofree char *lxcpath = lxcpath_of(s->call), *root = root_path(s->moment, s->call);
	char seconds[16], bytes[32], pid[16], own[16], fixed[16];
	autoclose int root_fd = root && *root == '/' ?
				open(root, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;

	snprintf(seconds, sizeof(seconds), "%u", c->timeout);
	snprintf(bytes, sizeof(bytes), "%llu", c->memory);
	snprintf(pid, sizeof(pid), "%d", s->call->pid);
	snprintf(own, sizeof(own), "%zu", s->own);
	snprintf(fixed, sizeof(fixed), "%zu", s->fixed);
	if (!lxcpath || !root)
		return error_set(err, ENOMEM, "out of memory");
	const char *const words[N_HELLO] = {
		[HELLO_NAME] = s->call->name,
		[HELLO_LXCPATH] = lxcpath,
		[HELLO_MOMENT] = hooks_moment_name(s->moment),
		[HELLO_STATE] = s->call->state ? s->call->state : state_of(s->moment),
		[HELLO_SCRIPT] = s->file,
		[HELLO_MODULE] = s->is_module ? "1" : "0",
		[HELLO_SECONDS] = seconds,
		[HELLO_BYTES] = bytes,
		[HELLO_PID] = pid,
		[HELLO_ROOT] = root,
		[HELLO_PLACE] = place_of(s->moment),
		[HELLO_OWN] = own,
		[HELLO_FIXED] = fixed,
		[HELLO_CONFIG] = !s->call->change ? "" : s->call->keep ? "kept" : "boot",
	};

	return hooks_talk_hello(sock, words, s->script, root_fd, err);
}

/* ---- running ---- */

static int say_why(const struct start *s, const struct hooks_talk *talk, int status,
		   const struct buf *said, struct error *err)
{
	const char *moment = hooks_moment_name(s->moment);
	autobuf struct buf words = BUF_INIT;
	char how[64];

	if (talk->failed) {
		error_set(err, talk->why.code, "hook %s \"%s\": %s", moment, s->file,
			  talk->why.text);
		if (talk->why.mend[0])
			error_mend(err, "%s", talk->why.mend);
		return -1;
	}
	hooks_add_last_words(&words, said);
	return error_set(err, ECANCELED, "hook %s \"%s\" ended with %s%s", moment, s->file,
			 proc_status_text(status, how), words.s ? words.s : "");
}

static int run(const struct start *s, const struct strv *words, const struct strv *env,
	       int sock[2], struct error *err)
{
	const struct hooks_conf *c = conf_of(s->call->conf, &hooks_section);
	struct hooks_talk talk = {.moment = s->moment, .call = s->call, .module = s->module};
	autobuf struct buf said = BUF_INIT;
	autostrv struct strv argv = {0};
	char number[16];
	struct proc_run how = {
		.set_env = env, .keep_fd = sock[1], .timeout_ms = (int)c->timeout * 1000 + GRACE_MS,
		.dies_with_us = true, .program = s->call->boot ? s->call->boot->program : 0,
		.talk_fd = sock[0], .talk = hooks_talk_answer, .talk_data = &talk,
	};
	int status = 0;

	snprintf(number, sizeof(number), "%d", sock[1]);
	status |= strv_add(&argv, HOOKS_PROGRAM) | strv_add(&argv, number);
	for (size_t i = 0; i < words->n; i++)
		status |= strv_add(&argv, words->v[i]);
	how.argv = (const char *const *)argv.v;
	if (status < 0)
		return error_set(err, ENOMEM, "out of memory");
	status = proc_run(&how, &said, err);
	if (status == 0)
		return 0;
	if (status > 0)
		return say_why(s, &talk, status, &said, err);
	if (err && err->code == ETIMEDOUT) {
		error_set(err, ETIMEDOUT, "it did not end within %u seconds and was killed",
			  c->timeout);
		error_mend(err, "lxc.hook.timeout = %u      (seconds, when it needs longer)",
			   c->timeout * 2);
	}
	return error_within(err, "hook %s \"%s\"", hooks_moment_name(s->moment), s->file);
}

static int start(const struct start *s, const struct strv *words, const struct strv *env,
		 struct error *err)
{
	int sock[2], result;

	if (fd_socketpair(sock) < 0)
		return error_sys(err, "cannot make a socket for the hook");
	result = say_hello(s, sock[0], err);
	if (result == 0)
		result = run(s, words, env, sock, err);
	close(sock[0]);
	close(sock[1]);
	return result;
}

int hooks_run_lua(enum hook_moment moment, const struct hook_call *call, const char *value,
		  size_t module, const struct strv *env, struct error *err)
{
	const struct hooks_conf *c = conf_of(call->conf, &hooks_section);
	const bool kept = !value && call->boot && module < call->boot->n_modules;
	struct hooks_module unkept = {.script = -1};
	struct hooks_module *m = kept ? &call->boot->modules[module] : value ? NULL : &unkept;
	struct start s = {
		.moment = moment, .call = call, .is_module = !value, .module = m, .script = -1,
	};
	autostrv struct strv words = {0};
	autoclose int opened = -1;
	autofree char *key = str_printf("lxc.hook.%s", value ? hooks_moment_name(moment) : "lua");

	if (m && m->known && !(m->moments & (1u << moment)))
		return 0;
	if (value ? split_value(value, &words, err) < 0 : strv_add(&words, c->modules.v[module]) < 0)
		return -1;
	s.own = words.n - 1;
	hooks_fixed_words(moment, call, &words);
	s.fixed = words.n - 1 - s.own;
	if (!call->net && call->args)
		s.fixed -= call->args->n;
	s.file = words.v[0];
	if (!m || m->script < 0)
		opened = hooks_open_script(s.file, key ? key : "lxc.hook", err);
	s.script = opened >= 0 ? opened : m ? m->script : -1;
	if (s.script < 0 || start(&s, &words, env, err) < 0)
		return -1;
	if (call->ret_ran && m && (m->moments & (1u << moment)))
		*call->ret_ran = true;
	return 0;
}

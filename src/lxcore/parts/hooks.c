/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks: the user's own programs at certain moments of a container's life.
 *
 * A hook is a line of shell, run with fixed words behind it or, with lxc.hook.version = 1, with the
 * same in its environment.  What it writes is kept and shown only when it fails.  Hooks on the host
 * get the environment of whoever started the container; those inside, what lxc.environment adds.
 * One that names a Lua file is run by a program of ours instead (hooks_lua.c).
 */
#include "base/auto.h"
#include "parts/hooks_lua.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define SHOWN_OUTPUT 400 /* the end of what a failed hook said, as far as an error can hold it */

static const char *const moment_names[HOOK_N_MOMENTS] = {
	"pre-start", "pre-mount", "mount", "autodev", "start", "start-host", "stop", "post-stop",
	"clone", "destroy", "create", "snapshot", "ready", "net-up", "net-down",
};

/* ---- keys ---- */

static int set_hook(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	autofree char *file = hooks_is_lua(value) ? hooks_lua_file(value) : NULL;

	if (hooks_is_lua(value) && !file)
		return error_set(err, EINVAL, "\"%s\" names no Lua file", value);
	return conf_list.set(field, key, sub, value, err);
}

static void get_hook(const void *field, const struct conf_key *key, const char *sub,
		     struct buf *out)
{
	conf_list.get(field, key, sub, out);
}

static void clear_hook(void *field, const struct conf_key *key, const char *sub)
{
	conf_list.clear(field, key, sub);
}

static const struct conf_type type_hook = {"COMMAND", set_hook, get_hook, clear_hook, NULL};
static const struct conf_range versions = {0, 1}, timeouts = {1, 86400};

#define LEAST_MEMORY (1ull << 20)

static int set_memory(void *field, const struct conf_key *key, const char *sub, const char *value,
		      struct error *err)
{
	unsigned long long bytes;

	if (conf_size.set(&bytes, key, sub, value, err) < 0)
		return -1;
	if (bytes < LEAST_MEMORY || bytes == CONF_SIZE_AUTO)
		return error_set(err, EINVAL, "\"%s\" is too little: at least 1M is needed", value);
	*(unsigned long long *)field = bytes;
	return 0;
}

static void get_memory(const void *field, const struct conf_key *key, const char *sub,
		       struct buf *out)
{
	conf_size.get(field, key, sub, out);
}

static void clear_memory(void *field, const struct conf_key *key, const char *sub)
{
	conf_size.clear(field, key, sub);
}

static const struct conf_type type_memory = {"SIZE", set_memory, get_memory, clear_memory,
					     conf_replaces};

#define HOOK(name, moment, text) \
	{"lxc.hook." name, &type_hook, offsetof(struct hooks_conf, list[moment]), .summary = text}
static const struct conf_key keys[] = {
	HOOK("pre-start", HOOK_PRE_START, "Run on the host before anything of the container exists."),
	HOOK("pre-mount", HOOK_PRE_MOUNT,
	     "Run in the container's namespaces before its root filesystem is mounted."),
	HOOK("mount", HOOK_MOUNT,
	     "Run in the container's namespaces when everything is mounted, below LXC_ROOTFS_MOUNT."),
	HOOK("autodev", HOOK_AUTODEV,
	     "Run like mount, after the fresh /dev was mounted (lxc.autodev)."),
	HOOK("start-host", HOOK_START_HOST, "Run on the host just before init starts."),
	HOOK("start", HOOK_START, "Run inside the container just before init starts."),
	HOOK("stop", HOOK_STOP, "Run on the host when the container has ended."),
	HOOK("post-stop", HOOK_POST_STOP,
	     "Run on the host when everything of the container was given back."),
	HOOK("clone", HOOK_CLONE, "Run on the new container when it was copied."),
	HOOK("destroy", HOOK_DESTROY, "Run on the host before the container is destroyed."),
	HOOK("create", HOOK_CREATE, "Run on the host when the container was made, template and all."),
	HOOK("snapshot", HOOK_SNAPSHOT, "Run on the host when a snapshot of the container was taken."),
	HOOK("ready", HOOK_READY,
	     "Run on the host to learn whether the container is ready (lxc-start --wait=ready)."),
	{"lxc.hook.lua", &conf_list, offsetof(struct hooks_conf, modules), .syntax = "FILE",
	 .summary = "Lua module: it returns a table of functions by moment (pre_start, net_up ...)."},
	{"lxc.hook.version", &conf_uint, offsetof(struct hooks_conf, version), .extra = &versions,
	 .preset = "0", .syntax = "0|1",
	 .summary = "0: hooks get NAME, SECTION and TYPE as arguments; 1: in the environment."},
	{"lxc.hook.timeout", &conf_uint, offsetof(struct hooks_conf, timeout), .extra = &timeouts,
	 .preset = "30", .syntax = "SECONDS",
	 .summary = "Seconds after which a hook that has not ended is killed and has failed."},
	{"lxc.hook.memory", &type_memory, offsetof(struct hooks_conf, memory), .preset = "64M",
	 .summary = "Memory that a hook in Lua may use."},
	{NULL},
};
const struct conf_section hooks_section = {"hooks", sizeof(struct hooks_conf), keys};

const char *hooks_moment_name(enum hook_moment moment)
{
	return moment_names[moment];
}

int hooks_moment_of(const char *name)
{
	for (int i = 0; i < HOOK_N_MOMENTS; i++) {
		const char *a = moment_names[i], *b = name;

		while (*a && (*a == *b || (*a == '-' && *b == '_'))) {
			a++;
			b++;
		}
		if (!*a && !*b)
			return i;
	}
	return -1;
}

bool hooks_any(const struct conf *c, enum hook_moment moment)
{
	const struct hooks_conf *s = conf_of(c, &hooks_section);

	return s->list[moment].n > 0 || s->modules.n > 0;
}

/* ---- what a hook is told ---- */

static void add_config_value(struct strv *env, const struct conf *c, const char *key,
			     const char *variable)
{
	autobuf struct buf value = BUF_INIT;

	if (conf_get(c, key, &value, NULL) == 0 && value.len)
		strv_take(env, str_printf("%s=%s", variable, value.s));
}

static void add_lines(struct strv *env, const struct conf *c, const char *key)
{
	autobuf struct buf value = BUF_INIT;

	if (conf_get(c, key, &value, NULL) == 0 && value.len)
		strv_split(env, value.s, "\n");
}

static void collect_env(enum hook_moment moment, const struct hook_call *call, struct strv *env)
{
	const struct hooks_conf *s = conf_of(call->conf, &hooks_section);
	const char *file = conf_file(call->conf);

	strv_take(env, str_printf("LXC_NAME=%s", call->name));
	if (file)
		strv_take(env, str_printf("LXC_CONFIG_FILE=%s", file));
	add_config_value(env, call->conf, "lxc.rootfs.mount", "LXC_ROOTFS_MOUNT");
	add_config_value(env, call->conf, "lxc.rootfs.path", "LXC_ROOTFS_PATH");
	add_config_value(env, call->conf, "lxc.console.path", "LXC_CONSOLE");
	add_config_value(env, call->conf, "lxc.console.logfile", "LXC_CONSOLE_LOGPATH");
	add_config_value(env, call->conf, "lxc.log.level", "LXC_LOG_LEVEL");
	strv_add(env, "LXC_CGNS_AWARE=1");
	strv_take(env, str_printf("LXC_HOOK_VERSION=%u", s->version));
	if (s->version == 1) {
		strv_add(env, "LXC_HOOK_SECTION=lxc");
		strv_take(env, str_printf("LXC_HOOK_TYPE=%s", moment_names[moment]));
	}
	for (size_t i = 0; call->env && i < call->env->n; i++)
		strv_add(env, call->env->v[i]);
	if (call->inside) {
		add_lines(env, call->conf, "lxc.environment");
		add_lines(env, call->conf, "lxc.environment.hooks");
	}
}

void hooks_fixed_words(enum hook_moment moment, const struct hook_call *call, struct strv *out)
{
	const struct hooks_conf *s = conf_of(call->conf, &hooks_section);

	if (s->version == 0 && !call->net) {
		strv_add(out, call->name);
		strv_add(out, "lxc");
		strv_add(out, moment_names[moment]);
	}
	for (size_t i = 0; call->args && i < call->args->n; i++)
		strv_add(out, call->args->v[i]);
}

/* The value is shell as its author wrote it: words behind the program are its first arguments. */
static char *shell_text(enum hook_moment moment, const struct hook_call *call, const char *value)
{
	const struct hooks_conf *s = conf_of(call->conf, &hooks_section);
	autobuf struct buf text = BUF_INIT;

	buf_addf(&text, "exec %s", value);
	if (s->version == 0)
		buf_addf(&text, " '%s' 'lxc' '%s'", call->name, moment_names[moment]);
	for (size_t i = 0; call->args && i < call->args->n; i++)
		buf_addf(&text, " %s", call->args->v[i]);
	return buf_steal(&text);
}

/* ---- running ---- */

void hooks_add_last_words(struct buf *out, const struct buf *said)
{
	size_t end = said->len, start;

	while (end && isspace((unsigned char)said->s[end - 1]))
		end--;
	start = end > SHOWN_OUTPUT ? end - SHOWN_OUTPUT : 0;
	if (end)
		buf_puts(out, start ? "; it said: ..." : "; it said: ");
	for (size_t i = start; i < end; i++) {
		unsigned char c = (unsigned char)said->s[i];

		if (c == '\n')
			buf_puts(out, " / ");
		else
			buf_add(out, c < 0x20 || c == 0x7f ? "?" : (char *)&c, 1);
	}
}

static int run_one(enum hook_moment moment, const struct hook_call *call, const char *value,
		   const struct strv *env, struct error *err)
{
	const struct hooks_conf *s = conf_of(call->conf, &hooks_section);
	autofree char *text = shell_text(moment, call, value);
	const char *argv[] = {"/bin/sh", "-c", text, NULL};
	struct proc_run run = {.argv = argv, .set_env = env, .timeout_ms = (int)s->timeout * 1000,
			       .airlock = call->airlock, .dies_with_us = true};
	autobuf struct buf said = BUF_INIT, words = BUF_INIT;
	char how[64];
	int status = text ? proc_run(&run, &said, err) : error_set(err, ENOMEM, "out of memory");

	if (status == 0)
		return 0;
	if (status < 0) {
		bool late = err && err->code == ETIMEDOUT;

		error_within(err, "hook %s \"%s\"", moment_names[moment], value);
		return late ? error_mend(err, "lxc.hook.timeout = %u      (seconds, when it needs "
					 "longer)", s->timeout * 2) : -1;
	}
	hooks_add_last_words(&words, &said);
	error_set(err, ECANCELED, "hook %s \"%s\" ended with %s%s", moment_names[moment], value,
		  proc_status_text(status, how), words.s ? words.s : "");
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 127 || WEXITSTATUS(status) == 126))
		return error_mend(err, "make it an executable file, or remove lxc.hook.%s",
				  moment_names[moment]);
	return -1;
}

int hooks_run(enum hook_moment moment, const struct hook_call *call, struct error *err)
{
	const struct hooks_conf *s = conf_of(call->conf, &hooks_section);
	autostrv struct strv env = {0};

	if (!hooks_any(call->conf, moment))
		return 0;
	if (s->list[moment].n && call->ret_ran)
		*call->ret_ran = true;
	collect_env(moment, call, &env);
	for (size_t i = 0; i < s->list[moment].n; i++) {
		const char *value = s->list[moment].v[i];

		if ((hooks_is_lua(value) ? hooks_run_lua(moment, call, value, 0, &env, err) :
					   run_one(moment, call, value, &env, err)) < 0)
			return -1;
	}
	for (size_t i = 0; i < s->modules.n; i++)
		if (hooks_run_lua(moment, call, NULL, i, &env, err) < 0)
			return -1;
	return 0;
}

int hooks_run_net(const struct net_hook *n, struct error *err)
{
	const struct hooks_conf *s = conf_of(n->conf, &hooks_section);
	const struct hook_call call = {
		.conf = n->conf, .name = n->name, .lxcpath = n->lxcpath, .args = n->words,
		.pid = n->pid, .net = true, .boot = n->hooks,
	};
	const enum hook_moment moment = (enum hook_moment)hooks_moment_of(n->moment);
	autostrv struct strv env = {0};

	if (!n->value && !s->modules.n)
		return 0;
	collect_env(moment, &call, &env);
	for (size_t i = 0; n->env && i < n->env->n; i++)
		strv_add(&env, n->env->v[i]);
	if (n->value)
		return hooks_run_lua(moment, &call, n->value, 0, &env, err);
	for (size_t i = 0; i < s->modules.n; i++)
		if (hooks_run_lua(moment, &call, NULL, i, &env, err) < 0)
			return -1;
	return 0;
}

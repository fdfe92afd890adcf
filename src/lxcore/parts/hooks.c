/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Hooks: the user's own programs at certain moments of a container's life.
 *
 * A hook is a line of shell, run with fixed words behind it or, with lxc.hook.version = 1, with the
 * same in its environment.  What it writes is kept and shown only when it fails.  Hooks on the host
 * get the environment of whoever started the container; those inside, what lxc.environment adds.
 */
#include "parts/hooks.h"
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SHOWN_OUTPUT 400 /* the end of what a failed hook said, as far as an error can hold it */

struct hooks_conf {
	struct strv list[HOOK_N_MOMENTS];
	unsigned version, timeout;
};

static const char *const moment_names[HOOK_N_MOMENTS] = {
	"pre-start", "pre-mount", "mount", "autodev", "start", "start-host", "stop", "post-stop",
	"clone", "destroy",
};

/* ---- keys ---- */

static int set_hook(void *field, const struct conf_key *key, const char *sub, const char *value,
		    struct error *err)
{
	size_t n = strcspn(value, " \t");

	if (n > 4 && strncmp(value + n - 4, ".lua", 4) == 0)
		return error_set(err, ENOTSUP, "\"%.*s\" is a Lua hook, which is not supported yet; "
				 "start it as a program: lua5.4 %s", (int)n, value, value);
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
	{"lxc.hook.version", &conf_uint, offsetof(struct hooks_conf, version), .extra = &versions,
	 .preset = "0", .syntax = "0|1",
	 .summary = "0: hooks get NAME, SECTION and TYPE as arguments; 1: in the environment."},
	{"lxc.hook.timeout", &conf_uint, offsetof(struct hooks_conf, timeout), .extra = &timeouts,
	 .preset = "300", .syntax = "SECONDS",
	 .summary = "Seconds after which a hook that has not ended is killed and has failed."},
	{NULL},
};
const struct conf_section hooks_section = {"hooks", sizeof(struct hooks_conf), keys};

const char *hooks_moment_name(enum hook_moment moment)
{
	return moment_names[moment];
}

bool hooks_any(const struct conf *c, enum hook_moment moment)
{
	const struct hooks_conf *s = conf_of(c, &hooks_section);

	return s->list[moment].n > 0;
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

/* The end of what it said, on one line; nothing in it may steer the terminal that shows it. */
static void add_last_words(struct buf *out, const struct buf *said)
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
			       .airlock = call->airlock};
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
	add_last_words(&words, &said);
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

	if (!s->list[moment].n)
		return 0;
	collect_env(moment, call, &env);
	for (size_t i = 0; i < s->list[moment].n; i++)
		if (run_one(moment, call, s->list[moment].v[i], &env, err) < 0)
			return -1;
	return 0;
}

/* ---- as parts of a boot ---- */

static int run_in_boot(enum hook_moment moment, struct boot *b, bool inside, struct error *err)
{
	struct hook_call call = {
		.conf = b->conf, .name = b->name, .inside = inside,
		.airlock = moment == HOOK_START ? b->own_init : 0,
	};
	autostrv struct strv env = {0};

	if (!hooks_any(b->conf, moment))
		return 0;
	for (size_t i = 0; i < b->hook_env.n; i++)
		strv_add(&env, b->hook_env.v[i]);
	if (b->root_mount)
		strv_take(&env, str_printf("LXC_ROOTFS_MOUNT=%s", b->root_mount));
	if (b->init.pid > 0 && !inside)
		strv_take(&env, str_printf("LXC_PID=%d", b->init.pid));
	call.env = &env;
	return hooks_run(moment, &call, err);
}

static int prepare_pre_start(struct boot *b, struct error *err)
{
	return run_in_boot(HOOK_PRE_START, b, false, err);
}

static int enter_pre_mount(struct boot *b, struct error *err)
{
	return run_in_boot(HOOK_PRE_MOUNT, b, true, err);
}

static int enter_mount(struct boot *b, struct error *err)
{
	return run_in_boot(HOOK_MOUNT, b, true, err);
}

static int enter_autodev(struct boot *b, struct error *err)
{
	autobuf struct buf autodev = BUF_INIT;

	conf_get(b->conf, "lxc.autodev", &autodev, NULL);
	if (autodev.len && strcmp(autodev.s, "0") == 0)
		return 0;
	return run_in_boot(HOOK_AUTODEV, b, true, err);
}

/* A first start hook that is not there is the commonest mistake: its path is one inside. */
static int check_start_hook(const struct boot *b, struct error *err)
{
	const struct hooks_conf *s = conf_of(b->conf, &hooks_section);
	const char *value = s->list[HOOK_START].n ? s->list[HOOK_START].v[0] : "";
	autofree char *path = strndup(value, strcspn(value, " \t"));

	if (!path || *path != '/' || access(path, X_OK) == 0)
		return 0;
	error_sys(err, "cannot run hook start \"%s\" inside the container", path);
	return error_mend(err, "its path is one inside the container: lxc.hook.start-host runs "
			       "programs of the host");
}

static int enter_start(struct boot *b, struct error *err)
{
	if (check_start_hook(b, err) < 0)
		return -1;
	return run_in_boot(HOOK_START, b, true, err);
}

/* ---- the end ---- */

struct hooks_boot {
	int ns[8]; /* the container's namespaces, kept for the stop hooks; -1: the host's */
};

static const struct {
	const char *file, *variable;
	unsigned flag;
} namespaces[8] = {
	{"user", "LXC_USER_NS", CLONE_NEWUSER}, {"mnt", "LXC_MNT_NS", CLONE_NEWNS},
	{"pid", "LXC_PID_NS", CLONE_NEWPID},    {"uts", "LXC_UTS_NS", CLONE_NEWUTS},
	{"ipc", "LXC_IPC_NS", CLONE_NEWIPC},    {"net", "LXC_NET_NS", CLONE_NEWNET},
	{"cgroup", "LXC_CGROUP_NS", CLONE_NEWCGROUP}, {"time", "LXC_TIME_NS", 0x80},
};

/* Once init has ended nothing but a descriptor holds its namespaces for the stop hooks. */
static int keep_namespaces(struct boot *b, struct error *err)
{
	if (!hooks_any(b->conf, HOOK_STOP))
		return 0;
	b->hooks = malloc(sizeof(*b->hooks));
	if (!b->hooks)
		return error_sys(err, "cannot keep the namespaces for the stop hooks");
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		autofree char *path = str_printf("/proc/%d/ns/%s", b->init.pid, namespaces[i].file);

		b->hooks->ns[i] = path && (b->clone_flags & namespaces[i].flag) ?
				  open(path, O_RDONLY | O_CLOEXEC) : -1;
	}
	return 0;
}

static int seal_start_host(struct boot *b, struct error *err)
{
	if (run_in_boot(HOOK_START_HOST, b, false, err) < 0)
		return -1;
	return keep_namespaces(b, err);
}

static void tell_namespaces(const struct release *r, const struct hooks_boot *kept,
			    struct strv *env, struct strv *args)
{
	const struct hooks_conf *s = conf_of(r->conf, &hooks_section);

	for (size_t i = 0; kept && i < ARRAY_SIZE(namespaces); i++) {
		autofree char *path = NULL;

		if (kept->ns[i] < 0)
			continue;
		path = str_printf("/proc/%d/fd/%d", getpid(), kept->ns[i]);
		if (path && s->version == 0)
			strv_take(args, str_printf("%s:%s", namespaces[i].file, path));
		if (path)
			strv_take(env, str_printf("%s=%s", namespaces[i].variable, path));
	}
}

/* A failure at the end changes nothing any more; it is for the log alone. */
static void run_at_end(enum hook_moment moment, const struct release *r)
{
	struct error err = {0};
	autostrv struct strv env = {0}, args = {0};
	struct hook_call call = {.conf = r->conf, .name = r->name, .env = &env, .args = &args};

	if (!r->conf || !hooks_any(r->conf, moment))
		return;
	for (size_t i = 0; r->boot && i < r->boot->hook_env.n; i++)
		strv_add(&env, r->boot->hook_env.v[i]);
	if (r->init.pid > 0)
		strv_take(&env, str_printf("LXC_PID=%d", r->init.pid));
	strv_take(&env, str_printf("LXC_TARGET=%s", r->target ? r->target : "stop"));
	if (moment == HOOK_STOP && r->boot)
		tell_namespaces(r, r->boot->hooks, &env, &args);
	if (hooks_run(moment, &call, &err) < 0)
		log_write(LOG_ERROR, "hooks", "%s", err.text);
}

static void release_stop(const struct release *r)
{
	run_at_end(HOOK_STOP, r);
	if (!r->boot || !r->boot->hooks)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++)
		close_fd(&r->boot->hooks->ns[i]);
	free(steal_ptr(&r->boot->hooks));
}

static void release_post_stop(const struct release *r)
{
	run_at_end(HOOK_POST_STOP, r);
}

const struct part part_hooks_pre_start = {
	.name = "hooks",
	.section = &hooks_section,
	.prepare = prepare_pre_start,
	.release = release_post_stop,
};
const struct part part_hooks_pre_mount = {.name = "hooks", .enter = enter_pre_mount};
const struct part part_hooks_mount = {.name = "hooks", .enter = enter_mount};
const struct part part_hooks_autodev = {.name = "hooks", .enter = enter_autodev};
const struct part part_hooks_start = {.name = "hooks", .enter = enter_start};
const struct part part_hooks_start_host = {
	.name = "hooks",
	.seal = seal_start_host,
	.release = release_stop,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hooks as parts of a boot: who runs them when, and what the stop hooks still find. */
#include "base/auto.h"
#include "base/fd.h"
#include "base/log.h"
#include "parts/hooks_lua.h"
#include "parts/parts.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

/* ---- before anything is born ---- */

static int check_values(const struct hooks_conf *s, enum hook_moment moment, struct error *err)
{
	for (size_t i = 0; i < s->list[moment].n; i++) {
		const char *value = s->list[moment].v[i];
		autofree char *file = hooks_is_lua(value) ? hooks_lua_file(value) : NULL;
		char key[64];

		snprintf(key, sizeof(key), "lxc.hook.%s", hooks_moment_name(moment));
		if (file && hooks_check_lua(moment == HOOK_START ? NULL : file, key, err) < 0)
			return -1;
	}
	return 0;
}

static int check(const struct boot *b, struct error *err)
{
	const struct hooks_conf *s = conf_of(b->conf, &hooks_section);

	for (int moment = 0; moment < HOOK_N_MOMENTS; moment++)
		if (check_values(s, (enum hook_moment)moment, err) < 0)
			return -1;
	for (size_t i = 0; i < s->modules.n; i++)
		if (hooks_check_lua(s->modules.v[i], "lxc.hook.lua", err) < 0)
			return -1;
	return 0;
}

/* ---- what a boot keeps ---- */

static bool any_lua(const struct hooks_conf *s, enum hook_moment moment)
{
	for (size_t i = 0; i < s->list[moment].n; i++)
		if (hooks_is_lua(s->list[moment].v[i]))
			return true;
	return false;
}

/* Does a hook of this moment want to be run? */
static bool wants(const struct conf *conf, const struct hooks_boot *kept, enum hook_moment moment)
{
	const struct hooks_conf *s = conf_of(conf, &hooks_section);

	if (s->list[moment].n)
		return true;
	for (size_t i = 0; i < s->modules.n; i++)
		if (!kept || i >= kept->n_modules || !kept->modules[i].known ||
		    (kept->modules[i].moments & (1u << moment)))
			return true;
	return false;
}

static int keep_modules(struct boot *b, struct error *err)
{
	const struct hooks_conf *s = conf_of(b->conf, &hooks_section);
	struct hooks_boot *kept = calloc(1, sizeof(*kept) + s->modules.n * sizeof(*kept->modules));

	if (!kept)
		return error_sys(err, "cannot prepare the hooks");
	memset(kept->ns, 0xff, sizeof(kept->ns));
	b->hooks = kept;
	for (; kept->n_modules < s->modules.n; kept->n_modules++) {
		int fd = hooks_open_script(s->modules.v[kept->n_modules], "lxc.hook.lua", err);

		if (fd < 0)
			return -1;
		kept->modules[kept->n_modules].script = fd;
	}
	return 0;
}

/* What runs a start hook is not to be seen inside, nor to be changed from there. */
static int keep_program(struct boot *b, struct error *err)
{
	const struct hooks_conf *s = conf_of(b->conf, &hooks_section);
	bool lua = any_lua(s, HOOK_START);
	int fd;

	for (size_t i = 0; i < b->hooks->n_modules; i++)
		lua |= (b->hooks->modules[i].moments & (1u << HOOK_START)) != 0;
	if (lua) {
		fd = proc_copy_program(HOOKS_PROGRAM, err);
	} else if (s->modules.n || any_lua(s, HOOK_PRE_MOUNT) || any_lua(s, HOOK_MOUNT) ||
		   any_lua(s, HOOK_AUTODEV)) {
		/* The container's root may not be allowed to walk there. */
		fd = open(HOOKS_PROGRAM, O_PATH | O_CLOEXEC);
		if (fd < 0)
			error_sys(err, "cannot open \"%s\"", HOOKS_PROGRAM);
	} else {
		return 0;
	}
	b->hooks->program = fd < 0 ? 0 : fd;
	return fd < 0 ? -1 : 0;
}

/* Once it runs a supervisor keeps no descriptor for what it may never run again. */
static void close_kept(struct hooks_boot *kept)
{
	for (size_t i = 0; kept && i < kept->n_modules; i++)
		close_fd(&kept->modules[i].script);
	if (kept && kept->program > 0)
		close(kept->program);
	if (kept)
		kept->program = 0;
}

/* ---- the moments ---- */

static int run_in_boot(enum hook_moment moment, struct boot *b, bool inside, struct error *err)
{
	struct hook_call call = {
		.conf = b->conf, .name = b->name, .lxcpath = b->lxcpath, .inside = inside,
		.boot = b->hooks, .pid = inside ? 0 : b->init.pid, .root = b->root_mount,
		.airlock = moment == HOOK_START ? b->own_init : 0,
	};
	autostrv struct strv env = {0};

	if (!wants(b->conf, b->hooks, moment))
		return 0;
	if (moment == HOOK_PRE_START) {
		call.change = b->conf;
		call.ret_changed = &b->conf_changed;
	}
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
	if (keep_modules(b, err) < 0 || run_in_boot(HOOK_PRE_START, b, false, err) < 0)
		return -1;
	return keep_program(b, err);
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

	if (!path || *path != '/' || hooks_is_lua(value) || access(path, X_OK) == 0)
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
static void keep_namespaces(struct boot *b)
{
	if (!wants(b->conf, b->hooks, HOOK_STOP))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(namespaces); i++) {
		autofree char *path = str_printf("/proc/%d/ns/%s", b->init.pid, namespaces[i].file);

		b->hooks->ns[i] = path && (b->clone_flags & namespaces[i].flag) ?
				  open(path, O_RDONLY | O_CLOEXEC) : -1;
	}
}

static int seal_start_host(struct boot *b, struct error *err)
{
	if (run_in_boot(HOOK_START_HOST, b, false, err) < 0)
		return -1;
	close_kept(b->hooks);
	keep_namespaces(b);
	return 0;
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
	struct hook_call call = {
		.conf = r->conf, .name = r->name, .lxcpath = r->lxcpath, .env = &env, .args = &args,
		.boot = r->boot ? r->boot->hooks : NULL,
	};

	if (!r->conf || !wants(r->conf, call.boot, moment))
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
	for (size_t i = 0; r->boot && r->boot->hooks && i < ARRAY_SIZE(namespaces); i++)
		close_fd(&r->boot->hooks->ns[i]);
}

static void release_post_stop(const struct release *r)
{
	run_at_end(HOOK_POST_STOP, r);
	if (!r->boot)
		return;
	close_kept(r->boot->hooks);
	free(steal_ptr(&r->boot->hooks));
}

const struct part part_hooks_pre_start = {
	.name = "hooks",
	.section = &hooks_section,
	.check = check,
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * script.up and script.down: the user's programs on the host for one interface.  They get the words
 * NAME net up|down TYPE [LINK [HOST-END]] (hook version 1: TYPE ... alone, the rest in the
 * environment), and the environment of the container's hooks.
 */
#include "base/log.h"
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT_SECONDS 60

struct script {
	const char *command, *name, *lxcpath, *verb; /* verb: "up" or "down" */
	const struct conf *conf;
	const struct nic_conf *nic;
	const char *host;
	pid_t pid; /* of init; 0: unknown */
	int ns;    /* the container's network namespace; -1: not there */
	net_hook_run hook;
	struct hooks_boot *hooks;
	const struct strv *common; /* environment of all hooks, or NULL */
};

static bool version_is_0(const struct conf *conf)
{
	autobuf struct buf version = BUF_INIT;

	conf_get(conf, "lxc.hook.version", &version, NULL);
	return !version.s || strtol(version.s, NULL, 10) == 0;
}

static bool any_module(const struct conf *conf)
{
	autobuf struct buf modules = BUF_INIT;

	return conf_get(conf, "lxc.hook.lua", &modules, NULL) == 0 && modules.len;
}

bool script_wanted(const struct conf *conf, const struct nic_conf *c, bool down)
{
	return (down ? c->script_down : c->script_up) || any_module(conf);
}

static bool is_lua(const char *value)
{
	size_t n = strcspn(value, " \t");

	return str_starts(value, "lua:") || (n > 4 && strncmp(value + n - 4, ".lua", 4) == 0);
}

static int environment(const struct script *s, struct strv *env)
{
	const struct {
		const char *name, *value;
	} version_1[] = {
		{"LXC_HOOK_SECTION", "net"},
		{"LXC_HOOK_TYPE", s->verb},
		{"LXC_NET_TYPE", s->nic->type->word},
		{"LXC_NET_PARENT", s->nic->link},
		{"LXC_NET_PEER", s->host},
	};
	int result = strv_take(env, str_printf("LXC_NAME=%s", s->name));

	for (size_t i = 0; s->common && i < s->common->n; i++)
		result |= strv_add(env, s->common->v[i]);
	if (s->pid > 0)
		result |= strv_take(env, str_printf("LXC_PID=%d", s->pid));
	if (s->ns >= 0)
		result |= strv_take(env, str_printf("LXC_NET_NS=/proc/%d/fd/%d", getpid(), s->ns));
	for (size_t i = 0; !version_is_0(s->conf) && i < ARRAY_SIZE(version_1); i++)
		if (version_1[i].value[0])
			result |= strv_take(
				env, str_printf("%s=%s", version_1[i].name, version_1[i].value));
	return result;
}

static int words(const struct script *s, struct strv *out)
{
	int result = 0;

	if (version_is_0(s->conf))
		result |= strv_add(out, s->name) | strv_add(out, "net") | strv_add(out, s->verb);
	result |= strv_add(out, s->nic->type->word);
	if (s->nic->link[0] || s->host[0])
		result |= strv_add(out, s->nic->link);
	if (s->host[0])
		result |= strv_add(out, s->host);
	return result;
}

/* The last line that it wrote, for the message. */
static const char *last_line(struct buf *output)
{
	char *line;

	if (!output->s)
		return "";
	while (output->len && output->s[output->len - 1] == '\n')
		output->s[--output->len] = '\0';
	line = strrchr(output->s, '\n');
	return line ? line + 1 : output->s;
}

static int run_program(const struct script *s, const struct strv *env, const struct strv *args,
		       struct error *err)
{
	/* The value is shell text and its own words come first; "$@" keeps ours out of its grammar.
	 */
	autofree char *text = str_printf("exec %s \"$@\"", s->command);
	const char *argv[12] = {"/bin/sh", "-c", text, "lxc"};
	autobuf struct buf output = BUF_INIT;
	struct proc_run how = {
		.argv = argv,
		.set_env = env,
		.timeout_ms = SCRIPT_SECONDS * 1000,
	};
	char status_text[64];
	int status;

	if (!text)
		return error_set(err, ENOMEM, "cannot run the script: out of memory");
	for (size_t i = 0; i < args->n; i++)
		argv[4 + i] = args->v[i];
	status = proc_run(&how, &output, err);
	if (status <= 0)
		return status;
	return error_set(err, ECANCELED, "%s%s%.200s", proc_status_text(status, status_text),
			 output.len ? ": " : "", last_line(&output));
}

/* The script, then what modules have; 'ret_scripts' says whether it is the script that failed. */
static int run(const struct script *s, bool *ret_scripts, struct error *err)
{
	autostrv struct strv env = {0}, args = {0};
	char moment[16];
	struct net_hook hook = {
		.conf = s->conf, .name = s->name, .lxcpath = s->lxcpath, .moment = moment, .env = &env,
		.words = &args, .pid = s->pid, .hooks = s->hooks,
	};

	snprintf(moment, sizeof(moment), "net-%s", s->verb);
	if (environment(s, &env) < 0 || words(s, &args) < 0)
		return error_set(err, ENOMEM, "cannot run the script: out of memory");
	*ret_scripts = s->command && !is_lua(s->command);
	if (*ret_scripts && run_program(s, &env, &args, err) < 0)
		return -1;
	*ret_scripts = false;
	hook.value = s->command;
	if (s->command && is_lua(s->command) && s->hook(&hook, err) < 0)
		return -1;
	hook.value = NULL;
	return s->hook(&hook, err);
}

int script_up(struct boot *b, const struct nic_conf *c, const struct nic *nic, struct error *err)
{
	const struct script s = {
		.command = c->script_up,
		.name = b->name,
		.lxcpath = b->lxcpath,
		.verb = "up",
		.conf = b->conf,
		.nic = c,
		.host = nic->host,
		.pid = b->init.pid,
		.ns = -1,
		.hook = b->net_hook,
		.hooks = b->hooks,
		.common = &b->hook_env,
	};
	struct nic_where where;
	struct error why = {0};
	char owed[16 + IFNAMSIZ];
	bool script;

	/* script.down is owed from here on, also when the script fails half way. */
	snprintf(owed, sizeof(owed), "%u %s", c->index, nic->host);
	if (script_wanted(b->conf, c, true) && journal_record(&b->journal, "netup", owed, err) < 0)
		return -1;
	if (run(&s, &script, &why) == 0)
		return 0;
	if (script)
		return error_set(err, why.code, "script \"%.200s\" failed: %s (%s)", c->script_up,
				 why.text, nic_where(b->conf, c, "script.up", &where));
	error_set(err, why.code, "%s", why.text);
	return why.mend[0] ? error_mend(err, "%s", why.mend) : -1;
}

void script_down(const struct release *r, const struct nic_conf *c, const char *host, int ns)
{
	const struct script s = {
		.command = c->script_down,
		.name = r->name,
		.lxcpath = r->lxcpath,
		.verb = "down",
		.conf = r->conf,
		.nic = c,
		.host = host,
		.pid = r->init.pid,
		.ns = ns,
		.hook = r->net_hook,
		.hooks = r->boot ? r->boot->hooks : NULL,
		.common = r->boot ? &r->boot->hook_env : NULL,
	};
	struct error why = {0};
	bool script;

	/* At a stop there is nothing that its failure could prevent. */
	if (run(&s, &script, &why) < 0)
		log_write(LOG_ERROR, "network", "%s", why.text);
}

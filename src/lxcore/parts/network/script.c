/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * script.up and script.down: the user's programs on the host for one interface.  They get the words
 * NAME net up|down TYPE [LINK [HOST-END]] (hook version 1: TYPE ... alone, the rest in the
 * environment), and the environment of the container's hooks.
 */
#include "parts/network/nic.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT_SECONDS 60

struct script {
	const char *command, *name, *verb; /* verb: "up" or "down" */
	const struct nic_conf *nic;
	const char *host;
	bool words; /* hook version 0: NAME net VERB stand in front */
	pid_t pid;  /* of init; 0: unknown */
	int ns;     /* the container's network namespace; -1: not there */
};

static bool version_is_0(const struct conf *conf)
{
	autobuf struct buf version = BUF_INIT;

	conf_get(conf, "lxc.hook.version", &version, NULL);
	return !version.s || strtol(version.s, NULL, 10) == 0;
}

static int environment(const struct script *s, const struct strv *common, struct strv *env)
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

	for (size_t i = 0; common && i < common->n; i++)
		result |= strv_add(env, common->v[i]);
	if (s->pid > 0)
		result |= strv_take(env, str_printf("LXC_PID=%d", s->pid));
	if (s->ns >= 0)
		result |= strv_take(env, str_printf("LXC_NET_NS=/proc/%d/fd/%d", getpid(), s->ns));
	for (size_t i = 0; !s->words && i < ARRAY_SIZE(version_1); i++)
		if (version_1[i].value[0])
			result |= strv_take(
				env, str_printf("%s=%s", version_1[i].name, version_1[i].value));
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

static int run(const struct script *s, const struct strv *common, struct error *err)
{
	/* The value is shell text and its own words come first; "$@" keeps ours out of its grammar.
	 */
	autofree char *text = str_printf("exec %s \"$@\"", s->command);
	const char *argv[12] = {"/bin/sh", "-c", text, "lxc"};
	autostrv struct strv env = {0};
	autobuf struct buf output = BUF_INIT;
	struct proc_run how = {
		.argv = argv,
		.set_env = &env,
		.timeout_ms = SCRIPT_SECONDS * 1000,
	};
	char status_text[64];
	size_t n = 4;
	int status;

	if (!text || environment(s, common, &env) < 0)
		return error_set(err, ENOMEM, "cannot run the script: out of memory");
	if (s->words) {
		argv[n++] = s->name;
		argv[n++] = "net";
		argv[n++] = s->verb;
	}
	argv[n++] = s->nic->type->word;
	if (s->nic->link[0] || s->host[0])
		argv[n++] = s->nic->link;
	if (s->host[0])
		argv[n++] = s->host;
	status = proc_run(&how, &output, err);
	if (status <= 0)
		return status;
	return error_set(err, ECANCELED, "%s%s%.200s", proc_status_text(status, status_text),
			 output.len ? ": " : "", last_line(&output));
}

int script_up(struct boot *b, const struct nic_conf *c, const struct nic *nic, struct error *err)
{
	struct script s = {
		.command = c->script_up,
		.name = b->name,
		.verb = "up",
		.nic = c,
		.host = nic->host,
		.words = version_is_0(b->conf),
		.pid = b->init.pid,
		.ns = -1,
	};
	struct nic_where where;
	struct error why = {0};
	char owed[16 + IFNAMSIZ];

	/* script.down is owed from here on, also when the script fails half way. */
	snprintf(owed, sizeof(owed), "%u %s", c->index, nic->host);
	if (c->script_down && journal_record(&b->journal, "netup", owed, err) < 0)
		return -1;
	if (!c->script_up || run(&s, &b->hook_env, &why) == 0)
		return 0;
	return error_set(err, why.code, "script \"%.200s\" failed: %s (%s)", c->script_up, why.text,
			 nic_where(b->conf, c, "script.up", &where));
}

void script_down(const struct release *r, const struct nic_conf *c, const char *host, int ns)
{
	struct script s = {
		.command = c->script_down,
		.name = r->name,
		.verb = "down",
		.nic = c,
		.host = host,
		.words = version_is_0(r->conf),
		.pid = r->init.pid,
		.ns = ns,
	};

	/* At a stop there is nothing that its failure could prevent. */
	run(&s, r->boot ? &r->boot->hook_env : NULL, NULL);
}

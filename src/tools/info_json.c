/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-info as JSON: null is what this host does not tell. */
#include "info.h"
#include "json.h"

#include <string.h>

static void json_interfaces(const struct info *i, struct json *j)
{
	json_list(j, "interfaces");
	for (int k = 0; k < i->n_interfaces; k++) {
		const struct lxcore_interface *n = &i->interfaces[k];

		json_object(j, NULL);
		json_text(j, "name", n->name);
		json_text(j, "host_name", n->host_name);
		json_texts(j, "ipv4", (const char *const *)n->ipv4);
		json_texts(j, "ipv6", (const char *const *)n->ipv6);
		json_number(j, "tx_bytes", (int64_t)n->tx_bytes);
		json_number(j, "rx_bytes", (int64_t)n->rx_bytes);
		json_end(j, '}');
	}
	json_end(j, ']');
}

static void json_stats(const struct lxcore_stats *s, struct json *j)
{
	json_object(j, "use");
	json_known(j, "cpu_ns", s->cpu_ns);
	json_known(j, "block_io", s->block_io);
	json_known(j, "memory", s->memory);
	json_known(j, "swap", s->swap);
	json_known(j, "kernel_memory", s->kernel_memory);
	json_known(j, "pids", s->pids);
	json_known(j, "oom_kills", s->oom_kills);
	json_end(j, '}');
}

static void json_limit(const struct lxcore_limit *l, struct json *j)
{
	static const char *const units[] = {
		[LXCORE_LIMIT_BYTES] = "bytes", [LXCORE_LIMIT_RATE] = "bytes_per_second",
		[LXCORE_LIMIT_PERMILLE] = "permille", [LXCORE_LIMIT_COUNT] = "count",
		[LXCORE_LIMIT_LIST] = "list",
	};

	if (l->device)
		json_text(j, "device", l->device);
	json_text(j, "configured", l->configured);
	if (l->unit == LXCORE_LIMIT_LIST)
		json_text(j, units[l->unit], l->list);
	else
		json_known(j, units[l->unit], l->value);
}

/* By their names behind "lxc.limit."; rates have a list, of devices, whose entries stand together. */
static void json_limits(const struct info *i, struct json *j)
{
	static const char family[] = "lxc.limit.";

	json_object(j, "limits");
	for (int k = 0; k < i->n_limits; k++) {
		const struct lxcore_limit *l = &i->limits[k];
		bool rate = l->unit == LXCORE_LIMIT_RATE;
		bool more = k + 1 < i->n_limits && strcmp(l[1].key, l->key) == 0;

		if (rate && (k == 0 || strcmp(l[-1].key, l->key) != 0))
			json_list(j, l->key + strlen(family));
		json_object(j, rate ? NULL : l->key + strlen(family));
		json_limit(l, j);
		json_end(j, '}');
		if (rate && !more)
			json_end(j, ']');
	}
	json_end(j, '}');
}

static void json_restart(const struct lxcore_restart *r, struct json *j)
{
	json_object(j, "restart");
	json_text(j, "policy", r->policy);
	json_number(j, "restarts", r->restarts);
	json_known(j, "next_ms", r->next_ms);
	json_end(j, '}');
}

static int json_keys(const struct info *i, struct json *j)
{
	json_object(j, "config");
	for (size_t k = 0; k < i->want.keys.n; k++) {
		autofree char *value = NULL;

		if (lxcore_get(i->c, i->want.keys.v[k], i->running, &value, i->cli->err) < 0)
			return -1;
		json_text(j, i->want.keys.v[k], value);
	}
	json_end(j, '}');
	return 0;
}

static int json_all(const struct info *i, struct json *j)
{
	struct lxcore_ended e;
	pid_t init = i->running ? lxcore_init_pid(i->c) : 0;

	json_object(j, NULL);
	json_text(j, "name", i->cli->name);
	if (i->all)
		json_bool(j, "defined", lxcore_is_defined(i->c));
	if (i->want.state)
		json_text(j, "state", lxcore_state_name(i->state));
	if (i->want.pid)
		json_known(j, "pid", init > 0 ? init : -1);
	if (i->all && lxcore_last_end(i->c, &e, NULL) == 0) {
		json_number(j, "last_exit_status", cli_status(e.status));
		json_number(j, "last_exit_time", e.when);
		json_number(j, "last_oom_kills", e.oom_kills);
		json_bool(j, "last_exit_out_of_memory", e.out_of_memory);
	}
	if (i->restart.policy[0])
		json_restart(&i->restart, j);
	if (i->want.ips || i->want.stats)
		json_interfaces(i, j);
	if (i->all)
		json_texts(j, "published", (const char *const *)i->published);
	if (i->want.stats && i->running)
		json_stats(&i->stats, j);
	if (i->want.stats && i->n_limits >= 0)
		json_limits(i, j);
	if (i->want.keys.n && json_keys(i, j) < 0)
		return -1;
	json_end(j, '}');
	return 0;
}

/* It is written at its end, so that stdout holds a whole object or nothing. */
int info_json(const struct info *i)
{
	autofree char *text = NULL;
	size_t size;
	struct json j = {.out = must_have(open_memstream(&text, &size))};
	int result = json_all(i, &j);

	fclose(j.out);
	if (result < 0)
		return cli_fail(i->cli);
	fputs(must_have(text), stdout);
	return 0;
}

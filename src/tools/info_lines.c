/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-info as lines: the labels are an interface that scripts parse. */
#include "info.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

static void line(const struct info *i, const char *label, const char *value)
{
	if (!i->bare)
		printf("%-15s ", label);
	text_print(stdout, value);
	putchar('\n');
}

static void size_text(const struct info *i, int64_t n, char text[64])
{
	static const struct {
		int64_t unit;
		const char *name;
	} units[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};

	for (size_t u = 0; u < 3 && !i->want.raw; u++)
		if (n > units[u].unit) {
			snprintf(text, 64, "%.2f %s", (double)n / (double)units[u].unit,
				 units[u].name);
			return;
		}
	snprintf(text, 64, "%" PRId64 "%s", n, i->want.raw ? "" : " bytes");
}

static void size_line(const struct info *i, const char *label, int64_t n)
{
	char text[64];

	if (n < 0)
		return;
	size_text(i, n, text);
	printf("%-15s %s\n", label, text);
}

/* When it was not a plain end, the user wants to know how it went. */
static bool ended_badly(const struct info *i, struct lxcore_ended *e)
{
	return !i->running && lxcore_last_end(i->c, e, NULL) == 0 && e->status != 0 &&
	       e->status != SIGINT;
}

static void last_exit_line(const struct info *i)
{
	struct lxcore_ended e;
	time_t t;
	struct tm tm;
	char when[40], how[80];

	if (!ended_badly(i, &e))
		return;
	t = (time_t)e.when;
	strftime(when, sizeof(when), "%F %T", localtime_r(&t, &tm));
	snprintf(how, sizeof(how), "%d at %s%s", cli_status(e.status), when,
		 e.out_of_memory ? ", out of memory" : "");
	line(i, "Last exit:", how);
}

/* Of the boot before, be it that it stopped or that it runs again. */
static void last_kills_line(const struct info *i)
{
	struct lxcore_ended e;
	char text[24];

	if (lxcore_last_end(i->c, &e, NULL) < 0 || !e.oom_kills)
		return;
	snprintf(text, sizeof(text), "%" PRId64, e.oom_kills);
	line(i, "Last OOM kills:", text);
}

static void restart_line(const struct info *i)
{
	const struct lxcore_restart *r = &i->restart;
	char text[120];
	int n;

	if (!r->policy[0] || strcmp(r->policy, "no") == 0)
		return;
	n = snprintf(text, sizeof(text), "%s", r->policy);
	if (i->running)
		n += snprintf(text + n, sizeof(text) - (size_t)n, ", %u so far", r->restarts);
	if (r->next_ms >= 0)
		snprintf(text + n, sizeof(text) - (size_t)n, ", next try in %.1f s",
			 (double)r->next_ms / 1000);
	line(i, "Restart:", text);
}

static void ip_lines(const struct info *i)
{
	for (int k = 0; k < i->n_interfaces; k++) {
		for (char **a = i->interfaces[k].ipv4; a && *a; a++)
			line(i, "IP:", *a);
		for (char **a = i->interfaces[k].ipv6; a && *a; a++)
			line(i, "IP:", *a);
	}
}

static void publish_lines(const struct info *i)
{
	for (char **p = i->published; p && *p; p++)
		line(i, "Published:", *p);
}

/* ---- what it uses, and may use ---- */

static const struct limit_line {
	const char *key, *label, *of;
} limit_lines[] = {
	{"lxc.limit.cpu", "CPU limit:", "cpu"},
	{"lxc.limit.cpu.weight", "CPU weight:", "cpu"},
	{"lxc.limit.cpus", "CPUs:", "cpu"},
	{"lxc.limit.io.read", "Read limit:", "io"},
	{"lxc.limit.io.write", "Write limit:", "io"},
	{"lxc.limit.memory", "Memory limit:", "memory"},
	{"lxc.limit.memory.weight", "Memory weight:", "memory"},
	{"lxc.limit.memory.soft", "Soft limit:", "memory"},
	{"lxc.limit.swap", "Swap limit:", "swap"},
	{"lxc.limit.pids", "PIDs limit:", "pids"},
	{"lxc.limit.disk", "Disk limit:", "disk"},
};

/* "1.5", as it is configured. */
static void processors_text(int64_t permille, char text[64])
{
	size_t n = (size_t)snprintf(text, 64, "%" PRId64 ".%03" PRId64, permille / 1000,
				    permille % 1000);

	while (text[n - 1] == '0')
		text[--n] = '\0';
	if (text[n - 1] == '.')
		text[--n] = '\0';
}

static void limit_text(const struct info *i, const struct lxcore_limit *l, char text[64])
{
	if (l->value < 0)
		strcpy(text, "none");
	else if (l->unit == LXCORE_LIMIT_PERMILLE)
		processors_text(l->value, text);
	else if (l->unit == LXCORE_LIMIT_COUNT)
		snprintf(text, 64, "%" PRId64, l->value);
	else
		size_text(i, l->value, text);
}

static void limit_line(const struct info *i, const char *label, const struct lxcore_limit *l)
{
	char text[64];

	limit_text(i, l, text);
	printf("%-15s ", label);
	if (l->device) {
		text_print(stdout, l->device);
		putchar(' ');
	}
	if (l->unit == LXCORE_LIMIT_LIST)
		text_print(stdout, l->list ? l->list : "none");
	else
		fputs(text, stdout);
	if (l->unit == LXCORE_LIMIT_RATE && l->value >= 0 && !i->want.raw)
		fputs("/s", stdout);
	if (l->differs) {
		fputs(" (configured: ", stdout);
		text_print(stdout, l->configured);
		putchar(')');
	}
	putchar('\n');
}

static bool has_limit(const struct info *i, const char *key)
{
	for (int k = 0; k < i->n_limits; k++)
		if (strcmp(i->limits[k].key, key) == 0)
			return true;
	return false;
}

static void limits_of(const struct info *i, const char *of)
{
	for (size_t n = 0; n < sizeof(limit_lines) / sizeof(limit_lines[0]); n++)
		for (int k = 0; k < i->n_limits; k++)
			if (strcmp(limit_lines[n].of, of) == 0 &&
			    strcmp(limit_lines[n].key, i->limits[k].key) == 0)
				limit_line(i, limit_lines[n].label, &i->limits[k]);
}

static void stats_lines(struct info *i)
{
	const struct lxcore_stats *s = &i->stats;

	i->bare = false;
	if (s->cpu_ns >= 0 && i->want.raw)
		printf("%-15s %" PRId64 "\n", "CPU use:", s->cpu_ns);
	else if (s->cpu_ns >= 0)
		printf("%-15s %.2f seconds\n", "CPU use:", (double)s->cpu_ns / 1e9);
	limits_of(i, "cpu");
	size_line(i, "BlkIO use:", s->block_io);
	limits_of(i, "io");
	limits_of(i, "disk");
	size_line(i, "Memory use:", s->memory);
	limits_of(i, "memory");
	if (has_limit(i, "lxc.limit.swap"))
		size_line(i, "Swap use:", s->swap);
	limits_of(i, "swap");
	size_line(i, "KMem use:", s->kernel_memory);
	if (has_limit(i, "lxc.limit.pids") && s->pids >= 0)
		printf("%-15s %" PRId64 "\n", "PIDs use:", s->pids);
	limits_of(i, "pids");
	/* In the whole picture only when there is something to see. */
	if (s->oom_kills > 0 || (s->oom_kills == 0 && !i->all))
		printf("%-15s %" PRId64 "\n", "OOM kills:", s->oom_kills);
	for (int k = 0; k < i->n_interfaces; k++) {
		const struct lxcore_interface *n = &i->interfaces[k];

		if (!n->host_name)
			continue;
		line(i, "Link:", n->host_name);
		size_line(i, " TX bytes:", (int64_t)n->tx_bytes);
		size_line(i, " RX bytes:", (int64_t)n->rx_bytes);
		size_line(i, " Total bytes:", (int64_t)(n->tx_bytes + n->rx_bytes));
	}
}

static int key_lines(const struct info *i)
{
	int code = 0;

	for (size_t k = 0; k < i->want.keys.n; k++) {
		const char *key = i->want.keys.v[k];
		autofree char *value = NULL;

		if (lxcore_get(i->c, key, i->running, &value, i->cli->err) < 0) {
			cli_error_mend(i->cli, lxcore_error_mend(i->cli->err), "%s invalid: %s",
				       key, lxcore_error_text(i->cli->err));
			code = 1;
			continue;
		}
		if (!(i->want.raw && i->want.keys.n == 1))
			printf(*value ? "%s = " : "%s =", key);
		cli_value(value);
	}
	return code;
}

int info_lines(struct info *i)
{
	char pid[16];
	pid_t init;

	if (i->all)
		line(i, "Name:", i->cli->name);
	if (i->want.state)
		line(i, "State:", lxcore_state_name(i->state));
	if (i->all)
		last_exit_line(i);
	if (i->all)
		last_kills_line(i);
	if (i->all)
		restart_line(i);
	/* Between its boots it has none. */
	init = i->want.pid && i->running ? lxcore_init_pid(i->c) : 0;
	if (init > 0) {
		snprintf(pid, sizeof(pid), "%d", init);
		line(i, "PID:", pid);
	}
	if (i->want.ips)
		ip_lines(i);
	if (i->all)
		publish_lines(i);
	if (i->want.stats)
		stats_lines(i);
	return key_lines(i);
}

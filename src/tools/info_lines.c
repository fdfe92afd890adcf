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

static void size_line(const struct info *i, const char *label, int64_t n)
{
	static const struct {
		int64_t unit;
		const char *name;
	} units[] = {{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}};

	if (n < 0)
		return;
	for (size_t u = 0; u < 3 && !i->want.raw; u++)
		if (n > units[u].unit) {
			printf("%-15s %.2f %s\n", label, (double)n / (double)units[u].unit,
			       units[u].name);
			return;
		}
	printf("%-15s %" PRId64 "%s\n", label, n, i->want.raw ? "" : " bytes");
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

static void stats_lines(struct info *i)
{
	const struct lxcore_stats *s = &i->stats;

	i->bare = false;
	if (s->cpu_ns >= 0 && i->want.raw)
		printf("%-15s %" PRId64 "\n", "CPU use:", s->cpu_ns);
	else if (s->cpu_ns >= 0)
		printf("%-15s %.2f seconds\n", "CPU use:", (double)s->cpu_ns / 1e9);
	size_line(i, "BlkIO use:", s->block_io);
	size_line(i, "Memory use:", s->memory);
	size_line(i, "KMem use:", s->kernel_memory);
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
	if (i->want.stats && i->running)
		stats_lines(i);
	return key_lines(i);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-autostart: start the containers that are to run, or end them, in order. */
#include "autostart.h"
#include "json.h"
#include "progress.h"
#include "tools.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define GRACE 30 /* seconds beyond the limits that each step has, then a container is given up */

struct autostart_options {
	bool reboot, shutdown, kill, list, all, ignore_auto;
	struct words groups;
	int timeout, jobs;
};
static const struct autostart_options presets = {.timeout = 60};

#define AT(field) offsetof(struct autostart_options, field)
static const struct option_row rows[] = {
	{'r', "reboot", NULL, "Reboot those that run", OPT_FLAG, AT(reboot)},
	{'s', "shutdown", NULL, "Shut down those that run, and end them when that takes too long",
	 OPT_FLAG, AT(shutdown)},
	{'k', "kill", NULL, "End those that run at once", OPT_FLAG, AT(kill)},
	{'L', "list", NULL, "Do nothing; list what would be worked on, with the delay of a start",
	 OPT_FLAG, AT(list)},
	{'t', "timeout", "SECONDS",
	 "Wait no longer for a shutdown or reboot, or for what a container requires; default 60",
	 OPT_INT, AT(timeout)},
	{'g', "groups", "LIST",
	 "Groups, joined by commas, in this order; an empty one are those without a group, the "
	 "default; can be repeated", OPT_LIST, AT(groups)},
	{'a', "all", NULL, "Whatever their groups are", OPT_FLAG, AT(all)},
	{'A', "ignore-auto", NULL, "Also those without lxc.start.auto = 1", OPT_FLAG,
	 AT(ignore_auto)},
	{'j', "jobs", "N", "So many at a time; default: two for each processor", OPT_INT, AT(jobs)},
	{0}
};

/* ---- one container ---- */

struct autostart_run {
	struct cli *cli;
	const struct autostart_options *o;
	struct autostart_plan plan;
	enum autostart_action action;
	size_t done, failed;
	struct progress line;
	struct json json;
};

/* What it requires runs by now, or never will. */
static int await(const struct autostart_run *r, const char *requirement, lxcore_error *err)
{
	autofree char *name = NULL;
	enum lxcore_up what = autostart_requirement(requirement, &name);
	autocontainer lxcore_container *other = lxcore_open(cli_path(r->cli), name, err);

	if (!other)
		return -1;
	return lxcore_wait_up(other, what, r->o->timeout, err);
}

static int start(const struct autostart_run *r, lxcore_container *c,
		 const struct autostart_member *m, lxcore_error *err)
{
	struct lxcore_start how = LXCORE_START_INIT;

	for (char **one = m->requires; *one; one++)
		if (await(r, *one, err) < 0)
			return -1;
	return lxcore_start(c, &how, NULL, err);
}

static int shut_down(const struct autostart_run *r, lxcore_container *c, lxcore_error *err)
{
	if (lxcore_shutdown(c, r->o->timeout, err) == 0 || lxcore_state(c) == LXCORE_STOPPED)
		return 0;
	return lxcore_stop(c, err);
}

/* In a process of its own. */
static int do_one(lxcore_job *job, const char *name, void *data, lxcore_error *err)
{
	const struct autostart_run *r = data;
	autocontainer lxcore_container *c = lxcore_open(cli_path(r->cli), name, err);

	(void)job;
	if (!c)
		return -1;
	switch (r->action) {
	case AUTOSTART_START:
		return start(r, c, autostart_find(&r->plan, name), err);
	case AUTOSTART_REBOOT:
		return lxcore_reboot(c, r->o->timeout, err);
	case AUTOSTART_SHUTDOWN:
		return shut_down(r, c, err);
	default:
		return lxcore_stop(c, err);
	}
}

/* ---- one wave ---- */

static void tell(struct autostart_run *r, const struct lxcore_outcome *one)
{
	const char *text = one->error ? lxcore_error_text(one->error) : NULL;

	r->done++;
	r->failed += text != NULL;
	autostart_find(&r->plan, one->name)->failed = text != NULL;
	if (r->cli->json) {
		json_object(&r->json, NULL);
		json_text(&r->json, "name", one->name);
		json_bool(&r->json, "ok", !text);
		json_text(&r->json, "error", text);
		json_number(&r->json, "milliseconds", one->milliseconds);
		json_end(&r->json, '}');
	} else if (text) {
		progress_end(&r->line);
		cli_error_mend(r->cli, lxcore_error_mend(one->error), "%s", text);
	}
}

static int run_wave(struct autostart_run *r, size_t first, size_t n)
{
	struct lxcore_fleet how = LXCORE_FLEET_INIT;
	struct lxcore_outcome *list = NULL;
	autofree const char **names = must_have(calloc(n + 1, sizeof(char *)));
	size_t waits = 1;

	for (size_t i = 0; i < n; i++) {
		char **one = r->plan.v[first + i]->requires;

		names[i] = r->plan.v[first + i]->name;
		for (size_t k = 0; one[k]; k++)
			waits = k + 2 > waits ? k + 2 : waits;
	}
	progress_show(&r->line, r->cli, "%zu of %zu", first, r->plan.n);
	how.jobs = (unsigned)r->o->jobs;
	how.timeout = r->o->timeout * (int)waits + GRACE;
	how.work = do_one;
	how.data = r;
	if (lxcore_fleet_run(names, &how, &list, r->cli->err) < 0)
		return cli_fail(r->cli);
	for (struct lxcore_outcome *one = list; one->name; one++)
		tell(r, one);
	lxcore_outcomes_free(list);
	return 0;
}

static void wait_after(const struct autostart_run *r, const struct autostart_member *last)
{
	bool starts = r->action == AUTOSTART_START || r->action == AUTOSTART_REBOOT;

	if (starts && last->delay && !last->failed)
		sleep(last->delay);
}

static int run_waves(struct autostart_run *r)
{
	const struct autostart_plan *p = &r->plan;
	size_t first = 0;

	while (first < p->n) {
		size_t end = first;

		while (end < p->n && p->v[end]->wave == p->v[first]->wave)
			end++;
		if (run_wave(r, first, end - first))
			return 1;
		wait_after(r, p->v[end - 1]);
		first = end;
	}
	return 0;
}

/* ---- all ---- */

static void list_plan(struct autostart_run *r)
{
	bool with_delay = r->action == AUTOSTART_START || r->action == AUTOSTART_REBOOT;

	for (size_t i = 0; i < r->plan.n; i++) {
		const struct autostart_member *m = r->plan.v[i];

		if (r->cli->json) {
			json_object(&r->json, NULL);
			json_text(&r->json, "name", m->name);
			json_number(&r->json, "order", m->order);
			json_number(&r->json, "delay", m->delay);
			json_number(&r->json, "wave", m->wave);
			json_texts(&r->json, "groups", (const char *const *)m->groups);
			json_texts(&r->json, "requires", (const char *const *)m->requires);
			json_end(&r->json, '}');
		} else if (with_delay) {
			printf("%s %u\n", m->name, m->delay);
		} else {
			printf("%s\n", m->name);
		}
	}
}

static void say_sum(const struct autostart_run *r, const struct timespec *began)
{
	static const char *const words[] = {"started", "rebooted", "shut down", "ended"};
	struct timespec now;
	double seconds;

	clock_gettime(CLOCK_MONOTONIC, &now);
	seconds = (double)(now.tv_sec - began->tv_sec) +
		  (double)(now.tv_nsec - began->tv_nsec) / 1e9;
	if (r->cli->json || !r->done)
		return;
	if (r->failed)
		cli_say(r->cli, "%zu %s, %zu failed in %.1f s", r->done - r->failed,
			words[r->action], r->failed, seconds);
	else
		cli_say(r->cli, "%zu %s in %.1f s", r->done, words[r->action], seconds);
}

static int exit_code(const struct autostart_run *r)
{
	size_t failed = r->failed + r->plan.unreadable, all = r->done + r->plan.unreadable;

	return !failed ? 0 : failed == all ? 1 : 2;
}

static int check_options(const struct cli *cli, const struct autostart_options *o)
{
	if (o->reboot + o->shutdown + o->kill > 1)
		return cli_error(cli, "-r, -s and -k exclude each other");
	if (o->timeout < 0)
		return cli_error(cli, "Invalid timeout: %d", o->timeout);
	if (o->jobs < 0)
		return cli_error(cli, "cannot work on %d at a time (-j)", o->jobs);
	/* As it always was: told, and no reason to leave a machine without its containers. */
	if (o->all && o->groups.n)
		cli_say(cli, "-g means nothing beside -a");
	return 0;
}

static enum autostart_action chosen_action(const struct autostart_options *o)
{
	return o->reboot ? AUTOSTART_REBOOT : o->shutdown ? AUTOSTART_SHUTDOWN :
	       o->kill ? AUTOSTART_KILL : AUTOSTART_START;
}

static int run(struct cli *cli, const void *options)
{
	const struct autostart_options *o = options;
	struct autostart_run r = {.cli = cli, .o = o, .action = chosen_action(o),
				  .line = progress_begin(cli), .json = {.out = stdout}};
	const struct autostart_choice choice = {
		.action = r.action, .ignore_auto = o->ignore_auto, .ignore_groups = o->all,
		.groups = &o->groups,
	};
	struct timespec began;
	int code = check_options(cli, o);

	clock_gettime(CLOCK_MONOTONIC, &began);
	if (code == 0)
		code = autostart_make_plan(cli, &choice, &r.plan);
	if (code)
		return code;
	if (cli->json)
		json_rows(&r.json, NULL);
	if (o->list)
		list_plan(&r);
	else
		code = run_waves(&r);
	progress_end(&r.line);
	if (cli->json)
		json_end(&r.json, ']');
	say_sum(&r, &began);
	code = code ? code : exit_code(&r);
	autostart_free_plan(&r.plan);
	return code;
}

static const struct manual manual = {
	.description =
	"Starts the containers that have `lxc.start.auto` = 1 and do not run; with `-s`, `-k` or "
	"`-r` it shuts down, ends or reboots those that run. Services do it when the machine "
	"starts and stops.\n\n"
	"Containers are taken group by group (`-g`; without it those that have no `lxc.group`), "
	"within a group by `lxc.start.order`, lower ones first, then by name, and each once. After "
	"one with `lxc.start.delay` that many seconds pass. What a container names in "
	"`lxc.start.requires` is started before it, whether it would be by itself or not, and must "
	"run, have an address or be ready by then; where it does not come so far, the container is "
	"not started. Stopping goes in the reverse order.\n\n"
	"Containers that follow each other with the same order, no delay between them and no need "
	"of each other are worked on side by side. A line at the end says how many there were, and "
	"what failed.",
	.exits = (const struct meaning[]){
		{"1", "None worked, or the options are wrong."},
		{"2", "Some failed."},
		{0}},
	.examples = (const struct meaning[]){
		{"lxc-autostart -g onboot,", "The group onboot first, then those without a group."},
		{"lxc-autostart -L", "What would be started, and the delay after each."},
		{"lxc-autostart -s -a -A -t 30", "Shut everything down."},
		{0}},
	.differences =
	"A group is compared whole: `web` is not in `webfoo`. Without any container to work on it "
	"ends with 0. LXC starts one after another; `-j 1` does so here.",
	.see_also = "lxc-start lxc-stop lxc.container.conf lxc-services",
};

const struct tool tool_autostart = {
	.name = "lxc-autostart",
	.purpose = "start, stop or reboot the containers that are to run",
	.synopsis = "[-L] [-a] [-A] [-g LIST]...\n-s|-k|-r [-L] [-a] [-A] [-g LIST]... [-t SECONDS]",
	.traits = TOOL_READS | TOOL_NAMELESS,
	.options = rows,
	.options_size = sizeof(struct autostart_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

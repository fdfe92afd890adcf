/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One operation on many containers.  fleet.h says what for; the library does it. */
#include "fleet.h"
#include "progress.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define MOST_JOBS 512

bool fleet_is_meant(const struct cli *cli)
{
	return lxcore_is_pattern(cli->name);
}

int fleet_check(const struct cli *cli, const struct fleet_options *o, bool meant)
{
	if (!meant && (o->jobs != FLEET_UNSET || o->limit != FLEET_UNSET))
		return cli_error(cli, "%s has a meaning for many containers only (a pattern as name)",
				 o->jobs != FLEET_UNSET ? "-j" : "--limit");
	if (meant && cli->rcfile)
		return cli_error(cli, "--rcfile is for one container, not for all that match \"%s\"",
				 cli->name);
	if (o->jobs != FLEET_UNSET && (o->jobs < 1 || o->jobs > MOST_JOBS))
		return cli_error(cli, "Invalid number of jobs: %d (1 to %d)", o->jobs, MOST_JOBS);
	if (o->limit != FLEET_UNSET && o->limit < 0)
		return cli_error(cli, "Invalid limit: %d (0 means none)", o->limit);
	return 0;
}

/* ---- one of them, in a process of its own ---------------------------------------------------- */

struct fleet_work {
	struct cli *cli;
	const struct fleet *f;
	struct progress line;
	size_t total, settled; /* of all rounds; those that need no further one */
	unsigned milliseconds; /* of the rounds before */
};

static bool is_as_wanted(const struct cli *cli, const struct fleet *f, const char *name)
{
	autocontainer lxcore_container *c = NULL;

	if (!f->already_code || lxcore_error_code(cli->err) != f->already_code)
		return false;
	c = lxcore_open(cli_path(cli), name, NULL);
	return c && f->already_states & 1u << lxcore_state(c);
}

static int do_one(lxcore_job *job, const char *name, void *data, lxcore_error *err)
{
	struct fleet_work *w = data;
	struct cli cli = *w->cli;
	struct fleet_answer answer = {.job = job};

	cli.quiet = true;
	cli.err = err;
	if (w->f->one(&cli, name, w->f->data, &answer)) {
		if (!is_as_wanted(&cli, w->f, name))
			return -1;
		answer.already = true;
	}
	answer.job = NULL;
	return lxcore_job_answer(job, &answer, sizeof(answer));
}

/* ---- all of them ----------------------------------------------------------------------------- */

static bool show(const struct lxcore_fleet_progress *p, void *data)
{
	struct fleet_work *w = data;
	size_t done = w->settled + p->done;
	double seconds = (w->milliseconds + p->milliseconds) / 1000.0;
	double rate = seconds > 0 ? (double)done / seconds : 0;
	char failed[32] = "", left[32] = "";

	if (p->failed)
		snprintf(failed, sizeof(failed), ", %zu failed", p->failed);
	if (done && done < w->total)
		snprintf(left, sizeof(left), ", %.0f s left", (double)(w->total - done) / rate + 0.5);
	progress_show(&w->line, w->cli, "%zu of %zu %s%s, %.*f a second%s", done - p->failed,
		      w->total, w->f->done, failed, rate < 10, rate, left);
	return true;
}

/* Something that others of the same fleet may have taken out of the way meanwhile. */
static bool is_worth_another(const struct lxcore_outcome *o)
{
	int code = o->error ? lxcore_error_code(o->error) : 0;

	return code == ENOTEMPTY || code == EBUSY;
}

static struct lxcore_outcome *find(struct lxcore_outcome *list, const char *name)
{
	while (strcmp(list->name, name) != 0)
		list++;
	return list;
}

/* Put the outcomes of a later round in place of the first ones'. */
static void merge(struct lxcore_outcome *all, struct lxcore_outcome *later)
{
	for (struct lxcore_outcome *o = later; o->name; o++) {
		struct lxcore_outcome *old = find(all, o->name), was = *old;

		*old = *o;
		*o = was;
	}
	lxcore_outcomes_free(later);
}

static int run_round(struct fleet_work *w, const char *const *names, const struct fleet_options *o,
		     struct lxcore_outcome **ret)
{
	struct lxcore_fleet how = LXCORE_FLEET_INIT;

	how.jobs = o->jobs == FLEET_UNSET ? 0 : (unsigned)o->jobs;
	how.timeout = o->limit == FLEET_UNSET ? FLEET_LIMIT : o->limit;
	how.work = do_one;
	how.progress = show;
	how.data = w;
	return lxcore_fleet_run(names, &how, ret, w->cli->err);
}

static void add_time(struct fleet_work *w, const struct timespec *began)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	w->milliseconds = (unsigned)((now.tv_sec - began->tv_sec) * 1000 +
				     (now.tv_nsec - began->tv_nsec) / 1000000);
}

/* Each round settles at least one, or is the last. */
static int run_rounds(struct fleet_work *w, const struct fleet_options *o,
		      struct lxcore_outcome **ret)
{
	struct lxcore_outcome *later;
	struct words names = {0};
	struct timespec began;
	size_t before = w->total + 1;
	int failed;

	clock_gettime(CLOCK_MONOTONIC, &began);
	failed = run_round(w, w->f->names, o, ret);
	while (failed > 0 && w->f->again) {
		names.n = 0;
		for (struct lxcore_outcome *one = *ret; one->name; one++)
			if (is_worth_another(one))
				words_add(&names, one->name);
		if (names.n == 0 || names.n >= before)
			break;
		before = names.n;
		w->settled = w->total - names.n;
		add_time(w, &began);
		failed = run_round(w, names.v, o, &later);
		if (failed >= 0)
			merge(*ret, later);
	}
	add_time(w, &began);
	free(names.v);
	return failed;
}

static int report(const struct fleet_work *w, const struct lxcore_outcome *list)
{
	autofree struct fleet_row *rows = must_have(calloc(w->total + 1, sizeof(*rows)));
	bool failed = false;

	for (size_t i = 0; i < w->total; i++) {
		rows[i].name = list[i].name;
		rows[i].error = list[i].error;
		rows[i].milliseconds = list[i].milliseconds;
		if (!list[i].error && list[i].answer_size == sizeof(struct fleet_answer))
			rows[i].answer = list[i].answer;
		failed |= list[i].error != NULL;
	}
	fleet_report(w->cli, w->f, rows, w->total, w->milliseconds);
	return failed;
}

int fleet_run_names(struct cli *cli, const struct fleet *f, const struct fleet_options *o)
{
	struct fleet_work w = {.cli = cli, .f = f, .line = progress_begin(cli)};
	struct lxcore_outcome *list = NULL;
	int code;

	while (f->names[w.total])
		w.total++;
	code = run_rounds(&w, o, &list);
	progress_end(&w.line);
	code = code < 0 ? cli_fail(cli) : report(&w, list);
	lxcore_outcomes_free(list);
	return code;
}

int fleet_run(struct cli *cli, struct fleet *f, const struct fleet_options *o)
{
	char **names = NULL;
	int code;

	if (lxcore_list_matching(cli_path(cli), cli->name, &names, cli->err) < 0)
		return cli_fail(cli);
	f->subject = cli->name;
	f->names = (const char *const *)names;
	code = fleet_run_names(cli, f, o);
	lxcore_names_free(names);
	return code;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A copy of a container and what is done with it.  cloning.h says for whom. */
#include "cloning.h"
#include "json.h"
#include "launch.h"
#include "mountspec.h"
#include "progress.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define TRIES 20 /* for a name that nobody has */
#define HALT_SECONDS 60

char *cloning_choose_name(const char *of)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[6];
	char *name = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&name, &size));

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		memset(random, 0, sizeof(random));
	fprintf(out, "%s_", of);
	for (size_t i = 0; i < sizeof(random); i++)
		fputc(letters[random[i] % (sizeof(letters) - 1)], out);
	fclose(out);
	return must_have(name);
}

/* ---- how far it is --------------------------------------------------------------------------- */

struct watch {
	const struct cli *cli;
	struct progress line;
	lxcore_job *job; /* one among many shows that it lives; or NULL */
};

static bool show(const struct lxcore_progress *p, void *data)
{
	struct watch *w = data;
	double mb = (double)p->bytes / 1e6, all = (double)p->total_bytes / 1e6;
	double rate = p->usec ? mb * 1e6 / (double)p->usec : 0;

	if (w->job)
		lxcore_job_alive(w->job);
	if (!p->total_bytes)
		progress_show(&w->line, w->cli, "%.1f MB, %llu files, %.0f MB a second", mb,
			      (unsigned long long)p->files, rate);
	else if (rate > 0)
		progress_show(&w->line, w->cli, "%.1f of %.1f MB, %.0f MB a second, %.0f s left", mb,
			      all, rate, (all - mb) / rate);
	return true;
}

/* ---- making it ------------------------------------------------------------------------------- */

static void free_settings(struct words *settings)
{
	for (size_t i = 0; i < settings->n; i++)
		free((char *)settings->v[i]);
	free(settings->v);
}

static int copy_as(const struct cli *cli, lxcore_container *c, const struct clone *k,
		   const char *name, struct lxcore_copied *ret)
{
	struct watch watch = {.cli = cli, .line = progress_begin(cli), .job = k->job};
	struct lxcore_copy how = k->how;
	const char *path = how.path ? how.path : lxcore_path(c);
	struct words settings = {0};
	autofree char *dir = NULL;
	int result = -1;

	must_have(asprintf(&dir, "%s/%s", path, name) < 0 ? NULL : dir);
	if (k->mounts && mountspec_add(cli, k->mounts, dir, &settings)) {
		free_settings(&settings);
		return 1;
	}
	how.name = name;
	how.settings = settings.v;
	how.progress = show;
	how.data = &watch;
	result = lxcore_copy(c, &how, ret, cli->err);
	progress_end(&watch.line);
	free_settings(&settings);
	return result;
}

/* 0, -1 with cli->err, or 1 after a message. */
static int copy(const struct cli *cli, lxcore_container *c, const struct clone *k,
		struct lxcore_copied *ret)
{
	int result = -1;

	if (k->name)
		return copy_as(cli, c, k, k->name, ret);
	for (int i = 0; i < TRIES && result < 0; i++) {
		autofree char *name = cloning_choose_name(cli->name);

		result = copy_as(cli, c, k, name, ret);
		if (result < 0 && lxcore_error_code(cli->err) != EEXIST)
			break;
	}
	return result;
}

void cloning_print(const struct cli *cli, const struct lxcore_copied *made)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "name", cli->name);
	json_text(&j, "new", made->name);
	json_text(&j, "way", made->way);
	json_number(&j, "bytes", (int64_t)made->bytes);
	json_number(&j, "pause_us", made->pause_us);
	json_end(&j, '}');
}

static void tell(const struct cli *cli, const struct clone *k, const struct lxcore_copied *made)
{
	if (cli->json) {
		cloning_print(cli, made);
		return;
	}
	if (made->pause_us)
		cli_say(cli, "%s stood still for %u.%03u ms (%s)", cli->name, made->pause_us / 1000,
			made->pause_us % 1000, made->way);
	if (!k->ephemeral || cli->quiet)
		return;
	printf("Created %s as clone of %s\n", made->name, cli->name);
	if (k->how.tmpfs)
		puts("The container's root filesystem lives in memory (tmpfs)\n"
		     "It is lost when the container stops or reboots");
	fflush(stdout);
}

/* ---- what comes then ------------------------------------------------------------------------- */

/* Ask it to halt, and see to it. */
static void halt(lxcore_container *c)
{
	if (lxcore_shutdown(c, HALT_SECONDS, NULL) < 0)
		lxcore_stop(c, NULL);
}

static int run_command(struct cli *cli, const struct clone *k, lxcore_container *c)
{
	struct lxcore_attach how = LXCORE_ATTACH_INIT;
	int status = 0, result;

	how.command = k->command;
	how.clear_env = true;
	how.terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	result = lxcore_attach(c, &how, &status, cli->err);
	halt(c);
	return result < 0 ? cli_fail(cli) : cli_status(status);
}

static int start(const struct cli *cli, const struct clone *k, lxcore_container *c)
{
	struct lxcore_start how = LXCORE_START_INIT;
	int status = 0;

	if (k->foreground && !k->command)
		launch_foreground(&how);
	if (lxcore_start(c, &how, &status, cli->err) < 0)
		return -1;
	if (how.foreground)
		launch_tell_end(cli, status);
	return 0;
}

static int go_on(struct cli *cli, const struct clone *k, const struct lxcore_copied *made)
{
	autocontainer lxcore_container *c = NULL;

	if (!k->start && !k->ephemeral)
		return 0;
	c = lxcore_open(k->how.path ? k->how.path : cli_path(cli), made->name, cli->err);
	if (!c)
		return cli_fail(cli);
	if (start(cli, k, c) < 0) {
		/* One that was made to run this once is of no use. */
		if (k->ephemeral && !k->keep && lxcore_is_defined(c))
			lxcore_destroy(c, false, NULL);
		return cli_fail(cli);
	}
	if (k->up >= 0 && lxcore_wait_up(c, (enum lxcore_up)k->up, k->up_seconds, cli->err) < 0)
		return cli_fail(cli);
	return k->command ? run_command(cli, k, c) : 0;
}

static void fill_answer(struct fleet_answer *a, const struct lxcore_copied *made)
{
	snprintf(a->name, sizeof(a->name), "%s", made->name);
	snprintf(a->way, sizeof(a->way), "%s", made->way);
	a->pause_us = made->pause_us;
}

int cloning_make(struct cli *cli, const struct clone *k, struct fleet_answer *answer)
{
	autocontainer lxcore_container *c = cli_open(cli);
	struct lxcore_copied made = {0};
	int code;

	if (!c)
		return 1;
	code = copy(cli, c, k, &made);
	if (code)
		return code < 0 ? cli_fail(cli) : 1;
	cli_notices(cli, c);
	if (answer)
		fill_answer(answer, &made);
	else
		tell(cli, k, &made);
	code = go_on(cli, k, &made);
	lxcore_copied_free(&made);
	return code;
}

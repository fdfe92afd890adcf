/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What came of an operation on many containers: a summary for people, an object for programs. */
#include "fleet.h"
#include "json.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define MOST_NAMES 24 /* shown of those that failed for one reason */
#define WIDTH 96

/* ---- reasons --------------------------------------------------------------------------------- */

/* Can this stand beside a container's name without being a part of it? */
static bool is_border(char c)
{
	return !isalnum((unsigned char)c) && c != '_' && c != '-';
}

/* The text with NAME wherever the container's own stands: so the same reason reads the same. */
static char *make_general(const char *text, const char *name)
{
	size_t n = strlen(name), size;
	char *ret = NULL;
	FILE *out = must_have(open_memstream(&ret, &size));

	if (strncmp(text, name, n) == 0 && strncmp(text + n, ": ", 2) == 0)
		text += n + 2;
	for (const char *at = text; *at;) {
		bool here = strncmp(at, name, n) == 0 && (at == text || is_border(at[-1])) &&
			is_border(at[n]);

		fputs(here ? "NAME" : (char[]){*at, '\0'}, out);
		at += here ? n : 1;
	}
	fclose(out);
	return must_have(ret);
}

/* The names of those rows, from the first one on, whose reason is the same; they are marked. */
static size_t list_alike(const struct fleet_row *rows, char *const *reasons, size_t n, size_t first,
			 bool *seen, FILE *out)
{
	size_t count = 0;

	for (size_t i = first; i < n; i++) {
		if (!reasons[i] || strcmp(reasons[i], reasons[first]) != 0)
			continue;
		seen[i] = true;
		if (count++ < MOST_NAMES)
			fprintf(out, "%s%s", count > 1 ? " " : "", rows[i].name);
	}
	if (count > MOST_NAMES)
		fprintf(out, " and %zu more (--json names all)", count - MOST_NAMES);
	return count;
}

static void print_reason(const struct cli *cli, const struct fleet_row *rows, char *const *reasons,
			 size_t n, size_t first, bool *seen)
{
	autofree char *names = NULL, *mend = NULL;
	size_t size, count;
	FILE *out = must_have(open_memstream(&names, &size));

	count = list_alike(rows, reasons, n, first, seen, out);
	fclose(out);
	cli_say(cli, "%zu failed: %s", count, reasons[first]);
	fputs("  ", stderr);
	text_wrap(stderr, must_have(names), 2, WIDTH);
	mend = make_general(lxcore_error_mend(rows[first].error), rows[first].name);
	for (char *line = strtok(mend, "\n"); line; line = strtok(NULL, "\n")) {
		fputs("  to mend it: ", stderr);
		text_print(stderr, line);
		fputc('\n', stderr);
	}
}

static void print_reasons(const struct cli *cli, const struct fleet_row *rows, size_t n)
{
	autofree char **reasons = must_have(calloc(n + 1, sizeof(*reasons)));
	autofree bool *seen = must_have(calloc(n + 1, sizeof(*seen)));

	for (size_t i = 0; i < n; i++)
		if (rows[i].error)
			reasons[i] = make_general(lxcore_error_text(rows[i].error), rows[i].name);
	for (size_t i = 0; i < n; i++)
		if (reasons[i] && !seen[i])
			print_reason(cli, rows, reasons, n, i, seen);
	for (size_t i = 0; i < n; i++)
		free(reasons[i]);
}

/* ---- the summary ----------------------------------------------------------------------------- */

struct sums {
	size_t worked, already, failed;
	const char *way; /* of all that worked, NULL: they differ, or there is none to tell */
	unsigned pause_us; /* the longest */
};

static void add_answer(struct sums *s, const struct fleet_answer *a)
{
	const char *way = a && *a->way ? a->way : NULL;

	if (s->worked == 1)
		s->way = way;
	else if (s->way && (!way || strcmp(s->way, way) != 0))
		s->way = NULL;
	if (a && a->pause_us > s->pause_us)
		s->pause_us = a->pause_us;
}

static struct sums sum_up(const struct fleet_row *rows, size_t n)
{
	struct sums s = {0};

	for (size_t i = 0; i < n; i++) {
		if (rows[i].error) {
			s.failed++;
		} else if (rows[i].answer && rows[i].answer->already) {
			s.already++;
		} else {
			s.worked++;
			add_answer(&s, rows[i].answer);
		}
	}
	return s;
}

static void print_summary(const struct cli *cli, const struct fleet *f, const struct sums *s,
			  size_t n, unsigned milliseconds)
{
	autofree char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));

	fprintf(out, "%zu of %zu %s in %u.%02u s", s->worked, n, f->done, milliseconds / 1000,
		milliseconds % 1000 / 10);
	if (s->way)
		fprintf(out, " (%s)", s->way);
	if (s->pause_us)
		fprintf(out, ", longest pause %u.%03u ms", s->pause_us / 1000, s->pause_us % 1000);
	if (s->already)
		fprintf(out, ", %zu %s %s", s->already, s->already == 1 ? "was" : "were",
			f->already);
	if (s->failed)
		fprintf(out, ", %zu failed", s->failed);
	fclose(out);
	must_have(text);
	cli_say(cli, "%s", text);
}

static void json_error(struct json *j, const lxcore_error *err)
{
	const char *mend = err ? lxcore_error_mend(err) : "";
	int code = err ? lxcore_error_code(err) : 0;

	if (!err) {
		json_text(j, "error", NULL);
		return;
	}
	json_object(j, "error");
	json_text(j, "text", lxcore_error_text(err));
	json_text(j, "code", code ? strerrorname_np(code) : NULL);
	json_text(j, "mend", *mend ? mend : NULL);
	json_end(j, '}');
}

static void json_row(struct json *j, const struct fleet *f, const struct fleet_row *row)
{
	const struct fleet_answer *a = row->answer;

	json_object(j, NULL);
	json_text(j, "name", row->name);
	json_text(j, "result", row->error ? "failed" : a && a->already ? "already" : f->done);
	json_number(j, "milliseconds", row->milliseconds);
	if (a && *a->name)
		json_text(j, "new", a->name);
	if (a && *a->way) {
		json_text(j, "way", a->way);
		json_number(j, "pause_us", a->pause_us);
	}
	json_error(j, row->error);
	json_end(j, '}');
}

static void print_json(const struct fleet *f, const struct fleet_row *rows, const struct sums *s,
		       size_t n, unsigned milliseconds)
{
	struct json j = {.out = stdout};

	json_object(&j, NULL);
	json_text(&j, "subject", f->subject);
	json_number(&j, "total", (int64_t)n);
	json_number(&j, "worked", (int64_t)s->worked);
	json_number(&j, "already", (int64_t)s->already);
	json_number(&j, "failed", (int64_t)s->failed);
	json_number(&j, "milliseconds", milliseconds);
	json_rows(&j, "containers");
	for (size_t i = 0; i < n; i++)
		json_row(&j, f, &rows[i]);
	json_end(&j, ']');
	json_end(&j, '}');
}

void fleet_report(const struct cli *cli, const struct fleet *f, const struct fleet_row *rows,
		  size_t n, unsigned milliseconds)
{
	const struct sums s = sum_up(rows, n);

	if (cli->json) {
		print_json(f, rows, &s, n, milliseconds);
		return;
	}
	if (cli->quiet)
		return;
	print_summary(cli, f, &s, n, milliseconds);
	print_reasons(cli, rows, n);
}

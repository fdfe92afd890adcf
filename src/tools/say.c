/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tools say on stderr: failures with the command that mends them, and single remarks.  One
 * grammar for all: 'lxc-start: TEXT', then 'to mend it: COMMAND'; as an object with --json.
 */
#include "cli.h"
#include "json.h"

#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Colours only where a person looks, and has not said no (https://no-color.org). */
static bool is_colourful(void)
{
	const char *no = getenv("NO_COLOR");

	return isatty(STDERR_FILENO) && !(no && *no);
}

static void print_lines(FILE *out, const char *lines)
{
	const char *before = "  to mend it: ";

	for (const char *line = lines; *line;) {
		size_t n = strcspn(line, "\n");
		autofree char *one = must_have(strndup(line, n));

		fputs(before, out);
		text_print(out, one);
		fputc('\n', out);
		before = "              ";
		line += n + (line[n] == '\n');
	}
}

static void print_json_error(FILE *out, const char *text, const char *mend, int code)
{
	struct json j = {.out = out};
	const char *code_name = code ? strerrorname_np(code) : NULL;

	json_object(&j, NULL);
	json_object(&j, "error");
	json_text(&j, "text", text);
	json_text(&j, "code", code_name);
	json_text(&j, "mend", *mend ? mend : NULL);
	json_end(&j, '}');
	json_end(&j, '}');
}

static int say_error(const struct cli *cli, const char *text, const char *mend, int code)
{
	autofree char *all = NULL;
	size_t size;
	FILE *out;
	bool colours = is_colourful();

	if (cli->quiet)
		return 1;
	out = must_have(open_memstream(&all, &size));
	if (cli->json) {
		print_json_error(out, text, mend, code);
	} else {
		fprintf(out, "%s%s:%s ", colours ? "\033[1m" : "", cli->tool->name,
			colours ? "\033[0m" : "");
		text_print(out, text);
		fputc('\n', out);
		print_lines(out, mend);
	}
	fclose(out);
	fflush(stdout);
	fputs(must_have(all), stderr);
	return 1;
}

int cli_fail(const struct cli *cli)
{
	const char *text = lxcore_error_text(cli->err);

	return say_error(cli, *text ? text : "cannot go on: out of memory",
			 lxcore_error_mend(cli->err), lxcore_error_code(cli->err));
}

int cli_error_mend(const struct cli *cli, const char *mend, const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return say_error(cli, must_have(text), mend, 0);
}

int cli_error(const struct cli *cli, const char *format, ...)
{
	autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return say_error(cli, must_have(text), "", 0);
}

void cli_say(const struct cli *cli, const char *format, ...)
{
	autofree char *text = NULL, *safe = NULL;
	va_list args;

	if (cli->quiet)
		return;
	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	safe = text_escape(must_have(text));
	fprintf(stderr, "%s: %s\n", cli->tool->name, safe);
}

void cli_notices(const struct cli *cli, lxcore_container *c)
{
	const char *const *notices = cli->quiet || cli->json ? NULL : lxcore_notices(c);

	for (; notices && *notices; notices++)
		cli_say(cli, "%s", *notices);
}

int cli_status(int wait_status)
{
	if (WIFSIGNALED(wait_status))
		return 128 + WTERMSIG(wait_status);
	return WEXITSTATUS(wait_status);
}

void cli_value(const char *value)
{
	size_t n = strlen(value);

	if (isatty(STDOUT_FILENO))
		text_print_lines(stdout, value);
	else
		fputs(value, stdout);
	if (n == 0 || value[n - 1] != '\n')
		fputc('\n', stdout);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help and --usage.  The text is collected first and written at once. */
#include "help.h"

#include <string.h>

#define HELP_INDENT 28u
#define HELP_WIDTH 80u /* of the narrowest terminal that is common */
#define USAGE_INDENT 8u

static void print_synopsis(const struct tool *tool, FILE *out)
{
	autofree char *lines = must_have(strdup(tool->synopsis));
	const char *before = "Usage: ";
	char *rest = lines;

	for (char *line; (line = strsep(&rest, "\n"));) {
		int start = fprintf(out, "%s%s%s", before, tool->name, *line ? " " : "");

		text_wrap(out, line, (size_t)start, HELP_WIDTH);
		before = "       ";
	}
}

static void print_row(const struct option_row *row, FILE *out)
{
	char text[128];
	const char *arg = row->arg ? row->arg : "";
	int n = snprintf(text, sizeof(text), "  %c%c%s --%s%s%s", row->letter ? '-' : ' ',
			 row->letter ? row->letter : ' ', row->letter ? "," : " ", row->name,
			 !*arg ? "" : *arg == '[' ? "[=" : "=", *arg == '[' ? arg + 1 : arg);

	if (n >= (int)HELP_INDENT)
		fprintf(out, "%s\n%*s", text, (int)HELP_INDENT, "");
	else
		fprintf(out, "%-*s", (int)HELP_INDENT, text);
	text_wrap(out, row->summary, HELP_INDENT, HELP_WIDTH);
}

void help_print(const struct tool *tool, FILE *stream)
{
	autofree char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));
	const struct option_row *row;

	print_synopsis(tool, out);
	fprintf(out, "\n%s: %s.\n", tool->name, tool->purpose);
	if (cli_own(tool, 0))
		fputs("\nOptions:\n", out);
	for (size_t i = 0; (row = cli_own(tool, i)); i++)
		print_row(row, out);
	fputs("\nCommon options:\n", out);
	for (size_t i = 0; (row = cli_common(tool, i)); i++)
		print_row(row, out);
	fprintf(out, "\n%s(1) says more: exit codes, examples, notes.\n", tool->name);
	fclose(out);
	fputs(must_have(text), stream);
}

static void usage_row(const struct option_row *row, FILE *out)
{
	const char *arg = row->arg ? row->arg : "";

	fputs(" [", out);
	if (row->letter)
		fprintf(out, "-%c|", row->letter);
	fprintf(out, "--%s%s%s]", row->name, !*arg ? "" : *arg == '[' ? "[=" : "=",
		*arg == '[' ? arg + 1 : arg);
}

void usage_print(const struct tool *tool, FILE *stream)
{
	autofree char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));
	const struct option_row *row;

	fprintf(out, "%s", tool->name);
	for (size_t k = 0; (row = cli_own(tool, k)); k++)
		usage_row(row, out);
	for (size_t k = 0; (row = cli_common(tool, k)); k++)
		usage_row(row, out);
	fclose(out);
	fputs("Usage: ", stream);
	text_wrap(stream, must_have(text), USAGE_INDENT, HELP_WIDTH);
}

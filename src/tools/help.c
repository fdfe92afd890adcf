/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* --help and --usage.  The text is collected first and written at once. */
#include "help.h"

#include <string.h>

#define HELP_INDENT 34u
#define HELP_WIDTH 100u
#define USAGE_PER_LINE 4u

static void print_synopsis(const struct tool *tool, FILE *out)
{
	const char *before = "Usage: ";

	for (const char *line = tool->synopsis; *line;) {
		size_t n = strcspn(line, "\n");

		fprintf(out, "%s%s%s%.*s\n", before, tool->name, n ? " " : "", (int)n, line);
		before = "       ";
		line += n + (line[n] == '\n');
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

static void usage_row(const struct option_row *row, size_t i, FILE *out)
{
	const char *arg = row->arg ? row->arg : "";

	fputs(i && i % USAGE_PER_LINE == 0 ? "\n\t[" : " [", out);
	if (row->letter)
		fprintf(out, "-%c|", row->letter);
	fprintf(out, "--%s%s%s]", row->name, !*arg ? "" : *arg == '[' ? "[=" : "=",
		*arg == '[' ? arg + 1 : arg);
}

void usage_print(const struct tool *tool, FILE *stream)
{
	autofree char *text = NULL;
	size_t size, i = 0;
	FILE *out = must_have(open_memstream(&text, &size));
	const struct option_row *row;

	fprintf(out, "Usage: %s", tool->name);
	for (size_t k = 0; (row = cli_own(tool, k)); k++)
		usage_row(row, i++, out);
	for (size_t k = 0; (row = cli_common(tool, k)); k++)
		usage_row(row, i++, out);
	fputc('\n', out);
	fclose(out);
	fputs(must_have(text), stream);
}

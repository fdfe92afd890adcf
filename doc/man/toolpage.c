/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The manual page of a tool, made from the table that its parser uses. */
#include "mdoc.h"
#include "pages.h"

#include <string.h>

/* What follows the name in the synopsis: brackets and dashes are read as they stand. */
static void synopsis(const struct tool *tool, FILE *out)
{
	const char *line = tool->synopsis;

	fputs(".Sh SYNOPSIS\n", out);
	do {
		size_t n = strcspn(line, "\n");
		char text[512];

		snprintf(text, sizeof(text), "%.*s", (int)n, line);
		fputs(".Nm\n", out);
		if (*text)
			mdoc_line(out, text);
		line += n + (line[n] == '\n');
	} while (*line);
}

static void option(const struct option_row *row, FILE *out)
{
	const char *arg = row->arg ? row->arg : "";
	size_t n = strlen(arg);

	fputs(".It ", out);
	if (row->letter)
		fprintf(out, "Fl %c , ", row->letter);
	fprintf(out, "Fl \\-%s", row->name);
	if (*arg == '[')
		fprintf(out, " Ns Oo = Ns Ar %.*s Oc", (int)n - 2, arg + 1);
	else if (*arg)
		fprintf(out, " Ns = Ns Ar %s", arg);
	fputc('\n', out);
	mdoc_line(out, row->summary);
}

static void options(const struct tool *tool, FILE *out)
{
	const struct option_row *row;

	fputs(".Sh OPTIONS\n", out);
	if (cli_own(tool, 0)) {
		fputs(".Bl -tag -width Ds\n", out);
		for (size_t i = 0; (row = cli_own(tool, i)); i++)
			option(row, out);
		fputs(".El\n", out);
	}
	fputs(".Ss Common options\n.Bl -tag -width Ds\n", out);
	for (size_t i = 0; (row = cli_common(tool, i)); i++)
		option(row, out);
	fputs(".El\n.Pp\n"
	      "A long option may be shortened as long as it stays clear which one is meant.\n"
	      "Options may stand behind other words;\n.Fl \\-\nends them.\n", out);
	if (tool->traits & TOOL_COMMAND)
		fputs("The options of a command are the command's: after the container's name the\n"
		      "first word that is no option begins it, and nothing behind it is read.\n",
		      out);
}

static bool has(const struct meaning *list, const char *term)
{
	for (; list && list->term; list++)
		if (strcmp(list->term, term) == 0)
			return true;
	return false;
}

static void exits(const struct meaning *list, FILE *out)
{
	fputs(".Sh EXIT STATUS\n.Bl -tag -width 128+N\n", out);
	if (!has(list, "0"))
		fputs(".It 0\nit went well\n", out);
	if (!has(list, "1"))
		fputs(".It 1\nit failed; standard error says why\n", out);
	for (; list && list->term; list++) {
		fprintf(out, ".It %s\n", list->term);
		mdoc_line(out, list->text);
	}
	fputs(".El\n", out);
}

static void examples(const struct meaning *list, FILE *out)
{
	fputs(".Sh EXAMPLES\n", out);
	for (const char *pp = ""; list->term; list++, pp = ".Pp\n") {
		fputs(pp, out);
		mdoc_line(out, list->text);
		fputs(".Dl ", out);
		mdoc_line(out, list->term);
	}
}

static void section(const char *title, const char *text, FILE *out)
{
	if (!text)
		return;
	fprintf(out, ".Sh %s\n", title);
	mdoc_text(out, text);
}

void page_of_tool(const struct tool *tool, FILE *out)
{
	const struct manual *m = tool->manual;

	mdoc_begin(out, tool->name, 1, tool->purpose);
	synopsis(tool, out);
	section("DESCRIPTION", m->description, out);
	options(tool, out);
	exits(m->exits, out);
	if (m->examples)
		examples(m->examples, out);
	section("NOTES", m->notes, out);
	section("DIFFERENCES FROM LXC", m->differences, out);
	mdoc_see_also(out, m->see_also);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tables of the completion for bash: which options a tool has, and by its name what can stand
 * for an argument.  doc/completion/functions.bash uses them.
 */
#include "pages.h"

/* --name=NAME, without '=' when it takes no argument or one that must stand in the same word. */
static void print_option(const struct option_row *row, FILE *out)
{
	const char *arg = row->arg && *row->arg != '[' ? row->arg : "";
	const char *is = *arg ? "=" : "";

	if (row->letter)
		fprintf(out, "\n\t\t\t'-%c%s%s'", row->letter, is, arg);
	fprintf(out, "\n\t\t\t'--%s%s%s'", row->name, is, arg);
}

static void print_tool(const struct tool *tool, FILE *out)
{
	const struct option_row *row;

	fprintf(out, "\t%s)\n", tool->name);
	if (tool->choose)
		fprintf(out, "\t\tchoose=(%s) first=%s\n", tool->choose,
			tool->traits & TOOL_PATHS ? "NAME:PATH" : "NAME");
	else if (tool->traits & TOOL_OWN_OPTIONS)
		fputs("\t\tfirst=ITEM\n", out);
	fputs("\t\toptions=(", out);
	for (size_t i = 0; (row = cli_own(tool, i)); i++)
		print_option(row, out);
	for (size_t i = 0; (row = cli_common(tool, i)); i++)
		print_option(row, out);
	fputs("\n\t\t)\n\t\t;;\n", out);
}

static void print_keys(FILE *out)
{
	struct lxcore_key key;
	const char *before = "";

	fputs("_lxc_keys='", out);
	for (size_t state = 0; lxcore_next_key(&state, &key);) {
		if (key.unsupported)
			continue;
		fprintf(out, "%s%s%s", before, key.name, key.member ? "0." : "");
		fputs(key.member ? key.member : "", out);
		before = "\n";
	}
	fputs("'\n\n", out);
}

void page_completion(FILE *out)
{
	fputs("_lxc_tables() {\n\tcase $1 in\n", out);
	for (const struct tool *const *t = all_tools; *t; t++)
		print_tool(*t, out);
	fputs("\tesac\n}\n\n", out);
	fprintf(out, "_lxc_template_dir='%s'\n", lxcore_install_dir("templates"));
	print_keys(out);
	fputs("complete -F _lxc lxc-unpriv-start lxc-unpriv-attach", out);
	for (const struct tool *const *t = all_tools; *t; t++)
		fprintf(out, " %s", (*t)->name);
	fputc('\n', out);
}

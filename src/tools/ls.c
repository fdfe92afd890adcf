/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-ls: list containers, as names, as a table or as JSON. */
#include "choice.h"
#include "cli.h"
#include "columns.h"
#include "json.h"
#include "nested.h"
#include "table.h"
#include "tools.h"

#include <sys/ioctl.h>
#include <unistd.h>

#define AT(field) offsetof(struct ls_options, field)
static const struct option_row rows[] = {
	{'1', "line", NULL, "Show one name a line", OPT_FLAG, AT(line)},
	{'f', "fancy", NULL, "Show a table", OPT_FLAG, AT(fancy)},
	{'F', "fancy-format", "COLUMNS", "With -f: these columns, joined by commas: " COLUMN_NAMES,
	 OPT_TEXT, AT(columns)},
	{0, "active", NULL, "Only those that run or are frozen", OPT_FLAG, AT(active)},
	{0, "running", NULL, "Only those that run, frozen or not", OPT_FLAG, AT(running)},
	{0, "frozen", NULL, "Only frozen ones", OPT_FLAG, AT(frozen)},
	{0, "stopped", NULL, "Only stopped ones", OPT_FLAG, AT(stopped)},
	{0, "defined", NULL, "Only those with a configuration", OPT_FLAG, AT(defined)},
	{0, "nesting", "[DEPTH]",
	 "Containers in running containers, too, so deep in one another; default 5, 0: none",
	 OPT_TEXT, AT(nesting)},
	{'g', "groups", "LIST",
	 "Only those that are in all of these groups, joined by commas", OPT_TEXT,
	 AT(groups)},
	{0, "filter", "REGEX",
	 "Only those whose name fits this extended regular expression", OPT_TEXT,
	 AT(filter)},
	{0}
};

/* ---- names ----------------------------------------------------------------------------------- */

/* Names on a terminal stand side by side; elsewhere each has its line, as ls(1) does it. */
static void print_names(const struct ls_options *o, char *const *names, size_t n)
{
	struct winsize size = {0};

	if (o->line || !isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		size.ws_col = 0;
	table_print_words(names, n, size.ws_col, stdout);
}

/* Names alone are listed without a look into anything. */
static bool wants_names_only(const struct cli *cli, const struct choice *choice)
{
	const struct ls_options *o = choice->o;

	return !cli->json && !choice->depth && !o->fancy && !o->groups && !o->stopped && !o->frozen &&
	       !(o->defined && (o->active || o->running));
}

static int list_names(struct cli *cli, const struct choice *choice)
{
	const struct ls_options *o = choice->o;
	char **names = NULL;
	size_t n = 0;
	int all = (o->active || o->running ? lxcore_list_active : o->defined ? lxcore_list_defined :
		   lxcore_list_all)(cli_path(cli), &names, cli->err);
	autofree char **chosen = NULL;

	if (all < 0)
		return cli_fail(cli);
	chosen = must_have(calloc((size_t)all + 1, sizeof(*chosen)));
	for (int i = 0; i < all; i++)
		if (choice_fits_name(choice, names[i]))
			chosen[n++] = names[i];
	print_names(o, chosen, n);
	lxcore_names_free(names);
	return 0;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* One in a container is named by its way. */
static char *way_to(const struct lxcore_summary *s)
{
	char *way = NULL;

	if (asprintf(&way, "%s%s%s", s->outer ? s->outer : "", s->outer ? "/" : "", s->name) < 0)
		way = NULL;
	return must_have(way);
}

static void print_chosen(const struct choice *choice, const struct lxcore_summary *list, int n)
{
	autofree char **chosen = must_have(calloc((size_t)n + 1, sizeof(*chosen)));
	size_t k = 0;

	for (int i = 0; i < n; i++)
		if (choice_fits(choice, &list[i]))
			chosen[k++] = way_to(&list[i]);
	print_names(choice->o, chosen, k);
	while (k)
		free(chosen[--k]);
}

static void print_table(const struct choice *choice, const struct columns *columns,
			const struct lxcore_summary *list, int n)
{
	struct table t = {.columns = columns->n, .gap = 1};
	bool any = false;

	columns_heading(columns, &t);
	for (int i = 0; i < n; i++)
		if (choice_fits(choice, &list[i])) {
			columns_row(columns, &list[i], &t);
			any = true;
		}
	if (any)
		table_print(&t, stdout);
	else
		table_free(&t);
}

static void print_json(const struct cli *cli, const struct choice *choice,
		       const struct lxcore_summary *list, int n)
{
	struct json j = {.out = stdout};

	json_rows(&j, NULL);
	for (int i = 0; i < n; i++)
		if (choice_fits(choice, &list[i]))
			columns_json(cli_path(cli), &list[i], &j);
	json_end(&j, ']');
}

static int list_rows(struct cli *cli, const struct choice *choice, const struct columns *columns)
{
	struct lxcore_summary *list = NULL;
	int n, failed = 0;
	unsigned want = cli->json ? COLUMNS_WANT_ALL : choice->o->fancy ? columns->want : 0;

	want |= choice->o->groups ? LXCORE_WANT_CONFIG : 0;
	n = lxcore_summaries(cli_path(cli), want, &list, cli->err);
	if (n < 0)
		return cli_fail(cli);
	if (choice->depth)
		failed = nested_add(cli, choice, want, &list, &n);
	if (cli->json)
		print_json(cli, choice, list, n);
	else if (choice->o->fancy)
		print_table(choice, columns, list, n);
	else
		print_chosen(choice, list, n);
	lxcore_summaries_free(list, n);
	return failed != 0;
}

/* ---- the tool -------------------------------------------------------------------------------- */

static int list(struct cli *cli, const struct choice *choice)
{
	struct columns columns = {0};
	autofree char *wrong = NULL;

	if (choice->o->columns && !choice->o->fancy)
		return cli_error(cli, "-F has a meaning with -f only");
	if (wants_names_only(cli, choice))
		return list_names(cli, choice);
	wrong = columns_parse(&columns, choice->o->columns);
	if (wrong)
		return cli_error(cli, "Invalid key: %s (%s)", wrong, COLUMN_NAMES);
	return list_rows(cli, choice, &columns);
}

static int run(struct cli *cli, const void *options)
{
	const struct ls_options *o = options;
	struct choice choice = {.o = o, .name = cli->name};
	const char *pattern = o->filter ? o->filter : cli->words.n ? cli->words.v[0] : NULL;
	regex_t filter;
	char why[128];
	int wrong, code;

	choice.depth = nested_depth(cli, o->nesting);
	if (choice.depth < 0)
		return 1;
	if (!pattern)
		return list(cli, &choice);
	wrong = regcomp(&filter, pattern, REG_EXTENDED | REG_NOSUB);
	if (wrong) {
		regerror(wrong, NULL, why, sizeof(why));
		return cli_error(cli, "cannot use \"%s\" as regular expression: %s", pattern, why);
	}
	choice.filter = &filter;
	code = list(cli, &choice);
	regfree(&filter);
	return code;
}

static const struct manual manual = {
	.description =
	"Lists the containers below the lxcpath, those with a configuration and those that "
	"run without one, sorted by name. A configuration that does not parse, or a "
	"supervisor that hangs, does not keep it from its work: what cannot be read is "
	"shown as a question mark.\n\n"
	"The table has the columns NAME STATE AUTOSTART GROUPS IPV4 IPV6 UNPRIVILEGED; "
	"`-F` chooses others. A hyphen stands for what is empty.",
	.notes =
	"With `--nesting` a running container is followed by those that root's tools have in there: "
	"`web/inner` as a name, `\\inner` in a table (the further right the deeper), and in JSON "
	"`outer` says which it is in. They are looked for where lxc.lxcpath of the container's own "
	"lxc.conf(5) says, or else at the usual places, and nothing runs in the container for it: its "
	"files are read from outside, below its root. Who is in there is not trusted: whether a "
	"nested container runs or is frozen (with the one around it, perhaps), and its PID on this "
	"host, are the kernel's word, its configuration is not read (a question mark; `-g` never finds "
	"it), its memory is not known, and what is no name of a container is left out. At most 10000 "
	"entries of a directory, and 10000 containers in one, are looked at, for 3 seconds each; if "
	"that is not enough, what was found is listed, an error says where there is more, and the "
	"exit code is 1.",
	.examples = (const struct meaning[]){
		{"lxc-ls -f", "A table of all containers."},
		{"lxc-ls -f -F name,state,ram --running", "What runs, and its memory."},
		{"lxc-ls -f --nesting", "And what runs in them."},
		{"lxc-ls -1 --filter '^web'", "Names that begin with web."},
		{0}},
	.differences =
	"No blanks end a line. When standard output is no terminal each name has its own "
	"line; LXC uses the width of whatever terminal it finds.\n\n"
	"RAM is not cut to whole MiB, and is known on cgroup v2, too. An unknown column or "
	"a bad expression is an error, with exit code 1.\n\n"
	"The loopback is not shown among the interfaces.\n\n"
	"With `--nesting` LXC runs its own code in the containers, and tells what those in there say "
	"of themselves. Options choose a container in a container for what it is itself, whatever the "
	"one around it is.",
	.see_also = "lxc-info lxc-monitor",
};

const struct tool tool_ls = {
	.name = "lxc-ls",
	.purpose = "list containers",
	.synopsis = "[-1|-f] [-F COLUMNS] [--active] [--running] [--frozen] [--stopped] "
		    "[--defined] [--nesting[=DEPTH]] [-g LIST] [REGEX]",
	.traits = TOOL_READS | TOOL_NAMELESS,
	.max_words = 1,
	.options = rows,
	.options_size = sizeof(struct ls_options),
	.run = run,
	.manual = &manual,
};

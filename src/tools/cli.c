/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From the command line to a tool's run(): the parser, the options that all tools share, the log.
 * getopt_long does the walking; it is handed tables made here from ours.
 */
#include "cli.h"
#include "help.h"

#include <getopt.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define MAX_ROWS 48
#define LONG_BASE 256 /* getopt's value of long option i; below it stand letters */

/* ---- the common options ---------------------------------------------------------------------- */

static const struct common {
	struct option_row row;
	unsigned only, unless; /* traits of tools that have it, or have it not; 0: no matter */
} common[] = {
#define AT(field) offsetof(struct cli, field)
	{{'n', "name", "NAME",
	 "The container; its name may also be the first word that is no option",
	  OPT_TEXT, AT(name)}, 0, TOOL_OWN_OPTIONS},
	{{'f', "rcfile", "FILE", "Use FILE instead of the container's own configuration", OPT_TEXT,
	  AT(rcfile)}, TOOL_RCFILE_F, 0},
	{{0, "rcfile", "FILE", "Use FILE instead of the container's own configuration", OPT_TEXT,
	  AT(rcfile)}, TOOL_RCFILE, 0},
	{{'P', "lxcpath", "PATH",
	 "Look for containers below PATH instead of lxc.lxcpath of lxc.conf(5)",
	  OPT_LIST, AT(paths)}, 0, TOOL_OWN_OPTIONS},
	{{'o', "logfile", "FILE", "Append a log to FILE; none: keep no log (default)", OPT_TEXT,
	  AT(logfile)}, 0, TOOL_OWN_OPTIONS | TOOL_OUTPUT},
	{{0, "logfile", "FILE", "Append a log to FILE; none: keep no log (default)", OPT_TEXT,
	  AT(logfile)}, TOOL_OUTPUT, 0},
	{{'l', "logpriority", "LEVEL",
	 "Log what is at least as important as TRACE, DEBUG, INFO, NOTICE, "
	  "WARN, ERROR (default), CRIT, ALERT or FATAL", OPT_TEXT, AT(loglevel)},
	 0, TOOL_OWN_OPTIONS},
	{{'q', "quiet", NULL, "Write nothing to standard error", OPT_FLAG, AT(quiet)},
	 0, TOOL_OWN_OPTIONS},
	{{0, "json", NULL, "Write JSON, errors too", OPT_FLAG, AT(json)}, TOOL_READS, 0},
	{{'h', "help", NULL, "Show this help", OPT_HELP, 0}, 0, 0},
	{{0, "usage", NULL, "Show all options in short", OPT_USAGE, 0}, 0, 0},
	{{0, "version", NULL, "Show the version", OPT_VERSION, 0}, 0, 0},
#undef AT
};

const struct option_row *cli_common(const struct tool *tool, size_t i)
{
	for (size_t k = 0; k < sizeof(common) / sizeof(common[0]); k++) {
		if (common[k].only && !(common[k].only & tool->traits))
			continue;
		if (common[k].unless & tool->traits)
			continue;
		if (i-- == 0)
			return &common[k].row;
	}
	return NULL;
}

const struct option_row *cli_own(const struct tool *tool, size_t i)
{
	size_t n = 0;

	while (tool->options && tool->options[n].name)
		n++;
	if (i < n)
		return &tool->options[i];
	return tool->more ? tool->more(i - n) : NULL;
}

/* ---- parsing --------------------------------------------------------------------------------- */

struct parser {
	const struct option_row *rows[MAX_ROWS];
	size_t n, n_own; /* rows, and how many of them are the tool's */
	struct option longs[MAX_ROWS + 1];
	char letters[3 * MAX_ROWS + 3];
	enum option_kind wanted; /* OPT_HELP, OPT_USAGE, OPT_VERSION, or OPT_FLAG: to run */
	bool misused; /* an option was wrong, so that showing the help helps */
};

void words_add(struct words *list, const char *word)
{
	list->v = must_have(realloc(list->v, (list->n + 2) * sizeof(*list->v)));
	list->v[list->n++] = word;
	list->v[list->n] = NULL;
}

static void add_row(struct parser *p, const struct option_row *row)
{
	char *end = p->letters + strlen(p->letters);
	int has_arg = !row->arg ? no_argument : *row->arg == '[' ? optional_argument :
		required_argument;

	if (p->n == MAX_ROWS)
		abort();
	p->longs[p->n] = (struct option){row->name, has_arg, NULL, LONG_BASE + (int)p->n};
	p->rows[p->n++] = row;
	if (!row->letter)
		return;
	*end++ = row->letter;
	for (int i = 0; i < has_arg; i++)
		*end++ = ':';
}

static void make_tables(struct parser *p, const struct tool *tool)
{
	const struct option_row *row;

	/* '-': other words are handed out in their order; ':': we speak of errors ourselves. */
	strcpy(p->letters, "-:");
	for (size_t i = 0; (row = cli_own(tool, i)); i++)
		add_row(p, row);
	p->n_own = p->n;
	for (size_t i = 0; (row = cli_common(tool, i)); i++)
		add_row(p, row);
}

static int find_row(const struct parser *p, int c)
{
	if (c >= LONG_BASE)
		return c - LONG_BASE;
	for (size_t i = 0; i < p->n; i++)
		if (p->rows[i]->letter == c)
			return (int)i;
	return -1;
}

static bool to_int(const char *text, int *ret)
{
	char *end;
	long n;

	if (!*text || strchr(" \t\n", *text))
		return false;
	n = strtol(text, &end, 10);
	if (*end || n < INT_MIN || n > INT_MAX)
		return false;
	*ret = (int)n;
	return true;
}

static int problem(char **ret, const char *format, const char *a, const char *b)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	if (asprintf(ret, format, a, b) < 0)
		*ret = NULL;
#pragma GCC diagnostic pop
	must_have(*ret);
	return -1;
}

static int store(struct parser *p, const struct option_row *row, void *field, char **ret_problem)
{
	const char *value = optarg ? optarg : "";

	switch (row->kind) {
	case OPT_FLAG:
		*(bool *)field = true;
		return 0;
	case OPT_TEXT:
		*(const char **)field = value;
		return 0;
	case OPT_LIST:
		words_add(field, value);
		return 0;
	case OPT_INT:
		if (to_int(value, field))
			return 0;
		return problem(ret_problem, "--%s: \"%s\" is no whole number", row->name, value);
	case OPT_LATER:
		return problem(ret_problem, "--%s is not supported yet", row->name, "");
	default:
		if (p->wanted == OPT_FLAG)
			p->wanted = row->kind;
		return 0;
	}
}

static size_t count_long(const struct parser *p, const char *word)
{
	size_t count = 0, n = strcspn(word, "=");

	for (size_t i = 0; i < p->n; i++)
		count += n > 2 && strncmp(p->rows[i]->name, word + 2, n - 2) == 0;
	return count;
}

/* What getopt_long could not use stands in the word before optind, or inside it (-abc). */
static int refuse(struct parser *p, int c, char **argv, char **ret_problem)
{
	char letter[] = {'-', (char)optopt, '\0'};
	const char *name = optopt > 0 && optopt < LONG_BASE ? letter : argv[optind - 1];

	p->misused = true;
	if (c == ':')
		return problem(ret_problem, "option %s needs an argument", argv[optind - 1], "");
	if (optopt >= LONG_BASE)
		return problem(ret_problem, "option %s takes no argument", name, "");
	if (optopt == 0 && count_long(p, name) > 1)
		return problem(ret_problem, "option %s can be one of several", name, "");
	return problem(ret_problem, "there is no option %s", name, "");
}

/*
 * A word that is no option.  The options of a command are the command's: they end at its first word
 * once the container is known, where getopt's habit would take 'ls -l' apart.
 */
static bool take_word(struct cli *cli, const char *word)
{
	bool named = cli->name || cli->words.n > 0 || cli->tool->traits & TOOL_NAMELESS;

	words_add(&cli->words, word);
	return getenv("POSIXLY_CORRECT") || (cli->tool->traits & TOOL_COMMAND && named);
}

static int walk(struct cli *cli, void *options, struct parser *p, char **argv, char **ret_problem)
{
	int argc = 0, c, i;

	while (argv[argc])
		argc++;
	optind = 0; /* glibc: begin anew, for tests parse more than once */
	opterr = 0;
	while ((c = getopt_long(argc, argv, p->letters, p->longs, NULL)) != -1) {
		if (c == 1) {
			if (take_word(cli, optarg))
				break;
			continue;
		}
		if (c == '?' || c == ':')
			return refuse(p, c, argv, ret_problem);
		i = find_row(p, c);
		if (store(p, p->rows[i], (char *)((size_t)i < p->n_own ? options : cli) +
			  p->rows[i]->offset, ret_problem) < 0)
			return -1;
	}
	for (; argv[optind]; optind++)
		words_add(&cli->words, argv[optind]);
	return 0;
}

/* ---- after parsing --------------------------------------------------------------------------- */

static void take_name(struct cli *cli)
{
	if (cli->name || cli->tool->traits & TOOL_NAMELESS || cli->words.n == 0)
		return;
	cli->name = cli->words.v[0];
	/* The list ends with a NULL, which moves along. */
	memmove(cli->words.v, cli->words.v + 1, cli->words.n * sizeof(*cli->words.v));
	cli->words.n--;
}

static int examine(struct cli *cli, char **ret_problem)
{
	const struct tool *t = cli->tool;

	take_name(cli);
	if (!cli->name && !(t->traits & (TOOL_NAMELESS | TOOL_NAME_LATER)))
		return problem(ret_problem, "No container name specified", "", "");
	if (cli->paths.n > 1 && !(t->traits & TOOL_MANY_PATHS))
		return problem(ret_problem, "This command only accepts 1 %s,--lxcpath arguments",
			       "-P", "");
	if (cli->words.n > t->max_words && !(t->traits & (TOOL_COMMAND | TOOL_WORDS)))
		return problem(ret_problem, "\"%s\" is one word too many",
			       cli->words.v[t->max_words], "");
	return 0;
}

static int parse(struct cli *cli, void *options, struct parser *p, char **argv, char **ret_problem)
{
	make_tables(p, cli->tool);
	if (walk(cli, options, p, argv, ret_problem) < 0)
		return -1;
	return p->wanted == OPT_FLAG ? examine(cli, ret_problem) : 0;
}

int cli_parse(struct cli *cli, void *options, int argc, char **argv, char **ret_problem)
{
	struct parser p = {0};

	(void)argc;
	return parse(cli, options, &p, argv, ret_problem);
}

void cli_free(struct cli *cli, void *options)
{
	const struct option_row *row;

	for (size_t i = 0; (row = cli_own(cli->tool, i)); i++)
		if (row->kind == OPT_LIST)
			free(((struct words *)((char *)options + row->offset))->v);
	free(cli->paths.v);
	free(cli->words.v);
	lxcore_error_free(cli->err);
	free(options);
}

const char *cli_path(const struct cli *cli)
{
	return cli->paths.n ? cli->paths.v[0] : NULL;
}

const char *const *cli_command(const struct cli *cli)
{
	return cli->words.n ? cli->words.v : NULL;
}

lxcore_container *cli_open(struct cli *cli)
{
	lxcore_container *c = lxcore_open(cli_path(cli), cli->name, cli->err);

	if (c && cli->rcfile && lxcore_load(c, cli->rcfile, cli->err) < 0) {
		lxcore_close(c);
		c = NULL;
	}
	if (!c)
		cli_fail(cli);
	return c;
}

int cli_no_such(const struct cli *cli, const lxcore_container *c)
{
	autofree char *mend = NULL;

	if (asprintf(&mend, "lxc-ls -P %s      (shows those that there are)", lxcore_path(c)) < 0)
		mend = NULL;
	return cli_error_mend(cli, must_have(mend), "%s: there is no such container in \"%s\"",
			      lxcore_name(c), lxcore_path(c));
}

/* Where a log goes whose file was not named: root's own containers have a directory for them. */
static char *usual_log(const struct cli *cli)
{
	const char *name = cli->name ? cli->name : cli->tool->name;
	autofree char *path = NULL;
	char *file = NULL;
	int n;

	if (geteuid() == 0 && cli->paths.n == 0)
		n = asprintf(&file, "%s/%s.log", lxcore_install_dir("log"), name);
	else if (cli->paths.n)
		n = asprintf(&file, "%s/%s/%s.log", cli->paths.v[0], name, name);
	else
		n = lxcore_global("lxc.lxcpath", &path, cli->err) < 0 ? -1 :
			asprintf(&file, "%s/%s/%s.log", path, name, name);
	return n < 0 ? NULL : file;
}

static int open_log(struct cli *cli)
{
	const char *level = cli->loglevel ? cli->loglevel : "ERROR";
	autofree char *usual = NULL;

	if (cli->logfile && strcmp(cli->logfile, "none") == 0)
		return 0;
	if (!cli->logfile && !cli->loglevel)
		return 0;
	if (!cli->logfile && !(usual = usual_log(cli)))
		return -1;
	return lxcore_log_open(usual ? usual : cli->logfile, level, cli->tool->name, cli->name,
			       cli->err);
}

static int answer(struct cli *cli, const void *options, enum option_kind wanted)
{
	FILE *out = cli->tool->traits & TOOL_HELP_STDOUT ? stdout : stderr;

	if (wanted == OPT_VERSION)
		puts(lxcore_version());
	else if (wanted == OPT_USAGE)
		usage_print(cli->tool, out);
	else
		help_print(cli->tool, out);
	if (wanted == OPT_HELP && cli->tool->after_help)
		return cli->tool->after_help(cli, options);
	return 0;
}

/* A full disk or a closed pipe behind stdout must not pass for success. */
static int finish(struct cli *cli, int code)
{
	if ((fflush(stdout) == 0 && !ferror(stdout)) || code)
		return code;
	return cli_error(cli, "cannot write the output: %m");
}

int cli_main(const struct tool *tool, int argc, char **argv)
{
	struct cli cli = {.tool = tool};
	struct parser p = {0};
	void *options = must_have(calloc(1, tool->options_size + 1));
	autofree char *wrong = NULL;
	int code;

	(void)argc;
	cli.err = must_have(lxcore_error_new());
	if (tool->presets)
		memcpy(options, tool->presets, tool->options_size);
	if (parse(&cli, options, &p, argv, &wrong) < 0) {
		cli.quiet = false;
		if (p.misused)
			help_print(tool, tool->traits & TOOL_HELP_STDOUT ? stdout : stderr);
		code = cli_error(&cli, "%s", wrong);
	} else if (p.wanted != OPT_FLAG) {
		code = answer(&cli, options, p.wanted);
	} else if (open_log(&cli) < 0) {
		code = cli_fail(&cli);
	} else {
		code = tool->run(&cli, options);
	}
	code = finish(&cli, code);
	cli_free(&cli, options);
	return code;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the tools share: the command line, text that is safe on a terminal, tables, JSON. */
#include "cli.h"
#include "columns.h"
#include "help.h"
#include "json.h"
#include "table.h"
#include "tools.h"
#include "unit.h"

#include <string.h>

#define N(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the command line ------------------------------------------------------------------------ */

struct sample {
	bool flag;
	const char *text, *maybe;
	int number;
	struct words list;
};
static const struct sample presets = {.number = -1};

#define AT(field) offsetof(struct sample, field)
static const struct option_row rows[] = {
	{'a', "all", NULL, "A flag", OPT_FLAG, AT(flag)},
	{'t', "text", "TEXT", "A text", OPT_TEXT, AT(text)},
	{'m', "maybe", "[TEXT]", "A text or none", OPT_TEXT, AT(maybe)},
	{'i', "int", "NUMBER", "A number", OPT_INT, AT(number)},
	{'s', "set", "WORD", "A list", OPT_LIST, AT(list)},
	{0, "later", "WORD", "Not yet", OPT_LATER, 0},
	{0}
};

static const struct tool plain = {.name = "plain", .options = rows, .max_words = 1,
	.synopsis = "NAME\n-a NAME", .purpose = "a sample",
	.options_size = sizeof(struct sample), .traits = TOOL_READS};
static const struct tool command = {.name = "command", .options = rows,
	.options_size = sizeof(struct sample), .traits = TOOL_COMMAND | TOOL_RCFILE_F};
static const struct tool nameless = {.name = "nameless", .options = rows, .max_words = 1,
	.options_size = sizeof(struct sample), .traits = TOOL_NAMELESS | TOOL_MANY_PATHS};

/* What came of a line, in one text: "name=web flag text=x list=a,b words=ls,-l". */
static void describe(FILE *out, const struct cli *cli, const struct sample *s)
{
	fprintf(out, "name=%s", cli->name ? cli->name : "-");
	if (s->flag)
		fputs(" flag", out);
	if (s->text)
		fprintf(out, " text=%s", s->text);
	if (s->maybe)
		fprintf(out, " maybe=%s", s->maybe);
	if (s->number != -1)
		fprintf(out, " number=%d", s->number);
	for (size_t i = 0; i < s->list.n; i++)
		fprintf(out, "%s%s", i ? "," : " list=", s->list.v[i]);
	for (size_t i = 0; i < cli->paths.n; i++)
		fprintf(out, "%s%s", i ? "," : " paths=", cli->paths.v[i]);
	for (size_t i = 0; i < cli->words.n; i++)
		fprintf(out, "%s%s", i ? "," : " words=", cli->words.v[i]);
	if (cli->quiet)
		fputs(" quiet", out);
	if (cli->json)
		fputs(" json", out);
	if (cli->rcfile)
		fprintf(out, " rcfile=%s", cli->rcfile);
}

/* Parse a line whose words are separated by single blanks. */
static char *parse(const struct tool *tool, const char *line)
{
	struct cli cli = {.tool = tool};
	struct sample *s = must_have(malloc(sizeof(*s)));
	char *argv[16] = {0}, *save = NULL, *result = NULL, *wrong = NULL;
	autofree char *copy = must_have(strdup(line));
	size_t size;
	FILE *out = must_have(open_memstream(&result, &size));
	int argc = 0;

	*s = presets;
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	if (cli_parse(&cli, s, argc, argv, &wrong) < 0)
		fputs(wrong, out);
	else
		describe(out, &cli, s);
	fclose(out);
	free(wrong);
	cli_free(&cli, s);
	return result;
}

static void test_command_line(void)
{
	static const struct {
		const struct tool *tool;
		const char *line, *expected;
	} cases[] = {
		/* The name, with an option and without. */
		{&plain, "x -n web", "name=web"},
		{&plain, "x web", "name=web"},
		{&plain, "x --name=web more", "name=web words=more"},
		{&plain, "x -nweb -a", "name=web flag"},
		{&plain, "x", "No container name specified"},
		{&nameless, "x word", "name=- words=word"},
		{&nameless, "x", "name=-"},
		/* Options behind words, bundled, shortened, with '='. */
		{&plain, "x web -a --text y", "name=web flag text=y"},
		{&plain, "x -aqn web", "name=web flag quiet"},
		{&plain, "x --te=y web", "name=web text=y"},
		{&plain, "x -t one -t two web", "name=web text=two"},
		{&plain, "x -s a web --set b", "name=web list=a,b"},
		{&plain, "x web --json", "name=web json"},
		/* An argument that may be left out must stand in the same word. */
		{&plain, "x -m web", "name=web maybe="},
		{&plain, "x -mCAP web", "name=web maybe=CAP"},
		{&plain, "x --maybe=CAP web", "name=web maybe=CAP"},
		{&plain, "x -i -5 web", "name=web number=-5"},
		/* Refusals. */
		{&plain, "x -z web", "there is no option -z"},
		{&plain, "x --zero web", "there is no option --zero"},
		{&plain, "x -? web", "there is no option -?"},
		{&plain, "x web -t", "option -t needs an argument"},
		{&plain, "x web --all=1", "option --all=1 takes no argument"},
		{&command, "x --l a web", "option --l can be one of several"},
		{&plain, "x -i 1x web", "--int: \"1x\" is no whole number"},
		{&plain, "x -i 99999999999 web", "--int: \"99999999999\" is no whole number"},
		{&plain, "x --later 1 web", "--later is not supported yet"},
		{&plain, "x web one two", "\"two\" is one word too many"},
		{&plain, "x -P /a -P /b web", "This command only accepts 1 -P,--lxcpath arguments"},
		{&nameless, "x -P /a -P /b", "name=- paths=/a,/b"},
		{&nameless, "x --json", "there is no option --json"},
		{&plain, "x -f file web", "there is no option -f"},
		{&command, "x -f file web", "name=web rcfile=file"},
		/* The options of a command are the command's. */
		{&command, "x -n web ls -a", "name=web words=ls,-a"},
		{&command, "x web ls -z", "name=web words=ls,-z"},
		{&command, "x web -a ls -z", "name=web flag words=ls,-z"},
		{&command, "x web -- -z", "name=web words=-z"},
		{&command, "x ls -n web -a", "name=web flag words=ls"},
		{&command, "x web -z ls", "there is no option -z"},
		{&plain, "x -- web -a", "name=web words=-a"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		autofree char *got = parse(cases[i].tool, cases[i].line);

		SAME(got, cases[i].expected);
	}
}

static void no_option_twice(const struct tool *tool, const struct option_row *row)
{
	for (const struct option_row *own = tool->options; own && own->name; own++) {
		CU_ASSERT(strcmp(own->name, row->name) != 0);
		CU_ASSERT(!own->letter || own->letter != row->letter);
	}
}

/* Help must show every option of every tool, and each option only once. */
static void test_every_option_is_in_help(void)
{
#define ADDRESS(name) &tool_##name,
	static const struct tool *const all[] = {TOOLS(ADDRESS)};
	char dashes[80];

	for (size_t t = 0; t < N(all); t++) {
		autofree char *help = NULL;
		size_t size;
		FILE *out = must_have(open_memstream(&help, &size));
		const struct option_row *row;

		help_print(all[t], out);
		fclose(out);
		HAS(help, all[t]->purpose);
		for (row = all[t]->options; row && row->name; row++) {
			snprintf(dashes, sizeof(dashes), " --%s", row->name);
			HAS(help, dashes);
			CU_ASSERT_PTR_NOT_NULL(row->summary);
		}
		for (size_t i = 0; (row = cli_common(all[t], i)); i++)
			no_option_twice(all[t], row);
	}
}

static void test_usage(void)
{
	enum { COLUMNS = 80 };
	autofree char *text = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&text, &size));

	usage_print(&plain, out);
	fclose(out);
	HAS(text, "Usage: plain [-a|--all] [-t|--text=TEXT] [-m|--maybe[=TEXT]] "
		  "[-i|--int=NUMBER]\n        [");
	for (const char *line = text; *line; line += strcspn(line, "\n") + 1)
		CU_ASSERT(strcspn(line, "\n") <= COLUMNS);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void test_escape(void)
{
	static const struct {
		const char *text, *expected;
		size_t width;
	} cases[] = {
		{"", "", 0},
		{"plain name", "plain name", 10},
		{"gr\303\274n", "gr\303\274n", 4},
		{"a\nb\tc", "a\\x0ab\\x09c", 11},
		{"\033[31mred", "\\x1b[31mred", 11},
		{"\302\2335m", "\\xc2\\x9b5m", 10},     /* C1 control, 8-bit CSI as UTF-8 */
		{"\2335m", "\\x9b5m", 6},               /* the same as a single byte */
		{"\177", "\\x7f", 4},
		{"x\342\200\256y", "x\\xe2\\x80\\xaey", 14}, /* turns the direction of writing */
		{"\300\257", "\\xc0\\xaf", 8},          /* overlong '/' */
		{"\355\240\200", "\\xed\\xa0\\x80", 12}, /* surrogate */
		{"cut\303", "cut\\xc3", 7},
	};

	for (size_t i = 0; i < N(cases); i++) {
		autofree char *got = text_escape(cases[i].text);

		SAME(got, cases[i].expected);
		SAME_NUMBER(text_width(got), cases[i].width);
	}
}

static void test_wrap(void)
{
	autofree char *got = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&got, &size));

	text_wrap(out, "one two  three averyveryverylongword x", 4, 14);
	fclose(out);
	SAME(got, "one two\n    three\n    averyveryverylongword\n    x\n");
}

/* ---- tables ---------------------------------------------------------------------------------- */

static void test_table(void)
{
	static const char *const cells[] = {"NAME", "MS", "NOTE", "w\303\251b", "1.234", "", "a\nb",
					    "", "x"};
	struct table t = {.columns = 3, .gap = 2, .right = 2};
	autofree char *got = NULL;
	size_t size;
	FILE *out = must_have(open_memstream(&got, &size));

	for (size_t i = 0; i < N(cells); i++)
		table_add(&t, cells[i]);
	table_print(&t, out);
	fclose(out);
	SAME(got, "NAME       MS  NOTE\n"
		  "w\303\251b     1.234\n"
		  "a\\x0ab         x\n");
}

static void test_words_side_by_side(void)
{
	char *words[] = {"a", "bbb", "cc", "d"};
	static const struct {
		size_t width;
		const char *expected;
	} cases[] = {
		{0, "a\nbbb\ncc\nd\n"},
		{3, "a\nbbb\ncc\nd\n"},
		{8, "a   bbb\ncc  d\n"},
		{100, "a   bbb cc  d\n"},
	};

	for (size_t i = 0; i < N(cases); i++) {
		autofree char *got = NULL;
		size_t size;
		FILE *out = must_have(open_memstream(&got, &size));

		table_print_words(words, N(words), cases[i].width, out);
		fclose(out);
		SAME(got, cases[i].expected);
	}
}

static void test_columns(void)
{
	static const struct {
		const char *names, *wrong;
		size_t n;
		unsigned want;
	} cases[] = {
		{NULL, NULL, 7, LXCORE_WANT_CONFIG | LXCORE_WANT_INTERFACES},
		{"name,State", NULL, 2, 0},
		{"RAM", NULL, 1, LXCORE_WANT_MEMORY},
		{"NAME,nope,PID", "nope", 0, 0},
		{"NAM", "NAM", 0, 0},
		{"NAMES", "NAMES", 0, 0},
		{"NAME,", "", 0, 0},
		{"", "", 0, 0},
	};

	for (size_t i = 0; i < N(cases); i++) {
		struct columns c = {0};
		autofree char *wrong = columns_parse(&c, cases[i].names);

		SAME(wrong, cases[i].wrong);
		if (!cases[i].wrong) {
			SAME_NUMBER(c.n, (long long)cases[i].n);
			SAME_NUMBER(c.want, cases[i].want);
		}
	}
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void test_json(void)
{
	static const char *const list[] = {"a", "b\"\\\n\033", NULL};
	autofree char *got = NULL;
	size_t size;
	struct json j = {.out = must_have(open_memstream(&got, &size))};

	json_object(&j, NULL);
	json_text(&j, "n", "w\303\251b\377");
	json_text(&j, "none", NULL);
	json_texts(&j, "list", list);
	json_texts(&j, "empty", NULL);
	json_rows(&j, "rows");
	json_object(&j, NULL);
	json_known(&j, "x", -1);
	json_end(&j, '}');
	json_number(&j, NULL, -7);
	json_end(&j, ']');
	json_bool(&j, "yes", true);
	json_end(&j, '}');
	fclose(j.out);
	SAME(got, "{\"n\": \"w\303\251b\\ufffd\", \"none\": null, "
		  "\"list\": [\"a\", \"b\\\"\\\\\\n\\u001b\"], \"empty\": [], \"rows\": [\n"
		  "  {\"x\": null},\n"
		  "  -7\n"
		  "], \"yes\": true}\n");
}

static void test_status(void)
{
	SAME_NUMBER(cli_status(0), 0);
	SAME_NUMBER(cli_status(3 << 8), 3);
	SAME_NUMBER(cli_status(9), 137);
	SAME_NUMBER(cli_status(15 | 0x80), 143); /* with a core */
}

void suite_cli(void)
{
	static const struct unit_test tests[] = {
		{"command lines", test_command_line},
		{"every option is in the help, once", test_every_option_is_in_help},
		{"usage fits the page", test_usage},
		{"what comes from outside is escaped", test_escape},
		{"words are broken into lines", test_wrap},
		{"tables are aligned and end without blanks", test_table},
		{"names side by side", test_words_side_by_side},
		{"columns of lxc-ls by name", test_columns},
		{"JSON", test_json},
		{"exit codes from wait statuses", test_status},
		{NULL, NULL},
	};

	unit_suite("cli", tests);
}

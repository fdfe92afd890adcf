/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What every lxc-* tool has in common.  A tool is one constant 'struct tool' and a function.  Its
 * option table is the only place that knows the options: the parser, --help, --usage, the man page
 * and the bash completion are all made from it, so none of them can say something else.
 *
 * The interface is that of LXC: short options may be bundled, long ones shortened, options may
 * stand behind other words, '--' ends them; help is written to stderr.
 */
#ifndef LXC_TOOLS_CLI_H
#define LXC_TOOLS_CLI_H

#include "lxcore.h"
#include "text.h"

#include <stdbool.h>
#include <stddef.h>

/* ---- options --------------------------------------------------------------------------------- */

enum option_kind {  /* and the type of the field that it fills */
	OPT_FLAG,   /* bool */
	OPT_TEXT,   /* const char *; the last one counts; "" when its [ARGUMENT] was left out */
	OPT_INT,    /* int */
	OPT_LIST,   /* struct words: each use adds one */
	OPT_LATER,  /* none: refused, for the option is not supported yet */
	OPT_HELP, OPT_USAGE, OPT_VERSION,
};

struct option_row {
	char letter;         /* 0: it has only a long name */
	const char *name;
	const char *arg;     /* NULL: none; "[X]": may be left out, must stand in the same word */
	const char *summary; /* one sentence without its dot */
	enum option_kind kind;
	size_t offset;       /* of the field in the tool's options */
};

struct words {
	const char **v; /* n words and a NULL; NULL while n is 0 */
	size_t n;
};
void words_add(struct words *list, const char *word);

/* ---- tools ----------------------------------------------------------------------------------- */

struct cli;

/* A term and what it means; a list of them ends with a term that is NULL. */
struct meaning {
	const char *term, *text;
};

/* What the man page says beyond the options.  Blank lines part paragraphs, `words` are bold. */
struct manual {
	const char *description, *notes, *differences;
	const struct meaning *exits;    /* besides 0 and 1 */
	const struct meaning *examples; /* command and what it does */
	const char *see_also;           /* "lxc-stop lxc-wait" */
};

enum tool_trait {
	TOOL_READS = 1,       /* has --json */
	TOOL_NAMELESS = 2,    /* needs no container: words are not taken as its name */
	TOOL_COMMAND = 4,     /* words after the name are a command with options of its own */
	TOOL_MANY_PATHS = 8,  /* -P may be repeated */
	TOOL_RCFILE = 16,     /* has --rcfile */
	TOOL_RCFILE_F = 32,   /* ... and -f is its letter */
	TOOL_OWN_OPTIONS = 64,/* none of the options that are about one container */
	TOOL_HELP_STDOUT = 128,
	TOOL_WORDS = 256,     /* takes any number of further words */
	TOOL_OUTPUT = 1024,   /* -o is its own, so the log has no letter */
	TOOL_NAME_LATER = 512,/* run() itself asks for the name, as it does not always need one */
	TOOL_PATHS = 2048,    /* its words are paths, of the host or as NAME:PATH */
};

struct tool {
	const char *name;      /* "lxc-start" */
	const char *purpose;   /* "start a container" */
	const char *synopsis;  /* what follows the name, a line for each form */
	unsigned traits;
	size_t max_words;      /* that it takes further, without TOOL_COMMAND or TOOL_WORDS */
	const char *choose;    /* options of lxc-ls that list the containers to complete */
	const struct option_row *options; /* ends with a row whose name is NULL */
	/* Options that are made of the library's tables: row i, or NULL at the end.  NULL: none. */
	const struct option_row *(*more)(size_t i);
	size_t options_size;   /* of the struct that they fill */
	const void *presets;   /* its first content; NULL: zeroes */
	int (*run)(struct cli *cli, const void *options); /* returns the exit code */
	/* What --help does after the help is shown; NULL: nothing. */
	int (*after_help)(struct cli *cli, const void *options);
	const struct manual *manual;
};

struct cli {
	const struct tool *tool;
	const char *name, *logfile, *loglevel, *rcfile;
	struct words paths;   /* of -P, without slashes at the end */
	bool quiet, json;
	struct words words;   /* what is no option; without the name */
	lxcore_error *err;
};

int cli_main(const struct tool *tool, int argc, char **argv);

/* Parse alone (for tests): 0, or -1 and *ret_problem, which the caller frees. */
int cli_parse(struct cli *cli, void *options, int argc, char **argv, char **ret_problem);
void cli_free(struct cli *cli, void *options);

/* The options of a tool's own, one by one; NULL at the end. */
const struct option_row *cli_own(const struct tool *tool, size_t i);
/* The options that all tools have: row i of those that this tool has, or NULL at the end. */
const struct option_row *cli_common(const struct tool *tool, size_t i);

/* ---- for run() ------------------------------------------------------------------------------- */

/* The container that was asked for; NULL when it cannot be opened: that has been said. */
lxcore_container *cli_open(struct cli *cli);
const char *cli_path(const struct cli *cli); /* of -P, or NULL */
/* The words behind the name as a command, or NULL. */
const char *const *cli_command(const struct cli *cli);

/* All of these return 1, the exit code of failure; with --json they write an object. */
int cli_fail(const struct cli *cli); /* says what is in cli->err */
int cli_no_such(const struct cli *cli, const lxcore_container *c); /* it does not exist */
int cli_error(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
int cli_error_mend(const struct cli *cli, const char *mend, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* One line on stderr that is no failure; not with --quiet. */
void cli_say(const struct cli *cli, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What the configuration's reader wants the user to know, such as old names of keys. */
void cli_notices(const struct cli *cli, lxcore_container *c);

/* Exit code for a wait status: the command's own, 128 and the signal when one killed it. */
int cli_status(int wait_status);

/* A value on stdout with a newline: as it is into a pipe, escaped on a terminal. */
void cli_value(const char *value);

static inline void cli_close_(lxcore_container **c)
{
	lxcore_close(*c);
}
#define autocontainer __attribute__((cleanup(cli_close_)))

#endif

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* lxc-top: what running containers use, on a terminal or for scripts.  See top.h. */
#include "top.h"
#include "tools.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define SORTS "ncubmskpt"

struct top_options {
	int delay, rounds;
	bool batch, reverse;
	const char *sort;
};
#define UNSET (-1)
static const struct top_options presets = {.delay = UNSET, .sort = "n"};

#define AT(field) offsetof(struct top_options, field)
static const struct option_row rows[] = {
	{'d', "delay", "SECONDS", "Between two rounds; default 3, with -b 300, with --json 1", OPT_INT,
	 AT(delay)},
	{'b', "batch", NULL, "Write lines for scripts, with commas between the values", OPT_FLAG,
	 AT(batch)},
	{'s', "sort", "COLUMN",
	 "Sort by n name (default), c CPU time, u CPU use, b block I/O, m memory, s swap, k kernel "
	 "memory, t network traffic, p processes", OPT_TEXT, AT(sort)},
	{'r', "reverse", NULL, "Sort the other way round", OPT_FLAG, AT(reverse)},
	{'c', "count", "N", "End after so many rounds; default 0: never", OPT_INT, AT(rounds)},
	{0}
};

/* ---- the terminal ---- */

struct screen {
	struct termios before;
	bool changed, colours;
	int signals;
};

static int screen_open(const struct cli *cli, struct screen *s)
{
	const char *no = getenv("NO_COLOR");
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_error_mend(cli, "lxc-top -b      (lines for scripts), or lxc-top --json",
				      "Failed to setup terminal: this is none");
	if (tcgetattr(STDIN_FILENO, &s->before) < 0)
		return cli_error(cli, "Failed to setup terminal: %m");
	raw = s->before;
	raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) < 0)
		return cli_error(cli, "Failed to setup terminal: %m");
	s->changed = true;
	s->colours = !(no && *no);
	return 0;
}

static void screen_close(const struct screen *s)
{
	if (s->changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &s->before);
}

static void draw(const struct top *t, const struct screen *s)
{
	struct winsize size = {.ws_row = 24, .ws_col = 80};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	fputs("\033[H", stdout);
	top_show_table(t, size.ws_row, size.ws_col, s->colours);
	fputs("\033[J", stdout);
	fflush(stdout);
}

/* ---- waiting ---- */

enum wake { WAKE_ROUND, WAKE_REDRAW, WAKE_END };

/* The same key once more turns the order round. */
static enum wake take_key(struct top *t, char key)
{
	if (key == 'q')
		return WAKE_END;
	if (key == 'r' || key == t->sort)
		t->reverse = !t->reverse;
	else if (key && strchr(SORTS, key))
		t->sort = key;
	return WAKE_REDRAW;
}

static long long clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until 'end', a key, or a signal. */
static enum wake wait_until(struct top *t, const struct screen *s, long long end)
{
	struct pollfd p[] = {{.fd = s->signals, .events = POLLIN},
			     {.fd = s->changed ? STDIN_FILENO : -1, .events = POLLIN}};
	long long left = end - clock_ms();
	struct signalfd_siginfo info;
	char key;
	int n = poll(p, 2, left > 0 ? (int)left : 0);

	if (n == 0)
		return WAKE_ROUND;
	if (p[0].revents && read(s->signals, &info, sizeof(info)) == sizeof(info))
		return info.ssi_signo == SIGWINCH ? WAKE_REDRAW : WAKE_END;
	if (!p[1].revents)
		return WAKE_REDRAW;
	/* A terminal that is gone is an end, too. */
	return read(STDIN_FILENO, &key, 1) == 1 ? take_key(t, key) : WAKE_END;
}

static void show(struct top *t, const struct top_options *o, const struct screen *s, bool first)
{
	top_sort(t);
	if (s->changed)
		draw(t, s);
	else if (t->cli->json)
		top_show_json(t);
	else
		top_show_lines(t, first && o->batch);
	fflush(stdout);
}

static int run_rounds(struct top *t, const struct top_options *o, const struct screen *s)
{
	long long next = clock_ms();

	for (int round = 0; !o->rounds || round < o->rounds; round++) {
		enum wake wake = WAKE_REDRAW;

		if (top_sample(t))
			return 1;
		show(t, o, s, round == 0);
		/* Who reads it is gone. */
		if (ferror(stdout))
			return 1;
		if (round + 1 == o->rounds)
			break;
		next += o->delay * 1000LL;
		while ((wake = wait_until(t, s, next)) == WAKE_REDRAW)
			if (s->changed)
				show(t, o, s, false);
		if (wake == WAKE_END)
			break;
	}
	return 0;
}

/* ---- the tool ---- */

static int watch_signals(const struct cli *cli)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		cli_error(cli, "cannot watch for signals: %m");
	return fd;
}

static int check_options(const struct cli *cli, const struct top_options *o)
{
	if (!*o->sort || o->sort[1] || !strchr(SORTS, *o->sort))
		return cli_error(cli, "cannot sort by \"%s\": columns are n c u b m s k t p (-s)",
				 o->sort);
	if (o->delay != UNSET && (o->delay < 1 || o->delay > 86400))
		return cli_error(cli, "cannot wait %d seconds between rounds: 1 to 86400 are possible "
				 "(-d)", o->delay);
	if (o->rounds < 0)
		return cli_error(cli, "cannot end after %d rounds (-c)", o->rounds);
	return 0;
}

static int run(struct cli *cli, const void *options)
{
	struct top_options o = *(const struct top_options *)options;
	struct top t = {.cli = cli, .sort = *o.sort, .reverse = o.reverse};
	struct screen s = {.signals = -1};
	int code = check_options(cli, &o);

	if (code)
		return code;
	if (o.delay == UNSET)
		o.delay = cli->json ? 1 : o.batch ? 300 : 3;
	if (!o.batch && !cli->json && screen_open(cli, &s))
		return 1;
	s.signals = watch_signals(cli);
	code = s.signals < 0 || top_open(&t) ? 1 : run_rounds(&t, &o, &s);
	screen_close(&s);
	if (s.signals >= 0)
		close(s.signals);
	top_free(&t);
	return code;
}

static const struct manual manual = {
	.description =
	"Shows what each running container uses, again and again: processor time and how much of a "
	"processor that is, memory, swap, kernel memory, block I/O, network traffic and processes. "
	"With `-n` only one, or those that match a pattern as of glob(7).\n\n"
	"Keys: `q` ends it, `r` turns the order round, `n c u b m s k t p` choose the column to "
	"sort by; the same key once more turns the order round.\n\n"
	"With `-b` it writes lines for scripts, the first one with the names of the columns; what "
	"this host does not tell is 0. With `--json` it writes one object a line for each "
	"container and round; what is not known is null. "
	"An ordinary user's container without a cgroup of its own is shown, but what it uses is not "
	"known.",
	.examples = (const struct meaning[]){
		{"lxc-top -s m", "Who uses most memory."},
		{"lxc-top -b -d 10 >usage.csv", "A line for each container every ten seconds."},
		{"lxc-top --json -c 2 -n 'web*'", "Two rounds of some, as JSON."},
		{0}},
	.differences =
	"`-b` needs no terminal. Swap is told by itself rather than together with memory, but for "
	"the lines of `-b`, which are those of LXC.",
	.see_also = "lxc-info lxc-ls lxc-cgroup",
};

const struct tool tool_top = {
	.name = "lxc-top",
	.purpose = "show what running containers use",
	.synopsis = "[-d SECONDS] [-s COLUMN] [-r] [-n PATTERN]\n-b|--json [-d SECONDS] [-c N]",
	.traits = TOOL_READS | TOOL_NAMELESS,
	.options = rows,
	.options_size = sizeof(struct top_options),
	.presets = &presets,
	.run = run,
	.manual = &manual,
};

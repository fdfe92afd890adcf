/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A long piece of work: told how far it is, and ended in order.  See work.h. */
#include "work.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define QUIET_USEC 500000

/* Those that are ignored (nohup(1)) stay so. */
static void list_signals(sigset_t *set)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
}

void work_begin(struct work *w, const struct cli *cli)
{
	sigset_t set;

	list_signals(&set);
	*w = (struct work){.cli = cli, .line = progress_begin(cli)};
	sigprocmask(SIG_BLOCK, &set, NULL);
	w->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

const char *work_size(uint64_t bytes, char text[32])
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	double n = (double)bytes;
	size_t unit = 0;

	while (n >= 1024 && unit < 4) {
		n /= 1024;
		unit++;
	}
	snprintf(text, 32, n < 10 && unit ? "%.1f %s" : "%.0f %s", n, units[unit]);
	return text;
}

static void print_line(struct work *w, const struct lxcore_progress *at)
{
	double rate = (double)at->bytes * 1e6 / (double)at->usec;
	char done[32], all[32], each[32];

	work_size((uint64_t)rate, each);
	if (at->total_bytes <= at->bytes || rate < 1) {
		progress_show(&w->line, w->cli, "%s, %" PRIu64 " files, %s/s",
			      work_size(at->bytes, done), at->files, each);
		return;
	}
	progress_show(&w->line, w->cli, "%.0f %% of %s, %s/s, %.0f s left",
		      (double)at->bytes * 100 / (double)at->total_bytes,
		      work_size(at->total_bytes, all), each,
		      (double)(at->total_bytes - at->bytes) / rate);
}

bool work_show(const struct lxcore_progress *at, void *data)
{
	struct work *w = data;
	struct signalfd_siginfo info;

	if (w->signals >= 0 && read(w->signals, &info, sizeof(info)) == sizeof(info)) {
		w->signal = (int)info.ssi_signo;
		return false;
	}
	if (at->usec >= QUIET_USEC)
		print_line(w, at);
	return true;
}

void work_end(struct work *w)
{
	progress_end(&w->line);
	if (w->signals >= 0)
		close(w->signals);
	w->signals = -1;
}

int work_fail(const struct work *w)
{
	int code = cli_fail(w->cli);

	return w->signal ? 128 + w->signal : code;
}
